/* The baselines and the disturbances of `s2clr evaluate`. */
#include <math.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "base/philox.h"
#include "harness.h"
#include "report/baseline.h"
#include "report/baseline_logistic.h"
#include "report/perturb.h"
#include "report/random_features.h"

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

static const s2clr_baseline_options bands = {.kind = S2CLR_BASELINE_BANDS, .l2 = 1};

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
    TEST_OK(s2clr_baseline_fit(&bands, &samples, NULL, pool, &baseline));
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
    TEST_OK(s2clr_baseline_fit(&bands, &samples, NULL, pool, &baseline));
    TEST_OK(s2clr_baseline_predict(baseline, &samples, pool, p));
    for (int i = 0; i < COUNT; i++) CU_ASSERT_TRUE(labels[i] ? p[i] > 0.9 : p[i] < 0.1);
    s2clr_baseline_free(baseline);
    memset(labels, 0, sizeof labels);
    CU_ASSERT_EQUAL(s2clr_baseline_fit(&bands, &samples, NULL, pool, &baseline),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("0 of the 60");
    labels[7] = -1;
    CU_ASSERT_EQUAL(s2clr_baseline_fit(&bands, &samples, NULL, pool, &baseline),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("its label is -1");
    s2clr_pool_free(pool);
}

/* Of K classes each is one against the rest; NaN pixels are left out of the statistics. */
static void classes_and_holes(void)
{
    const s2clr_baseline_options options = {.kind = S2CLR_BASELINE_BANDS, .classes = 3, .l2 = 1};
    s2clr_samples samples = make_samples();
    double p[COUNT][3], one[COUNT], *statistics;
    s2clr_pool *pool;
    s2clr_baseline *all, *alone;
    int kind[COUNT], is[COUNT];
    TEST_OK(s2clr_pool_new(2, &pool));
    for (int i = 0; i < COUNT; i++) kind[i] = i % 3;
    for (int k = 0; k < PIXELS; k++) patch[5][k] = k < 30 ? NAN : (float)k;
    for (int k = 0; k < 2 * PIXELS; k++) patch[6][k] = NAN;
    TEST_OK(s2clr_band_statistics(&samples, pool, &statistics));
    TEST_NEAR(statistics[5 * 2 * BANDS], 32.5, 1e-12); /* 30 to 35 */
    TEST_NEAR(statistics[5 * 2 * BANDS + 1], sqrt(35.0 / 12), 1e-12);
    CU_ASSERT_TRUE(isnan(statistics[6 * 2 * BANDS]));
    s2clr_free(statistics);
    samples.labels = kind;
    TEST_OK(s2clr_baseline_fit(&options, &samples, &samples, pool, &all));
    TEST_OK(s2clr_baseline_predict(all, &samples, pool, p[0]));
    for (int c = 0; c < 3; c++) {
        const s2clr_samples rest = {.self = samples.self,
                                    .count = COUNT,
                                    .channels = BANDS,
                                    .size = SIZE,
                                    .names = names,
                                    .labels = is,
                                    .read = samples.read};
        for (int i = 0; i < COUNT; i++) is[i] = kind[i] == c;
        TEST_OK(s2clr_baseline_fit(&bands, &rest, NULL, pool, &alone));
        TEST_OK(s2clr_baseline_predict(alone, &rest, pool, one));
        for (int k = 0; k <= 2 * BANDS; k++)
            TEST_NEAR(s2clr_baseline_weights(all)[c * (2 * BANDS + 1) + k],
                      s2clr_baseline_weights(alone)[k], 1e-7);
        s2clr_baseline_free(alone);
    }
    for (int i = 0; i < COUNT; i++) TEST_NEAR(p[i][0] + p[i][1] + p[i][2], 1, 1e-12);
    CU_ASSERT_TRUE(isfinite(p[6][0])); /* nothing is known of it: average */
    s2clr_baseline_free(all);
    s2clr_pool_free(pool);
}

/* ---- random features ---- */

/* From their definition, pixel by pixel; out: (2 * filters) */
static void slow_features(int filters, uint64_t seed, const double *mean, const double *sd,
                          const float *dn, double *out)
{
    for (int k = 0; k < filters; k++) {
        const int bank = k >= filters / 2, size = bank ? 5 : 3, f = k - bank * filters / 2;
        const int taps = BANDS * size * size, side = (SIZE - size) / 2 + 1;
        double up = 0, down = 0;
        for (int r = 0; r < side; r++)
            for (int c = 0; c < side; c++) {
                double z =
                    (double)s2clr_random_normal(seed, 0x52434681u + (unsigned)bank, (uint64_t)f);
                for (int t = 0; t < taps; t++) {
                    const int b = t / (size * size), y = t / size % size, x = t % size;
                    const double v = (double)dn[b * PIXELS + (2 * r + y) * SIZE + 2 * c + x];
                    const double w = (double)s2clr_random_normal(seed, 0x52434601u + (unsigned)bank,
                                                                 (uint64_t)(f * taps + t));
                    if (isfinite(v)) z += w / sqrt(taps) * (v - mean[b]) / sd[b];
                }
                up += z > 0 ? z : 0;
                down += z < 0 ? -z : 0;
            }
        out[2 * k] = up / (side * side);
        out[2 * k + 1] = down / (side * side);
    }
}

static void random_features_are_what_they_say(void)
{
    enum { FILTERS = 6 };
    const double mean[BANDS] = {51, 20}, sd[BANDS] = {3, 2.5};
    s2clr_samples samples = make_samples();
    s2clr_random_features_options options = {
        .channels = BANDS, .size = SIZE, .filters = FILTERS, .mean = mean, .sd = sd, .seed = 9};
    s2clr_random_features *features;
    double *x, *again, slow[2 * FILTERS];
    s2clr_pool *one, *two;
    patch[2][7] = NAN;
    TEST_OK(s2clr_pool_new(1, &one));
    TEST_OK(s2clr_pool_new(2, &two));
    TEST_OK(s2clr_device_select("portable", S2CLR_F32, &options.backend, &options.device));
    TEST_OK(s2clr_random_features_new(&options, &features));
    samples.count = 10; /* no multiple of a batch */
    TEST_OK(s2clr_random_features_measure(features, &samples, two, &x));
    TEST_OK(s2clr_random_features_measure(features, &samples, one, &again));
    CU_ASSERT_EQUAL(memcmp(x, again, 10 * 2 * FILTERS * sizeof *x), 0);
    for (size_t i = 0; i < samples.count; i++) {
        slow_features(FILTERS, 9, mean, sd, patch[i], slow);
        for (size_t k = 0; k < 2 * FILTERS; k++) TEST_NEAR(x[i * 2 * FILTERS + k], slow[k], 1e-5);
    }
    samples.channels = 1;
    CU_ASSERT_EQUAL(s2clr_random_features_measure(features, &samples, one, &again),
                    S2CLR_ERR_MISMATCH);
    s2clr_free(x);
    s2clr_free(again);
    s2clr_random_features_free(features);
    options.filters = 3;
    CU_ASSERT_EQUAL(s2clr_random_features_new(&options, &features), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("even");
    options.backend->device_close(options.device);
    s2clr_pool_free(one);
    s2clr_pool_free(two);
}

/* Texture that band statistics cannot see: the same values, ordered or shuffled. */
static void random_features_see_texture(void)
{
    s2clr_baseline_options random = {
        .kind = S2CLR_BASELINE_RANDOM, .filters = 16, .seed = 3, .most = 40};
    const s2clr_samples samples = make_samples();
    double p[COUNT];
    s2clr_pool *pool;
    s2clr_baseline *baseline;
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < BANDS * PIXELS; k++) {
            const int row = k / SIZE % SIZE, column = k % SIZE;
            patch[i][k] = (float)((labels[i] ? row + column : row) % 2);
        }
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_device_select("portable", S2CLR_F32, &random.backend, &random.device));
    TEST_OK(s2clr_baseline_fit(&random, &samples, &samples, pool, &baseline));
    const s2clr_baseline_about *about = s2clr_baseline_describe(baseline);
    CU_ASSERT_EQUAL(about->features, 32);
    CU_ASSERT_EQUAL(about->trained, 40);
    CU_ASSERT_EQUAL(about->available, COUNT);
    CU_ASSERT_EQUAL(about->validated, COUNT);
    CU_ASSERT_EQUAL(about->l2, 0.01); /* separable: the weakest penalty has the least loss */
    TEST_OK(s2clr_baseline_predict(baseline, &samples, pool, p));
    for (int i = 0; i < COUNT; i++) CU_ASSERT_EQUAL(p[i] >= about->threshold, labels[i] == 1);
    s2clr_baseline_free(baseline);
    random.backend->device_close(random.device);
    s2clr_pool_free(pool);
}

