/* Estimates of areas against the papers' worked examples and closed forms; sizes of samples. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "golden/golden_area.h"
#include "report/area_design.h"
#include "report/area_estimate.h"

enum { UNITS_MAX = 1000 };
static s2clr_area_unit units[UNITS_MAX];

/* ---- Olofsson et al. (2014), section 5 ---- */

static const int olofsson_count[4][4] = {
    {66, 0, 5, 4}, {0, 55, 8, 12}, {1, 0, 153, 11}, {2, 1, 9, 313}};
static const double olofsson_pixels[4] = {200000, 150000, 3200000, 6450000};

/* more: pixels of the map, for one of the paper's; the sample stays. */
static s2clr_area_estimate *olofsson(double more)
{
    s2clr_area_stratum stratum[4];
    double mapped[4];
    size_t n = 0;
    for (int i = 0; i < 4; i++) {
        mapped[i] = olofsson_pixels[i] * 900;
        stratum[i] = (s2clr_area_stratum){"stratum", olofsson_pixels[i] * more, mapped[i]};
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < olofsson_count[i][j]; k++)
                units[n++] = (s2clr_area_unit){i, i, j, 900};
    }
    const s2clr_area_problem problem = {4, 4, mapped, stratum, units, n, NULL};
    s2clr_area_estimate *e = NULL;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    return e;
}

/* The paper's own equations, which have no correction for the finite number of pixels: here it
 * vanishes because there are so many. */
static void follows_the_equations(void)
{
    s2clr_area_estimate *e = olofsson(1e12);
    CU_ASSERT_EQUAL(e->samples, 640);
    TEST_NEAR(e->overall.value, olofsson_overall[0], 1e-12);
    TEST_NEAR(e->overall.error, olofsson_overall[1], 1e-12);
    for (int k = 0; k < 4; k++) {
        TEST_NEAR(e->of[k].user.value, olofsson_user[k][0], 1e-12);
        TEST_NEAR(e->of[k].user.error, olofsson_user[k][1], 1e-12);
        TEST_NEAR(e->of[k].producer.value, olofsson_producer[k][0], 1e-12);
        TEST_NEAR(e->of[k].producer.error, olofsson_producer[k][1], 1e-12);
        TEST_NEAR(e->of[k].area.value / 1e4, olofsson_hectares[k][0], 1e-6);
        TEST_NEAR(e->of[k].area.error / 1e4, olofsson_hectares[k][1], 1e-6);
    }
    s2clr_area_estimate_free(e);
}

/* What section 5 prints, with the pixels that the map has. */
static void gives_the_published_areas(void)
{
    static const double hectares[4] = {21158, 11686, 285770, 581386};
    static const double half[4] = {6158, 3756, 15510, 16282};
    static const double user[4] = {0.88, 0.73, 0.93, 0.96};
    static const double producer[4] = {0.75, 0.85, 0.93, 0.96};
    s2clr_area_estimate *e = olofsson(1);
    TEST_NEAR(e->overall.value, 0.95, 0.005);
    TEST_NEAR(e->total / 1e4, 900000, 1e-6);
    for (int k = 0; k < 4; k++) {
        TEST_NEAR(e->of[k].area.value / 1e4, hectares[k], 0.5);
        TEST_NEAR((e->of[k].area.high - e->of[k].area.low) / 2e4, half[k], 1.5);
        TEST_NEAR(e->of[k].user.value, user[k], 0.005);
        TEST_NEAR(e->of[k].producer.value, producer[k], 0.005);
        TEST_NEAR(e->of[k].mapped / 1e4, olofsson_pixels[k] * 0.09, 1e-6);
        for (int j = 0; j < 4; j++) CU_ASSERT_EQUAL(e->count[k * 4 + j], olofsson_count[k][j]);
    }
    TEST_NEAR(e->share[0], 0.02 * 66 / 75, 1e-12);
    s2clr_area_estimate_free(e);
}

/* ---- Stehman (2014), table 2 ---- */

