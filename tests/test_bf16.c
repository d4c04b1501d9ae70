/*
 * bf16 devices. The portable one is the specification: everything it uploads, packs and writes is
 * the float32 device's result rounded. Other backends are compared with it where the CPU has bf16,
 * and must say what is missing where it has not.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/philox.h"
#include "net/infer.h"
#include "net/step.h"
#include "op_compare.h"

/* ---- rounding ---- */

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool same_bits(float a, float b)
{
    return bits_of(a) == bits_of(b);
}

/* By comparing distances: the two neighbours that bfloat16 has, the nearer one, the even one of two
 * equally near. Infinity counts as the next number after the largest. */
static float nearest(float value)
{
    const uint32_t bits = bits_of(value), low = bits & 0xffff0000u, high = low + 0x10000u;
    if (isnan(value) || isinf(value)) return value;
    const double from = (double)float_of(low);
    const double to =
        isinf(float_of(high)) ? copysign(0x1p128, (double)value) : (double)float_of(high);
    const double below = fabs((double)value - from), above = fabs(to - (double)value);
    if (below == above) return float_of(low & 0x10000u ? high : low);
    return float_of(below < above ? low : high);
}

static void up_and_down(const s2clr_backend *be, s2clr_precision precision, s2clr_shape shape,
                        const float *from, float *to)
{
    s2clr_device *device = NULL;
    s2clr_stream *stream = NULL;
    size_t bytes = 0;
    void *native = NULL;
    TEST_OK(be->device_open("", precision, &device));
    TEST_OK(be->stream_new(device, 0, &stream));
    TEST_OK(be->tensor_bytes(device, shape, &bytes));
    TEST_OK(be->buffer_new(device, bytes, &native));
    TEST_OK(be->upload(stream, shape, from, native));
    TEST_OK(be->download(stream, shape, native, to));
    be->buffer_free(device, native);
    be->stream_free(stream);
    be->device_close(device);
}

enum { NUMBERS = 3 * 20000 };

/* Every backend that opens in bf16 here; `why` of the others. */
static bool offers_bf16(const s2clr_backend *be)
{
    s2clr_device *device;
    if (be->device_open("", S2CLR_BF16, &device) != S2CLR_OK) return false;
    be->device_close(device);
    return true;
}

static void uploads_round_to_the_nearest(void)
{
    static const float special[] = {0.0f,        -0.0f,        1.0f,          INFINITY, -INFINITY,
                                    0x1p-133f,   0x1p-149f,    3.4028235e38f, NAN,      1.00390625f,
                                    1.01171875f, -1.00390625f, 3.3961775e38f};
    static float from[NUMBERS], to[NUMBERS];
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    for (size_t i = 0; i < NUMBERS; i++)
        from[i] = float_of((uint32_t)(s2clr_random_below(1, 2, i, 65536) << 16 |
                                      s2clr_random_below(1, 3, i, i % 4 ? 65536 : 2) << 15));
    memcpy(from, special, sizeof special);
    for (size_t b = 0; b < count; b++) {
        if (!list[b].backend || !offers_bf16(list[b].backend)) continue;
        size_t wrong = 0;
        up_and_down(list[b].backend, S2CLR_BF16, (s2clr_shape){1, 3, 200, 100}, from, to);
        for (size_t i = 0; i < NUMBERS; i++)
            if (isnan(from[i]) ? !isnan(to[i]) : !same_bits(to[i], nearest(from[i]))) wrong++;
        CU_ASSERT_EQUAL(wrong, 0);
    }
}

/* ---- ops ---- */

static const s2clr_window square = {3, 3, 1, 1, 1, 1, 1}, strided = {1, 1, 2, 0, 0, 0, 0};
static const s2clr_window wide = {1, 7, 1, 0, 3, 0, 3}, half = {3, 3, 2, 0, 0, 1, 1};

