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

#include "op_rig.h"

/* Double copies of the inputs, and batch norm's own parameters. */
typedef struct reference {
    s2clr_op_desc d;
    double *in[OP_FIELDS]; /* OP_X, OP_RESIDUAL, OP_WEIGHT, OP_BIAS, OP_SCALE, OP_SHIFT */
    bool normalise;        /* AFFINE: scale and shift are gamma and beta of a batch norm */
} reference;

static const double EPSILON = 1e-5; /* of batch norm */

/* Element (n, c, y, x) of a tensor; padding is `outside`. */
static double at(const double *t, s2clr_shape s, int n, int c, int y, int x, double outside)
{
    if (y < 0 || y >= s.h || x < 0 || x >= s.w) return outside;
    return t[(((size_t)n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w +
             (size_t)x];
}

static double conv_at(const reference *f, int n, int k, int p, int q)
{
    const s2clr_op_desc *const d = &f->d;
    const s2clr_shape taps = {d->y.c, d->x.c, d->kernel, d->kernel};
    double sum = d->bias ? f->in[OP_BIAS][k] : 0;
    for (int c = 0; c < d->x.c; c++)
        for (int r = 0; r < d->kernel; r++)
            for (int s = 0; s < d->kernel; s++)
                sum += at(f->in[OP_WEIGHT], taps, k, c, r, s, 0) *
                       at(f->in[OP_X], d->x, n, c, p * d->stride - d->pad + r,
                          q * d->stride - d->pad + s, 0);
    return d->residual ? sum + at(f->in[OP_RESIDUAL], d->y, n, k, p, q, 0) : sum;
}

static double maxpool_at(const reference *f, int n, int c, int p, int q)
{
    const s2clr_op_desc *const d = &f->d;
    double best = -INFINITY;
    for (int r = 0; r < d->kernel; r++)
        for (int s = 0; s < d->kernel; s++)
            best = fmax(best, at(f->in[OP_X], d->x, n, c, p * d->stride - d->pad + r,
                                 q * d->stride - d->pad + s, -INFINITY));
    return best;
}

static double meanpool_at(const reference *f, int n, int c)
{
    double sum = 0;
    for (int y = 0; y < f->d.x.h; y++)
        for (int x = 0; x < f->d.x.w; x++) sum += at(f->in[OP_X], f->d.x, n, c, y, x, 0);
    return sum / (f->d.x.h * f->d.x.w);
}

/* Mean and inverse standard deviation of channel c over the batch, by two passes. */
static void statistics(const reference *f, int c, double *mean, double *inverse)
{
    const s2clr_shape s = f->d.x;
    const double count = (double)s.n * s.h * s.w;
    double sum = 0, squares = 0;
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++) sum += at(f->in[OP_X], s, n, c, y, x, 0);
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                squares += pow(at(f->in[OP_X], s, n, c, y, x, 0) - sum / count, 2);
    *mean = sum / count;
    *inverse = 1 / sqrt(squares / count + EPSILON);
}

static double inner_at(const reference *f, int n, int c, int p, int q)
{
    const double x = f->d.kind == S2CLR_OP_CONV ? 0 : at(f->in[OP_X], f->d.x, n, c, p, q, 0);
    double mean = 0, inverse = 1;
    switch (f->d.kind) {
    case S2CLR_OP_CONV:
        return conv_at(f, n, c, p, q);
    case S2CLR_OP_AFFINE:
        if (f->normalise) statistics(f, c, &mean, &inverse);
        return f->in[OP_SCALE][c] * (x - mean) * inverse + f->in[OP_SHIFT][c];
    case S2CLR_OP_ADD:
        return x + at(f->in[OP_RESIDUAL], f->d.y, n, c, p, q, 0);
    case S2CLR_OP_MAXPOOL:
        return maxpool_at(f, n, c, p, q);
    case S2CLR_OP_MEANPOOL:
        return meanpool_at(f, n, c);
    case S2CLR_OP_KINDS:
        break;
    }
    return NAN;
}

/* y (may be NULL) and sum(dy * y) (dy may be NULL). */
static double evaluate(const reference *f, const float *dy, double *y)
{
    const s2clr_shape s = f->d.y;
    double loss = 0;
    size_t i = 0;
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int p = 0; p < s.h; p++)
                for (int q = 0; q < s.w; q++, i++) {
                    double v = inner_at(f, n, c, p, q);
                    if (f->d.relu && v < 0) v = 0;
                    if (y) y[i] = v;
                    if (dy) loss += (double)dy[i] * v;
                }
    return loss;
}

