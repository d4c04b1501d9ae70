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
     "calibrated probability of the class that the band is named after", true, 0, 1},
    {"entropy", S2CLR_QUANTITY_ENTROPY, "entropy", "bit",
     "how undecided the model is: 0 bit certain, 1 bit at a probability of one half; of K classes "
     "at most log2 K bit",
     true, 0, 1},
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

#define ALL_CLASSES "classes" /* the word for the probability of every class */

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

/* The class of that name, -1: none. */
static int find_class(const s2clr_card *card, const char *word)
{
    for (int k = 0; k < card->classes; k++)
        if (strcmp(card->class_name[k], word) == 0) return k;
    for (int k = 0; k < card->classes; k++)
        if (strcasecmp(card->class_name[k], word) == 0) return k;
    return -1;
}

static s2clr_status refuse(const s2clr_card *card, const char *word)
{
    const char *names[ROWS + 1 + S2CLR_CARD_CLASSES_MAX], *near;
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) names[count++] = table[i].name;
    if (card->classes) names[count++] = ALL_CLASSES;
    for (int k = 0; k < card->classes; k++) names[count++] = card->class_name[k];
    if (word[strspn(word, "0123456789")] == '\0' || strchr(word, '='))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "output bands: \"%.60s\" looks like a band of the input; the "
                               "output's are probability, entropy, valid, evidence or embedding, "
                               "and raster bands of the input are bound with --input-bands (open "
                               "option INPUT_BANDS)",
                               word);
    near = s2clr_suggest(word, names, count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "output bands: \"%.60s\" is none of probability, entropy, valid, "
                           "evidence, embedding%s%s%s%s",
                           word, card->classes ? ", " ALL_CLASSES " and the model's classes" : "",
                           near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
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

/* What is asked for, in order. */
typedef struct wish {
    const s2clr_quantity_row *row;
    int feature; /* PROBABILITY of K classes: which */
} wish;

typedef struct wish_list {
    wish item[ROWS + S2CLR_CARD_CLASSES_MAX];
    int count;
} wish_list;

static s2clr_status add_wish(const s2clr_quantity_row *row, int feature, const char *word,
                             wish_list *list)
{
    for (int i = 0; i < list->count; i++)
        if (list->item[i].row == row && list->item[i].feature == feature)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "output bands: \"%s\" is asked for twice; once is enough", word);
    list->item[list->count++] = (wish){.row = row, .feature = feature};
    return S2CLR_OK;
}

static s2clr_status add_classes(const s2clr_model *model, wish_list *list)
{
    const s2clr_card *card = s2clr_model_card(model);
    if (card->classes == 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "output bands: %s tells no classes apart; its one band is "
                               "\"probability\"",
                               s2clr_model_path(model));
    for (int k = 0; k < card->classes; k++)
        S2CLR_TRY(add_wish(&table[0], k, card->class_name[k], list));
    return S2CLR_OK;
}

static s2clr_status add_word(const s2clr_model *model, const char *word, wish_list *list)
{
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_quantity_row *row = find(word);
    const bool probability = row && row->quantity == S2CLR_QUANTITY_PROBABILITY;
    const int class = find_class(card, probability ? card->positive : word);
    if (strcasecmp(word, ALL_CLASSES) == 0 || (probability && card->classes && class < 0))
        return add_classes(model, list);
    if (row) return add_wish(row, probability && class > 0 ? class : 0, word, list);
    return class < 0 ? refuse(card, word) : add_wish(&table[0], class, word, list);
}

static s2clr_status read_words(const char *text, const s2clr_model *model, wish_list *list)
{
    char word[WORD_MAX];
    list->count = 0;
    for (;;) {
        next_word(&text, word);
        S2CLR_TRY(add_word(model, word, list));
        if (*text == '\0') return S2CLR_OK;
        text++;
    }
}

/* ---- what the model can give ---- */

static s2clr_status check_evidence(const s2clr_model *model)
{
    const s2clr_card *card = s2clr_model_card(model);
    if (card->classes)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: tells %d classes apart, and evidence is for one against the "
                               "rest; leave it out, or take a model of one class",
                               s2clr_model_path(model), card->classes);
    if (s2clr_net_step(s2clr_model_net(model))) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: a %s sees whole patches and has no local logits, so there "
                           "is no evidence band; take a dense model or leave it out",
                           s2clr_model_path(model), card->arch.name);
}

