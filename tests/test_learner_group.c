/*
 * Learners of several devices: what they learn is what one learner does with as many parts, their
 * loss is over the whole batch, and none waits for another that failed. The devices are those of
 * the portable backend, with a group of threads that meet here, and those of every backend that
 * joins its own.
 */
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/philox.h"
#include "base/stop.h"
#include "train/learner.h"

enum { BANDS = 2, SIDE = 8, BATCH = 12, EACH = BANDS * SIDE * SIDE, RANKS_MAX = 4, STEPS = 5 };

/* ---- a group of threads: they add up in their order ---- */

struct s2clr_group {
    int rank;
    s2clr_stop *stop;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t news;
    int ranks, here;
    long round;
    void *part[RANKS_MAX];
    int failing; /* rank whose next sum fails; -1: none */
    int left;
} room = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER, .failing = -1};

typedef void (*meeting)(size_t bytes);

static s2clr_status meet(s2clr_group *g, void *part, size_t bytes, meeting work)
{
    s2clr_status status = S2CLR_OK;
    pthread_mutex_lock(&room.lock);
    const long round = room.round;
    room.part[g->rank] = part;
    if (++room.here == room.ranks) {
        work(bytes);
        room.here = 0;
        room.round++;
        pthread_cond_broadcast(&room.news);
    }
    while (room.round == round && status == S2CLR_OK) {
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec = (soon.tv_nsec + 1000000) % 1000000000;
        pthread_cond_timedwait(&room.news, &room.lock, &soon);
        if (s2clr_stop_is_set(g->stop))
            status = s2clr_error_set(S2CLR_ERR_CANCELLED, "rank %d does not wait", g->rank);
    }
    pthread_mutex_unlock(&room.lock);
    return status;
}

static void nothing(size_t bytes)
{
    (void)bytes;
}

static void add_up(size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        float sum = 0;
        for (int r = 0; r < room.ranks; r++) sum += ((const float *)room.part[r])[i];
        for (int r = 0; r < room.ranks; r++) ((float *)room.part[r])[i] = sum;
    }
}

static void hand_out(size_t bytes)
{
    for (int r = 1; r < room.ranks; r++) memcpy(room.part[r], room.part[0], bytes);
}

static s2clr_status group_name(char name[S2CLR_GROUP_NAME])
{
    memset(name, 7, S2CLR_GROUP_NAME);
    room.here = room.left = 0;
    return S2CLR_OK;
}

static s2clr_status group_join(s2clr_device *device, const char *name, int rank, int ranks,
                               s2clr_stop *stop, s2clr_group **out)
{
    (void)device;
    s2clr_group *const g = malloc(sizeof *g);
    *g = (s2clr_group){rank, stop};
    pthread_mutex_lock(&room.lock);
    room.ranks = ranks;
    pthread_mutex_unlock(&room.lock);
    const s2clr_status status = name[0] == 7 ? meet(g, NULL, 0, nothing) : S2CLR_ERR_ARGUMENT;
    if (status == S2CLR_OK)
        *out = g;
    else
        free(g);
    return status;
}

static void group_leave(s2clr_group *g)
{
    pthread_mutex_lock(&room.lock);
    room.left++;
    pthread_mutex_unlock(&room.lock);
    free(g);
}

static s2clr_status group_sum(s2clr_group *g, s2clr_stream *stream, size_t count, float *values)
{
    (void)stream;
    if (g->rank == room.failing) {
        s2clr_stop_set(g->stop);
        /* The others are told before it is known why. */
        const struct timespec moment = {.tv_nsec = 5000000};
        nanosleep(&moment, NULL);
        return s2clr_error_set(S2CLR_ERR_BACKEND, "rank %d has lost its adder", g->rank);
    }
    return meet(g, values, count * sizeof *values, add_up);
}

static s2clr_status group_share(s2clr_group *g, s2clr_stream *stream, size_t bytes, void *values)
{
    (void)stream;
    return meet(g, values, bytes, hand_out);
}

/* ---- machines ---- */

