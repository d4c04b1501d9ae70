/*
 * Sidecar files: what stands in them, what may not, and names that stay right wherever they are
 * opened from.
 */
#define _GNU_SOURCE
#include <cpl_vsi.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "predict/connection.h"

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

/* ---- read ---- */

static const char *put(const char *text, size_t bytes)
{
    static const char path[] = "/vsimem/folder/map.s2clr";
    VSILFILE *file = VSIFOpenL(path, "wb");
    CU_ASSERT_EQUAL(VSIFWriteL(text, 1, bytes, file), bytes);
    VSIFCloseL(file);
    return path;
}

static void reads_a_sidecar(void)
{
    static const char text[] =
        "{\"s2clr\": 1, \"model\": \"sub/m.safetensors\", \"inputs\": [\"a.tif\", \"/b/c.tif\", "
        "\"SENTINEL2_L2A:x:10m:EPSG_1\", \"https://h/x.tif\"], \"options\": {\"STRIDE\": 20, "
        "\"min_valid\": 0.25, \"SCL\": \"scl.tif\", \"LEVEL\": \"L1C\"}}";
    static const char *const given[] = {"STRIDE=40", NULL};
    s2clr_connection *connection = NULL;
    const char *path = put(text, strlen(text));
    TEST_OK(s2clr_connection_parse(path, NULL, &connection));
    const s2clr_view_settings *s = s2clr_connection_settings(connection);
    CU_ASSERT(s2clr_connection_is_sidecar(connection));
    CU_ASSERT_STRING_EQUAL(s->model, "/vsimem/folder/sub/m.safetensors");
    CU_ASSERT_EQUAL_FATAL(s->input_count, 4);
    CU_ASSERT_STRING_EQUAL(s->inputs[0], "/vsimem/folder/a.tif");
    CU_ASSERT_STRING_EQUAL(s->inputs[1], "/b/c.tif");
    CU_ASSERT_STRING_EQUAL(s->inputs[2], "SENTINEL2_L2A:x:10m:EPSG_1");
    CU_ASSERT_STRING_EQUAL(s->inputs[3], "https://h/x.tif");
    CU_ASSERT_EQUAL(s->stride, 20);
    CU_ASSERT_EQUAL(s->min_valid, 0.25);
    CU_ASSERT_STRING_EQUAL(s->stack.scl, "/vsimem/folder/scl.tif");
    s2clr_connection_free(connection);
    /* Options given at opening win. */
    TEST_OK(s2clr_connection_parse(path, given, &connection));
    s = s2clr_connection_settings(connection);
    CU_ASSERT_EQUAL(s->stride, 40);
    CU_ASSERT_STRING_EQUAL(s->stack.level, "L1C");
    s2clr_connection_free(connection);
    VSIUnlink(path);
}

static void refused_sidecars(void)
{
    static const char *const table[][2] = {
        {"", "no sidecar file"},
        {"{\"model\": \"m\"}", "no sidecar file"},
        {"{\"s2clr\": 1", "no valid JSON"},
        {"{\"s2clr\": 1, \"s2clr\": 1}", "no valid JSON"},
        {"{\"s2clr\": \"1\"}", "\"s2clr\" must be the number 1"},
        {"{\"s2clr\": 2}", "version 2"},
        {"{\"s2clr\": 1}", "\"inputs\" must be a list"},
        {"{\"s2clr\": 1, \"inputs\": []}", "at least one"},
        {"{\"s2clr\": 1, \"inputs\": \"a\"}", "must be a list"},
        {"{\"s2clr\": 1, \"inputs\": [1]}", "a list of texts"},
        {"{\"s2clr\": 1, \"inputs\": [\"\"]}", "is empty"},
        {"{\"s2clr\": 1, \"inputs\": [\"a\\u0000b\"]}", "no valid JSON"},
        {"{\"s2clr\": 1, \"inputs\": [\"a\\u0007b\"]}", "control character 0x07"},
        {"{\"s2clr\": 1, \"model\": 5, \"inputs\": [\"a\"]}", "\"model\" must be a text"},
        {"{\"s2clr\": 1, \"input\": [\"a\"]}", "perhaps meant as inputs"},
        {"{\"s2clr\": 1, \"inputs\": [\"a\"], \"options\": []}", "must be an object"},
        {"{\"s2clr\": 1, \"inputs\": [\"a\"], \"options\": {\"STRIDE\": true}}",
         "text or a number"},
        {"{\"s2clr\": 1, \"inputs\": [\"a\"], \"options\": {\"STRIDE\": 1.5}}", "whole number"},
        {"{\"s2clr\": 1, \"inputs\": [\"a\"], \"options\": {\"STRID\": 4}}", "did you mean STRIDE"},
    };
    s2clr_connection *connection = NULL;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *path = put(table[i][0], strlen(table[i][0]));
        CU_ASSERT_NOT_EQUAL(s2clr_connection_parse(path, NULL, &connection), S2CLR_OK);
        TEST_ERROR_SAYS(table[i][1]);
    }
    static const char nul[] = "{\"s2clr\": 1, \"inputs\": [\"a\0b\"]}";
    CU_ASSERT_EQUAL(s2clr_connection_parse(put(nul, sizeof nul - 1), NULL, &connection),
                    S2CLR_ERR_FORMAT);
    char *big = repeat("{\"s2clr\": 1, \"inputs\": [\"", "a", 2 << 20);
    CU_ASSERT_EQUAL(s2clr_connection_parse(put(big, strlen(big)), NULL, &connection),
                    S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("more than 1048576 bytes");
    free(big);
    char *deep = repeat("{\"s2clr\": ", "[", 100000);
    CU_ASSERT_EQUAL(s2clr_connection_parse(put(deep, strlen(deep)), NULL, &connection),
                    S2CLR_ERR_FORMAT);
    free(deep);
    VSIUnlink("/vsimem/folder/map.s2clr");
    CU_ASSERT_EQUAL(s2clr_connection_parse("/nowhere/a.s2clr", NULL, &connection), S2CLR_ERR_IO);
    CU_ASSERT_PTR_NULL(connection);
}

