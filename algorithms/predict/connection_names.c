/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include "predict/connection_names.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "predict/pconnection.h"

static bool is_upper_word(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool s2clr_connection_has_driver(const char *name)
{
    size_t n = 0;
    while (is_upper_word(name[n])) n++;
    return n >= 2 && name[n] == ':';
}

/* Relative to the current folder, or to that of the file it stands in. */
static bool is_relative(const char *name)
{
    return name[0] && name[0] != '/' && !s2clr_connection_has_driver(name) &&
           !strstr(name, "://") && name[0] != '<';
}

static s2clr_status join(const char *folder, const char *name, char **out)
{
    const size_t room = strlen(folder) + strlen(name) + 2, n = strlen(folder);
    S2CLR_TRY(s2clr_alloc(room, 1, "file name", (void **)out));
    snprintf(*out, room, "%s%s%s", folder, n == 0 || folder[n - 1] == '/' ? "" : "/", name);
    return S2CLR_OK;
}

static bool exists(const char *path)
{
    VSIStatBufL info;
    return VSIStatExL(path, &info, VSI_STAT_EXISTS_FLAG) == 0;
}

/* The folder of a file, "" for the current one. */
static s2clr_status folder_of(const char *path, char **out)
{
    S2CLR_TRY(s2clr_strdup(path, out));
    char *slash = strrchr(*out, '/');
    if (slash)
        slash[slash == *out] = '\0';
    else
        **out = '\0';
    return S2CLR_OK;
}

s2clr_status s2clr_connection_name_from(const char *path, const char *name, bool is_model,
                                        char **out)
{
    char *folder, *joined;
    if (!is_relative(name)) return s2clr_strdup(name, out);
    S2CLR_TRY(folder_of(path, &folder));
    const s2clr_status status = join(folder, name, &joined);
    s2clr_free(folder);
    S2CLR_TRY(status);
    if (!is_model || strchr(name, '/') || exists(joined)) {
        *out = joined;
        return S2CLR_OK;
    }
    s2clr_free(joined);
    return s2clr_strdup(name, out);
}

/* The path without "./", "//" and the like, from the root on. */
static s2clr_status make_absolute(const char *path, char **out)
{
    char *current = path[0] == '/' ? NULL : CPLGetCurrentDir(), *whole;
    const s2clr_status status = join(current ? current : "", path, &whole);
    CPLFree(current);
    S2CLR_TRY(status);
    char *to = whole;
    for (const char *from = whole; *from;) {
        if (from[0] == '/' && (from[1] == '/' || (from[1] == '.' && from[2] == '/')))
            from += from[1] == '/' ? 1 : 2;
        else
            *to++ = *from++;
    }
    *to = '\0';
    *out = whole;
    return S2CLR_OK;
}

s2clr_status s2clr_connection_name_to(const char *path, const char *name, bool is_model, char **out)
{
    char *file, *folder, *whole;
    const bool word = is_model && !strchr(name, '/') && !exists(name);
    if (word || (name[0] != '/' && !is_relative(name))) return s2clr_strdup(name, out);
    S2CLR_TRY(make_absolute(path, &file));
    s2clr_status status = folder_of(file, &folder);
    s2clr_free(file);
    S2CLR_TRY(status);
    status = make_absolute(name, &whole);
    const size_t n = strlen(folder);
    if (status == S2CLR_OK) {
        const bool below = strncmp(whole, folder, n) == 0 && whole[n] == '/' && whole[n + 1];
        status = s2clr_strdup(below ? whole + n + 1 : whole, out);
        s2clr_free(whole);
    }
    s2clr_free(folder);
    return status;
}
