#include "sentinel2/offset.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentinel2/pstack.h"

bool s2clr_offset_parse(const char *text, double *out)
{
    char *end;
    errno = 0;
    const double value = strtod(text, &end);
    if (end == text || *end || errno || !(fabs(value) <= 65535)) return false;
    *out = value;
    return true;
}

static s2clr_status take(const char *path, const char *key, const char *text, bool *found,
                         double *out)
{
    if (!s2clr_offset_parse(text, out))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: metadata %s is \"%.40s\", expected a number of DN; "
                               "correct it, or give one with " S2CLR_SAY_OFFSET,
                               path, key, text);
    *found = true;
    return S2CLR_OK;
}

s2clr_status s2clr_offset_of_raster(GDALDatasetH dataset, GDALRasterBandH raster, const char *band,
                                    const char *path, bool *found, double *out)
{
    static const char *const keys[] = {"BOA_ADD_OFFSET", "RADIO_ADD_OFFSET"};
    *found = false;
    for (size_t i = 0; i < 2; i++) {
        char key[S2CLR_CARD_WORD + 24];
        const char *text = GDALGetMetadataItem(raster, keys[i], NULL);
        if (text) return take(path, keys[i], text, found, out);
        snprintf(key, sizeof key, "%s_%s", keys[i], band);
        text = GDALGetMetadataItem(dataset, key, NULL);
        if (text) return take(path, key, text, found, out);
        text = GDALGetMetadataItem(dataset, keys[i], NULL);
        if (text) return take(path, keys[i], text, found, out);
    }
    return S2CLR_OK;
}
