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
    .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1};

static void ten_steps(const char *name, const double golden[STEPS][COUNT])
{
    const s2clr_optimiser *optimiser = NULL;
    TEST_OK(s2clr_optimiser_find(name, &optimiser));
    float params[COUNT], gradient[COUNT], moments[2 * COUNT] = {0};
    CU_ASSERT_EQUAL_FATAL(optimiser->moments, 2);
    for (int i = 0; i < COUNT; i++) params[i] = ((float)i - 2.5f) / 4;
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < COUNT; i++)
            gradient[i] = (float)((7 * i + 3 * step) % 11 - 5) / 8 * powf(64, (float)-i);
        /* in two pieces: the range must be respected */
        optimiser->update(&settings, 0.002 * step, (uint64_t)step, 1, 2, COUNT, COUNT, gradient,
                          moments, params);
        optimiser->update(&settings, 0.002 * step, (uint64_t)step, 1, 0, 2, COUNT, gradient,
                          moments, params);
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

/* One step of a whole net, as plain calls of update with the decay that each parameter deserves. */
static void slow_step(const s2clr_optimiser *optimiser, const s2clr_net *net, const float *gradient,
                      float *moments, float *params)
{
    const s2clr_param *list;
    const size_t listed = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < listed; i++) {
        if (list[i].role == S2CLR_PARAM_RUNNING_MEAN || list[i].role == S2CLR_PARAM_RUNNING_VAR)
            continue;
        optimiser->update(&settings, 0.01, 3, list[i].role == S2CLR_PARAM_WEIGHT, list[i].offset,
                          list[i].offset + list[i].count, s2clr_net_trainable_count(net), gradient,
                          moments, params);
    }
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
    for (size_t o = 0; o < count; o++) {
        fill(all, 1, want), fill(2 * trainable, 2, want_moments);
        slow_step(&list[o], net, gradient, want_moments, want);
        for (int threads = 1; threads <= 3; threads++) {
            s2clr_pool *pool = NULL;
            TEST_OK(s2clr_pool_new(threads, &pool));
            fill(all, 1, got), fill(2 * trainable, 2, got_moments);
            TEST_OK(s2clr_optimiser_step(&list[o], &settings, net, pool, 0.01, 3, gradient,
                                         got_moments, got));
            CU_ASSERT_EQUAL(memcmp(want, got, all * sizeof *want), 0);
            CU_ASSERT_EQUAL(memcmp(want_moments, got_moments, 2 * trainable * sizeof *want), 0);
            s2clr_pool_free(pool);
        }
    }
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
    CU_ASSERT_EQUAL(s2clr_optimiser_find("sgd", &optimiser), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("sgd");
}

static const test_case cases[] = {
    {"adam: ten steps of PyTorch's", adam_is_pytorchs},
    {"adamw: ten steps of PyTorch's", adamw_is_pytorchs},
    {"a net's step, whatever the threads", step_of_a_net},
    {"cosine schedule", schedule},
    {"unknown optimiser", unknown_name},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("optimiser", cases, argc, argv);
}
