/*
 * cuDNN's graphs in the CUDA module, on the pretended CUDA: which engine is taken, the plans of a
 * device, and what happens when a call fails.
 */
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_rig.h"

/* ---- which engine ---- */

typedef struct engine_row {
    const char *words, *spec;
    s2clr_precision precision;
    size_t limit; /* of the workspace; 0: as it is */
    const char *kernel;
} engine_row;

/* The engines are listed in cuda_fake_engine.c. */
static void engines_follow_the_rules(void)
{
    static const engine_row rows[] = {
        {"", "", S2CLR_F32, 0, "cudnn_1 cudnn_1 cudnn_1"},
        {"", "", S2CLR_TF32, 0, "cudnn_3_tc cudnn_3_tc cudnn_3_tc"},
        {"", "", S2CLR_BF16, 0, "cudnn_3_tc cudnn_3_tc cudnn_3_tc"},
        {"", "cuda,fast", S2CLR_F32, 0, "cudnn_4 cudnn_4 cudnn_4"},
        {"", "cuda:0,fast", S2CLR_BF16, 0, "cudnn_2_tc cudnn_2_tc cudnn_2_tc"},
        {"", "", S2CLR_BF16, (size_t)2 << 30, "cudnn_7_tc cudnn_7_tc cudnn_7_tc"},
        {"", "", S2CLR_F32, 4096, "cudnn_1 cudnn_1 cudnn_1"},
        {"", "", S2CLR_F32, 4095, "direct direct direct of 2x12x9x8->20 3x3/2 groups 1"},
        {"noplan", "", S2CLR_BF16, 0, "cudnn_1 cudnn_1 cudnn_1"},
        {"noready", "", S2CLR_BF16, 0, "cudnn_9_tc_rt cudnn_9_tc_rt cudnn_9_tc_rt"},
        {"noready", "", S2CLR_F32, 0, "direct direct direct of 2x12x9x8->20 3x3/2 groups 1"},
        {"nonvrtc", "", S2CLR_BF16, 0, "cudnn_3_tc cudnn_3_tc cudnn_3_tc"},
        {"noengine=fused", "", S2CLR_F32, 0, "cudnn_1+finish cudnn_1 cudnn_1"},
        {"noengine=data", "", S2CLR_F32, 0,
         "cudnn_1 direct cudnn_1 of 2x12x9x8->20 3x3/2 groups 1"},
        {"noengine=filter", "", S2CLR_F32, 0,
         "cudnn_1 cudnn_1 direct of 2x12x9x8->20 3x3/2 groups 1"},
    };
    const s2clr_op_desc d = cuda_usual_training();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_device *const device = cuda_open(rows[i].words, rows[i].spec, rows[i].precision);
        if (rows[i].limit > 0) device->workspace_limit = rows[i].limit;
        CU_ASSERT_STRING_EQUAL(cuda_kernel_of(device, &d), rows[i].kernel);
        s2clr_cuda_device_close(device);
    }
}

static void notes_are_refused_by_precision(void)
{
    const unsigned always =
        CUDA_NOTE(DOWN_CONVERT_INPUTS) | CUDA_NOTE(REDUCED_PRECISION_REDUCTION) | CUDA_NOTE(FFT);
    for (int p = 0; p < S2CLR_PRECISIONS; p++)
        for (int fast = 0; fast <= 1; fast++) {
            const unsigned refused = s2clr_cuda_refused_notes((s2clr_precision)p, fast);
            CU_ASSERT_EQUAL(refused & always, always);
            CU_ASSERT_EQUAL(!(refused & CUDA_NOTE(NONDETERMINISTIC)), fast);
            CU_ASSERT_EQUAL(!(refused & CUDA_NOTE(TENSOR_CORE)), p != S2CLR_F32);
            CU_ASSERT_EQUAL(!(refused & CUDA_NOTE(WINOGRAD)), p == S2CLR_F32);
            CU_ASSERT_EQUAL(refused & CUDA_NOTE(STRICT_NAN_PROP), 0);
        }
}

/* ---- the plans of a device ---- */

typedef struct maker {
    s2clr_device *device;
    s2clr_op *op;
} maker;

static void *make(void *argument)
{
    maker *const m = argument;
    const s2clr_op_desc d = cuda_usual_training();
    if (s2clr_cuda_op_new(m->device, &d, &m->op) != S2CLR_OK) m->op = NULL;
    return NULL;
}