/* The portable backend, whose devices know of each other. */
static const s2clr_backend *joined_portable(void)
{
    static const s2clr_backend_group group = {group_name, group_join, group_leave, group_sum,
                                              group_share};
    static s2clr_backend_training training;
    static s2clr_backend backend;
    const s2clr_backend *portable = NULL;
    TEST_OK(s2clr_backend_find("portable", &portable));
    training = *portable->training;
    training.group = &group;
    backend = *portable;
    backend.training = &training;
    return &backend;
}

typedef struct machine {
    s2clr_machine on;
    s2clr_device *device[RANKS_MAX];
} machine;

static bool open_machine(const s2clr_backend *backend, int count, machine *m)
{
    const bool numbered = strcmp(backend->name, "portable") != 0;
    *m = (machine){.on = {.backend = backend, .device_count = count}};
    for (int i = 0; i < count; i++) {
        char spec[64] = "";
        if (numbered) snprintf(spec, sizeof spec, "%s:%d", backend->name, i);
        if (backend->device_open(spec, S2CLR_F32, &m->device[i]) == S2CLR_OK) continue;
        while (i-- > 0) backend->device_close(m->device[i]);
        return false;
    }
    m->on.device = m->device[0];
    m->on.devices = m->device;
    TEST_OK(s2clr_pool_new(2, &m->on.pool));
    return true;
}

static void close_machine(machine *m)
{
    s2clr_pool_free(m->on.pool);
    for (int i = 0; i < m->on.device_count; i++) m->on.backend->device_close(m->device[i]);
}

/* ---- one learner ---- */

typedef struct rig {
    s2clr_net *net;
    size_t all, trainable, parts;
    float *params, *moments, *gradient;
    s2clr_learner *learner;
} rig;

static rig open_rig(const s2clr_machine *on, size_t parts, bool frozen)
{
    const s2clr_arch arch = {.name = "resnet18",
                             .channels = BANDS,
                             .outputs = 2,
                             .width = 4,
                             .hiddens = 1,
                             .hidden = {5}};
    const s2clr_net_group *group;
    rig r = {.parts = parts};
    TEST_OK(s2clr_net_new(&arch, &r.net));
    const size_t groups = s2clr_net_depth_list(r.net, &group);
    s2clr_learner_options o = {.net = r.net,
                               .step = {.batch = BATCH / (int)parts,
                                        .micro = BATCH / (int)parts,
                                        .h = SIDE,
                                        .w = SIDE,
                                        .frozen = frozen ? group[groups - 2].first_node : 0},
                               .parts = parts,
                               .numbers = s2clr_optimiser_defaults(),
                               .place = S2CLR_LEARNER_RESIDENT,
                               .part_option = "--batch"};
    TEST_OK(s2clr_optimiser_find("sgd", &o.optimiser));
    r.all = s2clr_net_param_count(r.net);
    r.trainable = s2clr_net_trainable_count(r.net);
    r.params = malloc(r.all * sizeof(float));
    r.moments = calloc(r.trainable, sizeof(float));
    r.gradient = calloc(r.trainable, sizeof(float));
    TEST_OK(s2clr_net_init(r.net, 1, r.params));
    o.params = r.params;
    o.moments = r.moments;
    if (s2clr_learner_new(&o, on, &r.learner) == S2CLR_OK) TEST_OK(s2clr_learner_load(r.learner));
    return r;
}

static void close_rig(rig *r)
{
    s2clr_learner_free(r->learner);
    s2clr_net_free(r->net);
    free(r->params), free(r->moments), free(r->gradient);
}

/* A loss that knows no sample alone: half the mean square of what differs from the batch's mean. */
static void loss_of(const float *out, float *dout)
{
    for (size_t k = 0; k < 2; k++) {
        double mean = 0;
        for (size_t i = 0; i < BATCH; i++) mean += (double)out[2 * i + k] / BATCH;
        for (size_t i = 0; i < BATCH; i++)
            dout[2 * i + k] = (float)(((double)out[2 * i + k] - mean) / BATCH);
    }
}

