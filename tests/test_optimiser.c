#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "golden/golden_optimiser.h"
#include "train/optimiser.h"

enum { COUNT = 6, STEPS = 10 };

static const s2clr_optimiser_settings settings = {
    .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1, .trust = 0.001};

/* Elements [begin, end) as one parameter of rank 2 or less. */
static void update(const s2clr_optimiser *optimiser, double rate, uint64_t step, bool decay,
                   size_t begin, size_t end, size_t count, const float *gradient, float *moments,
                   float *params)
{
    s2clr_update_range range;
    const s2clr_update all = {.rule = optimiser->rule,
                              .count = count,
                              .gradient = gradient,
                              .moments = moments,
                              .params = params};
    optimiser->numbers(&settings, rate, step, decay, &range);
    s2clr_update_elements(&all, &range, begin, end);
}

static void ten_steps(const char *name, const double golden[STEPS][COUNT])
{
    const s2clr_optimiser *optimiser = NULL;
    TEST_OK(s2clr_optimiser_find(name, &optimiser));
    float params[COUNT], gradient[COUNT], moments[2 * COUNT] = {0};
    CU_ASSERT_FATAL(optimiser->moments == 1 || optimiser->moments == 2);
    for (int i = 0; i < COUNT; i++) params[i] = ((float)i - 2.5f) / 4;
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < COUNT; i++)
            gradient[i] = (float)((7 * i + 3 * step) % 11 - 5) / 8 * powf(64, (float)-i);
        /* in two pieces: the range must be respected */
        update(optimiser, 0.002 * step, (uint64_t)step, true, 2, COUNT, COUNT, gradient, moments,
               params);
        update(optimiser, 0.002 * step, (uint64_t)step, true, 0, 2, COUNT, gradient, moments,
               params);
        for (int i = 0; i < COUNT; i++) TEST_NEAR(params[i], golden[step - 1][i], 2e-7);
    }
}

static void adam_is_pytorchs(void)
{
    ten_steps("adam", golden_adam);
}

static void adamw_is_pytorchs(void)
{
    ten_steps("adamw", golden_adamw);
}

static void sgd_is_pytorchs(void)
{
    ten_steps("sgd", golden_sgd);
}

static s2clr_net *pixel_net(void)
{
    const s2clr_arch arch = {.name = "pixel", .channels = 2, .outputs = 1, .width = 3, .depth = 1};
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&arch, &net));
    return net;
}

static void lars_is_the_papers(void)
{
    enum { ALL = 22, TRAINED = 16 };
    s2clr_net *net = pixel_net();
    s2clr_pool *pool = NULL;
    const s2clr_optimiser *lars = NULL;
    const s2clr_param *list;
    float params[ALL], gradient[TRAINED], moments[TRAINED] = {0};
    TEST_OK(s2clr_optimiser_find("lars", &lars));
    TEST_OK(s2clr_pool_new(2, &pool));
    CU_ASSERT_EQUAL_FATAL(s2clr_net_param_count(net), ALL);
    CU_ASSERT_EQUAL_FATAL(s2clr_net_trainable_count(net), TRAINED);
    const size_t listed = s2clr_net_param_list(net, &list);
    for (size_t p = 0; p < listed; p++)
        for (size_t j = 0; j < list[p].count; j++)
            params[list[p].offset + j] = (float)((5 * (int)j + 3 * (int)p) % 13 - 6) / 8;
    for (int step = 1; step <= STEPS; step++) {
        for (size_t p = 0; p < 5; p++)
            for (size_t j = 0; j < list[p].count; j++)
                gradient[list[p].offset + j] =
                    (float)((7 * (int)j + 3 * step + (int)p) % 11 - 5) / 16;
        TEST_OK(s2clr_optimiser_step(lars, &settings, net, pool, 2.0 * step, (uint64_t)step,
                                     gradient, moments, params));
    }
    for (int i = 0; i < TRAINED; i++) TEST_NEAR(params[i], golden_lars[i], 1e-5);
    s2clr_pool_free(pool);
    s2clr_net_free(net);
}

