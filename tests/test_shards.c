/*
 * Maps made in parts: rows dealt out, parts merged to the file a single run makes, wrong parts
 * refused by name.
 */
#include <cpl_string.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict/merge.h"
#include "predict/shards.h"
#include "predict_rig.h"

static void rows_are_dealt_out(void)
{
    for (int top = 0; top < 130; top += 43)
        for (int rows = 1; rows < 300; rows += 37)
            for (int unit = 1; unit <= 64; unit *= 4) {
                const int units = (top + rows - 1) / unit - top / unit + 1;
                for (int count = 1; count <= units && count < 12; count++) {
                    int next = 0;
                    for (int i = 1; i <= count; i++) {
                        s2clr_shard part = {0};
                        TEST_OK(s2clr_shard_rows(top, rows, unit, i, count, &part));
                        CU_ASSERT_EQUAL(part.row, next);
                        CU_ASSERT(part.rows > 0);
                        next += part.rows;
                        CU_ASSERT(i == count || (top + next) % unit == 0);
                    }
                    CU_ASSERT_EQUAL(next, rows);
                }
                s2clr_shard part = {0};
                CU_ASSERT_EQUAL(s2clr_shard_rows(top, rows, unit, 1, units + 1, &part),
                                S2CLR_ERR_ARGUMENT);
            }
}

static void names(void)
{
    static const char *const rows[][3] = {
        {"map.tif", "map.shard-2-of-3.tif", "map.shards-of-3.vrt"},
        {"/a.b/map", "/a.b/map.shard-2-of-3.tif", "/a.b/map.shards-of-3.vrt"},
        {"a/.map", "a/.map.shard-2-of-3.tif", "a/.map.shards-of-3.vrt"},
        {"m.x.tiff", "m.x.shard-2-of-3.tif", "m.x.shards-of-3.vrt"}};
    char name[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TEST_OK(s2clr_shard_name(rows[i][0], 2, 3, name, sizeof name));
        CU_ASSERT_STRING_EQUAL(name, rows[i][1]);
        TEST_OK(s2clr_shard_vrt_name(rows[i][0], 3, name, sizeof name));
        CU_ASSERT_STRING_EQUAL(name, rows[i][2]);
    }
    CU_ASSERT_EQUAL(s2clr_shard_name("map.tif", 2, 3, name, 10), S2CLR_ERR_ARGUMENT);
}

/* ---- files ---- */

static const rig_scene scene = {.width = 1301, .height = 903};

static void same_metadata(GDALMajorObjectH a, GDALMajorObjectH b, const char *domain)
{
    char **x = CSLDuplicate(GDALGetMetadata(a, domain)), **y = GDALGetMetadata(b, domain);
    CU_ASSERT_EQUAL(CSLCount(x), CSLCount(y));
    for (char **item = x; item && *item; item++) CU_ASSERT(CSLFindString(y, *item) >= 0);
    CSLDestroy(x);
}

static void same_band(GDALRasterBandH a, GDALRasterBandH b)
{
    const int columns = GDALGetRasterBandXSize(a), rows = GDALGetRasterBandYSize(a);
    CU_ASSERT_EQUAL_FATAL(columns, GDALGetRasterBandXSize(b));
    CU_ASSERT_EQUAL_FATAL(rows, GDALGetRasterBandYSize(b));
    float *x = calloc((size_t)columns, sizeof *x), *y = calloc((size_t)columns, sizeof *y);
    for (int row = 0; row < rows; row++) {
        CU_ASSERT_EQUAL(
            GDALRasterIO(a, GF_Read, 0, row, columns, 1, x, columns, 1, GDT_Float32, 0, 0),
            CE_None);
        CU_ASSERT_EQUAL(
            GDALRasterIO(b, GF_Read, 0, row, columns, 1, y, columns, 1, GDT_Float32, 0, 0),
            CE_None);
        rig_same_bytes(x, columns, 0, 0, y, columns, 1);
    }
    free(x);
    free(y);
}

/* Pixels, overviews, statistics, tags, georeference, structure. */
static void same_files(const char *a, const char *b)
{
    GDALDatasetH x = GDALOpen(a, GA_ReadOnly), y = GDALOpen(b, GA_ReadOnly);
    double s[6] = {0}, t[6] = {0};
    CU_ASSERT_FATAL(x && y);
    CU_ASSERT_EQUAL_FATAL(GDALGetRasterCount(x), GDALGetRasterCount(y));
    GDALGetGeoTransform(x, s);
    GDALGetGeoTransform(y, t);
    CU_ASSERT_EQUAL(memcmp(s, t, sizeof s), 0);
    CU_ASSERT_STRING_EQUAL(GDALGetProjectionRef(x), GDALGetProjectionRef(y));
    same_metadata(x, y, "S2CLR");
    same_metadata(x, y, NULL);
    same_metadata(x, y, "IMAGE_STRUCTURE");
    CU_ASSERT_PTR_NULL(GDALGetMetadata(y, "S2CLR_SHARD"));
    for (int i = 1; i <= GDALGetRasterCount(x); i++) {
        GDALRasterBandH p = GDALGetRasterBand(x, i), q = GDALGetRasterBand(y, i);
        same_metadata(p, q, NULL); /* statistics */
        CU_ASSERT(CSLCount(GDALGetMetadata(p, NULL)) >= 5);
        CU_ASSERT_STRING_EQUAL(GDALGetDescription(p), GDALGetDescription(q));
        CU_ASSERT_STRING_EQUAL(GDALGetRasterUnitType(p), GDALGetRasterUnitType(q));
        CU_ASSERT_EQUAL(GDALGetRasterScale(p, NULL), GDALGetRasterScale(q, NULL));
        same_band(p, q);
        CU_ASSERT_EQUAL_FATAL(GDALGetOverviewCount(p), GDALGetOverviewCount(q));
        CU_ASSERT(GDALGetOverviewCount(p) >= 1);
        for (int k = 0; k < GDALGetOverviewCount(p); k++)
            same_band(GDALGetOverview(p, k), GDALGetOverview(q, k));
    }
    GDALClose(x);
    GDALClose(y);
}

