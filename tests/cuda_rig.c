#include "cuda_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cudap.h"
#include "base/bf16.h"
#include "base/fp16.h"
#include "cuda_fake.h"
#include "harness.h"

/* ---- devices and descriptions ---- */

s2clr_device *cuda_open(const char *words, const char *spec, s2clr_precision precision)
{
    s2clr_device *device = NULL;
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
    TEST_OK(s2clr_cuda_device_open(spec, precision, &device));
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    return device;
}

s2clr_op_desc cuda_conv_desc(s2clr_shape x, int channels, s2clr_window window, int groups)
{
    s2clr_op_desc d = {.kind = S2CLR_OP_CONV, .x = x, .window = window, .groups = groups};
    TEST_OK(op_complete(&d, channels));
    return d;
}

/* 2 x 12 x 9 x 8 -> 20 channels, 3 x 3, with all that can be fused. */
s2clr_op_desc cuda_usual(void)
{
    s2clr_op_desc d =
        cuda_conv_desc((s2clr_shape){2, 12, 9, 8}, 20, s2clr_window_square(3, 1, 1), 1);
    d.bias = d.residual = d.relu = true;
    return d;
}

s2clr_op_desc cuda_usual_training(void)
{
    s2clr_op_desc d =
        cuda_conv_desc((s2clr_shape){2, 12, 9, 8}, 20, s2clr_window_square(3, 2, 1), 1);
    d.bias = d.training = true;
    return d;
}

const char *cuda_kernel_of(s2clr_device *device, const s2clr_op_desc *d)
{
    static char text[160];
    s2clr_op *op = NULL;
    text[0] = '\0';
    TEST_OK(s2clr_cuda_op_new(device, d, &op));
    if (op) snprintf(text, sizeof text, "%s", op->kernel);
    s2clr_cuda_op_free(op);
    return text;
}

/* ---- results ---- */

/* As the device's precision holds it. */
static float rounded(const s2clr_device *device, float value)
{
    if (device->precision == S2CLR_TF32) return fake_tf32(value);
    if (device->element == CUDA_BFLOAT16) return s2clr_bf16_widen(s2clr_bf16_narrow(value));
    if (device->element == CUDA_FLOAT16) return s2clr_fp16_widen(s2clr_fp16_narrow(value));
    return value;
}

void cuda_data(const s2clr_device *device, const s2clr_op_desc *d, op_data *data)
{
    static const op_field fields[] = {OP_X, OP_RESIDUAL, OP_DY, OP_WEIGHT, OP_BIAS};
    op_data_new(d, 5, data);
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
        for (size_t i = 0; i < data->count[fields[f]]; i++)
            data->value[fields[f]][i] = rounded(device, data->value[fields[f]][i]);
}

void cuda_compare(const s2clr_device *device, const s2clr_op_desc *d, const op_data *got,
                  const op_data *wanted)
{
    /* The fake's sums are double, as the portable ones are. */
    const double tolerance =
        device->element == CUDA_FLOAT32 ? 1e-6 : s2clr_op_tolerance(device->precision, "");
    for (int f = 0; f < OP_FIELDS; f++) {
        double apart = 0, size = 0;
        for (size_t i = 0; i < got->count[f]; i++) {
            apart += pow((double)got->value[f][i] - (double)wanted->value[f][i], 2);
            size += pow((double)wanted->value[f][i], 2);
        }
        if (!(sqrt(apart) <= tolerance * sqrt(size)))
            op_fail(s2clr_precision_name(device->precision), d, op_field_name((op_field)f));
    }
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < got->sums_count; i++)
            if (!(fabs(got->sums[s][i] - wanted->sums[s][i]) <=
                  tolerance * (1 + fabs(wanted->sums[s][i]))))
                op_fail(s2clr_precision_name(device->precision), d, s ? "sums of g" : "sums of x");
}

void cuda_check(s2clr_device *device, const s2clr_op_desc *d)
{
    op_rig rig;
    op_data got, wanted;
    cuda_data(device, d, &got);
    cuda_data(device, d, &wanted);
    op_run_portable(d, &wanted);
    if (op_rig_open(s2clr_backend_module(), device, d, &rig) == S2CLR_OK) {
        TEST_OK(op_rig_run(&rig, &got));
        cuda_compare(device, d, &got, &wanted);
    } else
        op_fail(device->name, d, s2clr_error_text());
    op_rig_close(&rig);
    op_data_free(&got);
    op_data_free(&wanted);
}