/* A weight that is 0, or whose gradient is, has no length to adapt to. */
static void lars_without_a_length(void)
{
    CU_ASSERT_EQUAL(s2clr_update_adapt(0.001, 0, 3), 1);
    CU_ASSERT_EQUAL(s2clr_update_adapt(0.001, 3, 0), 1);
    TEST_NEAR(s2clr_update_adapt(0.001, 3, 2), 0.0015, 1e-18);
}

/* A factor of 0 leaves weights, their moments and their decay alone; others scale the rate. */
static void rates_of_their_own(void)
{
    enum { ALL = 22, TRAINED = 16 };
    const s2clr_optimiser *list;
    const size_t count = s2clr_optimiser_list(&list);
    s2clr_net *net = pixel_net();
    s2clr_pool *pool = NULL;
    TEST_OK(s2clr_pool_new(1, &pool));
    const double factor[] = {0, 0.5, 1, 0.5, 1, 1, 1};
    s2clr_optimiser_settings own = settings;
    own.factor = factor;
    for (size_t o = 0; o < count; o++) {
        float whole[ALL], half[ALL], params[ALL], gradient[TRAINED];
        float moments[3][2 * TRAINED] = {{0}};
        for (int i = 0; i < ALL; i++) whole[i] = half[i] = params[i] = 0.25f + (float)i / 8;
        for (int i = 0; i < TRAINED; i++) gradient[i] = (float)(i % 5 - 2) / 8 + 0.0625f;
        TEST_OK(s2clr_optimiser_step(&list[o], &settings, net, pool, 0.25, 1, gradient, moments[0],
                                     whole));
        TEST_OK(s2clr_optimiser_step(&list[o], &settings, net, pool, 0.125, 1, gradient, moments[1],
                                     half));
        TEST_OK(
            s2clr_optimiser_step(&list[o], &own, net, pool, 0.25, 1, gradient, moments[2], params));
        for (int i = 0; i < 6; i++) {
            CU_ASSERT_EQUAL(params[i], 0.25f + (float)i / 8);
            CU_ASSERT_EQUAL(moments[2][i], 0);
        }
        for (int i = 6; i < ALL; i++) {
            const bool slow = (i >= 6 && i < 9) || (i >= 12 && i < 15);
            CU_ASSERT_EQUAL(params[i], slow ? half[i] : whole[i]);
            CU_ASSERT_TRUE(i >= TRAINED || whole[i] != half[i]);
        }
    }
    s2clr_pool_free(pool);
    s2clr_net_free(net);
}

static double length_of(const s2clr_param *param, const float *values, const float *weights,
                        double decay)
{
    double sum = 0;
    for (size_t i = 0; i < param->count; i++) {
        const size_t at = param->offset + i;
        const double v = (double)values[at] + decay * (double)weights[at];
        sum += v * v;
    }
    return sqrt(sum);
}

/* One step of a whole net, as plain calls of update with the decay that each parameter deserves. */
static void slow_step(const s2clr_optimiser *optimiser, const s2clr_net *net, const float *gradient,
                      float *moments, float *params)
{
    const s2clr_param *list;
    const size_t listed = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < listed; i++) {
        if (list[i].role == S2CLR_PARAM_RUNNING_MEAN || list[i].role == S2CLR_PARAM_RUNNING_VAR)
            continue;
        const bool weight = list[i].role == S2CLR_PARAM_WEIGHT;
        double rate = 0.01;
        if (optimiser->adapts && weight)
            rate *= settings.trust * length_of(&list[i], params, params, 0) /
                    length_of(&list[i], gradient, params, settings.weight_decay);
        update(optimiser, rate, 3, weight, list[i].offset, list[i].offset + list[i].count,
               s2clr_net_trainable_count(net), gradient, moments, params);
    }
}

static bool same(const float *a, const float *b, size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tolerance)) return false;
    return true;
}

