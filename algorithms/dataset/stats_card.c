#include "dataset/stats_card.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/card.h"

typedef struct choice {
    const s2clr_band_stats *band[S2CLR_CARD_BANDS_MAX];
    size_t count;
    double scale; /* unit of the card per DN */
    double low, high;
} choice;

static const s2clr_band_stats *find(const s2clr_stats *stats, const char *name, size_t length)
{
    for (size_t b = 0; b < stats->bands; b++)
        if (strlen(stats->band[b].name) == length &&
            strncmp(stats->band[b].name, name, length) == 0)
            return &stats->band[b];
    return NULL;
}

static s2clr_status add(choice *c, const char *store, const s2clr_band_stats *band)
{
    if (c->count == S2CLR_CARD_BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: more than %d bands; name those the model is to have", store,
                               S2CLR_CARD_BANDS_MAX);
    if (!band->moments.count || !(s2clr_stats_moments_sd(&band->moments) > 0))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: band %s has %s: it cannot be normalised; leave it out", store,
                               band->name, band->moments.count ? "one value only" : "no value");
    c->band[c->count++] = band;
    return S2CLR_OK;
}

static s2clr_status choose_bands(const s2clr_stats *stats, const char *store, const char *bands,
                                 choice *c)
{
    for (size_t b = 0; !bands && b < stats->bands; b++)
        if (strcmp(stats->band[b].name, "SCL") != 0) S2CLR_TRY(add(c, store, &stats->band[b]));
    while (bands && *bands) {
        const size_t length = strcspn(bands, ",");
        const s2clr_band_stats *band = find(stats, bands, length);
        if (!band)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s: the store has no band '%.*s'; \"s2clr dataset info\" "
                                   "lists them",
                                   store, (int)(length < 40 ? length : 40), bands);
        S2CLR_TRY(add(c, store, band));
        bands += length + (bands[length] == ',');
    }
    return c->count ? S2CLR_OK : s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: no band is named", store);
}

/* The level of the measured patches: a card without it could not be used. */
static const char *level_of(const s2clr_stats *stats)
{
    const s2clr_label_stats *labels = &stats->labels;
    const bool one = labels->rows[S2CLR_STATS_LEVELS] == 1;
    const char *name = one ? labels->table[S2CLR_STATS_LEVELS][0].name : "";
    return *name ? name : "DN";
}

static void choose_unit(choice *c, double scale)
{
    c->low = INFINITY;
    c->high = -INFINITY;
    for (size_t b = 0; b < c->count; b++) {
        c->low = fmin(c->low, c->band[b]->moments.minimum);
        c->high = fmax(c->high, c->band[b]->moments.maximum);
    }
    c->scale = c->low >= 0 && c->high <= 255 ? 1 : scale;
}

static json_t *card_json(const s2clr_stats *stats, const char *store, const choice *c)
{
    json_t *names = json_array(), *mean = json_array(), *std = json_array();
    json_t *gain = json_array(), *bias = json_array();
    char source[400];
    for (size_t b = 0; b < c->count; b++) {
        const s2clr_stats_moments *m = &c->band[b]->moments;
        json_array_append_new(names, json_string(c->band[b]->name));
        json_array_append_new(mean, json_real(m->mean * c->scale));
        json_array_append_new(std, json_real(s2clr_stats_moments_sd(m) * c->scale));
        json_array_append_new(gain, json_real(c->scale));
        json_array_append_new(bias, json_real(0));
    }
    snprintf(source, sizeof source, "range of %zu patches of %.200s%s%s", stats->measured, store,
             stats->options.split ? ", part " : "",
             stats->options.split ? stats->options.split : "");
    return json_pack("{s:o, s:o, s:o, s:s, s:[{s:s, s:o, s:o, s:f, s:f, s:s}]}", "bands", names,
                     "mean", mean, "std", std, "unit", c->scale == 1 ? "DN" : "reflectance",
                     "levels", "name", level_of(stats), "gain", gain, "bias", bias, "low",
                     c->low * c->scale, "high", c->high * c->scale, "source", source);
}

static s2clr_status save(json_t *json, const char *path)
{
    char part[4200];
    if (!json) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the card", path);
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
        return s2clr_error_set(S2CLR_ERR_IO, "%.200s...: the name is too long", path);
    if (json_dump_file(json, part, JSON_INDENT(2)) == 0 && rename(part, path) == 0) return S2CLR_OK;
    const int error = errno;
    unlink(part);
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot be written: %s; choose a folder that exists, with room",
                           path, strerror(error));
}

s2clr_status s2clr_stats_card(const s2clr_stats *stats, const char *store, const char *bands,
                              const char *path)
{
    choice c = {.count = 0};
    S2CLR_TRY(choose_bands(stats, store, bands, &c));
    choose_unit(&c, stats->options.scale);
    json_t *json = card_json(stats, store, &c);
    const s2clr_status status = save(json, path);
    json_decref(json);
    return status;
}
