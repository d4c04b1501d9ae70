#include "harness.h"

#include <math.h>
#include <string.h>

#include "file/card_probability.h"
#include "file/probability.h"

static s2clr_card *new_card(double temperature, double bias, int knots)
{
    static const double at[4][2] = {{-3, 0.02}, {-1, 0.2}, {0.5, 0.2}, {4, 0.9}};
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_new(&card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    card->arch.outputs = 1;
    card->temperature = temperature;
    card->calibration.bias = bias;
    card->calibration.knots = knots;
    for (int i = 0; i < knots; i++)
        card->calibration.knot_logit[i] = at[i][0], card->calibration.knot_p[i] = at[i][1];
    return card;
}

/* Maps of models without a calibration must keep every bit. */
static void a_temperature_alone_keeps_its_bits(void)
{
    for (double t = 0.3; t < 4; t *= 1.7) {
        s2clr_card *card = new_card(t, 0, 0);
        for (double z = -800; z <= 800; z += 0.37) {
            const double p = s2clr_card_probability(card, z), old = 1.0 / (1.0 + exp(-z / t));
            const double odds = s2clr_card_log_odds(card, z), scaled = z / t;
            CU_ASSERT_EQUAL(memcmp(&p, &old, sizeof p), 0);
            CU_ASSERT_EQUAL(memcmp(&odds, &scaled, sizeof odds), 0);
        }
        s2clr_card_free(card);
    }
}

static void a_bias_moves_the_log_odds(void)
{
    s2clr_card *card = new_card(2, -1.5, 0);
    for (double z = -30; z <= 30; z += 0.7) {
        TEST_NEAR(s2clr_card_log_odds(card, z), z / 2 - 1.5, 1e-12);
        TEST_NEAR(s2clr_card_probability(card, z), 1 / (1 + exp(1.5 - z / 2)), 1e-15);
    }
    s2clr_card_free(card);
}

static void knots_are_joined_by_lines(void)
{
    s2clr_card *card = new_card(2, 0, 4);
    static const double expected[][2] = {{-3, 0.02}, {-2, 0.11},   {-1, 0.2}, {0, 0.2},
                                         {0.5, 0.2}, {2.25, 0.55}, {4, 0.9}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        TEST_NEAR(s2clr_card_probability(card, expected[i][0]), expected[i][1], 1e-12);
        TEST_NEAR(s2clr_card_log_odds(card, expected[i][0]),
                  log(expected[i][1] / (1 - expected[i][1])), 1e-12);
    }
    /* Beyond the ends the log odds go on with slope 1 / 2, and no probability is 0 or 1. */
    TEST_NEAR(s2clr_card_log_odds(card, -7), log(0.02 / 0.98) - 2, 1e-12);
    TEST_NEAR(s2clr_card_log_odds(card, 10), log(9) + 3, 1e-12);
    TEST_NEAR(s2clr_card_probability(card, 10), 1 / (1 + exp(-3) / 9), 1e-12);
    double before = -1;
    for (double z = -20; z < 20; z += 0.01) {
        const double p = s2clr_card_probability(card, z);
        CU_ASSERT_TRUE(p >= before && p > 0 && p < 1);
        before = p;
    }
    s2clr_card_free(card);
}

static void the_logit_is_found_again(void)
{
    s2clr_card *cards[] = {new_card(1.7, 0, 0), new_card(0.5, 2.5, 0), new_card(3, 0, 4)};
    for (size_t c = 0; c < 3; c++) {
        for (double z = -9; z < 9; z += 0.13) {
            const bool flat = c == 2 && z > -1 && z <= 0.5;
            const double back = s2clr_card_logit(cards[c], s2clr_card_probability(cards[c], z));
            TEST_NEAR(back, flat ? -1 : z, 1e-6);
        }
        CU_ASSERT_EQUAL(s2clr_card_logit(cards[c], 0), -(double)INFINITY);
        CU_ASSERT_EQUAL(s2clr_card_logit(cards[c], 1), (double)INFINITY);
        CU_ASSERT_EQUAL(s2clr_card_probability(cards[c], -(double)INFINITY), 0);
        CU_ASSERT_EQUAL(s2clr_card_probability(cards[c], (double)INFINITY), 1);
        CU_ASSERT_TRUE(isnan(s2clr_card_probability(cards[c], (double)NAN)));
        CU_ASSERT_TRUE(isnan(s2clr_card_log_odds(cards[c], (double)NAN)));
        CU_ASSERT_TRUE(isnan(s2clr_card_logit(cards[c], (double)NAN)));
        s2clr_card_free(cards[c]);
    }
}

static void classes_are_a_softmax(void)
{
    const float logits[] = {1, -2, 700, 699};
    double p[4], sum = 0;
    s2clr_card *card = new_card(2, 0, 0);
    s2clr_card_probabilities(card, logits, 4, p);
    for (int i = 0; i < 4; i++) sum += p[i];
    TEST_NEAR(sum, 1, 1e-15);
    TEST_NEAR(p[2] / p[3], exp(0.5), 1e-12);
    s2clr_card_probabilities(card, logits, 2, p);
    TEST_NEAR(p[0], 1 / (1 + exp(-1.5)), 1e-15);
    s2clr_card_probabilities(card, logits, 1, p); /* of one output: its probability */
    CU_ASSERT_EQUAL(p[0], s2clr_card_probability(card, 1));
    s2clr_card_free(card);
}

static void weights_that_change_lose_it(void)
{
    s2clr_card *card = new_card(2, 0, 4);
    strcpy(card->calibration.part, "validation");
    s2clr_card_uncalibrate(card);
    CU_ASSERT_EQUAL(card->temperature, 1);
    CU_ASSERT_EQUAL(card->calibration.knots, 0);
    CU_ASSERT_STRING_EQUAL(card->calibration.part, "");
    s2clr_card_free(card);
}

static const test_case cases[] = {
    {"a temperature alone keeps its bits", a_temperature_alone_keeps_its_bits},
    {"a bias moves the log odds", a_bias_moves_the_log_odds},
    {"knots are joined by lines", knots_are_joined_by_lines},
    {"the logit is found again", the_logit_is_found_again},
    {"classes are a softmax", classes_are_a_softmax},
    {"weights that change lose it", weights_that_change_lose_it},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("card_probability", cases, argc, argv);
}
