#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "golden/golden_evaluation.h"
#include "train/prior_shift.h"

enum { N = 200, SMALL = 60 };

/* The set that tests/golden/metrics.py describes. */
static void golden_set(double *p, int *label)
{
    for (int i = 0; i < N; i++) {
        p[i] = (37 * i % 41) / 40.0;
        label[i] = (53 * i + i * i) % 7 < 2 + 3 * (p[i] > 0.5);
    }
}

static void against_scikit_learn(void)
{
    double p[N];
    int label[N], checked = 0;
    s2clr_metrics m, plain;
    golden_set(p, label);
    TEST_OK(s2clr_metrics_at_prevalence(p, label, N, 0.4, GOLDEN_SHARE, 0, 0, NULL, &m));
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.4, 0, 0, NULL, &plain));
    for (size_t g = 0; g < sizeof golden_shifted / sizeof golden_shifted[0]; g++)
        for (int k = 0; k < S2CLR_METRICS; k++) {
            if (strcmp(golden_shifted[g].name, s2clr_metric_name((s2clr_metric)k)) != 0) continue;
            TEST_NEAR(m.value[k], golden_shifted[g].value, 1e-12);
            checked++;
        }
    CU_ASSERT_EQUAL(checked, S2CLR_METRICS);
    CU_ASSERT_TRUE(m.tp == plain.tp && m.fp == plain.fp && m.fn == plain.fn && m.tn == plain.tn);
    CU_ASSERT_EQUAL(m.n, N);
}

/* Every negative counted k times is what a smaller share of positives means. */
static void more_negatives_say_the_same(void)
{
    enum { TIMES = 7 };
    double p[N], many_p[N * TIMES];
    int label[N], many_label[N * TIMES];
    size_t count = 0, positives = 0;
    s2clr_metrics shifted, counted;
    golden_set(p, label);
    for (int i = 0; i < N; i++) {
        positives += (size_t)label[i];
        for (int k = 0; k < (label[i] ? 1 : TIMES); k++)
            many_p[count] = p[i], many_label[count++] = label[i];
    }
    const double share = (double)positives / (double)count;
    TEST_OK(s2clr_metrics_at_prevalence(p, label, N, 0.6, share, 0, 0, NULL, &shifted));
    TEST_OK(s2clr_metrics_compute(many_p, many_label, count, 0.6, 0, 0, NULL, &counted));
    for (int m = 0; m < S2CLR_METRICS; m++) TEST_NEAR(shifted.value[m], counted.value[m], 1e-12);
}

/* The share that the samples have changes nothing, intervals included. */
static void the_samples_own_share_changes_nothing(void)
{
    double p[N], positives = 0;
    int label[N];
    s2clr_metrics own, plain;
    s2clr_pool *pool = NULL;
    golden_set(p, label);
    for (int i = 0; i < N; i++) positives += label[i];
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_metrics_at_prevalence(p, label, N, 0.5, positives / N, 0, 3, pool, &own));
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.5, 0, 3, NULL, &plain));
    for (int m = 0; m < S2CLR_METRICS; m++) TEST_NEAR(own.value[m], plain.value[m], 1e-12);
    s2clr_pool_free(pool);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Resamples made as metrics.h says, each shifted by calling the plain function on it. */
static void bootstrap_against_plain_resampling(void)
{
    enum { R = 41 }; /* 2.5 % of 40 is a whole number: no interpolation */
    double p[SMALL], drawn_p[SMALL], precision[R], brier[R];
    int label[SMALL], drawn_label[SMALL];
    s2clr_metrics m;
    for (size_t i = 0; i < SMALL; i++) {
        label[i] = i % 3 == 0;
        p[i] = 0.3 * label[i] + 0.7 * (double)s2clr_random_uniform(4, 0, i);
    }
    for (uint64_t r = 0; r < R; r++) {
        for (uint64_t i = 0; i < SMALL; i++) {
            const uint32_t j = s2clr_random_below(77, r, i, SMALL);
            drawn_p[i] = p[j], drawn_label[i] = label[j];
        }
        TEST_OK(s2clr_metrics_at_prevalence(drawn_p, drawn_label, SMALL, 0.5, 0.1, 0, 0, NULL, &m));
        precision[r] = m.value[S2CLR_METRIC_PRECISION], brier[r] = m.value[S2CLR_METRIC_BRIER];
    }
    qsort(precision, R, sizeof *precision, compare), qsort(brier, R, sizeof *brier, compare);
    TEST_OK(s2clr_metrics_at_prevalence(p, label, SMALL, 0.5, 0.1, R, 77, NULL, &m));
    TEST_NEAR(m.low[S2CLR_METRIC_PRECISION], precision[1], 1e-12);
    TEST_NEAR(m.high[S2CLR_METRIC_PRECISION], precision[39], 1e-12);
    TEST_NEAR(m.low[S2CLR_METRIC_BRIER], brier[1], 1e-12);
    TEST_NEAR(m.high[S2CLR_METRIC_BRIER], brier[39], 1e-12);
}

