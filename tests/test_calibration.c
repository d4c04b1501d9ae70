#include "harness.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/philox.h"
#include "file/card_probability.h"
#include "golden/golden_calibration.h"
#include "train/calibration.h"
#include "train/metrics.h"

enum { N = 400, CLASS_N = 300, K = 4, MANY = 6000 };

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

/* The set that tests/golden/calibration.py describes. */
static void golden_set(float *logit, int *label)
{
    for (int i = 0; i < N; i++) {
        logit[i] = (float)(37 * i % 101 - 50) / 8;
        label[i] = (53 * i + i * i) % 17 / 17.0 < sigmoid(0.6 * (double)logit[i] - 1.2);
    }
}

static s2clr_card *new_card(int outputs)
{
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_new(&card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    card->arch.outputs = outputs;
    return card;
}

static double share_of(const int *label, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += label[i];
    return sum / (double)n;
}

/* As if positives made up `prevalence`, 0: as they are. A temperature has it from the card. */
static s2clr_card *fitted(s2clr_calibration_method method, double prevalence)
{
    const bool curve = method != S2CLR_CALIBRATION_TEMPERATURE;
    float logit[N];
    int label[N];
    s2clr_card *card = new_card(1);
    golden_set(logit, label);
    if (!curve) card->prevalence = prevalence > 0 ? prevalence : share_of(label, N);
    TEST_OK(s2clr_calibration_fit(method, logit, label, N, curve ? prevalence : 0, card));
    return card;
}

static void temperature_and_platt_are_scipys(void)
{
    const double prevalence[2] = {0, GOLDEN_PREVALENCE};
    for (int i = 0; i < 2; i++) {
        s2clr_card *one = fitted(S2CLR_CALIBRATION_TEMPERATURE, prevalence[i]);
        s2clr_card *two = fitted(S2CLR_CALIBRATION_PLATT, prevalence[i]);
        TEST_NEAR(one->temperature, golden_temperature[i], 2e-6);
        CU_ASSERT_TRUE(one->calibration.bias == 0 && one->calibration.knots == 0);
        TEST_NEAR(two->temperature, golden_platt[i][0], 2e-6);
        TEST_NEAR(two->calibration.bias, golden_platt[i][1], 2e-6);
        CU_ASSERT_EQUAL(two->calibration.knots, 0);
        if (i == 1) CU_ASSERT_EQUAL(two->prevalence, GOLDEN_PREVALENCE);
        if (i == 1) CU_ASSERT_EQUAL(one->prevalence, GOLDEN_PREVALENCE); /* as it was */
        s2clr_card_free(one), s2clr_card_free(two);
    }
}

static void compare_knots(const s2clr_calibration *c, const double golden[][2], size_t count)
{
    CU_ASSERT_EQUAL_FATAL((size_t)c->knots, count);
    CU_ASSERT_EQUAL(c->bias, 0);
    for (size_t i = 0; i < count; i++) {
        TEST_NEAR(c->knot_logit[i], golden[i][0], 1e-6);
        TEST_NEAR(c->knot_p[i], golden[i][1], 1e-6);
    }
}

static void pools_are_scikit_learns(void)
{
    s2clr_card *plain = fitted(S2CLR_CALIBRATION_ISOTONIC, 0);
    s2clr_card *shifted = fitted(S2CLR_CALIBRATION_ISOTONIC, GOLDEN_PREVALENCE);
    compare_knots(&plain->calibration, golden_isotonic_plain,
                  sizeof golden_isotonic_plain / sizeof *golden_isotonic_plain);
    compare_knots(&shifted->calibration, golden_isotonic_shifted,
                  sizeof golden_isotonic_shifted / sizeof *golden_isotonic_shifted);
    TEST_NEAR(plain->temperature, golden_platt[0][0], 2e-6); /* the slope beyond the knots */
    TEST_NEAR(shifted->temperature, golden_platt[1][0], 2e-6);
    s2clr_card_free(plain), s2clr_card_free(shifted);
}

static void class_set(float *logits, int *label)
{
    for (int i = 0; i < CLASS_N; i++) {
        label[i] = (i + i / 7) % K;
        for (int j = 0; j < K; j++)
            logits[i * K + j] = (float)((i * (7 * j + 3) + 11 * j) % 64) / 16 - 2;
        logits[i * K + label[i]] += i % 3 != 0;
    }
}

static void classes_have_one_temperature(void)
{
    float logits[CLASS_N * K];
    int label[CLASS_N];
    s2clr_calibration_scores before, after;
    s2clr_card *card = new_card(K);
    class_set(logits, label);
    TEST_OK(s2clr_calibration_score_classes(card, logits, label, CLASS_N, K, &before));
    TEST_NEAR(before.nll, golden_classes_nll, 1e-9);
    TEST_NEAR(before.brier, golden_classes_brier, 1e-9);
    TEST_OK(s2clr_calibration_fit_classes(logits, label, CLASS_N, K, card));
    TEST_NEAR(card->temperature, golden_classes, 2e-6);
    TEST_OK(s2clr_calibration_score_classes(card, logits, label, CLASS_N, K, &after));
    CU_ASSERT_TRUE(after.nll < before.nll && after.ece < before.ece);
    s2clr_card_free(card);
}

static void two_classes_are_the_binary_temperature(void)
{
    float logit[N], pair[2 * N];
    int label[N];
    s2clr_calibration_scores one, two;
    s2clr_card *binary = fitted(S2CLR_CALIBRATION_TEMPERATURE, 0), *card = new_card(2);
    golden_set(logit, label);
    for (int i = 0; i < N; i++) pair[2 * i] = 0, pair[2 * i + 1] = logit[i];
    TEST_OK(s2clr_calibration_fit_classes(pair, label, N, 2, card));
    TEST_NEAR(card->temperature, binary->temperature, 1e-6);
    TEST_OK(s2clr_calibration_score(binary, logit, label, N, 0, &one));
    TEST_OK(s2clr_calibration_score_classes(card, pair, label, N, 2, &two));
    TEST_NEAR(one.nll, two.nll, 1e-9);
    TEST_NEAR(2 * one.brier, two.brier, 1e-9); /* summed over both classes */
    s2clr_card_free(binary), s2clr_card_free(card);
}

/* Mean loss of sigmoid(logit) after Bayes' rule, from one share of positives to another; positives
 * weigh `weight` times a negative. */
static double moved_loss(const float *logit, const int *label, double from, double to,
                         double weight)
{
    double sum = 0, all = 0;
    for (int i = 0; i < N; i++) {
        const double p = sigmoid((double)logit[i]), w = label[i] ? weight : 1;
        const double yes = p * to / from, no = (1 - p) * (1 - to) / (1 - from);
        sum -= w * log((label[i] ? yes : no) / (yes + no));
        all += w;
    }
    return sum / all;
}

/* What was right where positives are frequent is scored as what it means where they are rare. */
static void old_probabilities_are_moved(void)
{
    float logit[N];
    int label[N];
    s2clr_calibration_scores s, same;
    s2clr_card *card = new_card(1);
    golden_set(logit, label);
    card->prevalence = 0.3;
    const double share = share_of(label, N), weight = 0.02 * (1 - share) / (0.98 * share);
    TEST_OK(s2clr_calibration_score(card, logit, label, N, 0.02, &s));
    TEST_NEAR(s.nll, moved_loss(logit, label, 0.3, 0.02, weight), 1e-9);
    /* The same probabilities, said by a card that was trained for that share. */
    card->prevalence = 0.02;
    card->calibration.bias = log(0.02 / 0.98) - log(0.3 / 0.7);
    TEST_OK(s2clr_calibration_score(card, logit, label, N, 0.02, &same));
    TEST_NEAR(s.brier, same.brier, 1e-12);
    TEST_NEAR(s.ece, same.ece, 1e-9);
    TEST_NEAR(s.nll, same.nll, 1e-9);
    s2clr_card_free(card);
}

static void scores_are_the_metrics(void)
{
    float logit[N];
    int label[N];
    double p[N], sum = 0;
    s2clr_metrics m;
    s2clr_calibration_scores s;
    s2clr_card *card = new_card(1);
    golden_set(logit, label);
    TEST_OK(s2clr_calibration_score(card, logit, label, N, 0, &s));
    TEST_NEAR(s.nll, moved_loss(logit, label, 0.5, share_of(label, N), 1), 1e-9);
    card->prevalence = share_of(label, N);
    TEST_OK(s2clr_calibration_score(card, logit, label, N, 0, &s));
    TEST_NEAR(s.nll, golden_nll, 1e-9);
    for (int i = 0; i < N; i++) p[i] = sigmoid((double)logit[i]), sum += label[i];
    TEST_OK(s2clr_metrics_compute(p, label, N, 0.5, 0, 0, NULL, &m));
    TEST_NEAR(s.brier, m.value[S2CLR_METRIC_BRIER], 1e-12);
    TEST_NEAR(s.ece, m.value[S2CLR_METRIC_ECE], 1e-12);
    /* The share that the samples have is no weighting. */
    TEST_OK(s2clr_calibration_score(card, logit, label, N, sum / N, &s));
    TEST_NEAR(s.nll, golden_nll, 1e-9);
    TEST_NEAR(s.ece, m.value[S2CLR_METRIC_ECE], 1e-12);
    s2clr_card_free(card);
}

/* Samples drawn from a known curve: it is found again, and what was not seen is calibrated too. */
static void a_known_curve_is_found_again(void)
{
    static float logit[MANY];
    static int label[MANY];
    for (size_t i = 0; i < MANY; i++) {
        logit[i] = 4 * s2clr_random_normal(5, 0, i);
        label[i] = (double)s2clr_random_uniform(5, 1, i) < sigmoid((double)logit[i] / 2 - 1);
    }
    for (int method = 0; method <= S2CLR_CALIBRATION_ISOTONIC; method++) {
        s2clr_calibration_scores before, after;
        s2clr_card *card = new_card(1);
        card->prevalence = share_of(label, MANY / 2);
        TEST_OK(s2clr_calibration_score(card, logit + MANY / 2, label + MANY / 2, MANY / 2, 0,
                                        &before));
        TEST_OK(s2clr_calibration_fit((s2clr_calibration_method)method, logit, label, MANY / 2, 0,
                                      card));
        TEST_OK(
            s2clr_calibration_score(card, logit + MANY / 2, label + MANY / 2, MANY / 2, 0, &after));
        CU_ASSERT_TRUE(after.nll < before.nll && after.brier < before.brier);
        if (method != S2CLR_CALIBRATION_TEMPERATURE) CU_ASSERT_TRUE(after.ece < 0.03);
        if (method == S2CLR_CALIBRATION_PLATT) {
            TEST_NEAR(card->temperature, 2, 0.25);
            TEST_NEAR(card->calibration.bias, -1, 0.15);
        }
        s2clr_card_free(card);
    }
}

/* 100 pools of 120 equal logits, shares rising from pool to pool: only 64 knots are kept, and
 * nearly nothing is lost. */
static void many_pools_become_few_knots(void)
{
    enum { POOLS = 100, SIZE = 120 };
    static float logit[POOLS * SIZE];
    static int label[POOLS * SIZE];
    double worst = 0;
    s2clr_card *card = new_card(1);
    for (int i = 0; i < POOLS * SIZE; i++) {
        logit[i] = (float)(i / SIZE) / 8;
        label[i] = i % SIZE < SIZE * (i / SIZE + 1) / (POOLS + 2);
    }
    TEST_OK(s2clr_calibration_fit(S2CLR_CALIBRATION_ISOTONIC, logit, label, POOLS * SIZE, 0, card));
    const s2clr_calibration *c = &card->calibration;
    CU_ASSERT_EQUAL(c->knots, S2CLR_CARD_KNOTS);
    for (int i = 1; i < c->knots; i++)
        CU_ASSERT_TRUE(c->knot_logit[i] > c->knot_logit[i - 1] && c->knot_p[i] > c->knot_p[i - 1]);
    for (int pool = 1; pool + 1 < POOLS; pool++) {
        const double share = SIZE * (pool + 1) / (POOLS + 2) / (double)SIZE;
        const double miss = fabs(s2clr_card_probability(card, pool / 8.0) - share);
        worst = miss > worst ? miss : worst;
    }
    CU_ASSERT_TRUE(worst < 0.015);
    s2clr_card_free(card);
}

static void decisions_stay(void)
{
    float logit[N];
    int label[N];
    golden_set(logit, label);
    static const double thresholds[] = {0.03, 0.3, 0.5, 0.77, 0.98};
    for (size_t t = 0; t < sizeof thresholds / sizeof *thresholds; t++)
        for (int method = 0; method < 9; method++) { /* twice in a row: from every kind to every */
            s2clr_card *card = new_card(1);
            card->threshold = thresholds[t];
            const s2clr_calibration_method then = (s2clr_calibration_method)(method % 3);
            TEST_OK(s2clr_calibration_fit((s2clr_calibration_method)(method / 3), logit, label, N,
                                          0, card));
            TEST_OK(s2clr_calibration_fit(then, logit, label, N,
                                          then == S2CLR_CALIBRATION_TEMPERATURE ? 0 : 0.2, card));
            for (int i = 0; i < N; i++) {
                const int was = sigmoid((double)logit[i]) >= thresholds[t];
                CU_ASSERT_EQUAL(s2clr_card_probability(card, (double)logit[i]) >= card->threshold,
                                was);
            }
            s2clr_card_free(card);
        }
    s2clr_card *ends = new_card(1);
    ends->threshold = 1;
    TEST_OK(s2clr_calibration_fit(S2CLR_CALIBRATION_PLATT, logit, label, N, 0, ends));
    CU_ASSERT_EQUAL(ends->threshold, 1);
    ends->threshold = 0;
    TEST_OK(s2clr_calibration_fit(S2CLR_CALIBRATION_ISOTONIC, logit, label, N, 0, ends));
    CU_ASSERT_EQUAL(ends->threshold, 0);
    s2clr_card_free(ends);
}

static void compare_curves(const s2clr_card *a, const s2clr_card *b)
{
    const s2clr_calibration *c = &a->calibration, *d = &b->calibration;
    CU_ASSERT_EQUAL(a->temperature, b->temperature);
    CU_ASSERT_EQUAL(a->prevalence, b->prevalence);
    CU_ASSERT_EQUAL(c->bias, d->bias);
    CU_ASSERT_EQUAL(c->network_prevalence, d->network_prevalence);
    CU_ASSERT_EQUAL_FATAL(c->knots, d->knots);
    for (int i = 0; i < c->knots; i++) {
        CU_ASSERT_EQUAL(c->knot_logit[i], d->knot_logit[i]);
        CU_ASSERT_EQUAL(c->knot_p[i], d->knot_p[i]);
    }
    TEST_NEAR(a->threshold, b->threshold, 1e-9);
}

/* Two fits before, of every kind, on other samples at another share: nothing of them is left. */
static void what_went_before_does_not_matter(void)
{
    float logit[N];
    int label[N];
    golden_set(logit, label);
    for (int method = 0; method < 27; method++) {
        const s2clr_calibration_method last = (s2clr_calibration_method)(method % 3);
        const double share = last == S2CLR_CALIBRATION_TEMPERATURE ? 0 : 0.07;
        s2clr_card *fresh = new_card(1), *again = new_card(1);
        fresh->prevalence = again->prevalence = 0.4;
        for (int k = 0, kind = method / 3; k < 2; k++, kind /= 3) {
            const s2clr_calibration_method one = (s2clr_calibration_method)(kind % 3);
            TEST_OK(s2clr_calibration_fit(one, logit, label, N / 2,
                                          one == S2CLR_CALIBRATION_TEMPERATURE ? 0 : 0.2, again));
        }
        TEST_OK(s2clr_calibration_fit(last, logit, label, N, share, fresh));
        TEST_OK(s2clr_calibration_fit(last, logit, label, N, share, again));
        compare_curves(fresh, again);
        s2clr_card_free(fresh), s2clr_card_free(again);
    }
}

/* A temperature cannot move a share of positives, and so says nothing about any. */
static void a_temperature_keeps_the_share(void)
{
    float logit[N];
    int label[N];
    s2clr_card *few = new_card(1), *many = new_card(1), *none = new_card(1), *own = new_card(1);
    golden_set(logit, label);
    few->prevalence = 0.02, many->prevalence = 0.6, none->prevalence = 0;
    own->prevalence = share_of(label, N);
    s2clr_card *const each[] = {few, many, none, own};
    for (int i = 0; i < 4; i++) {
        const double before = each[i]->prevalence;
        TEST_OK(s2clr_calibration_fit(S2CLR_CALIBRATION_TEMPERATURE, logit, label, N, 0, each[i]));
        CU_ASSERT_EQUAL(each[i]->prevalence, before);
        CU_ASSERT_EQUAL(each[i]->calibration.network_prevalence, 0);
    }
    CU_ASSERT_NOT_EQUAL(few->temperature, many->temperature);
    CU_ASSERT_EQUAL(none->temperature, own->temperature); /* nothing to weigh by */
    CU_ASSERT_EQUAL(s2clr_calibration_fit(S2CLR_CALIBRATION_TEMPERATURE, logit, label, N, 0.1, few),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("a temperature cannot change the share");
    /* A card from before it was kept what the network was trained for. */
    TEST_OK(s2clr_calibration_fit(S2CLR_CALIBRATION_PLATT, logit, label, N, 0.1, few));
    CU_ASSERT_EQUAL(few->calibration.network_prevalence, 0.02);
    few->calibration.network_prevalence = 0;
    CU_ASSERT_EQUAL(s2clr_calibration_fit(S2CLR_CALIBRATION_TEMPERATURE, logit, label, N, 0, few),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("for which share of positives its network was trained, only 0.1");
    for (int i = 0; i < 4; i++) s2clr_card_free(each[i]);
}

static void refuse(s2clr_calibration_method method, const float *logit, const int *label, size_t n,
                   const char *says)
{
    s2clr_card *card = new_card(1);
    const s2clr_card before = *card;
    s2clr_error_clear();
    CU_ASSERT_EQUAL(s2clr_calibration_fit(method, logit, label, n, 0, card), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS(says);
    CU_ASSERT_EQUAL(memcmp(card, &before, sizeof before), 0);
    s2clr_card_free(card);
}

static void what_cannot_be_calibrated_is_said(void)
{
    const float apart[] = {-2, -1, 1, 2}, same[] = {1, 1, 1, 1}, nan[] = {-1, NAN, 1, 2};
    const int right[] = {0, 0, 1, 1}, wrong[] = {1, 1, 0, 0}, ones[] = {1, 1, 1, 1};
    const int odd[] = {0, 0, 1, 2};
    const s2clr_calibration_method t = S2CLR_CALIBRATION_TEMPERATURE, p = S2CLR_CALIBRATION_PLATT,
                                   i = S2CLR_CALIBRATION_ISOTONIC;
    refuse(t, apart, right, 4, "tell all 4 samples apart");
    refuse(t, apart, wrong, 4, "or the opposite");
    refuse(p, apart, wrong, 4, "or the opposite");
    refuse(i, apart, wrong, 4, "or the opposite");
    refuse(p, same, right, 4, "say nothing");
    refuse(i, same, right, 4, "say nothing");
    refuse(t, apart, ones, 4, "4 of the 4 samples are positive");
    refuse(t, apart, ones, 0, "0 of the 0 samples");
    refuse(i, nan, right, 4, "logit of sample 1 is nan");
    refuse(p, apart, odd, 4, "label of sample 3 is 2");
    s2clr_card *card = new_card(1), *classes = new_card(2);
    s2clr_calibration_scores s;
    /* Without errors Platt's targets and the knots still give an answer short of certainty. */
    TEST_OK(s2clr_calibration_fit(p, apart, right, 4, 0, card));
    CU_ASSERT_TRUE(s2clr_card_probability(card, 2) < 1);
    TEST_OK(s2clr_calibration_fit(i, apart, right, 4, 0, card));
    TEST_NEAR(s2clr_card_probability(card, 1.5), 1 - 0.5 / 4, 1e-12);
    CU_ASSERT_EQUAL(s2clr_calibration_fit(p, apart, right, 4, 1, card), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("prevalence 1");
    CU_ASSERT_EQUAL(s2clr_calibration_score(card, nan, right, 4, 0, &s), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_calibration_fit_classes(same, ones, 2, 2, classes), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("of one class");
    CU_ASSERT_EQUAL(s2clr_calibration_fit_classes(nan, right + 1, 2, 2, classes),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("is nan");
    CU_ASSERT_EQUAL(s2clr_calibration_score_classes(classes, nan, right + 1, 2, 2, &s),
                    S2CLR_ERR_ARGUMENT);
    s2clr_card_free(card), s2clr_card_free(classes);
}

static const test_case cases[] = {
    {"temperature and Platt are SciPy's", temperature_and_platt_are_scipys},
    {"pools are scikit-learn's", pools_are_scikit_learns},
    {"classes have one temperature", classes_have_one_temperature},
    {"two classes are the binary temperature", two_classes_are_the_binary_temperature},
    {"scores are the metrics", scores_are_the_metrics},
    {"old probabilities are moved", old_probabilities_are_moved},
    {"a known curve is found again", a_known_curve_is_found_again},
    {"many pools become few knots", many_pools_become_few_knots},
    {"decisions stay", decisions_stay},
    {"what went before does not matter", what_went_before_does_not_matter},
    {"a temperature keeps the share", a_temperature_keeps_the_share},
    {"what cannot be calibrated is said", what_cannot_be_calibrated_is_said},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("calibration", cases, argc, argv);
}
