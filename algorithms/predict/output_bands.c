#include "predict/output_bands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "file/probability.h"

static const s2clr_quantity_row table[] = {
    {"probability", S2CLR_QUANTITY_PROBABILITY, NULL, NULL,
     "calibrated probability of the model's positive class", true, 0, 1},
    {"entropy", S2CLR_QUANTITY_ENTROPY, "entropy", "bit",
     "how undecided the model is: 0 bit certain, 1 bit at a probability of one half", true, 0, 1},
    {"valid", S2CLR_QUANTITY_VALID, "valid fraction", NULL,
     "share of valid pixels in the patch, also where that is too small for a probability", true, 0,
     1},
    {"evidence", S2CLR_QUANTITY_EVIDENCE, "evidence", "logit",
     "mean of the local logits inside the output pixel: where in the patch the probability comes "
     "from (dense models)",
     false, 0, 0},
    {"embedding", S2CLR_QUANTITY_EMBEDDING, "embedding", NULL,
     "one band per feature that the model's last layer sees; stands alone", false, 0, 0},
};

enum { ROWS = sizeof table / sizeof table[0], WORD_MAX = 64 };

size_t s2clr_quantity_list(const s2clr_quantity_row **out)
{
    *out = table;
    return ROWS;
}

/* ---- the user's words ---- */

static const s2clr_quantity_row *find(const char *word)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcasecmp(table[i].name, word) == 0) return &table[i];
    return NULL;
}

static s2clr_status refuse(const char *word)
{
    const char *names[ROWS], *near;
    for (size_t i = 0; i < ROWS; i++) names[i] = table[i].name;
    if (word[strspn(word, "0123456789")] == '\0' || strchr(word, '='))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "output bands: \"%.60s\" looks like a band of the input; the "
                               "output's are probability, entropy, valid, evidence or embedding, "
                               "and raster bands of the input are bound with --input-bands (open "
                               "option INPUT_BANDS)",
                               word);
    near = s2clr_suggest(word, names, ROWS);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "output bands: \"%.60s\" is none of probability, entropy, valid, "
                           "evidence, embedding%s%s%s",
                           word, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Copies the word at *text, without blanks around it, and steps behind its comma. */
static void next_word(const char **text, char word[WORD_MAX])
{
    const char *from = *text + strspn(*text, " \t");
    const size_t length = strcspn(from, ",");
    size_t used = length;
    while (used > 0 && (from[used - 1] == ' ' || from[used - 1] == '\t')) used--;
    snprintf(word, WORD_MAX, "%.*s", used > WORD_MAX ? WORD_MAX : (int)used, from);
    *text = from + length;
}

static s2clr_status add_word(const char *word, const s2clr_quantity_row *rows[ROWS], int *count)
{
    const s2clr_quantity_row *row = find(word);
    if (!row) return refuse(word);
    for (int i = 0; i < *count; i++)
        if (rows[i] == row)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "output bands: \"%s\" is asked for twice; once is enough", word);
    rows[(*count)++] = row;
    return S2CLR_OK;
}

static s2clr_status read_words(const char *text, const s2clr_quantity_row *rows[ROWS], int *count)
{
    char word[WORD_MAX];
    *count = 0;
    for (;;) {
        next_word(&text, word);
        S2CLR_TRY(add_word(word, rows, count));
        if (*text == '\0') return S2CLR_OK;
        text++;
    }
}

/* ---- what the model can give ---- */

static s2clr_status check(const s2clr_model *model, const s2clr_quantity_row *const *rows,
                          int count)
{
    for (int i = 0; i < count; i++) {
        if (rows[i]->quantity != S2CLR_QUANTITY_EMBEDDING)
            S2CLR_TRY(s2clr_model_check_binary(model));
        if (rows[i]->quantity == S2CLR_QUANTITY_EMBEDDING && count > 1)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "output bands: embedding stands alone; make a second raster "
                                   "for the others");
        if (rows[i]->quantity == S2CLR_QUANTITY_EVIDENCE && !s2clr_net_step(s2clr_model_net(model)))
            return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                                   "%s: a %s sees whole patches and has no local logits, so there "
                                   "is no evidence band; take a dense model or leave it out",
                                   s2clr_model_path(model), s2clr_model_card(model)->arch.name);
    }
    return S2CLR_OK;
}

