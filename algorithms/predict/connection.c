#include "predict/connection.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "predict/connection_names.h"
#include "predict/pconnection.h"

#define PREFIX "S2CLR:"
#define SYNTAX "S2CLR:\"MODEL\":\"RASTER\" (\"\" for the default model)"

/* ---- what is ours ---- */

static bool has_prefix(const char *name)
{
    return strncasecmp(name, PREFIX, strlen(PREFIX)) == 0;
}

static size_t skip_space(const char *text, size_t at, size_t bytes)
{
    while (at < bytes &&
           (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
        at++;
    return at;
}

/* JSON whose first key is "s2clr". */
static bool is_sidecar_text(const char *text, size_t bytes)
{
    static const char key[] = "\"s2clr\"";
    size_t at = skip_space(text, 0, bytes);
    if (at >= bytes || text[at] != '{') return false;
    at = skip_space(text, at + 1, bytes);
    if (bytes - at < sizeof key - 1 || memcmp(text + at, key, sizeof key - 1) != 0) return false;
    at = skip_space(text, at + sizeof key - 1, bytes);
    return at < bytes && text[at] == ':';
}

bool s2clr_connection_identify(const char *name, const void *header, size_t bytes)
{
    return (name && has_prefix(name)) || (header && is_sidecar_text(header, bytes));
}

/* ---- texts ---- */

s2clr_status s2clr_connection_check(const char *where, const char *item, const char *text,
                                    bool may_be_empty)
{
    const size_t length = strlen(text);
    if (length == 0 && !may_be_empty)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s: %s is empty", where, item);
    if (length > S2CLR_CONNECTION_TEXT)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%.200s: %s has %zu bytes, at most %d are possible", where, item,
                               length, S2CLR_CONNECTION_TEXT);
    return S2CLR_OK;
}

s2clr_status s2clr_connection_printable(const char *what, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s holds the control character 0x%02x at byte %zu; names and "
                                   "options are plain text",
                                   what, (unsigned)c, i + 1);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_connection_add_input(s2clr_connection *connection, const char *where,
                                        const char *input)
{
    const size_t count = connection->settings.input_count;
    char item[48];
    if (count == S2CLR_CONNECTION_INPUTS)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%.200s: more than %d rasters; combine them first: gdalbuildvrt",
                               where, S2CLR_CONNECTION_INPUTS);
    snprintf(item, sizeof item, "raster %zu", count + 1);
    S2CLR_TRY(s2clr_connection_check(where, item, input, false));
    S2CLR_TRY(s2clr_strdup(input, &connection->input[count]));
    connection->settings.input_count++;
    return S2CLR_OK;
}

/* ---- S2CLR:"MODEL":"RASTER" ---- */

/* A colon that belongs to the name it stands in: https://, and C:\ at a name's beginning. */
static bool is_inner_colon(const char *token, size_t at)
{
    return strncmp(token + at, "://", 3) == 0 || (at == 1 && token[2] == '\\');
}

static size_t plain_length(const char *token)
{
    size_t n = 0;
    while (token[n] && (token[n] != ':' || is_inner_colon(token, n))) n++;
    return n;
}

/* Copies the quoted token at *text to out and moves *text behind it. */
static s2clr_status take_quoted(const char *name, const char **text, char *out)
{
    const char *from = *text + 1;
    while (*from && *from != '"') {
        if (from[0] == '\\' && (from[1] == '"' || from[1] == '\\')) from++;
        *out++ = *from++;
    }
    if (!*from)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%.200s: the quote at byte %zu is not closed; write " SYNTAX, name,
                               (size_t)(*text - name) + 1);
    *out = '\0';
    *text = from + 1;
    if (**text && **text != ':')
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%.200s: a colon or the end was expected behind the quote at byte "
                               "%zu; write " SYNTAX,
                               name, (size_t)(from - name) + 1);
    return S2CLR_OK;
}

/* Next token; *text ends at its colon or at the end of the name. */
static s2clr_status take_token(const char *name, const char **text, bool all_the_rest, char *out)
{
    if (**text == '"') return take_quoted(name, text, out);
    const size_t length = all_the_rest ? strlen(*text) : plain_length(*text);
    memcpy(out, *text, length);
    out[length] = '\0';
    *text += length;
    return S2CLR_OK;
}

