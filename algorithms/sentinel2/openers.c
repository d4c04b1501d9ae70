/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <string.h>

#include "sentinel2/bands.h"
#include "sentinel2/pnames.h"
#include "sentinel2/pstack.h"

typedef struct request {
    const char *const *inputs;
    size_t count;
    const s2clr_card *card;
    const s2clr_stack_options *options;
} request;

/* A kind of input. The first row that recognises the inputs opens them. */
typedef struct opener {
    const char *name;
    bool (*identify)(const request *);
    s2clr_status (*open)(const request *, s2clr_found *);
} opener;

/* File names in a folder, or NULL when it is none; CSLDestroy(). */
static char **list_folder(const char *path)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    char **names = VSIReadDirEx(path, 20000);
    s2clr_gdal_watch_end(&watch);
    return names;
}

static bool is_subdataset(const request *r)
{
    return r->count == 1 && (s2clr_name_starts(r->inputs[0], "SENTINEL2_L1C:") ||
                             s2clr_name_starts(r->inputs[0], "SENTINEL2_L2A:"));
}

static s2clr_status open_subdataset(const request *r, s2clr_found *found)
{
    return s2clr_subdataset_open(r->inputs[0], found);
}

static bool is_safe(const request *r, const char *level)
{
    char mtd[S2CLR_PATH_MAX];
    return r->count == 1 && s2clr_safe_find(r->inputs[0], level, mtd, sizeof mtd);
}

static s2clr_status open_safe(const request *r, const char *level, s2clr_found *found)
{
    char mtd[S2CLR_PATH_MAX];
    if (!s2clr_safe_find(r->inputs[0], level, mtd, sizeof mtd))
        return s2clr_error_set(S2CLR_ERR_IO, "%s: the product vanished while it was opened",
                               r->inputs[0]);
    return s2clr_safe_open(mtd, r->card, r->options, found);
}

static bool is_l2a(const request *r)
{
    return is_safe(r, "L2A");
}

static s2clr_status open_l2a(const request *r, s2clr_found *found)
{
    return open_safe(r, "L2A", found);
}

static bool is_l1c(const request *r)
{
    return is_safe(r, "L1C");
}

static s2clr_status open_l1c(const request *r, s2clr_found *found)
{
    return open_safe(r, "L1C", found);
}

/* A BigEarthNet v1 patch: files FOLDER_B02.tif ... in a folder called FOLDER. */
static bool is_bigearthnet(const request *r)
{
    char last[256], wanted[300];
    if (r->count != 1) return false;
    s2clr_name_last(r->inputs[0], last, sizeof last);
    if (!s2clr_name_starts(last, "S2A_MSIL2A_") && !s2clr_name_starts(last, "S2B_MSIL2A_"))
        return false;
    char **names = list_folder(r->inputs[0]);
    snprintf(wanted, sizeof wanted, "%s_B02.tif", last);
    const bool found = CSLFindString(names, wanted) >= 0;
    CSLDestroy(names);
    return found;
}

static bool is_raster_name(const char *name)
{
    static const char *const kinds[] = {".tif", ".tiff", ".jp2", ".vrt", ".img", ".png"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (s2clr_name_ends(name, kinds[i])) return true;
    return false;
}

/* The band a file of a folder is named after: canonical, "SCL", or NULL. */
static const char *band_of_file(const char *name)
{
    const s2clr_band *band = is_raster_name(name) ? s2clr_band_in_filename(name) : NULL;
    if (band) return band->name;
    return is_raster_name(name) && s2clr_name_has_word(name, "SCL") ? "SCL" : NULL;
}

static bool is_folder(const request *r)
{
    if (r->count != 1) return false;
    char **names = list_folder(r->inputs[0]);
    bool found = false;
    for (int i = 0; i < CSLCount(names) && !found; i++) found = band_of_file(names[i]) != NULL;
    CSLDestroy(names);
    return found;
}

static s2clr_status add_folder(char **names, const char *folder, s2clr_found *found)
{
    const size_t n = strlen(folder);
    for (int i = 0; i < CSLCount(names); i++) {
        char path[S2CLR_PATH_MAX];
        const char *band = band_of_file(names[i]);
        if (!band) continue;
        const char *slash = n && folder[n - 1] == '/' ? "" : "/";
        if ((size_t)snprintf(path, sizeof path, "%s%s%s", folder, slash, names[i]) >= sizeof path)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: name of %s too long; move the folder",
                                   folder, names[i]);
        S2CLR_TRY(s2clr_found_add(found, band, path, 1, "file name"));
    }
    return S2CLR_OK;
}

static s2clr_status open_folder(const request *r, s2clr_found *found)
{
    char **names = list_folder(r->inputs[0]);
    const s2clr_status status = add_folder(names, r->inputs[0], found);
    CSLDestroy(names);
    return status;
}

static s2clr_status open_bigearthnet(const request *r, s2clr_found *found)
{
    found->product = true;
    snprintf(found->level, sizeof found->level, "L2A");
    snprintf(found->level_from, sizeof found->level_from, "BigEarthNet v1 layout");
    return open_folder(r, found);
}

static bool is_files(const request *r)
{
    return r->count >= 1;
}

static s2clr_status open_files(const request *r, s2clr_found *found)
{
    found->numbered = true;
    for (size_t i = 0; i < r->count; i++) {
        const s2clr_status status = s2clr_found_add_file(found, r->inputs[i]);
        VSIStatBufL info;
        if (status != S2CLR_OK && VSIStatL(r->inputs[i], &info) == 0 && VSI_ISDIR(info.st_mode))
            return s2clr_error_set(
                S2CLR_ERR_FORMAT,
                "%s: a folder with neither a Sentinel-2 product (MTD_MSIL1C.xml, "
                "MTD_MSIL2A.xml) nor files named after bands (B02.tif); give "
                "the folder that has them, or the files",
                r->inputs[i]);
        S2CLR_TRY(status);
    }
    return S2CLR_OK;
}

static const opener table[] = {
    {"SENTINEL2 subdataset", is_subdataset, open_subdataset},
    {"L2A SAFE", is_l2a, open_l2a},
    {"L1C SAFE", is_l1c, open_l1c},
    {"BigEarthNet v1 patch", is_bigearthnet, open_bigearthnet},
    {"folder of band files", is_folder, open_folder},
    {"raster files", is_files, open_files},
};

s2clr_status s2clr_openers_run(const char *const *inputs, size_t count, const s2clr_card *card,
                               const s2clr_stack_options *options, s2clr_found *out)
{
    const request r = {inputs, count, card, options};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (!table[i].identify(&r)) continue;
        out->input = inputs[0];
        snprintf(out->opened_as, sizeof out->opened_as, "%s", table[i].name);
        return table[i].open(&r, out);
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no input given; name a Sentinel-2 product, a "
                                               "folder of bands or raster files");
}