static void ops_of_a_shape_share_a_plan(void)
{
    enum { THREADS = 6 };
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    pthread_t thread[THREADS];
    maker makers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        makers[i] = (maker){.device = device};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, make, &makers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    CU_ASSERT_EQUAL(s2clr_cuda_plans_count(device), CUDA_DIRECTIONS);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(makers[i].op);
        CU_ASSERT_PTR_EQUAL(makers[i].op->conv->step[CUDA_FILTER].planned,
                            makers[0].op->conv->step[CUDA_FILTER].planned);
    }
    for (int i = 0; i < THREADS; i++) s2clr_cuda_op_free(makers[i].op);
    CU_ASSERT_EQUAL(s2clr_cuda_plans_count(device), CUDA_DIRECTIONS);
    const s2clr_op_desc other = cuda_usual();
    cuda_kernel_of(device, &other);
    CU_ASSERT_EQUAL(s2clr_cuda_plans_count(device), CUDA_DIRECTIONS + 1);
    s2clr_cuda_device_close(device);
}

/* Plans in use stay whatever comes; of those that nobody uses the latest stay. */
static void idle_plans_are_bounded(void)
{
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    const s2clr_op_desc kept = cuda_usual();
    s2clr_op *op = NULL;
    TEST_OK(s2clr_cuda_op_new(device, &kept, &op));
    const cuda_planned *const planned = op->conv->step[CUDA_FORWARD].planned;
    for (int i = 0; i < CUDA_IDLE_PLANS + 20; i++) {
        const s2clr_op_desc d =
            cuda_conv_desc((s2clr_shape){1, 8, 4, 4 + i}, 8, s2clr_window_square(1, 1, 0), 1);
        cuda_kernel_of(device, &d);
    }
    CU_ASSERT_EQUAL(s2clr_cuda_plans_count(device), CUDA_IDLE_PLANS + 1);
    cuda_check(device, &kept);
    CU_ASSERT_PTR_EQUAL(op->conv->step[CUDA_FORWARD].planned, planned);
    s2clr_cuda_op_free(op);
    CU_ASSERT_EQUAL(s2clr_cuda_plans_count(device), CUDA_IDLE_PLANS);
    s2clr_cuda_device_close(device);
}

/* That there is no engine is asked once. */
static void missing_engines_are_remembered(void)
{
    s2clr_device *const device = cuda_open("noengine=all", "", S2CLR_F32);
    const s2clr_op_desc d = cuda_usual();
    CU_ASSERT_EQUAL(strncmp(cuda_kernel_of(device, &d), "direct of ", 10), 0);
    CU_ASSERT_EQUAL(s2clr_cuda_plans_count(device), 2); /* fused and bare */
    setenv("FAKE_CUDA", "fail=cudnnBackendCreateDescriptor", 1);
    CU_ASSERT_EQUAL(strncmp(cuda_kernel_of(device, &d), "direct of ", 10), 0);
    s2clr_cuda_device_close(device);
}

/* ---- failures ---- */

static const char lacks[] = ", without engines that failed";

/* Engines that fail, as those do that cannot be compiled because the disk is full, may do next
 * time. */
static void failed_engines_are_asked_again(void)
{
    static const char *const words[] = {"plan=4000", "plan=5000", "plan=5001"};
    const s2clr_op_desc d = cuda_usual();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        s2clr_device *const device = cuda_open(words[i], "", S2CLR_F32);
        CU_ASSERT_EQUAL(strncmp(cuda_kernel_of(device, &d), "direct of ", 10), 0);
        CU_ASSERT_EQUAL(s2clr_cuda_plans_count(device), 0);
        cuda_check(device, &d);
        CU_ASSERT_PTR_NOT_NULL(strstr(s2clr_backend_module()->device_describe(device), lacks));
        setenv("FAKE_CUDA", "", 1);
        CU_ASSERT_STRING_EQUAL(cuda_kernel_of(device, &d), "cudnn_1");
        s2clr_cuda_device_close(device);
    }
}