static s2clr_status parse_tokens(const char *name, char *token, s2clr_connection *connection)
{
    const char *text = name + strlen(PREFIX);
    S2CLR_TRY(take_token(name, &text, false, token));
    S2CLR_TRY(s2clr_connection_check(name, "the model", token, true));
    S2CLR_TRY(s2clr_strdup(token, &connection->model));
    if (!*text)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s: names no raster; write " SYNTAX, name);
    while (*text) {
        text++;
        const bool first = connection->settings.input_count == 0;
        S2CLR_TRY(take_token(name, &text, first && s2clr_connection_has_driver(text), token));
        S2CLR_TRY(s2clr_connection_add_input(connection, name, token));
    }
    return S2CLR_OK;
}

static s2clr_status parse_name(const char *name, s2clr_connection *connection)
{
    char *token;
    S2CLR_TRY(s2clr_alloc(strlen(name) + 1, 1, "connection name", (void **)&token));
    const s2clr_status status = parse_tokens(name, token, connection);
    s2clr_free(token);
    return status;
}

static s2clr_status parse(const char *name, const char *const *options,
                          s2clr_connection *connection)
{
    connection->sidecar = !has_prefix(name);
    S2CLR_TRY(s2clr_connection_printable("S2CLR: the name of the raster", name));
    s2clr_view_defaults(&connection->settings);
    S2CLR_TRY(s2clr_alloc(S2CLR_CONNECTION_INPUTS, sizeof *connection->input, "list of rasters",
                          (void **)&connection->input));
    if (connection->sidecar)
        S2CLR_TRY(s2clr_connection_read(name, connection));
    else
        S2CLR_TRY(parse_name(name, connection));
    connection->settings.model = connection->model;
    connection->settings.inputs = (const char *const *)connection->input;
    return s2clr_connection_options(connection, name, options);
}

s2clr_status s2clr_connection_parse(const char *name, const char *const *options,
                                    s2clr_connection **out)
{
    s2clr_connection *connection;
    S2CLR_TRY(s2clr_alloc(1, sizeof *connection, "connection", (void **)&connection));
    const s2clr_status status = parse(name, options, connection);
    if (status == S2CLR_OK)
        *out = connection;
    else
        s2clr_connection_free(connection);
    return status;
}

void s2clr_connection_free(s2clr_connection *connection)
{
    if (!connection) return;
    for (size_t i = 0; i < connection->settings.input_count; i++) s2clr_free(connection->input[i]);
    for (size_t i = 0; i < S2CLR_CONNECTION_OPTIONS; i++) s2clr_free(connection->text[i]);
    s2clr_free(connection->input);
    s2clr_free(connection->model);
    s2clr_free(connection);
}

const s2clr_view_settings *s2clr_connection_settings(const s2clr_connection *connection)
{
    return &connection->settings;
}

bool s2clr_connection_is_sidecar(const s2clr_connection *connection)
{
    return connection->sidecar;
}

/* ---- the other way ---- */

static char *put_quoted(char *to, const char *text)
{
    *to++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') *to++ = '\\';
        *to++ = *text;
    }
    *to++ = '"';
    return to;
}

s2clr_status s2clr_connection_format(const char *model, const char *const *inputs,
                                     size_t input_count, char **out)
{
    size_t room = sizeof PREFIX;
    char *text;
    if (!model) model = "";
    S2CLR_TRY(s2clr_size_add(room, 2 * strlen(model) + 3, &room));
    for (size_t i = 0; i < input_count; i++)
        S2CLR_TRY(s2clr_size_add(room, 2 * strlen(inputs[i]) + 3, &room));
    S2CLR_TRY(s2clr_alloc(room, 1, "connection name", (void **)&text));
    memcpy(text, PREFIX, sizeof PREFIX);
    char *end = put_quoted(text + strlen(PREFIX), model);
    for (size_t i = 0; i < input_count; i++) {
        *end++ = ':';
        end = put_quoted(end, inputs[i]);
    }
    *end = '\0';
    *out = text;
    return S2CLR_OK;
}