/* All outputs before the first gradient: of several parts by looking at them first. */
static s2clr_status take_step(rig *r, uint64_t step)
{
    static float x[BATCH * EACH];
    float out[2 * BATCH], dout[2 * BATCH], again[2 * BATCH];
    const size_t own = BATCH / r->parts;
    for (size_t i = 0; i < BATCH * EACH; i++) x[i] = s2clr_random_normal(8, step, i);
    for (size_t p = 0; p < r->parts && r->parts > 1; p++)
        S2CLR_TRY(s2clr_learner_look(r->learner, x + p * own * EACH, out + 2 * p * own));
    if (r->parts == 1) S2CLR_TRY(s2clr_learner_forward(r->learner, 0, x, out));
    loss_of(out, dout);
    for (size_t p = 0; p < r->parts; p++) {
        if (r->parts > 1)
            S2CLR_TRY(s2clr_learner_forward(r->learner, p, x + p * own * EACH, again));
        S2CLR_TRY(s2clr_learner_backward(r->learner, p, dout + 2 * p * own));
    }
    return s2clr_learner_update(r->learner, 0.05, step);
}

static void learn(rig *r, uint64_t first, uint64_t last)
{
    for (uint64_t step = first; step < last; step++) TEST_OK(take_step(r, step));
    TEST_OK(s2clr_learner_gradient(r->learner, r->gradient));
    TEST_OK(s2clr_learner_fetch(r->learner));
}

/* ---- what is learned ---- */

static double apart(const float *a, const float *b, size_t count)
{
    double norm, largest;
    s2clr_op_distance(a, b, count, &norm, &largest);
    return norm;
}

static void expect_near(const rig *got, const rig *want, double tolerance)
{
    TEST_NEAR(apart(got->gradient, want->gradient, want->trainable), 0, tolerance);
    TEST_NEAR(apart(got->params, want->params, want->trainable), 0, tolerance);
    TEST_NEAR(apart(got->moments, want->moments, want->trainable), 0, tolerance);
}

/* As a table: where several devices can be had. */
static size_t machines(int count, machine found[3])
{
    const s2clr_backend_entry *entries;
    size_t used = 0;
    const size_t listed = s2clr_backend_list(&entries);
    if (open_machine(joined_portable(), count, &found[used])) used++;
    for (size_t i = 0; i < listed && used < 3; i++)
        if (entries[i].backend && entries[i].backend->training &&
            entries[i].backend->training->group &&
            open_machine(entries[i].backend, count, &found[used]))
            used++;
    s2clr_error_clear();
    return used;
}

/* With batch norm, over parts that are as large as a device's slice, the sums have one order. */
static void devices_learn_what_parts_do(void)
{
    for (int count = 2; count <= 3; count++) {
        machine found[3];
        const size_t used = machines(count, found);
        for (size_t i = 0; i < used; i++) {
            s2clr_machine alone = found[i].on;
            alone.device_count = 1;
            rig group = open_rig(&found[i].on, 1, false),
                parts = open_rig(&alone, (size_t)count, false);
            learn(&group, 1, STEPS), learn(&parts, 1, STEPS);
            expect_near(&group, &parts, i == 0 ? 0 : 1e-5);
            CU_ASSERT_TRUE(apart(group.moments, group.gradient, group.trainable) > 0.01);
            close_rig(&group), close_rig(&parts);
            close_machine(&found[i]);
        }
    }
}

/* Where batch norm does not see the batch, several devices are one. */
static void frozen_norms_make_no_difference(void)
{
    machine found[3];
    const size_t used = machines(3, found);
    for (size_t i = 0; i < used; i++) {
        s2clr_machine alone = found[i].on;
        alone.device_count = 1;
        rig group = open_rig(&found[i].on, 1, true), one = open_rig(&alone, 1, true);
        learn(&group, 1, STEPS), learn(&one, 1, STEPS);
        expect_near(&group, &one, 1e-4);
        CU_ASSERT_EQUAL(memcmp(group.params + group.trainable, one.params + one.trainable,
                               (one.all - one.trainable) * sizeof(float)),
                        0);
        close_rig(&group), close_rig(&one);
        close_machine(&found[i]);
    }
}

