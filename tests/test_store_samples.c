#define _GNU_SOURCE
#include "harness.h"

#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "dataset/store_samples.h"
#include "store_rig.h"
#include "train/normalise.h"

enum { PX = 60 };

static s2clr_card *make_card(int patch, const char *resampling)
{
    static const char *const bands[] = {"B05", "B02", "B01"};
    s2clr_card *card;
    TEST_OK(s2clr_card_new(&card));
    card->bands = 3;
    for (int b = 0; b < 3; b++) {
        snprintf(card->band[b], sizeof card->band[b], "%s", bands[b]);
        card->std[b] = 1;
    }
    card->levels = 1;
    snprintf(card->level[0].name, sizeof card->level[0].name, "L2A");
    for (int b = 0; b < 3; b++) card->level[0].gain[b] = 1;
    card->level[0].low = -1e6;
    card->level[0].high = 1e6;
    card->level[0].has_nodata = true;
    card->patch = patch;
    card->metres = 10;
    snprintf(card->resampling, sizeof card->resampling, "%s", resampling);
    return card;
}

static s2clr_samples open_samples(const char *path, const s2clr_card *card,
                                  const s2clr_store_samples_options *options)
{
    s2clr_samples samples = {0};
    TEST_OK(s2clr_store_samples_open(path, card, options, &samples));
    CU_ASSERT_PTR_NOT_NULL_FATAL(samples.self);
    return samples;
}

static float *patch_room(const s2clr_samples *s)
{
    float *dn = malloc((size_t)s->channels * (size_t)s->size * (size_t)s->size * sizeof *dn);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dn);
    return dn;
}

/* ---- pixels ---- */

/* GDAL's own resampling of the whole band. */
static void gdal_resampled(int number, const char *band, int side, int size, GDALRIOResampleAlg how,
                           float *out)
{
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("MEM"), "", side, side, 1, GDT_Float32, NULL);
    float *source = malloc((size_t)(side * side) * sizeof *source);
    GDALRasterIOExtraArg extra;
    INIT_RASTERIO_EXTRA_ARG(extra);
    extra.eResampleAlg = how;
    for (int i = 0; i < side * side; i++) source[i] = rig_patch_dn(number, band, (size_t)i);
    GDALRasterBandH raster = GDALGetRasterBand(dataset, 1);
    CU_ASSERT_EQUAL(
        GDALRasterIO(raster, GF_Write, 0, 0, side, side, source, side, side, GDT_Float32, 0, 0),
        CE_None);
    CU_ASSERT_EQUAL(GDALRasterIOEx(raster, GF_Read, 0, 0, side, side, out, size, size, GDT_Float32,
                                   0, 0, &extra),
                    CE_None);
    GDALClose(dataset);
    free(source);
}

static void compare_with_gdal(const char *path, const char *method, GDALRIOResampleAlg how)
{
    static const char *const bands[] = {"B05", "B02", "B01"};
    static const int divisor[] = {2, 1, 6};
    static float expected[PX * PX];
    s2clr_card *card = make_card(PX, method);
    const s2clr_store_samples_options options = {.unlabelled = true};
    s2clr_samples samples = open_samples(path, card, &options);
    float *dn = patch_room(&samples);
    CU_ASSERT_EQUAL(samples.count, 5);
    CU_ASSERT_EQUAL(samples.channels, 3);
    CU_ASSERT_EQUAL(samples.size, PX);
    for (int n = 0; n < 5; n++) {
        TEST_OK(samples.read(samples.self, (size_t)n, dn));
        for (int c = 0; c < 3; c++) {
            float worst = 0;
            gdal_resampled(n, bands[c], PX / divisor[c], PX, how, expected);
            for (int i = 0; i < PX * PX; i++)
                worst = fmaxf(worst, fabsf(dn[c * PX * PX + i] + 1000 - expected[i]));
            TEST_NEAR(worst, 0, 0.002);
        }
    }
    CU_ASSERT_EQUAL(samples.read(samples.self, 5, dn), S2CLR_ERR_ARGUMENT);
    free(dn);
    samples.free(samples.self);
    s2clr_card_free(card);
}

static void resampling_is_that_of_gdal(void)
{
    const char *path = rig_store_make("resampled", 0, 5, PX);
    compare_with_gdal(path, "bilinear", GRIORA_Bilinear);
    compare_with_gdal(path, "cubic", GRIORA_Cubic);
    compare_with_gdal(path, "nearest", GRIORA_NearestNeighbour);
}

typedef struct reading {
    const s2clr_samples *samples;
    float *dn[4], *expected; // (count, channels, size, size)
    size_t floats;
} reading;

