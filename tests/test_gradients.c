/*
 * Forward and backward of the portable backend, which all others are compared with, against an
 * implementation of its own in double precision: one output element at a time, straight from the
 * definition, and gradients of L = sum(dy * y) by central differences of it.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_reference.h"

/* ---- comparison ---- */

/* |got - wanted| <= 1e-6 of the norm of `wanted`. */
static void same(const s2clr_op_desc *d, const char *what, const float *got, const double *wanted,
                 size_t count)
{
    double norm = 0, difference = 0;
    for (size_t i = 0; i < count; i++) {
        norm += wanted[i] * wanted[i];
        difference += pow((double)got[i] - wanted[i], 2);
    }
    char op[160], text[300];
    op_describe(d, op);
    snprintf(text, sizeof text, "%s: %s differs by %.3g of its norm %.3g", op, what,
             sqrt(difference / norm), sqrt(norm));
    CU_assertImplementation(norm > 0 && sqrt(difference) <= 1e-6 * sqrt(norm), __LINE__, text,
                            __FILE__, "", CU_FALSE);
}

/* Differentiates L by every element of `field` and compares with `gradient`. */
static void check_gradient(op_reference *f, const op_data *data, op_field field,
                           const float *gradient)
{
    const double step = 1e-5;
    double *const numeric = calloc(data->count[field], sizeof *numeric);
    CU_ASSERT_FATAL(numeric != NULL);
    for (size_t i = 0; i < data->count[field]; i++) {
        const double here = f->in[field][i];
        f->in[field][i] = here + step;
        const double above = op_evaluate(f, data->value[OP_DY], NULL);
        f->in[field][i] = here - step;
        const double below = op_evaluate(f, data->value[OP_DY], NULL);
        f->in[field][i] = here;
        numeric[i] = (above - below) / (2 * step);
    }
    char what[64];
    snprintf(what, sizeof what, "gradient of %s", op_field_name(field));
    same(&f->d, what, gradient, numeric, data->count[field]);
    free(numeric);
}

static void check_forward(const op_reference *f, const op_data *data)
{
    double *const y = calloc(data->count[OP_Y], sizeof *y);
    CU_ASSERT_FATAL(y != NULL);
    op_evaluate(f, NULL, y);
    same(&f->d, "y", data->value[OP_Y], y, data->count[OP_Y]);
    free(y);
}

/* ---- one op ---- */

/* Distinct values of x in a scattered order, so that no step of the differences changes who is the
 * maximum: the odd multiples of 1 / count, visited by a stride prime to any count used here. */
static void spread(op_data *data)
{
    const size_t count = data->count[OP_X], stride = 1009;
    for (size_t i = 0; i < count; i++)
        data->value[OP_X][i] = (float)((double)(2 * (i * stride % count) + 1) / (double)count - 1);
}

static void check_op(s2clr_op_desc d, int channels)
{
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    op_rig rig;
    op_data data;
    TEST_OK(s2clr_backend_find("portable", &be));
    TEST_OK(be->device_open("cpu", S2CLR_F32, &device));
    TEST_OK(op_complete(&d, channels));
    op_data_new(&d, 11, &data);
    if (d.kind != S2CLR_OP_CONV) spread(&data);
    TEST_OK(op_rig_open(be, device, &d, &rig));
    op_reference f = op_reference_new(&d, &data, false);
    if (d.kind == S2CLR_OP_AFFINE) /* with these factors dx = scale * g is the whole gradient */
        for (int c = 0; c < d.x.c; c++) {
            data.value[OP_OF_G][c] = data.value[OP_SCALE][c];
            data.value[OP_OF_X][c] = data.value[OP_CONSTANT][c] = 0;
        }
    TEST_OK(op_rig_run(&rig, &data));
    check_forward(&f, &data);
    if (d.training) check_gradient(&f, &data, OP_X, data.value[OP_DX]);
    if (data.count[OP_DRESIDUAL]) check_gradient(&f, &data, OP_RESIDUAL, data.value[OP_DRESIDUAL]);
    if (data.count[OP_DWEIGHT]) check_gradient(&f, &data, OP_WEIGHT, data.value[OP_DWEIGHT]);
    if (data.count[OP_DBIAS]) check_gradient(&f, &data, OP_BIAS, data.value[OP_DBIAS]);
    op_reference_free(&f);
    op_data_free(&data);
    op_rig_close(&rig);
    be->device_close(device);
}

