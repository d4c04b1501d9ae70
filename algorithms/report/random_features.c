#include "report/random_features.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"

/* BATCH never depends on the data or the threads, as in train/scorer.c. */
enum { BATCH = 4, STRIDE = 2, KERNELS = 2 };
enum { STREAM_WEIGHTS = 0x52434601, STREAM_OFFSETS = 0x52434681 }; /* "RCF" and the kernel */

static const int kernels[KERNELS] = {3, 5};

typedef struct bank {
    s2clr_op_desc desc; /* x: (BATCH, C, size, size), y: (BATCH, filters / 2, h, w) */
    s2clr_op *op;
    void *packed;
} bank;

struct s2clr_random_features {
    s2clr_random_features_options options;
    float *mean, *scale; // (C)
    bank bank[KERNELS];
};

/* What one worker needs. */
typedef struct seat {
    s2clr_stream *stream;
    float *x;  // (BATCH, C, size, size)
    float *y;  // the larger of the answers
    void *in;  // native x
    void *out; // native, the larger of the answers
} seat;

typedef struct measure_job {
    s2clr_random_features *features;
    const s2clr_samples *samples;
    seat *seats;  // (threads)
    double *rows; // (n, 2 * filters)
} measure_job;

static size_t count_of(s2clr_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* ---- filters ---- */

/* Weights of deviation 1 / sqrt(taps): a patch of noise gives answers of deviation 1. */
static s2clr_status pack_filters(const s2clr_random_features *f, int number, s2clr_stream *stream)
{
    const bank *b = &f->bank[number];
    const size_t filters = (size_t)b->desc.y.c, taps = s2clr_op_weight_count(&b->desc) / filters;
    const uint64_t seed = f->options.seed, step = (uint64_t)number;
    float *weight;
    S2CLR_TRY(s2clr_alloc(filters * (taps + 1), sizeof *weight, "filters", (void **)&weight));
    float *offset = weight + filters * taps;
    for (size_t i = 0; i < filters * taps; i++)
        weight[i] = s2clr_random_normal(seed, STREAM_WEIGHTS + step, i) / sqrtf((float)taps);
    for (size_t i = 0; i < filters; i++)
        offset[i] = s2clr_random_normal(seed, STREAM_OFFSETS + step, i);
    const s2clr_status status =
        f->options.backend->op_pack(b->op, stream, weight, offset, b->packed);
    s2clr_free(weight);
    return status;
}

static s2clr_status make_bank(s2clr_random_features *f, int number)
{
    const s2clr_random_features_options *o = &f->options;
    const int kernel = kernels[number] < o->size ? kernels[number] : o->size;
    bank *b = &f->bank[number];
    s2clr_stream *stream;
    b->desc = (s2clr_op_desc){.kind = S2CLR_OP_CONV,
                              .x = {BATCH, o->channels, o->size, o->size},
                              .window = s2clr_window_square(kernel, STRIDE, 0),
                              .groups = 1,
                              .bias = true};
    S2CLR_TRY(s2clr_op_output(S2CLR_OP_CONV, b->desc.x, o->filters / KERNELS, &b->desc.window,
                              &b->desc.y));
    S2CLR_TRY(o->backend->op_new(o->device, &b->desc, &b->op));
    S2CLR_TRY(o->backend->buffer_new(o->device, o->backend->op_packed_bytes(b->op), &b->packed));
    S2CLR_TRY(o->backend->stream_new(o->device, o->backend->op_scratch_bytes(b->op), &stream));
    s2clr_status status = pack_filters(f, number, stream);
    if (status == S2CLR_OK) status = o->backend->stream_wait(stream);
    o->backend->stream_free(stream);
    return status;
}

static s2clr_status make(s2clr_random_features *f)
{
    const s2clr_random_features_options *o = &f->options;
    const size_t channels = (size_t)o->channels;
    S2CLR_TRY(s2clr_alloc(2 * channels, sizeof(float), "random features", (void **)&f->mean));
    f->scale = f->mean + channels;
    for (size_t c = 0; c < channels; c++) {
        f->mean[c] = (float)o->mean[c];
        f->scale[c] = (float)(1 / o->sd[c]);
    }
    for (int k = 0; k < KERNELS; k++) S2CLR_TRY(make_bank(f, k));
    return S2CLR_OK;
}

s2clr_status s2clr_random_features_new(const s2clr_random_features_options *options,
                                       s2clr_random_features **out)
{
    s2clr_random_features *f;
    if (options->filters < KERNELS || options->filters > S2CLR_RANDOM_FILTERS_MAX ||
        options->filters % KERNELS)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%d random filters; wanted: an even number from %d to %d",
                               options->filters, KERNELS, S2CLR_RANDOM_FILTERS_MAX);
    S2CLR_TRY(s2clr_alloc(1, sizeof *f, "random features", (void **)&f));
    f->options = *options;
    const s2clr_status status = make(f);
    if (status == S2CLR_OK)
        *out = f;
    else
        s2clr_random_features_free(f);
    return status;
}

void s2clr_random_features_free(s2clr_random_features *f)
{
    if (!f) return;
    for (int k = 0; k < KERNELS; k++) {
        if (f->bank[k].packed)
            f->options.backend->buffer_free(f->options.device, f->bank[k].packed);
        if (f->bank[k].op) f->options.backend->op_free(f->bank[k].op);
    }
    s2clr_free(f->mean);
    s2clr_free(f);
}

/* ---- measuring ---- */