static s2clr_status read_one(void *context, size_t item, int worker)
{
    reading *job = context;
    const size_t index = item * 7 % job->samples->count;
    S2CLR_TRY(job->samples->read(job->samples->self, index, job->dn[worker]));
    if (memcmp(job->dn[worker], job->expected + index * job->floats, job->floats * sizeof(float)) !=
        0)
        return s2clr_error_set(S2CLR_ERR_MISMATCH, "sample %zu differs", index);
    return S2CLR_OK;
}

static void threads_read_the_same(void)
{
    const char *path = rig_store_make("threads", 0, 40, 12);
    s2clr_card *card = make_card(12, "cubic");
    const s2clr_store_samples_options options = {.unlabelled = true};
    s2clr_samples samples = open_samples(path, card, &options);
    s2clr_pool *pool;
    reading job = {.samples = &samples, .floats = 3 * 12 * 12};
    job.expected = malloc(samples.count * job.floats * sizeof(float));
    for (size_t i = 0; i < samples.count; i++)
        TEST_OK(samples.read(samples.self, i, job.expected + i * job.floats));
    for (int i = 0; i < 4; i++) job.dn[i] = patch_room(&samples);
    TEST_OK(s2clr_pool_new(4, &pool));
    TEST_OK(s2clr_pool_run(pool, read_one, &job, 2000));
    s2clr_pool_free(pool);
    for (int i = 0; i < 4; i++) free(job.dn[i]);
    free(job.expected);
    samples.free(samples.self);
    s2clr_card_free(card);
}

/* DN 0 is nodata whatever the offset; DN 1000 with offset -1000 is a dark pixel and not nodata. */
static void nodata_is_judged_before_the_offset(void)
{
    const char *path = store_rig_path("nodata");
    static uint16_t dn[12 * 12], half[6 * 6];
    static float x[3 * 12 * 12], v[3 * 12 * 12];
    rig_patch patch;
    s2clr_store_writer *writer;
    const s2clr_store_options create = {.append = false};
    rig_patch_make(&patch, 3, 12);
    for (int i = 0; i < 144; i++) dn[i] = 1000;
    for (int i = 0; i < 36; i++) half[i] = 3000;
    dn[5] = 0;
    half[0] = 0;
    patch.record.band[0].data = dn;
    patch.record.band[1].data = half;
    TEST_OK(s2clr_store_writer_open(path, &create, &writer));
    TEST_OK(s2clr_store_writer_put(writer, &patch.record));
    TEST_OK(s2clr_store_writer_close(writer, true));
    rig_patch_clear(&patch);
    s2clr_card *card = make_card(12, "cubic");
    const s2clr_store_samples_options options = {.unlabelled = true};
    s2clr_samples samples = open_samples(path, card, &options);
    TEST_OK(samples.read(samples.self, 0, x));
    s2clr_normalise_unit(card, &card->level[0], NULL, NULL, 144, x, v);
    for (int i = 0; i < 144; i++) {
        /* The first pixel of the 20 m band covers four of the 10 m band. */
        const bool hole = i == 0 || i == 1 || i == 12 || i == 13;
        CU_ASSERT_EQUAL(isnan(x[i]) != 0, hole);
        if (!hole) TEST_NEAR(x[i], 2000, 0.001);
        CU_ASSERT_EQUAL(isnan(x[144 + i]) != 0, i == 5);
        CU_ASSERT_EQUAL(isnan(v[i]) != 0, hole || i == 5);
        if (i != 5) TEST_NEAR(x[144 + i], 0, 1e-30);
    }
    samples.free(samples.self);
    s2clr_card_free(card);
}

/* ---- which patches, which labels ---- */

static int count_positives(const s2clr_samples *samples)
{
    int sum = 0;
    for (size_t i = 0; i < samples->count; i++) sum += samples->labels[i] == 1;
    return sum;
}

/* Unknown labels are -1, and only there when they are asked for. */
static void check_known(const s2clr_samples *samples, const s2clr_store_samples_options *options)
{
    for (size_t k = 0; k < samples->count && !options->positive; k++) {
        int number;
        CU_ASSERT_EQUAL(sscanf(strchr(samples->names[k], '/'), "/%d", &number), 1);
        CU_ASSERT_EQUAL(samples->labels[k], number % 3 - 1);
        CU_ASSERT(samples->labels[k] >= 0 || options->unlabelled);
    }
}

