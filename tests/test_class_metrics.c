#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/philox.h"
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
}

static const test_case cases[] = {
    {"all pairs say the same", all_pairs_say_the_same},
    {"two classes are the binary area", two_classes_are_the_binary_area},
    {"as JSON", as_json},
    {"nonsense is refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("class_metrics", cases, argc, argv);
}
