#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/contrast.h"
#include "train/ntxent.h"

/* A small network with batch norm; patches of 2 bands and 8 x 8 pixels of noise. */
enum { BANDS = 2, SIZE = 8, VALUES = BANDS * SIZE * SIZE, D = 5 };

static s2clr_net *make_net(void)
{
    const s2clr_arch arch = {
        .name = "resnet18", .channels = BANDS, .width = 4, .projections = 2, .projection = {12, D}};
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&arch, &net));
    return net;
}

typedef struct noise {
    size_t period; /* patch i is patch i % period again */
    int calls;
} noise;

static s2clr_status fill(void *context, size_t first, size_t count, float *x)
{
    noise *n = context;
    n->calls++;
    for (size_t view = 0; view < 2; view++)
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < VALUES; k++) {
                const size_t patch = (first + i) % n->period;
                *x++ = s2clr_random_normal(7, patch, k) +
                       0.5f * s2clr_random_normal(8 + view, patch, k);
            }
    return S2CLR_OK;
}

static s2clr_status fill_with_gap(void *context, size_t first, size_t count, float *x)
{
    S2CLR_TRY(fill(context, first, count, x));
    if (first == 4) x[(2 + count) * VALUES] = NAN; /* second view of patch 6 */
    return S2CLR_OK;
}

