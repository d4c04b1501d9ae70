#include "harness.h"

#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "train/loss.h"

enum { N = 5, K = 3 };

static const s2clr_loss *find(const char *name)
{
    const s2clr_loss *loss = NULL;
    TEST_OK(s2clr_loss_find(name, &loss));
    return loss;
}

static void bce_closed_form(void)
{
    const float logits[2] = {0, 2}, target[2] = {1, 0.25f}, weight[2] = {1, 3};
    double loss = 0;
    float gradient[2];
    TEST_OK(find("bce")->run(logits, target, weight, 2, 1, &loss, gradient));
    const double s = 1 / (1 + exp(-2.0));
    TEST_NEAR(loss, (log(2.0) - 3 * (0.25 * log(s) + 0.75 * log(1 - s))) / 2, 1e-12);
    TEST_NEAR(gradient[0], -0.25, 1e-7);
    TEST_NEAR(gradient[1], 1.5 * (s - 0.25), 1e-7);
}

static void softmax_closed_form(void)
{
    /* exp of the logits: 1, 2, 5 */
    const float logits[3] = {0, (float)log(2.0), (float)log(5.0)}, target[3] = {0, 0.5f, 0.5f};
    double loss = 0;
    float gradient[3];
    TEST_OK(find("softmax")->run(logits, target, NULL, 1, 3, &loss, gradient));
    TEST_NEAR(loss, -0.5 * log(2 / 8.0) - 0.5 * log(5 / 8.0), 1e-7);
    TEST_NEAR(gradient[0], 1 / 8.0, 1e-7);
    TEST_NEAR(gradient[1], 2 / 8.0 - 0.5, 1e-7);
    TEST_NEAR(gradient[2], 5 / 8.0 - 0.5, 1e-7);
}

static void two_class_softmax_is_bce(void)
{
    const float z = 1.375f, pair[2] = {0, z}, pair_target[2] = {0.75f, 0.25f}, target = 0.25f;
    double one = 0, two = 1;
    float gradient, pair_gradient[2];
    TEST_OK(find("bce")->run(&z, &target, NULL, 1, 1, &one, &gradient));
    TEST_OK(find("softmax")->run(pair, pair_target, NULL, 1, 2, &two, pair_gradient));
    TEST_NEAR(one, two, 1e-12);
    TEST_NEAR(gradient, pair_gradient[1], 1e-7);
}

/* Targets of a sample sum to 1, so every loss accepts them. */
static void numeric_gradients(void)
{
    const s2clr_loss *list;
    const size_t count = s2clr_loss_list(&list);
    CU_ASSERT_FATAL(count >= 2);
    for (size_t l = 0; l < count; l++) {
        float logits[N * K], target[N * K], weight[N], gradient[N * K], unused[N * K];
        for (size_t i = 0; i < N; i++) {
            const float a = s2clr_random_uniform(1, 1, i), b = s2clr_random_uniform(1, 2, i);
            weight[i] = 0.5f + s2clr_random_uniform(1, 3, i);
            target[i * K] = a * b, target[i * K + 1] = a * (1 - b), target[i * K + 2] = 1 - a;
        }
        for (size_t i = 0; i < N * K; i++) logits[i] = 3 * s2clr_random_normal(1, 4, i);
        double loss = 0;
        TEST_OK(list[l].run(logits, target, weight, N, K, &loss, gradient));
        for (size_t i = 0; i < N * K; i++) {
            const float kept = logits[i];
            double up = 0, down = 0;
            logits[i] = kept + 0x1p-8f;
            const double above = (double)logits[i];
            TEST_OK(list[l].run(logits, target, weight, N, K, &up, unused));
            logits[i] = kept - 0x1p-8f;
            TEST_OK(list[l].run(logits, target, weight, N, K, &down, unused));
            TEST_NEAR((double)gradient[i], (up - down) / (above - (double)logits[i]), 2e-6);
            logits[i] = kept;
        }
    }
}

static void huge_logits_stay_finite(void)
{
    const s2clr_loss *list;
    const size_t count = s2clr_loss_list(&list);
    const float logits[4] = {1e30f, -1e30f, -1e30f, 1e30f}, target[4] = {1, 0, 1, 0};
    for (size_t l = 0; l < count; l++) {
        double loss = NAN;
        float gradient[4];
        TEST_OK(list[l].run(logits, target, NULL, 2, 2, &loss, gradient));
        CU_ASSERT_TRUE(isfinite(loss) && loss > 1e29);
        CU_ASSERT_EQUAL(gradient[0], 0);
        TEST_NEAR(gradient[2], -0.5, 0);
    }
}

static void nonsense_is_refused(void)
{
    const float logits[2] = {0, 0}, target[2] = {0, 1.5f};
    const s2clr_loss *loss = NULL;
    double value = 7;
    float gradient[2];
    CU_ASSERT_EQUAL(find("bce")->run(logits, target, NULL, 2, 1, &value, gradient),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("1.5");
    CU_ASSERT_EQUAL(find("bce")->run(logits, target, NULL, 0, 1, &value, gradient),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(find("softmax")->run(logits, target, NULL, 2, 1, &value, gradient),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(value, 7);
    CU_ASSERT_EQUAL(s2clr_loss_find("hinge", &loss), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("hinge");
}

static const test_case cases[] = {
    {"bce against the closed form", bce_closed_form},
    {"softmax against the closed form", softmax_closed_form},
    {"softmax of two classes is bce", two_class_softmax_is_bce},
    {"numeric gradient of every loss", numeric_gradients},
    {"huge logits stay finite", huge_logits_stay_finite},
    {"nonsense is refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("loss", cases, argc, argv);
}