static void conv(void)
{
    static const struct {
        s2clr_shape x;
        int channels, kernel, stride, pad;
    } rows[] = {
        {{1, 1, 1, 1}, 1, 1, 1, 0}, {{3, 5, 1, 1}, 4, 1, 1, 0}, {{2, 3, 4, 5}, 2, 1, 1, 0},
        {{2, 2, 5, 4}, 3, 1, 2, 0}, {{2, 3, 5, 6}, 4, 3, 1, 1}, {{1, 2, 6, 5}, 3, 3, 2, 1},
        {{1, 2, 7, 5}, 2, 3, 1, 0}, {{2, 1, 6, 7}, 2, 4, 2, 1}, {{1, 2, 6, 6}, 2, 5, 1, 2},
        {{1, 2, 9, 7}, 2, 5, 2, 0}, {{1, 2, 8, 9}, 2, 7, 2, 3}, {{1, 1, 3, 2}, 2, 5, 1, 3},
        {{1, 1, 9, 8}, 2, 3, 3, 2}, {{1, 1, 2, 9}, 2, 2, 4, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int bias = 0; bias < 2; bias++)
            check_op((s2clr_op_desc){.kind = S2CLR_OP_CONV,
                                     .x = rows[i].x,
                                     .window = s2clr_window_square(rows[i].kernel, rows[i].stride,
                                                                   rows[i].pad),
                                     .groups = 1,
                                     .bias = bias,
                                     .training = true},
                     rows[i].channels);
}

static void conv_fused(void)
{
    for (int flags = 1; flags < 8; flags++)
        check_op((s2clr_op_desc){.kind = S2CLR_OP_CONV,
                                 .x = {2, 3, 6, 5},
                                 .window = s2clr_window_square(3, 2, 1),
                                 .groups = 1,
                                 .bias = flags & 1,
                                 .residual = flags & 2,
                                 .relu = flags & 4},
                 4);
}

static void elementwise(void)
{
    for (int relu = 0; relu < 2; relu++) {
        check_op(
            (s2clr_op_desc){
                .kind = S2CLR_OP_AFFINE, .x = {2, 3, 5, 4}, .relu = relu, .training = true},
            0);
        check_op((s2clr_op_desc){.kind = S2CLR_OP_ADD,
                                 .x = {3, 2, 3, 5},
                                 .residual = true,
                                 .relu = relu,
                                 .training = true},
                 0);
        check_op(
            (s2clr_op_desc){
                .kind = S2CLR_OP_ADD, .x = {3, 2, 4, 5}, .relu = relu, .training = true},
            0);
    }
}

static void pools(void)
{
    static const int windows[][3] = {{2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {2, 1, 0}, {5, 3, 2}};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        check_op((s2clr_op_desc){.kind = S2CLR_OP_MAXPOOL,
                                 .x = {2, 3, 7, 6},
                                 .window = s2clr_window_square(windows[i][0], windows[i][1],
                                                               windows[i][2]),
                                 .groups = 1,
                                 .training = true},
                 0);
    check_op((s2clr_op_desc){.kind = S2CLR_OP_MEANPOOL, .x = {2, 3, 5, 4}, .training = true}, 0);
    check_op((s2clr_op_desc){.kind = S2CLR_OP_MEANPOOL, .x = {1, 2, 1, 1}, .training = true}, 0);
}

/* Rectangular windows, padding that differs by side, groups. */
static void windows(void)
{
    static const struct {
        s2clr_shape x;
        int channels;
        s2clr_window window;
        int groups;
    } rows[] = {
        {{2, 2, 4, 9}, 3, {1, 7, 1, 0, 3, 0, 3}, 1}, {{1, 2, 9, 4}, 2, {7, 1, 1, 3, 0, 3, 0}, 1},
        {{1, 2, 5, 6}, 2, {1, 3, 2, 0, 1, 0, 0}, 1}, {{2, 1, 6, 5}, 3, {3, 1, 1, 0, 0, 2, 0}, 1},
        {{1, 2, 7, 6}, 2, {5, 3, 2, 1, 0, 2, 1}, 1}, {{2, 3, 6, 5}, 3, {3, 3, 1, 1, 1, 1, 1}, 3},
        {{1, 4, 5, 7}, 4, {3, 3, 2, 0, 0, 1, 1}, 4}, {{2, 4, 5, 4}, 6, {3, 2, 1, 1, 0, 0, 1}, 2},
        {{1, 3, 5, 5}, 6, {3, 3, 1, 1, 1, 1, 1}, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int kind = 0; kind < 4; kind++) {
            static const s2clr_op_kind kinds[] = {S2CLR_OP_CONV, S2CLR_OP_MAXPOOL, S2CLR_OP_AVGPOOL,
                                                  S2CLR_OP_AVGPOOL};
            s2clr_op_desc d = {.kind = kinds[kind],
                               .x = rows[i].x,
                               .window = rows[i].window,
                               .groups = rows[i].groups,
                               .bias = kind == 0,
                               .training = true,
                               .count_pad = kind == 3};
            if (op_complete(&d, rows[i].channels) == S2CLR_OK && s2clr_op_check(&d) == S2CLR_OK)
                check_op(d, rows[i].channels);
            else
                CU_ASSERT(kind > 0); /* pools may pad with half a kernel at most */
        }
}

static void concat(void)
{
    check_op(
        (s2clr_op_desc){
            .kind = S2CLR_OP_CONCAT, .x = {2, 3, 4, 3}, .residual = true, .training = true},
        5);
    check_op(
        (s2clr_op_desc){
            .kind = S2CLR_OP_CONCAT, .x = {3, 1, 1, 1}, .residual = true, .training = true},
        8);
}

/* ---- batch norm, put together from the sums as a training step does ---- */

typedef struct norm_channel {
    double mean, inverse;
} norm_channel;

static norm_channel norm_of(const op_data *data, int c, int channels, double count)
{
    const double mean = data->sums[0][c] / count;
    const double variance = data->sums[0][channels + c] / count - mean * mean;
    return (norm_channel){mean, 1 / sqrt(variance + OP_EPSILON)};
}

/* Three runs: sums of x; forward and sums of g; dx. The data then hold y and dx, and dgamma and
 * dbeta are returned. */
static void run_batchnorm(const op_rig *rig, op_data *data, float *dgamma, float *dbeta)
{
    const s2clr_shape s = rig->desc.x;
    const double count = (double)s.n * s.h * s.w;
    float gamma[8], beta[8];
    memcpy(gamma, data->value[OP_SCALE], (size_t)s.c * sizeof *gamma);
    memcpy(beta, data->value[OP_SHIFT], (size_t)s.c * sizeof *beta);
    TEST_OK(op_rig_run(rig, data));
    for (int c = 0; c < s.c; c++) {
        const norm_channel norm = norm_of(data, c, s.c, count);
        const double scale = (double)gamma[c] * norm.inverse;
        data->value[OP_SCALE][c] = (float)scale;
        data->value[OP_SHIFT][c] = (float)((double)beta[c] - norm.mean * scale);
    }
    TEST_OK(op_rig_run(rig, data));
    for (int c = 0; c < s.c; c++) {
        const norm_channel norm = norm_of(data, c, s.c, count);
        const double of_g = (double)gamma[c] * norm.inverse, sum_g = data->sums[1][c];
        const double of_xhat = norm.inverse * (data->sums[1][s.c + c] - norm.mean * sum_g);
        const double of_x = -of_g * norm.inverse * of_xhat / count;
        dgamma[c] = (float)of_xhat;
        dbeta[c] = (float)sum_g;
        data->value[OP_OF_G][c] = (float)of_g;
        data->value[OP_OF_X][c] = (float)of_x;
        data->value[OP_CONSTANT][c] = (float)(-of_g * sum_g / count - of_x * norm.mean);
    }
    TEST_OK(op_rig_run(rig, data));
}

static void check_batchnorm(bool relu)
{
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    op_rig rig;
    op_data data;
    float dgamma[8], dbeta[8];
    const s2clr_shape shape = {3, 4, 5, 3};
    const s2clr_op_desc d = {S2CLR_OP_AFFINE, shape, shape, .relu = relu, .training = true};
    TEST_OK(s2clr_backend_find("portable", &be));
    TEST_OK(be->device_open("cpu", S2CLR_F32, &device));
    op_data_new(&d, 8, &data);
    spread(&data);
    TEST_OK(op_rig_open(be, device, &d, &rig));
    op_reference f = op_reference_new(&d, &data, true);
    run_batchnorm(&rig, &data, dgamma, dbeta);
    check_forward(&f, &data);
    check_gradient(&f, &data, OP_X, data.value[OP_DX]);
    check_gradient(&f, &data, OP_SCALE, dgamma);
    check_gradient(&f, &data, OP_SHIFT, dbeta);
    op_reference_free(&f);
    op_data_free(&data);
    op_rig_close(&rig);
    be->device_close(device);
}

static void batchnorm(void)
{
    check_batchnorm(false);
    check_batchnorm(true);
}

static const test_case cases[] = {
    {"conv", conv},           {"conv_fused", conv_fused}, {"elementwise", elementwise},
    {"pools", pools},         {"windows", windows},       {"concat", concat},
    {"batchnorm", batchnorm},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("gradients", cases, argc, argv);
}
