/*
 * Work that is recorded and replayed, on every backend that records, a real device among them: the
 * same bits as the same work queued call by call.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend_training.h"
#include "net/infer.h"
#include "net/step.h"
#include "resident_rig.h"

enum { BATCH = 4, SIZE = 64, CHANNELS = 5, OUTPUTS = 3, RUNS = 6 };

#define INPUTS ((size_t)BATCH * CHANNELS * SIZE * SIZE)

typedef struct network {
    s2clr_net *net;
    size_t count, trainable;
    float *params;    // (count)
    float *x;         // (RUNS, BATCH, CHANNELS, SIZE, SIZE)
    s2clr_pool *pool; /* of a step */
} network;

static network network_new(const char *name)
{
    network n = {.net = NULL};
    s2clr_arch arch = {.channels = CHANNELS, .outputs = OUTPUTS, .width = 8};
    snprintf(arch.name, sizeof arch.name, "%s", name);
    TEST_OK(s2clr_net_new(&arch, &n.net));
    n.count = s2clr_net_param_count(n.net);
    n.trainable = s2clr_net_trainable_count(n.net);
    n.params = malloc(n.count * sizeof *n.params);
    n.x = malloc(RUNS * INPUTS * sizeof *n.x);
    TEST_OK(s2clr_net_init(n.net, 3, n.params));
    resident_random(1, RUNS * INPUTS, n.x);
    TEST_OK(s2clr_pool_new(1, &n.pool));
    return n;
}

static void network_free(network *n)
{
    s2clr_pool_free(n->pool);
    s2clr_net_free(n->net);
    free(n->params);
    free(n->x);
}

static void everywhere(void (*check)(resident_place *p))
{
    static const s2clr_precision precisions[] = {S2CLR_F32, S2CLR_BF16};
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    int checked = 0;
    for (size_t i = 0; i < count; i++) {
        if (!list[i].backend || !list[i].backend->recording) continue;
        for (size_t k = 0; k < sizeof precisions / sizeof precisions[0]; k++) {
            resident_place place = resident_open(list[i].backend, precisions[k], 0);
            check(&place);
            resident_close(&place);
        }
        checked++;
    }
    if (!checked) test_skip("no backend here records");
}

/* ---- inference ---- */

/* `runs` runs of a session of its own, from batch `first` on. */
static void run_session(const s2clr_plan *plan, const network *n, int first, int runs,
                        const char *way, float y[][BATCH * OUTPUTS])
{
    s2clr_session *session;
    TEST_OK(s2clr_session_new(plan, &session));
    for (int i = first; i < first + runs; i++)
        TEST_OK(s2clr_session_run(session, n->x + (size_t)i * INPUTS, y[i]));
    CU_ASSERT_STRING_EQUAL(s2clr_session_way(session), way);
    s2clr_session_free(session);
}

/* A session queues its first two runs call by call. */
static void check_sessions(resident_place *p)
{
    static const char *const names[] = {"resnet18", "resnetv2-101"};
    static float plain[RUNS][BATCH * OUTPUTS], recorded[RUNS][BATCH * OUTPUTS];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        network n = network_new(names[i]);
        s2clr_plan *plan = NULL;
        TEST_OK(s2clr_plan_new(n.net, n.params, p->be, p->device, S2CLR_OUTPUT_LOGITS, BATCH, SIZE,
                               SIZE, &plan));
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        for (int first = 0; first < RUNS; first += 2)
            run_session(plan, &n, first, 2, "call by call", plain);
        run_session(plan, &n, 0, RUNS, "recorded", recorded);
        CU_ASSERT_EQUAL(memcmp(plain, recorded, sizeof plain), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(plain[0], plain[1], sizeof plain[0]), 0);
        s2clr_plan_free(plan);
        network_free(&n);
    }
}

static void recorded_runs_are_runs(void)
{
    everywhere(check_sessions);
}

/* ---- training ---- */

/* The gradient of batch `run`, which running statistics do not enter. */
static void gradient(s2clr_step *step, const resident_place *p, const network *n, int run,
                     float *params, float *dparams, float *out)
{
    static const float dout[BATCH * OUTPUTS] = {0.5f,   -0.25f, 0.125f, -1,    0.75f, 0.5f,
                                                0.375f, 0.25f,  -0.5f,  0.25f, -1,    0.625f};
    float answers[BATCH * OUTPUTS];
    TEST_OK(s2clr_step_forward(step, params, n->x + (size_t)run * INPUTS, answers));
    TEST_OK(s2clr_step_backward(step, params, dout, dparams));
    TEST_OK(p->on->copy_out(s2clr_step_stream(step), dparams, n->trainable * sizeof *out, out));
}

static s2clr_step *step_new(const resident_place *p, const network *n)
{
    const s2clr_step_options options = {.output = S2CLR_OUTPUT_LOGITS,
                                        .batch = BATCH,
                                        .micro = BATCH,
                                        .h = SIZE,
                                        .w = SIZE,
                                        .resident = true};
    s2clr_step *step = NULL;
    TEST_OK(s2clr_step_new(n->net, p->be, p->device, n->pool, &options, &step));
    CU_ASSERT_PTR_NOT_NULL_FATAL(step);
    return step;
}

static void check_steps(resident_place *p)
{
    network n = network_new("resnet18");
    float *const params = resident_put_floats(p, n.params, n.count);
    float *const dparams = resident_put_floats(p, NULL, n.trainable);
    float *const plain = malloc(n.trainable * sizeof *plain);
    float *const repeated = malloc(n.trainable * sizeof *repeated);
    s2clr_step *const step = step_new(p, &n);
    for (int run = 0; run < RUNS; run++) {
        s2clr_step *const anew = step_new(p, &n);
        gradient(anew, p, &n, run, params, dparams, plain);
        gradient(step, p, &n, run, params, dparams, repeated);
        CU_ASSERT_EQUAL(memcmp(plain, repeated, n.trainable * sizeof *plain), 0);
        s2clr_step_free(anew);
    }
    s2clr_step_free(step);
    free(plain);
    free(repeated);
    network_free(&n);
}

static void recorded_steps_are_steps(void)
{
    everywhere(check_steps);
}

static const test_case cases[] = {
    {"recorded_runs_are_runs", recorded_runs_are_runs},
    {"recorded_steps_are_steps", recorded_steps_are_steps},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("backend_recording", cases, argc, argv);
}