static void fill(size_t count, uint64_t stream, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = s2clr_random_uniform(5, stream, i);
}

static void step_of_a_net(void)
{
    const s2clr_arch arch = {.name = "resnet18", .channels = 4, .outputs = 1, .width = 16};
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&arch, &net));
    const size_t all = s2clr_net_param_count(net), trainable = s2clr_net_trainable_count(net);
    CU_ASSERT_FATAL(trainable > 1 << 17); /* more than one chunk */
    const s2clr_optimiser *list;
    const size_t count = s2clr_optimiser_list(&list);
    float *want = malloc(all * sizeof *want), *got = malloc(all * sizeof *got);
    float *gradient = malloc(trainable * sizeof *gradient);
    float *want_moments = malloc(2 * trainable * sizeof *want_moments);
    float *got_moments = malloc(2 * trainable * sizeof *got_moments);
    fill(trainable, 0, gradient);
    float *first = malloc(all * sizeof *first);
    for (size_t o = 0; o < count; o++) {
        /* lengths are added up in another order here */
        const double tolerance = list[o].adapts ? 1e-7 : 0;
        fill(all, 1, want), fill(2 * trainable, 2, want_moments);
        slow_step(&list[o], net, gradient, want_moments, want);
        for (int threads = 1; threads <= 3; threads++) {
            s2clr_pool *pool = NULL;
            TEST_OK(s2clr_pool_new(threads, &pool));
            fill(all, 1, got), fill(2 * trainable, 2, got_moments);
            TEST_OK(s2clr_optimiser_step(&list[o], &settings, net, pool, 0.01, 3, gradient,
                                         got_moments, got));
            CU_ASSERT_TRUE(same(want, got, all, tolerance));
            CU_ASSERT_TRUE(same(want_moments, got_moments, 2 * trainable, tolerance));
            if (threads == 1) memcpy(first, got, all * sizeof *got);
            CU_ASSERT_EQUAL(memcmp(first, got, all * sizeof *got), 0);
            s2clr_pool_free(pool);
        }
    }
    free(first);
    free(want), free(got), free(gradient), free(want_moments), free(got_moments);
    s2clr_net_free(net);
}

static void schedule(void)
{
    TEST_NEAR(s2clr_schedule_cosine(0.4, 4, 20, 1), 0.1, 1e-15);
    TEST_NEAR(s2clr_schedule_cosine(0.4, 4, 20, 4), 0.4, 0);
    TEST_NEAR(s2clr_schedule_cosine(0.4, 4, 20, 8), 0.2 * (1 + sqrt(0.5)), 1e-15);
    TEST_NEAR(s2clr_schedule_cosine(0.4, 4, 20, 12), 0.2, 1e-15);
    TEST_NEAR(s2clr_schedule_cosine(0.4, 4, 20, 20), 0, 0);
    TEST_NEAR(s2clr_schedule_cosine(0.4, 0, 20, 10), 0.2, 1e-15);
    TEST_NEAR(s2clr_schedule_cosine(0.4, 20, 20, 20), 0.4, 0);
    TEST_NEAR(s2clr_schedule_cosine(0.4, 20, 20, 10), 0.2, 1e-15);
}

static void unknown_name(void)
{
    const s2clr_optimiser *optimiser = NULL;
    CU_ASSERT_EQUAL(s2clr_optimiser_find("rmsprop", &optimiser), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("rmsprop");
}

static const test_case cases[] = {
    {"adam: ten steps of PyTorch's", adam_is_pytorchs},
    {"adamw: ten steps of PyTorch's", adamw_is_pytorchs},
    {"sgd: ten steps of PyTorch's", sgd_is_pytorchs},
    {"lars: ten steps of the paper's", lars_is_the_papers},
    {"lars without a length", lars_without_a_length},
    {"layers have rates of their own", rates_of_their_own},
    {"a net's step, whatever the threads", step_of_a_net},
    {"cosine schedule", schedule},
    {"unknown optimiser", unknown_name},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("optimiser", cases, argc, argv);
}