/* Parts of a group are those of a batch, and the statistics those of the first device. One step:
 * the order of sums is another, and rounding errors grow. */
static void groups_have_parts(void)
{
    machine m, one;
    CU_ASSERT_TRUE(open_machine(joined_portable(), 2, &m));
    CU_ASSERT_TRUE(open_machine(joined_portable(), 1, &one));
    rig group = open_rig(&m.on, 2, false), parts = open_rig(&one.on, 4, false);
    learn(&group, 1, 2), learn(&parts, 1, 2);
    expect_near(&group, &parts, 1e-5);
    CU_ASSERT_TRUE(apart(group.params + group.trainable, parts.params + parts.trainable,
                         group.all - group.trainable) > 1e-6);
    close_rig(&group), close_rig(&parts);
    close_machine(&m), close_machine(&one);
}

static void it_goes_on_alike(void)
{
    machine m;
    CU_ASSERT_TRUE(open_machine(joined_portable(), 2, &m));
    rig whole = open_rig(&m.on, 1, false);
    learn(&whole, 1, 7);
    rig first = open_rig(&m.on, 1, false);
    learn(&first, 1, 4);
    rig second = open_rig(&m.on, 1, false);
    memcpy(second.params, first.params, first.all * sizeof(float));
    memcpy(second.moments, first.moments, first.trainable * sizeof(float));
    TEST_OK(s2clr_learner_load(second.learner));
    learn(&second, 4, 7);
    CU_ASSERT_EQUAL(memcmp(whole.params, second.params, whole.all * sizeof(float)), 0);
    CU_ASSERT_EQUAL(memcmp(whole.moments, second.moments, whole.trainable * sizeof(float)), 0);
    close_rig(&whole), close_rig(&first), close_rig(&second);
    close_machine(&m);
}

/* ---- what fails ---- */

static void nobody_waits_for_who_failed(void)
{
    machine m;
    CU_ASSERT_TRUE(open_machine(joined_portable(), 3, &m));
    for (int failing = 0; failing < 3; failing++) {
        rig r = open_rig(&m.on, 1, false);
        TEST_OK(take_step(&r, 1));
        room.failing = failing;
        CU_ASSERT_EQUAL(take_step(&r, 2), S2CLR_ERR_BACKEND);
        TEST_ERROR_SAYS("has lost its adder");
        room.failing = -1;
        /* It stays so: the others have given up. */
        CU_ASSERT_EQUAL(take_step(&r, 3), S2CLR_ERR_BACKEND);
        TEST_ERROR_SAYS("has lost its adder");
        CU_ASSERT_EQUAL(s2clr_learner_fetch(r.learner), S2CLR_ERR_BACKEND);
        close_rig(&r);
        CU_ASSERT_EQUAL(room.left, 3);
    }
    close_machine(&m);
}

static void what_is_refused(void)
{
    machine m;
    CU_ASSERT_TRUE(open_machine(joined_portable(), 2, &m));
    rig r = open_rig(&m.on, 4, false); /* 3 at once */
    CU_ASSERT_PTR_NULL(r.learner);
    TEST_ERROR_SAYS("3 samples at once cannot be shared out equally over 2 devices: --batch must "
                    "be a multiple of 2");
    close_rig(&r);
    s2clr_machine plain = m.on;
    TEST_OK(s2clr_backend_find("portable", &plain.backend));
    r = open_rig(&plain, 1, false);
    CU_ASSERT_PTR_NULL(r.learner);
    TEST_ERROR_SAYS("the backend portable cannot train on several devices at once");
    close_rig(&r);
    close_machine(&m);
}

static const test_case cases[] = {
    {"devices learn what parts do", devices_learn_what_parts_do},
    {"frozen norms make no difference", frozen_norms_make_no_difference},
    {"groups have parts", groups_have_parts},
    {"it goes on alike", it_goes_on_alike},
    {"nobody waits for who failed", nobody_waits_for_who_failed},
    {"what is refused", what_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("learner_group", cases, argc, argv);
}
