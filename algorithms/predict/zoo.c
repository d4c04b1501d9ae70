#define _GNU_SOURCE /* dladdr */
#include "predict/zoo.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/suggest.h"

#define SUFFIX ".safetensors"
#define NAMES_MAX 1024

/* Whether this code is part of the program, not of a plug-in: only then does the name of the
 * executable say where it was built. */
static bool in_program(const Dl_info *here)
{
    Dl_info program;
    return dladdr((const void *)getauxval(AT_PHDR), &program) &&
           program.dli_fbase == here->dli_fbase;
}

/* The source tree's zoo, when this code lies where it was built: in build/s2clr, or in
 * build/.libs/gdal_S2CLR.so, to which a link in build/gdalplugins/ leads. */
static bool source_folder(char path[S2CLR_ZOO_PATH])
{
    static const char mark; /* an address of this code */
    char self[PATH_MAX];
    Dl_info here;
    if (!dladdr(&mark, &here)) return false;
    const bool program = in_program(&here);
    if (!realpath(program ? "/proc/self/exe" : here.dli_fname, self)) return false;
    char *slash = strrchr(self, '/');
    if (!slash) return false;
    *slash = '\0';
    const int bytes =
        snprintf(path, S2CLR_ZOO_PATH, "%s/%s/models/zoo", self, program ? ".." : "../..");
    return bytes > 0 && bytes < S2CLR_ZOO_PATH;
}

bool s2clr_zoo_folder(size_t index, char path[S2CLR_ZOO_PATH])
{
    const char *given = getenv("S2CLR_ZOO");
    if (given && given[0] && index-- == 0) {
        snprintf(path, S2CLR_ZOO_PATH, "%s", given);
        return true;
    }
    if (index == 0 && source_folder(path)) return true;
    snprintf(path, S2CLR_ZOO_PATH, "%s", S2CLR_DATA_DIR "/zoo");
    return index <= 1;
}

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

static bool find_in_zoo(const char *name, char path[S2CLR_ZOO_PATH])
{
    char folder[S2CLR_ZOO_PATH], found[2 * S2CLR_ZOO_PATH];
    const size_t length = strlen(name), suffix = strlen(SUFFIX);
    const bool whole = length > suffix && strcmp(name + length - suffix, SUFFIX) == 0;
    for (size_t i = 0; s2clr_zoo_folder(i, folder); i++) {
        const int bytes =
            snprintf(found, sizeof found, "%s/%.512s%s", folder, name, whole ? "" : SUFFIX);
        if (bytes < S2CLR_ZOO_PATH && is_file(found)) {
            memcpy(path, found, (size_t)bytes + 1);
            return true;
        }
    }
    return false;
}

static s2clr_status not_found(const char *name)
{
    char searched[600] = "", folder[S2CLR_ZOO_PATH];
    for (size_t i = 0; s2clr_zoo_folder(i, folder); i++) {
        const size_t used = strlen(searched);
        snprintf(searched + used, sizeof searched - used, "%s%.180s", i ? ", " : "", folder);
    }
    if (!name)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "no model: none is named, and the default model %s is "
                               "in none of %s",
                               S2CLR_DEFAULT_MODEL, searched);
    s2clr_zoo_names names = {0};
    const char *near = NULL;
    if (s2clr_zoo_list(&names) == S2CLR_OK)
        near = s2clr_suggest(name, (const char *const *)names.name, names.count);
    const s2clr_status status =
        s2clr_error_set(S2CLR_ERR_IO,
                        "model %.200s: no such file, and no model of that name in %s%s%s; \"s2clr "
                        "model list\" shows what is there",
                        name, searched, near ? ": did you mean " : "", near ? near : "");
    s2clr_zoo_names_free(&names);
    return status;
}

s2clr_status s2clr_zoo_resolve(const char *name, char path[S2CLR_ZOO_PATH])
{
    struct stat info;
    if (name && stat(name, &info) == 0 && S_ISDIR(info.st_mode))
        return s2clr_error_set(S2CLR_ERR_IO,
                               "model %.200s: is a folder; name the model file, as in "
                               "run/model.safetensors",
                               name);
    if (name && (strchr(name, '/') || is_file(name))) {
        if (strlen(name) >= S2CLR_ZOO_PATH)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "model %.100s...: the name has %zu bytes, "
                                   "at most %d are possible",
                                   name, strlen(name), S2CLR_ZOO_PATH - 1);
        snprintf(path, S2CLR_ZOO_PATH, "%s", name);
        return S2CLR_OK;
    }
    if (name) return s2clr_zoo_find(name, path);
    return find_in_zoo(S2CLR_DEFAULT_MODEL, path) ? S2CLR_OK : not_found(NULL);
}

s2clr_status s2clr_zoo_find(const char *name, char path[S2CLR_ZOO_PATH])
{
    return find_in_zoo(name, path) ? S2CLR_OK : not_found(name);
}

static s2clr_status add_name(s2clr_zoo_names *names, const char *file)
{
    const size_t length = strlen(file), suffix = strlen(SUFFIX);
    char name[300];
    if (length <= suffix || length - suffix >= sizeof name || names->count == NAMES_MAX ||
        strcmp(file + length - suffix, SUFFIX) != 0)
        return S2CLR_OK;
    snprintf(name, sizeof name, "%.*s", (int)(length - suffix), file);
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_strdup(name, &names->name[names->count]));
    names->count++;
    return S2CLR_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

s2clr_status s2clr_zoo_list(s2clr_zoo_names *out)
{
    s2clr_zoo_names names = {0};
    char folder[S2CLR_ZOO_PATH];
    S2CLR_TRY(s2clr_alloc(NAMES_MAX, sizeof *names.name, "model names", (void **)&names.name));
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; status == S2CLR_OK && s2clr_zoo_folder(i, folder); i++) {
        DIR *dir = opendir(folder);
        if (!dir) continue;
        const struct dirent *entry;
        while (status == S2CLR_OK && (entry = readdir(dir)))
            status = add_name(&names, entry->d_name);
        closedir(dir);
    }
    if (status != S2CLR_OK) {
        s2clr_zoo_names_free(&names);
        return status;
    }
    if (names.count) qsort(names.name, names.count, sizeof *names.name, by_name);
    *out = names;
    return S2CLR_OK;
}

void s2clr_zoo_names_free(s2clr_zoo_names *names)
{
    for (size_t i = 0; names->name && i < names->count; i++) s2clr_free(names->name[i]);
    s2clr_free(names->name);
    *names = (s2clr_zoo_names){0};
}
