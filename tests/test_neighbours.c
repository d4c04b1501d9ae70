/* Nearest neighbours, trustworthiness and principal components: against definitions and
 * scikit-learn. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "golden/golden_tsne.h"
#include "train/neighbours.h"
#include "train/pca.h"
#include "tsne_rig.h"

enum { N = TSNE_RIG_N, D = TSNE_RIG_D };
static double x[N * D];

/* Does (square, index) of a come before b of the same row? */
static bool nearer(const double *row, const double *all, size_t a, size_t b)
{
    const double da = tsne_rig_distance(row, all + a * D, D);
    const double db = tsne_rig_distance(row, all + b * D, D);
    return da < db || (da == db && a < b);
}

static void finds_the_nearest(void)
{
    static size_t index[N * 7];
    static double square[N * 7];
    tsne_rig_vectors(x);
    for (size_t i = 0; i < 40; i++) memcpy(x + i * D, x + 40 * D, D * sizeof *x); /* ties */
    TEST_OK(s2clr_neighbours_find(x, N, D, 7, NULL, index, square));
    for (size_t i = 0; i < N; i += 13) {
        bool chosen[N] = {false};
        for (size_t k = 0; k < 7; k++) {
            const size_t j = index[i * 7 + k];
            chosen[j] = true;
            CU_ASSERT(j != i);
            CU_ASSERT(k == 0 || nearer(x + i * D, x, index[i * 7 + k - 1], j));
            TEST_NEAR(sqrt(square[i * 7 + k]), tsne_rig_distance(x + i * D, x + j * D, D), 1e-12);
        }
        for (size_t j = 0; j < N; j++)
            CU_ASSERT(j == i || chosen[j] || nearer(x + i * D, x, index[i * 7 + 6], j));
    }
    /* Of 41 equal vectors the first ones are found, and never the asking one. */
    CU_ASSERT_EQUAL(index[0], 1);
    CU_ASSERT_EQUAL(index[3 * 7], 0);
    CU_ASSERT_EQUAL(index[3 * 7 + 3], 4);
}

static void does_not_depend_on_threads(void)
{
    static size_t index[2][N * 9];
    s2clr_pool *pool = NULL;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_pool_new(3, &pool));
    TEST_OK(s2clr_neighbours_find(x, N, D, 9, NULL, index[0], NULL));
    TEST_OK(s2clr_neighbours_find(x, N, D, 9, pool, index[1], NULL));
    CU_ASSERT_EQUAL(memcmp(index[0], index[1], sizeof index[0]), 0);
    s2clr_pool_free(pool);
}