static void strata_need_not_be_classes(void)
{
    static const char map[] = "AAAAAAABBB"
                              "ABBBBBBBBB"
                              "BBCCCCCCBB"
                              "DDDDDDDDDD";
    static const char truth[] = "AAAAACBABC"
                                "ABBBBBAABB"
                                "CCCCCDDBBA"
                                "DDDDDDDCCB";
    static const double mapped[4] = {0};
    s2clr_area_stratum stratum[4];
    for (int h = 0; h < 4; h++)
        stratum[h] = (s2clr_area_stratum){"stratum", (4 - h) * 1e4, (4 - h) * 1e4};
    for (int i = 0; i < 40; i++)
        units[i] = (s2clr_area_unit){i / 10, map[i] - 'A', truth[i] - 'A', 1};
    const s2clr_area_problem problem = {4, 4, mapped, stratum, units, 40, NULL};
    s2clr_area_estimate *e = NULL;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    TEST_NEAR(e->overall.value, stehman_overall[0][0], 1e-12);
    TEST_NEAR(e->overall.error, stehman_overall[0][1], 1e-12);
    for (int k = 0; k < 4; k++) {
        TEST_NEAR(e->of[k].share.value, stehman_share[k][0], 1e-12);
        TEST_NEAR(e->of[k].share.error, stehman_share[k][1], 1e-12);
        TEST_NEAR(e->of[k].user.value, stehman_user[k][0], 1e-12);
        TEST_NEAR(e->of[k].user.error, stehman_user[k][1], 1e-12);
        TEST_NEAR(e->of[k].producer.value, stehman_producer[k][0], 1e-12);
        TEST_NEAR(e->of[k].producer.error, stehman_producer[k][1], 1e-12);
    }
    TEST_NEAR(e->share[1 * 4 + 2], stehman_cell_bc[0][0], 1e-12);
    /* As printed in the paper. */
    TEST_NEAR(e->overall.value, 0.63, 1e-12);
    TEST_NEAR(e->of[0].share.value, 0.35, 1e-12);
    TEST_NEAR(e->of[0].share.error, 0.082, 0.0005);
    TEST_NEAR(e->of[1].user.value, 0.574, 0.0005);
    TEST_NEAR(e->of[1].producer.value, 0.794, 0.0005);
    s2clr_area_estimate_free(e);
}

/* ---- closed forms ---- */

/* Half of the pixels have three times the area of the others. */
static void samples_weigh_by_area(void)
{
    const s2clr_area_stratum stratum[1] = {{"all", 1000, 2000}};
    const double mapped[2] = {500, 1500};
    for (int i = 0; i < 8; i++) units[i] = (s2clr_area_unit){0, i % 2, i % 2, i % 2 ? 3 : 1};
    units[0].reference = 1; /* one of the small ones is wrong */
    const s2clr_area_problem problem = {2, 1, mapped, stratum, units, 8, NULL};
    s2clr_area_estimate *e = NULL;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    TEST_NEAR(e->overall.value, 15.0 / 16, 1e-12);
    TEST_NEAR(e->of[1].share.value, 13.0 / 16, 1e-12);
    TEST_NEAR(e->of[1].area.value, 2000 * 13.0 / 16, 1e-9);
    TEST_NEAR(e->of[0].user.value, 0.75, 1e-12);
    /* residuals of the share: three times 0.1875 * 3, once 1 - 13/16, thrice -13/16 */
    const double z[3] = {3 * (1 - 13.0 / 16), 1 - 13.0 / 16, -13.0 / 16};
    const double squares = 4 * z[0] * z[0] + z[1] * z[1] + 3 * z[2] * z[2];
    TEST_NEAR(e->of[1].share.error, sqrt((1 - 8.0 / 1000) * squares / 7 / 8) / 2, 1e-12);
    s2clr_area_estimate_free(e);
}

/* All pixels sampled: nothing is left to chance. */
static void a_census_has_no_error(void)
{
    const s2clr_area_stratum stratum[2] = {{"a", 4, 4}, {"b", 6, 6}};
    const double mapped[2] = {4, 6};
    for (int i = 0; i < 10; i++) units[i] = (s2clr_area_unit){i >= 4, i >= 4, i >= 3, 1};
    const s2clr_area_problem problem = {2, 2, mapped, stratum, units, 10, NULL};
    s2clr_area_estimate *e = NULL;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    TEST_NEAR(e->of[1].area.value, 7, 1e-12);
    CU_ASSERT_EQUAL(e->of[1].area.error, 0);
    CU_ASSERT_EQUAL(e->within[0].same, -1);
    CU_ASSERT_EQUAL(e->within[1].same, 1);
    s2clr_area_estimate_free(e);
}

