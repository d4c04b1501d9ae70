#define _GNU_SOURCE
#include "predict/output_guard.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <gdal.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sentinel2/gdal_watch.h"

#define DEPTH_MAX 8 /* VRT of VRT of ... */

static bool same_file(const char *path, const struct stat *output)
{
    struct stat found;
    return stat(path, &found) == 0 && found.st_dev == output->st_dev &&
           found.st_ino == output->st_ino;
}

/* Some leading part of `text` is the file: /a/b.zip of /a/b.zip/c.SAFE/MTD.xml. */
static bool starts_with_file(const char *text, const struct stat *output)
{
    char path[PATH_MAX];
    const size_t length = strlen(text);
    for (size_t i = 1; i <= length && i < sizeof path; i++) {
        const char end = text[i];
        if (end != '/' && end != '\0' && end != '"' && end != ':' && end != '}') continue;
        memcpy(path, text, i);
        path[i] = '\0';
        if (same_file(path, output)) return true;
    }
    return false;
}

/* The file stands somewhere in a dataset name: behind a driver prefix, a quote, /vsizip/. */
static bool names_file(const char *text, const struct stat *output)
{
    if (starts_with_file(text, output)) return true;
    for (const char *c = text; *c; c++) {
        const bool prefix = *c == ':' || *c == '"' || *c == '{';
        if (prefix && starts_with_file(c + 1, output)) return true;
        if (strncmp(c, "/vsi", 4) == 0) {
            const char *rest = strchr(c + 4, '/');
            if (rest && (starts_with_file(rest, output) || starts_with_file(rest + 1, output)))
                return true;
        }
    }
    return false;
}

/* `name` is a folder, or the MTD_*.xml in one, and the output a file somewhere below it: a
 * product's files are never replaced, whether this run reads them or not. */
static bool is_below(const char *name, const char *output)
{
    char folder[PATH_MAX], *from, *to;
    const char *last = strrchr(name, '/');
    const bool listed = strncmp(last ? last + 1 : name, "MTD_MSI", 7) == 0;
    struct stat info;
    if (snprintf(folder, sizeof folder, "%s", name) >= (int)sizeof folder) return false;
    if (listed)
        snprintf(folder, sizeof folder, "%.*s", last ? (int)(last - name) + 1 : 2,
                 last ? name : "./");
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) return false;
    from = realpath(folder, NULL);
    to = realpath(output, NULL);
    const size_t n = from ? strlen(from) : 0;
    const bool below = from && to && strncmp(from, to, n) == 0 && to[n] == '/';
    free(from);
    free(to);
    return below;
}

static bool is_source_of(const char *name, const struct stat *output, int depth);

/* GDAL's file list of a VRT knows neither sources with a driver prefix nor sources of sources. */
static bool is_vrt_source(const CPLXMLNode *node, const char *folder, const struct stat *output,
                          int depth)
{
    const char *last = "";
    for (; node; node = node->psNext) {
        if (is_vrt_source(node->psChild, folder, output, depth)) return true;
        const bool source =
            node->eType == CXT_Element &&
            (EQUAL(node->pszValue, "SourceFilename") || EQUAL(node->pszValue, "SourceDataset"));
        const char *text = source ? CPLGetXMLValue(node, NULL, "") : "";
        if (!text[0] || strcmp(text, last) == 0) continue;
        last = text;
        const bool relative = atoi(CPLGetXMLValue(node, "relativeToVRT", "0")) != 0;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s%s%s", relative ? folder : "", relative ? "/" : "", text);
        const bool deep = strchr(text, ':') || EQUAL(CPLGetExtension(text), "vrt");
        if (names_file(path, output) || (deep && is_source_of(path, output, depth + 1)))
            return true;
    }
    return false;
}

static bool is_below_vrt(GDALDatasetH dataset, const char *name, const struct stat *output,
                         int depth)
{
    CSLConstList text = (CSLConstList)GDALGetMetadata(dataset, "xml:VRT");
    CPLXMLNode *xml = text && text[0] && depth < DEPTH_MAX ? CPLParseXMLString(text[0]) : NULL;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", CPLGetDirname(name));
    const bool found = xml && is_vrt_source(xml, folder, output, depth);
    CPLDestroyXMLNode(xml);
    return found;
}

static bool is_source_of(const char *name, const struct stat *output, int depth)
{
    s2clr_gdal_watch watch;
    bool found = false;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset =
        GDALOpenEx(name, GDAL_OF_RASTER | GDAL_OF_VECTOR | GDAL_OF_READONLY, NULL, NULL, NULL);
    char **files = dataset ? GDALGetFileList(dataset) : NULL;
    for (char **file = files; file && *file && !found; file++) found = names_file(*file, output);
    CSLDestroy(files);
    if (dataset && !found) found = is_below_vrt(dataset, name, output, depth);
    if (dataset) GDALClose(dataset);
    s2clr_gdal_watch_end(&watch);
    return found;
}

s2clr_status s2clr_output_guard(const char *output, const char *const *names, size_t count)
{
    struct stat info;
    const bool exists = stat(output, &info) == 0 && S_ISREG(info.st_mode);
    for (size_t i = 0; i < count; i++) {
        if (!names[i]) continue;
        const bool same = strcmp(names[i], output) == 0;
        if (same || (exists && (names_file(names[i], &info) || is_below(names[i], output) ||
                                is_source_of(names[i], &info, 0))))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s: belongs to what this run reads (%s) and cannot be its "
                                   "output; choose another name",
                                   output, names[i]);
    }
    return S2CLR_OK;
}
