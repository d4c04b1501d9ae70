/*
 * Private to the oneDNN module: its structs and the functions its files share.
 *
 * onednn.c         the table: device, streams, buffers, upload and download
 * onednn_op.c      one line per kind of op; runs the own loops
 * onednn_conv.c    convolution: which kernels, where weights and scratch lie
 * onednn_conv_run.c  packing, forward and backward
 * onednn_winograd.h  our own Winograd kernels, for 3 x 3 with stride 1
 * onednn_prim.c    one compiled primitive: make, run, free
 * onednn_loops.c, onednn_pool.c, onednn_parts.c  own loops over the native layout, for all that is
 *                  not convolution
 * onednn_bf16.c    bf16 devices: conversions, and the own loops on widened copies
 * onednn_v2.c/v3.c all that differs between oneDNN 2.x and 3.x
 *
 * Native layout. Channels come in blocks of 16 (AVX-512) or 8: (n, c / block, h, w, block), the
 * last block filled up with zeros. oneDNN is told the filled-up channel count, so its kernels never
 * see a tail (12 channels beside 16-blocked outputs end in its reference code otherwise) and zeros
 * stay zeros. Only three-channel tensors are plain NCHW: oneDNN has kernels that read RGB directly.
 * A bf16 device has blocks of 16-bit values, three channels as well.
 */
#ifndef S2CLR_BACKEND_ONEDNNP_H
#define S2CLR_BACKEND_ONEDNNP_H

#include <oneapi/dnnl/dnnl.h>

#include "backend/backend.h"
#include "backend/onednn_winograd.h"

/* ---- layout ---- */

#define S2CLR_DNNL_LANES 16 /* the largest block */

/* A tensor as the own loops see it: (n, blocks, plane, lanes), channels = real ones. */
typedef struct s2clr_dnnl_view {
    size_t n, blocks, lanes, channels, plane;
    int h, w;
} s2clr_dnnl_view;

/* As tensors lie in the device's memory. */
s2clr_dnnl_view s2clr_dnnl_view_of(const s2clr_device *device, s2clr_shape shape);
/* With blocked channels whatever their number. */
s2clr_dnnl_view s2clr_dnnl_view_blocked(s2clr_shape shape, int block);
size_t s2clr_dnnl_view_floats(const s2clr_dnnl_view *view); /* elements, of whatever size */

/* ---- primitives ---- */

typedef enum s2clr_dnnl_direction {
    S2CLR_DNNL_FORWARD,
    S2CLR_DNNL_BACKWARD_DATA,
    S2CLR_DNNL_BACKWARD_WEIGHTS
} s2clr_dnnl_direction;

/* What to compile. */
typedef struct s2clr_dnnl_conv {
    s2clr_dnnl_direction direction;
    int n, ic, oc, ih, iw, oh, ow;
    s2clr_window window;
    int groups;   /* 1, or every channel its own: weights are (ic, 1, 1, h, w) then */
    int block;    /* of x and y where they are blocked */
    bool plain_x; /* x is plain NCHW, its channels are not filled up */
    bool plain_y;
    bool thinned;  /* 1 x 1 with a stride: it sees only the pixels it uses, and stride 1 */
    bool training; /* forward keeps what backward needs */
    bool bias, sum, relu;
    bool bf16; /* x, y and weights; a bias and the gradient of the weights stay float32 */
} s2clr_dnnl_conv;

enum { SLOT_X, SLOT_WEIGHTS, SLOT_BIAS, SLOT_Y, SLOT_SCRATCH, SLOTS };

/* primitive == NULL: none. Slots that a primitive does not have hold zero bytes. */
typedef struct s2clr_dnnl_prim {
    dnnl_primitive_t primitive;
    int arg[SLOTS];
    dnnl_memory_desc_t md[SLOTS];
    size_t bytes[SLOTS];
    char kernel[64];
} s2clr_dnnl_prim;

s2clr_status s2clr_dnnl_check(dnnl_status_t status, const char *what);

/* S2CLR_ERR_UNSUPPORTED when oneDNN has no implementation. */
s2clr_status s2clr_dnnl_prim_conv(dnnl_engine_t engine, const s2clr_dnnl_conv *conv,
                                  s2clr_dnnl_prim *out);
/* Plain weights -> the form `conv` reads its weights in (`pack`), or back. The plain side is
 * SLOT_X when packing, else SLOT_Y. */
s2clr_status s2clr_dnnl_prim_reorder(dnnl_engine_t engine, const s2clr_dnnl_conv *shape,
                                     const s2clr_dnnl_prim *conv, bool pack, s2clr_dnnl_prim *out);