/* Points that were drawn with replacement, or over the whole map into a small stratum: more of them
 * than pixels, and yet no census. */
static void shared_pixels_are_no_census(void)
{
    const s2clr_area_stratum stratum[2] = {{"small", 4, 4}, {"large", 1000, 1000}};
    const double mapped[2] = {4, 1000};
    const bool repeated[2] = {true, false};
    for (int i = 0; i < 30; i++) units[i] = (s2clr_area_unit){i >= 8, i >= 8, i % 4 != 0, 1};
    s2clr_area_problem problem = {2, 2, mapped, stratum, units, 30, repeated};
    s2clr_area_estimate *e = NULL;
    /* Cochran 5.6 in each stratum: s^2 = n p q / (n - 1); a quarter of both is of class 0 */
    const double p[2] = {2.0 / 8, 6.0 / 22};
    const double small = 16 * p[0] * (1 - p[0]) / 7, large = 1e6 * p[1] * (1 - p[1]) / 21;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    TEST_NEAR(e->of[0].area.error, sqrt(small + (1 - 22.0 / 1000) * large), 1e-9);
    s2clr_area_estimate_free(e);
    problem.repeated = NULL; /* eight samples of four pixels say it themselves */
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    TEST_NEAR(e->of[0].area.error, sqrt(small + (1 - 22.0 / 1000) * large), 1e-9);
    s2clr_area_estimate_free(e);
    /* as many samples as pixels, one pixel twice: all alike, and nothing known of the rest */
    const s2clr_area_stratum four[1] = {{"four", 4, 4}};
    for (int i = 0; i < 4; i++) units[i] = (s2clr_area_unit){0, 0, 0, 1};
    const s2clr_area_problem twice = {2, 1, mapped, four, units, 4, repeated};
    TEST_OK(s2clr_area_estimate_make(&twice, &e));
    CU_ASSERT_TRUE(isnan(e->overall.error));
    s2clr_area_estimate_free(e);
}

/* ---- what cannot be estimated ---- */

static void refuses_strata_that_are_too_poor(void)
{
    s2clr_area_stratum stratum[3] = {{"rich", 900, 900}, {"poor", 90, 90}, {"absent", 0, 0}};
    const double mapped[2] = {900, 90};
    for (int i = 0; i < 6; i++) units[i] = (s2clr_area_unit){i == 5, i == 5, i % 2, 1};
    s2clr_area_problem problem = {2, 3, mapped, stratum, units, 6, NULL};
    s2clr_area_estimate *e = NULL;
    CU_ASSERT_EQUAL(s2clr_area_estimate_make(&problem, &e), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("'poor' has one (it is 9.09 % of the map)");
    problem.units = 5;
    CU_ASSERT_EQUAL(s2clr_area_estimate_make(&problem, &e), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("'poor' has none");
    CU_ASSERT_PTR_NULL(e);
    stratum[1].pixels = 0; /* a stratum without pixels needs no samples */
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    s2clr_area_estimate_free(e);
}

static void knows_what_it_does_not_know(void)
{
    const s2clr_area_stratum stratum[1] = {{"all", 1000, 1000}};
    const double mapped[3] = {600, 400, 0};
    for (int i = 0; i < 10; i++) units[i] = (s2clr_area_unit){0, 0, i % 2 ? 0 : 2, 1};
    const s2clr_area_problem problem = {3, 1, mapped, stratum, units, 10, NULL};
    s2clr_area_estimate *e = NULL;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_TRUE(isnan(e->of[1].user.value) && isnan(e->of[1].user.low));
    CU_ASSERT_TRUE(isnan(e->of[1].producer.value));
    CU_ASSERT_TRUE(isnan(e->of[2].user.value));
    TEST_NEAR(e->of[2].producer.value, 0, 0);
    CU_ASSERT_TRUE(isnan(e->of[2].producer.error)); /* none of five: not surely none */
    TEST_NEAR(e->of[2].share.value, 0.5, 1e-12);
    s2clr_area_estimate_free(e);
}

/* Samples of one opinion have no variance, and the estimate has no interval. */
static void agreement_is_no_certainty(void)
{
    const s2clr_area_stratum stratum[2] = {{"a", 1000, 1000}, {"b", 500, 500}};
    const double mapped[2] = {1000, 500};
    for (int i = 0; i < 40; i++) units[i] = (s2clr_area_unit){i >= 20, i >= 20, i >= 20, 1};
    const s2clr_area_problem problem = {2, 2, mapped, stratum, units, 40, NULL};
    s2clr_area_estimate *e = NULL;
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_EQUAL(e->overall.value, 1);
    CU_ASSERT_TRUE(isnan(e->overall.error) && isnan(e->overall.low) && isnan(e->overall.high));
    TEST_NEAR(e->of[1].area.value, 500, 1e-9);
    CU_ASSERT_TRUE(isnan(e->of[1].area.error) && isnan(e->of[1].area.low));
    CU_ASSERT_TRUE(e->within[0].same == 0 && e->within[1].same == 1);
    s2clr_area_estimate_free(e);
    units[0].reference = 1; /* one exception: now something is known, of the first stratum */
    TEST_OK(s2clr_area_estimate_make(&problem, &e));
    TEST_NEAR(e->of[1].area.value, 550, 1e-9);
    TEST_NEAR(e->of[1].area.error, 1000 * sqrt((1 - 0.02) * 0.05 * 0.95 / 19), 1e-9);
    CU_ASSERT_TRUE(isnan(e->of[1].user.error) && !isnan(e->of[0].user.error));
    s2clr_area_estimate_free(e);
    /* the same stratum sampled whole: what is left open is in the other, and that agrees */
    const s2clr_area_stratum whole[2] = {{"a", 20, 20}, {"b", 500, 500}};
    const s2clr_area_problem other = {2, 2, mapped, whole, units, 40, NULL};
    TEST_OK(s2clr_area_estimate_make(&other, &e));
    TEST_NEAR(e->of[1].area.value, 501, 1e-9);
    CU_ASSERT_TRUE(isnan(e->of[1].area.error));
    s2clr_area_estimate_free(e);
}

/* ---- sizes ---- */

static const s2clr_area_expected olofsson_expected[4] = {
    {200000, 0.7}, {150000, 0.6}, {3200000, 0.9}, {6450000, 0.95}};

static size_t sum(const size_t *n, size_t count)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++) all += n[i];
    return all;
}