/* With the threshold moved along, recall stays and precision is Bayes' rule on the rates. */
static void a_moved_threshold_keeps_decisions(void)
{
    double p[N], q[N];
    int label[N];
    s2clr_metrics here, there;
    golden_set(p, label);
    for (int i = 0; i < N; i++) q[i] = s2clr_probability_shift(p[i], 0.5, 0.05);
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.41, 0, 0, NULL, &here));
    TEST_OK(s2clr_metrics_at_prevalence(q, label, N, s2clr_probability_shift(0.41, 0.5, 0.05), 0.05,
                                        0, 0, NULL, &there));
    const double recall = here.value[S2CLR_METRIC_RECALL];
    const double alarm = 1 - here.value[S2CLR_METRIC_SPECIFICITY];
    TEST_NEAR(there.value[S2CLR_METRIC_RECALL], recall, 1e-12);
    TEST_NEAR(there.value[S2CLR_METRIC_PRECISION], 0.05 * recall / (0.05 * recall + 0.95 * alarm),
              1e-12);
    TEST_NEAR(there.value[S2CLR_METRIC_AUC], here.value[S2CLR_METRIC_AUC], 1e-12);
}

static void what_cannot_be_weighted_is_said(void)
{
    const double p[] = {0.1, 0.9, 0.4}, nan[] = {0.1, NAN, 0.4};
    const int label[] = {0, 1, 0}, none[] = {0, 0, 0}, all[] = {1, 1, 1};
    s2clr_metrics m = {.n = 7};
    CU_ASSERT_EQUAL(s2clr_metrics_at_prevalence(p, none, 3, 0.5, 0.1, 10, 0, NULL, &m),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("0 of the 3 samples are positive");
    CU_ASSERT_EQUAL(s2clr_metrics_at_prevalence(p, all, 3, 0.5, 0.1, 10, 0, NULL, &m),
                    S2CLR_ERR_ARGUMENT);
    const double shares[] = {0, 1, -0.1, NAN};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        CU_ASSERT_EQUAL(s2clr_metrics_at_prevalence(p, label, 3, 0.5, shares[i], 0, 0, NULL, &m),
                        S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS("must lie between 0 and 1");
    }
    CU_ASSERT_EQUAL(s2clr_metrics_at_prevalence(nan, label, 3, 0.5, 0.1, 0, 0, NULL, &m),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("probability of sample 1 is nan");
    CU_ASSERT_EQUAL(m.n, 7);
    /* One positive: resamples without it say nothing, and the others are all there is. */
    TEST_OK(s2clr_metrics_at_prevalence(p, label, 3, 0.5, 0.1, 200, 1, NULL, &m));
    CU_ASSERT_EQUAL(m.low[S2CLR_METRIC_RECALL], 1);
    CU_ASSERT_EQUAL(m.value[S2CLR_METRIC_RECALL], 1);
}

static const test_case cases[] = {
    {"against scikit-learn", against_scikit_learn},
    {"more negatives say the same", more_negatives_say_the_same},
    {"the samples' own share changes nothing", the_samples_own_share_changes_nothing},
    {"bootstrap against plain resampling", bootstrap_against_plain_resampling},
    {"a moved threshold keeps decisions", a_moved_threshold_keeps_decisions},
    {"what cannot be weighted is said", what_cannot_be_weighted_is_said},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("prior_shift", cases, argc, argv);
}
