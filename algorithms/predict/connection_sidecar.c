/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "predict/connection_names.h"
#include "predict/output_guard.h"
#include "predict/pconnection.h"
#include "sentinel2/gdal_watch.h"

#define FORMAT_VERSION 1
#define SIDECAR_BYTES (1 << 20)

/* ---- reading ---- */

static s2clr_status read_text(const char *path, char *text, size_t *bytes)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    VSILFILE *file = VSIFOpenL(path, "rb");
    if (file) {
        *bytes = VSIFReadL(text, 1, SIDECAR_BYTES + 1, file);
        VSIFCloseL(file);
    }
    s2clr_gdal_watch_end(&watch);
    if (!file) return s2clr_error_set(S2CLR_ERR_IO, "%.300s: cannot be opened", path);
    if (*bytes > SIDECAR_BYTES)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%.300s: has more than %d bytes, which no sidecar file has", path,
                               SIDECAR_BYTES);
    return S2CLR_OK;
}

static s2clr_status bad_item(const char *path, const char *item, const char *wanted)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%.300s: \"%.60s\" must be %s", path, item, wanted);
}

/* A name in the file, made independent of the current folder. */
static s2clr_status resolve(const char *path, const char *item, const json_t *value, bool is_model,
                            char **out)
{
    S2CLR_TRY(s2clr_connection_printable(item, json_string_value(value)));
    S2CLR_TRY(s2clr_connection_check(path, item, json_string_value(value), true));
    return s2clr_connection_name_from(path, json_string_value(value), is_model, out);
}

static s2clr_status read_inputs(const char *path, const json_t *list, s2clr_connection *connection)
{
    if (!json_is_array(list) || json_array_size(list) == 0)
        return bad_item(path, "inputs", "a list of at least one raster");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        char *input;
        if (!json_is_string(value)) return bad_item(path, "inputs", "a list of texts");
        S2CLR_TRY(resolve(path, "an input", value, false, &input));
        const s2clr_status status = s2clr_connection_add_input(connection, path, input);
        s2clr_free(input);
        S2CLR_TRY(status);
    }
    return S2CLR_OK;
}

static s2clr_status read_option(const char *path, const char *key, const json_t *value,
                                s2clr_connection *connection)
{
    char number[64];
    if (json_is_integer(value))
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        CPLsnprintf(number, sizeof number, "%.17g", json_real_value(value));
    else if (!json_is_string(value))
        return bad_item(path, key, "a text or a number");
    if (!json_is_string(value)) return s2clr_connection_option(connection, path, key, number);
    const char *text = json_string_value(value);
    S2CLR_TRY(s2clr_connection_printable(key, text));
    /* The one option that can name a file. */
    if (!EQUAL(key, "SCL") || EQUAL(text, "auto") || EQUAL(text, "none"))
        return s2clr_connection_option(connection, path, key, text);
    char *name;
    S2CLR_TRY(s2clr_connection_name_from(path, text, false, &name));
    const s2clr_status status = s2clr_connection_option(connection, path, key, name);
    s2clr_free(name);
    return status;
}

static s2clr_status read_options(const char *path, json_t *options, s2clr_connection *connection)
{
    const char *key;
    json_t *value;
    if (!options) return S2CLR_OK;
    if (!json_is_object(options)) return bad_item(path, "options", "an object");
    json_object_foreach(options, key, value)
    {
        S2CLR_TRY(s2clr_connection_printable("S2CLR: an option's name", key));
        S2CLR_TRY(read_option(path, key, value, connection));
    }
    return S2CLR_OK;
}

static s2clr_status check_keys(const char *path, json_t *root)
{
    static const char *const known[] = {"s2clr", "model", "inputs", "options"};
    const size_t count = sizeof known / sizeof known[0];
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        size_t i = 0;
        while (i < count && strcmp(known[i], key) != 0) i++;
        if (i < count) continue;
        S2CLR_TRY(s2clr_connection_printable("S2CLR: a key of the sidecar file", key));
        const char *near = s2clr_suggest(key, known, count);
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%.300s: has the key \"%.60s\"%s%s; known are s2clr, model, inputs "
                               "and options",
                               path, key, near ? ", perhaps meant as " : "", near ? near : "");
    }
    value = json_object_get(root, "s2clr");
    if (!json_is_integer(value)) return bad_item(path, "s2clr", "the number 1");
    if (json_integer_value(value) != FORMAT_VERSION)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%.300s: is of version %" JSON_INTEGER_FORMAT
                               ", this program knows version %d; take a newer one",
                               path, json_integer_value(value), FORMAT_VERSION);
    return S2CLR_OK;
}

static s2clr_status read_root(const char *path, json_t *root, s2clr_connection *connection)
{
    const json_t *model = json_object_get(root, "model");
    S2CLR_TRY(check_keys(path, root));
    if (model && !json_is_string(model)) return bad_item(path, "model", "a text");
    if (model && json_string_length(model))
        S2CLR_TRY(resolve(path, "the model", model, true, &connection->model));
    else
        S2CLR_TRY(s2clr_strdup("", &connection->model));
    S2CLR_TRY(read_inputs(path, json_object_get(root, "inputs"), connection));
    return read_options(path, json_object_get(root, "options"), connection);
}

