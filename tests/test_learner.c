/*
 * The door that training loops go through, on both of its sides: weights that stay on the device
 * must learn what those of the host learn, on every backend that keeps any there.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "train/learner.h"
#include "train/loss.h"

enum { BANDS = 3, SIDE = 12, BATCH = 8, IN = BATCH * BANDS * SIDE * SIDE };

typedef struct rig {
    s2clr_net *net;
    s2clr_machine on;
    size_t all, trainable;
    float *params, *moments, *gradient;
    s2clr_learner *learner;
    size_t parts;
    double rate, loss;
} rig;

typedef struct plan {
    const s2clr_backend *backend;
    s2clr_precision precision;
    s2clr_learner_place place;
    const char *optimiser;
    size_t parts, frozen; /* frozen: groups of layers */
    int micro;            /* of the host; 0: 2 */
    double rate;          /* 0: 0.003 */
} plan;

static rig open_rig(const plan *p)
{
    const s2clr_arch arch = {.name = "resnet18",
                             .channels = BANDS,
                             .outputs = 1,
                             .width = 4,
                             .hiddens = 1,
                             .hidden = {5}};
    const s2clr_net_group *group;
    rig r = {
        .parts = p->parts, .rate = p->rate > 0 ? p->rate : 0.003, .on = {.backend = p->backend}};
    s2clr_learner_options options = {.step = {.batch = BATCH / (int)p->parts,
                                              .micro = p->micro ? p->micro : 2,
                                              .h = SIDE,
                                              .w = SIDE},
                                     .parts = p->parts,
                                     .numbers = s2clr_optimiser_defaults(),
                                     .place = p->place};
    TEST_OK(s2clr_net_new(&arch, &r.net));
    TEST_OK(p->backend->device_open("", p->precision, &r.on.device));
    TEST_OK(s2clr_pool_new(2, &r.on.pool));
    TEST_OK(s2clr_optimiser_find(p->optimiser, &options.optimiser));
    r.all = s2clr_net_param_count(r.net);
    r.trainable = s2clr_net_trainable_count(r.net);
    r.params = malloc(r.all * sizeof(float));
    r.moments = calloc(2 * r.trainable, sizeof(float));
    r.gradient = calloc(r.trainable, sizeof(float));
    TEST_OK(s2clr_net_init(r.net, 1, r.params));
    s2clr_net_depth_list(r.net, &group);
    options.net = r.net;
    options.step.frozen = p->frozen ? group[p->frozen].first_node : 0;
    options.params = r.params;
    options.moments = r.moments;
    options.numbers.weight_decay = 0.01;
    TEST_OK(s2clr_learner_new(&options, &r.on, &r.learner));
    TEST_OK(s2clr_learner_load(r.learner));
    return r;
}

static void close_rig(rig *r)
{
    s2clr_learner_free(r->learner);
    s2clr_pool_free(r->on.pool);
    r->on.backend->device_close(r->on.device);
    s2clr_net_free(r->net);
    free(r->params), free(r->moments), free(r->gradient);
}

/* Every second patch is brighter, and the network shall say which. */
static void batch_of(uint64_t step, float *x, float *target)
{
    const size_t each = IN / BATCH;
    for (size_t i = 0; i < IN; i++)
        x[i] = s2clr_random_normal(3, step, i) + (i / each % 2 ? 0.7f : -0.7f);
    for (size_t i = 0; i < BATCH; i++) target[i] = (float)(i % 2);
}

/* Steps [first, last), numbered from 1; leaves the loss of the last one. */
static void learn(rig *r, uint64_t first, uint64_t last)
{
    static float x[IN];
    float target[BATCH], logits[BATCH], dlogits[BATCH];
    const s2clr_loss *bce = NULL;
    const size_t each = BATCH / r->parts;
    TEST_OK(s2clr_loss_find("bce", &bce));
    for (uint64_t step = first; step < last; step++) {
        batch_of(step, x, target);
        r->loss = 0;
        for (size_t part = 0; part < r->parts; part++) {
            double loss = 0;
            const float *const own = x + part * (IN / r->parts);
            TEST_OK(s2clr_learner_forward(r->learner, part, own, logits));
            TEST_OK(bce->run(logits, target + part * each, NULL, each, 1, &loss, dlogits));
            TEST_OK(s2clr_learner_backward(r->learner, part, dlogits));
            r->loss += loss / (double)r->parts;
        }
        TEST_OK(s2clr_learner_update(r->learner, r->rate, step));
    }
    TEST_OK(s2clr_learner_gradient(r->learner, r->gradient));
    TEST_OK(s2clr_learner_fetch(r->learner));
}

/* ---- both sides ---- */