/* ---- written ---- */

static const char *path_of(const char *name)
{
    static char ring[4][600];
    static int next;
    char *path = ring[next++ % 4];
    snprintf(path, sizeof ring[0], "%s/%s", test_folder(), name);
    return path;
}

static char *text_of(const char *path)
{
    static char text[4000];
    FILE *file = fopen(path, "r");
    const size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = '\0';
    if (file) fclose(file);
    return text;
}

static void writes_a_sidecar(void)
{
    char below[600], map[600];
    snprintf(below, sizeof below, "%s", path_of("in/a \"b\".tif"));
    snprintf(map, sizeof map, "%s", path_of("map.s2clr"));
    const char *const inputs[] = {below, "/elsewhere/c.tif", "NETCDF:\"x.nc\":B04"};
    static const char *const options[] = {"stride=20", "PREVALENCE=0.125", "LEVEL=L2A",
                                          "OVERVIEW_LEVEL=1", NULL};
    s2clr_connection *connection = NULL;
    TEST_OK(s2clr_connection_write(map, "zoo-name", inputs, 3, options, false));
    const char *text = text_of(map);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"in/a \\\"b\\\".tif\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"STRIDE\": 20"));
    CU_ASSERT_PTR_NULL(strstr(text, "OVERVIEW_LEVEL"));
    CU_ASSERT(s2clr_connection_identify(map, text, strlen(text)));
    TEST_OK(s2clr_connection_parse(map, NULL, &connection));
    const s2clr_view_settings *s = s2clr_connection_settings(connection);
    CU_ASSERT_STRING_EQUAL(s->model, "zoo-name");
    CU_ASSERT_EQUAL_FATAL(s->input_count, 3);
    for (size_t i = 0; i < 3; i++) CU_ASSERT_STRING_EQUAL(s->inputs[i], inputs[i]);
    CU_ASSERT_EQUAL(s->stride, 20);
    CU_ASSERT_EQUAL(s->prevalence, 0.125);
    s2clr_connection_free(connection);
    CU_ASSERT_EQUAL(s2clr_connection_write(map, NULL, inputs, 1, NULL, false), S2CLR_ERR_EXISTS);
    TEST_OK(s2clr_connection_write(map, NULL, inputs, 1, NULL, true));
    TEST_OK(s2clr_connection_parse(map, NULL, &connection));
    CU_ASSERT_STRING_EQUAL(s2clr_connection_settings(connection)->model, "");
    s2clr_connection_free(connection);
}

/* Names relative to the current folder stay right from any other one. */
static void written_from_another_folder(void)
{
    char *old = get_current_dir_name();
    const char *const inputs[] = {"a.tif", "./sub//b.tif", "../c.tif"};
    char wanted[700];
    s2clr_connection *connection = NULL;
    CU_ASSERT_EQUAL_FATAL(chdir(test_folder()), 0);
    TEST_OK(s2clr_connection_write("here.s2clr", "", inputs, 3, NULL, false));
    CU_ASSERT_PTR_NOT_NULL(strstr(text_of("here.s2clr"), "\"sub/b.tif\""));
    CU_ASSERT_EQUAL_FATAL(chdir("/"), 0);
    TEST_OK(s2clr_connection_parse(path_of("here.s2clr"), NULL, &connection));
    const s2clr_view_settings *s = s2clr_connection_settings(connection);
    CU_ASSERT_STRING_EQUAL(s->inputs[0], path_of("a.tif"));
    CU_ASSERT_STRING_EQUAL(s->inputs[1], path_of("sub/b.tif"));
    snprintf(wanted, sizeof wanted, "%s/../c.tif", test_folder());
    CU_ASSERT_STRING_EQUAL(s->inputs[2], path_of("../c.tif"));
    CU_ASSERT_EQUAL(chdir(old), 0);
    s2clr_connection_free(connection);
    free(old);
}

static void refused_writing(void)
{
    char folder[600];
    const char *const inputs[] = {"/x/a.tif"}, *const latin[] = {"/x/\xe4.tif"};
    static const char *const wrong[] = {"STRIDE=x", NULL};
    snprintf(folder, sizeof folder, "%s", path_of("none/map.s2clr"));
    CU_ASSERT_EQUAL(s2clr_connection_write(folder, "", inputs, 1, NULL, false), S2CLR_ERR_IO);
    const char *map = path_of("new.s2clr");
    CU_ASSERT_EQUAL(s2clr_connection_write(map, "", inputs, 0, NULL, false), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_connection_write(map, "", latin, 1, NULL, false), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("UTF-8");
    CU_ASSERT_EQUAL(s2clr_connection_write(map, "", inputs, 1, wrong, false), S2CLR_ERR_ARGUMENT);
    /* A raster is not overwritten by the file that names it. */
    FILE *file = fopen(map, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fclose(file);
    CU_ASSERT_EQUAL(s2clr_connection_write(map, "", &map, 1, NULL, true), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(access(map, F_OK), 0);
}

static const test_case cases[] = {
    {"what stands in one", reads_a_sidecar},  {"what may not", refused_sidecars},
    {"one is written", writes_a_sidecar},     {"relative names", written_from_another_folder},
    {"what is not written", refused_writing},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("connection_sidecar", cases, argc, argv);
}
