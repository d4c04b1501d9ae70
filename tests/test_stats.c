/* Statistics of stores against closed forms, plain loops and GDAL's own. */
#define _GNU_SOURCE
#include <gdal.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "dataset/stats.h"
#include "dataset/stats_card.h"
#include "file/card.h"
#include "harness.h"
#include "report/stats_report.h"
#include "store_rig.h"

static s2clr_stats *measure(const char *path, const s2clr_stats_options *options, int threads,
                            s2clr_store **store)
{
    s2clr_pool *pool;
    s2clr_stats *stats = NULL;
    TEST_OK(s2clr_store_open(path, store));
    TEST_OK(s2clr_pool_new(threads, &pool));
    TEST_OK(s2clr_stats_make(*store, options, pool, NULL, &stats));
    s2clr_pool_free(pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stats);
    return stats;
}

static void done(s2clr_stats *stats, s2clr_store *store)
{
    s2clr_stats_free(stats);
    s2clr_store_close(store);
}

static const s2clr_stats_options plain = {.scale = 0.0001};

static const s2clr_band_stats *band_of(const s2clr_stats *stats, const char *name)
{
    for (size_t b = 0; b < stats->bands; b++)
        if (strcmp(stats->band[b].name, name) == 0) return &stats->band[b];
    CU_FAIL_FATAL("no such band");
    return NULL;
}

/* ---- a store of one band whose pixels are given ---- */

typedef struct one_patch {
    const char *labels[4]; /* ends with NULL */
    s2clr_label label;
    const char *split, *country, *date;
    double dn_offset;
    const uint16_t *dn; // (bands, 4)
} one_patch;

static void put_patches(const char *path, const char *const *bands, int count,
                        const one_patch *patches, size_t n)
{
    const s2clr_store_options options = {.title = "made up", .command = "test"};
    s2clr_store_writer *writer;
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%03zu", i);
        s2clr_patch_record r = {
            .name = name, .bands = count, .label = patches[i].label, .cover = -1, .level = "L2A"};
        for (int b = 0; b < count; b++) {
            r.band[b] = (s2clr_patch_band){
                .dtype = S2CLR_DTYPE_U16, .height = 2, .width = 2, .data = patches[i].dn + 4 * b};
            snprintf(r.band[b].name, sizeof r.band[b].name, "%s", bands[b]);
        }
        while (patches[i].labels[r.label_count]) {
            r.labels[r.label_count] = patches[i].labels[r.label_count];
            r.label_count++;
        }
        r.split = patches[i].split;
        r.country = patches[i].country;
        r.date = patches[i].date;
        r.dn_offset = patches[i].dn_offset;
        TEST_OK(s2clr_store_writer_put(writer, &r));
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
}

static const uint16_t dn_a[] = {1, 2, 3, 4}, dn_b[] = {5, 6, 7, 8}, dn_c[] = {0, 0, 65535, 100};
static const one_patch three[] = {
    {{"Rice", "Olives"}, S2CLR_LABEL_POSITIVE, "train", "Portugal", "2017-12-31", 0, dn_a},
    {{"Rice"}, S2CLR_LABEL_NEGATIVE, "test", "Spain", "2018-07-01", 0, dn_b},
    {{NULL}, S2CLR_LABEL_UNKNOWN, "train", "Spain", "", -1000, dn_c},
};
static const char *const b04[] = {"B04"};

