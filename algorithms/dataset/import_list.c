/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include <cpl_vsi.h>
#include <gdal.h>
#include <stdio.h>
#include <string.h>

#include "dataset/pimport.h"

/* The first row that recognises all inputs reads them, so that the pickiest come first: a raster is
 * anything that GDAL opens. */
static const s2clr_import_kind *const table[] = {
    &s2clr_import_bigearthnet_v1, &s2clr_import_bigearthnet_v2, &s2clr_import_tfrecord,
    &s2clr_import_pairs,          &s2clr_import_images,         &s2clr_import_raster,
};
enum { ROWS = sizeof table / sizeof table[0] };

size_t s2clr_import_list(const s2clr_import_kind *const **out)
{
    *out = table;
    return ROWS;
}

const s2clr_import_kind *s2clr_import_find(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (name && strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}

static const s2clr_import_kind *kind_of(const char *path)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i]->identify(path)) return table[i];
    return NULL;
}

static void list_kinds(char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < ROWS && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "", table[i]->name);
}

static s2clr_status unknown(const char *path)
{
    VSIStatBufL info;
    char known[200];
    list_kinds(known, sizeof known);
    const bool exists = VSIStatL(path, &info) == 0;
    return s2clr_error_set(exists ? S2CLR_ERR_FORMAT : S2CLR_ERR_IO,
                           "%s: %s; wanted: an archive of one of the kinds %s", path,
                           exists ? "none of the known archives" : "no such file or folder", known);
}

s2clr_status s2clr_import_identify(const char *const *inputs, size_t count,
                                   const s2clr_import_kind **out)
{
    const s2clr_import_kind *first = NULL;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    if (count == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no input given; name an archive, a product or "
                                                   "a folder");
    for (size_t i = 0; i < count; i++) {
        const s2clr_import_kind *kind = kind_of(inputs[i]);
        if (!kind) return unknown(inputs[i]);
        if (!first) first = kind;
        if (kind != first)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s looks like %s, %s like %s; import them one after the other, "
                                   "into one store if you like",
                                   inputs[0], first->name, inputs[i], kind->name);
    }
    *out = first;
    return S2CLR_OK;
}
