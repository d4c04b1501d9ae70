#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "predict/output_file.h"

#include <cpl_vsi.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_local(const char *path)
{
    return strncmp(path, "/vsi", 4) != 0;
}

static s2clr_status check_folder(const char *path)
{
    char folder[S2CLR_OUTPUT_PATH_MAX];
    struct stat found;
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path || !is_local(path)) return S2CLR_OK;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (stat(folder, &found) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: its folder: %s", path,
                               strerror(errno));
    if (S_ISDIR(found.st_mode)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: %s is a file, not a folder", path,
                           folder);
}

s2clr_status s2clr_output_check(const char *path, bool overwrite)
{
    VSIStatBufL found;
    if (VSIStatL(path, &found) != 0) return check_folder(path);
    if (VSI_ISDIR(found.st_mode))
        return s2clr_error_set(S2CLR_ERR_EXISTS, "%s: is a folder; name a file", path);
    if (!VSI_ISREG(found.st_mode)) /* root could replace /dev/null by a raster */
        return s2clr_error_set(S2CLR_ERR_EXISTS, "%s: is a device or pipe; name a file", path);
    if (!overwrite)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%s: exists already; choose another name or allow overwriting "
                               "(--overwrite)",
                               path);
    return S2CLR_OK;
}

s2clr_status s2clr_output_resolve(const char *path, char target[S2CLR_OUTPUT_PATH_MAX])
{
    const size_t room = S2CLR_OUTPUT_PATH_MAX - S2CLR_OUTPUT_SUFFIX_MAX;
    char *behind = is_local(path) ? realpath(path, NULL) : NULL;
    const char *name = behind ? behind : path;
    const bool fits = strlen(name) < room;
    if (fits) snprintf(target, room, "%s", name);
    free(behind);
    if (fits) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.80s...: the name is too long", path);
}

/* The folder of a name behind all links, and the name in it; false when there is no such folder. */
static bool locate(const char *path, struct stat *folder, const char **name)
{
    char text[S2CLR_OUTPUT_PATH_MAX];
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    const int length = slash ? (int)(*name - path) : 1;
    snprintf(text, sizeof text, "%.*s", length, slash ? path : ".");
    return stat(text, folder) == 0;
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool s2clr_output_same(const char *path, const char *other)
{
    struct stat a, b;
    const char *a_name, *b_name;
    if (strcmp(path, other) == 0) return true;
    const bool a_there = stat(path, &a) == 0, b_there = stat(other, &b) == 0;
    if (a_there || b_there) return a_there && b_there && same_inode(&a, &b);
    return locate(path, &a, &a_name) && locate(other, &b, &b_name) && same_inode(&a, &b) &&
           strcmp(a_name, b_name) == 0;
}

/* After a power cut the new name must not stand for an empty file. */
static s2clr_status sync_file(const char *path, const char *shown)
{
    if (!is_local(path)) return S2CLR_OK;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
    const int error = errno;
    if (descriptor >= 0) close(descriptor);
    if (synced || error == EINVAL) return S2CLR_OK; /* EINVAL: a file system that cannot */
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be brought to disk: %s", shown,
                           strerror(error));
}

s2clr_status s2clr_output_publish(const char *part, const char *target, const char *shown)
{
    static const char *const sidecars[] = {".aux.xml", ".ovr", ".msk"};
    char old[S2CLR_OUTPUT_PATH_MAX + 16], new[S2CLR_OUTPUT_PATH_MAX + 16];
    S2CLR_TRY(sync_file(part, shown));
    if (VSIRename(part, target) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: the finished file cannot be given this name: %s",
                               shown, VSIStrerror(errno));
    /* An older raster's sidecars would be taken for this one's. */
    for (size_t i = 0; i < sizeof sidecars / sizeof sidecars[0]; i++) {
        VSIStatBufL found;
        snprintf(old, sizeof old, "%s%s", part, sidecars[i]);
        snprintf(new, sizeof new, "%s%s", target, sidecars[i]);
        if (VSIStatL(new, &found) == 0) VSIUnlink(new);
        if (VSIStatL(old, &found) == 0) VSIRename(old, new);
    }
    return S2CLR_OK;
}
