#define _GNU_SOURCE
#include "program/program_find.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define PROGRAM "s2clr"

static bool is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* FOLDER/NAME, whether it is there. */
static bool joined(char *path, size_t size, const char *folder, size_t length, const char *name)
{
    const int written = snprintf(path, size, "%.*s/%s", (int)length, folder, name);
    return written > 0 && (size_t)written < size && is_program(path);
}

/* build/gdalplugins/gdal_S2CLR.so is a link to build/.libs/gdal_S2CLR.so: one folder up from
 * either is the build folder. */
static bool beside(const char *module, char path[PATH_MAX])
{
    char *real = realpath(module, NULL);
    const char *at[2] = {module, real};
    bool found = false;
    for (int i = 0; i < 2 && !found; i++) {
        const char *slash = at[i] ? strrchr(at[i], '/') : NULL;
        found = slash && joined(path, PATH_MAX, at[i], (size_t)(slash - at[i]), "../" PROGRAM);
    }
    free(real);
    return found;
}

static bool on_path(char path[PATH_MAX])
{
    const char *at = getenv("PATH");
    while (at && *at) {
        const size_t length = strcspn(at, ":");
        /* An empty entry means the current folder: a program found there is nobody's wish. */
        if (length && length < PATH_MAX && joined(path, PATH_MAX, at, length, PROGRAM)) return true;
        at += length + (at[length] == ':');
    }
    return false;
}

s2clr_status s2clr_program_find(const char *module, char **out)
{
    char path[PATH_MAX];
    const char *wish = getenv("S2CLR_PROGRAM");
    if (wish && *wish) {
        if (is_program(wish)) return s2clr_strdup(wish, out);
        return s2clr_error_set(S2CLR_ERR_IO,
                               "S2CLR_PROGRAM: found \"%.300s\", wanted the program file s2clr; "
                               "correct the environment variable or unset it",
                               wish);
    }
    Dl_info own;
    if (!module && dladdr((const void *)s2clr_program_find, &own)) module = own.dli_fname;
    if (module && beside(module, path)) return s2clr_strdup(path, out);
    if (joined(path, sizeof path, S2CLR_BIN_DIR, strlen(S2CLR_BIN_DIR), PROGRAM) || on_path(path))
        return s2clr_strdup(path, out);
    return s2clr_error_set(S2CLR_ERR_IO,
                           "the program s2clr was not found: neither beside this library nor in "
                           "%.200s nor in PATH; install it or set S2CLR_PROGRAM to its path",
                           S2CLR_BIN_DIR);
}