/* A failure that passes costs no engine, and so no bytes; no failure at all costs no word. */
static void an_engine_may_fail_once(void)
{
    const s2clr_op_desc d = cuda_usual();
    s2clr_device *device = cuda_open("", "", S2CLR_F32);
    CU_ASSERT_STRING_EQUAL(cuda_kernel_of(device, &d), "cudnn_1");
    const long finalised = fake_calls("cudnnBackendFinalize"); /* the last one was the plan */
    s2clr_cuda_device_close(device);
    char words[60];
    snprintf(words, sizeof words, "fail=cudnnBackendFinalize:%ld", finalised);
    device = cuda_open(words, "", S2CLR_F32);
    CU_ASSERT_STRING_EQUAL(cuda_kernel_of(device, &d), "cudnn_1");
    CU_ASSERT_EQUAL(fake_calls("cudnnBackendFinalize"), finalised + 1);
    CU_ASSERT_PTR_NULL(strstr(s2clr_backend_module()->device_describe(device), lacks));
    s2clr_cuda_device_close(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* An engine that is unable is passed over, one that breaks the device is an error: the device's. */
static void a_broken_device_is_no_missing_engine(void)
{
    static const char *const words[] = {"plan=4000,breaks", "plan=5003,breaks"};
    const s2clr_op_desc d = cuda_usual();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        s2clr_device *const device = cuda_open(words[i], "", S2CLR_F32);
        s2clr_op *op = NULL;
        for (int again = 0; again < 2; again++) {
            s2clr_error_clear();
            CU_ASSERT_EQUAL(s2clr_cuda_op_new(device, &d, &op), S2CLR_ERR_BACKEND);
            TEST_ERROR_SAYS("cuda:0: making a convolution plan failed: an illegal memory access");
            TEST_ERROR_SAYS("start it again");
            CU_ASSERT_PTR_NULL(op);
        }
        fake_mend();
        s2clr_cuda_device_close(device);
    }
}

/* One line that says which device. */
static void check_message(const char *words)
{
    const char *const text = s2clr_error_text();
    if (strncmp(text, "cuda:0: ", 8) == 0 && !strchr(text, '\n') && strlen(text) > 20) return;
    fprintf(stderr, "%s: \"%s\"\n", words, text);
    CU_FAIL("a message does not say what failed where");
}

/* Makes and runs an op with one call failing. Whether that call came at all. */
static bool run_failing(s2clr_device *device, const s2clr_op_desc *d, const char *entry, int call)
{
    char words[80];
    op_rig rig = {.op = NULL};
    op_data data;
    op_data_new(d, 5, &data);
    snprintf(words, sizeof words, "fail=%s:%d", entry, call);
    fake_recount();
    s2clr_error_clear();
    setenv("FAKE_CUDA", words, 1);
    s2clr_status status = op_rig_open(s2clr_backend_module(), device, d, &rig);
    if (status == S2CLR_OK) status = op_rig_run(&rig, &data);
    if (status != S2CLR_OK) check_message(words);
    const bool came = fake_calls(entry) >= call;
    if (rig.op) op_rig_close(&rig);
    op_data_free(&data);
    setenv("FAKE_CUDA", "", 1);
    return came;
}

/* Every call of cuDNN that a convolution makes fails once; the device goes on as if nothing had
 * been, and nothing is left behind. */
static void every_failure_is_told_and_leaves_nothing(void)
{
    static const char *const entries[] = {"cudnnBackendCreateDescriptor",
                                          "cudnnBackendSetAttribute", "cudnnBackendFinalize",
                                          "cudnnBackendGetAttribute", "cudnnBackendExecute"};
    for (size_t e = 0; e < sizeof entries / sizeof entries[0]; e++)
        for (int training = 0; training <= 1; training++) {
            const s2clr_op_desc d = training ? cuda_usual_training() : cuda_usual();
            int call = 1;
            bool came = true;
            for (; came && call < 500; call++) {
                s2clr_device *const device = cuda_open("", "", S2CLR_F32);
                const size_t before = fake_object_count();
                came = run_failing(device, &d, entries[e], call);
                if (call % 10 == 1) cuda_check(device, &d);
                s2clr_cuda_plans_free(device->plans);
                device->plans = NULL;
                CU_ASSERT_EQUAL(fake_object_count(), before);
                s2clr_cuda_device_close(device);
            }
            CU_ASSERT_TRUE(!came && call > (training ? 3 : 1));
        }
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static const test_case cases[] = {
    {"engines_follow_the_rules", engines_follow_the_rules},
    {"notes_are_refused_by_precision", notes_are_refused_by_precision},
    {"ops_of_a_shape_share_a_plan", ops_of_a_shape_share_a_plan},
    {"idle_plans_are_bounded", idle_plans_are_bounded},
    {"missing_engines_are_remembered", missing_engines_are_remembered},
    {"failed_engines_are_asked_again", failed_engines_are_asked_again},
    {"an_engine_may_fail_once", an_engine_may_fail_once},
    {"a_broken_device_is_no_missing_engine", a_broken_device_is_no_missing_engine},
    {"every_failure_is_told_and_leaves_nothing", every_failure_is_told_and_leaves_nothing},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_graph", cases, argc, argv);
}