void s2clr_dnnl_prim_free(s2clr_dnnl_prim *prim);
s2clr_status s2clr_dnnl_prim_run(const s2clr_dnnl_prim *prim, const s2clr_stream *stream,
                                 void *const handles[SLOTS]);

/* ---- version differences: onednn_v2.c, onednn_v3.c ---- */

dnnl_status_t s2clr_dnnl_conv_desc(dnnl_engine_t engine, const s2clr_dnnl_conv *conv,
                                   dnnl_primitive_desc_t *out);
dnnl_status_t s2clr_dnnl_reorder_desc(dnnl_engine_t engine, const dnnl_memory_desc_t *from,
                                      const dnnl_memory_desc_t *to, dnnl_primitive_desc_t *out);
/* Of plain weights, (oc, ic, h, w) or (groups, 1, 1, h, w); free each descriptor with
 * s2clr_dnnl_md_free(). */
dnnl_status_t s2clr_dnnl_md_weights(const s2clr_dnnl_conv *conv, dnnl_memory_desc_t *out);
dnnl_status_t s2clr_dnnl_md_query(const_dnnl_primitive_desc_t desc, int arg,
                                  dnnl_memory_desc_t *out);
size_t s2clr_dnnl_md_bytes(const dnnl_memory_desc_t *md);
void s2clr_dnnl_md_free(dnnl_memory_desc_t *md);
dnnl_status_t s2clr_dnnl_memory(const dnnl_memory_desc_t *md, dnnl_engine_t engine, void *handle,
                                dnnl_memory_t *out);

/* ---- what the opaque types of backend.h are here ---- */

struct s2clr_device {
    dnnl_engine_t engine;
    int block;
    bool bf16;
    size_t element; /* bytes of a value in a native tensor */
    char text[96];
};

struct s2clr_stream {
    const s2clr_device *device;
    dnnl_stream_t stream;
    unsigned char *scratch;
    size_t scratch_bytes;
};

/* Convolution: kernels by direction, and where things lie in `packed` and in the stream's scratch.
 */
typedef struct s2clr_dnnl_conv_op {
    s2clr_dnnl_conv shape[3];
    s2clr_dnnl_prim prim[3];
    s2clr_dnnl_prim pack[2]; /* forward, backward data */
    s2clr_dnnl_prim unpack;  /* gradient of the weights -> plain */
    const s2clr_winograd_lanes *lanes;
    bool is_winograd[3]; /* then `winograd` stands for shape, primitive and reorder */
    s2clr_winograd winograd[3];
    size_t packed_at[2], bias_at;
    size_t x_at, y_at, weights_at, plain_at, wide_at; /* in scratch */
} s2clr_dnnl_conv_op;

struct s2clr_op {
    s2clr_op_desc desc;
    const s2clr_device *device;
    s2clr_dnnl_view x, y, residual;
    size_t packed_bytes, scratch_bytes, workspace_bytes;
    s2clr_dnnl_conv_op *conv; /* NULL for other kinds */
    char kernel[200];
};

s2clr_status s2clr_dnnl_tensor_bytes(const s2clr_device *device, s2clr_shape shape, size_t *out);

s2clr_status s2clr_dnnl_op_new(s2clr_device *device, const s2clr_op_desc *desc, s2clr_op **out);
void s2clr_dnnl_op_free(s2clr_op *op);
s2clr_status s2clr_dnnl_op_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                const float *bias, void *packed);
s2clr_status s2clr_dnnl_op_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args);
s2clr_status s2clr_dnnl_op_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args);
s2clr_status s2clr_dnnl_op_reduce(const s2clr_op *op, s2clr_stream *stream,
                                  const s2clr_op_args *args, double *sums);
s2clr_status s2clr_dnnl_op_reduce_backward(const s2clr_op *op, s2clr_stream *stream,
                                           const s2clr_op_args *args, double *sums);

s2clr_status s2clr_dnnl_conv_new(s2clr_op *op);
void s2clr_dnnl_conv_free(s2clr_op *op);
/* Whether the caller's plain weights are too short for the filled-up shape. */
bool s2clr_dnnl_weights_filled_up(const s2clr_op *op, const s2clr_dnnl_conv *conv);
s2clr_status s2clr_dnnl_conv_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                  const float *bias, void *packed);
s2clr_status s2clr_dnnl_conv_forward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args);
s2clr_status s2clr_dnnl_conv_backward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args);

/* ---- bf16 devices: onednn_bf16.c ---- */

/* nchw is (n, channels, plane); `blocked` is `view`, of 16-bit values. */
void s2clr_dnnl_to_blocked_bf16(const s2clr_dnnl_view *view, const float *nchw, uint16_t *blocked);
void s2clr_dnnl_from_blocked_bf16(const s2clr_dnnl_view *view, const uint16_t *blocked,
                                  float *nchw);