static void for_all_ops(void (*check)(const s2clr_op_desc *d))
{
    const struct {
        s2clr_op_desc d;
        int channels;
    } rows[] = {
        {{S2CLR_OP_CONV, {2, 20, 9, 8}, .window = square, .groups = 1, .bias = true}, 33},
        {{S2CLR_OP_CONV, {2, 3, 9, 8}, .window = square, .groups = 1, .relu = true}, 3},
        {{S2CLR_OP_CONV, {2, 16, 9, 8}, .window = strided, .groups = 1, .training = true}, 24},
        {{S2CLR_OP_CONV, {2, 24, 6, 8}, .window = wide, .groups = 1, .training = true}, 17},
        {{S2CLR_OP_CONV, {2, 24, 6, 8}, .window = square, .groups = 24, .training = true}, 24},
        {{S2CLR_OP_CONV, {2, 8, 6, 8}, .window = square, .groups = 2, .training = true}, 6},
        {{S2CLR_OP_CONV,
          {3, 40, 1, 1},
          .window = {1, 1, 1, 0, 0, 0, 0},
          .groups = 1,
          .bias = true,
          .training = true},
         10},
        {{S2CLR_OP_CONV,
          {2, 16, 7, 7},
          .window = square,
          .groups = 1,
          .bias = true,
          .residual = true,
          .relu = true},
         16},
        {{S2CLR_OP_AFFINE, {3, 17, 5, 4}, .relu = true, .training = true}, 0},
        {{S2CLR_OP_ADD, {2, 9, 5, 4}, .residual = true, .relu = true, .training = true}, 0},
        {{S2CLR_OP_ADD, {2, 9, 5, 4}, .relu = true, .training = true}, 0},
        {{S2CLR_OP_MAXPOOL, {2, 20, 9, 8}, .window = half, .training = true}, 0},
        {{S2CLR_OP_AVGPOOL, {2, 20, 9, 8}, .window = half, .training = true}, 0},
        {{S2CLR_OP_MEANPOOL, {2, 3, 9, 8}, .training = true}, 0},
        {{S2CLR_OP_CONCAT, {2, 5, 4, 6}, .residual = true, .training = true}, 17},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_op_desc d = rows[i].d;
        TEST_OK(op_complete(&d, rows[i].channels));
        check(&d);
    }
}

/* Inputs that bf16 holds; bias, scale and shift stay as they are. */
static void rounded_data(const s2clr_op_desc *d, op_data *data)
{
    static const op_field fields[] = {OP_X, OP_RESIDUAL, OP_DY, OP_WEIGHT};
    op_data_new(d, 9, data);
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
        for (size_t i = 0; i < data->count[fields[f]]; i++)
            data->value[fields[f]][i] = nearest(data->value[fields[f]][i]);
}

static void run(const char *backend, s2clr_precision precision, const s2clr_op_desc *d,
                op_data *data)
{
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    op_rig rig;
    rounded_data(d, data);
    TEST_OK(s2clr_backend_find(backend, &be));
    TEST_OK(be->device_open("", precision, &device));
    TEST_OK(op_rig_open(be, device, d, &rig));
    TEST_OK(op_rig_run(&rig, data));
    op_rig_close(&rig);
    be->device_close(device);
}

static bool is_tensor(int field)
{
    return field == OP_Y || field == OP_DX || field == OP_DRESIDUAL;
}

/* Tensors are the float32 results rounded; gradients of weights and sums are not rounded. */
static void check_portable(const s2clr_op_desc *d)
{
    op_data got, wanted;
    run("portable", S2CLR_BF16, d, &got);
    run("portable", S2CLR_F32, d, &wanted);
    for (int f = 0; f < OP_FIELDS; f++) {
        size_t wrong = 0;
        for (size_t i = 0; i < got.count[f]; i++) {
            const float w = is_tensor(f) ? nearest(wanted.value[f][i]) : wanted.value[f][i];
            wrong += got.value[f][i] != w;
        }
        if (wrong) op_fail("portable", d, op_field_name((op_field)f));
    }
    for (int i = 0; i < 2; i++)
        if (got.sums_count)
            CU_ASSERT_EQUAL(memcmp(got.sums[i], wanted.sums[i], got.sums_count * sizeof(double)),
                            0);
    op_data_free(&got);
    op_data_free(&wanted);
}

static void portable_ops_round_what_they_write(void)
{
    for_all_ops(check_portable);
}

static double norm_apart(const float *a, const float *b, size_t count)
{
    double apart = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        apart += pow((double)a[i] - (double)b[i], 2);
        size += pow((double)b[i], 2);
    }
    return apart > 0 ? sqrt(apart / size) : 0;
}

/* Sums in another order may round to the neighbour: 2^-9 of a value on average of few values. */
static void check_others(const s2clr_op_desc *d)
{
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    op_data got, wanted;
    run("portable", S2CLR_BF16, d, &wanted);
    for (size_t b = 0; b < count; b++) {
        if (!list[b].backend || !offers_bf16(list[b].backend)) continue;
        run(list[b].name, S2CLR_BF16, d, &got);
        for (int f = 0; f < OP_FIELDS; f++)
            if (!(norm_apart(got.value[f], wanted.value[f], got.count[f]) <= 2e-3))
                op_fail(list[b].name, d, op_field_name((op_field)f));
        op_data_free(&got);
    }
    op_data_free(&wanted);
}

