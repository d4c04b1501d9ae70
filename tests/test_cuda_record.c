/*
 * Work that is recorded and replayed (CUDA graphs), on the pretended CUDA: the same bits as call by
 * call, fewer calls, and call by call for good where recording fails, whichever call it is.
 */
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend_training.h"
#include "cuda_fake.h"
#include "cuda_rig.h"
#include "net/infer.h"
#include "net/step.h"

enum { BATCH = 2, SIZE = 32, CHANNELS = 3, OUTPUTS = 2, RUNS = 6 };

static const char *const nets[] = {"resnet18", "resnetv2-101"};

static s2clr_net *net_of(const char *name)
{
    s2clr_arch arch = {.channels = CHANNELS, .outputs = OUTPUTS, .width = 4};
    s2clr_net *net = NULL;
    snprintf(arch.name, sizeof arch.name, "%s", name);
    TEST_OK(s2clr_net_new(&arch, &net));
    CU_ASSERT_PTR_NOT_NULL_FATAL(net);
    return net;
}

static void *must_alloc(size_t count, size_t size)
{
    void *const memory = calloc(count, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    return memory;
}

static float *weights_of(const s2clr_net *net)
{
    float *const params = must_alloc(s2clr_net_param_count(net), sizeof *params);
    TEST_OK(s2clr_net_init(net, 7, params));
    return params;
}

/* Another batch for every run. */
static void fill(int run, float x[BATCH * CHANNELS * SIZE * SIZE])
{
    for (size_t i = 0; i < BATCH * CHANNELS * SIZE * SIZE; i++)
        x[i] = (float)((i * 7919 + (size_t)run * 104729) % 1009) / 504.5f - 1;
}

/* ---- inference ---- */

typedef struct answers {
    float y[RUNS][BATCH * OUTPUTS];
    char way[256];
    s2clr_status status;
} answers;

static s2clr_status run_session(const s2clr_plan *plan, answers *out)
{
    static _Thread_local float x[BATCH * CHANNELS * SIZE * SIZE];
    s2clr_session *session;
    s2clr_status status = S2CLR_OK;
    S2CLR_TRY(s2clr_session_new(plan, &session));
    for (int run = 0; run < RUNS && status == S2CLR_OK; run++) {
        fill(run, x);
        status = s2clr_session_run(session, x, out->y[run]);
    }
    snprintf(out->way, sizeof out->way, "%s", s2clr_session_way(session));
    s2clr_session_free(session);
    return status;
}

/* A plan and a session of its own, the words being told from there on. */
static answers infer(const char *net_name, s2clr_precision precision, const char *words)
{
    answers got = {.way = ""};
    s2clr_net *const net = net_of(net_name);
    float *const params = weights_of(net);
    s2clr_device *const device = cuda_open("", "", precision);
    s2clr_plan *plan = NULL;
    TEST_OK(s2clr_plan_new(net, params, s2clr_backend_module(), device, S2CLR_OUTPUT_LOGITS, BATCH,
                           SIZE, SIZE, &plan));
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
    got.status = run_session(plan, &got);
    setenv("FAKE_CUDA", "", 1);
    s2clr_plan_free(plan);
    s2clr_backend_module()->device_close(device);
    free(params);
    s2clr_net_free(net);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    return got;
}

static void replays_are_what_calls_are(void)
{
    static const s2clr_precision precisions[] = {S2CLR_F32, S2CLR_BF16, S2CLR_FP16};
    for (size_t n = 0; n < sizeof nets / sizeof nets[0]; n++)
        for (size_t p = 0; p < sizeof precisions / sizeof precisions[0]; p++) {
            const answers recorded = infer(nets[n], precisions[p], "");
            CU_ASSERT_EQUAL(fake_calls("cudaGraphLaunch"), RUNS - 2);
            const long recording = fake_calls("cudnnBackendExecute");
            const answers plain = infer(nets[n], precisions[p], "fail=cudaStreamBeginCapture");
            const long calling = fake_calls("cudnnBackendExecute");
            CU_ASSERT_EQUAL(fake_calls("cudaGraphLaunch"), 0);
            CU_ASSERT_EQUAL(recording * RUNS, calling * 3); /* two runs and the recording */
            CU_ASSERT_EQUAL(recorded.status, S2CLR_OK);
            CU_ASSERT_EQUAL(plain.status, S2CLR_OK);
            CU_ASSERT_STRING_EQUAL(recorded.way, "recorded");
            CU_ASSERT_EQUAL(strncmp(plain.way, "call by call: cuda:0: beginning to record", 41), 0);
            CU_ASSERT_EQUAL(memcmp(recorded.y, plain.y, sizeof plain.y), 0);
            CU_ASSERT_NOT_EQUAL(memcmp(plain.y[0], plain.y[1], sizeof plain.y[0]), 0);
        }
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

/* Whatever it is that fails, and whenever: the numbers are the same. */
static void what_cannot_be_recorded_is_called(void)
{
    static const char *const words[] = {
        "fail=cudaStreamBeginCapture:1",
        "fail=cudaStreamEndCapture:1",
        "fail=cudaGraphInstantiateWithFlags",
        "fail=cudaGraphDestroy",
        "fail=cudaGraphLaunch:1",
        "fail=cudaGraphLaunch:3",
        "fail=cudaGraphExecDestroy",
    };
    const answers wanted = infer(nets[0], S2CLR_BF16, "");
    long execute = fake_calls("cudnnBackendExecute") / 3;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const answers got = infer(nets[0], S2CLR_BF16, words[i]);
        CU_ASSERT_EQUAL(got.status, S2CLR_OK);
        CU_ASSERT_EQUAL(memcmp(got.y, wanted.y, sizeof got.y), 0);
        CU_ASSERT_EQUAL(strcmp(got.way, "recorded") == 0, strstr(words[i], "Destroy") != NULL);
        CU_ASSERT_PTR_NULL(strchr(got.way, '\n'));
    }
    /* A call inside the recording: its first, one in the middle, its last. */
    const long inside[] = {2 * execute + 1, 2 * execute + execute / 2, 3 * execute};
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "fail=cudnnBackendExecute:%ld", inside[i]);
        const answers got = infer(nets[0], S2CLR_BF16, text);
        CU_ASSERT_EQUAL(got.status, S2CLR_OK);
        CU_ASSERT_EQUAL(memcmp(got.y, wanted.y, sizeof got.y), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.way, "starting a convolution failed"));
    }
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