/* A network that passes its bands on: its features are the bands' means. */
static void pass_on(const s2clr_net *net, float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < list[i].count; k++) {
            const bool same = k % (BANDS + 1) == 0; /* the diagonal of a square matrix */
            const bool one = list[i].role == S2CLR_PARAM_GAMMA ||
                             list[i].role == S2CLR_PARAM_RUNNING_VAR ||
                             (list[i].role == S2CLR_PARAM_WEIGHT && same);
            params[list[i].offset + k] = one ? 1 : 0;
        }
}

static void frozen_features_are_those_of_the_network(void)
{
    static const char card_text[] =
        "{\"version\": 1, \"id\": \"passing\", \"architecture\": {\"name\": \"pixel\", "
        "\"channels\": 2, \"outputs\": 1, \"width\": 2, \"depth\": 1}, \"bands\": [\"B04\", "
        "\"B03\"], \"mean\": [0, 0], \"std\": [1, 1], \"levels\": [{\"name\": \"DN\", \"gain\": "
        "[1, 1], \"bias\": [0, 0], \"low\": 0, \"high\": 1000}], \"patch\": 6, \"metres\": 10, "
        "\"stride\": 1, \"positive\": \"x\", \"negative\": \"other\"}";
    const s2clr_samples samples = make_samples();
    s2clr_baseline_options probe = {.kind = S2CLR_BASELINE_FEATURES, .l2 = 1, .level = "DN"};
    double means[COUNT * BANDS] = {0}, p[COUNT], wanted[COUNT];
    s2clr_card *card;
    s2clr_net *net;
    s2clr_pool *pool;
    s2clr_baseline *baseline;
    s2clr_logistic *alone;
    float params[64];
    TEST_OK(s2clr_card_parse(card_text, "card", &card));
    TEST_OK(s2clr_net_new(&card->arch, &net));
    CU_ASSERT_FATAL(s2clr_net_param_count(net) <= sizeof params / sizeof params[0]);
    pass_on(net, params);
    TEST_OK(s2clr_pool_new(2, &pool));
    probe.net = net, probe.params = params, probe.card = card;
    TEST_OK(s2clr_device_select("portable", S2CLR_F32, &probe.backend, &probe.device));
    TEST_OK(s2clr_baseline_fit(&probe, &samples, NULL, pool, &baseline));
    CU_ASSERT_EQUAL(s2clr_baseline_describe(baseline)->features, BANDS);
    TEST_OK(s2clr_baseline_predict(baseline, &samples, pool, p));

    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < BANDS * PIXELS; k++)
            means[i * BANDS + k / PIXELS] += (double)patch[i][k] / PIXELS;
    TEST_OK(s2clr_logistic_new(means, COUNT, BANDS, 1, &alone));
    s2clr_logistic_standardise(alone, means, COUNT);
    TEST_OK(s2clr_logistic_fit(alone, means, labels, COUNT, 1, S2CLR_LOGISTIC_EXACT, pool));
    s2clr_logistic_predict(alone, means, COUNT, wanted);
    for (int i = 0; i < COUNT; i++) TEST_NEAR(p[i], wanted[i], 1e-4);

    s2clr_logistic_free(alone);
    s2clr_baseline_free(baseline);
    probe.backend->device_close(probe.device);
    s2clr_pool_free(pool);
    s2clr_net_free(net);
    s2clr_card_free(card);
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
    {"classes against the rest, and pixels without value", classes_and_holes},
    {"random features are what they say", random_features_are_what_they_say},
    {"random features see texture", random_features_see_texture},
    {"frozen features are those of the network", frozen_features_are_those_of_the_network},
    {"shift, blur and gain", disturbances},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("baseline", cases, argc, argv);
}
