/* Where an export is made, and the moment it appears under its name. */
#define _GNU_SOURCE
#include <cpl_vsi.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/pexport.h"
#include "sentinel2/gdal_watch.h"

static void remove_part(const s2clr_export_place *place)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch); /* there may be nothing to remove */
    if (place->folder)
        VSIRmdirRecursive(place->part);
    else
        unlink(place->part);
    s2clr_gdal_watch_end(&watch);
}

s2clr_status s2clr_export_place_begin(const char *path, bool folder, s2clr_export_place *out)
{
    struct stat info;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    if (length == 0 || length > sizeof out->path - 300) /* names of bands and patches are to fit */
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%.80s: the name of the output has %zu bytes; "
                               "wanted: 1 to %zu",
                               path, length, sizeof out->path - 300);
    snprintf(out->path, sizeof out->path, "%.*s", (int)length, path);
    snprintf(out->part, sizeof out->part, "%.*s.part-%d", (int)length, path, (int)getpid());
    out->folder = folder;
    const bool there = lstat(out->path, &info) == 0;
    const bool empty = there && folder && S_ISDIR(info.st_mode) && rmdir(out->path) == 0;
    if (there && !empty)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%s: exists already; remove it or choose another name", out->path);
    remove_part(out);
    if (!folder || mkdir(out->part, 0777) == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot make the folder: %s; choose a place that exists and can be "
                           "written to",
                           out->part, strerror(errno));
}

s2clr_status s2clr_export_place_end(const s2clr_export_place *place, s2clr_status status)
{
    if (status == S2CLR_OK &&
        renameat2(AT_FDCWD, place->part, AT_FDCWD, place->path, RENAME_NOREPLACE) != 0 &&
        ((errno != EINVAL && errno != ENOSYS) || rename(place->part, place->path) != 0))
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be renamed to %s: %s", place->part,
                                 place->path, strerror(errno));
    if (status != S2CLR_OK) remove_part(place);
    return status;
}

s2clr_status s2clr_export_place_join(const s2clr_export_place *place, const char *name,
                                     char out[S2CLR_EXPORT_PATH_MAX])
{
    const size_t parts = strlen(place->part) + strlen(name) + 2;
    if (parts > S2CLR_EXPORT_PATH_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.80s...: the name of the output is too long",
                               place->path);
    memcpy(out, place->part, strlen(place->part));
    snprintf(out + strlen(place->part), S2CLR_EXPORT_PATH_MAX - strlen(place->part), "/%s", name);
    return S2CLR_OK;
}

s2clr_status s2clr_export_place_folder(const s2clr_export_place *place, const char *name)
{
    char path[S2CLR_EXPORT_PATH_MAX];
    S2CLR_TRY(s2clr_export_place_join(place, name, path));
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot make the folder: %s", path, strerror(errno));
}
