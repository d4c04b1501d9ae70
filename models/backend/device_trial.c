#include "backend/device_trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend/portable.h"
#include "base/fork_lock.h"
#include "base/memory.h"
#include "base/philox.h"

enum { BIAS = 1, RESIDUAL = 2, RELU = 4 };

typedef struct trial_row {
    s2clr_op_kind kind;
    s2clr_shape x;
    int channels; /* of y, where the op does not keep them */
    int kernel, stride, pad, groups, flags;
} trial_row;

/* Channels that are no multiples of 8 and maps of odd sizes show what a layout gets wrong; the one
 * even row is what most layers of a network are. */
static const trial_row rows[] = {
    {S2CLR_OP_CONV, {2, 11, 9, 13}, 21, 3, 1, 1, 1, BIAS | RESIDUAL | RELU},
    {S2CLR_OP_CONV, {2, 13, 15, 11}, 19, 3, 2, 1, 1, BIAS | RELU},
    {S2CLR_OP_CONV, {1, 3, 23, 17}, 13, 7, 2, 3, 1, BIAS},
    {S2CLR_OP_CONV, {2, 64, 8, 8}, 64, 3, 1, 1, 1, BIAS | RELU},
    {S2CLR_OP_CONV, {3, 19, 5, 7}, 35, 1, 1, 0, 1, BIAS | RESIDUAL | RELU},
    {S2CLR_OP_CONV, {5, 37, 1, 1}, 10, 1, 1, 0, 1, BIAS},         /* a linear layer */
    {S2CLR_OP_CONV, {2, 13, 9, 7}, 13, 3, 1, 1, 13, BIAS | RELU}, /* depthwise */
    {S2CLR_OP_AFFINE, {2, 11, 7, 5}, 0, 0, 0, 0, 1, RELU},
    {S2CLR_OP_ADD, {2, 11, 7, 5}, 0, 0, 0, 0, 1, RESIDUAL | RELU},
    {S2CLR_OP_MAXPOOL, {2, 13, 9, 11}, 0, 3, 2, 1, 1, 0},
    {S2CLR_OP_MEANPOOL, {3, 21, 5, 7}, 0, 0, 0, 0, 1, 0},
    {S2CLR_OP_AVGPOOL, {2, 13, 9, 11}, 0, 3, 1, 1, 1, 0},
    {S2CLR_OP_CONCAT, {2, 11, 7, 5}, 24, 0, 0, 0, 1, RESIDUAL},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

enum { X, SECOND, WEIGHT, ADDED, Y, FIELDS }; /* AFFINE: scale and shift are WEIGHT and ADDED */

/* What goes into an op, and what came out of it on one backend. */
typedef struct trial_data {
    size_t count[FIELDS];
    float *value[FIELDS]; // (count[field])
} trial_data;

/* What a run holds on its device. */
typedef struct trial_run {
    const s2clr_backend *be;
    s2clr_device *device;
    const s2clr_op_desc *desc;
    s2clr_op *op;
    s2clr_stream *stream;
    void *x, *second, *y, *packed, *workspace;
} trial_run;

static s2clr_status desc_of(const trial_row *row, s2clr_op_desc *out)
{
    *out = (s2clr_op_desc){.kind = row->kind,
                           .x = row->x,
                           .window = s2clr_window_square(row->kernel, row->stride, row->pad),
                           .groups = row->groups,
                           .bias = row->flags & BIAS,
                           .residual = row->flags & RESIDUAL,
                           .relu = row->flags & RELU};
    return s2clr_op_output(row->kind, row->x, row->channels, &out->window, &out->y);
}

/* ---- numbers ---- */

static size_t elements(s2clr_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static void count_fields(const s2clr_op_desc *d, size_t count[FIELDS])
{
    const size_t channels = d->kind == S2CLR_OP_AFFINE ? (size_t)d->x.c : 0;
    count[X] = elements(d->x);
    count[SECOND] = d->residual ? elements(s2clr_op_residual(d)) : 0;
    count[WEIGHT] = d->kind == S2CLR_OP_CONV ? s2clr_op_weight_count(d) : channels;
    count[ADDED] = d->bias ? (size_t)d->y.c : channels;
    count[Y] = elements(d->y);
}

/* In [-1, 1). Only f32 has to hold more than seven bits of them: what is compared is the op, not
 * what rounding its inputs does. */
static float number(s2clr_precision precision, int field, size_t index)
{
    const float uniform = 2 * s2clr_random_uniform(1, (uint64_t)field, index) - 1;
    return precision == S2CLR_F32 ? uniform : floorf(uniform * 64) / 64;
}

static void data_free(trial_data *data)
{
    for (int f = 0; f < FIELDS; f++) s2clr_free(data->value[f]);
}

static s2clr_status data_new(const s2clr_op_desc *d, s2clr_precision precision, trial_data *out)
{
    trial_data data = {.count = {0}};
    count_fields(d, data.count);
    for (int f = 0; f < FIELDS; f++) {
        const s2clr_status status = s2clr_alloc(data.count[f], sizeof(float),
                                                "the trial of a device", (void **)&data.value[f]);
        if (status != S2CLR_OK) {
            data_free(&data);
            return status;
        }
        for (size_t i = 0; i < data.count[f]; i++) data.value[f][i] = number(precision, f, i);
    }
    *out = data;
    return S2CLR_OK;
}

/* ---- one op on one backend ---- */

static s2clr_status tensor(const trial_run *run, s2clr_shape shape, const float *from, void **out)
{
    size_t bytes;
    S2CLR_TRY(run->be->tensor_bytes(run->device, shape, &bytes));
    S2CLR_TRY(run->be->buffer_new(run->device, bytes, out));
    return from ? run->be->upload(run->stream, shape, from, *out) : S2CLR_OK;
}

static s2clr_status place(trial_run *run, const trial_data *data)
{
    const s2clr_backend *const be = run->be;
    const s2clr_op_desc *const d = run->desc;
    S2CLR_TRY(be->op_new(run->device, d, &run->op));
    S2CLR_TRY(be->stream_new(run->device, be->op_scratch_bytes(run->op), &run->stream));
    S2CLR_TRY(be->buffer_new(run->device, be->op_packed_bytes(run->op), &run->packed));
    S2CLR_TRY(be->buffer_new(run->device, be->op_workspace_bytes(run->op), &run->workspace));
    S2CLR_TRY(tensor(run, d->x, data->value[X], &run->x));
    if (d->residual)
        S2CLR_TRY(tensor(run, s2clr_op_residual(d), data->value[SECOND], &run->second));
    S2CLR_TRY(tensor(run, d->y, NULL, &run->y));
    if (d->kind != S2CLR_OP_CONV) return S2CLR_OK;
    return be->op_pack(run->op, run->stream, data->value[WEIGHT],
                       d->bias ? data->value[ADDED] : NULL, run->packed);
}

static s2clr_status compute(const trial_run *run, const trial_data *data, float *y)
{
    const bool affine = run->desc->kind == S2CLR_OP_AFFINE;
    const s2clr_op_args args = {.x = run->x,
                                .residual = run->second,
                                .y = run->y,
                                .packed = run->packed,
                                .workspace = run->workspace,
                                .scale = affine ? data->value[WEIGHT] : NULL,
                                .shift = affine ? data->value[ADDED] : NULL};
    S2CLR_TRY(run->be->op_forward(run->op, run->stream, &args));
    return run->be->download(run->stream, run->desc->y, run->y, y);
}

static void run_end(const trial_run *run)
{
    void *const buffers[] = {run->x, run->second, run->y, run->packed, run->workspace};
    if (run->stream) run->be->stream_free(run->stream); /* what is queued uses the buffers */
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (buffers[i]) run->be->buffer_free(run->device, buffers[i]);
    if (run->op) run->be->op_free(run->op);
}

/* allowed: NULL where nobody asks. */
static s2clr_status run_op(const s2clr_backend *be, s2clr_device *device, const s2clr_op_desc *d,
                           const trial_data *data, float *y, double *allowed)
{
    trial_run run = {.be = be, .device = device, .desc = d};
    s2clr_status status = place(&run, data);
    if (status == S2CLR_OK) status = compute(&run, data, y);
    if (status == S2CLR_OK && allowed)
        *allowed = s2clr_op_tolerance(be->device_precision(device), be->op_kernel(run.op));
    run_end(&run);
    return status;
}

/* ---- both ---- */

static s2clr_status compare(const s2clr_op_desc *d, const char *device, const float *got,
                            const float *wanted, double allowed)
{
    double norm, largest;
    s2clr_op_distance(got, wanted, elements(d->y), &norm, &largest);
    if (norm <= allowed && largest <= S2CLR_OP_LARGEST * allowed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND,
                           "%s computes wrongly: %s op, (%d, %d, %d, %d) to (%d, %d, %d, %d), is "
                           "off by %.3g of its norm and %.3g of its largest value, %.3g and %.3g "
                           "are allowed; do its driver and libraries go together (s2clr info)? "
                           "--device cpu leaves it alone",
                           device, s2clr_op_kind_name(d->kind), d->x.n, d->x.c, d->x.h, d->x.w,
                           d->y.n, d->y.c, d->y.h, d->y.w, norm, largest, allowed,
                           S2CLR_OP_LARGEST * allowed);
}

static s2clr_status try_row(const s2clr_backend *be, s2clr_device *device, s2clr_device *host,
                            const trial_row *row)
{
    const s2clr_backend *const portable = &s2clr_backend_portable;
    s2clr_op_desc d;
    trial_data data;
    float *wanted;
    double allowed = 0;
    S2CLR_TRY(desc_of(row, &d));
    S2CLR_TRY(data_new(&d, be->device_precision(device), &data));
    s2clr_status status =
        s2clr_alloc(data.count[Y], sizeof(float), "the trial of a device", (void **)&wanted);
    if (status == S2CLR_OK) {
        status = run_op(portable, host, &d, &data, wanted, NULL);
        if (status == S2CLR_OK) status = run_op(be, device, &d, &data, data.value[Y], &allowed);
        if (status == S2CLR_OK)
            status = compare(&d, be->device_describe(device), data.value[Y], wanted, allowed);
        s2clr_free(wanted);
    }
    data_free(&data);
    return status;
}

s2clr_status s2clr_device_trial(const s2clr_backend *backend, s2clr_device *device)
{
    s2clr_device *host;
    s2clr_status status = s2clr_backend_portable.device_open("", S2CLR_F32, &host);
    if (status != S2CLR_OK) return status;
    for (int i = 0; i < ROWS && status == S2CLR_OK; i++)
        status = try_row(backend, device, host, &rows[i]);
    s2clr_backend_portable.device_close(host);
    return status;
}

/* ---- verdicts of this process ---- */

typedef struct verdict {
    const s2clr_backend *backend; /* NULL: none yet */
    char device[256];
    s2clr_status status;
    char text[1024];
} verdict;

static verdict verdicts[S2CLR_PRECISIONS];

static void forget(void)
{
    memset(verdicts, 0, sizeof verdicts);
}

static s2clr_fork_lock lock = {.mutex = PTHREAD_MUTEX_INITIALIZER, .start_anew = forget};

s2clr_status s2clr_device_trial_once(const s2clr_backend *backend, s2clr_device *device)
{
    const char *const name = backend->device_describe(device);
    s2clr_fork_lock_take(&lock);
    verdict *const v = &verdicts[backend->device_precision(device)];
    if (v->backend != backend || strncmp(v->device, name, sizeof v->device - 1) != 0) {
        snprintf(v->device, sizeof v->device, "%s", name);
        v->status = s2clr_device_trial(backend, device);
        snprintf(v->text, sizeof v->text, "%s", s2clr_error_text());
        const bool known = v->status == S2CLR_OK || v->status == S2CLR_ERR_BACKEND;
        v->backend = known ? backend : NULL;
    }
    const s2clr_status status =
        v->status == S2CLR_OK ? S2CLR_OK : s2clr_error_set(v->status, "%s", v->text);
    s2clr_fork_lock_give(&lock);
    return status;
}