static void backends_agree_where_they_offer_bf16(void)
{
    for_all_ops(check_others);
}

/* ---- who does not offer it ---- */

static void a_cpu_without_bf16_is_told_what_to_do(void)
{
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    if (s2clr_backend_find("onednn", &be) != S2CLR_OK) {
        test_skip("there is no oneDNN");
        return;
    }
    if (offers_bf16(be)) {
        test_skip("this CPU computes in bf16");
        return;
    }
    static const char *const wishes[] = {"onednn", "cpu"};
    for (int i = 0; i < 2; i++) {
        s2clr_error_clear();
        CU_ASSERT_EQUAL(s2clr_device_select(wishes[i], S2CLR_BF16, &be, &device),
                        S2CLR_ERR_UNSUPPORTED);
        TEST_ERROR_SAYS("avx512_core");
        TEST_ERROR_SAYS("--precision f32");
    }
}

static void precisions_have_names(void)
{
    s2clr_precision precision = S2CLR_F32;
    TEST_OK(s2clr_precision_parse("bf16", &precision));
    CU_ASSERT_EQUAL(precision, S2CLR_BF16);
    TEST_OK(s2clr_precision_parse("f32", &precision));
    CU_ASSERT_EQUAL(precision, S2CLR_F32);
    CU_ASSERT_EQUAL(s2clr_precision_parse("f16", &precision), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("'f16'");
    TEST_ERROR_SAYS("f32, bf16, tf32 or fp16");
    CU_ASSERT_STRING_EQUAL(s2clr_precision_name(S2CLR_BF16), "bf16");
    for (int i = 0; i < S2CLR_PRECISIONS; i++) {
        TEST_OK(s2clr_precision_parse(s2clr_precision_name((s2clr_precision)i), &precision));
        CU_ASSERT_EQUAL(precision, (s2clr_precision)i);
    }
    CU_ASSERT_STRING_EQUAL(s2clr_precision_name(S2CLR_PRECISIONS), "unknown");
}

static void cpus_refuse_what_only_devices_compute_in(void)
{
    static const char *const wishes[] = {"portable", "cpu", "onednn"};
    static const s2clr_precision refused[] = {S2CLR_TF32, S2CLR_FP16};
    const s2clr_backend *be;
    s2clr_device *device = NULL;
    const int count = s2clr_backend_find("onednn", &be) == S2CLR_OK ? 3 : 2;
    for (int i = 0; i < 2 * count; i++) {
        s2clr_error_clear();
        CU_ASSERT_EQUAL(s2clr_device_select(wishes[i / 2], refused[i % 2], &be, &device),
                        S2CLR_ERR_UNSUPPORTED);
        TEST_ERROR_SAYS(s2clr_precision_name(refused[i % 2]));
        TEST_ERROR_SAYS("--precision f32 or bf16");
        TEST_ERROR_SAYS("--device cuda");
        CU_ASSERT_PTR_NULL(device);
    }
}

/* ---- networks ---- */

enum { BANDS = 4, SIDE = 32, BATCH = 8, IN = BATCH * BANDS * SIDE * SIDE };

static s2clr_net *new_net(const char *name, int width)
{
    s2clr_arch arch = {.channels = BANDS, .outputs = 1, .width = width};
    s2clr_net *net = NULL;
    snprintf(arch.name, sizeof arch.name, "%s", name);
    TEST_OK(s2clr_net_new(&arch, &net));
    return net;
}

static void infer(const s2clr_net *net, const float *params, s2clr_precision precision,
                  const float *x, float *logits)
{
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    TEST_OK(s2clr_device_select("portable", precision, &be, &device));
    TEST_OK(s2clr_plan_new(net, params, be, device, S2CLR_OUTPUT_LOGITS, BATCH, SIDE, SIDE, &plan));
    TEST_OK(s2clr_session_new(plan, &session));
    TEST_OK(s2clr_session_run(session, x, logits));
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    be->device_close(device);
}

/* A texture whose strength tells the two classes apart. */
static float *patches(float labels[BATCH])
{
    float *x = malloc(IN * sizeof *x);
    CU_ASSERT_FATAL(x != NULL);
    for (size_t i = 0; i < IN; i++) {
        const size_t n = i / (IN / BATCH);
        labels[n] = (float)(n % 2);
        x[i] = (2 * s2clr_random_uniform(4, 1, i) - 1) * (n % 2 ? 1.6f : 0.8f);
    }
    return x;
}

/* Cross-entropy of logits z, and its gradient. */
static double loss_of(const float *z, const float *labels, float *dz)
{
    double sum = 0;
    for (int i = 0; i < BATCH; i++) {
        const double p = 1 / (1 + exp(-(double)z[i]));
        sum -= log(labels[i] > 0 ? p : 1 - p) / BATCH;
        dz[i] = (float)((p - (double)labels[i]) / BATCH);
    }
    return sum;
}

/* Steps of plain gradient descent; returns the first and the last loss. */
static void train(s2clr_net *net, float *params, s2clr_precision precision, int steps,
                  double loss[2])
{
    const s2clr_step_options o = {.batch = BATCH, .micro = 4, .h = SIDE, .w = SIDE};
    const size_t trainable = s2clr_net_trainable_count(net);
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    s2clr_pool *pool = NULL;
    s2clr_step *step = NULL;
    float labels[BATCH], z[BATCH], dz[BATCH];
    float *x = patches(labels), *gradient = malloc(trainable * sizeof *gradient);
    CU_ASSERT_FATAL(gradient != NULL);
    TEST_OK(s2clr_device_select("portable", precision, &be, &device));
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_step_new(net, be, device, pool, &o, &step));
    for (int i = 0; i <= steps; i++) {
        TEST_OK(s2clr_step_forward(step, params, x, z));
        loss[i > 0] = loss_of(z, labels, dz);
        TEST_OK(s2clr_step_backward(step, params, dz, gradient));
        for (size_t k = 0; k < trainable; k++) params[k] -= 0.05f * gradient[k];
    }
    s2clr_step_free(step);
    s2clr_pool_free(pool);
    be->device_close(device);
    free(gradient);
    free(x);
}