static double *doubles(const float *from, size_t count)
{
    double *const to = calloc(count + 1, sizeof *to);
    CU_ASSERT_FATAL(to != NULL);
    for (size_t i = 0; i < count; i++) to[i] = (double)from[i];
    return to;
}

static reference reference_new(const s2clr_op_desc *d, const op_data *data, bool normalise)
{
    reference f = {.d = *d, .normalise = normalise};
    for (int i = 0; i < OP_FIELDS; i++)
        if (data->count[i]) f.in[i] = doubles(data->value[i], data->count[i]);
    return f;
}

static void reference_free(reference *f)
{
    for (int i = 0; i < OP_FIELDS; i++) free(f->in[i]);
}

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
static void check_gradient(reference *f, const op_data *data, op_field field, const float *gradient)
{
    const double step = 1e-5;
    double *const numeric = calloc(data->count[field], sizeof *numeric);
    CU_ASSERT_FATAL(numeric != NULL);
    for (size_t i = 0; i < data->count[field]; i++) {
        const double here = f->in[field][i];
        f->in[field][i] = here + step;
        const double above = evaluate(f, data->value[OP_DY], NULL);
        f->in[field][i] = here - step;
        const double below = evaluate(f, data->value[OP_DY], NULL);
        f->in[field][i] = here;
        numeric[i] = (above - below) / (2 * step);
    }
    char what[64];
    snprintf(what, sizeof what, "gradient of %s", op_field_name(field));
    same(&f->d, what, gradient, numeric, data->count[field]);
    free(numeric);
}

static void check_forward(const reference *f, const op_data *data)
{
    double *const y = calloc(data->count[OP_Y], sizeof *y);
    CU_ASSERT_FATAL(y != NULL);
    evaluate(f, NULL, y);
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
    TEST_OK(be->device_open("cpu", &device));
    TEST_OK(op_complete(&d, channels));
    op_data_new(&d, 11, &data);
    if (d.kind != S2CLR_OP_CONV) spread(&data);
    TEST_OK(op_rig_open(be, device, &d, &rig));
    reference f = reference_new(&d, &data, false);
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
    reference_free(&f);
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
                                     .kernel = rows[i].kernel,
                                     .stride = rows[i].stride,
                                     .pad = rows[i].pad,
                                     .bias = bias,
                                     .training = true},
                     rows[i].channels);
}

static void conv_fused(void)
{
    for (int flags = 1; flags < 8; flags++)
        check_op((s2clr_op_desc){.kind = S2CLR_OP_CONV,
                                 .x = {2, 3, 6, 5},
                                 .kernel = 3,
                                 .stride = 2,
                                 .pad = 1,
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
        check_op(
            (s2clr_op_desc){
                .kind = S2CLR_OP_ADD, .x = {3, 2, 3, 5}, .relu = relu, .training = true},
            0);
    }
}

static void pools(void)
{
    static const int windows[][3] = {{2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {2, 1, 0}, {5, 3, 2}};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        check_op((s2clr_op_desc){.kind = S2CLR_OP_MAXPOOL,
                                 .x = {2, 3, 7, 6},
                                 .kernel = windows[i][0],
                                 .stride = windows[i][1],
                                 .pad = windows[i][2],
                                 .training = true},
                 0);
    check_op((s2clr_op_desc){.kind = S2CLR_OP_MEANPOOL, .x = {2, 3, 5, 4}, .training = true}, 0);
    check_op((s2clr_op_desc){.kind = S2CLR_OP_MEANPOOL, .x = {1, 2, 1, 1}, .training = true}, 0);
}

/* ---- batch norm, put together from the sums as a training step does ---- */

typedef struct norm_channel {
    double mean, inverse;
} norm_channel;

static norm_channel norm_of(const op_data *data, int c, int channels, double count)
{
    const double mean = data->sums[0][c] / count;
    const double variance = data->sums[0][channels + c] / count - mean * mean;
    return (norm_channel){mean, 1 / sqrt(variance + EPSILON)};
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
    TEST_OK(be->device_open("cpu", &device));
    op_data_new(&d, 8, &data);
    spread(&data);
    TEST_OK(op_rig_open(be, device, &d, &rig));
    reference f = reference_new(&d, &data, true);
    run_batchnorm(&rig, &data, dgamma, dbeta);
    check_forward(&f, &data);
    check_gradient(&f, &data, OP_X, data.value[OP_DX]);
    check_gradient(&f, &data, OP_SCALE, dgamma);
    check_gradient(&f, &data, OP_SHIFT, dbeta);
    reference_free(&f);
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
    {"conv", conv},   {"conv_fused", conv_fused}, {"elementwise", elementwise},
    {"pools", pools}, {"batchnorm", batchnorm},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("gradients", cases, argc, argv);
}
