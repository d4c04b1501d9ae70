/*
 * Learners that share a batch: ranks that each compute a part of it must learn what one learner
 * does that computes all parts, on the host and, where a backend joins devices, on those.
 */
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "base/stop.h"
#include "train/learner.h"

enum { RANKS = 2, BANDS = 2, SIDE = 8, SHARE = 4, IN = SHARE * BANDS * SIDE * SIDE, STEPS = 6 };

/* ---- ranks that are threads of this process, and add up in their order ---- */

typedef struct meeting {
    pthread_barrier_t barrier;
    void *part[RANKS];
} meeting;

typedef struct member {
    meeting *with;
    int rank;
} member;

static s2clr_status member_sum(void *self, s2clr_stream *stream, size_t count, float *values)
{
    const member *m = self;
    (void)stream;
    m->with->part[m->rank] = values;
    pthread_barrier_wait(&m->with->barrier);
    for (size_t i = 0; i < count && m->rank == 0; i++) {
        float sum = 0;
        for (int r = 0; r < RANKS; r++) sum += ((float *)m->with->part[r])[i];
        for (int r = 0; r < RANKS; r++) ((float *)m->with->part[r])[i] = sum;
    }
    pthread_barrier_wait(&m->with->barrier);
    return S2CLR_OK;
}

static s2clr_status member_share(void *self, s2clr_stream *stream, size_t bytes, void *values)
{
    const member *m = self;
    (void)stream;
    m->with->part[m->rank] = values;
    pthread_barrier_wait(&m->with->barrier);
    if (m->rank > 0) memcpy(values, m->with->part[0], bytes);
    pthread_barrier_wait(&m->with->barrier);
    return S2CLR_OK;
}

/* ---- one learner ---- */

typedef struct worker {
    const s2clr_backend *backend;
    const char *spec; /* of the device */
    s2clr_learner_place place;
    int rank;
    size_t parts; /* 1: its own rank's */
    s2clr_collective *together;
    const char *group; /* joined by this name, instead */
    s2clr_stop *stop;
    size_t all, trainable;
    float *params, *moments;
    s2clr_status status;
    char text[400];
} worker;

/* Of a step and a part. */
static void part_of(uint64_t step, size_t part, float *x, float *dout)
{
    for (size_t i = 0; i < IN; i++) x[i] = s2clr_random_normal(5, 2 * step + part, i);
    for (size_t i = 0; i < SHARE; i++) dout[i] = ((i + part) % 2 ? 0.1f : -0.1f);
}

static s2clr_status learn(worker *w, s2clr_learner *learner)
{
    float x[IN], dout[SHARE], out[SHARE];
    S2CLR_TRY(s2clr_learner_load(learner));
    for (uint64_t step = 1; step <= STEPS; step++) {
        for (size_t part = 0; part < w->parts; part++) {
            part_of(step, part + (size_t)w->rank, x, dout);
            S2CLR_TRY(s2clr_learner_forward(learner, part, x, out));
            S2CLR_TRY(s2clr_learner_backward(learner, part, dout));
        }
        S2CLR_TRY(s2clr_learner_update(learner, 0.01, step));
    }
    return s2clr_learner_fetch(learner);
}

static s2clr_status with_learner(worker *w, const s2clr_machine *on, const s2clr_net *net,
                                 s2clr_collective *together)
{
    s2clr_learner_options options = {.net = net,
                                     .step = {.batch = SHARE, .micro = SHARE, .h = SIDE, .w = SIDE},
                                     .parts = w->parts,
                                     .numbers = s2clr_optimiser_defaults(),
                                     .params = w->params,
                                     .moments = w->moments,
                                     .place = w->place,
                                     .together = together};
    s2clr_learner *learner;
    S2CLR_TRY(s2clr_optimiser_find("sgd", &options.optimiser));
    S2CLR_TRY(s2clr_learner_new(&options, on, &learner));
    const s2clr_status status = learn(w, learner);
    s2clr_learner_free(learner);
    return status;
}

static s2clr_status with_group(worker *w, const s2clr_machine *on, const s2clr_net *net)
{
    s2clr_collective *together = w->together;
    if (w->group)
        S2CLR_TRY(s2clr_collective_join(on, w->group, w->rank, RANKS, w->stop, &together));
    const s2clr_status status = with_learner(w, on, net, together);
    if (w->group) s2clr_collective_leave(together);
    return status;
}

/* Rank 1 begins with other weights, which must not matter. */
static s2clr_status work(worker *w)
{
    const s2clr_arch arch = {.name = "resnet18", .channels = BANDS, .outputs = 1, .width = 4};
    s2clr_machine on = {.backend = w->backend};
    s2clr_net *net;
    S2CLR_TRY(s2clr_net_new(&arch, &net));
    w->all = s2clr_net_param_count(net);
    w->trainable = s2clr_net_trainable_count(net);
    w->params = malloc(w->all * sizeof(float));
    w->moments = calloc(w->trainable, sizeof(float));
    s2clr_status status = s2clr_net_init(net, 1 + (uint64_t)w->rank, w->params);
    if (status == S2CLR_OK) status = s2clr_pool_new(1, &on.pool);
    if (status == S2CLR_OK) status = w->backend->device_open(w->spec, S2CLR_F32, &on.device);
    if (status == S2CLR_OK) {
        status = with_group(w, &on, net);
        w->backend->device_close(on.device);
    }
    s2clr_pool_free(on.pool);
    s2clr_net_free(net);
    return status;
}

