/*
 * Ops whose weights, gradients and numbers by channel are arrays of the device, on every backend
 * that keeps any: the same bits as with arrays of the host, in every precision that trains.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_rig.h"
#include "resident_rig.h"

/* Outputs of one training op, whose arrays are the host's or the device's. */
typedef struct op_results {
    float *y, *dx, *dweight, *dbias; // (y), (x), weight, (c)
    double *sums[2];                 // (2 c)
} op_results;

static size_t count_of(s2clr_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static void *native(resident_place *p, s2clr_shape shape, const float *values)
{
    void *at = NULL;
    size_t bytes = 0;
    TEST_OK(p->be->tensor_bytes(p->device, shape, &bytes));
    CU_ASSERT_FATAL(p->arrays < RESIDENT_ARRAYS);
    TEST_OK(p->be->buffer_new(p->device, bytes, &at));
    p->array[p->arrays++] = at;
    if (values) TEST_OK(p->be->upload(p->stream, shape, values, at));
    return at;
}

static void *room(resident_place *p, size_t bytes)
{
    void *at = NULL;
    CU_ASSERT_FATAL(p->arrays < RESIDENT_ARRAYS);
    TEST_OK(p->be->buffer_new(p->device, bytes, &at));
    p->array[p->arrays++] = at;
    return at;
}

static float *given(resident_place *p, bool resident, float *host, size_t count)
{
    return resident ? resident_put_floats(p, host, count) : host;
}

static void run_conv(resident_place *p, const s2clr_op_desc *d, s2clr_op *op, bool resident,
                     op_results *out)
{
    const size_t weights = s2clr_op_weight_count(d), k = (size_t)d->y.c;
    float *x = malloc(count_of(d->x) * sizeof *x), *dy = malloc(count_of(d->y) * sizeof *dy);
    float *weight = malloc(weights * sizeof *weight), *bias = malloc(k * sizeof *bias);
    resident_random(30, count_of(d->x), x), resident_random(31, count_of(d->y), dy);
    resident_random(32, weights, weight), resident_random(33, k, bias);
    void *const packed = room(p, p->be->op_packed_bytes(op));
    s2clr_op_args a = {.x = native(p, d->x, x),
                       .y = native(p, d->y, NULL),
                       .packed = packed,
                       .dy = native(p, d->y, dy),
                       .dx = native(p, d->x, NULL),
                       .resident = resident};
    a.dweight = resident ? resident_put_floats(p, NULL, weights) : out->dweight;
    a.dbias = resident ? resident_put_floats(p, NULL, k) : out->dbias;
    if (!d->bias) a.dbias = NULL;
    if (resident)
        TEST_OK(p->on->pack(op, p->stream, resident_put_floats(p, weight, weights),
                            d->bias ? resident_put_floats(p, bias, k) : NULL, packed));
    else
        TEST_OK(p->be->op_pack(op, p->stream, weight, d->bias ? bias : NULL, packed));
    TEST_OK(p->be->op_forward(op, p->stream, &a));
    TEST_OK(p->be->op_backward(op, p->stream, &a));
    TEST_OK(p->be->download(p->stream, d->y, a.y, out->y));
    TEST_OK(p->be->download(p->stream, d->x, a.dx, out->dx));
    if (resident) resident_get(p, a.dweight, weights * sizeof(float), out->dweight);
    if (resident && d->bias) resident_get(p, a.dbias, k * sizeof(float), out->dbias);
    free(x), free(dy), free(weight), free(bias);
}

static void run_affine(resident_place *p, const s2clr_op_desc *d, s2clr_op *op, bool resident,
                       op_results *out)
{
    const size_t c = (size_t)d->x.c;
    float *x = malloc(count_of(d->x) * sizeof *x), *dy = malloc(count_of(d->y) * sizeof *dy);
    float *factors = malloc(5 * c * sizeof *factors);
    double *sums[2];
    resident_random(40, count_of(d->x), x), resident_random(41, count_of(d->y), dy);
    resident_random(42, 5 * c, factors);
    const float *const at = given(p, resident, factors, 5 * c);
    for (int i = 0; i < 2; i++)
        sums[i] = resident ? resident_put(p, NULL, 2 * c * sizeof(double), 0) : out->sums[i];
    const s2clr_op_args a = {.x = native(p, d->x, x),
                             .y = native(p, d->y, NULL),
                             .scale = at,
                             .shift = at + c,
                             .dy = native(p, d->y, dy),
                             .dx = native(p, d->x, NULL),
                             .affine = {at + 2 * c, at + 3 * c, at + 4 * c},
                             .resident = resident};
    TEST_OK(p->be->op_reduce(op, p->stream, &a, sums[0]));
    TEST_OK(p->be->op_forward(op, p->stream, &a));
    TEST_OK(p->be->op_reduce_backward(op, p->stream, &a, sums[1]));
    TEST_OK(p->be->op_backward(op, p->stream, &a));
    TEST_OK(p->be->download(p->stream, d->y, a.y, out->y));
    TEST_OK(p->be->download(p->stream, d->x, a.dx, out->dx));
    for (int i = 0; i < 2 && resident; i++)
        resident_get(p, sums[i], 2 * c * sizeof(double), out->sums[i]);
    free(x), free(dy), free(factors);
}

static op_results new_results(const s2clr_op_desc *d)
{
    const size_t weights = d->kind == S2CLR_OP_CONV ? s2clr_op_weight_count(d) : 0;
    op_results r = {.y = calloc(count_of(d->y), sizeof(float)),
                    .dx = calloc(count_of(d->x), sizeof(float)),
                    .dweight = calloc(weights + 1, sizeof(float)),
                    .dbias = calloc((size_t)d->y.c, sizeof(float))};
    for (int i = 0; i < 2; i++) r.sums[i] = calloc(2 * (size_t)d->x.c, sizeof(double));
    return r;
}

static void free_results(op_results *r)
{
    free(r->y), free(r->dx), free(r->dweight), free(r->dbias), free(r->sums[0]), free(r->sums[1]);
}

/* The same op with arrays of the host and of the device: the same bits. */
static void check_op(const s2clr_backend *be, s2clr_precision precision, const s2clr_op_desc *d)
{
    const size_t weights = d->kind == S2CLR_OP_CONV ? s2clr_op_weight_count(d) : 0;
    op_results r[2];
    s2clr_op *op = NULL;
    resident_place p = resident_open(be, precision, 64 << 20);
    TEST_OK(be->op_new(p.device, d, &op));
    for (int resident = 0; resident < 2; resident++) {
        r[resident] = new_results(d);
        if (d->kind == S2CLR_OP_CONV)
            run_conv(&p, d, op, resident, &r[resident]);
        else
            run_affine(&p, d, op, resident, &r[resident]);
    }
    be->op_free(op);
    resident_close(&p);
    const bool same =
        memcmp(r[0].y, r[1].y, count_of(d->y) * sizeof(float)) == 0 &&
        memcmp(r[0].dx, r[1].dx, count_of(d->x) * sizeof(float)) == 0 &&
        memcmp(r[0].dweight, r[1].dweight, weights * sizeof(float)) == 0 &&
        memcmp(r[0].dbias, r[1].dbias, (size_t)d->y.c * sizeof(float)) == 0 &&
        memcmp(r[0].sums[0], r[1].sums[0], 2 * (size_t)d->x.c * sizeof(double)) == 0 &&
        memcmp(r[0].sums[1], r[1].sums[1], 2 * (size_t)d->x.c * sizeof(double)) == 0;
    char op_text[160], text[300];
    op_describe(d, op_text);
    snprintf(text, sizeof text, "%s, %s: resident arrays change the result", be->name, op_text);
    if (!same) CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
    free_results(&r[0]), free_results(&r[1]);
}

static const struct {
    s2clr_op_kind kind;
    s2clr_shape x;
    int channels, kernel, stride, groups;
    bool bias, relu;
} ops[] = {
    {S2CLR_OP_CONV, {2, 3, 9, 7}, 13, 3, 2, 1, true, false},
    {S2CLR_OP_CONV, {3, 16, 6, 6}, 16, 3, 1, 1, false, false},
    {S2CLR_OP_CONV, {2, 6, 8, 8}, 6, 3, 1, 6, false, false}, /* depthwise */
    {S2CLR_OP_CONV, {2, 6, 8, 8}, 9, 3, 1, 3, true, false},
    {S2CLR_OP_CONV, {5, 17, 1, 1}, 3, 1, 1, 1, true, false}, /* linear */
    {S2CLR_OP_AFFINE, {3, 13, 5, 4}, 13, 1, 1, 1, false, true},
    {S2CLR_OP_AFFINE, {1, 64, 3, 3}, 64, 1, 1, 1, false, false},
};

static void ops_of_resident_arrays(void)
{
    static const s2clr_precision precisions[] = {S2CLR_F32, S2CLR_BF16, S2CLR_TF32};
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < 3 * count; i++) {
        const s2clr_backend *const be = entries[i / 3].backend;
        s2clr_device *probe;
        if (!be || !be->training) continue;
        if (be->device_open("", precisions[i % 3], &probe) != S2CLR_OK) continue; /* tf32 */
        be->device_close(probe);
        for (size_t j = 0; j < sizeof ops / sizeof ops[0]; j++) {
            s2clr_op_desc d = {
                .kind = ops[j].kind,
                .x = ops[j].x,
                .window = s2clr_window_square(ops[j].kernel, ops[j].stride, ops[j].kernel / 2),
                .groups = ops[j].groups,
                .bias = ops[j].bias,
                .relu = ops[j].relu,
                .training = true};
            TEST_OK(op_complete(&d, ops[j].channels));
            check_op(be, precisions[i % 3], &d);
        }
    }
}

static const test_case cases[] = {
    {"ops of resident arrays", ops_of_resident_arrays},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("resident_ops", cases, argc, argv);
}
