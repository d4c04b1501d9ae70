/* store.json: what a store is. No times: the same input gives the same bytes. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/pstore.h"

#define FORMAT "s2clr-store"
enum { VERSION = 1, JSON_BYTES_MAX = 16 << 20 };

static const struct {
    s2clr_dtype dtype;
    const char *name;
} types[] = {{S2CLR_DTYPE_U8, "U8"},
             {S2CLR_DTYPE_U16, "U16"},
             {S2CLR_DTYPE_I16, "I16"},
             {S2CLR_DTYPE_F32, "F32"}};
enum { TYPES = sizeof types / sizeof types[0] };

void s2clr_store_text_clear(s2clr_store_text *text)
{
    s2clr_strings_clear(&text->strings);
    s2clr_free(text->command);
    *text = (s2clr_store_text){0};
}

s2clr_status s2clr_store_text_set_title(s2clr_store_text *text, const char *title)
{
    return s2clr_strings_keep(&text->strings, title ? title : "", &text->about.title);
}

s2clr_status s2clr_store_text_add_command(s2clr_store_text *text, const char *command)
{
    const size_t count = text->about.commands;
    const char **larger;
    if (!command || !*command) return S2CLR_OK;
    for (size_t i = 0; i < count; i++)
        if (strcmp(text->command[i], command) == 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(count + 1, sizeof *larger, "commands of a store", (void **)&larger));
    if (count) memcpy(larger, text->command, count * sizeof *larger);
    const s2clr_status status = s2clr_strings_keep(&text->strings, command, &larger[count]);
    if (status != S2CLR_OK) {
        s2clr_free(larger);
        return status;
    }
    s2clr_free(text->command);
    text->command = larger;
    text->about.command = larger;
    text->about.commands = count + 1;
    return S2CLR_OK;
}

/* ---- bands ---- */

static s2clr_store_band *band_of(s2clr_store_about *about, const char *name)
{
    for (int b = 0; b < about->bands; b++)
        if (strcmp(about->band[b].name, name) == 0) return &about->band[b];
    return NULL;
}

static bool widen_band(s2clr_store_about *about, const s2clr_patch_band *band)
{
    s2clr_store_band *known = band_of(about, band->name);
    if (!known) {
        if (about->bands == S2CLR_STORE_BANDS_MAX) return false;
        known = &about->band[about->bands++];
        *known = (s2clr_store_band){.smallest = {band->height, band->width}};
        memcpy(known->name, band->name, sizeof known->name);
    }
    const s2clr_store_band before = *known;
    const int size[2] = {band->height, band->width};
    known->dtypes |= 1u << band->dtype;
    for (int i = 0; i < 2; i++) {
        if (size[i] < known->smallest[i]) known->smallest[i] = size[i];
        if (size[i] > known->largest[i]) known->largest[i] = size[i];
    }
    return memcmp(&before, known, sizeof before) != 0;
}

bool s2clr_store_text_widen(s2clr_store_text *text, const s2clr_patch_record *record)
{
    bool changed = false;
    for (int b = 0; b < record->bands; b++)
        changed = widen_band(&text->about, &record->band[b]) || changed;
    return changed;
}

/* ---- reading ---- */

static s2clr_status refuse(const char *path, const char *key, const char *wanted)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: '%s' is missing or wrong; wanted: %s", path, key,
                           wanted);
}

static bool read_pair(const json_t *pair, int out[2])
{
    if (json_array_size(pair) != 2) return false;
    for (size_t i = 0; i < 2; i++) {
        const json_int_t value = json_integer_value(json_array_get(pair, i));
        if (value < 1 || value > S2CLR_PATCH_SIDE_MAX) return false;
        out[i] = (int)value;
    }
    return true;
}

static bool read_types(const json_t *list, unsigned *out)
{
    unsigned found = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        unsigned bit = 0;
        for (size_t t = 0; name && t < TYPES; t++)
            if (strcmp(types[t].name, name) == 0) bit = 1u << types[t].dtype;
        if (!bit) return false;
        found |= bit;
    }
    *out = found;
    return found != 0;
}

static s2clr_status read_band(const char *path, const json_t *item, s2clr_store_about *about)
{
    s2clr_store_band band = {.dtypes = 0};
    const char *name = json_string_value(json_object_get(item, "name"));
    if (!name || !*name || strlen(name) >= sizeof band.name || band_of(about, name) ||
        about->bands == S2CLR_STORE_BANDS_MAX)
        return refuse(path, "bands", "at most 32 objects, each with another 'name'");
    memcpy(band.name, name, strlen(name) + 1);
    if (!read_types(json_object_get(item, "types"), &band.dtypes))
        return refuse(path, "types", "a list of U8, U16, I16, F32");
    if (!read_pair(json_object_get(item, "smallest"), band.smallest) ||
        !read_pair(json_object_get(item, "largest"), band.largest))
        return refuse(path, "smallest, largest", "two numbers from 1 to 8192: height, width");
    about->band[about->bands++] = band;
    return S2CLR_OK;
}

