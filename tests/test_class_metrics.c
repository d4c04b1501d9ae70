#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/philox.h"
#include "golden/golden_evaluation.h"
#include "train/class_metrics.h"
#include "train/metrics.h"

enum { N = 60, K = 4 };

/* Random rows that add up to 1, a little in favour of the label; ties by rounding. */
static void rows(double *p, int *label)
{
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        label[i] = (int)(i % 3);
        for (size_t j = 0; j < K; j++) {
            const double u = floor(8 * (double)s2clr_random_uniform(3, j, i)) / 8;
            p[i * K + j] = u + 0.125 + (label[i] == (int)j ? 0.25 : 0);
            sum += p[i * K + j];
        }
        for (size_t j = 0; j < K; j++) p[i * K + j] /= sum;
    }
}

/* Mann-Whitney over all pairs. */
static double slow_auc(const double *p, const int *label, int c)
{
    double wins = 0, pairs = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            if (label[i] != c || label[j] == c) continue;
            const double a = p[i * K + c], b = p[j * K + c];
            wins += a > b ? 1 : a == b ? 0.5 : 0;
            pairs++;
        }
    return pairs > 0 ? wins / pairs : (double)NAN;
}

static void all_pairs_say_the_same(void)
{
    double p[N * K], sum = 0;
    int label[N], hits = 0;
    s2clr_class_metrics m;
    rows(p, label);
    TEST_OK(s2clr_class_metrics_compute(p, label, N, K, &m));
    for (int c = 0; c < 3; c++) {
        TEST_NEAR(m.class_auc[c], slow_auc(p, label, c), 1e-12);
        CU_ASSERT_EQUAL(m.count[c], N / 3);
        sum += m.class_auc[c];
    }
    CU_ASSERT_TRUE(isnan(m.class_auc[3])); /* nobody is of class 3: left out of the mean */
    TEST_NEAR(m.auc, sum / 3, 1e-12);
    for (int i = 0; i < N; i++) {
        int best = 0;
        for (int j = 1; j < K; j++)
            if (p[i * K + j] > p[i * K + best]) best = j;
        hits += best == label[i];
    }
    TEST_NEAR(m.accuracy, hits / (double)N, 1e-12);
    CU_ASSERT_EQUAL(m.hits[0] + m.hits[1] + m.hits[2], (size_t)hits);
}

static void two_classes_are_the_binary_area(void)
{
    double p[N * 2], one[N], auc = 0;
    int label[N];
    s2clr_class_metrics m;
    for (size_t i = 0; i < N; i++) {
        one[i] = p[2 * i + 1] = (double)s2clr_random_uniform(5, 0, i);
        p[2 * i] = 1 - p[2 * i + 1];
        label[i] = i % 4 == 0;
    }
    TEST_OK(s2clr_class_metrics_compute(p, label, N, 2, &m));
    TEST_OK(s2clr_metrics_auc(one, label, N, &auc));
    TEST_NEAR(m.auc, auc, 1e-12);
}

/* The set that tests/golden/evaluation.py describes. */
static void against_scikit_learn(void)
{
    enum { M = 300 };
    double p[M * K];
    int label[M];
    size_t confusion[K * K];
    s2clr_class_metrics m;
    for (int i = 0; i < M; i++) {
        double sum = 0;
        label[i] = (i + i / 7) % 3;
        for (int j = 0; j < K; j++) {
            p[i * K + j] = 1 + (i * (7 * j + 3) + 11 * j) % 16;
            if (j == label[i] && i % 3) p[i * K + j] += 9;
            sum += p[i * K + j];
        }
        for (int j = 0; j < K; j++) p[i * K + j] /= sum;
    }
    TEST_OK(s2clr_class_metrics_compute(p, label, M, K, &m));
    TEST_OK(s2clr_class_confusion(p, label, M, K, confusion));
    TEST_NEAR(m.macro_f1, golden_macro_f1, 1e-12);
    TEST_NEAR(m.auc, golden_macro_auc, 1e-12);
    for (int l = 0; l < K; l++)
        for (int c = 0; c < K; c++) CU_ASSERT_EQUAL(confusion[l * K + c], golden_confusion[l][c]);
    CU_ASSERT_TRUE(isnan(m.low[S2CLR_CLASS_AUC]));
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Resamples made as metrics.h says, metrics by calling the plain function on each. */
static void bootstrap_against_plain_resampling(void)
{
    enum { R = 41 }; /* 2.5 % of 40 is a whole number: no interpolation */
    double p[N * K], drawn[N * K], each[S2CLR_CLASS_METRICS][R];
    int label[N], drawn_label[N];
    s2clr_class_metrics m, threaded;
    s2clr_pool *pool = NULL;
    rows(p, label);
    for (uint64_t r = 0; r < R; r++) {
        for (uint64_t i = 0; i < N; i++) {
            const uint32_t from = s2clr_random_below(7, r, i, N);
            for (int j = 0; j < K; j++) drawn[i * K + (uint64_t)j] = p[from * K + (uint32_t)j];
            drawn_label[i] = label[from];
        }
        TEST_OK(s2clr_class_metrics_compute(drawn, drawn_label, N, K, &m));
        each[S2CLR_CLASS_ACCURACY][r] = m.accuracy;
        each[S2CLR_CLASS_AUC][r] = m.auc;
        each[S2CLR_CLASS_MACRO_F1][r] = m.macro_f1;
    }
    TEST_OK(s2clr_class_metrics_compute(p, label, N, K, &m));
    threaded = m;
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_class_metrics_bootstrap(p, label, N, K, R, 7, NULL, &m));
    TEST_OK(s2clr_class_metrics_bootstrap(p, label, N, K, R, 7, pool, &threaded));
    s2clr_pool_free(pool);
    for (int v = 0; v < S2CLR_CLASS_METRICS; v++) {
        qsort(each[v], R, sizeof *each[v], compare);
        TEST_NEAR(m.low[v], each[v][1], 1e-12);
        TEST_NEAR(m.high[v], each[v][39], 1e-12);
        CU_ASSERT_TRUE(threaded.low[v] == m.low[v] && threaded.high[v] == m.high[v]);
    }
}

