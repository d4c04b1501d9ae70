#include "harness.h"

#include <math.h>
#include <stdlib.h>

#include "base/philox.h"
#include "train/knn.h"
#include "train/monitor.h"

/* ---- monitors ---- */

static void spread_closed_forms(void)
{
    enum { d = 5 };
    float axes[2 * d * d] = {0}, same[6 * d];
    double spread = 0;
    for (int i = 0; i < 2 * d; i++) axes[i * d + i / 2] = i % 2 ? -3.0f : 0.5f;
    TEST_OK(s2clr_monitor_spread(axes, 2 * d, d, &spread));
    TEST_NEAR(spread, 1, 1e-12);
    for (int i = 0; i < 6 * d; i++) same[i] = (float)(i / d + 1) * (float)(i % d - 1);
    TEST_OK(s2clr_monitor_spread(same, 6, d, &spread));
    TEST_NEAR(spread, 0, 1e-12);
    const float opposite[4] = {3, 4, -6, -8};
    TEST_OK(s2clr_monitor_spread(opposite, 2, 2, &spread));
    TEST_NEAR(spread, 7 / 5.0 / sqrt(2), 1e-12);
    CU_ASSERT_EQUAL(s2clr_monitor_spread(same, 0, d, &spread), S2CLR_ERR_ARGUMENT);
}

static void alignment_closed_forms(void)
{
    const float z[] = {3, 4, 6,  8, /* equal directions: 0 */
                       1, 0, 0,  5, /* a right angle: 2 */
                       1, 2, -2, -4 /* opposite: 4 */};
    double alignment = 7;
    TEST_OK(s2clr_monitor_alignment(z, 1, 2, &alignment));
    TEST_NEAR(alignment, 0, 1e-12);
    TEST_OK(s2clr_monitor_alignment(z, 3, 2, &alignment));
    TEST_NEAR(alignment, 2, 1e-12);
    CU_ASSERT_EQUAL(s2clr_monitor_alignment(z, 0, 2, &alignment), S2CLR_ERR_ARGUMENT);
}

static void uniformity_closed_forms(void)
{
    enum { d = 7 };
    float axes[d * d] = {0};
    double uniformity = 7;
    for (int i = 0; i < d; i++) axes[i * d + i] = (float)(i + 1);
    TEST_OK(s2clr_monitor_uniformity(axes, d, d, d, NULL, &uniformity));
    TEST_NEAR(uniformity, -4, 1e-12);
    const float three[6] = {2, 0, 5, 0, 0, 1}, opposite[2] = {4, -2};
    TEST_OK(s2clr_monitor_uniformity(three, 3, 2, 2, NULL, &uniformity));
    TEST_NEAR(uniformity, log((1 + 2 * exp(-4)) / 3), 1e-12);
    TEST_OK(s2clr_monitor_uniformity(three, 2, 2, 2, NULL, &uniformity));
    TEST_NEAR(uniformity, 0, 1e-12);
    TEST_OK(s2clr_monitor_uniformity(three, 2, 4, 2, NULL, &uniformity)); /* first and last */
    TEST_NEAR(uniformity, -4, 1e-12);
    TEST_OK(s2clr_monitor_uniformity(opposite, 2, 1, 1, NULL, &uniformity));
    TEST_NEAR(uniformity, -8, 1e-12);
    CU_ASSERT_EQUAL(s2clr_monitor_uniformity(three, 1, 2, 2, NULL, &uniformity),
                    S2CLR_ERR_ARGUMENT);
}

static void uniformity_ignores_threads(void)
{
    enum { n = 131, d = 9 };
    float z[n * d];
    s2clr_pool *pool = NULL;
    double one = 0, three = 1, sum = 0;
    for (size_t i = 0; i < n * d; i++) z[i] = s2clr_random_normal(2, 3, i);
    TEST_OK(s2clr_pool_new(3, &pool));
    TEST_OK(s2clr_monitor_uniformity(z, n, d, d, NULL, &one));
    TEST_OK(s2clr_monitor_uniformity(z, n, d, d, pool, &three));
    CU_ASSERT_EQUAL(one, three);
    s2clr_pool_free(pool);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            double dot = 0, a = 0, b = 0;
            for (int k = 0; k < d; k++) {
                const double x = (double)z[i * d + k], y = (double)z[j * d + k];
                dot += x * y, a += x * x, b += y * y;
            }
            sum += exp(-2 * (2 - 2 * dot / sqrt(a * b)));
        }
    TEST_NEAR(one, log(sum / (n * (n - 1) / 2.0)), 1e-10);
}

/* ---- nearest neighbours ---- */

/* Angles in degrees; length does not matter. */
static void at_angle(double degrees, float length, float out[2])
{
    const double radians = degrees * 3.14159265358979323846 / 180;
    out[0] = length * (float)cos(radians);
    out[1] = length * (float)sin(radians);
}

static void neighbours_of_a_circle(void)
{
    static const double angle[] = {0, 10, 25, 100, 112, 130};
    const int labels[] = {0, 0, 1, 1, 1, 0};
    float x[12], query[4];
    double share[12], asked[4];
    for (int i = 0; i < 6; i++) at_angle(angle[i], (float)(i + 1), x + 2 * i);
    TEST_OK(s2clr_knn_shares(x, labels, 6, NULL, 0, 2, 2, 2, NULL, share));
    const double second[6] = {.5, .5, 0,
                              .5, .5, 1}; /* 0: 10 25; 10: 0 25; 25: 10 0; 100: 112 130 */
    for (int i = 0; i < 6; i++) {
        TEST_NEAR(share[2 * i + 1], second[i], 0);
        TEST_NEAR(share[2 * i], 1 - second[i], 0);
    }
    at_angle(1, 9, query), at_angle(200, 0.1f, query + 2);
    TEST_OK(s2clr_knn_shares(x, labels, 6, query, 2, 2, 2, 3, NULL, asked));
    TEST_NEAR(asked[1], 1 / 3.0, 1e-15); /* 0 10 25 */
    TEST_NEAR(asked[3], 2 / 3.0, 1e-15); /* 130 112 100 */
    TEST_OK(s2clr_knn_shares(x, labels, 6, NULL, 0, 2, 2, 100, NULL, share));
    TEST_NEAR(share[1], 3 / 5.0, 1e-15); /* all the others */
}

