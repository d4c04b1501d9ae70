#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "golden/golden_metrics.h"
#include "train/metrics.h"

enum { N = 200 };

/* The set that tests/golden/metrics.py describes. */
static void golden_set(double *p, int *label)
{
    for (int i = 0; i < N; i++) {
        p[i] = (37 * i % 41) / 40.0;
        label[i] = (53 * i + i * i) % 7 < 2 + 3 * (p[i] > 0.5);
    }
}

static void random_set(uint64_t seed, size_t n, double *p, int *label)
{
    for (size_t i = 0; i < n; i++) {
        label[i] = s2clr_random_uniform(seed, 0, i) < 0.3f;
        p[i] = floor(32 * (0.2 * label[i] + 0.8 * (double)s2clr_random_uniform(seed, 1, i))) / 32;
    }
}

static double brute_auc(const double *p, const int *label, size_t n)
{
    double wins = 0, pairs = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (label[i] && !label[j]) pairs++, wins += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
    return wins / pairs;
}

static void by_hand(void)
{
    const double p[] = {0.9, 0.8, 0.7, 0.4, 0.4, 0.1};
    const int label[] = {1, 0, 1, 1, 0, 0};
    s2clr_metrics m;
    TEST_OK(s2clr_metrics_compute(p, label, 6, 0.7, 0, 0, NULL, &m));
    CU_ASSERT_EQUAL(m.n, 6);
    CU_ASSERT_EQUAL(m.positives, 3);
    CU_ASSERT_TRUE(m.tp == 2 && m.fp == 1 && m.fn == 1 && m.tn == 2);
    TEST_NEAR(m.value[S2CLR_METRIC_ACCURACY], 4 / 6.0, 1e-15);
    TEST_NEAR(m.value[S2CLR_METRIC_PRECISION], 2 / 3.0, 1e-15);
    TEST_NEAR(m.value[S2CLR_METRIC_RECALL], 2 / 3.0, 1e-15);
    TEST_NEAR(m.value[S2CLR_METRIC_SPECIFICITY], 2 / 3.0, 1e-15);
    TEST_NEAR(m.value[S2CLR_METRIC_F1], 2 / 3.0, 1e-15);
    TEST_NEAR(m.value[S2CLR_METRIC_AUC], 6.5 / 9, 1e-15);
    TEST_NEAR(m.value[S2CLR_METRIC_PR_AUC], (1 + 2 / 3.0 + 3 / 5.0) / 3, 1e-15);
    TEST_NEAR(m.value[S2CLR_METRIC_BRIER], (0.01 + 0.64 + 0.09 + 0.36 + 0.16 + 0.01) / 6, 1e-15);
    /* bins of 1/15: 0.9 | 0.8 | 0.7 | 0.4 twice, one of them positive | 0.1 */
    TEST_NEAR(m.value[S2CLR_METRIC_ECE], (0.1 + 0.8 + 0.3 + 0.2 + 0.1) / 6, 1e-12);
    CU_ASSERT_TRUE(isnan(m.low[S2CLR_METRIC_AUC]) && isnan(m.high[S2CLR_METRIC_AUC]));
}

static void against_scikit_learn(void)
{
    double p[N];
    int label[N];
    golden_set(p, label);
    s2clr_metrics m;
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.4, 0, 0, NULL, &m));
    size_t checked = 0;
    for (size_t g = 0; g < sizeof golden_metrics / sizeof golden_metrics[0]; g++)
        for (int k = 0; k < S2CLR_METRICS; k++) {
            if (strcmp(golden_metrics[g].name, s2clr_metric_name((s2clr_metric)k)) != 0) continue;
            TEST_NEAR(m.value[k], golden_metrics[g].value, 1e-12);
            checked++;
        }
    CU_ASSERT_EQUAL(checked, S2CLR_METRICS - 1); /* all but ECE */
}

static void auc_against_all_pairs(void)
{
    double p[300], auc = 0;
    int label[300];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        random_set(seed, 300, p, label);
        TEST_OK(s2clr_metrics_auc(p, label, 300, &auc));
        TEST_NEAR(auc, brute_auc(p, label, 300), 1e-12);
    }
}

static void degenerate_sets(void)
{
    const double p[] = {0.2, 0.2, 0.3};
    const int none[] = {0, 0, 0}, some[] = {0, 1, 1};
    s2clr_metrics m;
    TEST_OK(s2clr_metrics_compute(p, none, 3, 0.5, 50, 1, NULL, &m));
    CU_ASSERT_TRUE(isnan(m.value[S2CLR_METRIC_AUC]) && isnan(m.value[S2CLR_METRIC_PR_AUC]));
    CU_ASSERT_TRUE(isnan(m.value[S2CLR_METRIC_RECALL]) && isnan(m.value[S2CLR_METRIC_F1]));
    CU_ASSERT_TRUE(isnan(m.low[S2CLR_METRIC_AUC]));
    TEST_NEAR(m.value[S2CLR_METRIC_ACCURACY], 1, 0);
    TEST_OK(s2clr_metrics_compute(p, some, 3, 0.5, 0, 1, NULL, &m));
    CU_ASSERT_TRUE(isnan(m.value[S2CLR_METRIC_PRECISION]));
    TEST_NEAR(m.value[S2CLR_METRIC_F1], 0, 0);
    TEST_NEAR(m.value[S2CLR_METRIC_AUC], 0.75, 0);
    const double edge[] = {0, 1};
    const int right[] = {0, 1};
    TEST_OK(s2clr_metrics_compute(edge, right, 2, 1, 0, 1, NULL, &m));
    TEST_NEAR(m.value[S2CLR_METRIC_ECE], 0, 0);
    TEST_NEAR(m.value[S2CLR_METRIC_F1], 1, 0);
}