static s2clr_status check(const s2clr_model *model, const wish_list *list)
{
    for (int i = 0; i < list->count; i++) {
        const s2clr_quantity quantity = list->item[i].row->quantity;
        if (quantity != S2CLR_QUANTITY_EMBEDDING && s2clr_model_card(model)->classes == 0)
            S2CLR_TRY(s2clr_model_check_binary(model));
        if (quantity == S2CLR_QUANTITY_EMBEDDING && list->count > 1)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "output bands: embedding stands alone; make a second raster "
                                   "for the others");
        if (quantity == S2CLR_QUANTITY_EVIDENCE) S2CLR_TRY(check_evidence(model));
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
    const s2clr_card *card = s2clr_model_card(model);
    const char *description = band->row->description;
    if (band->row->quantity == S2CLR_QUANTITY_EMBEDDING)
        snprintf(band->name, sizeof band->name, "%s %d", description, band->feature + 1);
    else if (description)
        snprintf(band->name, sizeof band->name, "%s", description);
    else
        snprintf(band->name, sizeof band->name, "%s",
                 card->classes ? card->class_name[band->feature] : card->positive);
}

static void fill_row(const s2clr_model *model, wish item, s2clr_output_band *band)
{
    const int classes = s2clr_model_card(model)->classes;
    band->row = item.row;
    band->feature = item.feature;
    band->maximum = item.row->maximum;
    if (classes && item.row->quantity == S2CLR_QUANTITY_ENTROPY) band->maximum = log2(classes);
    name_band(model, band);
}

static s2clr_status make_bands(const s2clr_model *model, const wish_list *list,
                               s2clr_output_bands *out)
{
    const int classes = s2clr_model_card(model)->classes;
    const bool embedding = list->item[0].row->quantity == S2CLR_QUANTITY_EMBEDDING;
    s2clr_output_bands bands = {.aim = classes ? S2CLR_AIM_CLASSES : S2CLR_AIM_PROBABILITY,
                                .count = list->count,
                                .classes = classes};
    if (embedding) {
        bands.aim = S2CLR_AIM_EMBEDDING;
        bands.classes = 0;
        S2CLR_TRY(count_features(model, &bands.count));
    }
    S2CLR_TRY(
        s2clr_alloc((size_t)bands.count, sizeof *bands.band, "output bands", (void **)&bands.band));
    for (int i = 0; i < bands.count; i++) {
        const wish feature = {.row = list->item[0].row, .feature = i};
        s2clr_output_band *band = &bands.band[i];
        fill_row(model, embedding ? feature : list->item[i], band);
        bands.valid = bands.valid || band->row->quantity == S2CLR_QUANTITY_VALID;
        bands.evidence = bands.evidence || band->row->quantity == S2CLR_QUANTITY_EVIDENCE;
    }
    *out = bands;
    return S2CLR_OK;
}

s2clr_status s2clr_output_bands_parse(const char *text, const s2clr_model *model,
                                      s2clr_output_bands *out)
{
    wish_list list;
    S2CLR_TRY(read_words(text && text[0] ? text : table[0].name, model, &list));
    S2CLR_TRY(check(model, &list));
    return make_bands(model, &list, out);
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

/* probability: (K, pixels), K 1 for a yes/no answer. */
static void fill_entropy(const float *probability, int classes, size_t pixels, float *out)
{
    for (size_t i = 0; i < pixels; i++) {
        if (!probability)
            out[i] = NAN;
        else if (classes == 0)
            out[i] = (float)s2clr_probability_entropy(probability[i]);
        else
            out[i] = (float)s2clr_probability_entropy_of(probability + i, (size_t)classes, pixels);
    }
}

static void fill_band(const s2clr_output_bands *bands, const s2clr_output_band *band,
                      const s2clr_values *values, size_t pixels, float *out)
{
    const float *features = values->embedding, *p = values->probability;
    const size_t skipped = (size_t)band->feature * pixels;
    switch (band->row->quantity) {
    case S2CLR_QUANTITY_PROBABILITY:
        copy_plane(p ? p + skipped : NULL, pixels, NAN, out);
        break;
    case S2CLR_QUANTITY_ENTROPY:
        fill_entropy(p, bands->classes, pixels, out);
        break;
    case S2CLR_QUANTITY_VALID:
        copy_plane(values->valid, pixels, 0.0f, out);
        break;
    case S2CLR_QUANTITY_EVIDENCE:
        copy_plane(values->evidence, pixels, NAN, out);
        break;
    case S2CLR_QUANTITY_EMBEDDING:
        copy_plane(features ? features + skipped : NULL, pixels, NAN, out);
        break;
    }
}

void s2clr_output_bands_fill(const s2clr_output_bands *bands, const s2clr_values *values,
                             size_t pixels, float *out)
{
    for (int i = 0; i < bands->count; i++)
        fill_band(bands, &bands->band[i], values, pixels, out + (size_t)i * pixels);
}