static s2clr_status parse_text(const char *path, const char *text, size_t bytes,
                               s2clr_connection *connection)
{
    json_error_t error;
    if (!s2clr_connection_identify(NULL, text, bytes))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%.300s: is no sidecar file: a JSON object whose first key is "
                               "\"s2clr\"",
                               path);
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%.300s: line %d, column %d: no valid JSON", path,
                               error.line, error.column);
    const s2clr_status status = read_root(path, root, connection);
    json_decref(root);
    return status;
}

s2clr_status s2clr_connection_read(const char *path, s2clr_connection *connection)
{
    char *text;
    size_t bytes = 0;
    S2CLR_TRY(s2clr_alloc(SIDECAR_BYTES + 1, 1, "sidecar file", (void **)&text));
    s2clr_status status = read_text(path, text, &bytes);
    if (status == S2CLR_OK) status = parse_text(path, text, bytes, connection);
    s2clr_free(text);
    return status;
}

/* ---- writing ---- */

/* *out: the name as a JSON text. */
static s2clr_status name_json(const char *path, const char *name, bool is_model, json_t **out)
{
    char *written;
    S2CLR_TRY(s2clr_connection_printable("S2CLR: a name for the sidecar file", name));
    S2CLR_TRY(s2clr_connection_name_to(path, name, is_model, &written));
    json_t *value = json_string(written);
    s2clr_free(written);
    if (!value) return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.300s: is not valid UTF-8 text", name);
    *out = value;
    return S2CLR_OK;
}

/* *out: a number as a number, NULL for what is none of ours. */
static s2clr_status option_json(const char *path, const s2clr_open_option *row, const char *value,
                                json_t **out)
{
    const bool names_file =
        EQUAL(row->name, "SCL") && !EQUAL(value, "auto") && !EQUAL(value, "none");
    if (names_file) return name_json(path, value, false, out);
    if (EQUAL(row->type, "int"))
        *out = json_integer(atoi(value));
    else if (EQUAL(row->type, "float"))
        *out = json_real(CPLAtof(value));
    else
        *out = json_string(value);
    if (!*out)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "option %s: is not valid UTF-8 text", row->name);
    return S2CLR_OK;
}

/* Checked as when they are read. */
static s2clr_status check_options(const char *path, const char *const *options)
{
    s2clr_connection *check;
    S2CLR_TRY(s2clr_alloc(1, sizeof *check, "connection", (void **)&check));
    const s2clr_status status = s2clr_connection_options(check, path, options);
    s2clr_connection_free(check);
    return status;
}

static s2clr_status add_options(const char *path, const char *const *options, json_t *object)
{
    const s2clr_open_option *row;
    const size_t count = s2clr_open_option_list(&row);
    S2CLR_TRY(check_options(path, options));
    for (size_t i = 0; options && i < count; i++) {
        const char *value = CSLFetchNameValue((CSLConstList)options, row[i].name);
        json_t *json;
        if (!value) continue;
        S2CLR_TRY(option_json(path, &row[i], value, &json));
        json_object_set_new(object, row[i].name, json);
    }
    return S2CLR_OK;
}

static s2clr_status fill_root(const char *path, const char *model, const char *const *inputs,
                              size_t input_count, const char *const *options, json_t *root)
{
    json_t *value = json_string(""), *list = json_array(), *object = json_object();
    json_object_set_new(root, "s2clr", json_integer(FORMAT_VERSION));
    json_object_set_new(root, "model", value);
    json_object_set_new(root, "inputs", list);
    json_object_set_new(root, "options", object);
    if (model && model[0]) {
        S2CLR_TRY(name_json(path, model, true, &value));
        json_object_set_new(root, "model", value);
    }
    for (size_t i = 0; i < input_count; i++) {
        S2CLR_TRY(name_json(path, inputs[i], false, &value));
        json_array_append_new(list, value);
    }
    return add_options(path, options, object);
}

static s2clr_status write_file(const char *path, const char *text)
{
    char part[S2CLR_CONNECTION_TEXT + 32];
    s2clr_gdal_watch watch;
    snprintf(part, sizeof part, "%s.part-%ld", path, (long)getpid());
    s2clr_gdal_watch_begin(&watch);
    VSILFILE *file = VSIFOpenL(part, "wb");
    bool good = file && VSIFWriteL(text, 1, strlen(text), file) == strlen(text);
    if (file) good = VSIFCloseL(file) == 0 && good;
    good = good && VSIRename(part, path) == 0;
    if (file && !good) VSIUnlink(part);
    s2clr_gdal_watch_end(&watch);
    if (good) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_IO, "%.300s: cannot be written; is the folder there, writable, and not full?",
        path);
}

s2clr_status s2clr_connection_write(const char *path, const char *model, const char *const *inputs,
                                    size_t input_count, const char *const *options, bool overwrite)
{
    VSIStatBufL info;
    S2CLR_TRY(s2clr_connection_check("sidecar file", "its name", path, false));
    if (input_count == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.300s: no raster is named", path);
    if (VSIStatL(path, &info) == 0 && !overwrite)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%.300s: exists; allow overwriting or choose another name", path);
    S2CLR_TRY(s2clr_output_guard(path, inputs, input_count));
    S2CLR_TRY(s2clr_output_guard(path, &model, 1));
    json_t *root = json_object();
    s2clr_status status = fill_root(path, model, inputs, input_count, options, root);
    char *text = status == S2CLR_OK ? json_dumps(root, JSON_INDENT(4)) : NULL;
    json_decref(root);
    S2CLR_TRY(status);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "%.300s: out of memory", path);
    status = write_file(path, text);
    free(text);
    return status;
}