/* Trained in bf16, the loss falls as in f32; the weights are float32 all the time: most of them are
 * no bf16 numbers. Then inference in bf16 gives the logits of f32 to 2 % of their size. */
static void networks_train_and_infer_in_bf16(void)
{
    s2clr_net *net = new_net("resnet18", 4);
    const size_t count = s2clr_net_param_count(net), trainable = s2clr_net_trainable_count(net);
    float *params[2], labels[BATCH], z[2][BATCH];
    double loss[2][2];
    for (int p = 0; p < 2; p++) {
        params[p] = malloc(count * sizeof(float));
        CU_ASSERT_FATAL(params[p] != NULL);
        TEST_OK(s2clr_net_init(net, 1, params[p]));
        train(net, params[p], p ? S2CLR_BF16 : S2CLR_F32, 12, loss[p]);
        CU_ASSERT(loss[p][1] < 0.6 * loss[p][0]);
    }
    TEST_NEAR(loss[1][0], loss[0][0], 0.02 * loss[0][0]);
    size_t fine = 0;
    for (size_t i = 0; i < trainable; i++) fine += nearest(params[1][i]) != params[1][i];
    CU_ASSERT(fine > trainable / 2);
    float *x = patches(labels);
    for (int p = 0; p < 2; p++) infer(net, params[0], p ? S2CLR_BF16 : S2CLR_F32, x, z[p]);
    printf("  loss f32 %.4f -> %.4f, bf16 %.4f -> %.4f; logits %.3g of their norm apart\n",
           loss[0][0], loss[0][1], loss[1][0], loss[1][1], norm_apart(z[1], z[0], BATCH));
    CU_ASSERT(norm_apart(z[1], z[0], BATCH) < 0.02);
    CU_ASSERT_NOT_EQUAL(memcmp(z[0], z[1], sizeof z[0]), 0);
    free(x);
    for (int p = 0; p < 2; p++) free(params[p]);
    s2clr_net_free(net);
}

static const test_case cases[] = {
    {"uploads_round_to_the_nearest", uploads_round_to_the_nearest},
    {"portable_ops_round_what_they_write", portable_ops_round_what_they_write},
    {"backends_agree_where_they_offer_bf16", backends_agree_where_they_offer_bf16},
    {"a_cpu_without_bf16_is_told_what_to_do", a_cpu_without_bf16_is_told_what_to_do},
    {"precisions_have_names", precisions_have_names},
    {"cpus_refuse_what_only_devices_compute_in", cpus_refuse_what_only_devices_compute_in},
    {"networks_train_and_infer_in_bf16", networks_train_and_infer_in_bf16},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("bf16", cases, argc, argv);
}