static const char *name(void *context, size_t patch)
{
    static const char *const names[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"};
    (void)context;
    return names[patch % 8];
}

/* The learner that a contrast of those options computes with, and what it needs. */
typedef struct rig {
    s2clr_net *net;
    s2clr_machine on;
    float *params, *moments;
    s2clr_learner *learner;
    s2clr_contrast *contrast;
} rig;

static rig open_rig(s2clr_contrast_options *options, int threads, s2clr_learner_place place)
{
    rig r = {.net = make_net()};
    const s2clr_optimiser *adamw = NULL;
    options->net = r.net;
    TEST_OK(s2clr_optimiser_find("adamw", &adamw));
    r.params = malloc(s2clr_net_param_count(r.net) * sizeof(float));
    r.moments = calloc(2 * s2clr_net_trainable_count(r.net), sizeof(float));
    TEST_OK(s2clr_net_init(r.net, 1, r.params));
    TEST_OK(s2clr_backend_find("portable", &r.on.backend));
    TEST_OK(r.on.backend->device_open("", S2CLR_F32, &r.on.device));
    TEST_OK(s2clr_pool_new(threads, &r.on.pool));
    const s2clr_learner_options learner = {.net = r.net,
                                           .step = s2clr_contrast_step(options),
                                           .parts = s2clr_contrast_parts(options),
                                           .optimiser = adamw,
                                           .numbers = s2clr_optimiser_defaults(),
                                           .params = r.params,
                                           .moments = r.moments,
                                           .place = place};
    TEST_OK(s2clr_learner_new(&learner, &r.on, &r.learner));
    TEST_OK(s2clr_contrast_new(options, r.learner, &r.on, &r.contrast));
    return r;
}

/* Params are the caller's. */
static void close_rig(rig *r)
{
    s2clr_contrast_free(r->contrast);
    s2clr_learner_free(r->learner);
    s2clr_pool_free(r->on.pool);
    r->on.backend->device_close(r->on.device);
    s2clr_net_free(r->net);
    free(r->moments);
}

typedef struct outcome {
    double loss;
    size_t count, trainable;
    float *params, *gradient;
    int calls;
} outcome;

static void release(outcome *o)
{
    free(o->params);
    free(o->gradient);
}

/* One run from the weights of seed 1, moved by `step` times `direction` when there is one. */
static outcome run_at(s2clr_learner_place place, size_t period, int batch, int chunk, int threads,
                      const float *direction, double step)
{
    noise n = {.period = period};
    s2clr_contrast_options options = {
        .batch = batch, .chunk = chunk, .micro = 2, .size = SIZE, .temperature = 0.5};
    const s2clr_contrast_source source = {.context = &n, .fill = fill, .name = name};
    rig r = open_rig(&options, threads, place);
    outcome o = {.count = s2clr_net_param_count(r.net),
                 .trainable = s2clr_net_trainable_count(r.net),
                 .params = r.params};
    double again;
    o.gradient = malloc(o.trainable * sizeof(float));
    for (size_t i = 0; direction && i < o.trainable; i++)
        o.params[i] = (float)((double)o.params[i] + step * (double)direction[i]);
    TEST_OK(s2clr_learner_load(r.learner));
    TEST_OK(s2clr_contrast_run(r.contrast, NULL, &source, &o.loss));
    TEST_OK(s2clr_learner_gradient(r.learner, o.gradient));
    TEST_OK(s2clr_learner_fetch(r.learner));
    o.calls = n.calls;
    TEST_OK(s2clr_contrast_look(r.contrast, NULL, &source, &again));
    CU_ASSERT_EQUAL(again, o.loss);
    close_rig(&r);
    return o;
}

static outcome run(size_t period, int batch, int chunk, int threads, const float *direction,
                   double step)
{
    return run_at(S2CLR_LEARNER_HOST, period, batch, chunk, threads, direction, step);
}

/* The device of the portable backend is the host, where the arrays may be said to be resident. The
 * batch is not cut into micro-batches there: sums have another order. */
static void resident_weights_learn_the_same(void)
{
    for (int chunk = 4; chunk <= 8; chunk *= 2) {
        outcome here = run(8, 8, chunk, 2, NULL, 0);
        outcome there = run_at(S2CLR_LEARNER_RESIDENT, 8, 8, chunk, 2, NULL, 0);
        double largest = 0;
        for (size_t i = 0; i < here.trainable; i++)
            largest = fmax(largest, fabs((double)here.gradient[i]));
        TEST_NEAR(there.loss, here.loss, 1e-6);
        for (size_t i = 0; i < here.trainable; i++)
            TEST_NEAR(there.gradient[i], here.gradient[i], 1e-5 * largest);
        for (size_t i = 0; i < here.count; i++) TEST_NEAR(there.params[i], here.params[i], 1e-6);
        release(&here), release(&there);
    }
}

/* When every chunk holds the same patches, batch norm sees the same statistics in a chunk as in the
 * whole batch, and caching must change nothing. */
static void chunks_give_the_gradient_of_the_whole(void)
{
    outcome whole = run(4, 8, 8, 2, NULL, 0), chunks = run(4, 8, 4, 2, NULL, 0);
    double largest = 0;
    for (size_t i = 0; i < whole.trainable; i++)
        largest = fmax(largest, fabs((double)whole.gradient[i]));
    CU_ASSERT_TRUE(largest > 1e-3);
    TEST_NEAR(chunks.loss, whole.loss, 1e-5);
    for (size_t i = 0; i < whole.trainable; i++)
        TEST_NEAR(chunks.gradient[i], whole.gradient[i], 2e-4 * largest);
    CU_ASSERT_EQUAL(whole.calls, 1);
    CU_ASSERT_EQUAL(chunks.calls, 4);
    release(&whole), release(&chunks);
}

/* Along its own gradient a loss rises by the gradient's square. Here batch norm of one chunk does
 * not see the other. */
static void loss_rises_along_the_gradient(void)
{
    for (int chunk = 4; chunk <= 8; chunk *= 2) {
        outcome here = run(8, 8, chunk, 1, NULL, 0);
        double square = 0;
        for (size_t i = 0; i < here.trainable; i++)
            square += (double)here.gradient[i] * (double)here.gradient[i];
        const double step = 2e-5 / sqrt(square); /* kinks and curvature come soon */
        outcome up = run(8, 8, chunk, 1, here.gradient, step);
        outcome down = run(8, 8, chunk, 1, here.gradient, -step);
        TEST_NEAR((up.loss - down.loss) / (2 * step) / square, 1, 0.01);
        release(&here), release(&up), release(&down);
    }
}

static void running_statistics_move_once(void)
{
    outcome both = run(8, 8, 4, 2, NULL, 0), first = run(4, 4, 4, 2, NULL, 0);
    size_t equal = 0, moved = 0;
    s2clr_net *net = make_net();
    float *fresh = malloc(both.count * sizeof *fresh);
    TEST_OK(s2clr_net_init(net, 1, fresh));
    CU_ASSERT_EQUAL(memcmp(fresh, both.params, both.trainable * sizeof *fresh), 0);
    /* With chunks of equal patches, the mean of both moves is the move of one. */
    outcome twice = run(4, 8, 4, 2, NULL, 0);
    for (size_t i = both.trainable; i < both.count; i++) {
        CU_ASSERT_EQUAL(twice.params[i], first.params[i]);
        equal += both.params[i] == first.params[i];
        moved += both.params[i] != fresh[i];
    }
    CU_ASSERT_EQUAL(moved, both.count - both.trainable);
    CU_ASSERT_TRUE(equal < (both.count - both.trainable) / 10);
    s2clr_net_free(net);
    free(fresh);
    release(&both), release(&first), release(&twice);
}

static void threads_do_not_matter(void)
{
    outcome one = run(8, 8, 4, 1, NULL, 0), three = run(8, 8, 4, 3, NULL, 0);
    CU_ASSERT_EQUAL(one.loss, three.loss);
    CU_ASSERT_EQUAL(memcmp(one.gradient, three.gradient, one.trainable * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(one.params, three.params, one.count * sizeof(float)), 0);
    release(&one), release(&three);
}

static void nonsense_is_refused(void)
{
    s2clr_net *net = make_net();
    s2clr_contrast_options options = {
        .net = net, .batch = 8, .chunk = 4, .micro = 2, .size = SIZE, .temperature = 0.5};
    TEST_OK(s2clr_contrast_check(&options));
    options.chunk = 3;
    CU_ASSERT_EQUAL(s2clr_contrast_check(&options), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("8 patches in chunks of 3");
    options.chunk = 4, options.micro = 3;
    CU_ASSERT_EQUAL(s2clr_contrast_check(&options), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("micro-batches of 3");
    options.micro = options.chunk = options.batch = 1;
    CU_ASSERT_EQUAL(s2clr_contrast_check(&options), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("at least 2");
    s2clr_net_free(net);

    const s2clr_arch bare = {.name = "resnet18", .channels = BANDS, .outputs = 1, .width = 4};
    TEST_OK(s2clr_net_new(&bare, &net));
    options = (s2clr_contrast_options){
        .net = net, .batch = 2, .chunk = 2, .micro = 2, .size = SIZE, .temperature = 0.5};
    CU_ASSERT_EQUAL(s2clr_contrast_check(&options), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("projection head");
    s2clr_net_free(net);
}

static void a_lost_embedding_names_its_patch(void)
{
    noise n = {.period = 8};
    double loss = 7;
    s2clr_contrast_options options = {
        .batch = 8, .chunk = 4, .micro = 1, .size = SIZE, .temperature = 0.5};
    const s2clr_contrast_source source = {.context = &n, .fill = fill_with_gap, .name = name};
    rig r = open_rig(&options, 1, S2CLR_LEARNER_ANYWHERE);
    CU_ASSERT_EQUAL(s2clr_contrast_run(r.contrast, NULL, &source, &loss), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("of p4 is not finite"); /* batch norm spreads it over the chunk */
    CU_ASSERT_EQUAL(loss, 7);
    CU_ASSERT_EQUAL(s2clr_contrast_look(r.contrast, NULL, &source, &loss), S2CLR_ERR_BACKEND);
    CU_ASSERT_EQUAL(loss, 7);
    close_rig(&r);
    free(r.params);
}

static const test_case cases[] = {
    {"chunks give the gradient of the whole", chunks_give_the_gradient_of_the_whole},
    {"the loss rises along the gradient", loss_rises_along_the_gradient},
    {"running statistics move once", running_statistics_move_once},
    {"threads do not matter", threads_do_not_matter},
    {"resident weights learn the same", resident_weights_learn_the_same},
    {"nonsense is refused", nonsense_is_refused},
    {"a lost embedding names its patch", a_lost_embedding_names_its_patch},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("contrast", cases, argc, argv);
}
