/* Names that mean the same from every folder, and those that may move together with the VRT. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vrt/pvrt.h"

static s2clr_status too_long(const char *name)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.100s...: the name is too long", name);
}

/* head + current folder + '/' + path + tail */
static s2clr_status join(const char *head, const char *path, const char *tail,
                         char out[S2CLR_VRT_NAME_MAX])
{
    char folder[S2CLR_VRT_NAME_MAX];
    if (!getcwd(folder, sizeof folder))
        return s2clr_error_set(S2CLR_ERR_IO, "the current folder has no name: %s", strerror(errno));
    while (strncmp(path, "./", 2) == 0) path += 2;
    const int wrote = snprintf(out, S2CLR_VRT_NAME_MAX, "%s%s/%s%s", head,
                               strcmp(folder, "/") == 0 ? "" : folder, path, tail);
    return wrote > 0 && wrote < S2CLR_VRT_NAME_MAX ? S2CLR_OK : too_long(path);
}

static bool exists(const char *path)
{
    struct stat found;
    return path[0] && stat(path, &found) == 0;
}

/* "SENTINEL2_L2A:PATH:10m:EPSG_32630": the two last colons are not the path's. */
static s2clr_status absolute_subdataset(const char *name, char out[S2CLR_VRT_NAME_MAX])
{
    char path[S2CLR_VRT_NAME_MAX], head[32], inner[S2CLR_VRT_NAME_MAX];
    const char *first = strchr(name, ':') + 1, *tail = strrchr(name, ':');
    const char *last = tail > first ? memrchr(first, ':', (size_t)(tail - first)) : NULL;
    snprintf(out, S2CLR_VRT_NAME_MAX, "%s", name);
    if (!last || first - name >= (ptrdiff_t)sizeof head) return S2CLR_OK;
    snprintf(head, sizeof head, "%.*s", (int)(first - name), name);
    snprintf(path, sizeof path, "%.*s", (int)(last - first), first);
    S2CLR_TRY(s2clr_vrt_absolute(path, inner));
    const int wrote = snprintf(out, S2CLR_VRT_NAME_MAX, "%s%s%s", head, inner, last);
    return wrote < S2CLR_VRT_NAME_MAX ? S2CLR_OK : too_long(name);
}

s2clr_status s2clr_vrt_absolute(const char *name, char out[S2CLR_VRT_NAME_MAX])
{
    static const char *const archives[] = {"/vsizip/", "/vsitar/", "/vsigzip/"};
    if (strlen(name) >= S2CLR_VRT_NAME_MAX) return too_long(name);
    for (size_t i = 0; i < sizeof archives / sizeof archives[0]; i++) {
        const size_t length = strlen(archives[i]);
        if (strncmp(name, archives[i], length) != 0) continue;
        const char *inner = name + length;
        if (inner[0] == '/' || inner[0] == '{' || strncmp(inner, "vsi", 3) == 0) break;
        return join(archives[i], inner, "", out);
    }
    if (name[0] != '/' && exists(name)) return join("", name, "", out);
    if (strncmp(name, "SENTINEL2_L", 11) == 0 && strchr(name, ':'))
        return absolute_subdataset(name, out);
    snprintf(out, S2CLR_VRT_NAME_MAX, "%s", name);
    return S2CLR_OK;
}

/* The real name of the folder a file is in, with a slash at its end; false: there is none. */
static bool real_folder(const char *path, char out[S2CLR_VRT_NAME_MAX])
{
    char folder[S2CLR_VRT_NAME_MAX];
    const char *slash = strrchr(path, '/');
    const int length = slash ? (int)(slash - path) : 0;
    if (length >= S2CLR_VRT_NAME_MAX - 1) return false;
    snprintf(folder, sizeof folder, "%.*s", slash ? (length ? length : 1) : 1,
             slash ? (length ? path : "/") : ".");
    char *real = realpath(folder, NULL);
    const bool good = real && strlen(real) + 2 < S2CLR_VRT_NAME_MAX;
    if (good) snprintf(out, S2CLR_VRT_NAME_MAX, "%s%s", real, strcmp(real, "/") == 0 ? "" : "/");
    free(real);
    return good;
}

bool s2clr_vrt_relative(const char *path, const char *output, const char **out)
{
    char source[S2CLR_VRT_NAME_MAX], target[S2CLR_VRT_NAME_MAX];
    struct stat found;
    if (path[0] != '/' || strncmp(path, "/vsi", 4) == 0 || stat(path, &found) != 0 ||
        !S_ISREG(found.st_mode) || !real_folder(path, source) || !real_folder(output, target))
        return false;
    const size_t below = strlen(target), whole = strlen(source);
    if (strncmp(source, target, below) != 0) return false;
    /* The same tail of the name as it was given: links inside it stay as they are. */
    const char *slash = strrchr(path, '/');
    const size_t deeper = whole - below;
    if ((size_t)(slash - path) < deeper) return false;
    const char *tail = slash + 1 - deeper;
    if (strncmp(tail, source + below, deeper) != 0) return false;
    *out = tail;
    return true;
}