static void nonsense_is_refused(void)
{
    const double nan[] = {0.5, NAN}, large[] = {0.5, 1.5}, p[] = {0.5, 0.6};
    const int label[] = {0, 1}, wrong[] = {0, 2};
    s2clr_metrics m;
    double auc = 7;
    CU_ASSERT_EQUAL(s2clr_metrics_auc(nan, label, 2, &auc), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_metrics_auc(large, label, 2, &auc), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_metrics_auc(p, wrong, 2, &auc), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_metrics_auc(p, label, 0, &auc), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(auc, 7);
    CU_ASSERT_EQUAL(s2clr_metrics_compute(p, label, 2, 0.5, -1, 0, NULL, &m), S2CLR_ERR_ARGUMENT);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Resamples made as the header says, metrics by calling the plain function on each. */
static void bootstrap_against_plain_resampling(void)
{
    enum { R = 41 }; /* 2.5 % of 40 is a whole number: no interpolation */
    double p[60], drawn_p[60], auc[R], accuracy[R];
    int label[60], drawn_label[60];
    random_set(3, 60, p, label);
    for (uint64_t r = 0; r < R; r++) {
        for (uint64_t i = 0; i < 60; i++) {
            const uint32_t j = s2clr_random_below(77, r, i, 60);
            drawn_p[i] = p[j], drawn_label[i] = label[j];
        }
        s2clr_metrics m;
        TEST_OK(s2clr_metrics_compute(drawn_p, drawn_label, 60, 0.5, 0, 0, NULL, &m));
        auc[r] = m.value[S2CLR_METRIC_AUC], accuracy[r] = m.value[S2CLR_METRIC_ACCURACY];
    }
    qsort(auc, R, sizeof *auc, compare), qsort(accuracy, R, sizeof *accuracy, compare);
    s2clr_metrics m;
    TEST_OK(s2clr_metrics_compute(p, label, 60, 0.5, R, 77, NULL, &m));
    TEST_NEAR(m.low[S2CLR_METRIC_AUC], auc[1], 1e-12);
    TEST_NEAR(m.high[S2CLR_METRIC_AUC], auc[39], 1e-12);
    TEST_NEAR(m.low[S2CLR_METRIC_ACCURACY], accuracy[1], 1e-12);
    TEST_NEAR(m.high[S2CLR_METRIC_ACCURACY], accuracy[39], 1e-12);
}

static void intervals_hold_and_threads_do_not_matter(void)
{
    double p[N];
    int label[N];
    golden_set(p, label);
    s2clr_metrics one, two;
    s2clr_pool *pool = NULL;
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.5, 500, 9, NULL, &one));
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.5, 500, 9, pool, &two));
    s2clr_pool_free(pool);
    for (int m = 0; m < S2CLR_METRICS; m++) {
        CU_ASSERT_EQUAL(one.low[m], two.low[m]);
        CU_ASSERT_EQUAL(one.high[m], two.high[m]);
        CU_ASSERT_TRUE(one.low[m] < one.high[m]);
        if (m == S2CLR_METRIC_ECE) continue; /* resampling adds to it: known to be biased upwards */
        CU_ASSERT_TRUE(one.low[m] < one.value[m] && one.value[m] < one.high[m]);
    }
}

static void best_threshold_has_the_best_f1(void)
{
    double p[N], threshold = 0;
    int label[N];
    golden_set(p, label);
    s2clr_metrics m, other;
    TEST_OK(s2clr_metrics_best_threshold(p, label, N, &threshold));
    TEST_OK(s2clr_metrics_compute(p, label, N, threshold, 0, 0, NULL, &m));
    for (int i = 0; i <= 1000; i++) {
        TEST_OK(s2clr_metrics_compute(p, label, N, i / 1000.0, 0, 0, NULL, &other));
        CU_ASSERT_TRUE(!(other.value[S2CLR_METRIC_F1] > m.value[S2CLR_METRIC_F1] + 1e-12));
    }
    const double apart[] = {0.1, 0.2, 0.6, 0.9};
    const int split[] = {0, 0, 1, 1}, none[] = {0, 0, 0, 0};
    TEST_OK(s2clr_metrics_best_threshold(apart, split, 4, &threshold));
    TEST_NEAR(threshold, 0.4, 1e-15);
    TEST_OK(s2clr_metrics_best_threshold(apart, none, 4, &threshold));
    TEST_NEAR(threshold, 0.5, 0);
}

static void json_reads_back(void)
{
    const double p[] = {0.2, 0.4, 0.6};
    const int label[] = {0, 0, 0};
    s2clr_metrics m;
    char *text = NULL;
    TEST_OK(s2clr_metrics_compute(p, label, 3, 0.5, 20, 1, NULL, &m));
    TEST_OK(s2clr_metrics_format(&m, &text));
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "fp")), 1);
    CU_ASSERT_TRUE(json_is_null(json_object_get(json_object_get(root, "auc"), "value")));
    const json_t *brier = json_object_get(json_object_get(root, "brier"), "high");
    TEST_NEAR(json_real_value(brier), m.high[S2CLR_METRIC_BRIER], 1e-14);
    json_decref(root);
    s2clr_free(text);
}

static const test_case cases[] = {
    {"six samples by hand", by_hand},
    {"against scikit-learn", against_scikit_learn},
    {"AUC against all pairs", auc_against_all_pairs},
    {"degenerate sets", degenerate_sets},
    {"nonsense is refused", nonsense_is_refused},
    {"bootstrap against plain resampling", bootstrap_against_plain_resampling},
    {"intervals, and threads do not matter", intervals_hold_and_threads_do_not_matter},
    {"best threshold", best_threshold_has_the_best_f1},
    {"JSON reads back", json_reads_back},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("metrics", cases, argc, argv);
}
