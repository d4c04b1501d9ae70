/* Where templates are found, and what their first line says. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "vrt/pvrt.h"

#define SUFFIX ".vrt"
#define TEMPLATES_MAX 256
#define BYTES_MAX ((size_t)1 << 20)

/* The i-th folder searched: $S2CLR_VRT_TEMPLATES, beside the source tree's program, installed. */
static bool folder_at(size_t index, char path[S2CLR_ZOO_PATH])
{
    const char *given = getenv("S2CLR_VRT_TEMPLATES");
    char self[S2CLR_ZOO_PATH - 32];
    if (given && given[0] && index-- == 0) {
        snprintf(path, S2CLR_ZOO_PATH, "%s", given);
        return true;
    }
    if (index == 0) {
        const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
        self[length > 0 ? length : 0] = '\0';
        char *slash = strrchr(self, '/');
        if (slash) *slash = '\0';
        snprintf(path, S2CLR_ZOO_PATH, "%s/../vrt_templates", slash ? self : ".");
        return true;
    }
    snprintf(path, S2CLR_ZOO_PATH, "%s", S2CLR_DATA_DIR "/vrt_templates");
    return index == 1;
}

/* *out: the file with a NUL behind it. */
static s2clr_status read_file(const char *path, char **out)
{
    struct stat info;
    char *text;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        const int error = file ? EISDIR : errno;
        if (file) fclose(file);
        return s2clr_error_set(S2CLR_ERR_IO, "template %s: cannot be read: %s", path,
                               strerror(error));
    }
    if ((size_t)info.st_size > BYTES_MAX) {
        fclose(file);
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "template %s: has %lld bytes, at most %zu are "
                               "expected; is it a template?",
                               path, (long long)info.st_size, BYTES_MAX);
    }
    s2clr_status status = s2clr_alloc((size_t)info.st_size + 1, 1, "template", (void **)&text);
    if (status == S2CLR_OK) {
        const size_t got = fread(text, 1, (size_t)info.st_size, file);
        if (got == (size_t)info.st_size && strlen(text) == got) {
            *out = text;
        } else {
            s2clr_free(text);
            status = s2clr_error_set(S2CLR_ERR_FORMAT, "template %s: is not text", path);
        }
    }
    fclose(file);
    return status;
}

static bool is_template(const char *file, char *name, size_t size)
{
    const size_t length = strlen(file), suffix = strlen(SUFFIX);
    if (length <= suffix || length - suffix >= size || strcmp(file + length - suffix, SUFFIX) != 0)
        return false;
    memcpy(name, file, length - suffix);
    name[length - suffix] = '\0';
    return true;
}

/* "<!-- NAME: summary" up to the end of the line. */
static void take_summary(const char *text, s2clr_vrt_template *out)
{
    const char *at = strstr(text, "<!--"), *colon = at ? strchr(at, ':') : NULL;
    if (!colon) return;
    colon += 1 + strspn(colon + 1, " ");
    snprintf(out->summary, sizeof out->summary, "%.*s", (int)strcspn(colon, "\n"), colon);
}

static bool is_known(const s2clr_vrt_template *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0) return true;
    return false;
}

static s2clr_status add_folder(const char *folder, s2clr_vrt_template *list, size_t *count)
{
    DIR *directory = opendir(folder);
    s2clr_status status = S2CLR_OK;
    const struct dirent *entry;
    while (directory && status == S2CLR_OK && *count < TEMPLATES_MAX &&
           (entry = readdir(directory))) {
        s2clr_vrt_template *t = &list[*count];
        char path[S2CLR_ZOO_PATH + 300], *text;
        if (!is_template(entry->d_name, t->name, sizeof t->name)) continue;
        if (is_known(list, *count, t->name)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        status = read_file(path, &text);
        if (status != S2CLR_OK) break;
        take_summary(text, t);
        s2clr_free(text);
        ++*count;
    }
    if (directory) closedir(directory);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const s2clr_vrt_template *)a)->name, ((const s2clr_vrt_template *)b)->name);
}

s2clr_status s2clr_vrt_templates_list(s2clr_vrt_template **list, size_t *count)
{
    s2clr_vrt_template *found;
    char folder[S2CLR_ZOO_PATH];
    size_t n = 1;
    S2CLR_TRY(s2clr_alloc(TEMPLATES_MAX, sizeof *found, "templates", (void **)&found));
    snprintf(found[0].name, sizeof found[0].name, S2CLR_VRT_VIEW);
    snprintf(found[0].summary, sizeof found[0].summary,
             "a sidecar file (.s2clr) that the driver opens as the map of a model");
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; status == S2CLR_OK && folder_at(i, folder); i++)
        status = add_folder(folder, found, &n);
    if (status != S2CLR_OK) {
        s2clr_free(found);
        return status;
    }
    qsort(found, n, sizeof *found, by_name);
    *list = found;
    *count = n;
    return S2CLR_OK;
}

static s2clr_status unknown(const char *recipe)
{
    s2clr_vrt_template *list;
    size_t count;
    const char *names[TEMPLATES_MAX];
    char all[600] = "";
    S2CLR_TRY(s2clr_vrt_templates_list(&list, &count));
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(all);
        names[i] = list[i].name;
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", list[i].name);
    }
    const char *near = s2clr_suggest(recipe, names, count);
    const s2clr_status status = s2clr_error_set(
        S2CLR_ERR_ARGUMENT, "template \"%.100s\": there is none of that name%s%s; there are %s",
        recipe, near ? ": did you mean " : "", near ? near : "", all);
    s2clr_free(list);
    return status;
}

s2clr_status s2clr_vrt_template_read(const char *recipe, char **out)
{
    char folder[S2CLR_ZOO_PATH], path[S2CLR_ZOO_PATH + 300], name[64];
    if (strchr(recipe, '/') || is_template(recipe, name, sizeof name))
        return read_file(recipe, out);
    for (size_t i = 0; strlen(recipe) < 64 && folder_at(i, folder); i++) {
        snprintf(path, sizeof path, "%s/%s" SUFFIX, folder, recipe);
        if (access(path, F_OK) == 0) return read_file(path, out);
    }
    return unknown(recipe);
}