/* |a - b| relative to the length of b. */
static double apart(const float *a, const float *b, size_t count)
{
    double norm, largest;
    s2clr_op_distance(a, b, count, &norm, &largest);
    return norm;
}

static const s2clr_backend *portable(void)
{
    const s2clr_backend *be = NULL;
    TEST_OK(s2clr_backend_find("portable", &be));
    return be;
}

static void expect_near(const rig *got, const rig *want, const char *who, double tolerance)
{
    const struct {
        const char *what;
        double apart;
    } found[] = {
        {"loss", fabs(got->loss - want->loss) / want->loss},
        {"weights", apart(got->params, want->params, got->trainable)},
        {"statistics", apart(got->params + got->trainable, want->params + got->trainable,
                             got->all - got->trainable)},
        {"gradient", apart(got->gradient, want->gradient, got->trainable)},
        {"moments", apart(got->moments, want->moments, 2 * got->trainable)},
    };
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        char text[200];
        if (found[i].apart <= tolerance) continue;
        snprintf(text, sizeof text, "%s: %s are off by %.3g", who, found[i].what, found[i].apart);
        CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
    }
}

static void compare(const plan *there, uint64_t steps, double tolerance)
{
    plan here = *there;
    char who[120];
    here.backend = portable();
    here.precision = S2CLR_F32;
    here.place = S2CLR_LEARNER_HOST;
    rig want = open_rig(&here), got = open_rig(there);
    learn(&want, 1, steps + 1), learn(&got, 1, steps + 1);
    snprintf(who, sizeof who, "%s %s, %s, %zu parts, %zu groups frozen", there->backend->name,
             s2clr_precision_name(there->precision), there->optimiser, there->parts, there->frozen);
    expect_near(&got, &want, who, tolerance);
    close_rig(&want), close_rig(&got);
}

/* One step: gradients, moments and statistics are the same but for the order of sums. */
static void one_step(void)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++)
        for (size_t parts = 1; parts <= 2; parts++)
            for (size_t frozen = 0; frozen <= 4; frozen += 2) {
                const plan p = {.backend = entries[i].backend,
                                .place = S2CLR_LEARNER_RESIDENT,
                                .optimiser = frozen ? "lars" : "sgd",
                                .parts = parts,
                                .frozen = frozen};
                if (p.backend && p.backend->training) compare(&p, 1, 2e-4);
            }
}

/* Twenty steps, small ones: rounding errors grow with every step, and would become another, equally
 * good network. */
static void twenty_steps(void)
{
    static const char *const optimisers[] = {"adam", "adamw", "sgd", "lars"};
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++)
        for (size_t o = 0; o < 4; o++) {
            const plan p = {.backend = entries[i].backend,
                            .place = S2CLR_LEARNER_RESIDENT,
                            .optimiser = optimisers[o],
                            .parts = 1,
                            .rate = o < 2 ? 1e-5 : 1e-4};
            if (p.backend && p.backend->training) compare(&p, 20, 1e-3);
        }
}

/* Where the host does not cut its batch into micro-batches either, the specification adds up in the
 * same order. But for lengths of weights, whose sums it does not share out. */
static void the_specification_learns_the_same_bits(void)
{
    static const char *const optimisers[] = {"adam", "adamw", "sgd"};
    for (size_t o = 0; o < 3; o++)
        for (int parts = 1; parts <= 2; parts++) {
            plan p = {.backend = portable(),
                      .place = S2CLR_LEARNER_HOST,
                      .optimiser = optimisers[o],
                      .parts = (size_t)parts,
                      .frozen = o,
                      .micro = BATCH / parts};
            rig here = open_rig(&p);
            p.place = S2CLR_LEARNER_RESIDENT;
            rig there = open_rig(&p);
            learn(&here, 1, 8), learn(&there, 1, 8);
            CU_ASSERT_EQUAL(here.loss, there.loss);
            CU_ASSERT_EQUAL(memcmp(here.params, there.params, here.all * sizeof(float)), 0);
            CU_ASSERT_EQUAL(memcmp(here.moments, there.moments, 2 * here.trainable * sizeof(float)),
                            0);
            CU_ASSERT_EQUAL(memcmp(here.gradient, there.gradient, here.trainable * sizeof(float)),
                            0);
            close_rig(&here), close_rig(&there);
        }
}

