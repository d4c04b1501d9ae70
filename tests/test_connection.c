/*
 * Names of views and their options, whoever wrote them: taken apart, put together, refused, and
 * with which words.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "harness.h"
#include "predict/connection.h"

/* ---- what is ours ---- */

static bool identifies(const char *name, const char *header)
{
    return s2clr_connection_identify(name, header, header ? strlen(header) : 0);
}

static void identify(void)
{
    CU_ASSERT(identifies("S2CLR:", NULL));
    CU_ASSERT(identifies("S2CLR:a:b", NULL));
    CU_ASSERT(identifies("s2clr:a:b", NULL));
    CU_ASSERT_FALSE(identifies("S2CLR_GRID:3:4", NULL));
    CU_ASSERT_FALSE(identifies("S2CLR", NULL));
    CU_ASSERT_FALSE(identifies("", NULL));
    CU_ASSERT_FALSE(identifies("x/S2CLR:a", NULL));
    CU_ASSERT(identifies("a.s2clr", "{\"s2clr\": 1}"));
    CU_ASSERT(identifies("a", " \t\r\n{ \n \"s2clr\"\n:"));
    CU_ASSERT_FALSE(identifies("a", "{\"model\": 1, \"s2clr\": 1}"));
    CU_ASSERT_FALSE(identifies("a", "{\"s2clr2\": 1}"));
    CU_ASSERT_FALSE(identifies("a", "[\"s2clr\": 1]"));
    static const char text[] = "{\"s2clr\": 1}";
    for (size_t n = 0; n <= strlen(text); n++)
        CU_ASSERT_EQUAL(s2clr_connection_identify("a", text, n), n >= 9);
}

/* ---- names ---- */

/* "model|raster|raster" of a name, or the error text. */
static const char *taken(const char *name)
{
    static char text[2000];
    s2clr_connection *connection = NULL;
    if (s2clr_connection_parse(name, NULL, &connection) != S2CLR_OK) {
        CU_ASSERT_PTR_NULL(connection);
        snprintf(text, sizeof text, "%s", s2clr_error_text());
        return text;
    }
    const s2clr_view_settings *settings = s2clr_connection_settings(connection);
    int used = snprintf(text, sizeof text, "%s", settings->model);
    for (size_t i = 0; i < settings->input_count; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "|%s", settings->inputs[i]);
    CU_ASSERT_FALSE(s2clr_connection_is_sidecar(connection));
    s2clr_connection_free(connection);
    return text;
}

