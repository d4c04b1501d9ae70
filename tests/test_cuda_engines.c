/*
 * The graphs of the CUDA module's convolutions before the real cuDNN, without a device: devices are
 * described to it, its heuristics offer engines for them, and plans are made that nobody runs.
 */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "backend/cuda_plan.h"
#include "op_rig.h"

/* cuDNN leaves memory behind in libraries that it loads and unloads: the leak checker could not
 * tell what is whose. What the layer leaves behind shows in test_cuda_graph.c. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
    return 1;
}

/* What CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION of cuDNN 9.19 holds, by the data sheet of an H100,
 * but for the compute capability. */
static const char description[] =
    "{\"maxGridSize\": [2147483647, 65535, 65535], \"maxBlockSize\": [1024, 1024, 64],"
    " \"regsPerBlock\": 65536, \"multiProcessorCount\": 132, \"warpSize\": 32,"
    " \"maxSharedMemoryPerBlock\": 49152, \"maxSharedMemoryPerBlockOptin\": 232448,"
    " \"reservedSharedMemoryPerBlock\": 1024, \"maxRegistersPerSM\": 65536, \"maxCtasPerSM\": 32,"
    " \"maxThreadsPerBlock\": 1024, \"maxThreadsPerSM\": 2048, \"pciDeviceId\": 9008,"
    " \"isTccDriver\": 0, \"supportCoopLaunch\": 1, \"smClockRateKHz\": 1980000,"
    " \"memClockRateKHz\": 2619000, \"l2CacheSize\": 52428800,"
    " \"deviceName\": \"NVIDIA H100 80GB HBM3\", \"totalGlobalMem\": 85000000000,"
    " \"cudaDeviceId\": 0, \"deviceVer\": %d, \"driverVer\": 13000}";

/* capability: 90. NULL: this cuDNN knows no such descriptions, or others. */
static cuda_descriptor describe(int capability)
{
    cuda_descriptor properties = NULL;
    char text[sizeof description + 8];
    const int length = snprintf(text, sizeof text, description, 10 * capability);
    if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &properties) == 0 &&
        cudnnBackendSetAttribute(properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                                 CUDNN_TYPE_CHAR, length, text) == 0 &&
        cudnnBackendFinalize(properties) == 0)
        return properties;
    if (properties != NULL) cudnnBackendDestroyDescriptor(properties);
    return NULL;
}

static void skip(void)
{
    test_skip("this cuDNN does not take the description of a device that is not here");
}

/* n images of c channels, size x size -> k channels; padding before and behind. */
typedef struct row {
    int n, c, size, k, kernel, stride, before, behind, groups;
} row;

/* Layers of the networks that are there, and what they may be cut into. */
static const row rows[] = {
    {32, 12, 120, 64, 7, 2, 3, 3, 1},  {32, 3, 64, 32, 3, 2, 0, 1, 1},
    {32, 64, 30, 64, 3, 1, 1, 1, 1},   {32, 64, 30, 256, 1, 1, 0, 0, 1},
    {32, 256, 15, 512, 1, 2, 0, 0, 1}, {4, 512, 4, 512, 3, 1, 1, 1, 1},
    {8, 64, 17, 64, 3, 1, 0, 0, 1},    {8, 20, 17, 20, 3, 2, 0, 1, 20},
    {8, 32, 17, 32, 7, 1, 3, 3, 32},   {8, 64, 17, 64, 3, 1, 1, 1, 8},
    {1, 1, 9, 1, 3, 1, 1, 1, 1},
};

static void op_of(const row *r, s2clr_device *device, s2clr_op *op)
{
    const s2clr_window v = {r->kernel, r->kernel, r->stride, r->before,
                            r->before, r->behind, r->behind};
    *op = (s2clr_op){.device = device,
                     .desc = {.kind = S2CLR_OP_CONV,
                              .x = {r->n, r->c, r->size, r->size},
                              .window = v,
                              .groups = r->groups}};
    TEST_OK(op_complete(&op->desc, r->k));
    op->x.lanes = cuda_lanes_of((size_t)r->c);
    op->y.lanes = cuda_lanes_of((size_t)r->k);
}

