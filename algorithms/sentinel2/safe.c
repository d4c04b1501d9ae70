/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <string.h>

#include "sentinel2/bands.h"
#include "sentinel2/pnames.h"
#include "sentinel2/pstack.h"

static bool exists(const char *path, bool folder)
{
    VSIStatBufL info;
    if (VSIStatExL(path, &info, VSI_STAT_EXISTS_FLAG | VSI_STAT_NATURE_FLAG) != 0) return false;
    return folder ? VSI_ISDIR(info.st_mode) : !VSI_ISDIR(info.st_mode);
}

/* "FOLDER/MTD_MSIL2A.xml" when that is a file. */
static bool mtd_in(const char *folder, const char *level, char *mtd, size_t size)
{
    const size_t n = strlen(folder);
    const char *slash = n && folder[n - 1] == '/' ? "" : "/";
    const int wrote = snprintf(mtd, size, "%s%sMTD_MSI%s.xml", folder, slash, level);
    return wrote > 0 && (size_t)wrote < size && exists(mtd, false);
}

/* The product in a folder or zip: the folder itself, else its only .SAFE folder. */
static bool find_in_folder(const char *folder, const char *level, char *mtd, size_t size)
{
    if (mtd_in(folder, level, mtd, size)) return true;
    char **names = VSIReadDirEx(folder, 1000);
    char child[S2CLR_PATH_MAX], good[S2CLR_PATH_MAX] = "";
    int hits = 0;
    for (int i = 0; i < CSLCount(names); i++) {
        char bare[S2CLR_PATH_MAX], path[S2CLR_PATH_MAX];
        snprintf(bare, sizeof bare, "%s", names[i]);
        size_t n = strlen(bare);
        while (n && bare[n - 1] == '/') bare[--n] = '\0';
        if (!s2clr_name_ends(bare, ".SAFE")) continue;
        if ((size_t)snprintf(child, sizeof child, "%s/%s", folder, bare) >= sizeof child) continue;
        if (!mtd_in(child, level, path, sizeof path)) continue;
        snprintf(good, sizeof good, "%s", path);
        hits++;
    }
    CSLDestroy(names);
    if (hits != 1 || strlen(good) >= size) return false;
    memcpy(mtd, good, strlen(good) + 1);
    return true;
}

bool s2clr_safe_find(const char *input, const char *level, char *mtd, size_t size)
{
    char folder[S2CLR_PATH_MAX], wanted[32], last[256];
    s2clr_gdal_watch watch;
    bool found = false;
    if (strlen(input) + 16 >= sizeof folder) return false;
    snprintf(wanted, sizeof wanted, "MTD_MSI%s.xml", level);
    s2clr_name_last(input, last, sizeof last);
    s2clr_gdal_watch_begin(&watch);
    if (strcmp(last, wanted) == 0) {
        snprintf(mtd, size, "%s", input);
        found = strlen(input) < size && exists(input, false);
    } else {
        const bool zip = s2clr_name_ends(input, ".zip") && !s2clr_name_starts(input, "/vsizip/");
        snprintf(folder, sizeof folder, "%s%s", zip ? "/vsizip/" : "", input);
        size_t n = strlen(folder);
        while (n > 1 && folder[n - 1] == '/') folder[--n] = '\0';
        found = exists(folder, true) && find_in_folder(folder, level, mtd, size);
    }
    s2clr_gdal_watch_end(&watch);
    return found;
}

static s2clr_status take_xml(GDALDatasetH dataset, const char *path, s2clr_found *found)
{
    CSLConstList xml = (CSLConstList)GDALGetMetadata(dataset, "xml:SENTINEL2");
    if (!xml || !xml[0])
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: GDAL's SENTINEL2 driver gives no product metadata; is the "
                               "product complete?",
                               path);
    if (found->has_xml) return S2CLR_OK;
    S2CLR_TRY(s2clr_product_parse(xml[0], path, &found->xml));
    found->has_xml = true;
    return S2CLR_OK;
}

/* Adds the spectral bands and SCL of one resolution. A band whose file is missing from the product
 * is listed by the driver all the same, without any source: it is left out. */
static s2clr_status add_subdataset(s2clr_found *found, const char *name)
{
    GDALDatasetH dataset;
    S2CLR_TRY(s2clr_found_open(found, name, &dataset));
    S2CLR_TRY(take_xml(dataset, name, found));
    const int width = GDALGetRasterXSize(dataset), height = GDALGetRasterYSize(dataset);
    for (int i = 1; i <= GDALGetRasterCount(dataset); i++) {
        GDALRasterBandH raster = GDALGetRasterBand(dataset, i);
        const char *text = GDALGetMetadataItem(raster, "BANDNAME", NULL);
        const s2clr_band *band = s2clr_band_find(text);
        const bool scl = text && strcmp(text, "SCL") == 0;
        if (!band && !scl) continue;
        if (GDALGetDataCoverageStatus(raster, 0, 0, width, height, 0, NULL) ==
            GDAL_DATA_COVERAGE_STATUS_EMPTY)
            continue;
        S2CLR_TRY(s2clr_found_add(found, scl ? "SCL" : band->name, name, i, "BANDNAME"));
    }
    return S2CLR_OK;
}

static bool wants(const s2clr_card *card, int metres)
{
    for (int i = 0; i < card->bands; i++) {
        const s2clr_band *band = s2clr_band_find(card->band[i]);
        if (band && band->metres == metres) return true;
    }
    return false;
}

/* The subdataset of one resolution; there are several in products that cross UTM zones. */
static s2clr_status pick_subdataset(const char *mtd, CSLConstList list, int metres, char *out,
                                    size_t size)
{
    char wanted[16];
    int hits = 0;
    snprintf(wanted, sizeof wanted, ":%dm:", metres);
    for (int i = 0; i < CSLCount(list); i++) {
        const char *name = strchr(list[i], '=');
        if (!strstr(list[i], "_NAME=") || !strstr(name, wanted)) continue;
        if ((size_t)snprintf(out, size, "%s", name + 1) >= size)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: name too long; move the product", mtd);
        hits++;
    }
    if (hits == 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %d subdatasets of %d m, expected 1; %s", mtd,
                           hits, metres,
                           hits ? "the product crosses UTM zones: give the subdataset names"
                                : "is the product complete?");
}

static s2clr_status open_subdatasets(CSLConstList list, const char *mtd, const s2clr_card *card,
                                     const s2clr_stack_options *options, s2clr_found *found)
{
    const bool scl = options->scl && strcmp(options->scl, "auto") == 0 &&
                     strcmp(found->opened_as, "L2A SAFE") == 0;
    static const int metres[] = {10, 20, 60};
    for (size_t i = 0; i < 3; i++) {
        char name[S2CLR_PATH_MAX];
        if (!wants(card, metres[i]) && !(scl && metres[i] == 20)) continue;
        S2CLR_TRY(pick_subdataset(mtd, list, metres[i], name, sizeof name));
        S2CLR_TRY(add_subdataset(found, name));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_safe_open(const char *mtd, const s2clr_card *card,
                             const s2clr_stack_options *options, s2clr_found *found)
{
    GDALDatasetH product;
    found->product = true;
    S2CLR_TRY(s2clr_dataset_open(mtd, &product));
    char **list = CSLDuplicate(GDALGetMetadata(product, "SUBDATASETS"));
    GDALClose(product);
    const s2clr_status status = open_subdatasets((CSLConstList)list, mtd, card, options, found);
    CSLDestroy(list);
    return status;
}

s2clr_status s2clr_subdataset_open(const char *name, s2clr_found *found)
{
    found->product = true;
    return add_subdataset(found, name);
}
