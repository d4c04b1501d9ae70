/* Curves, reliability, proportions and groups of a binary classifier. */
#include "harness.h"

#include <math.h>

#include "base/philox.h"
#include "golden/golden_evaluation.h"
#include "train/curve.h"
#include "train/group_metrics.h"
#include "train/metrics.h"

enum { N = 200, MANY = 20000 };

static void golden_set(double *p, int *label)
{
    for (int i = 0; i < N; i++) {
        p[i] = (37 * i % 41) / 40.0;
        label[i] = (53 * i + i * i) % 7 < 2 + 3 * (p[i] > 0.5);
    }
}

static void same_points(const s2clr_curve *curve, const double golden[][3], size_t count)
{
    CU_ASSERT_EQUAL_FATAL(curve->count, count);
    for (size_t i = 0; i < count; i++) {
        TEST_NEAR(curve->x[i], golden[i][0], 1e-12);
        TEST_NEAR(curve->y[i], golden[i][1], 1e-12);
        CU_ASSERT_TRUE(curve->threshold[i] == golden[i][2] ||
                       fabs(curve->threshold[i] - golden[i][2]) < 1e-12);
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void against_scikit_learn(void)
{
    double p[N];
    int label[N];
    s2clr_curve curve = {0};
    golden_set(p, label);
    TEST_OK(s2clr_curve_roc(p, label, N, 0, &curve));
    same_points(&curve, golden_roc, COUNT(golden_roc));
    s2clr_curve_free(&curve);
    TEST_OK(s2clr_curve_precision_recall(p, label, N, 0, 0, &curve));
    same_points(&curve, golden_pr, COUNT(golden_pr));
    s2clr_curve_free(&curve);
    TEST_OK(s2clr_curve_precision_recall(p, label, N, GOLDEN_SHARE, 0, &curve));
    same_points(&curve, golden_pr_shifted, COUNT(golden_pr_shifted));
    s2clr_curve_free(&curve);
}

static double area(const s2clr_curve *c)
{
    double sum = 0;
    for (size_t i = 1; i < c->count; i++)
        sum += (c->x[i] - c->x[i - 1]) * (c->y[i] + c->y[i - 1]) / 2;
    return sum;
}

static void random_set(double *p, int *label)
{
    for (size_t i = 0; i < MANY; i++) {
        label[i] = s2clr_random_uniform(8, 0, i) < 0.1f;
        p[i] = 1 / (1 + exp(-2.0 * label[i] - (double)s2clr_random_normal(8, 1, i)));
    }
}

static void thinning_keeps_the_area(void)
{
    static double p[MANY];
    static int label[MANY];
    s2clr_curve whole = {0}, thin = {0}, tight = {0};
    double auc = 0;
    random_set(p, label);
    TEST_OK(s2clr_metrics_auc(p, label, MANY, &auc));
    TEST_OK(s2clr_curve_roc(p, label, MANY, 0, &whole));
    CU_ASSERT_TRUE(whole.count > 15000);
    TEST_NEAR(area(&whole), auc, 1e-9);
    TEST_OK(s2clr_curve_roc(p, label, MANY, 300, &thin));
    CU_ASSERT_EQUAL(thin.count, 300);
    TEST_NEAR(area(&thin), auc, 1e-4);
    CU_ASSERT_TRUE(thin.x[0] == 0 && thin.y[0] == 0 && thin.x[299] == 1 && thin.y[299] == 1);
    for (size_t i = 1; i < thin.count; i++)
        CU_ASSERT_TRUE(thin.x[i] >= thin.x[i - 1] && thin.threshold[i] < thin.threshold[i - 1]);
    /* Five points cannot follow it: as many stay as the area needs. */
    TEST_OK(s2clr_curve_roc(p, label, MANY, 5, &tight));
    CU_ASSERT_TRUE(tight.count > 5 && tight.count < 300);
    TEST_NEAR(area(&tight), auc, 1e-4);
    s2clr_curve_free(&tight), s2clr_curve_free(&thin);
    s2clr_curve pr = {0}, thin_pr = {0};
    TEST_OK(s2clr_curve_precision_recall(p, label, MANY, 0.02, 0, &pr));
    TEST_OK(s2clr_curve_precision_recall(p, label, MANY, 0.02, 400, &thin_pr));
    CU_ASSERT_TRUE(thin_pr.count < 2000);
    TEST_NEAR(area(&thin_pr), area(&pr), 1e-4);
    CU_ASSERT_EQUAL(thin_pr.x[thin_pr.count - 1], 1);
    s2clr_curve_free(&pr), s2clr_curve_free(&thin_pr), s2clr_curve_free(&whole);
}

static void equal_scores_are_one_point(void)
{
    const double p[] = {0.3, 0.3, 0.3};
    const int label[] = {0, 1, 1};
    s2clr_curve curve = {0};
    TEST_OK(s2clr_curve_roc(p, label, 3, 2, &curve));
    CU_ASSERT_EQUAL(curve.count, 2);
    CU_ASSERT_TRUE(curve.x[1] == 1 && curve.y[1] == 1 && curve.threshold[1] == 0.3);
    s2clr_curve_free(&curve);
    TEST_OK(s2clr_curve_precision_recall(p, label, 3, 0, 2, &curve));
    CU_ASSERT_EQUAL(curve.count, 1);
    TEST_NEAR(curve.y[0], 2 / 3.0, 1e-15);
    s2clr_curve_free(&curve);
}

static void curves_that_do_not_exist(void)
{
    const double p[] = {0.1, 0.2}, nan[] = {NAN, 0.2};
    const int none[] = {0, 0}, all[] = {1, 1}, both[] = {0, 1};
    s2clr_curve curve = {0};
    s2clr_reliability_bin bin[S2CLR_RELIABILITY_BINS];
    CU_ASSERT_EQUAL(s2clr_curve_roc(p, none, 2, 0, &curve), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("none of the 2 samples is positive: there is no ROC curve");
    CU_ASSERT_EQUAL(s2clr_curve_roc(p, all, 2, 0, &curve), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("is negative");
    CU_ASSERT_EQUAL(s2clr_curve_precision_recall(p, none, 2, 0, 0, &curve), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_curve_precision_recall(p, all, 2, 0.1, 0, &curve), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_curve_precision_recall(p, both, 2, 1, 0, &curve), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_curve_roc(nan, both, 2, 0, &curve), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_curve_roc(p, both, 0, 0, &curve), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_reliability(nan, both, 2, bin), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_PTR_NULL(curve.x);
    TEST_OK(s2clr_curve_precision_recall(p, all, 2, 0, 0, &curve)); /* precision 1 all along */
    CU_ASSERT_TRUE(curve.count == 2 && curve.y[0] == 1 && curve.y[1] == 1);
    s2clr_curve_free(&curve);
}

static void reliability_adds_up_to_the_ece(void)
{
    double p[N], error = 0;
    int label[N];
    size_t n = 0;
    s2clr_metrics m;
    s2clr_reliability_bin bin[S2CLR_RELIABILITY_BINS];
    golden_set(p, label);
    TEST_OK(s2clr_reliability(p, label, N, bin));
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.5, 0, 0, NULL, &m));
    for (int b = 0; b < S2CLR_RELIABILITY_BINS; b++) {
        n += bin[b].n;
        if (bin[b].n == 0) continue;
        error += (double)bin[b].n * fabs(bin[b].mean_p - bin[b].share.value);
        CU_ASSERT_TRUE(bin[b].low <= bin[b].mean_p && bin[b].mean_p <= bin[b].high);
        CU_ASSERT_TRUE(bin[b].share.low < bin[b].share.value &&
                       bin[b].share.value < bin[b].share.high);
    }
    CU_ASSERT_EQUAL(n, N);
    TEST_NEAR(error / N, m.value[S2CLR_METRIC_ECE], 1e-12);
    const double edge[] = {1, 0.01};
    const int right[] = {1, 0};
    TEST_OK(s2clr_reliability(edge, right, 2, bin));
    CU_ASSERT_TRUE(bin[14].n == 1 && bin[14].positives == 1 && bin[0].n == 1);
    CU_ASSERT_TRUE(isnan(bin[7].mean_p) && isnan(bin[7].share.value) && isnan(bin[7].share.low));
}

/* The ends solve |share - p| = z sqrt(p (1 - p) / n), which is what Wilson's interval is. */
static void wilson_solves_its_equation(void)
{
    const double z = 1.959963984540054;
    for (size_t n = 1; n < 60; n += 7)
        for (size_t k = 0; k <= n; k++) {
            const s2clr_proportion w = s2clr_proportion_wilson(k, n);
            const double share = (double)k / (double)n, ends[] = {w.low, w.high};
            CU_ASSERT_EQUAL(w.value, share);
            CU_ASSERT_TRUE(0 <= w.low && w.low <= share && share <= w.high && w.high <= 1);
            for (int e = 0; e < 2; e++)
                TEST_NEAR(fabs(share - ends[e]), z * sqrt(ends[e] * (1 - ends[e]) / (double)n),
                          1e-9);
        }
    TEST_NEAR(s2clr_proportion_wilson(5, 10).low, 0.2366, 5e-5);
    TEST_NEAR(s2clr_proportion_wilson(5, 10).high, 0.7634, 5e-5);
    TEST_NEAR(s2clr_proportion_wilson(0, 10).high, 0.2775, 5e-5);
    const s2clr_proportion none = s2clr_proportion_wilson(0, 0);
    CU_ASSERT_TRUE(isnan(none.value) && isnan(none.low) && isnan(none.high));
}

/* ---- groups ---- */

static void groups_are_counted(void)
{
    const double p[] = {0.9, 0.2, 0.8, 0.5, 0.1, 0.9, 0.1};
    const int label[] = {1, 1, 0, 1, 0, 1, 0};
    const int group[] = {0, 0, 0, 0, 1, 2, 4};
    s2clr_group_metrics g[6];
    TEST_OK(s2clr_group_metrics_compute(p, label, group, 7, 6, 0.5, g));
    CU_ASSERT_TRUE(g[0].n == 4 && g[0].positives == 3 && g[0].tp == 2 && g[0].fp == 1);
    CU_ASSERT_TRUE(g[0].fn == 1 && g[0].tn == 0);
    TEST_NEAR(g[0].recall.value, 2 / 3.0, 1e-15);
    TEST_NEAR(g[0].precision.value, 2 / 3.0, 1e-15);
    TEST_NEAR(g[0].recall.low, s2clr_proportion_wilson(2, 3).low, 1e-15);
    CU_ASSERT_EQUAL(g[0].specificity.value, 0);
    CU_ASSERT_STRING_EQUAL(g[0].reason, "");
    /* one sample */
    CU_ASSERT_TRUE(isnan(g[1].recall.value) && isnan(g[1].precision.value));
    CU_ASSERT_EQUAL(g[1].specificity.value, 1);
    CU_ASSERT_STRING_EQUAL(g[1].reason,
                           "no positive sample and none called positive: no recall, no precision");
    CU_ASSERT_TRUE(g[2].recall.value == 1 && g[2].recall.low < 0.3 && g[2].recall.high == 1);
    CU_ASSERT_TRUE(isnan(g[2].specificity.value));
    CU_ASSERT_STRING_EQUAL(g[2].reason, "no negative sample: no specificity");
    /* no sample */
    CU_ASSERT_TRUE(g[3].n == 0 && isnan(g[3].accuracy.value) && isnan(g[3].recall.high));
    CU_ASSERT_STRING_EQUAL(g[3].reason, "no sample");
    CU_ASSERT_STRING_EQUAL(g[5].reason, "no sample");
}

static void every_missing_number_has_a_reason(void)
{
    for (int cells = 0; cells < 16; cells++) { /* which of tn, fp, fn, tp there are */
        double p[4];
        int label[4], group[4] = {0};
        size_t n = 0;
        s2clr_group_metrics g;
        for (int c = 0; c < 4; c++) {
            if (!(cells >> c & 1)) continue;
            label[n] = c / 2;
            p[n++] = c % 2;
        }
        TEST_OK(s2clr_group_metrics_compute(p, label, group, n, 1, 0.5, &g));
        const bool missing = isnan(g.recall.value) || isnan(g.specificity.value) ||
                             isnan(g.precision.value) || isnan(g.accuracy.value);
        CU_ASSERT_EQUAL(missing, g.reason[0] != '\0');
        CU_ASSERT_EQUAL(g.n, n);
    }
    const double nan[] = {NAN}, p[] = {0.5};
    const int zero[] = {0}, two[] = {2};
    s2clr_group_metrics g;
    CU_ASSERT_EQUAL(s2clr_group_metrics_compute(nan, zero, zero, 1, 1, 0.5, &g),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_group_metrics_compute(p, two, zero, 1, 1, 0.5, &g), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_group_metrics_compute(p, zero, two, 1, 2, 0.5, &g), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("group of sample 0 is 2, must be 0 to 1");
}

static const test_case cases[] = {
    {"against scikit-learn", against_scikit_learn},
    {"thinning keeps the area", thinning_keeps_the_area},
    {"equal scores are one point", equal_scores_are_one_point},
    {"curves that do not exist", curves_that_do_not_exist},
    {"reliability adds up to the ECE", reliability_adds_up_to_the_ece},
    {"Wilson solves its equation", wilson_solves_its_equation},
    {"groups are counted", groups_are_counted},
    {"every missing number has a reason", every_missing_number_has_a_reason},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("metric_curves", cases, argc, argv);
}
