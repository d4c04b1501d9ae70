#include <string.h>

#include "base/memory.h"
#include "file/pcard.h"

#define CARD(member) offsetof(s2clr_card, member)
#define ARCH(member) offsetof(s2clr_arch, member)
#define LEVEL(member) offsetof(s2clr_card_level, member)
#define CALIBRATION(member) offsetof(s2clr_calibration, member)
#define TEXT(which) (offsetof(s2clr_card, text) + S2CLR_CARD_##which * sizeof(char *))
#define KIND(kind) S2CLR_FIELD_##kind
#define USE(use) S2CLR_USE_##use
#define WORD S2CLR_CARD_WORD
#define NAME sizeof((s2clr_arch *)0)->name
#define SOURCE sizeof((s2clr_card_level *)0)->source
#define BANDS S2CLR_CARD_BANDS_MAX
#define BIG 1e30   /* finite in float32 */
#define SIDE 16384 /* pixels */

/* The order here is the order in the file. */
/* clang-format off */
static const s2clr_field card_rows[] = {
    /* key, kind, offset, room, required, low, high, use */
    {"version",       KIND(INT),    CARD(version),       0,    true,  1,     1e9, USE(ALWAYS)},
    {"id",            KIND(WORD),   CARD(id),            WORD, true,  1,     0, USE(ALWAYS)},
    {"title",         KIND(TEXT),   TEXT(TITLE),         0,    false, 0,     0, USE(ALWAYS)},
    {"warning",       KIND(TEXT),   TEXT(WARNING),       0,    false, 0,     0, USE(ALWAYS)},
    {"architecture",  KIND(ARCH),   CARD(arch),          0,    true,  0,     0, USE(ALWAYS)},
    {"bands",         KIND(BANDS),  CARD(band),          0,    true,  0,     0, USE(ALWAYS)},
    {"mean",          KIND(FLOATS), CARD(mean),          0,    true,  -BIG,  BIG, USE(ALWAYS)},
    {"std",           KIND(FLOATS), CARD(std),           0,    true,  1e-30, BIG, USE(ALWAYS)},
    {"unit",          KIND(TEXT),   TEXT(UNIT),          0,    false, 0,     0, USE(ALWAYS)},
    {"levels",        KIND(LEVELS), CARD(level),         0,    true,  0,     0, USE(ALWAYS)},
    {"trained_level", KIND(LABEL),  CARD(trained_level), WORD, false, 0,     0, USE(ALWAYS)},
    {"patch",         KIND(INT),    CARD(patch),         0,    true,  1,     SIDE, USE(ALWAYS)},
    {"metres",        KIND(NUMBER), CARD(metres),        0,    true,  1e-3,  1e6, USE(ALWAYS)},
    {"stride",        KIND(INT),    CARD(stride),        0,    true,  1,     SIDE, USE(ALWAYS)},
    {"resampling",    KIND(WORD),   CARD(resampling),    WORD, false, 1,     0, USE(ALWAYS)},
    {"classes",       KIND(CLASSES), CARD(class_name),   0,    false, 0,     0, USE(FILLED)},
    {"positive",      KIND(LABEL),  CARD(positive),      WORD, false, 0,     0, USE(FILLED)},
    {"negative",      KIND(LABEL),  CARD(negative),      WORD, false, 0,     0, USE(BINARY)},
    {"threshold",     KIND(NUMBER), CARD(threshold),     0,    false, 0,     1, USE(BINARY)},
    {"temperature",   KIND(NUMBER), CARD(temperature),   0,    false, 1e-3,  1e3, USE(LOGITS)},
    {"calibration",   KIND(CURVE), CARD(calibration), 0, false, 0,  0, USE(FILLED)},
    {"prevalence",    KIND(NUMBER), CARD(prevalence),    0,    false, 0,     1, USE(BINARY)},
    {"trained_on",    KIND(TEXT),   TEXT(TRAINED_ON),    0,    false, 0,     0, USE(ALWAYS)},
    {"dataset",       KIND(TEXT),   TEXT(DATASET),       0,    false, 0,     0, USE(ALWAYS)},
    {"not_validated", KIND(TEXT),   TEXT(NOT_VALIDATED), 0,    false, 0,     0, USE(ALWAYS)},
    {"metrics",       KIND(OBJECT), TEXT(METRICS),       0,    false, 0,     0, USE(ALWAYS)},
    {"seed",          KIND(SEED),   CARD(seed),          0,    false, 0,     0, USE(ALWAYS)},
    {"parent",        KIND(TEXT),   TEXT(PARENT),        0,    false, 0,     0, USE(ALWAYS)},
    {"command",       KIND(TEXT),   TEXT(COMMAND),       0,    false, 0,     0, USE(ALWAYS)},
    {"licence",       KIND(TEXT),   TEXT(LICENCE),       0,    false, 0,     0, USE(ALWAYS)},
};

/* Which values an architecture takes is s2clr_net_new()'s to judge; 0 means its default. */
static const s2clr_field arch_rows[] = {
    {"name",     KIND(WORD), ARCH(name),     NAME, true,  1, 0, USE(ALWAYS)},
    {"channels", KIND(INT),  ARCH(channels), 0,    true,  1, BANDS, USE(ALWAYS)},
    {"outputs",  KIND(INT),  ARCH(outputs),  0,    true,  0, 65536, USE(ALWAYS)},
    {"width",    KIND(INT),  ARCH(width),    0,    false, 0, 65536, USE(ALWAYS)},
    {"depth",    KIND(INT),  ARCH(depth),    0,    false, 0, 65536, USE(ALWAYS)},
    {"projection", KIND(INTS), ARCH(projection), ARCH(projections), false, 1, 65536, USE(FILLED)},
    {"tap",      KIND(INT),  ARCH(tap),      0,    false, 0, S2CLR_HEAD_MAX, USE(FILLED)},
    {"hidden",   KIND(INTS), ARCH(hidden),   ARCH(hiddens), false, 1, 65536, USE(FILLED)},
};