static void names(void)
{
    static const char *const table[][2] = {
        {"S2CLR:\"m\":\"a.tif\"", "m|a.tif"},
        {"s2clr:m:a.tif", "m|a.tif"},
        {"S2CLR::a.tif", "|a.tif"},
        {"S2CLR:\"\":\"a.tif\"", "|a.tif"},
        {"S2CLR:m:B02.tif:B03.tif:\"B04:x.tif\"", "m|B02.tif|B03.tif|B04:x.tif"},
        {"S2CLR:\"a:b\":\"c:d\":\"e\"", "a:b|c:d|e"},
        {"S2CLR:\"a\\\"b\":\"c\\\\d\"", "a\"b|c\\d"},
        {"S2CLR:\"C:\\x\\m\":\"D:\\y\"", "C:\\x\\m|D:\\y"},
        {"S2CLR:C:\\x\\m:D:\\y.tif", "C:\\x\\m|D:\\y.tif"},
        {"S2CLR:m:/data/a.tif", "m|/data/a.tif"},
        {"S2CLR:m:/vsicurl/https://h/a.tif", "m|/vsicurl/https://h/a.tif"},
        {"S2CLR::SENTINEL2_L2A:/vsizip/x.zip/MTD.xml:10m:EPSG_32633",
         "|SENTINEL2_L2A:/vsizip/x.zip/MTD.xml:10m:EPSG_32633"},
        {"S2CLR:m:NETCDF:\"x y.nc\":B04", "m|NETCDF:\"x y.nc\":B04"},
        {"S2CLR:m:\"NETCDF:\\\"x.nc\\\":B04\"", "m|NETCDF:\"x.nc\":B04"},
        {"S2CLR:m:<VRTDataset/>", "m|<VRTDataset/>"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CU_ASSERT_STRING_EQUAL(taken(table[i][0]), table[i][1]);
}

static void refused_names(void)
{
    static const char *const table[][2] = {
        {"S2CLR:", "write S2CLR:\"MODEL\":\"RASTER\""},
        {"S2CLR:a.tif", "names no raster"},
        {"S2CLR:m:", "raster 1 is empty"},
        {"S2CLR:m:a:", "raster 2 is empty"},
        {"S2CLR:m::a", "raster 1 is empty"},
        {"S2CLR:\"m", "quote at byte 7 is not closed"},
        {"S2CLR:\"m\":\"a", "quote at byte 11 is not closed"},
        {"S2CLR:\"m\\\"", "not closed"},
        {"S2CLR:\"m\"x:a", "behind the quote at byte 9"},
        {"S2CLR:m:a\tb", "control character 0x09 at byte 10"},
        {"S2CLR:m:a\x7f", "control character 0x7f"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        s2clr_connection *connection = NULL;
        CU_ASSERT_EQUAL(s2clr_connection_parse(table[i][0], NULL, &connection), S2CLR_ERR_ARGUMENT);
        CU_ASSERT_PTR_NULL(connection);
        TEST_ERROR_SAYS(table[i][1]);
    }
}

static char *repeat(const char *start, const char *piece, size_t count)
{
    const size_t n = strlen(start), step = strlen(piece);
    char *text = malloc(n + count * step + 1);
    if (!text) exit(1);
    memcpy(text, start, n);
    for (size_t i = 0; i < count; i++) memcpy(text + n + i * step, piece, step);
    text[n + count * step] = '\0';
    return text;
}

static void huge_names(void)
{
    static const struct {
        const char *start, *piece, *says;
        size_t count;
    } table[] = {{"S2CLR:m:", "a", "raster 1 has 1048576 bytes", 1 << 20},
                 {"S2CLR:", "a", "the model has 1048576 bytes", 1 << 20},
                 {"S2CLR:m:\"", "\\", "not closed", 1 << 20},
                 {"S2CLR:", "\"", "behind the quote", 100001},
                 {"S2CLR:m", ":a.tif", "more than 1024 rasters", 10000},
                 {"S2CLR:", ":", "is empty", 10000}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        s2clr_connection *connection = NULL;
        char *name = repeat(table[i].start, table[i].piece, table[i].count);
        CU_ASSERT_EQUAL(s2clr_connection_parse(name, NULL, &connection), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(table[i].says);
        free(name);
    }
}

/* Whatever bytes come: an answer, never more. */
static void random_names(void)
{
    static const char letters[] = ":::\"\"\\\\a/ N.C";
    for (uint64_t i = 0; i < 20000; i++) {
        char name[40] = "S2CLR:";
        const size_t length = s2clr_random_below(3, 0, i, 30);
        for (size_t k = 0; k < length; k++)
            name[6 + k] = letters[s2clr_random_below(3, 1, 40 * i + k, sizeof letters - 1)];
        s2clr_connection *connection = NULL;
        if (s2clr_connection_parse(name, NULL, &connection) != S2CLR_OK) continue;
        /* What was understood is written so that it is understood again. */
        const s2clr_view_settings *a = s2clr_connection_settings(connection);
        s2clr_connection *again = NULL;
        char *text = NULL;
        TEST_OK(s2clr_connection_format(a->model, a->inputs, a->input_count, &text));
        TEST_OK(s2clr_connection_parse(text, NULL, &again));
        const s2clr_view_settings *b = s2clr_connection_settings(again);
        CU_ASSERT_STRING_EQUAL(a->model, b->model);
        CU_ASSERT_EQUAL_FATAL(a->input_count, b->input_count);
        for (size_t k = 0; k < a->input_count; k++)
            CU_ASSERT_STRING_EQUAL(a->inputs[k], b->inputs[k]);
        s2clr_free(text);
        s2clr_connection_free(again);
        s2clr_connection_free(connection);
    }
}

/* ---- options ---- */

static void all_options(void)
{
    static const char *const given[] = {
        "stride=8",      "BANDS=entropy,valid", "INPUT_BANDS=1,2,3", "LEVEL=L2A", "SCL=auto",
        "MIN_VALID=.25", "BOA_OFFSET=-1000",    "DEVICE=cpu",        "THREADS=3", "PREVALENCE=1e-2",
        "CACHE_MB=128",  "OVERVIEW_LEVEL=2",    "@ANYTHING=any",     NULL};
    s2clr_connection *connection = NULL;
    TEST_OK(s2clr_connection_parse("S2CLR:m:a", given, &connection));
    const s2clr_view_settings *s = s2clr_connection_settings(connection);
    CU_ASSERT_EQUAL(s->stride, 8);
    CU_ASSERT_STRING_EQUAL(s->bands, "entropy,valid");
    CU_ASSERT_STRING_EQUAL(s->stack.bands, "1,2,3");
    CU_ASSERT_STRING_EQUAL(s->stack.level, "L2A");
    CU_ASSERT_STRING_EQUAL(s->stack.scl, "auto");
    CU_ASSERT_EQUAL(s->min_valid, 0.25);
    CU_ASSERT_STRING_EQUAL(s->stack.boa_offset, "-1000");
    CU_ASSERT_STRING_EQUAL(s->device, "cpu");
    CU_ASSERT_EQUAL(s->threads, 3);
    CU_ASSERT_EQUAL(s->prevalence, 0.01);
    CU_ASSERT_EQUAL(s->cache_mb, 128);
    s2clr_connection_free(connection);
}

/* The defaults in the table are those of a view. */
static void defaults(void)
{
    const s2clr_open_option *rows;
    const size_t count = s2clr_open_option_list(&rows);
    s2clr_connection *connection = NULL;
    s2clr_view_settings plain;
    s2clr_view_defaults(&plain);
    CU_ASSERT_EQUAL(count, 11);
    for (size_t i = 0; i < count; i++) {
        char option[80];
        const char *const list[] = {option, NULL};
        if (!rows[i].standard) continue;
        snprintf(option, sizeof option, "%s=%s", rows[i].name, rows[i].standard);
        TEST_OK(s2clr_connection_parse("S2CLR:m:a", list, &connection));
        const s2clr_view_settings *s = s2clr_connection_settings(connection);
        CU_ASSERT_EQUAL(s->min_valid, plain.min_valid);
        CU_ASSERT_STRING_EQUAL(s->device, plain.device);
        s2clr_connection_free(connection);
    }
}

static void refused_options(void)
{
    static const char *const table[][2] = {
        {"STRIDES=4", "did you mean STRIDE?"},
        {"COLOUR=4", "there are STRIDE, BANDS"},
        {"MIN_VALID=0.5x", "MIN_VALID is \"0.5x\""},
        {"MIN_VALID=", "a number from 0 to 1"},
        {"MIN_VALID=1.01", "from 0 to 1"},
        {"MIN_VALID=nan", "from 0 to 1"},
        {"MIN_VALID=-inf", "from 0 to 1"},
        {"MIN_VALID= 0.5", "from 0 to 1"},
        {"MIN_VALID=0x1p-1", "from 0 to 1"},
        {"STRIDE=0", "a whole number from 1 to 4096"},
        {"STRIDE=4.5", "a whole number"},
        {"STRIDE=4097", "from 1 to 4096"},
        {"STRIDE=99999999999999999999999", "from 1 to 4096"},
        {"PREVALENCE=1", "PREVALENCE"},
        {"PREVALENCE=0", "PREVALENCE"},
        {"THREADS=-1", "from 1 to 1024"},
        {"SCL=", "option SCL is empty"},
        {"LEVEL=L2\x01", "control character 0x01"},
        {"STRIDE", "not of the form NAME=VALUE"},
        {"=4", "not of the form NAME=VALUE"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *const list[] = {table[i][0], NULL};
        s2clr_connection *connection = NULL;
        CU_ASSERT_EQUAL(s2clr_connection_parse("S2CLR:m:a", list, &connection), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(table[i][1]);
    }
    const char *const twice[] = {"STRIDE=4", "stride=8", NULL};
    s2clr_connection *connection = NULL;
    CU_ASSERT_EQUAL(s2clr_connection_parse("S2CLR:m:a", twice, &connection), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("given twice");
}

/* The manual page names every option, its range and default stand in the table only once. */
static void manual_names_all(void)
{
    char *text = NULL;
    size_t size = 0;
    const s2clr_open_option *rows;
    const size_t count = s2clr_open_option_list(&rows);
    FILE *file = fopen(test_source("../man/s2clr-driver.7"), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    if (getdelim(&text, &size, '\0', file) < 0) CU_FAIL("man/s2clr-driver.7 cannot be read");
    fclose(file);
    size_t listed = 0;
    for (const char *at = text; at && (at = strstr(at, "\n.It Cm ")); at++) listed++;
    for (size_t i = 0; i < count && text; i++) {
        char item[80];
        snprintf(item, sizeof item, "\n.It Cm %s Ns =", rows[i].name);
        if (!strstr(text, item)) printf("man/s2clr-driver.7 lacks %s\n", rows[i].name);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, item));
    }
    CU_ASSERT_EQUAL(listed, count);
    free(text);
}

static const test_case cases[] = {
    {"what is ours", identify},
    {"names", names},
    {"refused names", refused_names},
    {"huge names", huge_names},
    {"random names", random_names},
    {"all options", all_options},
    {"default options", defaults},
    {"refused options", refused_options},
    {"the manual names all options", manual_names_all},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("connection", cases, argc, argv);
}
