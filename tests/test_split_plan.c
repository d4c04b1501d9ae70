/* Splits that do not leak: blocks, margins, groups, folds, balance; distances by brute force. */
#define _GNU_SOURCE
#include "harness.h"

#include <gdal.h>
#include <geodesic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "dataset/balance.h"
#include "dataset/images.h"
#include "dataset/psplit.h"
#include "dataset/split_groups.h"
#include "store_rig.h"

enum { PATCHES = 700, SIDE = 6 };

/* Patches of 1.2 km, scattered over 60 x 60 km around a corner of two zones near the antimeridian;
 * every fifth lies beside the one before. */
static void place_patch(rig_patch *patch, int number)
{
    const uint64_t n = (uint64_t)number;
    s2clr_patch_record *r = &patch->record;
    rig_patch_make(patch, number, SIDE);
    const bool beside = number % 5 == 4;
    const uint64_t from = beside ? n - 1 : n;
    const bool west = s2clr_random_below(1, from, 0, 2) == 0;
    const double x = (west ? 790000 : 180000) + s2clr_random_below(1, from, 1, 30000);
    const double y = 8110000 + s2clr_random_below(1, from, 2, 60000);
    const double transform[6] = {x + (beside ? 1200 : 0), 200, 0, y, 0, -200};
    memcpy(r->transform, transform, sizeof transform);
    r->crs = west ? "EPSG:32760" : "EPSG:32701";
    snprintf(patch->tile, sizeof patch->tile, "T%02d", number % 23);
    snprintf(patch->date, sizeof patch->date, "%d-06-01", 2001 + number % 20);
    r->country = number % 7 ? (number % 3 ? "Fiji" : "Tonga") : "";
}