static s2clr_status merge(const char *const *parts, size_t count, const char *output)
{
    const s2clr_merge_settings settings = {
        .parts = parts, .count = count, .output = output, .overwrite = true, .threads = 1};
    s2clr_merge_result result;
    return s2clr_merge_run(&settings, NULL, &result);
}

enum { PARTS = 3 };

static void make_parts(rig_job *j, char names_out[PARTS][600], const char *list[PARTS])
{
    for (int i = 0; i < PARTS; i++) {
        j->settings.shard = i + 1;
        j->settings.shards = PARTS;
        TEST_OK(rig_job_run(j));
        snprintf(names_out[i], 600, "%.599s", j->result.output);
        list[PARTS - 1 - i] = names_out[i]; /* any order will do */
    }
    j->settings.shards = j->settings.shard = 0;
}

static void compare_whole_and_merged(const char *name, void (*change)(rig_job *))
{
    char whole[600], parts[PARTS][600], file[64];
    const char *list[PARTS];
    rig_job j;
    rig_job_make(rig_model_make("shards.safetensors", &rig_dense),
                 rig_scene_make("shards-in.tif", &scene), NULL, &j);
    snprintf(file, sizeof file, "%s.tif", name);
    snprintf(whole, sizeof whole, "%s", predict_rig_path(file));
    j.settings.output = whole;
    change(&j);
    TEST_OK(rig_job_run(&j));
    make_parts(&j, parts, list);
    snprintf(file, sizeof file, "%s-merged.tif", name);
    const char *merged = predict_rig_path(file);
    TEST_OK(merge(list, PARTS, merged));
    same_files(whole, merged);
}

static void several_bands(rig_job *j)
{
    static const int srcwin[4] = {13, 7, 1200, 880};
    j->settings.bands = "probability,entropy,valid,evidence";
    j->settings.prevalence = 0.2;
    j->settings.srcwin = srcwin;
}

static void cog_of_bytes(rig_job *j)
{
    j->settings.format = "COG";
    j->settings.byte_output = true;
}

static void blended(rig_job *j)
{
    j->settings.blend = true;
    j->settings.stride = 8;
}

static void packed(rig_job *j)
{
    static const char *const creation[] = {"COMPRESS=LZW", NULL};
    j->settings.creation = creation;
    j->settings.resume = true;
}

static void merged_is_whole(void)
{
    compare_whole_and_merged("bands", several_bands);
    compare_whole_and_merged("cog", cog_of_bytes);
    compare_whole_and_merged("blended", blended);
    compare_whole_and_merged("packed", packed);
}

/* The VRT shows what the parts hold. */
static void vrt(void)
{
    char parts[PARTS][600], name[600];
    const char *list[PARTS];
    rig_job j;
    rig_job_make(rig_model_make("shards.safetensors", &rig_dense),
                 rig_scene_make("shards-in.tif", &scene), predict_rig_path("v r&t.tif"), &j);
    TEST_OK(rig_job_run(&j));
    make_parts(&j, parts, list);
    TEST_OK(s2clr_shard_vrt_name(j.settings.output, PARTS, name, sizeof name));
    GDALDatasetH x = GDALOpen(j.settings.output, GA_ReadOnly), y = GDALOpen(name, GA_ReadOnly);
    CU_ASSERT_FATAL(x && y);
    same_band(GDALGetRasterBand(x, 1), GDALGetRasterBand(y, 1));
    GDALClose(x);
    GDALClose(y);
}

static void wrong_parts(void)
{
    char parts[PARTS][600], other[600];
    const char *list[PARTS];
    rig_job j;
    rig_job_make(rig_model_make("shards.safetensors", &rig_dense),
                 rig_scene_make("shards-in.tif", &scene), predict_rig_path("w.tif"), &j);
    make_parts(&j, parts, list);
    const char *out = predict_rig_path("w-merged.tif");
    const char *two[] = {parts[0], parts[2]};
    CU_ASSERT_EQUAL(merge(two, 2, out), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("part 2 of 3 is missing");
    CU_ASSERT_EQUAL(merge(list + 1, 2, out), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("part 3 of 3 is missing");
    const char *twice[] = {parts[0], parts[1], parts[1]};
    CU_ASSERT_EQUAL(merge(twice, 3, out), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("as ");
    j.settings.min_valid = 0.75;
    j.settings.output = predict_rig_path("other.tif");
    j.settings.shard = 2;
    j.settings.shards = PARTS;
    TEST_OK(rig_job_run(&j));
    snprintf(other, sizeof other, "%.599s", j.result.output);
    const char *foreign[] = {parts[0], other, parts[2]};
    CU_ASSERT_EQUAL(merge(foreign, 3, out), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("MIN_VALID");
    TEST_ERROR_SAYS("other.shard-2-of-3.tif");
    const char *none[] = {parts[0], j.input, parts[2]};
    CU_ASSERT_EQUAL(merge(none, 3, out), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("is no part");
    CU_ASSERT_EQUAL(merge(list, 3, parts[1]), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "w-merged.tif"), 0);
}

static const test_case cases[] = {
    {"rows are dealt out", rows_are_dealt_out},
    {"names", names},
    {"merged is whole", merged_is_whole},
    {"VRT", vrt},
    {"wrong parts", wrong_parts},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("shards", cases, argc, argv);
}
