#include "sentinel2/stack_offer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/bands.h"
#include "sentinel2/pstack.h"

#define METRES 10.0 /* where the inputs do not say how large their pixels are */

static void card_begin(s2clr_card *card)
{
    static const char *const levels[] = {"L2A", "L1C"};
    *card = (s2clr_card){.version = S2CLR_CARD_VERSION, .patch = 1, .stride = 1, .metres = METRES};
    snprintf(card->id, sizeof card->id, "patches");
    snprintf(card->resampling, sizeof card->resampling, "nearest");
    card->levels = 2;
    for (int i = 0; i < 2; i++) {
        snprintf(card->level[i].name, sizeof card->level[i].name, "%s", levels[i]);
        card->level[i].low = -INFINITY, card->level[i].high = INFINITY;
        card->level[i].has_nodata = true;
    }
}

static void card_add(s2clr_card *card, const char *band)
{
    const int b = card->bands++;
    snprintf(card->band[b], sizeof card->band[b], "%s", band);
    card->std[b] = 1;
    for (int i = 0; i < card->levels; i++) card->level[i].gain[b] = 1;
}

/* Openers of products look only at resolutions of which the card names a band. */
static void card_all(s2clr_card *card)
{
    const s2clr_band *bands;
    const size_t count = s2clr_band_list(&bands);
    card_begin(card);
    for (size_t i = 0; i < count; i++) card_add(card, bands[i].name);
}

static const s2clr_candidate *candidate_of(const s2clr_found *found, const char *band)
{
    for (int i = 0; i < found->candidates; i++)
        if (strcmp(found->candidate[i].band, band) == 0) return &found->candidate[i];
    return NULL;
}

static s2clr_status take_wanted(const s2clr_found *found, const char *wanted, s2clr_card *card)
{
    for (const char *p = wanted;;) {
        char name[S2CLR_CARD_WORD];
        const size_t n = strcspn(p, ",");
        snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), p);
        const s2clr_band *band = s2clr_band_find(name);
        if (!band)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "bands %.100s: \"%s\" is no Sentinel-2 band; wanted: B01 to B12 "
                                   "or B8A, with commas between",
                                   wanted, name);
        if (!candidate_of(found, band->name))
            return s2clr_error_set(S2CLR_ERR_MISMATCH, "%s: has no band %s", found->input,
                                   band->name);
        for (int i = 0; i < card->bands; i++)
            if (strcmp(card->band[i], band->name) == 0)
                return s2clr_error_set(S2CLR_ERR_ARGUMENT, "bands %.100s: %s twice", wanted,
                                       band->name);
        card_add(card, band->name);
        if (!p[n]) return S2CLR_OK;
        p += n + 1;
    }
}

static s2clr_status take_all(const s2clr_found *found, s2clr_card *card)
{
    const s2clr_band *bands;
    const size_t count = s2clr_band_list(&bands);
    for (size_t i = 0; i < count; i++)
        if (candidate_of(found, bands[i].name)) card_add(card, bands[i].name);
    if (card->bands) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: names none of its bands; wanted: raster bands described as B02, "
                           "B03 ... or a file for each band, named after it",
                           found->input);
}

/* Ground size of the finest band's pixels. */
static s2clr_status measure(s2clr_found *found, s2clr_card *card)
{
    double finest = 0;
    for (int i = 0; i < card->bands; i++) {
        GDALDatasetH dataset;
        s2clr_stack_info info = {0};
        const char *path = candidate_of(found, card->band[i])->path;
        S2CLR_TRY(s2clr_found_open(found, path, &dataset));
        const char *wkt = GDALGetProjectionRef(dataset);
        info.has_transform = GDALGetGeoTransform(dataset, info.transform) == CE_None;
        info.width = GDALGetRasterXSize(dataset), info.height = GDALGetRasterYSize(dataset);
        S2CLR_TRY(s2clr_strdup(wkt ? wkt : "", &info.wkt));
        /* Whether such pixels are good is judged when the stack is opened. */
        if (s2clr_stack_ground(path, METRES, &info) != S2CLR_OK) s2clr_error_clear();
        s2clr_free(info.wkt);
        const double metres = sqrt(info.metres_x * info.metres_y);
        if (metres > 0 && (finest == 0 || metres < finest)) finest = metres;
    }
    if (finest > 0) card->metres = finest;
    return S2CLR_OK;
}

s2clr_status s2clr_stack_offer(const char *const *inputs, size_t count,
                               const s2clr_stack_options *options, const char *bands,
                               s2clr_card *out)
{
    s2clr_card all, card;
    s2clr_found found = {0};
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    card_all(&all);
    card_begin(&card);
    s2clr_status status = s2clr_openers_run(inputs, count, &all, options, &found);
    if (status == S2CLR_OK)
        status = bands ? take_wanted(&found, bands, &card) : take_all(&found, &card);
    if (status == S2CLR_OK) status = measure(&found, &card);
    s2clr_found_clear(&found);
    if (status == S2CLR_OK) *out = card;
    return status;
}

int s2clr_stack_offered(const char *const *inputs, size_t count)
{
    static const s2clr_stack_options options = {0};
    s2clr_card all, card;
    s2clr_found found = {0};
    card_all(&all);
    card_begin(&card);
    if (s2clr_openers_run(inputs, count, &all, &options, &found) != S2CLR_OK ||
        take_all(&found, &card) != S2CLR_OK)
        s2clr_error_clear();
    s2clr_found_clear(&found);
    return card.bands;
}
