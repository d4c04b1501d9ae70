#define _GNU_SOURCE
#include "predict/output_guard.h"

#include <cpl_string.h>
#include <gdal.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "predict/gdal_watch.h"

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

static bool is_source_of(const char *name, const struct stat *output)
{
    s2clr_gdal_watch watch;
    bool found = false;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset =
        GDALOpenEx(name, GDAL_OF_RASTER | GDAL_OF_VECTOR | GDAL_OF_READONLY, NULL, NULL, NULL);
    char **files = dataset ? GDALGetFileList(dataset) : NULL;
    for (char **file = files; file && *file && !found; file++) found = names_file(*file, output);
    CSLDestroy(files);
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
        if (same || (exists && (names_file(names[i], &info) || is_source_of(names[i], &info))))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s: is read by this run (as %s) and cannot be its output; "
                                   "choose another name",
                                   output, names[i]);
    }
    return S2CLR_OK;
}
