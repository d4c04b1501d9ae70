#include <cpl_conv.h>
#include <cpl_string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "predict/pconnection.h"

typedef enum kind { TEXT, INT, SIZE, REAL } kind;

/* THE table of open options: name, type for GDAL, kind and place of the value, default, range,
 * help. A float's range ends where predict's does: a prevalence of 0 or 1 has no odds. */
#define ROWS(ROW)                                                                                  \
    ROW("STRIDE", "int", INT, stride, NULL, 1, 4096,                                               \
        "Input pixels per output pixel; without it, the stride in the model's card")               \
    ROW("BANDS", "string", TEXT, bands, "probability", 0, 0,                                       \
        "What the bands hold: probability, entropy, valid, evidence in any order with commas, or " \
        "embedding; of a model of several classes also classes and their names")                   \
    ROW("INPUT_BANDS", "string", TEXT, stack.bands, NULL, 0, 0,                                    \
        "Raster bands of an input without band names: numbers in the model's order (1,2,3) or "    \
        "names with numbers (B04=1,B03=2)")                                                        \
    ROW("LEVEL", "string", TEXT, stack.level, NULL, 0, 0,                                          \
        "Processing level of the input, one of the model's card; without it, found out")           \
    ROW("SCL", "string", TEXT, stack.scl, "none", 0, 0,                                            \
        "Masks clouds by a scene classification: auto (the product's), none, or a raster file")    \
    ROW("MIN_VALID", "float", REAL, min_valid, "0.5", 0, 1,                                        \
        "Smallest share of valid pixels with which a patch gets a value")                          \
    ROW("BOA_OFFSET", "string", TEXT, stack.boa_offset, "auto", 0, 0,                              \
        "DN added before scaling: auto (the product's metadata) or a number")                      \
    ROW("DEVICE", "string", TEXT, device, "auto", 0, 0,                                            \
        "What computes: auto, cpu, or a backend's name")                                           \
    ROW("THREADS", "int", INT, threads, NULL, 1, 1024,                                             \
        "Worker threads; without it GDAL_NUM_THREADS, else one per CPU")                           \
    ROW("PREVALENCE", "float", REAL, prevalence, NULL, 1e-6, 0.999999,                             \
        "Share of positives to tell the probability for; without it, the one of the training")     \
    ROW("CACHE_MB", "int", SIZE, cache_mb, NULL, 1, 1048576,                                       \
        "Room for finished blocks, shared by all rasters of the process; 64 at first")

#define PUBLIC(name, type, kind, field, standard, minimum, maximum, help)                          \
    {name, type, standard, minimum, maximum, help},
static const s2clr_open_option list[] = {ROWS(PUBLIC)};

typedef struct place {
    kind kind;
    size_t offset; /* in s2clr_view_settings */
} place;

#define PLACE(name, type, kind, field, standard, minimum, maximum, help)                           \
    {kind, offsetof(s2clr_view_settings, field)},
static const place places[] = {ROWS(PLACE)};

#define COUNT (sizeof list / sizeof list[0])
_Static_assert(COUNT <= S2CLR_CONNECTION_OPTIONS, "more rows than a connection has room for");

size_t s2clr_open_option_list(const s2clr_open_option **out)
{
    *out = list;
    return COUNT;
}

static s2clr_status unknown(const char *where, const char *key)
{
    const char *names[COUNT];
    char upper[64], all[400] = "";
    for (size_t i = 0; i < COUNT; i++) {
        const size_t used = strlen(all);
        names[i] = list[i].name;
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", list[i].name);
    }
    snprintf(upper, sizeof upper, "%s", key);
    for (char *c = upper; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    const char *near = s2clr_suggest(upper, names, COUNT);
    if (near)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s: no option %.60s; did you mean %s?",
                               where, key, near);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s: no option %.60s; there are %s", where, key,
                           all);
}

static s2clr_status bad_number(const char *where, size_t row, const char *value)
{
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT, "%.200s: %s is \"%.60s\"; expected a %s from %g to %g", where,
        list[row].name, value, places[row].kind == REAL ? "number" : "whole number",
        list[row].minimum, list[row].maximum);
}

static s2clr_status set_number(s2clr_connection *connection, const char *where, size_t row,
                               const char *value)
{
    char *field = (char *)&connection->settings + places[row].offset, *end = NULL;
    double number;
    /* Neither blanks nor words (inf, nan), nor hexadecimal digits. */
    if (value[strspn(value, "0123456789.eE+-")]) return bad_number(where, row, value);
    if (places[row].kind == REAL) {
        number = CPLStrtod(value, &end);
    } else {
        errno = 0;
        number = (double)strtol(value, &end, 10);
        if (errno) return bad_number(where, row, value);
    }
    if (*end || end == value || !(number >= list[row].minimum && number <= list[row].maximum))
        return bad_number(where, row, value);
    if (places[row].kind == REAL)
        *(double *)(void *)field = number;
    else if (places[row].kind == SIZE)
        *(size_t *)(void *)field = (size_t)number;
    else
        *(int *)(void *)field = (int)number;
    return S2CLR_OK;
}

static s2clr_status set_text(s2clr_connection *connection, const char *where, size_t row,
                             const char *value)
{
    char *copy, item[80];
    char *field = (char *)&connection->settings + places[row].offset;
    snprintf(item, sizeof item, "option %s", list[row].name);
    S2CLR_TRY(s2clr_connection_check(where, item, value, false));
    S2CLR_TRY(s2clr_strdup(value, &copy));
    s2clr_free(connection->text[row]);
    connection->text[row] = copy;
    *(const char **)(void *)field = copy;
    return S2CLR_OK;
}

s2clr_status s2clr_connection_option(s2clr_connection *connection, const char *where,
                                     const char *key, const char *value)
{
    size_t row = 0;
    while (row < COUNT && strcasecmp(list[row].name, key) != 0) row++;
    if (row == COUNT) return unknown(where, key);
    if (connection->given[row])
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%.200s: option %s is given twice, the second time as \"%.60s\"; "
                               "give it once",
                               where, list[row].name, value);
    connection->given[row] = true;
    if (places[row].kind == TEXT) return set_text(connection, where, row, value);
    return set_number(connection, where, row, value);
}

/* GDAL hands on what it handles itself (OVERVIEW_LEVEL), and what a caller marked with @ as meant
 * for drivers that happen to know it. */
static bool is_foreign(const char *option)
{
    return option[0] == '@' || STARTS_WITH_CI(option, "OVERVIEW_LEVEL=");
}

s2clr_status s2clr_connection_options(s2clr_connection *connection, const char *where,
                                      const char *const *options)
{
    memset(connection->given, 0, sizeof connection->given);
    for (size_t i = 0; options && options[i]; i++) {
        char key[64];
        const char *equals = strchr(options[i], '=');
        if (is_foreign(options[i])) continue;
        S2CLR_TRY(s2clr_connection_printable("S2CLR: an open option", options[i]));
        const size_t length = equals ? (size_t)(equals - options[i]) : 0;
        if (length == 0)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%.200s: option \"%.60s\" is not of the form NAME=VALUE", where,
                                   options[i]);
        snprintf(key, sizeof key, "%.*s", length < sizeof key ? (int)length : (int)sizeof key - 1,
                 options[i]);
        S2CLR_TRY(s2clr_connection_option(connection, where, key, equals + 1));
    }
    return S2CLR_OK;
}