static void closed_forms(void)
{
    const char *path = store_rig_path("closed");
    s2clr_store *store;
    put_patches(path, b04, 1, three, 2);
    s2clr_stats *stats = measure(path, &plain, 1, &store);
    const s2clr_band_stats *band = band_of(stats, "B04");
    /* 1..8: mean 4.5, variance (64 - 1) / 12 */
    CU_ASSERT_EQUAL(band->moments.count, 8);
    CU_ASSERT_TRUE(band->exact);
    TEST_NEAR(band->moments.mean, 4.5, 1e-15);
    TEST_NEAR(s2clr_stats_moments_sd(&band->moments), sqrt(63.0 / 12), 1e-14);
    CU_ASSERT_EQUAL(band->moments.minimum, 1);
    CU_ASSERT_EQUAL(band->moments.maximum, 8);
    static const double wanted[] = {1, 1, 1, 2, 4, 6, 8, 8, 8}; /* nearest rank */
    for (int p = 0; p < S2CLR_STATS_PERCENTILES; p++)
        CU_ASSERT_EQUAL(band->percentile[p], wanted[p]);
    uint64_t charted = 0;
    for (int i = 0; i < S2CLR_STATS_CHART; i++) charted += band->chart[i];
    CU_ASSERT_EQUAL(charted, 8);
    CU_ASSERT_EQUAL(stats->indices.groups, 0);
    done(stats, store);
}