static void equally_near_ones_go_by_place(void)
{
    const float x[] = {1, 0, 2, 0, 3, 0, 4, 0};
    const int labels[] = {0, 1, 2, 2};
    double share[12];
    TEST_OK(s2clr_knn_shares(x, labels, 4, NULL, 0, 2, 3, 2, NULL, share));
    CU_ASSERT_TRUE(share[1] == 0.5 && share[2] == 0.5);  /* 0: 1 and 2 */
    CU_ASSERT_TRUE(share[9] == 0.5 && share[10] == 0.5); /* 3: 0 and 1 */
}

typedef struct reference {
    double cosine;
    int index;
} reference;

static int nearer(const void *a, const void *b)
{
    const reference *x = a, *y = b;
    if (x->cosine != y->cosine) return x->cosine < y->cosine ? 1 : -1;
    return x->index - y->index;
}

static void search_finds_what_sorting_finds(void)
{
    enum { n = 61, d = 6, k = 7, classes = 4 };
    float x[n * d];
    int labels[n];
    double share[n * classes], alone[n * classes];
    s2clr_pool *pool = NULL;
    for (size_t i = 0; i < n * d; i++) x[i] = s2clr_random_normal(6, 1, i);
    for (size_t i = 0; i < n; i++) labels[i] = (int)s2clr_random_below(6, 2, i, classes);
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_knn_shares(x, labels, n, NULL, 0, d, classes, k, pool, share));
    TEST_OK(s2clr_knn_shares(x, labels, n, NULL, 0, d, classes, k, NULL, alone));
    s2clr_pool_free(pool);
    for (int i = 0; i < n; i++) {
        reference all[n];
        double want[classes] = {0};
        for (int j = 0; j < n; j++) {
            double dot = 0, square = 0;
            for (int m = 0; m < d; m++) {
                dot += (double)x[i * d + m] * (double)x[j * d + m];
                square += (double)x[j * d + m] * (double)x[j * d + m];
            }
            all[j] = (reference){.cosine = i == j ? -9 : dot / sqrt(square), .index = j};
        }
        qsort(all, n, sizeof *all, nearer);
        for (int m = 0; m < k; m++) want[labels[all[m].index]] += 1.0 / k;
        for (int c = 0; c < classes; c++) {
            TEST_NEAR(share[i * classes + c], want[c], 1e-12);
            CU_ASSERT_EQUAL(share[i * classes + c], alone[i * classes + c]);
        }
    }
}

static void scores_closed_forms(void)
{
    const double two[] = {1, 0, .25, .75, .5, .5, .75, .25};
    const int labels[] = {0, 1, 1, 1};
    s2clr_knn_result score = {0};
    TEST_OK(s2clr_knn_score(two, labels, 4, 2, &score));
    TEST_NEAR(score.accuracy, (1 + 1 + 0.5 + 0) / 4, 1e-15);
    TEST_NEAR(score.auc, 1, 0);
    const double three[] = {1, 0, 0, .5, .5, 0, 0, 0, 1, 0, 1, 0};
    const int names[] = {0, 1, 2, 2};
    TEST_OK(s2clr_knn_score(three, names, 4, 3, &score));
    TEST_NEAR(score.accuracy, 2.5 / 4, 1e-15);
    TEST_NEAR(score.auc, (1 + 2 / 3.0 + 3 / 4.0) / 3, 1e-12);
    const int one[] = {1, 1, 1, 1};
    TEST_OK(s2clr_knn_score(two, one, 4, 2, &score));
    CU_ASSERT_TRUE(isnan(score.auc));
}

static void nonsense_is_refused(void)
{
    const float x[4] = {1, 2, 3, 4};
    const int labels[2] = {0, 1}, wrong[2] = {0, 2};
    double share[4];
    s2clr_knn_result score = {0};
    CU_ASSERT_EQUAL(s2clr_knn_shares(x, labels, 1, NULL, 0, 2, 2, 1, NULL, share),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("at least 2");
    CU_ASSERT_EQUAL(s2clr_knn_shares(x, labels, 2, NULL, 0, 2, 2, 0, NULL, share),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_knn_shares(x, wrong, 2, NULL, 0, 2, 2, 1, NULL, share),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("label 1 is 2, must be 0 to 1");
    CU_ASSERT_EQUAL(s2clr_knn_score(share, wrong, 2, 2, &score), S2CLR_ERR_ARGUMENT);
}

static const test_case cases[] = {
    {"spread: closed forms", spread_closed_forms},
    {"alignment: closed forms", alignment_closed_forms},
    {"uniformity: closed forms", uniformity_closed_forms},
    {"uniformity ignores threads", uniformity_ignores_threads},
    {"neighbours on a circle", neighbours_of_a_circle},
    {"equally near ones go by place", equally_near_ones_go_by_place},
    {"the search finds what sorting finds", search_finds_what_sorting_finds},
    {"scores: closed forms", scores_closed_forms},
    {"nonsense is refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("monitor", cases, argc, argv);
}