/* Of number n: label n % 3 - 1, split by n % 4, n % 3 class names from number n % 3 on. */
static void splits_and_labels_choose(void)
{
    const char *path = rig_store_make("chosen", 0, 24, 12);
    s2clr_card *card = make_card(12, "bilinear");
    static const struct {
        s2clr_store_samples_options options;
        size_t count;
        int positives;
    } choices[] = {
        {{.unlabelled = true}, 24, 8},
        {{.split = NULL}, 16, 8},
        {{.split = "train"}, 4, 2},
        {{.split = "", .unlabelled = true}, 6, 2},
        {{.level = "L2A", .split = "test"}, 4, 2},
        /* Names: of n % 3 == 1 one, "Vineyards"; of 2 "Beaches, dunes, sands" and "Rice fields". */
        {{.positive = "Vineyards"}, 16, 8},
        {{.positive = "Rice fields"}, 16, 8},
        {{.positive = "Beaches, dunes, sands, Vineyards"}, 16, 16},
        {{.positive = "Rice fields,Beaches, dunes, sands", .unlabelled = true}, 24, 8},
        {{.group = "country"}, 16, 8},
    };
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        s2clr_samples samples = open_samples(path, card, &choices[i].options);
        CU_ASSERT_EQUAL(samples.count, choices[i].count);
        CU_ASSERT_EQUAL(count_positives(&samples), choices[i].positives);
        check_known(&samples, &choices[i].options);
        CU_ASSERT_STRING_EQUAL(s2clr_store_samples_level(&samples), "L2A");
        CU_ASSERT_EQUAL(samples.groups != NULL, choices[i].options.group != NULL);
        for (size_t k = 0; samples.groups && k < samples.count; k++) {
            int number;
            CU_ASSERT_EQUAL(sscanf(strchr(samples.names[k], '/'), "/%d", &number), 1);
            CU_ASSERT_STRING_EQUAL(samples.group_names[samples.groups[k]],
                                   number % 2 ? "Serbia" : "Österreich");
        }
        samples.free(samples.self);
    }
    s2clr_card_free(card);
}

static void is_refused(const char *path, s2clr_card *card,
                       const s2clr_store_samples_options *options, const char *text)
{
    s2clr_samples samples;
    CU_ASSERT_NOT_EQUAL(s2clr_store_samples_open(path, card, options, &samples), S2CLR_OK);
    TEST_ERROR_SAYS(text);
}

static void what_does_not_fit_is_refused(void)
{
    const char *path = rig_store_make("refused", 0, 6, 12);
    const s2clr_store_samples_options all = {.unlabelled = true};
    const s2clr_store_samples_options class = {.positive = "Vinyards"};
    const s2clr_store_samples_options group = {.group = "colour"};
    const s2clr_store_samples_options level = {.level = "L1C"};
    s2clr_card *card = make_card(12, "cubic");
    is_refused(path, card, &class, "such as 'Vineyards'");
    is_refused(path, card, &group, "labels, country or tile");
    is_refused(path, card, &level, "level 'L1C'");
    card->patch = 20; /* 6 m per pixel */
    is_refused(path, card, &all, "12 pixels of 10 m wide, the model wants 20 of 10 m");
    card->patch = 12;
    snprintf(card->band[0], sizeof card->band[0], "B8A");
    is_refused(path, card, &all, "no band B8A");
    s2clr_card_free(card);
}

static void mixed_levels_are_refused(void)
{
    const char *path = rig_store_make("mixed", 0, 2, 12);
    const s2clr_store_options append = {.append = true};
    const s2clr_store_samples_options all = {.unlabelled = true};
    const s2clr_store_samples_options one = {.unlabelled = true, .level = "L1C"};
    s2clr_card *card = make_card(12, "cubic");
    s2clr_store_writer *writer;
    rig_patch patch;
    rig_patch_make(&patch, 2, 12);
    patch.record.level = "L1C";
    patch.record.bands = 2; /* without B01 */
    TEST_OK(s2clr_store_writer_open(path, &append, &writer));
    TEST_OK(s2clr_store_writer_put(writer, &patch.record));
    TEST_OK(s2clr_store_writer_close(writer, true));
    is_refused(path, card, &all, "'L1C', others are of level 'L2A'");
    s2clr_samples samples = open_samples(path, card, &one);
    CU_ASSERT_STRING_EQUAL(s2clr_store_samples_level(&samples), "L1C");
    float *dn = patch_room(&samples);
    CU_ASSERT_EQUAL(samples.read(samples.self, 0, dn), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("no band B01");
    free(dn);
    samples.free(samples.self);
    rig_patch_clear(&patch);
    s2clr_card_free(card);
}

static const test_case cases[] = {
    {"resampling_is_that_of_gdal", resampling_is_that_of_gdal},
    {"threads_read_the_same", threads_read_the_same},
    {"nodata_is_judged_before_the_offset", nodata_is_judged_before_the_offset},
    {"splits_and_labels_choose", splits_and_labels_choose},
    {"what_does_not_fit_is_refused", what_does_not_fit_is_refused},
    {"mixed_levels_are_refused", mixed_levels_are_refused},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("store samples", cases, argc, argv);
}
