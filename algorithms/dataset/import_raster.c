/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include <cpl_vsi.h>
#include <gdal.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/cuts.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/stack_offer.h"

static bool identify(const char *path)
{
    VSIStatBufL info;
    s2clr_gdal_watch watch;
    if (s2clr_stack_offered(&path, 1) > 0) return true;
    /* A raster that names no bands is one all the same: opening says what is missing. */
    s2clr_gdal_watch_begin(&watch);
    const bool raster = VSIStatL(path, &info) == 0 && !VSI_ISDIR(info.st_mode) &&
                        GDALIdentifyDriverEx(path, GDAL_OF_RASTER, NULL, NULL) != NULL;
    s2clr_gdal_watch_end(&watch);
    return raster;
}

/* Files of one band each are the bands of one picture; everything else is a picture of its own. */
static s2clr_status list_scenes(s2clr_import *self, const char *const *inputs, size_t count,
                                const char **single)
{
    size_t singles = 0;
    s2clr_cut *cut;
    for (size_t i = 0; i < count; i++) {
        if (count > 1 && s2clr_stack_offered(&inputs[i], 1) == 1)
            single[singles++] = inputs[i];
        else
            S2CLR_TRY(s2clr_cuts_add(self, &inputs[i], 1, &cut));
    }
    if (singles) S2CLR_TRY(s2clr_cuts_add(self, single, singles, &cut));
    return s2clr_cuts_ready(self);
}

static s2clr_status import_open(const char *const *inputs, size_t count,
                                const s2clr_import_options *options, s2clr_import **out)
{
    s2clr_import *self;
    const char **single;
    if (options->positive)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%s: a raster has no classes of its own, so that none (\"%.60s\") is "
            "positive; give labels: dataset create --labels",
            count ? inputs[0] : "", options->positive);
    S2CLR_TRY(s2clr_alloc(count, sizeof *single, "inputs", (void **)&single));
    s2clr_status status = s2clr_cuts_new(options, &self);
    if (status == S2CLR_OK) {
        status = list_scenes(self, inputs, count, single);
        if (status == S2CLR_OK)
            *out = self;
        else
            s2clr_cuts_close(self);
    }
    s2clr_free(single);
    return status;
}

const s2clr_import_kind s2clr_import_raster = {
    .name = "raster",
    .summary = "a product, raster or folder of bands, cut into patches at native resolution",
    .identify = identify,
    .open = import_open,
    .next = s2clr_cuts_next,
    .done = s2clr_cuts_done,
    .close = s2clr_cuts_close,
};