static void sizes_follow_equation_13(void)
{
    const double n = s2clr_area_sample_size(olofsson_expected, 4, 0.01);
    TEST_NEAR(n, olofsson_sample_size, 1e-9);
    CU_ASSERT_EQUAL((int)ceil(n), 641); /* as in the paper */
}

/* The paper gives 75 to each of the rare classes and the rest in proportion: 165 and 325. */
static void samples_are_given_out(void)
{
    size_t n[4];
    TEST_OK(s2clr_area_allocate(S2CLR_AREA_PROPORTIONAL, 641, 2, olofsson_expected, 4, n));
    CU_ASSERT_TRUE(n[0] == 13 && n[1] == 10 && n[2] == 205 && n[3] == 413);
    TEST_OK(s2clr_area_allocate(S2CLR_AREA_PROPORTIONAL, 640, 75, olofsson_expected, 4, n));
    CU_ASSERT_TRUE(n[0] == 75 && n[1] == 75);
    TEST_NEAR(n[2], 490 * 3.2 / 9.65, 1);
    CU_ASSERT_EQUAL(sum(n, 4), 640);
    TEST_OK(s2clr_area_allocate(S2CLR_AREA_EQUAL, 641, 2, olofsson_expected, 4, n));
    for (int h = 0; h < 4; h++) CU_ASSERT_TRUE(n[h] == 160 || n[h] == 161);
    CU_ASSERT_EQUAL(sum(n, 4), 641);
    TEST_OK(s2clr_area_allocate(S2CLR_AREA_NEYMAN, 100000, 2, olofsson_expected, 4, n));
    double weights = 0;
    for (int h = 0; h < 4; h++) {
        const double u = olofsson_expected[h].right;
        weights += olofsson_expected[h].pixels * sqrt(u * (1 - u));
    }
    TEST_NEAR(n[0], 1e5 * 200000 * sqrt(0.21) / weights, 1);
    TEST_NEAR(n[3], 1e5 * 6450000 * sqrt(0.95 * 0.05) / weights, 1);
}