static void it_learns(void)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++)
        for (int precision = 0; precision < S2CLR_FP16; precision++) {
            const plan p = {.backend = entries[i].backend,
                            .precision = (s2clr_precision)precision,
                            .place = S2CLR_LEARNER_RESIDENT,
                            .optimiser = "adamw",
                            .parts = 1};
            s2clr_device *device;
            if (!p.backend || !p.backend->training) continue;
            if (p.backend->device_open("", p.precision, &device) != S2CLR_OK) continue;
            p.backend->device_close(device);
            rig r = open_rig(&p);
            learn(&r, 1, 2);
            const double before = r.loss;
            learn(&r, 2, 25);
            CU_ASSERT_TRUE(before > 0.5);
            CU_ASSERT_TRUE(r.loss < 0.5 * before);
            close_rig(&r);
        }
}

/* ---- stopping and going on ---- */

static void goes_on_with(const plan *p)
{
    rig whole = open_rig(p), first = open_rig(p), second = open_rig(p);
    learn(&whole, 1, 7);
    learn(&first, 1, 4);
    memcpy(second.params, first.params, first.all * sizeof(float));
    memcpy(second.moments, first.moments, 2 * first.trainable * sizeof(float));
    TEST_OK(s2clr_learner_load(second.learner));
    learn(&second, 4, 7);
    CU_ASSERT_EQUAL(memcmp(whole.params, second.params, whole.all * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(whole.moments, second.moments, 2 * whole.trainable * sizeof(float)), 0);
    close_rig(&whole), close_rig(&first), close_rig(&second);
}

static void what_was_fetched_goes_on_alike(void)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++)
        for (int place = S2CLR_LEARNER_HOST; place <= S2CLR_LEARNER_RESIDENT; place++) {
            const plan p = {.backend = entries[i].backend,
                            .place = (s2clr_learner_place)place,
                            .optimiser = "adamw",
                            .parts = 2};
            if (p.backend && p.backend->training) goes_on_with(&p);
        }
}

/* A look changes nothing: not the statistics, nor what comes after it. */
static void a_look_leaves_no_trace(void)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    static float x[IN];
    float target[BATCH], logits[BATCH], again[BATCH];
    batch_of(99, x, target);
    for (size_t i = 0; i < count; i++) {
        const plan p = {.backend = entries[i].backend, .optimiser = "adamw", .parts = 1};
        if (!p.backend) continue;
        rig looked = open_rig(&p), plain = open_rig(&p);
        TEST_OK(s2clr_learner_look(looked.learner, x, logits));
        TEST_OK(s2clr_learner_look(looked.learner, x, again));
        CU_ASSERT_EQUAL(memcmp(logits, again, sizeof logits), 0);
        learn(&looked, 1, 3), learn(&plain, 1, 3);
        CU_ASSERT_EQUAL(memcmp(looked.params, plain.params, plain.all * sizeof(float)), 0);
        close_rig(&looked), close_rig(&plain);
    }
}

static void a_backend_without_arrays_says_so(void)
{
    s2clr_backend bare = *portable();
    s2clr_learner *learner = NULL;
    s2clr_learner_bytes bytes = {.host = 7};
    rig r = open_rig(&(plan){.backend = portable(), .optimiser = "sgd", .parts = 1});
    s2clr_learner_options options = {.net = r.net,
                                     .step = {.batch = 4, .micro = 2, .h = SIDE, .w = SIDE},
                                     .parts = 1,
                                     .numbers = s2clr_optimiser_defaults(),
                                     .params = r.params,
                                     .moments = r.moments,
                                     .place = S2CLR_LEARNER_RESIDENT};
    const s2clr_machine on = {.backend = &bare, .device = r.on.device, .pool = r.on.pool};
    bare.training = NULL;
    TEST_OK(s2clr_optimiser_find("sgd", &options.optimiser));
    CU_ASSERT_EQUAL(s2clr_learner_new(&options, &on, &learner), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("the backend keeps none there");
    CU_ASSERT_EQUAL(s2clr_learner_needs(&options, &on, &bytes), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(bytes.host, 7);
    options.place = S2CLR_LEARNER_ANYWHERE;
    TEST_OK(s2clr_learner_new(&options, &on, &learner));
    TEST_OK(s2clr_learner_needs(&options, &on, &bytes));
    CU_ASSERT_TRUE(bytes.host > r.trainable * sizeof(float));
    CU_ASSERT_EQUAL(bytes.device, 0);
    s2clr_learner_free(learner);
    close_rig(&r);
}

static const test_case cases[] = {
    {"one step", one_step},
    {"twenty steps", twenty_steps},
    {"the specification learns the same bits", the_specification_learns_the_same_bits},
    {"it learns", it_learns},
    {"what was fetched goes on alike", what_was_fetched_goes_on_alike},
    {"a look leaves no trace", a_look_leaves_no_trace},
    {"a backend without arrays says so", a_backend_without_arrays_says_so},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("learner", cases, argc, argv);
}
