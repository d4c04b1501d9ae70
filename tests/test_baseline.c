/* The baseline and the disturbances of `s2clr evaluate`. */
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "harness.h"
#include "report/baseline.h"
#include "report/perturb.h"

enum { SIZE = 6, BANDS = 2, COUNT = 60, PIXELS = SIZE * SIZE };

static float patch[COUNT][BANDS * PIXELS];
static int labels[COUNT];
static const char *names[COUNT];

static s2clr_status read_patch(void *self, size_t index, float *dn)
{
    (void)self;
    memcpy(dn, patch[index], sizeof patch[index]);
    return S2CLR_OK;
}

/* Band 1 is brighter for the positives, band 2 rougher, both with much overlap. */
static s2clr_samples make_samples(void)
{
    for (int i = 0; i < COUNT; i++) {
        labels[i] = i % 3 == 0;
        names[i] = "x";
        const float level = 50 + 4 * s2clr_random_normal(7, 1, (uint64_t)i) + 4 * (float)labels[i];
        for (int k = 0; k < BANDS * PIXELS; k++) {
            const float noise = s2clr_random_normal(7, 2, (uint64_t)(i * BANDS * PIXELS + k));
            patch[i][k] = k < PIXELS ? level + noise : 20 + (2 + 0.3f * (float)labels[i]) * noise;
        }
    }
    return (s2clr_samples){.count = COUNT,
                           .channels = BANDS,
                           .size = SIZE,
                           .names = names,
                           .labels = labels,
                           .read = read_patch};
}

/* At the minimum the gradient is 0: features and gradient are recomputed here from their
 * definition, so the fit is checked against the equations it has to solve, not against itself. */
static void the_fit_solves_its_equations(void)
{
    static double x[COUNT][2 * BANDS];
    const s2clr_samples samples = make_samples();
    double p[COUNT], gradient[2 * BANDS + 1] = {0};
    s2clr_pool *pool;
    s2clr_baseline *baseline;
    for (int i = 0; i < COUNT; i++) {
        for (int b = 0; b < BANDS; b++) {
            double s = 0, q = 0;
            for (int k = 0; k < PIXELS; k++) {
                const double v = (double)patch[i][b * PIXELS + k];
                s += v;
                q += v * v;
            }
            x[i][2 * b] = s / PIXELS;
            x[i][2 * b + 1] = sqrt(q / PIXELS - s / PIXELS * (s / PIXELS));
        }
    }
    for (int j = 0; j < 2 * BANDS; j++) {
        double s = 0, q = 0;
        for (int i = 0; i < COUNT; i++) s += x[i][j], q += x[i][j] * x[i][j];
        const double sd = sqrt(q / COUNT - s / COUNT * (s / COUNT));
        for (int i = 0; i < COUNT; i++) x[i][j] = (x[i][j] - s / COUNT) / sd;
    }
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_baseline_fit(&samples, 1.0, pool, &baseline));
    const double *w = s2clr_baseline_weights(baseline);
    TEST_OK(s2clr_baseline_predict(baseline, &samples, pool, p));
    for (int j = 0; j < 2 * BANDS; j++) gradient[j] = w[j];
    for (int i = 0; i < COUNT; i++) {
        double z = w[2 * BANDS];
        for (int j = 0; j < 2 * BANDS; j++) z += w[j] * x[i][j];
        const double q = 1 / (1 + exp(-z));
        TEST_NEAR(p[i], q, 1e-9);
        for (int j = 0; j <= 2 * BANDS; j++)
            gradient[j] += (q - labels[i]) * (j < 2 * BANDS ? x[i][j] : 1);
    }
    for (int j = 0; j <= 2 * BANDS; j++) TEST_NEAR(gradient[j], 0, 1e-6);
    CU_ASSERT_TRUE(w[0] > 0.1 && w[3] > 0.1); /* what was made to differ is found */
    s2clr_baseline_free(baseline);
    s2clr_pool_free(pool);
}

static void separable_classes_stay_finite(void)
{
    s2clr_samples samples = make_samples();
    double p[COUNT];
    s2clr_pool *pool;
    s2clr_baseline *baseline;
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < BANDS * PIXELS; k++) patch[i][k] = (float)(100 * labels[i]);
    TEST_OK(s2clr_pool_new(1, &pool));
    TEST_OK(s2clr_baseline_fit(&samples, 1.0, pool, &baseline));
    TEST_OK(s2clr_baseline_predict(baseline, &samples, pool, p));
    for (int i = 0; i < COUNT; i++) CU_ASSERT_TRUE(labels[i] ? p[i] > 0.9 : p[i] < 0.1);
    s2clr_baseline_free(baseline);
    memset(labels, 0, sizeof labels);
    CU_ASSERT_EQUAL(s2clr_baseline_fit(&samples, 1.0, pool, &baseline), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("0 of the 60");
    s2clr_pool_free(pool);
}

static void disturbances(void)
{
    const s2clr_samples samples = make_samples();
    float dn[BANDS * PIXELS];
    s2clr_samples view;
    const s2clr_perturb shift = {.shift = 2}, gain = {.gain = 1.5}, blur = {.blur = true};
    TEST_OK(s2clr_perturb_new(&samples, &shift, &view));
    TEST_OK(view.read(view.self, 3, dn));
    CU_ASSERT_EQUAL(dn[2 * SIZE + 2], patch[3][0]);
    CU_ASSERT_EQUAL(dn[PIXELS + 5 * SIZE + 4], patch[3][PIXELS + 3 * SIZE + 2]);
    CU_ASSERT_EQUAL(dn[0], patch[3][2 * SIZE + 2]); /* mirrored: -2 is 2 */
    view.free(view.self);
    TEST_OK(s2clr_perturb_new(&samples, &gain, &view));
    TEST_OK(view.read(view.self, 3, dn));
    TEST_NEAR(dn[7], 1.5 * (double)patch[3][7], 1e-4);
    view.free(view.self);
    TEST_OK(s2clr_perturb_new(&samples, &blur, &view));
    TEST_OK(view.read(view.self, 3, dn));
    double wanted = 0;
    for (int r = -1; r <= 1; r++)
        for (int c = -1; c <= 1; c++)
            wanted += (r ? 1 : 2) * (c ? 1 : 2) / 16.0 * (double)patch[3][(2 + r) * SIZE + 3 + c];
    TEST_NEAR(dn[2 * SIZE + 3], wanted, 1e-4);
    CU_ASSERT_EQUAL(view.count, samples.count);
    CU_ASSERT_PTR_EQUAL(view.labels, samples.labels);
    view.free(view.self);
}

static const test_case cases[] = {
    {"the fit solves its equations", the_fit_solves_its_equations},
    {"separable classes stay finite", separable_classes_stay_finite},
    {"shift, blur and gain", disturbances},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("baseline", cases, argc, argv);
}
