/* The specification of backend_training.h. The device's memory is the machine's here, so that the
 * arrays of s2clr_op_args may be resident or not. */
#include <math.h>
#include <string.h>

#include "backend/portable.h"

static s2clr_status copy(s2clr_stream *stream, const void *from, size_t bytes, void *to)
{
    (void)stream;
    memcpy(to, from, bytes);
    return S2CLR_OK;
}

static s2clr_status zero(s2clr_stream *stream, size_t bytes, void *values)
{
    (void)stream;
    memset(values, 0, bytes);
    return S2CLR_OK;
}

static s2clr_status add(s2clr_stream *stream, size_t count, const float *x, float *sum)
{
    (void)stream;
    for (size_t i = 0; i < count; i++) sum[i] += x[i];
    return S2CLR_OK;
}

static s2clr_status mean(s2clr_stream *stream, size_t rows, size_t count, const float *x,
                         float *mean)
{
    (void)stream;
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t row = 0; row < rows; row++) sum += (double)x[row * count + i];
        mean[i] = (float)(sum / (double)rows);
    }
    return S2CLR_OK;
}

static s2clr_status pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                         const float *bias, void *packed)
{
    return s2clr_backend_portable.op_pack(op, stream, weight, bias, packed);
}

static s2clr_status upload(s2clr_stream *stream, s2clr_shape shape, const float *nchw, void *native)
{
    return s2clr_backend_portable.upload(stream, shape, nchw, native);
}

/* ---- batch norm ---- */

enum { SCALE, SHIFT, A, B, D };

static void move_statistics(const s2clr_norm *n, size_t c, double mean, double variance)
{
    const double unbiased = n->count > 1.0 ? variance * n->count / (n->count - 1.0) : variance;
    n->moved_mean[c] = (float)(0.9 * (double)n->moved_mean[c] + 0.1 * mean);
    n->moved_variance[c] = (float)(0.9 * (double)n->moved_variance[c] + 0.1 * unbiased);
}

static s2clr_status norm_forward(s2clr_stream *stream, const s2clr_norm *n)
{
    (void)stream;
    for (size_t c = 0; c < n->channels; c++) {
        const double mean = n->sums[c] / n->count;
        const double variance = fmax(0.0, n->sums[n->channels + c] / n->count - mean * mean);
        const double inverse = 1.0 / sqrt(variance + (double)n->epsilon);
        const double scale = (double)n->gamma[c] * inverse;
        n->moment[c] = mean;
        n->moment[n->channels + c] = inverse;
        n->coefficient[SCALE * n->channels + c] = (float)scale;
        n->coefficient[SHIFT * n->channels + c] =
            (float)((double)n->beta[c] - mean * (double)n->gamma[c] * inverse);
        if (n->moved_mean) move_statistics(n, c, mean, variance);
    }
    return S2CLR_OK;
}

static s2clr_status norm_backward(s2clr_stream *stream, const s2clr_norm *n)
{
    (void)stream;
    for (size_t c = 0; c < n->channels; c++) {
        const double mean = n->moment[c], inverse = n->moment[n->channels + c];
        const double dbeta = n->sums[c];
        const double dgamma = inverse * (n->sums[n->channels + c] - mean * dbeta);
        const double a = (double)n->gamma[c] * inverse;
        const double b = -a * inverse * dgamma / n->count;
        n->dbeta[c] = (float)dbeta;
        n->dgamma[c] = (float)dgamma;
        n->coefficient[A * n->channels + c] = (float)a;
        n->coefficient[B * n->channels + c] = (float)b;
        n->coefficient[D * n->channels + c] = (float)(-a * dbeta / n->count - b * mean);
    }
    return S2CLR_OK;
}

static s2clr_status norm_frozen(s2clr_stream *stream, const s2clr_norm *n)
{
    (void)stream;
    for (size_t c = 0; c < n->channels; c++) {
        const double scale =
            (double)n->gamma[c] / sqrt((double)n->running_variance[c] + (double)n->epsilon);
        n->coefficient[SCALE * n->channels + c] = (float)scale;
        n->coefficient[SHIFT * n->channels + c] =
            (float)((double)n->beta[c] - (double)n->running_mean[c] * scale);
    }
    return S2CLR_OK;
}

/* ---- updates ---- */

static size_t update_bytes(const s2clr_update *update)
{
    (void)update;
    return 0;
}

static void adapt(const s2clr_update *u, s2clr_update_range *range)
{
    double weight = 0, gradient = 0;
    for (size_t i = range->begin; i < range->end; i++) {
        const double w = (double)u->params[i];
        const double g = (double)u->gradient[i] + u->weight_decay * w;
        weight += w * w;
        gradient += g * g;
    }
    range->inside =
        (float)(range->rate * s2clr_update_adapt(u->trust, sqrt(weight), sqrt(gradient)));
}

static s2clr_status update(s2clr_stream *stream, const s2clr_update *u, void *scratch)
{
    (void)stream, (void)scratch;
    for (size_t i = 0; i < u->ranges; i++) {
        s2clr_update_range range = u->range[i];
        if (range.adapted) adapt(u, &range);
        s2clr_update_elements(u, &range, range.begin, range.end);
    }
    return S2CLR_OK;
}

const s2clr_backend_training s2clr_portable_training = {
    .apart = false,
    .copy_in = copy,
    .copy_out = copy,
    .copy = copy,
    .zero = zero,
    .add = add,
    .mean = mean,
    .pack = pack,
    .upload = upload,
    .norm_forward = norm_forward,
    .norm_backward = norm_backward,
    .norm_frozen = norm_frozen,
    .update_bytes = update_bytes,
    .update = update,
    .contrast = &s2clr_portable_contrast,
    .views = &s2clr_portable_views,
};