static void *run(void *context)
{
    worker *w = context;
    w->status = work(w);
    if (w->status != S2CLR_OK && w->stop) s2clr_stop_set(w->stop);
    snprintf(w->text, sizeof w->text, "%s", s2clr_error_text());
    return NULL;
}

static void run_all(worker *workers, int count)
{
    pthread_t thread[RANKS];
    for (int i = 0; i < count; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, run, &workers[i]), 0);
    for (int i = 0; i < count; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < count; i++)
        if (workers[i].status != S2CLR_OK)
            CU_assertImplementation(CU_FALSE, __LINE__, workers[i].text, __FILE__, "", CU_FALSE);
}

static void release(worker *w)
{
    free(w->params), free(w->moments);
}

/* ---- tests ---- */

static void expect_same(const worker *ranks, const worker *one)
{
    size_t different = 0, moved = 0;
    CU_ASSERT_EQUAL(memcmp(ranks[0].params, ranks[1].params, one->all * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(ranks[0].moments, ranks[1].moments, one->trainable * sizeof(float)), 0);
    for (size_t i = 0; i < one->trainable; i++) {
        different += ranks[0].params[i] != one->params[i];
        different += ranks[0].moments[i] != one->moments[i];
        moved += one->moments[i] != 0;
    }
    CU_ASSERT_EQUAL(different, 0);
    CU_ASSERT_TRUE(moved > one->trainable / 20);
}

static const s2clr_backend *portable(void)
{
    const s2clr_backend *be = NULL;
    TEST_OK(s2clr_backend_find("portable", &be));
    return be;
}

static void ranks_on_the_host(void)
{
    for (int resident = 0; resident < 2; resident++) {
        meeting m;
        member members[RANKS];
        s2clr_collective together[RANKS];
        worker ranks[RANKS];
        worker one = {.backend = portable(), .spec = "", .parts = RANKS};
        one.place = resident ? S2CLR_LEARNER_RESIDENT : S2CLR_LEARNER_HOST;
        pthread_barrier_init(&m.barrier, NULL, RANKS);
        for (int r = 0; r < RANKS; r++) {
            members[r] = (member){&m, r};
            together[r] = (s2clr_collective){.self = &members[r],
                                             .rank = r,
                                             .ranks = RANKS,
                                             .resident = resident,
                                             .sum = member_sum,
                                             .share = member_share};
            ranks[r] = one;
            ranks[r].rank = r;
            ranks[r].parts = 1;
            ranks[r].together = &together[r];
        }
        run_all(ranks, RANKS);
        run_all(&one, 1);
        expect_same(ranks, &one);
        pthread_barrier_destroy(&m.barrier);
        release(&ranks[0]), release(&ranks[1]), release(&one);
    }
}

/* Two devices of one backend. */
static void ranks_on_devices(void)
{
    static const char *const spec[RANKS] = {"cuda:0", "cuda:1"};
    const s2clr_backend *be = NULL;
    s2clr_device *second = NULL;
    char name[S2CLR_GROUP_NAME];
    s2clr_stop stop = {false};
    worker ranks[RANKS];
    if (s2clr_backend_find("cuda", &be) != S2CLR_OK ||
        be->device_open(spec[1], S2CLR_F32, &second) != S2CLR_OK) {
        test_skip("there are no two CUDA devices");
        return;
    }
    be->device_close(second);
    TEST_OK(s2clr_collective_name(be, name));
    for (int r = 0; r < RANKS; r++)
        ranks[r] = (worker){
            .backend = be, .spec = spec[r], .rank = r, .parts = 1, .group = name, .stop = &stop};
    worker one = {.backend = be, .spec = spec[0], .parts = RANKS};
    run_all(ranks, RANKS);
    run_all(&one, 1);
    expect_same(ranks, &one);
    release(&ranks[0]), release(&ranks[1]), release(&one);
}

static void what_cannot_be_together(void)
{
    char name[S2CLR_GROUP_NAME];
    s2clr_collective host = {.resident = false}, *joined = NULL;
    s2clr_stop stop = {false};
    worker w = {.backend = portable(),
                .spec = "",
                .place = S2CLR_LEARNER_RESIDENT,
                .parts = 1,
                .together = &host};
    CU_ASSERT_EQUAL(work(&w), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("weights on the device cannot be learned by a group that adds up arrays of the "
                    "host");
    release(&w);
    CU_ASSERT_EQUAL(s2clr_collective_name(portable(), name), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("portable cannot train on several devices");
    const s2clr_machine on = {.backend = portable()};
    CU_ASSERT_EQUAL(s2clr_collective_join(&on, name, 0, 2, &stop, &joined), S2CLR_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NULL(joined);
    s2clr_collective_leave(NULL);
}

static const test_case cases[] = {
    {"ranks on the host", ranks_on_the_host},
    {"ranks on devices", ranks_on_devices},
    {"what cannot be together", what_cannot_be_together},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("collective", cases, argc, argv);
}
