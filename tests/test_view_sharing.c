/*
 * What views share: finished blocks of the same files and settings, and of nothing else. Whatever
 * changes beneath a raster, no view gives values of what was there before.
 */
#define _POSIX_C_SOURCE 200809L
#include <cpl_vsi.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict/result_cache.h"
#include "view_rig.h"

static const rig_scene other_scene = {.width = 612, .height = 349, .crs = "EPSG:32633"};

static size_t map_bytes(const s2clr_view_settings *settings)
{
    s2clr_view *view = rig_view_open(settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    const size_t bytes = (size_t)info->columns * (size_t)info->rows * sizeof(float);
    s2clr_view_close(view);
    return bytes;
}

/* ---- sharing ---- */

static void shares_results(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    const size_t bytes = map_bytes(&settings);
    uint64_t first, second, other;
    float *a = rig_view_fresh(&settings, &first), *b = rig_view_fresh(&settings, &second);
    CU_ASSERT(first > 0);
    CU_ASSERT_EQUAL(second, 0);
    CU_ASSERT_EQUAL(memcmp(a, b, bytes), 0);
    /* Any setting that matters makes other results; threads and the cache do not. */
    s2clr_view_settings changed = settings;
    changed.min_valid = 0.75;
    free(rig_view_fresh(&changed, &other));
    CU_ASSERT_EQUAL(other, first);
    changed = settings;
    changed.prevalence = 0.2;
    free(rig_view_fresh(&changed, &other));
    CU_ASSERT_EQUAL(other, first);
    changed = settings;
    changed.bands = "entropy";
    free(rig_view_fresh(&changed, &other));
    CU_ASSERT_EQUAL(other, first);
    changed = settings;
    changed.threads = 1;
    free(rig_view_fresh(&changed, &other));
    CU_ASSERT_EQUAL(other, 0);
    free(a);
    free(b);
}

static void sees_a_changed_file(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    const size_t bytes = map_bytes(&settings);
    uint64_t units;
    float *before = rig_view_fresh(&settings, &units);
    rig_scene_make("state.tif", &other_scene);
    float *at_once = rig_view_fresh(&settings, &units);
    CU_ASSERT(units > 0);
    CU_ASSERT_NOT_EQUAL(memcmp(before, at_once, bytes), 0);
    s2clr_result_cache_clear();
    float *expected = rig_view_fresh(&settings, &units);
    CU_ASSERT_EQUAL(memcmp(expected, at_once, bytes), 0);
    free(before);
    free(at_once);
    free(expected);
}

/* A view that stays open while its file changes gives nothing to those that open it later. */
static void keeps_old_values_to_itself(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    const size_t bytes = map_bytes(&settings);
    uint64_t units;
    s2clr_view *old = rig_view_open(&settings);
    rig_scene_make("state.tif", &other_scene);
    rig_settle();
    free(rig_view_read(old, 1));
    CU_ASSERT_EQUAL(s2clr_result_cache_bytes(), 0);
    float *map = rig_view_fresh(&settings, &units);
    s2clr_result_cache_clear();
    float *expected = rig_view_fresh(&settings, &units);
    CU_ASSERT_EQUAL(memcmp(map, expected, bytes), 0);
    s2clr_view_close(old);
    free(map);
    free(expected);
}

/* What lies beneath the raster named: a VRT of a VRT of the file, a zip. */
static void looks_beneath(const char *name, bool shared)
{
    s2clr_view_settings settings = rig_view_prepare();
    const char *const names[] = {name};
    const size_t bytes = map_bytes(&settings);
    uint64_t first, second, third;
    settings.inputs = names;
    float *a = rig_view_fresh(&settings, &first), *b = rig_view_fresh(&settings, &second);
    CU_ASSERT_EQUAL(second, shared ? 0 : first);
    CU_ASSERT_EQUAL(memcmp(a, b, bytes), 0);
    rig_scene_make("state.tif", &other_scene);
    float *c = rig_view_fresh(&settings, &third);
    CU_ASSERT_EQUAL(third > 0, true);
    CU_ASSERT_NOT_EQUAL(memcmp(a, c, bytes), 0);
    free(a);
    free(b);
    free(c);
}

static void looks_below_vrts(void)
{
    char outer[600], inner[600];
    snprintf(outer, sizeof outer, "%s", predict_rig_path("outer.vrt"));
    snprintf(inner, sizeof inner, "%s", predict_rig_path("inner.vrt"));
    rig_view_vrt(outer, inner);
    rig_view_vrt(inner, predict_rig_path("state.tif"));
    looks_beneath(outer, true);
    CU_ASSERT_EQUAL(VSIUnlink(inner), 0);
    VSIFCloseL(VSIFOpenL("/vsimem/inner.vrt", "wb"));
    rig_view_vrt("/vsimem/inner.vrt", predict_rig_path("state.tif"));
    rig_view_vrt(outer, "/vsimem/inner.vrt");
    looks_beneath(outer, false);
    VSIUnlink("/vsimem/inner.vrt");
}

static void zip_scene(const char *name, const rig_scene *scene)
{
    char source[600], target[700];
    snprintf(source, sizeof source, "%s", rig_scene_make("packed.tif", scene));
    snprintf(target, sizeof target, "/vsizip/%s/packed.tif", name);
    remove(name);
    VSILFILE *from = VSIFOpenL(source, "rb"), *to = VSIFOpenL(target, "wb");
    static char buffer[1 << 16];
    size_t n;
    while (from && to && (n = VSIFReadL(buffer, 1, sizeof buffer, from)) > 0)
        VSIFWriteL(buffer, 1, n, to);
    if (from) VSIFCloseL(from);
    if (to) VSIFCloseL(to);
}

static void looks_into_zips(void)
{
    s2clr_view_settings settings = rig_view_prepare();
    char zip[600], name[700];
    const char *const names[] = {name};
    uint64_t first, second, third;
    snprintf(zip, sizeof zip, "%s", predict_rig_path("scene.zip"));
    snprintf(name, sizeof name, "/vsizip/%s/packed.tif", zip);
    zip_scene(zip, &rig_scene_small);
    rig_settle();
    settings.inputs = names;
    const size_t bytes = map_bytes(&settings);
    float *a = rig_view_fresh(&settings, &first), *b = rig_view_fresh(&settings, &second);
    CU_ASSERT_EQUAL(second, 0);
    zip_scene(zip, &other_scene);
    rig_settle();
    float *c = rig_view_fresh(&settings, &third);
    CU_ASSERT_EQUAL(third, first);
    CU_ASSERT_NOT_EQUAL(memcmp(a, c, bytes), 0);
    free(a);
    free(b);
    free(c);
}

/* Memory has no times of change: nothing is shared, so nothing can be stale. */
static void memory_is_never_shared(void)
{
    s2clr_view_settings settings = rig_view_prepare();
    static const char *const names[] = {"/vsimem/state.tif"};
    uint64_t first, second;
    GDALDriverH driver = GDALGetDriverByName("GTiff");
    GDALDatasetH from = GDALOpen(settings.inputs[0], GA_ReadOnly);
    GDALClose(GDALCreateCopy(driver, names[0], from, FALSE, NULL, NULL, NULL));
    GDALClose(from);
    settings.inputs = names;
    free(rig_view_fresh(&settings, &first));
    free(rig_view_fresh(&settings, &second));
    CU_ASSERT(first > 0);
    CU_ASSERT_EQUAL(first, second);
    VSIUnlink(names[0]);
}

static const test_case cases[] = {
    {"views share results", shares_results},
    {"a changed file is seen", sees_a_changed_file},
    {"old values stay where they are", keeps_old_values_to_itself},
    {"files beneath VRTs", looks_below_vrts},
    {"files in a zip", looks_into_zips},
    {"memory is never shared", memory_is_never_shared},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("view_sharing", cases, argc, argv);
}