static s2clr_status count_features(const s2clr_model *model, int *out)
{
    const s2clr_net *net = s2clr_model_net(model);
    const int node = s2clr_net_output(net, S2CLR_OUTPUT_FEATURES);
    const int patch = s2clr_model_card(model)->patch;
    s2clr_shape *shapes;
    S2CLR_TRY(s2clr_alloc(s2clr_net_node_count(net), sizeof *shapes, "shapes", (void **)&shapes));
    const s2clr_status status = s2clr_net_shapes(net, 1, patch, patch, shapes);
    if (status == S2CLR_OK) *out = shapes[node].c;
    s2clr_free(shapes);
    return status;
}

/* ---- the list ---- */

static void name_band(const s2clr_model *model, s2clr_output_band *band)
{
    const char *description = band->row->description;
    if (band->row->quantity == S2CLR_QUANTITY_EMBEDDING)
        snprintf(band->name, sizeof band->name, "%s %d", description, band->feature + 1);
    else
        snprintf(band->name, sizeof band->name, "%s",
                 description ? description : s2clr_model_card(model)->positive);
}

static s2clr_status make_bands(const s2clr_model *model, const s2clr_quantity_row *const *rows,
                               int count, s2clr_output_bands *out)
{
    s2clr_output_bands bands = {.aim = S2CLR_AIM_PROBABILITY, .count = count};
    const bool embedding = rows[0]->quantity == S2CLR_QUANTITY_EMBEDDING;
    if (embedding) {
        bands.aim = S2CLR_AIM_EMBEDDING;
        S2CLR_TRY(count_features(model, &bands.count));
    }
    S2CLR_TRY(
        s2clr_alloc((size_t)bands.count, sizeof *bands.band, "output bands", (void **)&bands.band));
    for (int i = 0; i < bands.count; i++) {
        s2clr_output_band *band = &bands.band[i];
        band->row = rows[embedding ? 0 : i];
        band->feature = embedding ? i : 0;
        name_band(model, band);
        bands.valid = bands.valid || band->row->quantity == S2CLR_QUANTITY_VALID;
        bands.evidence = bands.evidence || band->row->quantity == S2CLR_QUANTITY_EVIDENCE;
    }
    *out = bands;
    return S2CLR_OK;
}

s2clr_status s2clr_output_bands_parse(const char *text, const s2clr_model *model,
                                      s2clr_output_bands *out)
{
    const s2clr_quantity_row *rows[ROWS];
    int count;
    S2CLR_TRY(read_words(text && text[0] ? text : table[0].name, rows, &count));
    S2CLR_TRY(check(model, rows, count));
    return make_bands(model, rows, count, out);
}

void s2clr_output_bands_free(s2clr_output_bands *bands)
{
    s2clr_free(bands->band);
    *bands = (s2clr_output_bands){0};
}

/* ---- values ---- */

static void copy_plane(const float *plane, size_t pixels, float standing, float *out)
{
    if (plane)
        memcpy(out, plane, pixels * sizeof *out);
    else
        for (size_t i = 0; i < pixels; i++) out[i] = standing;
}

static void fill_entropy(const float *probability, size_t pixels, float *out)
{
    for (size_t i = 0; i < pixels; i++) out[i] = (float)s2clr_probability_entropy(probability[i]);
}

static void fill_band(const s2clr_output_band *band, const s2clr_values *values, size_t pixels,
                      float *out)
{
    const float *features = values->embedding;
    switch (band->row->quantity) {
    case S2CLR_QUANTITY_PROBABILITY:
        copy_plane(values->probability, pixels, NAN, out);
        break;
    case S2CLR_QUANTITY_ENTROPY:
        copy_plane(values->probability, pixels, NAN, out);
        fill_entropy(out, pixels, out);
        break;
    case S2CLR_QUANTITY_VALID:
        copy_plane(values->valid, pixels, 0.0f, out);
        break;
    case S2CLR_QUANTITY_EVIDENCE:
        copy_plane(values->evidence, pixels, NAN, out);
        break;
    case S2CLR_QUANTITY_EMBEDDING:
        copy_plane(features ? features + (size_t)band->feature * pixels : NULL, pixels, NAN, out);
        break;
    }
}

void s2clr_output_bands_fill(const s2clr_output_bands *bands, const s2clr_values *values,
                             size_t pixels, float *out)
{
    for (int i = 0; i < bands->count; i++)
        fill_band(&bands->band[i], values, pixels, out + (size_t)i * pixels);
}