/* A device that breaks meanwhile is no matter of recording. */
static void a_broken_device_is_an_error(void)
{
    long calls;
    (void)infer(nets[0], S2CLR_F32, "");
    calls = fake_calls("cudaEventSynchronize");
    for (long call = calls - 3; call <= calls; call++) {
        char text[64];
        snprintf(text, sizeof text, "fail=cudaEventSynchronize:%ld", call);
        s2clr_error_clear();
        const answers got = infer(nets[0], S2CLR_F32, text);
        CU_ASSERT_EQUAL(got.status, S2CLR_ERR_BACKEND);
        TEST_ERROR_SAYS("illegal memory access");
        fake_mend();
    }
}

/* ---- threads ---- */

typedef struct runner {
    const s2clr_plan *plan;
    answers got;
    pthread_t thread;
} runner;

static void *run(void *argument)
{
    runner *const r = argument;
    r->got.status = run_session(r->plan, &r->got);
    return NULL;
}

static void sessions_record_side_by_side(void)
{
    enum { THREADS = 3 };
    const answers wanted = infer(nets[0], S2CLR_F32, "");
    s2clr_net *const net = net_of(nets[0]);
    float *const params = weights_of(net);
    s2clr_device *const device = cuda_open("slow", "", S2CLR_F32);
    runner runners[THREADS];
    s2clr_plan *plan = NULL;
    TEST_OK(s2clr_plan_new(net, params, s2clr_backend_module(), device, S2CLR_OUTPUT_LOGITS, BATCH,
                           SIZE, SIZE, &plan));
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (runner){.plan = plan};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(runners[i].thread, NULL);
        CU_ASSERT_EQUAL(runners[i].got.status, S2CLR_OK);
        CU_ASSERT_STRING_EQUAL(runners[i].got.way, "recorded");
        CU_ASSERT_EQUAL(memcmp(runners[i].got.y, wanted.y, sizeof wanted.y), 0);
    }
    s2clr_plan_free(plan);
    s2clr_backend_module()->device_close(device);
    free(params);
    s2clr_net_free(net);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

/* ---- training ---- */

typedef struct training {
    const s2clr_backend *be;
    s2clr_device *device;
    s2clr_step *step;
    float *params, *dparams; /* on the device */
    size_t count, trainable;
} training;

/* A gradient is added to the weights: they go somewhere, and back and forth is the same way. */
static s2clr_status one_batch(const training *t, int run, float *out)
{
    static float x[BATCH * CHANNELS * SIZE * SIZE];
    static const float dout[BATCH * OUTPUTS] = {-0.01f, 0.02f, 0.015f, -0.005f};
    s2clr_stream *const stream = s2clr_step_stream(t->step);
    fill(run, x);
    S2CLR_TRY(s2clr_step_forward(t->step, t->params, x, out));
    if (run % 2) S2CLR_TRY(s2clr_step_replay(t->step, t->params, x, out));
    S2CLR_TRY(s2clr_step_backward(t->step, t->params, dout, t->dparams));
    return t->be->training->add(stream, t->trainable, t->dparams, t->params);
}