static s2clr_status read_patch(const measure_job *job, size_t index, float *x)
{
    const s2clr_samples *samples = job->samples;
    const size_t pixels = (size_t)samples->size * (size_t)samples->size;
    S2CLR_TRY(samples->read(samples->self, index, x));
    for (int c = 0; c < samples->channels; c++, x += pixels) {
        const float mean = job->features->mean[c], scale = job->features->scale[c];
        for (size_t i = 0; i < pixels; i++) x[i] = isfinite(x[i]) ? (x[i] - mean) * scale : 0;
    }
    return S2CLR_OK;
}

/* y: (BATCH, filters / 2, h, w) of one bank; row: of the batch's first sample, from the bank's
 * first filter on. */
static void pool_answers(const s2clr_shape *shape, size_t count, const float *y, size_t width,
                         double *row)
{
    const size_t pixels = (size_t)shape->h * (size_t)shape->w;
    for (size_t i = 0; i < count; i++, row += width) {
        for (size_t k = 0; k < (size_t)shape->c; k++, y += pixels) {
            double sum = 0, size = 0;
            for (size_t q = 0; q < pixels; q++) {
                sum += (double)y[q];
                size += fabs((double)y[q]);
            }
            row[2 * k] = (size + sum) / (2 * (double)pixels);
            row[2 * k + 1] = (size - sum) / (2 * (double)pixels);
        }
    }
}

static s2clr_status measure_batch(void *context, size_t item, int worker)
{
    const measure_job *job = context;
    const s2clr_random_features_options *o = &job->features->options;
    const seat *s = &job->seats[worker];
    const size_t start = item * BATCH, left = job->samples->count - start;
    const size_t count = left < BATCH ? left : BATCH, width = 2 * (size_t)o->filters;
    const size_t values = (size_t)o->channels * (size_t)o->size * (size_t)o->size;
    for (size_t i = 0; i < count; i++) S2CLR_TRY(read_patch(job, start + i, s->x + i * values));
    memset(s->x + count * values, 0, (BATCH - count) * values * sizeof *s->x);
    S2CLR_TRY(o->backend->upload(s->stream, job->features->bank[0].desc.x, s->x, s->in));
    for (int k = 0; k < KERNELS; k++) {
        const bank *b = &job->features->bank[k];
        const s2clr_op_args args = {.x = s->in, .y = s->out, .packed = b->packed};
        S2CLR_TRY(o->backend->op_forward(b->op, s->stream, &args));
        S2CLR_TRY(o->backend->download(s->stream, b->desc.y, s->out, s->y));
        pool_answers(&b->desc.y, count, s->y, width,
                     job->rows + start * width + (size_t)k * width / KERNELS);
    }
    return S2CLR_OK;
}

static s2clr_status seat_open(const s2clr_random_features *f, seat *s)
{
    const s2clr_random_features_options *o = &f->options;
    size_t scratch = 0, most = 0, bytes, largest = 0;
    for (int k = 0; k < KERNELS; k++) {
        const bank *b = &f->bank[k];
        const size_t values = count_of(b->desc.y), needed = o->backend->op_scratch_bytes(b->op);
        S2CLR_TRY(o->backend->tensor_bytes(o->device, b->desc.y, &bytes));
        if (needed > scratch) scratch = needed;
        if (values > most) most = values;
        if (bytes > largest) largest = bytes;
    }
    const s2clr_shape x = f->bank[0].desc.x;
    S2CLR_TRY(o->backend->stream_new(o->device, scratch, &s->stream));
    S2CLR_TRY(s2clr_alloc(count_of(x), sizeof(float), "patches", (void **)&s->x));
    S2CLR_TRY(s2clr_alloc(most, sizeof(float), "answers of filters", (void **)&s->y));
    S2CLR_TRY(o->backend->tensor_bytes(o->device, x, &bytes));
    S2CLR_TRY(o->backend->buffer_new(o->device, bytes, &s->in));
    return o->backend->buffer_new(o->device, largest, &s->out);
}

static void seat_close(const s2clr_random_features *f, seat *s)
{
    const s2clr_random_features_options *o = &f->options;
    if (s->in) o->backend->buffer_free(o->device, s->in);
    if (s->out) o->backend->buffer_free(o->device, s->out);
    if (s->stream) o->backend->stream_free(s->stream);
    s2clr_free(s->x);
    s2clr_free(s->y);
}

static s2clr_status measure(measure_job *job, s2clr_pool *pool)
{
    const size_t threads = (size_t)s2clr_pool_threads(pool);
    s2clr_status status = S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(threads, sizeof *job->seats, "workers", (void **)&job->seats));
    for (size_t i = 0; status == S2CLR_OK && i < threads; i++)
        status = seat_open(job->features, &job->seats[i]);
    if (status == S2CLR_OK)
        status =
            s2clr_pool_run(pool, measure_batch, job, (job->samples->count + BATCH - 1) / BATCH);
    for (size_t i = 0; i < threads; i++) seat_close(job->features, &job->seats[i]);
    s2clr_free(job->seats);
    return status;
}

s2clr_status s2clr_random_features_measure(s2clr_random_features *features,
                                           const s2clr_samples *samples, s2clr_pool *pool,
                                           double **out)
{
    const s2clr_random_features_options *o = &features->options;
    measure_job job = {.features = features, .samples = samples};
    size_t total;
    if (samples->channels != o->channels || samples->size != o->size)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "the samples have %d bands of %d pixels, the random features were "
                               "made for %d of %d",
                               samples->channels, samples->size, o->channels, o->size);
    S2CLR_TRY(s2clr_size_mul(samples->count, 2 * (size_t)o->filters, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *job.rows, "random features", (void **)&job.rows));
    const s2clr_status status = measure(&job, pool);
    if (status == S2CLR_OK)
        *out = job.rows;
    else
        s2clr_free(job.rows);
    return status;
}