static void check_plan(const s2clr_op *op, const cuda_planner *planner, cuda_direction direction,
                       int64_t fused)
{
    const s2clr_device *const device = op->device;
    const cuda_rules rules = {.refused = s2clr_cuda_refused_notes(device->precision, false),
                              .workspace_limit = CUDA_WORKSPACE_LIMIT};
    cuda_conv_shape shape;
    cuda_plan plan;
    char text[160];
    CU_ASSERT_TRUE_FATAL(s2clr_cuda_conv_shape(op, direction, fused, &shape));
    const s2clr_status status = s2clr_cuda_conv_plan(device, planner, &rules, &shape, &plan);
    const bool fits = status == S2CLR_OK && !plan.compiled && !(plan.notes & rules.refused) &&
                      plan.workspace <= CUDA_WORKSPACE_LIMIT;
    if (!fits) {
        op_describe(&op->desc, text);
        fprintf(stderr, "%s, %s, %s, direction %d, fused %d: status %d\n", device->name,
                s2clr_precision_name(device->precision), text, (int)direction, (int)fused, status);
    }
    CU_ASSERT_TRUE(fits);
    if (status == S2CLR_OK) s2clr_cuda_plan_free(&plan);
}

static void check_rows(s2clr_device *device, const cuda_planner *planner)
{
    static const int64_t fused[] = {0, CUDA_FUSED_BIAS, CUDA_FUSED_BIAS | CUDA_FUSED_RELU,
                                    CUDA_FUSED_BIAS | CUDA_FUSED_RESIDUAL,
                                    CUDA_FUSED_BIAS | CUDA_FUSED_RESIDUAL | CUDA_FUSED_RELU};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_op op;
        op_of(&rows[i], device, &op);
        for (size_t f = 0; f < sizeof fused / sizeof fused[0]; f++)
            check_plan(&op, planner, CUDA_FORWARD, fused[f]);
        check_plan(&op, planner, CUDA_DATA, 0);
        check_plan(&op, planner, CUDA_FILTER, 0);
    }
}

/* On the oldest, the newest and the usual architectures, from `lowest` on. */
static void check_precision(s2clr_precision precision, cuda_element element, int lowest)
{
    static const int capabilities[] = {75, 80, 90, 120};
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        s2clr_device device = {.precision = precision, .element = element};
        if (capabilities[i] < lowest) continue;
        snprintf(device.name, sizeof device.name, "sm_%d", capabilities[i]);
        const cuda_planner planner = {.properties = describe(capabilities[i])};
        if (planner.properties == NULL) {
            skip();
            return;
        }
        check_rows(&device, &planner);
        cudnnBackendDestroyDescriptor(planner.properties);
    }
}

static void f32_has_ready_made_engines(void)
{
    check_precision(S2CLR_F32, CUDA_FLOAT32, 75);
}

static void tf32_has_ready_made_engines(void)
{
    check_precision(S2CLR_TF32, CUDA_FLOAT32, 80);
}

static void bf16_has_ready_made_engines(void)
{
    check_precision(S2CLR_BF16, CUDA_BFLOAT16, 80);
}

static void fp16_has_ready_made_engines(void)
{
    check_precision(S2CLR_FP16, CUDA_FLOAT16, 75);
}

/* y one row too high: cuDNN says so, and we where. */
static void nonsense_is_told(void)
{
    s2clr_device device = {.name = "cuda:0", .precision = S2CLR_F32, .element = CUDA_FLOAT32};
    const cuda_planner planner = {.properties = describe(90)};
    const cuda_rules rules = {.workspace_limit = CUDA_WORKSPACE_LIMIT};
    cuda_conv_shape shape;
    cuda_plan plan;
    s2clr_op op;
    if (planner.properties == NULL) {
        skip();
        return;
    }
    op_of(&rows[2], &device, &op);
    CU_ASSERT_TRUE(s2clr_cuda_conv_shape(&op, CUDA_FORWARD, 0, &shape));
    shape.yh += 1;
    CU_ASSERT_EQUAL(s2clr_cuda_conv_plan(&device, &planner, &rules, &shape, &plan),
                    S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("cuda:0: describing a convolution failed: CUDNN_STATUS_BAD_PARAM");
    cudnnBackendDestroyDescriptor(planner.properties);
}

/* Those of the build: a device would not open otherwise. */
static void the_libraries_will_do(void)
{
    TEST_OK(s2clr_cuda_libraries_check());
}

static const test_case cases[] = {
    {"f32_has_ready_made_engines", f32_has_ready_made_engines},
    {"tf32_has_ready_made_engines", tf32_has_ready_made_engines},
    {"bf16_has_ready_made_engines", bf16_has_ready_made_engines},
    {"fp16_has_ready_made_engines", fp16_has_ready_made_engines},
    {"nonsense_is_told", nonsense_is_told},
    {"the_libraries_will_do", the_libraries_will_do},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_engines", cases, argc, argv);
}