static void refuses_too_many(void)
{
    size_t index[16];
    double out;
    CU_ASSERT_EQUAL(s2clr_neighbours_find(x, 4, 2, 4, NULL, index, NULL), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("4 nearest neighbours among 4");
    CU_ASSERT_EQUAL(s2clr_neighbours_find(x, 4, 2, 0, NULL, index, NULL), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_trustworthiness(x, 2, x, 2, 10, 5, NULL, &out), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("fewer than half");
}

/* ---- trustworthiness ---- */

static void trusts_as_scikit_learn(void)
{
    static double y[N * 2];
    double out;
    tsne_rig_vectors(x);
    for (size_t i = 0; i < N; i++) memcpy(y + 2 * i, x + i * D, 2 * sizeof *y);
    TEST_OK(s2clr_trustworthiness(x, D, y, 2, N, 5, NULL, &out));
    TEST_NEAR(out, golden_tsne.trust_5, 1e-9);
    TEST_OK(s2clr_trustworthiness(x, D, y, 2, N, 12, NULL, &out));
    TEST_NEAR(out, golden_tsne.trust_12, 1e-9);
    TEST_OK(s2clr_trustworthiness(x, D, x, D, N, 12, NULL, &out));
    CU_ASSERT_EQUAL(out, 1);
}

/* Points 0 .. 6 on a line; the map exchanges 0 and 6. By hand, for k = 1: point 1 has 6 beside it
 * (as near as 2, and later in x, but 0 and 2 are not beside it), and so on. */
static void trusts_by_hand(void)
{
    const double line[] = {0, 1, 2, 3, 4, 5, 6}, map[] = {6, 1, 2, 3, 4, 5, 0};
    const size_t n = 7;
    double cost = 0, out;
    for (size_t i = 0; i < n; i++) {
        size_t near = i == 0 ? 1 : 0, rank = 1;
        for (size_t j = 0; j < n; j++)
            if (j != i && fabs(map[j] - map[i]) < fabs(map[near] - map[i])) near = j;
        for (size_t j = 0; j < n; j++)
            rank += j != i && (fabs(line[j] - line[i]) < fabs(line[near] - line[i]) ||
                               (fabs(line[j] - line[i]) == fabs(line[near] - line[i]) && j < near));
        cost += (double)(rank - 1);
    }
    CU_ASSERT(cost > 3);
    TEST_OK(s2clr_trustworthiness(line, 1, map, 1, n, 1, NULL, &out));
    TEST_NEAR(out, 1 - 2 * cost / (7 * 1 * (2 * 7 - 3 * 1 - 1)), 1e-15);
}

/* ---- principal components ---- */

static void finds_components(void)
{
    static double score[N * 5];
    double variance[5], total;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_pca(x, N, D, 5, NULL, score, variance, &total));
    TEST_NEAR(total, golden_tsne.total, 1e-7);
    for (int a = 0; a < 5; a++) {
        TEST_NEAR(variance[a], golden_tsne.variance[a], 1e-7);
        TEST_NEAR(fabs(score[7 * 5 + a]), golden_tsne.score[a], 1e-5);
        double farthest = 0;
        for (size_t i = 0; i < N; i++)
            if (fabs(score[i * 5 + (size_t)a]) > fabs(farthest))
                farthest = score[i * 5 + (size_t)a];
        CU_ASSERT(farthest > 0);
    }
}

/* All components are the vectors turned: distances stay. With more numbers than vectors as well,
 * where the other product is taken; the last component then has nothing left. */
static void only_turns(size_t n, size_t d, double *out)
{
    const size_t k = n < d ? n : d;
    double variance[40], total, sum = 0;
    TEST_OK(s2clr_pca(x, n, d, k, NULL, out, variance, &total));
    for (size_t a = 0; a < k; a++) {
        CU_ASSERT(a == 0 || variance[a] <= variance[a - 1]);
        sum += variance[a];
    }
    TEST_NEAR(sum / total, 1, 1e-12);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            TEST_NEAR(tsne_rig_distance(out + i * k, out + j * k, k),
                      tsne_rig_distance(x + i * d, x + j * d, d), 1e-9);
    if (n < d) TEST_NEAR(variance[k - 1], 0, 1e-12);
}

static void turns_and_no_more(void)
{
    static double out[60 * 40];
    tsne_rig_vectors(x);
    only_turns(60, 20, out);
    only_turns(30, 100, out);
    only_turns(2, 5, out);
}

static void takes_what_has_no_breadth(void)
{
    double out[12], variance[2], total;
    double line[12];
    for (size_t i = 0; i < 6; i++) line[2 * i] = (double)i, line[2 * i + 1] = 2 * (double)i;
    TEST_OK(s2clr_pca(line, 6, 2, 2, NULL, out, variance, &total));
    TEST_NEAR(variance[0], 17.5, 1e-12); /* 3.5 of 0 .. 5, times 1 + 4 */
    TEST_NEAR(variance[1], 0, 1e-12);
    for (size_t i = 0; i < 12; i++) line[i] = 3;
    TEST_OK(s2clr_pca(line, 6, 2, 2, NULL, out, variance, &total));
    CU_ASSERT(total == 0 && variance[0] == 0 && out[0] == 0 && out[11] == 0);
    line[3] = NAN;
    CU_ASSERT_EQUAL(s2clr_pca(line, 6, 2, 2, NULL, out, variance, &total), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("not finite");
    CU_ASSERT_EQUAL(s2clr_pca(line, 6, 2, 3, NULL, out, variance, &total), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_pca(line, 1, 2, 1, NULL, out, variance, &total), S2CLR_ERR_ARGUMENT);
}

static void components_do_not_depend_on_threads(void)
{
    static double out[2][N * 8];
    double variance[8], total;
    s2clr_pool *pool = NULL;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_pool_new(3, &pool));
    TEST_OK(s2clr_pca(x, N, D, 8, NULL, out[0], variance, &total));
    TEST_OK(s2clr_pca(x, N, D, 8, pool, out[1], variance, &total));
    CU_ASSERT_EQUAL(memcmp(out[0], out[1], sizeof out[0]), 0);
    s2clr_pool_free(pool);
}

static const test_case cases[] = {
    {"finds the nearest", finds_the_nearest},
    {"neighbours do not depend on threads", does_not_depend_on_threads},
    {"refuses too many", refuses_too_many},
    {"trusts as scikit-learn", trusts_as_scikit_learn},
    {"trusts by hand", trusts_by_hand},
    {"finds components", finds_components},
    {"turns and no more", turns_and_no_more},
    {"takes what has no breadth", takes_what_has_no_breadth},
    {"components do not depend on threads", components_do_not_depend_on_threads},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("neighbours", cases, argc, argv);
}