static const s2clr_field level_rows[] = {
    {"name",   KIND(WORD),    LEVEL(name),   WORD,              true,  1,    0, USE(ALWAYS)},
    {"gain",   KIND(NUMBERS), LEVEL(gain),   0,                 true,  -BIG, BIG, USE(ALWAYS)},
    {"bias",   KIND(NUMBERS), LEVEL(bias),   0,                 true,  -BIG, BIG, USE(ALWAYS)},
    {"low",    KIND(NUMBER),  LEVEL(low),    0,                 true,  -BIG, BIG, USE(ALWAYS)},
    {"high",   KIND(NUMBER),  LEVEL(high),   0,                 true,  -BIG, BIG, USE(ALWAYS)},
    {"nodata", KIND(MAYBE),   LEVEL(nodata), LEVEL(has_nodata), false, -BIG, BIG, USE(ALWAYS)},
    {"source", KIND(LABEL),   LEVEL(source), SOURCE,            false, 0,    0, USE(ALWAYS)},
};

static const s2clr_field calibration_rows[] = {
    {"bias",       KIND(NUMBER), CALIBRATION(bias),       0,    false, -1e3, 1e3, USE(ALWAYS)},
    {"knots",      KIND(KNOTS),  CALIBRATION(knots),      0,    false, 0,    0, USE(FILLED)},
    {"network_prevalence", KIND(NUMBER), CALIBRATION(network_prevalence), 0, false, 0, 1,
     USE(FILLED)},
    {"part",       KIND(LABEL),  CALIBRATION(part),       WORD, true,  1,    0, USE(ALWAYS)},
    {"samples",    KIND(INT),    CALIBRATION(samples),    0,    true,  1,    1e9, USE(ALWAYS)},
    {"ece_before", KIND(NUMBER), CALIBRATION(ece_before), 0,    true,  0,    1, USE(ALWAYS)},
    {"ece_after",  KIND(NUMBER), CALIBRATION(ece_after),  0,    true,  0,    1, USE(ALWAYS)},
};
/* clang-format on */

#define FIELDS(rows)                                                                               \
    {                                                                                              \
        rows, sizeof(rows) / sizeof *(rows)                                                        \
    }
const s2clr_fields s2clr_card_fields = FIELDS(card_rows);
const s2clr_fields s2clr_card_arch_fields = FIELDS(arch_rows);
const s2clr_fields s2clr_card_level_fields = FIELDS(level_rows);
const s2clr_fields s2clr_card_calibration_fields = FIELDS(calibration_rows);

s2clr_status s2clr_card_new(s2clr_card **out)
{
    s2clr_card *card;
    S2CLR_TRY(s2clr_alloc(1, sizeof *card, "card", (void **)&card));
    card->version = S2CLR_CARD_VERSION;
    card->metres = 10;
    card->threshold = 0.5;
    card->temperature = 1;
    card->prevalence = 0.5;
    strcpy(card->resampling, "bilinear");
    for (int i = 0; i < S2CLR_CARD_TEXTS; i++) {
        const s2clr_status status = s2clr_strdup("", &card->text[i]);
        if (status == S2CLR_OK) continue;
        s2clr_card_free(card);
        return status;
    }
    *out = card;
    return S2CLR_OK;
}

void s2clr_card_free(s2clr_card *card)
{
    if (!card) return;
    for (int i = 0; i < S2CLR_CARD_TEXTS; i++) s2clr_free(card->text[i]);
    s2clr_free(card);
}

s2clr_status s2clr_card_copy(const s2clr_card *card, s2clr_card **out)
{
    s2clr_card *copy;
    S2CLR_TRY(s2clr_alloc(1, sizeof *copy, "card", (void **)&copy));
    *copy = *card;
    memset(copy->text, 0, sizeof copy->text);
    for (int i = 0; i < S2CLR_CARD_TEXTS; i++) {
        const s2clr_status status = s2clr_strdup(card->text[i], &copy->text[i]);
        if (status == S2CLR_OK) continue;
        s2clr_card_free(copy);
        return status;
    }
    *out = copy;
    return S2CLR_OK;
}

s2clr_status s2clr_card_set_text(s2clr_card *card, s2clr_card_text which, const char *value)
{
    char *copy;
    S2CLR_TRY(s2clr_strdup(value, &copy));
    s2clr_free(card->text[which]);
    card->text[which] = copy;
    return S2CLR_OK;
}

void s2clr_card_uncalibrate(s2clr_card *card)
{
    card->temperature = 1;
    card->calibration = (s2clr_calibration){.knots = 0};
}

s2clr_card_fold s2clr_card_fold_band(const s2clr_card *card, const s2clr_card_level *level,
                                     double offset, int band)
{
    const double mean = (double)card->mean[band], std = (double)card->std[band];
    return (s2clr_card_fold){
        .scale = level->gain[band] / std,
        .bias = (level->gain[band] * offset + level->bias[band] - mean) / std,
        .low = (level->low - mean) / std,
        .high = (level->high - mean) / std,
    };
}

const s2clr_card_level *s2clr_card_find_level(const s2clr_card *card, const char *name)
{
    for (int i = 0; i < card->levels; i++)
        if (strcmp(card->level[i].name, name) == 0) return &card->level[i];
    return NULL;
}
