/* Samples drawn from maps: every pixel alike, intervals that hold the truth, files. */
#include "harness.h"

#include <math.h>
#include <ogr_api.h>
#include <string.h>

#include "base/philox.h"
#include "report/area_draw.h"
#include "report/area_estimate.h"
#include "stack_rig.h"

enum { SIDE = 60 };

static s2clr_area_census *take_census(const s2clr_area_rule *rule)
{
    s2clr_area_census *census = NULL;
    TEST_OK(s2clr_area_census_make(rule, NULL, &census));
    CU_ASSERT_PTR_NOT_NULL_FATAL(census);
    return census;
}

static const double hole = -1;

/* Probabilities rise to the right from 0 to 0.98; the first five rows have no value. */
static double rising(int band, int x, int y)
{
    (void)band;
    return y < 5 ? hole : x / 60.0;
}

static const char *rising_map(void)
{
    const rig_raster spec = {.name = "rising.tif",
                             .width = SIDE,
                             .height = SIDE,
                             .bands = 1,
                             .type = GDT_Float32,
                             .metres = 10,
                             .nodata = &hole,
                             .fill = rising};
    return rig_write(&spec);
}

static s2clr_area_drawn *draw(s2clr_area_census *c, const size_t *taken, uint64_t seed)
{
    s2clr_area_drawn *drawn = NULL;
    TEST_OK(s2clr_area_draw(c, taken, seed, NULL, &drawn));
    CU_ASSERT_PTR_NOT_NULL_FATAL(drawn);
    return drawn;
}

/* Each pixel once, in its stratum, as many as asked for; every pixel as often as any other. */
static void draws_every_pixel_alike(void)
{
    enum { SEEDS = 400 };
    const size_t taken[2] = {300, 100};
    const s2clr_area_rule rule = {.map = rising_map(), .band = 1, .threshold = 0.5};
    s2clr_area_census *c = take_census(&rule);
    static int often[SIDE][SIDE];
    for (int seed = 0; seed < SEEDS; seed++) {
        s2clr_area_drawn *drawn = draw(c, taken, (uint64_t)seed);
        static bool seen[SIDE][SIDE];
        size_t inside[2] = {0};
        memset(seen, 0, sizeof seen);
        CU_ASSERT_EQUAL_FATAL(drawn->count, 400);
        for (size_t i = 0; i < drawn->count; i++) {
            const s2clr_area_pick *p = &drawn->pick[i];
            CU_ASSERT_TRUE(!seen[p->row][p->column] && p->row >= 5);
            seen[p->row][p->column] = true;
            often[p->row][p->column]++;
            inside[p->stratum]++;
            if (p->stratum != (p->column >= 30) || p->code != p->stratum) CU_FAIL("stratum");
        }
        CU_ASSERT_TRUE(inside[0] == 300 && inside[1] == 100);
        s2clr_area_drawn_free(drawn);
    }
    /* Chi-squared of the counts of a stratum: as many degrees of freedom as pixels, but 1. */
    for (int h = 0; h < 2; h++) {
        const double share = (double)taken[h] / (30 * 55), mean = SEEDS * share;
        double sum = 0;
        for (int y = 5; y < SIDE; y++)
            for (int x = 30 * h; x < 30 * (h + 1); x++)
                sum += (often[y][x] - mean) * (often[y][x] - mean) / (mean * (1 - share));
        TEST_NEAR(sum / (30 * 55), 1, 5 * sqrt(2.0 / (30 * 55)));
    }
    s2clr_area_census_free(c);
}

static void the_seed_decides(void)
{
    const size_t taken[2] = {40, 40};
    const s2clr_area_rule rule = {.map = rising_map(), .band = 1, .threshold = 0.5};
    s2clr_area_census *c = take_census(&rule);
    s2clr_area_drawn *a = draw(c, taken, 7), *b = draw(c, taken, 7), *other = draw(c, taken, 8);
    CU_ASSERT_EQUAL(memcmp(a->pick, b->pick, 80 * sizeof *a->pick), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a->pick, other->pick, 80 * sizeof *a->pick), 0);
    size_t turns = 0; /* strata come mixed, rows not sorted */
    for (size_t i = 1; i < 80; i++) turns += a->pick[i].stratum != a->pick[i - 1].stratum;
    CU_ASSERT_TRUE(turns > 20);
    s2clr_area_drawn_free(a);
    s2clr_area_drawn_free(b);
    s2clr_area_drawn_free(other);
    s2clr_area_census_free(c);
}

/* ---- all of it on a map whose truth is known ---- */

static double made_up(int band, int x, int y)
{
    (void)band;
    return s2clr_random_uniform(5, 1, (uint64_t)(y * SIDE + x));
}

/* The map is right more often the surer it is. */
static int truth_at(int x, int y)
{
    const float p = (float)made_up(1, x, y);
    return s2clr_random_uniform(5, 2, (uint64_t)(y * SIDE + x)) < 0.1 + 0.6 * p * p;
}