static void as_json(void)
{
    double p[N * K];
    int label[N];
    s2clr_class_metrics m;
    s2clr_card *card = NULL;
    char *text = NULL;
    rows(p, label);
    TEST_OK(s2clr_card_new(&card));
    card->classes = K;
    for (int c = 0; c < K; c++) snprintf(card->class_name[c], S2CLR_CARD_WORD, "c%d", c);
    TEST_OK(s2clr_class_metrics_compute(p, label, N, K, &m));
    TEST_OK(s2clr_class_metrics_format(&m, card, &text));
    json_t *root = json_loads(text, 0, NULL);
    const json_t *list = json_object_get(root, "classes");
    TEST_NEAR(json_real_value(json_object_get(root, "auc")), m.auc, 1e-12);
    CU_ASSERT_EQUAL(json_array_size(list), K);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(list, 2), "name")),
                           "c2");
    TEST_NEAR(json_real_value(json_object_get(json_array_get(list, 1), "recall")),
              (double)m.hits[1] / (double)m.count[1], 1e-12);
    CU_ASSERT_TRUE(json_is_null(json_object_get(json_array_get(list, 3), "auc")));
    CU_ASSERT_PTR_NULL(json_object_get(root, "intervals"));
    json_decref(root);
    s2clr_free(text);
    TEST_OK(s2clr_class_metrics_bootstrap(p, label, N, K, 20, 1, NULL, &m));
    TEST_OK(s2clr_class_metrics_format(&m, card, &text));
    root = json_loads(text, 0, NULL);
    const json_t *f1 = json_object_get(json_object_get(root, "intervals"), "macro_f1");
    TEST_NEAR(json_real_value(json_array_get(f1, 1)), m.high[S2CLR_CLASS_MACRO_F1], 1e-12);
    TEST_NEAR(json_real_value(json_object_get(root, "macro_f1")), m.macro_f1, 1e-12);
    json_decref(root);
    s2clr_free(text);
    s2clr_card_free(card);
}

static void nonsense_is_refused(void)
{
    const double p[4] = {0.5, 0.5, 0.25, 0.75};
    const int same[2] = {1, 1}, wrong[2] = {0, 2};
    s2clr_class_metrics m = {.auc = 7};
    CU_ASSERT_EQUAL(s2clr_class_metrics_compute(p, same, 2, 2, &m), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("of one class");
    CU_ASSERT_EQUAL(s2clr_class_metrics_compute(p, wrong, 2, 2, &m), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("is 2, must be 0 to 1");
    CU_ASSERT_EQUAL(s2clr_class_metrics_compute(p, same, 2, 1, &m), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(m.auc, 7);
    const double nan[4] = {0.5, 0.5, NAN, 0.75};
    const int both[2] = {0, 1};
    size_t confusion[4] = {9};
    CU_ASSERT_EQUAL(s2clr_class_metrics_compute(nan, both, 2, 2, &m), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_class_confusion(nan, both, 2, 2, confusion), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("class 0 of sample 1 is nan");
    CU_ASSERT_EQUAL(confusion[0], 9);
    CU_ASSERT_EQUAL(s2clr_class_metrics_bootstrap(p, both, 2, 2, -1, 0, NULL, &m),
                    S2CLR_ERR_ARGUMENT);
}

static const test_case cases[] = {
    {"all pairs say the same", all_pairs_say_the_same},
    {"two classes are the binary area", two_classes_are_the_binary_area},
    {"against scikit-learn", against_scikit_learn},
    {"bootstrap against plain resampling", bootstrap_against_plain_resampling},
    {"as JSON", as_json},
    {"nonsense is refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("class_metrics", cases, argc, argv);
}
