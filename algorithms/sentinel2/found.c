#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/bands.h"
#include "sentinel2/pnames.h"
#include "sentinel2/pstack.h"

void s2clr_found_clear(s2clr_found *found)
{
    for (int i = 0; i < found->opened; i++) GDALClose(found->open[i].handle);
    s2clr_free(found->open);
    s2clr_free(found->candidate);
    memset(found, 0, sizeof *found);
}

static s2clr_status grow(s2clr_found *found)
{
    if (found->candidates >= S2CLR_FOUND_MAX)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: more than %d raster bands in the inputs; give fewer",
                               found->input, S2CLR_FOUND_MAX);
    if (found->candidates < found->capacity) return S2CLR_OK;
    const int capacity = found->capacity ? 2 * found->capacity : 16;
    s2clr_candidate *bigger;
    S2CLR_TRY(s2clr_alloc((size_t)capacity, sizeof *bigger, "band candidates", (void **)&bigger));
    if (found->candidates)
        memcpy(bigger, found->candidate, (size_t)found->candidates * sizeof *bigger);
    s2clr_free(found->candidate);
    found->candidate = bigger;
    found->capacity = capacity;
    return S2CLR_OK;
}

s2clr_status s2clr_found_add(s2clr_found *found, const char *band, const char *path, int number,
                             const char *found_by)
{
    if (strlen(path) >= S2CLR_PATH_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s...: name longer than %d bytes", path,
                               S2CLR_PATH_MAX - 1);
    S2CLR_TRY(grow(found));
    s2clr_candidate *c = &found->candidate[found->candidates];
    snprintf(c->band, sizeof c->band, "%s", band);
    snprintf(c->path, sizeof c->path, "%s", path);
    snprintf(c->found_by, sizeof c->found_by, "%s", found_by);
    c->number = number;
    found->candidates++;
    return S2CLR_OK;
}

s2clr_status s2clr_dataset_open(const char *path, GDALDatasetH *out)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH handle = GDALOpenEx(
        path, GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, NULL, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!handle)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened as a raster: %s", path,
                               watch.text);
    *out = handle;
    return S2CLR_OK;
}

s2clr_status s2clr_found_open(s2clr_found *found, const char *path, GDALDatasetH *out)
{
    for (int i = 0; i < found->opened; i++) {
        if (strcmp(found->open[i].path, path) != 0) continue;
        *out = found->open[i].handle;
        return S2CLR_OK;
    }
    s2clr_open_dataset *bigger;
    S2CLR_TRY(
        s2clr_alloc((size_t)found->opened + 1, sizeof *bigger, "open datasets", (void **)&bigger));
    if (found->opened) memcpy(bigger, found->open, (size_t)found->opened * sizeof *bigger);
    s2clr_free(found->open);
    found->open = bigger;
    S2CLR_TRY(s2clr_dataset_open(path, &bigger[found->opened].handle));
    snprintf(bigger[found->opened].path, S2CLR_PATH_MAX, "%s", path);
    *out = bigger[found->opened++].handle;
    return S2CLR_OK;
}

/* The name of a band that calls itself `text`: canonical, "SCL", or the text itself. */
static void name_band(const char *text, char out[S2CLR_CARD_WORD])
{
    const s2clr_band *band = s2clr_band_find(text);
    if (band)
        snprintf(out, S2CLR_CARD_WORD, "%s", band->name);
    else if (s2clr_name_starts(text, "SCL") && s2clr_name_has_word(text, "SCL"))
        snprintf(out, S2CLR_CARD_WORD, "SCL");
    else
        snprintf(out, S2CLR_CARD_WORD, "%s", text);
}

static s2clr_status add_band(s2clr_found *found, GDALRasterBandH band, const char *path, int number,
                             bool single)
{
    const char *bandname = GDALGetMetadataItem(band, "BANDNAME", NULL);
    const char *description = GDALGetDescription(band);
    const s2clr_band *from_file = s2clr_band_in_filename(path);
    char name[S2CLR_CARD_WORD] = "", by[64] = "";
    if (bandname && bandname[0]) {
        name_band(bandname, name);
        snprintf(by, sizeof by, "BANDNAME");
    } else if (description && description[0]) {
        name_band(description, name);
        snprintf(by, sizeof by, "description %.48s", description);
    }
    if (single && from_file && !s2clr_band_find(name) && strcmp(name, "SCL") != 0) {
        snprintf(name, sizeof name, "%s", from_file->name);
        snprintf(by, sizeof by, "file name");
    }
    return s2clr_found_add(found, name, path, number, by);
}

s2clr_status s2clr_found_add_file(s2clr_found *found, const char *path)
{
    GDALDatasetH dataset;
    S2CLR_TRY(s2clr_found_open(found, path, &dataset));
    const int bands = GDALGetRasterCount(dataset);
    int colours = 0;
    for (int i = 1; i <= bands; i++) {
        GDALRasterBandH band = GDALGetRasterBand(dataset, i);
        colours += GDALGetRasterColorInterpretation(band) != GCI_AlphaBand;
    }
    if (colours == 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: holds no raster band; give a raster file, a "
                               "Sentinel-2 product or one of its subdatasets",
                               path);
    for (int i = 1; i <= bands; i++) {
        GDALRasterBandH band = GDALGetRasterBand(dataset, i);
        if (GDALGetRasterColorInterpretation(band) == GCI_AlphaBand) continue;
        S2CLR_TRY(add_band(found, band, path, i, colours == 1));
    }
    return S2CLR_OK;
}
