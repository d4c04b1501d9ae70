/* The CUDA module's half of backend_training.h: arrays that stay on the device. */
#include "backend/backend_training.h"
#include "backend/cudap.h"

enum { SLICES = 512 }; /* of the sums that the length of a weight is made of */

#define LAUNCH(stream, kernel, args)                                                               \
    s2clr_cuda_check_launch(s2clr_cuda_launch_##kernel((stream)->stream, (args)),                  \
                            (stream)->device, #kernel)

/* ---- arrays ---- */

static s2clr_status copy_in(s2clr_stream *stream, const void *host, size_t bytes, void *to)
{
    CUDA_USE(stream->device);
    return s2clr_cuda_to_device(stream, host, bytes, to);
}

static s2clr_status copy_out(s2clr_stream *stream, const void *from, size_t bytes, void *host)
{
    CUDA_USE(stream->device);
    return s2clr_cuda_to_host(stream, from, bytes, host);
}

static s2clr_status copy(s2clr_stream *stream, const void *from, size_t bytes, void *to)
{
    if (bytes == 0) return S2CLR_OK;
    CUDA_USE(stream->device);
    return s2clr_cuda_copy(stream, from, bytes, to);
}

static s2clr_status zero(s2clr_stream *stream, size_t bytes, void *values)
{
    if (bytes == 0) return S2CLR_OK;
    CUDA_USE(stream->device);
    return s2clr_cuda_check(cudaMemsetAsync(values, 0, bytes, stream->stream), stream->device,
                            "clearing an array");
}

static s2clr_status add(s2clr_stream *stream, size_t count, const float *x, float *sum)
{
    const cuda_accumulate_args args = {.count = count, .x = x, .sum = sum};
    CUDA_USE(stream->device);
    return LAUNCH(stream, accumulate, args);
}

static s2clr_status mean(s2clr_stream *stream, size_t rows, size_t count, const float *x,
                         float *mean)
{
    const cuda_mean_args args = {.rows = rows, .count = count, .x = x, .mean = mean};
    CUDA_USE(stream->device);
    return LAUNCH(stream, mean, args);
}

static s2clr_status upload(s2clr_stream *stream, s2clr_shape shape, const float *nchw, void *native)
{
    const cuda_upload_args args = {.element = stream->device->element,
                                   .view = s2clr_cuda_view_of(shape),
                                   .nchw = nchw,
                                   .native = native};
    CUDA_USE(stream->device);
    return LAUNCH(stream, upload, args);
}

/* ---- batch norm ---- */

static s2clr_status norm_forward(s2clr_stream *stream, const s2clr_norm *norm)
{
    CUDA_USE(stream->device);
    return LAUNCH(stream, norm_forward, *norm);
}

static s2clr_status norm_backward(s2clr_stream *stream, const s2clr_norm *norm)
{
    CUDA_USE(stream->device);
    return LAUNCH(stream, norm_backward, *norm);
}

static s2clr_status norm_frozen(s2clr_stream *stream, const s2clr_norm *norm)
{
    CUDA_USE(stream->device);
    return LAUNCH(stream, norm_frozen, *norm);
}

/* ---- updates: scratch has the ranges, then what lengths are added up from ---- */

static bool adapts(const s2clr_update *u)
{
    for (size_t i = 0; i < u->ranges; i++)
        if (u->range[i].adapted) return true;
    return false;
}

static size_t ranges_bytes(const s2clr_update *u)
{
    return s2clr_cuda_align(u->ranges * sizeof *u->range);
}

static size_t update_bytes(const s2clr_update *u)
{
    return ranges_bytes(u) + (adapts(u) ? u->ranges * SLICES * 2 * sizeof(double) : 0);
}

static s2clr_status adapt(s2clr_stream *stream, const s2clr_update *u, void *scratch)
{
    double *const partial = (double *)(void *)((char *)scratch + ranges_bytes(u));
    const cuda_lengths_args lengths = {.ranges = u->ranges,
                                       .slices = SLICES,
                                       .count = u->count,
                                       .range = scratch,
                                       .weight_decay = u->weight_decay,
                                       .params = u->params,
                                       .gradient = u->gradient,
                                       .partial = partial};
    const cuda_adapt_args args = {.ranges = u->ranges,
                                  .slices = SLICES,
                                  .trust = u->trust,
                                  .partial = partial,
                                  .range = scratch};
    S2CLR_TRY(LAUNCH(stream, lengths, lengths));
    return LAUNCH(stream, adapt, args);
}

static s2clr_status update(s2clr_stream *stream, const s2clr_update *u, void *scratch)
{
    if (u->ranges == 0) return S2CLR_OK;
    const cuda_update_args args = {.adam = u->rule == S2CLR_UPDATE_ADAM,
                                   .ranges = u->ranges,
                                   .begin = u->range[0].begin,
                                   .end = u->range[u->ranges - 1].end,
                                   .count = u->count,
                                   .range = scratch,
                                   .gradient = u->gradient,
                                   .moments = u->moments,
                                   .params = u->params};
    CUDA_USE(stream->device);
    S2CLR_TRY(s2clr_cuda_to_device(stream, u->range, u->ranges * sizeof *u->range, scratch));
    if (adapts(u)) S2CLR_TRY(adapt(stream, u, scratch));
    return LAUNCH(stream, update, args);
}

const s2clr_backend_training s2clr_cuda_training = {
    .apart = true,
    .copy_in = copy_in,
    .copy_out = copy_out,
    .copy = copy,
    .zero = zero,
    .add = add,
    .mean = mean,
    .pack = s2clr_cuda_op_pack_resident,
    .upload = upload,
    .norm_forward = norm_forward,
    .norm_backward = norm_backward,
    .norm_frozen = norm_frozen,
    .update_bytes = update_bytes,
    .update = update,
    .group = &s2clr_cuda_group,
    .contrast = &s2clr_cuda_contrast,
    .views = &s2clr_cuda_views,
};