static s2clr_store *make_store(const char *name, int count)
{
    const s2clr_store_options options = {.append = true};
    s2clr_store_writer *writer;
    s2clr_store *store;
    const char *path = store_rig_path(name);
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    for (int i = 0; i < count; i++) {
        rig_patch patch;
        place_patch(&patch, i);
        if (!s2clr_store_writer_has(writer, patch.name))
            TEST_OK(s2clr_store_writer_put(writer, &patch.record));
        rig_patch_clear(&patch);
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
    TEST_OK(s2clr_store_open(path, &store));
    CU_ASSERT_EQUAL_FATAL(s2clr_store_count(store), (size_t)count);
    return store;
}

static s2clr_store *shared;

static s2clr_store *shared_store(void)
{
    if (!shared) shared = make_store("shared", PATCHES);
    return shared;
}

static double metres(const s2clr_store_row *a, const s2clr_store_row *b)
{
    struct geod_geodesic wgs84;
    double ax, ay, bx, by, s, azimuth;
    s2clr_row_centre(a, &ax, &ay);
    s2clr_row_centre(b, &bx, &by);
    geod_init(&wgs84, 6378137, 1 / 298.257223563);
    geod_inverse(&wgs84, ay, ax, by, bx, &s, &azimuth, &azimuth);
    return s;
}

static int count_part(const char *const *split, const char *name)
{
    int count = 0;
    for (int i = 0; i < PATCHES; i++) count += strcmp(split[i], name) == 0;
    return count;
}

/* ---- random ---- */

static void random_is_the_split_of_names(void)
{
    s2clr_store *store = shared_store();
    const char *split[PATCHES], *seeded[PATCHES];
    s2clr_split_plan plan = {.method = "random", .test = 0.2, .validation = 0.1};
    static const char *const names[] = {[S2CLR_SPLIT_TRAIN] = "train",
                                        [S2CLR_SPLIT_VALIDATION] = "validation",
                                        [S2CLR_SPLIT_TEST] = "test"};
    int different = 0;
    TEST_OK(s2clr_split_assign(store, &plan, split));
    plan.seed = 7;
    TEST_OK(s2clr_split_assign(store, &plan, seeded));
    for (size_t i = 0; i < PATCHES; i++) {
        const char *name = s2clr_store_row_at(store, i)->name;
        CU_ASSERT_STRING_EQUAL(split[i], names[s2clr_split_of(name, 0.2, 0.1)]);
        different += strcmp(split[i], seeded[i]) != 0;
    }
    CU_ASSERT_TRUE(different > PATCHES / 5);
    /* Four standard deviations of a binomial count. */
    const char *const *splits[] = {split, seeded};
    for (int i = 0; i < 2; i++) {
        TEST_NEAR(count_part(splits[i], "test"), 0.2 * PATCHES, 4 * sqrt(PATCHES * 0.2 * 0.8));
        TEST_NEAR(count_part(splits[i], "validation"), 0.1 * PATCHES, 4 * sqrt(PATCHES * 0.09));
    }
}

static void folds_cover_everything_once(void)
{
    static const char *const methods[] = {"random", "blocks", "tile"};
    s2clr_store *store = shared_store();
    for (size_t m = 0; m < 3; m++) {
        int tested[PATCHES] = {0}, validated[PATCHES] = {0};
        for (int fold = 0; fold < 5; fold++) {
            const char *split[PATCHES];
            const s2clr_split_plan plan = {.method = methods[m],
                                           .validation = 0.2,
                                           .block_metres = 3000,
                                           .folds = 5,
                                           .fold = fold,
                                           .seed = 3};
            TEST_OK(s2clr_split_assign(store, &plan, split));
            for (int i = 0; i < PATCHES; i++) {
                tested[i] += strcmp(split[i], "test") == 0;
                validated[i] += strcmp(split[i], "validation") == 0;
            }
        }
        for (int i = 0; i < PATCHES; i++) CU_ASSERT_TRUE(tested[i] == 1 && validated[i] == 1);
    }
}

/* ---- blocks ---- */

static void blocks_are_squares_of_equal_area(void)
{
    const double radius = 6371007.181, side = 5000, pi = acos(-1);
    static const double latitudes[] = {0.01, 20, 45, -60, 75};
    for (size_t i = 0; i < sizeof latitudes / sizeof latitudes[0]; i++) {
        const double lat = latitudes[i];
        const s2clr_block here = s2clr_block_of(side, 10, lat);
        double west = 10, east = 10, south = lat, north = lat;
        const double step = 1e-4;
        while (s2clr_block_of(side, west, lat).column == here.column) west -= step;
        while (s2clr_block_of(side, east, lat).column == here.column) east += step;
        while (s2clr_block_of(side, 10, south).row == here.row) south -= step;
        while (s2clr_block_of(side, 10, north).row == here.row) north += step;
        const double height = (north - south) * pi / 180 * radius;
        const double width =
            (east - west) * pi / 180 * radius * cos((north + south) / 2 * pi / 180);
        TEST_NEAR(height, side, 25);
        TEST_NEAR(width, side, 25);
    }
    const s2clr_block a = s2clr_block_of(side, 180, -17), b = s2clr_block_of(side, -180, -17);
    CU_ASSERT_TRUE(a.row == b.row && a.column == b.column);
    CU_ASSERT_EQUAL(s2clr_block_of(side, 540.001, 3).column,
                    s2clr_block_of(side, -179.999, 3).column);
}

static void no_block_is_in_two_parts(void)
{
    s2clr_store *store = shared_store();
    const char *split[PATCHES];
    const s2clr_split_plan plan = {
        .method = "blocks", .test = 0.3, .validation = 0.2, .block_metres = 5000};
    TEST_OK(s2clr_split_assign(store, &plan, split));
    CU_ASSERT_EQUAL(count_part(split, ""), 0);
    int together = 0;
    for (size_t i = 0; i < PATCHES; i++)
        for (size_t k = 0; k < i; k++) {
            double x, y;
            s2clr_row_centre(s2clr_store_row_at(store, i), &x, &y);
            const s2clr_block a = s2clr_block_of(5000, x, y);
            s2clr_row_centre(s2clr_store_row_at(store, k), &x, &y);
            const s2clr_block b = s2clr_block_of(5000, x, y);
            if (a.row != b.row || a.column != b.column) continue;
            together++;
            CU_ASSERT_PTR_EQUAL(split[i], split[k]);
        }
    CU_ASSERT_TRUE(together > 500);
}

/* Patches are squares of 1.2 km: footprints are at least as far apart as the centres less the
 * diagonal, and at most the centres less the side. */
static void margins_hold(void)
{
    s2clr_store *store = shared_store();
    const char *split[PATCHES], *without[PATCHES];
    s2clr_split_plan plan = {.method = "blocks", .test = 0.3, .block_metres = 8000};
    TEST_OK(s2clr_split_assign(store, &plan, without));
    plan.margin_metres = 2000;
    TEST_OK(s2clr_split_assign(store, &plan, split));
    double nearest = INFINITY;
    size_t touching_without = 0;
    for (size_t i = 0; i < PATCHES; i++) {
        CU_ASSERT_TRUE(!*split[i] || split[i] == without[i]);
        for (size_t k = 0; k < i; k++) {
            const double d = metres(s2clr_store_row_at(store, i), s2clr_store_row_at(store, k));
            touching_without += without[i] != without[k] && d < 1100;
            if (*split[i] && *split[k] && split[i] != split[k]) nearest = fmin(nearest, d);
        }
    }
    CU_ASSERT_TRUE(touching_without > 0);
    CU_ASSERT_TRUE(nearest >= 2000 + 1200 - 5);
    CU_ASSERT_TRUE(nearest < 20000);
    CU_ASSERT_TRUE(count_part(split, "") > 20 && count_part(split, "") < PATCHES / 2);
    s2clr_split_report report;
    TEST_OK(s2clr_split_report_make(store, split, &report));
    CU_ASSERT_EQUAL(report.touching, 0);
}

static void more_patches_change_nothing_for_the_others(void)
{
    static const char *const methods[] = {"random", "blocks", "country", "tile", "year"};
    s2clr_store *large = shared_store(), *small = make_store("small", 400);
    for (size_t m = 0; m < 5; m++) {
        const char *split[PATCHES], *before[400];
        const s2clr_split_plan plan = {.method = methods[m],
                                       .test = 0.4,
                                       .block_metres = 8000,
                                       .margin_metres = 1500,
                                       .seed = 5};
        TEST_OK(s2clr_split_assign(large, &plan, split));
        TEST_OK(s2clr_split_assign(small, &plan, before));
        for (size_t i = 0; i < 400; i++) {
            const int64_t k = s2clr_store_find(large, s2clr_store_row_at(small, i)->name);
            CU_ASSERT_TRUE_FATAL(k >= 0);
            CU_ASSERT_PTR_EQUAL(split[k], before[i]);
        }
    }
    s2clr_store_close(small);
}

/* ---- groups ---- */

static void groups_stay_together(void)
{
    s2clr_store *store = shared_store();
    const char *split[PATCHES];
    s2clr_split_plan plan = {.method = "country", .test = 0.4, .seed = 5};
    TEST_OK(s2clr_split_assign(store, &plan, split));
    s2clr_split_group *groups;
    size_t count;
    TEST_OK(s2clr_split_groups(store, split, "country", &groups, &count));
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT_STRING_EQUAL(groups[0].name, "");
    CU_ASSERT_EQUAL(groups[0].patches[S2CLR_PART_OUT], PATCHES / 7);
    size_t all = 0, positives = 0;
    for (size_t i = 0; i < count; i++) {
        int parts = 0;
        for (int p = 0; p < 4; p++) {
            parts += groups[i].patches[p] > 0;
            all += groups[i].patches[p];
            positives += groups[i].positives[p];
        }
        CU_ASSERT_EQUAL(parts, 1);
    }
    CU_ASSERT_EQUAL(all, PATCHES);
    CU_ASSERT_EQUAL(positives, PATCHES / 3); /* number % 3 == 2 */
    s2clr_free(groups);
    TEST_OK(s2clr_split_groups(store, NULL, "year", &groups, &count));
    CU_ASSERT_EQUAL(count, 20);
    CU_ASSERT_STRING_EQUAL(groups[19].name, "2020");
    s2clr_free(groups);
    CU_ASSERT_EQUAL(s2clr_split_groups(store, split, "yeer", &groups, &count), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("did you mean 'year'");
}

/* ---- the report ---- */

static void reports_are_those_of_brute_force(void)
{
    s2clr_store *store = shared_store();
    const char *split[PATCHES];
    const s2clr_split_plan plan = {.method = "random", .test = 0.05, .validation = 0.85, .seed = 1};
    s2clr_split_report report;
    double low = INFINITY, high = 0, all[PATCHES];
    size_t tests = 0, touching = 0;
    TEST_OK(s2clr_split_assign(store, &plan, split));
    TEST_OK(s2clr_split_report_make(store, split, &report));
    for (size_t i = 0; i < PATCHES; i++) {
        const s2clr_store_row *a = s2clr_store_row_at(store, i);
        double nearest = INFINITY;
        bool meets = false;
        if (strcmp(split[i], "test") != 0) continue;
        for (size_t k = 0; k < PATCHES; k++) {
            const s2clr_store_row *b = s2clr_store_row_at(store, k);
            if (strcmp(split[k], "train") != 0) continue;
            nearest = fmin(nearest, metres(a, b));
            meets = meets || (strcmp(a->crs, b->crs) == 0 &&
                              fabs(a->transform[0] - b->transform[0]) <= 1200 &&
                              fabs(a->transform[3] - b->transform[3]) <= 1200);
        }
        all[tests++] = nearest;
        low = fmin(low, nearest);
        high = fmax(high, nearest);
        touching += meets;
    }
    size_t below = 0, above = 0;
    for (size_t i = 0; i < tests; i++) {
        below += all[i] < report.distance_median - 1e-3;
        above += all[i] > report.distance_median + 1e-3;
    }
    CU_ASSERT_EQUAL(report.part[S2CLR_PART_TEST].patches, tests);
    CU_ASSERT_TRUE(tests > 10 && touching > 2);
    CU_ASSERT_EQUAL(report.touching, touching);
    TEST_NEAR(report.distance_minimum, low, 1e-3);
    TEST_NEAR(report.distance_maximum, high, 1e-3);
    CU_ASSERT_TRUE(below <= tests / 2 && above <= tests / 2);
    size_t labels = 0;
    for (int p = 0; p < 4; p++)
        labels += report.part[p].positives + report.part[p].negatives + report.part[p].unknown;
    CU_ASSERT_EQUAL(labels, PATCHES);
    /* 23 tiles in 3 countries, ten patches in each pair: all of them are in several parts. */
    CU_ASSERT_TRUE(report.part[S2CLR_PART_VALIDATION].groups_shared > 20);
    const s2clr_split_plan tiles = {.method = "tile", .test = 0.3};
    TEST_OK(s2clr_split_assign(store, &tiles, split));
    TEST_OK(s2clr_split_report_make(store, split, &report));
    for (int p = 0; p < 4; p++) CU_ASSERT_EQUAL(report.part[p].groups_shared, 0);
}

/* ---- balance ---- */

static void balanced_parts_have_as_many_of_both(void)
{
    s2clr_store *store = shared_store();
    const char *split[PATCHES], *before[PATCHES];
    const s2clr_split_plan plan = {.method = "random", .test = 0.2, .validation = 0.2};
    s2clr_split_report report, full;
    TEST_OK(s2clr_split_assign(store, &plan, split));
    memcpy(before, split, sizeof split);
    TEST_OK(s2clr_split_report_make(store, split, &full));
    TEST_OK(s2clr_split_balance(store, 4, split));
    TEST_OK(s2clr_split_report_make(store, split, &report));
    for (int p = 0; p < 3; p++) {
        const size_t positives = full.part[p].positives, negatives = full.part[p].negatives;
        const size_t fewer = positives < negatives ? positives : negatives;
        CU_ASSERT_EQUAL(report.part[p].positives, fewer);
        CU_ASSERT_EQUAL(report.part[p].negatives, fewer);
        CU_ASSERT_EQUAL(report.part[p].unknown, 0);
    }
    for (int i = 0; i < PATCHES; i++) CU_ASSERT_TRUE(!*split[i] || split[i] == before[i]);
    for (size_t i = 0; i < PATCHES; i++) /* all positives go to test alone */
        split[i] = s2clr_store_row_at(store, i)->label == S2CLR_LABEL_POSITIVE ? "test" : "train";
    memcpy(before, split, sizeof split);
    CU_ASSERT_EQUAL(s2clr_split_balance(store, 4, split), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("train has 0 positive");
    CU_ASSERT_EQUAL(memcmp(before, split, sizeof split), 0);
}

/* ---- bad plans ---- */

static void bad_plans_are_refused(void)
{
    static const struct {
        s2clr_split_plan plan;
        const char *says;
    } plans[] = {
        {{.method = "block", .test = 0.2}, "did you mean 'blocks'"},
        {{.test = 0.2}, "one of random, blocks, country, tile, year"},
        {{.method = "random", .test = 0.8, .validation = 0.2}, "less than 1"},
        {{.method = "random", .test = NAN}, "shares of nan"},
        {{.method = "random", .folds = 1}, "at least 2 folds"},
        {{.method = "random", .folds = 5, .fold = 5}, "fold 5 of 5"},
        {{.method = "blocks", .test = 0.2}, "blocks of 0 m"},
        {{.method = "blocks", .test = 0.2, .block_metres = 5000, .margin_metres = 5000},
         "a margin"},
        {{.method = "blocks", .test = 0.2, .block_metres = 4e6}, "is empty"},
        {{.method = "country", .test = 1e-9}, "is empty"},
    };
    const char *split[PATCHES];
    memset(split, 0, sizeof split);
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        CU_ASSERT_EQUAL(s2clr_split_assign(shared_store(), &plans[i].plan, split),
                        S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(plans[i].says);
        CU_ASSERT_PTR_NULL(split[0]);
    }
}

static void patches_without_a_place_are_left_out(void)
{
    const s2clr_store_options options = {.append = true};
    const char *split[40];
    s2clr_split_report report;
    for (int lost = 20; lost <= 40; lost += 20) {
        s2clr_store_writer *writer;
        s2clr_store *store;
        const char *path = store_rig_path(lost == 20 ? "half" : "lost");
        TEST_OK(s2clr_store_writer_open(path, &options, &writer));
        for (int i = 0; i < 40; i++) {
            rig_patch patch;
            place_patch(&patch, i);
            patch.record.has_footprint = i >= lost;
            TEST_OK(s2clr_store_writer_put(writer, &patch.record));
            rig_patch_clear(&patch);
        }
        TEST_OK(s2clr_store_writer_close(writer, true));
        TEST_OK(s2clr_store_open(path, &store));
        const s2clr_split_plan plan = {.method = "blocks", .test = 0.5, .block_metres = 2000};
        const s2clr_status status = s2clr_split_assign(store, &plan, split);
        if (lost == 20) {
            TEST_OK(status);
            TEST_OK(s2clr_split_report_make(store, split, &report));
            CU_ASSERT_EQUAL(report.part[S2CLR_PART_OUT].patches, 20);
        } else {
            CU_ASSERT_EQUAL(status, S2CLR_ERR_ARGUMENT);
            TEST_ERROR_SAYS("none of the 40 patches has a footprint");
            for (int i = 0; i < 40; i++) split[i] = i % 2 ? "train" : "test";
            TEST_OK(s2clr_split_report_make(store, split, &report));
            CU_ASSERT_TRUE(isnan(report.distance_minimum));
        }
        s2clr_store_close(store);
    }
}

static const test_case cases[] = {
    {"random_is_the_split_of_names", random_is_the_split_of_names},
    {"folds_cover_everything_once", folds_cover_everything_once},
    {"blocks_are_squares_of_equal_area", blocks_are_squares_of_equal_area},
    {"no_block_is_in_two_parts", no_block_is_in_two_parts},
    {"margins_hold", margins_hold},
    {"more_patches_change_nothing_for_the_others", more_patches_change_nothing_for_the_others},
    {"groups_stay_together", groups_stay_together},
    {"reports_are_those_of_brute_force", reports_are_those_of_brute_force},
    {"balanced_parts_have_as_many_of_both", balanced_parts_have_as_many_of_both},
    {"bad_plans_are_refused", bad_plans_are_refused},
    {"patches_without_a_place_are_left_out", patches_without_a_place_are_left_out},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    const int code = TEST_MAIN("split_plan", cases, argc, argv);
    if (shared) s2clr_store_close(shared);
    return code;
}