void s2clr_dnnl_accumulate_bf16(size_t count, const uint16_t *x, uint16_t *sum);
void s2clr_dnnl_widen(size_t count, const uint16_t *from, float *to);
void s2clr_dnnl_narrow(size_t count, const float *from, uint16_t *to);

/* Float copies of an op's tensors in the stream's scratch: room for them, args that point at them
 * (inputs filled in), and the results home. */
size_t s2clr_dnnl_wide_bytes(const s2clr_op *op);
s2clr_op_args s2clr_dnnl_widen_args(const s2clr_op *op, const s2clr_stream *stream,
                                    const s2clr_op_args *args, bool backward);
void s2clr_dnnl_narrow_results(const s2clr_op *op, const s2clr_op_args *wide,
                               const s2clr_op_args *args, bool backward);

/* ---- own loops: onednn_loops.c ---- */

/* Compiles a function once per instruction set; the loader picks one. */
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

/* What such a function inlines, so that it is compiled for the same instruction set. */
#define BODY static inline __attribute__((always_inline))

/* Calls body(lanes as a constant, ...). */
#define BY_LANES(lanes, body, ...)                                                                 \
    switch (lanes) {                                                                               \
    case 16:                                                                                       \
        body(16, __VA_ARGS__);                                                                     \
        break;                                                                                     \
    case 8:                                                                                        \
        body(8, __VA_ARGS__);                                                                      \
        break;                                                                                     \
    default:                                                                                       \
        body(1, __VA_ARGS__);                                                                      \
        break;                                                                                     \
    }

/* Eight channels at once, where the compiler left to itself takes the lanes apart. */
typedef float eight_floats __attribute__((vector_size(32)));
typedef double eight_doubles __attribute__((vector_size(64)));
typedef int32_t eight_ints __attribute__((vector_size(32)));

/* nchw is (n, channels, plane); `blocked` is `view`. */
void s2clr_dnnl_to_blocked(const s2clr_dnnl_view *view, const float *nchw, float *blocked);
void s2clr_dnnl_from_blocked(const s2clr_dnnl_view *view, const float *blocked, float *nchw);
/* Every stride-th pixel of x, and back (dx is zero elsewhere). Blocked views, values of `element`
 * bytes. */
void s2clr_dnnl_thin(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view, int stride,
                     size_t element, const void *x, void *thin);
void s2clr_dnnl_unthin(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view, int stride,
                       size_t element, const void *thin, void *dx);
void s2clr_dnnl_accumulate(size_t count, const float *x, float *sum);
/* b: NULL for the activation alone */
void s2clr_dnnl_add(size_t count, bool relu, const float *a, const float *b, float *y);
/* g = dy where y > 0, else 0; y: NULL when there was no activation, here and below */
void s2clr_dnnl_mask(size_t count, const float *y, const float *dy, float *g);
void s2clr_dnnl_affine(const s2clr_dnnl_view *view, bool relu, const float *scale,
                       const float *shift, const float *x, float *y);
void s2clr_dnnl_affine_backward(const s2clr_dnnl_view *view, const float *const affine[3],
                                const float *x, const float *y, const float *dy, float *dx);
/* sums of a, and of a * b, by channel */
void s2clr_dnnl_reduce(const s2clr_dnnl_view *view, const float *a, const float *b, const float *y,
                       double *sums);
void s2clr_dnnl_channel_sums(const s2clr_dnnl_view *view, const float *x, float *sums);

/* ---- own loops: onednn_pool.c ---- */

void s2clr_dnnl_meanpool(const s2clr_dnnl_view *x_view, const float *x, float *y);
void s2clr_dnnl_meanpool_backward(const s2clr_dnnl_view *x_view, const float *dy, float *dx);

/* winner: the tap that won, NULL when not wanted. */
void s2clr_dnnl_maxpool(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view,
                        s2clr_window window, const float *x, float *y, int32_t *winner);
void s2clr_dnnl_maxpool_backward(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view,
                                 s2clr_window window, const int32_t *winner, const float *dy,
                                 float *dx);

/* ---- own loops: onednn_parts.c ---- */

void s2clr_dnnl_avgpool(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view,
                        s2clr_window window, bool count_pad, const float *x, float *y);
void s2clr_dnnl_avgpool_backward(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view,
                                 s2clr_window window, bool count_pad, const float *dy, float *dx);
/* `count` channels of `from` from `first` on -> those of `to` from `at` on. What fills up the last
 * block of `to` becomes zero when they are the last. */
void s2clr_dnnl_copy_channels(const s2clr_dnnl_view *from_view, size_t first, const float *from,
                              const s2clr_dnnl_view *to_view, size_t at, float *to, size_t count);

#endif