/* No fewer samples of the rule reach the error. */
static void sizes_reach_the_error(void)
{
    static const s2clr_area_allocation rules[] = {S2CLR_AREA_PROPORTIONAL, S2CLR_AREA_EQUAL,
                                                  S2CLR_AREA_NEYMAN};
    const s2clr_area_expected strata[2] = {{95000, 0.99}, {5000, 0.5}};
    for (int r = 0; r < 3; r++) {
        size_t n[2], fewer[2];
        TEST_OK(s2clr_area_plan(rules[r], 0.005, 2, strata, 2, n));
        CU_ASSERT(s2clr_area_expected_error(strata, 2, n) <= 0.005);
        TEST_OK(s2clr_area_allocate(rules[r], sum(n, 2) - 1, 2, strata, 2, fewer));
        CU_ASSERT(s2clr_area_expected_error(strata, 2, fewer) > 0.005);
        const double x = pow(0.95, 2) * 0.0099 * (1 - (double)n[0] / 95000) / (double)n[0] +
                         pow(0.05, 2) * 0.25 * (1 - (double)n[1] / 5000) / (double)n[1];
        TEST_NEAR(s2clr_area_expected_error(strata, 2, n), sqrt(x), 1e-15);
    }
    size_t all[2];
    TEST_OK(s2clr_area_plan(S2CLR_AREA_EQUAL, 1e-6, 2, strata, 2, all));
    CU_ASSERT(s2clr_area_expected_error(strata, 2, all) <= 1e-6);
    const s2clr_area_expected sure[2] = {{95000, 1}, {5000, 1}};
    TEST_OK(s2clr_area_plan(S2CLR_AREA_NEYMAN, 0.01, 2, sure, 2, all));
    CU_ASSERT_EQUAL(sum(all, 2), 4);
}

/* No stratum gives more than it has; what it cannot take, others get. */
static void small_strata_are_used_up(void)
{
    const s2clr_area_expected strata[3] = {{5, 0.5}, {1000, 1}, {100000, 0.9}};
    size_t n[3];
    TEST_OK(s2clr_area_allocate(S2CLR_AREA_EQUAL, 300, 50, strata, 3, n));
    CU_ASSERT_EQUAL(n[0], 5);
    CU_ASSERT_EQUAL(sum(n, 3), 300);
    TEST_NEAR(n[1], 147.5, 0.5);
    TEST_OK(s2clr_area_allocate(S2CLR_AREA_NEYMAN, 300, 50, strata, 3, n));
    CU_ASSERT_TRUE(n[0] == 5 && n[1] == 50 && n[2] == 245);
    TEST_OK(s2clr_area_allocate(S2CLR_AREA_NEYMAN, 1005, 2, strata, 2, n));
    CU_ASSERT_TRUE(n[0] == 5 && n[1] == 1000);
    CU_ASSERT_NOT_EQUAL(s2clr_area_allocate(S2CLR_AREA_EQUAL, 1006, 2, strata, 2, n), S2CLR_OK);
    TEST_ERROR_SAYS("the map has 1005 pixels");
    CU_ASSERT_NOT_EQUAL(s2clr_area_allocate(S2CLR_AREA_EQUAL, 5, 2, strata, 3, n), S2CLR_OK);
    TEST_ERROR_SAYS("at least 6");
    const s2clr_area_expected one[2] = {{1, 0.5}, {9, 0.5}};
    CU_ASSERT_NOT_EQUAL(s2clr_area_allocate(S2CLR_AREA_EQUAL, 6, 2, one, 2, n), S2CLR_OK);
    TEST_ERROR_SAYS("stratum 1 of 2 has 1 pixels");
}

static const test_case cases[] = {
    {"follows_the_equations", follows_the_equations},
    {"gives_the_published_areas", gives_the_published_areas},
    {"strata_need_not_be_classes", strata_need_not_be_classes},
    {"samples_weigh_by_area", samples_weigh_by_area},
    {"a_census_has_no_error", a_census_has_no_error},
    {"shared_pixels_are_no_census", shared_pixels_are_no_census},
    {"refuses_strata_that_are_too_poor", refuses_strata_that_are_too_poor},
    {"knows_what_it_does_not_know", knows_what_it_does_not_know},
    {"agreement_is_no_certainty", agreement_is_no_certainty},
    {"sizes_follow_equation_13", sizes_follow_equation_13},
    {"sizes_reach_the_error", sizes_reach_the_error},
    {"samples_are_given_out", samples_are_given_out},
    {"small_strata_are_used_up", small_strata_are_used_up},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("area_estimate", cases, argc, argv);
}