static s2clr_area_number estimate(const s2clr_area_census *c, const s2clr_area_drawn *drawn)
{
    static s2clr_area_unit unit[1000];
    s2clr_area_stratum stratum[8];
    const double mapped[2] = {c->class_[0].area, c->class_[1].area};
    for (int h = 0; h < c->strata; h++)
        stratum[h] =
            (s2clr_area_stratum){c->stratum[h].name, c->stratum[h].pixels, c->stratum[h].area};
    for (size_t i = 0; i < drawn->count; i++) {
        const s2clr_area_pick *p = &drawn->pick[i];
        unit[i] = (s2clr_area_unit){p->stratum, p->code, truth_at(p->column, p->row), 100};
    }
    const s2clr_area_problem problem = {2, c->strata, mapped, stratum, unit, drawn->count, NULL};
    s2clr_area_estimate *e = NULL;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    const s2clr_area_number area = e->of[1].area;
    s2clr_area_estimate_free(e);
    return area;
}

/* Over 500 draws: no bias, the standard error that is told, and the truth inside 95 % of the
 * intervals (so many that the test itself errs once in a thousand: here it never changes). */
static void intervals_hold_the_truth(void)
{
    enum { SEEDS = 500 };
    const double breaks[] = {0.3, 0.7};
    const size_t taken[3] = {60, 80, 60};
    const rig_raster spec = {.name = "known.tif",
                             .width = SIDE,
                             .height = SIDE,
                             .bands = 1,
                             .type = GDT_Float32,
                             .metres = 10,
                             .fill = made_up};
    const s2clr_area_rule rule = {
        .map = rig_write(&spec), .band = 1, .threshold = 0.5, .breaks = breaks, .break_count = 2};
    s2clr_area_census *c = take_census(&rule);
    double truth = 0, sum = 0, squares = 0, errors = 0;
    int inside = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) truth += 100 * truth_at(x, y);
    for (int seed = 0; seed < SEEDS; seed++) {
        s2clr_area_drawn *drawn = draw(c, taken, (uint64_t)seed);
        const s2clr_area_number area = estimate(c, drawn);
        inside += area.low <= truth && truth <= area.high;
        sum += area.value - truth;
        squares += (area.value - truth) * (area.value - truth);
        errors += area.error;
        s2clr_area_drawn_free(drawn);
    }
    const double spread = sqrt(squares / SEEDS);
    TEST_NEAR(sum / SEEDS, 0, 3.3 * spread / sqrt(SEEDS));
    TEST_NEAR(errors / SEEDS / spread, 1, 0.1);
    CU_ASSERT_TRUE(inside >= SEEDS * 0.918 && inside <= SEEDS * 0.982);
    /* The map's own count is wrong by more than the intervals allow. */
    CU_ASSERT_TRUE(fabs(c->class_[1].area - truth) > 3 * errors / SEEDS);
    s2clr_area_census_free(c);
}

/* ---- files ---- */

static void samples_are_written_whole(void)
{
    const size_t taken[2] = {30, 10};
    const s2clr_area_rule rule = {.map = rising_map(), .band = 1, .threshold = 0.5};
    s2clr_area_census *c = take_census(&rule);
    s2clr_area_drawn *drawn = draw(c, taken, 1);
    const char *path = rig_path("drawn.gpkg");
    TEST_OK(s2clr_area_drawn_write(drawn, c, path, false, "a draw"));
    CU_ASSERT_EQUAL(s2clr_area_drawn_write(drawn, c, path, false, "a draw"), S2CLR_ERR_EXISTS);
    TEST_OK(s2clr_area_drawn_write(drawn, c, path, true, "a draw"));
    CU_ASSERT_NOT_EQUAL(s2clr_area_drawn_write(drawn, c, "drawn.csv", false, ""), S2CLR_OK);
    TEST_ERROR_SAYS("ends with .gpkg");
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_VECTOR, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    OGRLayerH layer = GDALDatasetGetLayerByName(dataset, S2CLR_AREA_LAYER);
    CU_ASSERT_PTR_NOT_NULL_FATAL(layer);
    CU_ASSERT_EQUAL(OGR_L_GetFeatureCount(layer, TRUE), 40);
    double weights = 0;
    OGRFeatureH feature;
    for (size_t i = 0; (feature = OGR_L_GetNextFeature(layer)) != NULL; i++) {
        const s2clr_area_pick *p = &drawn->pick[i];
        OGRGeometryH point = OGR_F_GetGeometryRef(feature);
        CU_ASSERT_EQUAL(OGR_G_GetX(point, 0), 600000 + 10 * p->column + 5);
        CU_ASSERT_EQUAL(OGR_G_GetY(point, 0), 4200000 - 10 * p->row - 5);
        CU_ASSERT_EQUAL(OGR_F_GetFieldAsInteger(feature, 0), (int)i + 1);
        const int stratum =
            OGR_F_GetFieldAsInteger(feature, OGR_F_GetFieldIndex(feature, "stratum"));
        const int label = OGR_F_GetFieldIndex(feature, "label");
        CU_ASSERT_EQUAL(stratum, p->stratum);
        CU_ASSERT_FALSE(OGR_F_IsFieldSetAndNotNull(feature, label));
        weights += OGR_F_GetFieldAsDouble(feature, OGR_F_GetFieldIndex(feature, "weight"));
        OGR_F_Destroy(feature);
    }
    TEST_NEAR(weights, c->pixels, 1e-6);
    GDALClose(dataset);
    s2clr_area_drawn_free(drawn);
    s2clr_area_census_free(c);
}

static const test_case cases[] = {
    {"draws_every_pixel_alike", draws_every_pixel_alike},
    {"the_seed_decides", the_seed_decides},
    {"intervals_hold_the_truth", intervals_hold_the_truth},
    {"samples_are_written_whole", samples_are_written_whole},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("area_draw", cases, argc, argv);
}
