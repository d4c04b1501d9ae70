#include "harness.h"

#include <math.h>

#include "base/philox.h"
#include "golden/golden_distill.h"
#include "train/distill_loss.h"
#include "train/loss.h"

enum { N = 4, K = 3 };

static const double temperatures[] = {0.5, 1, 2, 5};

/* The numbers of tests/golden/distill.py. */
static void inputs(int k, float *logits, float *teacher, float *weight)
{
    for (int i = 0; i < N; i++) {
        weight[i] = (float)(i + 1) / 2;
        for (int j = 0; j < k; j++) {
            logits[i * k + j] = (float)((5 * i + 3 * j) % 7 - 3) / 2;
            teacher[i * k + j] = (float)((3 * i + 4 * j) % 9 - 4) / 2;
        }
    }
}

static void one_is_pytorchs(int k, int row, const double *golden)
{
    float logits[N * K], teacher[N * K], weight[N], gradient[N * K];
    double loss = 0;
    inputs(k, logits, teacher, weight);
    TEST_OK(s2clr_distill_loss(logits, teacher, weight, N, (size_t)k, temperatures[row], &loss,
                               gradient));
    TEST_NEAR(loss, golden[0], 1e-10);
    for (int i = 0; i < N * k; i++) TEST_NEAR(gradient[i], golden[1 + i], 2e-7);
}

static void binary_is_pytorchs(void)
{
    for (int row = 0; row < 4; row++) one_is_pytorchs(1, row, golden_distill_binary[row]);
}

static void classes_are_pytorchs(void)
{
    for (int row = 0; row < 4; row++) one_is_pytorchs(K, row, golden_distill_classes[row]);
}

/* At temperature 1 it is the loss on the teacher's probabilities, less what no student can save. */
static void cross_entropy_at_temperature_one(void)
{
    float logits[N], teacher[N], weight[N], p[N], gradient[N], other[N];
    double loss = 0, cross = 1, own = 1;
    const s2clr_loss *bce = NULL;
    TEST_OK(s2clr_loss_find("bce", &bce));
    inputs(1, logits, teacher, weight);
    for (int i = 0; i < N; i++) p[i] = (float)(1 / (1 + exp(-(double)teacher[i])));
    TEST_OK(s2clr_distill_loss(logits, teacher, NULL, N, 1, 1, &loss, gradient));
    TEST_OK(bce->run(teacher, p, NULL, N, 1, &own, other));
    TEST_OK(bce->run(logits, p, NULL, N, 1, &cross, other));
    TEST_NEAR(loss, cross - own, 1e-7);
    for (int i = 0; i < N; i++) TEST_NEAR(gradient[i], other[i], 1e-7);
}

/* The same logits: nothing to learn. Far apart and far out: still finite. */
static void extremes(void)
{
    const float far[] = {1e4f, -1e4f, 0}, opposite[] = {-1e4f, 1e4f, 0};
    float gradient[3];
    double loss = 1;
    for (size_t k = 1; k <= 3; k += 2) {
        TEST_OK(s2clr_distill_loss(far, far, NULL, 1, k, 2, &loss, gradient));
        CU_ASSERT_EQUAL(loss, 0);
        for (size_t j = 0; j < k; j++) CU_ASSERT_EQUAL(gradient[j], 0);
        TEST_OK(s2clr_distill_loss(opposite, far, NULL, 1, k, 2, &loss, gradient));
        CU_ASSERT_TRUE(isfinite(loss) && loss > 1e4);
        TEST_NEAR(gradient[0], -2, 1e-6); /* T (0 - 1) */
    }
}

static void numeric_gradient(void)
{
    for (size_t k = 1; k <= 3; k++) {
        float logits[N * K], teacher[N * K], gradient[N * K], unused[N * K];
        double loss = 0;
        for (size_t i = 0; i < N * k; i++) {
            logits[i] = 3 * s2clr_random_normal(1, k, i);
            teacher[i] = 3 * s2clr_random_normal(2, k, i);
        }
        TEST_OK(s2clr_distill_loss(logits, teacher, NULL, N, k, 3, &loss, gradient));
        for (size_t i = 0; i < N * k; i++) {
            const float kept = logits[i];
            double up = 0, down = 0;
            logits[i] = kept + 0x1p-8f;
            const double above = (double)logits[i];
            TEST_OK(s2clr_distill_loss(logits, teacher, NULL, N, k, 3, &up, unused));
            logits[i] = kept - 0x1p-8f;
            TEST_OK(s2clr_distill_loss(logits, teacher, NULL, N, k, 3, &down, unused));
            TEST_NEAR((double)gradient[i], (up - down) / (above - (double)logits[i]), 2e-6);
            logits[i] = kept;
        }
    }
}

static void nonsense_is_refused(void)
{
    const float z = 0;
    float gradient;
    double loss = 7;
    CU_ASSERT_EQUAL(s2clr_distill_loss(&z, &z, NULL, 1, 1, 0, &loss, &gradient),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_distill_loss(&z, &z, NULL, 1, 1, (double)NAN, &loss, &gradient),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_distill_loss(&z, &z, NULL, 0, 1, 1, &loss, &gradient),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(loss, 7);
}

static const test_case cases[] = {
    {"one logit is PyTorch's", binary_is_pytorchs},
    {"classes are PyTorch's", classes_are_pytorchs},
    {"temperature 1 is cross entropy", cross_entropy_at_temperature_one},
    {"extremes", extremes},
    {"numeric gradient", numeric_gradient},
    {"nonsense is refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("distill_loss", cases, argc, argv);
}