static void open_training(const s2clr_net *net, s2clr_pool *pool, training *t)
{
    const s2clr_step_options options = {.output = S2CLR_OUTPUT_LOGITS,
                                        .batch = BATCH,
                                        .micro = BATCH,
                                        .h = SIZE,
                                        .w = SIZE,
                                        .resident = true};
    float *const weights = weights_of(net);
    t->count = s2clr_net_param_count(net);
    t->trainable = s2clr_net_trainable_count(net);
    TEST_OK(s2clr_step_new(net, t->be, t->device, pool, &options, &t->step));
    TEST_OK(t->be->buffer_new(t->device, t->count * sizeof(float), (void **)&t->params));
    TEST_OK(t->be->buffer_new(t->device, t->trainable * sizeof(float), (void **)&t->dparams));
    TEST_OK(t->be->training->copy_in(s2clr_step_stream(t->step), weights, t->count * sizeof(float),
                                     t->params));
    free(weights);
}

/* The weights after some batches. Free them. */
static float *train(const char *net_name, s2clr_precision precision, const char *words)
{
    enum { BATCHES = 8 };
    training t = {.be = s2clr_backend_module(), .device = cuda_open("", "", precision)};
    s2clr_net *const net = net_of(net_name);
    s2clr_pool *pool = NULL;
    float out[BATCH * OUTPUTS], *const got = must_alloc(s2clr_net_param_count(net), sizeof *got);
    TEST_OK(s2clr_pool_new(1, &pool));
    open_training(net, pool, &t);
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
    for (int run = 0; run < BATCHES; run++) TEST_OK(one_batch(&t, run, out));
    TEST_OK(
        t.be->training->copy_out(s2clr_step_stream(t.step), t.params, t.count * sizeof *got, got));
    setenv("FAKE_CUDA", "", 1);
    s2clr_step_free(t.step);
    t.be->buffer_free(t.device, t.params);
    t.be->buffer_free(t.device, t.dparams);
    t.be->device_close(t.device);
    s2clr_pool_free(pool);
    s2clr_net_free(net);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    return got;
}

/* Numbers, and many others than it began with: not all, for the outer taps over maps of one pixel
 * see nothing. */
static bool learned(const s2clr_net *net, const float *got)
{
    float *const first = weights_of(net);
    size_t moved = 0, broken = 0;
    for (size_t i = 0; i < s2clr_net_param_count(net); i++) {
        moved += got[i] != first[i];
        broken += isfinite(got[i]) ? 0 : 1;
    }
    free(first);
    return broken == 0 && moved > s2clr_net_param_count(net) / 4;
}

static void training_steps_are_replayed(void)
{
    static const s2clr_precision precisions[] = {S2CLR_F32, S2CLR_BF16};
    static const char *const words[] = {"fail=cudaStreamBeginCapture", "fail=cudaGraphLaunch:2",
                                        "fail=cudaStreamEndCapture:2"};
    s2clr_net *const net = net_of(nets[0]);
    const size_t bytes = s2clr_net_param_count(net) * sizeof(float);
    for (size_t p = 0; p < sizeof precisions / sizeof precisions[0]; p++) {
        float *const recorded = train(nets[0], precisions[p], "");
        /* 8 forward and 8 backward but for two each; 4 looks but for two. */
        CU_ASSERT_EQUAL(fake_calls("cudaGraphLaunch"), 6 + 6 + 2);
        CU_ASSERT_EQUAL(fake_calls("cudaStreamBeginCapture"), 3);
        CU_ASSERT_TRUE(learned(net, recorded));
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            float *const plain = train(nets[0], precisions[p], words[i]);
            CU_ASSERT_EQUAL(memcmp(recorded, plain, bytes), 0);
            free(plain);
        }
        free(recorded);
    }
    s2clr_net_free(net);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static const test_case cases[] = {
    {"replays_are_what_calls_are", replays_are_what_calls_are},
    {"what_cannot_be_recorded_is_called", what_cannot_be_recorded_is_called},
    {"a_broken_device_is_an_error", a_broken_device_is_an_error},
    {"sessions_record_side_by_side", sessions_record_side_by_side},
    {"training_steps_are_replayed", training_steps_are_replayed},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_record", cases, argc, argv);
}