static void offsets_nodata_and_parts(void)
{
    const char *path = store_rig_path("offsets");
    const s2clr_stats_options train = {
        .split = "train", .has_nodata = true, .nodata = 0, .scale = 0.0001};
    const s2clr_stats_options none = {.split = "validation", .scale = 0.0001};
    s2clr_store *store;
    s2clr_pool *pool;
    s2clr_stats *stats;
    put_patches(path, b04, 1, three, 3);
    stats = measure(path, &train, 1, &store);
    const s2clr_band_stats *band = band_of(stats, "B04");
    CU_ASSERT_EQUAL(stats->measured, 2);
    CU_ASSERT_EQUAL(band->moments.count, 6); /* 1 2 3 4, 64535, -900 */
    CU_ASSERT_EQUAL(band->left_out, 2);
    CU_ASSERT_EQUAL(band->moments.minimum, -900);
    CU_ASSERT_EQUAL(band->moments.maximum, 64535);
    TEST_NEAR(band->moments.mean, (1 + 2 + 3 + 4 + 64535 - 900) / 6.0, 1e-9);
    s2clr_stats_free(stats);
    TEST_OK(s2clr_pool_new(1, &pool));
    CU_ASSERT_EQUAL(s2clr_stats_make(store, &none, pool, NULL, &stats), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("none of the 3 patches");
    s2clr_pool_free(pool);
    s2clr_store_close(store);
}

static void is_count(const s2clr_count *count, const char *name, size_t patches, size_t positive,
                     size_t negative)
{
    CU_ASSERT_STRING_EQUAL(count->name, name);
    CU_ASSERT_EQUAL(count->patches, patches);
    CU_ASSERT_EQUAL(count->positive, positive);
    CU_ASSERT_EQUAL(count->negative, negative);
    CU_ASSERT_EQUAL(count->unknown, patches - positive - negative);
}

static void first_pair(void *context, const char *text)
{
    char *out = context;
    if (!*out) snprintf(out, 200, "%s", text);
}

static void labels_are_counted(void)
{
    const char *path = store_rig_path("labels");
    char said[200] = "";
    s2clr_store *store;
    put_patches(path, b04, 1, three, 3);
    s2clr_stats *stats = measure(path, &plain, 1, &store);
    const s2clr_label_stats *labels = &stats->labels;
    is_count(&labels->all, "all", 3, 1, 1);
    CU_ASSERT_EQUAL_FATAL(labels->classes, 2);
    is_count(&labels->class_[0], "Rice", 2, 1, 1);
    is_count(&labels->class_[1], "Olives", 1, 1, 0);
    CU_ASSERT_EQUAL(labels->pair[0], 2);
    CU_ASSERT_EQUAL(labels->pair[1], 1);
    CU_ASSERT_EQUAL(labels->pair[2], 1);
    is_count(&labels->table[S2CLR_STATS_SPLITS][0], "train", 2, 1, 0);
    is_count(&labels->table[S2CLR_STATS_SPLITS][1], "validation", 0, 0, 0);
    is_count(&labels->table[S2CLR_STATS_SPLITS][2], "test", 1, 0, 1);
    is_count(&labels->table[S2CLR_STATS_COUNTRIES][0], "Spain", 2, 0, 1);
    is_count(&labels->table[S2CLR_STATS_COUNTRIES][1], "Portugal", 1, 1, 0);
    is_count(&labels->table[S2CLR_STATS_SEASONS][0], "December to February", 1, 1, 0);
    is_count(&labels->table[S2CLR_STATS_SEASONS][2], "June to August", 1, 0, 1);
    is_count(&labels->table[S2CLR_STATS_SEASONS][4], "", 1, 0, 0);
    s2clr_stats_pairs(stats, NULL, 5, first_pair, said);
    CU_ASSERT_STRING_EQUAL(said, "1 image with Olives that is also Rice");
    done(stats, store);
}

/* ---- indices: the formulas again, pixel by pixel, and a correlation in two passes ---- */

enum { PIXELS = 40 * 4 };

static void indices_against_plain_loops(void)
{
    static const char *const bands[] = {"B04", "B08", "B11", "B12"};
    static uint16_t dn[40][16];
    static one_patch patches[40];
    static double value[5][PIXELS];
    const char *path = store_rig_path("indices");
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < 16; k++) dn[i][k] = (uint16_t)(4000 + (i * 631 + k * k * 197) % 1000);
        patches[i] = (one_patch){.label = i % 2 ? S2CLR_LABEL_POSITIVE : S2CLR_LABEL_NEGATIVE,
                                 .split = "",
                                 .country = "",
                                 .date = "",
                                 .dn_offset = -1000,
                                 .dn = dn[i]};
    }
    put_patches(path, bands, 4, patches, 40);
    double sum[2][5] = {{0}}, mean[5] = {0};
    for (int i = 0; i < PIXELS; i++) {
        const uint16_t *d = dn[i / 4] + i % 4;
        const double red = (d[0] - 1000) * 1e-4, nir = (d[4] - 1000) * 1e-4;
        const double swir = (d[8] - 1000) * 1e-4, swir2 = (d[12] - 1000) * 1e-4;
        value[0][i] = 2.5 * (nir - red) / (nir + 2.4 * red + 1);
        value[1][i] = 1.5 * (nir - red) / (nir + red + 0.5);
        value[2][i] = swir / nir;
        value[3][i] = (nir - swir) / (nir + swir);
        value[4][i] = (nir - (swir - swir2)) / (nir + (swir - swir2));
        for (int k = 0; k < 5; k++) sum[i / 4 % 2][k] += value[k][i];
    }
    s2clr_store *store;
    s2clr_stats *stats = measure(path, &plain, 2, &store);
    CU_ASSERT_EQUAL_FATAL(stats->indices.groups, 2);
    CU_ASSERT_EQUAL(stats->indices.left_out, 0);
    /* All values are in range (checked by the count), so that sums are those of all pixels. */
    CU_ASSERT_EQUAL_FATAL(stats->indices.pixels, PIXELS);
    for (int k = 0; k < 5; k++) {
        const s2clr_index_group *group = stats->indices.group;
        CU_ASSERT_STRING_EQUAL(group[0].name, "positive");
        TEST_NEAR(group[0].index[k].moments.mean, sum[1][k] / (PIXELS / 2), 1e-6);
        TEST_NEAR(group[1].index[k].moments.mean, sum[0][k] / (PIXELS / 2), 1e-6);
        CU_ASSERT(group[0].index[k].quantile[0] <= group[0].index[k].quantile[2]);
        for (int i = 0; i < PIXELS; i++) mean[k] += value[k][i] / PIXELS;
    }
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++) {
            double ab = 0, aa = 0, bb = 0;
            for (int i = 0; i < PIXELS; i++) {
                const double x = value[a][i] - mean[a], y = value[b][i] - mean[b];
                ab += x * y;
                aa += x * x;
                bb += y * y;
            }
            TEST_NEAR(stats->indices.correlation[a][b], ab / sqrt(aa * bb), 1e-5);
        }
    done(stats, store);
}