static s2clr_status read_all(const char *path, const json_t *root, s2clr_store_text *text)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *version = json_object_get(root, "version"), *item;
    const json_t *complete = json_object_get(root, "complete");
    const json_t *commands = json_object_get(root, "commands");
    const json_t *bands = json_object_get(root, "bands");
    size_t i;
    if (!format || strcmp(format, FORMAT) != 0) return refuse(path, "format", FORMAT);
    if (json_integer_value(version) < 1) return refuse(path, "version", "1");
    if (json_integer_value(version) > VERSION)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: the store has version %lld, this program reads version %d; use "
                               "a newer s2clr",
                               path, (long long)json_integer_value(version), (int)VERSION);
    if (!json_is_boolean(complete)) return refuse(path, "complete", "true or false");
    text->about.complete = json_is_true(complete);
    S2CLR_TRY(s2clr_store_text_set_title(text, json_string_value(json_object_get(root, "title"))));
    if (!json_is_array(commands)) return refuse(path, "commands", "a list of texts");
    json_array_foreach(commands, i, item)
    {
        if (!json_is_string(item)) return refuse(path, "commands", "a list of texts");
        S2CLR_TRY(s2clr_store_text_add_command(text, json_string_value(item)));
    }
    if (!json_is_array(bands)) return refuse(path, "bands", "a list of objects");
    json_array_foreach(bands, i, item) S2CLR_TRY(read_band(path, item, &text->about));
    return S2CLR_OK;
}

static s2clr_status load(const char *path, json_t **out)
{
    struct stat info;
    json_error_t error;
    json_t *root = NULL;
    /* O_NONBLOCK: a pipe of that name must not hang. */
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot open: %s; wanted: the description of a store", path,
                               strerror(errno));
    if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= JSON_BYTES_MAX)
        root = json_loadfd(descriptor, JSON_REJECT_DUPLICATES, &error);
    close(descriptor);
    if (!root)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: not JSON, or more than %d bytes; wanted: the description of a "
                               "store as s2clr-dataset(5) has it",
                               path, (int)JSON_BYTES_MAX);
    *out = root;
    return S2CLR_OK;
}

s2clr_status s2clr_store_text_read(const char *folder, s2clr_store_text *out)
{
    char *path;
    json_t *root = NULL;
    s2clr_store_text text = {0};
    S2CLR_TRY(s2clr_store_path(folder, S2CLR_STORE_JSON, &path));
    s2clr_status status = load(path, &root);
    if (status == S2CLR_OK) status = read_all(path, root, &text);
    json_decref(root);
    s2clr_free(path);
    if (status == S2CLR_OK)
        *out = text;
    else
        s2clr_store_text_clear(&text);
    return status;
}

/* ---- writing ---- */

static json_t *bands_to_json(const s2clr_store_about *about)
{
    json_t *bands = json_array();
    for (int b = 0; b < about->bands; b++) {
        const s2clr_store_band *band = &about->band[b];
        json_t *list = json_array();
        for (size_t t = 0; t < TYPES; t++)
            if (band->dtypes & 1u << types[t].dtype)
                json_array_append_new(list, json_string(types[t].name));
        json_array_append_new(bands, json_pack("{s:s, s:o, s:[i, i], s:[i, i]}", "name", band->name,
                                               "types", list, "smallest", band->smallest[0],
                                               band->smallest[1], "largest", band->largest[0],
                                               band->largest[1]));
    }
    return bands;
}

static char *to_text(const s2clr_store_about *about)
{
    json_t *commands = json_array();
    for (size_t i = 0; i < about->commands; i++)
        json_array_append_new(commands, json_string(about->command[i]));
    json_t *root =
        json_pack("{s:s, s:i, s:b, s:s, s:o, s:o}", "format", FORMAT, "version", (int)VERSION,
                  "complete", (int)about->complete, "title", about->title ? about->title : "",
                  "commands", commands, "bands", bands_to_json(about));
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    return text;
}

static s2clr_status write_file(const char *path, const char *part, const char *text)
{
    const size_t length = strlen(text);
    const int descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool good = descriptor >= 0 && write(descriptor, text, length) == (ssize_t)length &&
                write(descriptor, "\n", 1) == 1 && fsync(descriptor) == 0;
    int error = errno;
    if (descriptor >= 0 && close(descriptor) != 0 && good) good = false, error = errno;
    if (good && rename(part, path) != 0) good = false, error = errno;
    if (good) return S2CLR_OK;
    if (descriptor >= 0) unlink(part);
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot write: %s; a store needs a folder that can be written to "
                           "and some free space",
                           path, strerror(error));
}

s2clr_status s2clr_store_text_write(const char *folder, const s2clr_store_text *text)
{
    char *path, *part;
    S2CLR_TRY(s2clr_store_path(folder, S2CLR_STORE_JSON, &path));
    s2clr_status status = s2clr_store_path(folder, S2CLR_STORE_JSON ".part", &part);
    if (status == S2CLR_OK) {
        char *bytes = to_text(&text->about);
        status = bytes ? write_file(path, part, bytes)
                       : s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                         "%s: title or command is not UTF-8 text", path);
        free(bytes);
        s2clr_free(part);
    }
    s2clr_free(path);
    return status;
}