/* ---- threads, and what is written ---- */

static char *as_text(const char *path, int threads)
{
    s2clr_store *store;
    s2clr_stats *stats = measure(path, &plain, threads, &store);
    json_t *json = s2clr_stats_json(stats);
    char *text = json_dumps(json, JSON_REAL_PRECISION(17));
    json_decref(json);
    done(stats, store);
    return text;
}

static void threads_do_not_matter(void)
{
    const char *path = rig_store_make("threads", 0, 1100, 12); /* more than two rounds */
    char *one = as_text(path, 1), *four = as_text(path, 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(one);
    CU_ASSERT_STRING_EQUAL(one, four);
    free(one);
    free(four);
}

/* Reals: the same numbers as F32 give the same moments, by Chan's sums. */
static void reals_equal_wholes(void)
{
    static float real[64];
    static uint16_t whole[64];
    const char *path = store_rig_path("reals");
    const s2clr_store_options options = {.title = "", .command = "test"};
    s2clr_store_writer *writer;
    s2clr_store *store;
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    for (int i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%02d", i);
        for (int k = 0; k < 64; k++) {
            whole[k] = (uint16_t)(9000 + (i * 7919 + k * 104729) % 1000);
            real[k] = k == 5 ? NAN : (float)whole[k];
            if (k == 5) whole[k] = 1; /* the nodata of the other band */
        }
        s2clr_patch_record r = {
            .name = name,
            .bands = 2,
            .label = -1,
            .cover = -1,
            .band = {{"B01", S2CLR_DTYPE_U16, 8, 8, whole}, {"B02", S2CLR_DTYPE_F32, 8, 8, real}}};
        TEST_OK(s2clr_store_writer_put(writer, &r));
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
    const s2clr_stats_options without = {.has_nodata = true, .nodata = 1, .scale = 1};
    s2clr_stats *stats = measure(path, &without, 2, &store);
    const s2clr_band_stats *a = band_of(stats, "B01"), *b = band_of(stats, "B02");
    CU_ASSERT_EQUAL(a->moments.count, 60 * 63);
    CU_ASSERT_EQUAL(b->moments.count, 60 * 63);
    CU_ASSERT_EQUAL(b->left_out, 60);
    CU_ASSERT_TRUE(a->exact && !b->exact);
    TEST_NEAR(a->moments.mean, b->moments.mean, 1e-9);
    TEST_NEAR(s2clr_stats_moments_sd(&a->moments), s2clr_stats_moments_sd(&b->moments), 1e-9);
    done(stats, store);
}

/* ---- GDAL's own statistics of the same pixels ---- */

static void as_gdal_has_them(void)
{
    enum { PX = 24, COUNT = 30 };
    static uint16_t pixels[COUNT * PX * PX];
    const char *path = rig_store_make("gdal", 0, COUNT, PX);
    const s2clr_stats_options options = {.scale = 0.0001};
    double low, high, mean, sd;
    s2clr_store *store;
    for (int i = 0; i < COUNT; i++)
        for (size_t k = 0; k < PX * PX; k++)
            pixels[(size_t)i * PX * PX + k] = rig_patch_dn(i, "B02", k);
    GDALAllRegister();
    GDALDatasetH raster =
        GDALCreate(GDALGetDriverByName("MEM"), "", PX, COUNT * PX, 1, GDT_UInt16, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(raster);
    GDALRasterBandH band = GDALGetRasterBand(raster, 1);
    CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Write, 0, 0, PX, COUNT * PX, pixels, PX, COUNT * PX,
                                 GDT_UInt16, 0, 0),
                    CE_None);
    CU_ASSERT_EQUAL(GDALComputeRasterStatistics(band, FALSE, &low, &high, &mean, &sd, NULL, NULL),
                    CE_None);
    GDALClose(raster);
    s2clr_stats *stats = measure(path, &options, 2, &store);
    const s2clr_band_stats *b02 = band_of(stats, "B02");
    /* The rig's patches have an offset of -1000. */
    CU_ASSERT_EQUAL(b02->moments.minimum, low - 1000);
    CU_ASSERT_EQUAL(b02->moments.maximum, high - 1000);
    TEST_NEAR(b02->moments.mean, mean - 1000, 1e-9);
    TEST_NEAR(s2clr_stats_moments_sd(&b02->moments), sd, 1e-9);
    done(stats, store);
}

/* ---- outputs ---- */

static void the_card_is_taken(void)
{
    const char *path = rig_store_make("card", 0, 40, 12);
    char file[4400];
    s2clr_store *store;
    s2clr_stats *stats = measure(path, &plain, 1, &store);
    snprintf(file, sizeof file, "%s/card.json", test_folder());
    TEST_OK(s2clr_stats_card(stats, path, "B05,B02", file));
    json_t *card = json_load_file(file, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    const double mean = json_real_value(json_array_get(json_object_get(card, "mean"), 1));
    const double sd = json_real_value(json_array_get(json_object_get(card, "std"), 1));
    TEST_NEAR(mean, band_of(stats, "B02")->moments.mean * 1e-4, 1e-12);
    TEST_NEAR(sd, s2clr_stats_moments_sd(&band_of(stats, "B02")->moments) * 1e-4, 1e-12);
    json_decref(card);
    CU_ASSERT_EQUAL(s2clr_stats_card(stats, path, "B05,B99", file), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("B99");
    CU_ASSERT_EQUAL(s2clr_stats_card(stats, path, NULL, "/nowhere/at/all.json"), S2CLR_ERR_IO);
    done(stats, store);
}

static void the_page_is_whole(void)
{
    static const one_patch hostile[] = {
        {{"<script>alert(1)</script>", "a & \"b\""}, S2CLR_LABEL_POSITIVE, "", "<b>", "", 0, dn_a},
        {{"a & \"b\""}, S2CLR_LABEL_NEGATIVE, "", "", "", 0, dn_b},
    };
    const char *path = store_rig_path("hostile");
    char file[4400];
    size_t size;
    s2clr_store *store;
    put_patches(path, b04, 1, hostile, 2);
    s2clr_stats *stats = measure(path, &plain, 1, &store);
    snprintf(file, sizeof file, "%s/stats.html", test_folder());
    TEST_OK(s2clr_stats_html(file, "hostile", stats));
    char *page = (char *)rig_file_read(file, &size);
    page[size] = '\0';
    CU_ASSERT_PTR_NULL(strstr(page, "<script"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "&lt;script&gt;alert(1)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "a &amp; &quot;b&quot;"));
    CU_ASSERT_PTR_NULL(strstr(page, "http://"));
    CU_ASSERT_PTR_NULL(strstr(page, "nan"));
    CU_ASSERT_STRING_EQUAL(page + size - 8, "</html>\n");
    free(page);
    CU_ASSERT_EQUAL(s2clr_stats_html("/nowhere/at/all.html", "x", stats), S2CLR_ERR_IO);
    CU_ASSERT_NOT_EQUAL(access("/nowhere/at/all.html.part", F_OK), 0);
    done(stats, store);
}

static const test_case cases[] = {
    {"closed forms", closed_forms},
    {"offsets, nodata and parts", offsets_nodata_and_parts},
    {"labels are counted", labels_are_counted},
    {"indices against plain loops", indices_against_plain_loops},
    {"threads do not matter", threads_do_not_matter},
    {"reals equal wholes", reals_equal_wholes},
    {"as GDAL has them", as_gdal_has_them},
    {"the card is taken", the_card_is_taken},
    {"the page is whole", the_page_is_whole},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("stats", cases, argc, argv);
}
