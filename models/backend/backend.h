/*
 * The backend table: all arithmetic goes through one small struct of functions.
 *
 *     const s2clr_backend *be;
 *     s2clr_device *dev;
 *     S2CLR_TRY(s2clr_backend_find("auto", &be));
 *     S2CLR_TRY(be->device_open("cpu", S2CLR_F32, &dev));
 *     S2CLR_TRY(be->op_new(dev, &desc, &op));           // compiled once per fixed shape
 *     S2CLR_TRY(be->op_pack(op, stream, weight, bias, packed));
 *     S2CLR_TRY(be->op_forward(op, stream, &args));
 *
 * `portable` (models/backend/portable_*.c) is the specification: obvious loops over plain NCHW
 * float32. Every other backend is checked against it op by op by tests/test_backend_ops.c.
 *
 * Conventions
 *   tensors    logical shape (n, c, h, w). The memory layout is the backend's own
 *              ("native"): callers only ask for its size (tensor_bytes), place it in buffers from
 *              buffer_new() at 64-byte aligned offsets (pointer arithmetic on buffers is allowed,
 *              dereferencing is not), and cross the border with upload()/download().
 *   weights    plain float32 in PyTorch's order: convolution (out, in / groups, kh, kw), bias
 *              (out). op_pack() turns them into the backend's own form.
 *   precision  belongs to the device: its native tensors and packed weights are all in it, while
 *              everything on the host (upload, download, weights, their gradients, biases, scale
 *              and shift, sums) is float32 or double. What bf16 means: a value is rounded to the
 *              nearest bfloat16 (ties to even) when it is uploaded, packed, or written by an op;
 *              inside an op nothing is rounded that a float32 device would not round, but for a
 *              bias and the gradient of weights, which a backend may round once (cuDNN's ready-made
 *              kernels know no others). fp16: the same with IEEE's half precision, without training
 *              (nothing here scales losses into its small range). tf32: everything is float32, but
 *              a convolution may read its inputs and weights rounded to 10 bits of mantissa.
 *   devices    thread-safe. Ops and packed weights are immutable once made: many threads may use
 *              one. A stream belongs to one thread at a time.
 *   results    an op gives the same bits for the same shape, weights and input, on any thread.
 *              There is no promise between different shapes: callers fix their shapes.
 *   async      a backend may queue; stream_wait(), download() and the reduce functions end with
 *              the results visible to the caller. What was to be read of a host array has been
 *              read on return.
 *   errors     as in base/status.h.
 */
#ifndef S2CLR_BACKEND_BACKEND_H
#define S2CLR_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Raised whenever a struct or signature below changes; a module of another version is refused. */
#define S2CLR_BACKEND_ABI 4u

typedef enum s2clr_precision {
    S2CLR_F32,
    S2CLR_BF16,
    S2CLR_TF32,
    S2CLR_FP16,
    S2CLR_PRECISIONS
} s2clr_precision;

typedef struct s2clr_shape {
    int n, c, h, w;
} s2clr_shape;

typedef enum s2clr_op_kind {
    S2CLR_OP_CONV,     /* y = act(conv(x) + bias + residual); a linear layer is 1x1 on 1x1 maps */
    S2CLR_OP_AFFINE,   /* y = act(scale[c] * x + shift[c]): batch norm with its numbers given */
    S2CLR_OP_ADD,      /* y = act(x + residual); without a residual y = act(x) */
    S2CLR_OP_MAXPOOL,  /* padding never wins */
    S2CLR_OP_MEANPOOL, /* mean over all of h x w: (n, c, h, w) -> (n, c, 1, 1) */
    S2CLR_OP_AVGPOOL,  /* mean of each window, see count_pad */
    S2CLR_OP_CONCAT,   /* y = the channels of x, then those of residual (y.c - x.c of them) */
    S2CLR_OP_KINDS
} s2clr_op_kind;

/* A kernel of h x w taps, one stride for both axes, zeros around the map. */
typedef struct s2clr_window {
    int h, w;
    int stride;
    int top, left, bottom, right;
} s2clr_window;

/* What to compile. x and y are full shapes; `window` is read for CONV, MAXPOOL and AVGPOOL. y must
 * be what s2clr_op_output() says. */
typedef struct s2clr_op_desc {
    s2clr_op_kind kind;
    s2clr_shape x, y;
    s2clr_window window;
    int groups;    /* CONV: output channels are cut into `groups` runs, as are input channels, and
                    * each run sees its own only. 1: all see all; x.c: depthwise */
    bool bias;     /* CONV: op_pack takes a bias */
    bool residual; /* ADD, and CONV before the activation: args.residual is added; CONCAT: always */
    bool relu;     /* act = max(0, .) instead of identity */
    bool training; /* op_backward (and the reduce functions of AFFINE) will be called */
    bool count_pad; /* AVGPOOL: divide by h * w (PyTorch) instead of the pixels inside (Keras) */
} s2clr_op_desc;

/* Native tensors of one call; NULL where the op has no such thing. */
typedef struct s2clr_op_args {
    const void *x;        // desc.x
    const void *residual; // s2clr_op_residual()
    void *y;              // desc.y (output of forward, input of backward). CONV with residual:
                          // may be the very buffer of residual, which is then added in place
    const void *packed;   // from op_pack (CONV)
    void *workspace;      // op_workspace_bytes: written by forward, read by backward (training)
    const float *scale;   // (c) host: AFFINE forward y = scale*x + shift
    const float *shift;   // (c) host
    /* backward */
    const void *dy;  // desc.y
    void *dx;        // desc.x, overwritten; NULL when not wanted
    void *dresidual; // as residual, overwritten (ADD, CONCAT); NULL when not wanted
    float *dweight;  // as weight: host, overwritten (CONV); NULL when not wanted
    float *dbias;    // (out) host, overwritten (CONV with bias)
    const float
        *affine[3]; // (c) host each: AFFINE backward dx = a*g + b*x + d, g = dy masked by act
    bool resident;  /* scale, shift, affine, dweight, dbias, and the sums of the reduce functions,
                     * are arrays of the device: backend_training.h */
} s2clr_op_args;

typedef struct s2clr_device s2clr_device; /* opaque, each backend has its own */
typedef struct s2clr_stream s2clr_stream;
typedef struct s2clr_op s2clr_op;

/* Windows to be cut from planes that overlap: `planes` are plain float32 (to.c, rows, columns) in
 * the device's memory, `to` the native tensor of to.n windows of to.h x to.w pixels. */
typedef struct s2clr_backend_cut {
    int64_t columns, rows;
    const int64_t (*at)[2]; // (to.n) column and row of the left upper pixel, on the host; a window
                            // may lie outside wholly or in part: what is not in the planes is 0
    s2clr_shape to;
} s2clr_backend_cut;

/* The optional part for prediction: pixels go up once, patches that overlap are cut from them on
 * the device. */
typedef struct s2clr_backend_cutting {
    int unit_patches; /* patches that one run should have; 0: as the caller likes */
    int sessions;     /* as many of one plan keep the device busy; 0: one per thread */

    /* Bytes as they are, to memory of buffer_new(). Queued. */
    s2clr_status (*raw_upload)(s2clr_stream *stream, const void *host, size_t bytes, void *device);
    /* What upload() of the same windows gives. Queued. */
    s2clr_status (*cut)(s2clr_stream *stream, const s2clr_backend_cut *cut, const float *planes,
                        void *native);
} s2clr_backend_cutting;

typedef struct s2clr_recorded s2clr_recorded; /* opaque: work of one stream */

/* The optional part for work that is queued over and over: recorded once, it is queued in one call,
 * which takes a fraction of the time of many. */
typedef struct s2clr_backend_recording {
    /* Records what body(context) queues on the stream instead of doing it: ops with `resident`
     * where they have arrays, and functions of `training` and `cutting` that neither read nor write
     * the host's memory. Fails where that cannot be recorded; the stream is as before then. */
    s2clr_status (*record)(s2clr_stream *stream, s2clr_status (*body)(void *context), void *context,
                           s2clr_recorded **out);
    /* Queues it once more, on the same stream, with the same pointers. */
    s2clr_status (*replay)(s2clr_stream *stream, const s2clr_recorded *recorded);
    void (*free)(s2clr_recorded *recorded); /* before its stream */
} s2clr_backend_recording;

typedef struct s2clr_backend {
    uint32_t abi; /* S2CLR_BACKEND_ABI */
    const char *name;
    int score; /* `auto` takes the usable backend with the highest score: device_select.h */

    /* spec: "cpu", "cuda:1", "cuda:0,fast"; "" = the backend's default. Fails with the reason when
     * unusable, or when this machine does not compute in `precision`. */
    s2clr_status (*device_open)(const char *spec, s2clr_precision precision, s2clr_device **out);
    void (*device_close)(s2clr_device *device);
    /* Library versions and instruction set, the part of "same bytes" that is not the model:
     * "oneDNN 2.6.3, avx512_core_bf16", with ", bf16" behind it when it computes in that. Borrowed,
     * lives as long as the device. */
    const char *(*device_describe)(const s2clr_device *device);
    s2clr_precision (*device_precision)(const s2clr_device *device); /* what it was opened in */

    s2clr_status (*buffer_new)(s2clr_device *device, size_t bytes, void **out); /* zeroed */
    void (*buffer_free)(s2clr_device *device, void *buffer);
    s2clr_status (*tensor_bytes)(const s2clr_device *device, s2clr_shape shape, size_t *out);

    /* scratch_bytes: the largest op_scratch_bytes of the ops that will run on it. */
    s2clr_status (*stream_new)(s2clr_device *device, size_t scratch_bytes, s2clr_stream **out);
    void (*stream_free)(s2clr_stream *stream);
    s2clr_status (*stream_wait)(s2clr_stream *stream);

    s2clr_status (*upload)(s2clr_stream *stream, s2clr_shape shape, const float *nchw,
                           void *native);
    s2clr_status (*download)(s2clr_stream *stream, s2clr_shape shape, const void *native,
                             float *nchw);
    /* sum += x, element by element, both of `shape`: gradients of a tensor with several readers. */
    s2clr_status (*accumulate)(s2clr_stream *stream, s2clr_shape shape, const void *x, void *sum);

    s2clr_status (*op_new)(s2clr_device *device, const s2clr_op_desc *desc, s2clr_op **out);
    void (*op_free)(s2clr_op *op);
    /* Name of the kernel chosen ("jit_wino_4x3:avx512_core"), for bench and the slow-path test. */
    const char *(*op_kernel)(const s2clr_op *op);
    size_t (*op_packed_bytes)(const s2clr_op *op);
    size_t (*op_scratch_bytes)(const s2clr_op *op);
    size_t (*op_workspace_bytes)(const s2clr_op *op);

    s2clr_status (*op_pack)(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                            const float *bias, void *packed);
    s2clr_status (*op_forward)(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args);
    s2clr_status (*op_backward)(const s2clr_op *op, s2clr_stream *stream,
                                const s2clr_op_args *args);
    /* AFFINE, training: sums over n, h, w for each channel, in double, fixed order.
     * forward:  sums[0..c) = sum x,  sums[c..2c) = sum x*x
     * backward: sums[0..c) = sum g,  sums[c..2c) = sum g*x, g = dy where act passed, else 0 */
    s2clr_status (*op_reduce)(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args,
                              double *sums);
    s2clr_status (*op_reduce_backward)(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args, double *sums);
    /* Weights that stay on the device while they are trained; NULL: this backend keeps none. */
    const struct s2clr_backend_training *training;
    const s2clr_backend_cutting *cutting; /* NULL: patches are cut on the host */
    /* Bytes of the device's own memory: what this process may still take of it, less what the
     * libraries take beside buffers and streams, and all that there is. NULL: the device's memory
     * is the machine's. */
    s2clr_status (*memory)(const s2clr_device *device, size_t *available, size_t *total);
    /* NULL: nothing is won by it. Who has it has `training`. */
    const s2clr_backend_recording *recording;
} s2clr_backend;

/* The one symbol a module exports. */
#define S2CLR_BACKEND_SYMBOL "s2clr_backend_module"
typedef const s2clr_backend *(*s2clr_backend_module_fn)(void);

/* And a second one, ready made: a module links models/backend/module_host.c instead of
 * base/status.c. It cannot see the host's symbols (they are hidden), so the registry hands it the
 * host's s2clr_error_set() before anything else; else error texts would stay inside the module. */
#define S2CLR_BACKEND_HOST_SYMBOL "s2clr_backend_module_host"
typedef s2clr_status (*s2clr_backend_error_fn)(s2clr_status code, const char *format, ...);
typedef void (*s2clr_backend_module_host_fn)(s2clr_backend_error_fn error_set);

/* kernel x kernel taps, the same padding on all four sides. */
s2clr_window s2clr_window_square(int kernel, int stride, int pad);

/* Output shape of an op with input x and `channels` output channels (CONV, CONCAT; others keep c).
 * window: NULL for kinds that do not read it. S2CLR_ERR_ARGUMENT when the kernel does not fit.
 * Common to all backends. */
s2clr_status s2clr_op_output(s2clr_op_kind kind, s2clr_shape x, int channels,
                             const s2clr_window *window, s2clr_shape *y);

/* Shape of args.residual and args.dresidual. */
s2clr_shape s2clr_op_residual(const s2clr_op_desc *desc);

/* Floats of the weight of a CONV. */
size_t s2clr_op_weight_count(const s2clr_op_desc *desc);

/* Checks a desc for consistency: every backend's op_new calls it first. */
s2clr_status s2clr_op_check(const s2clr_op_desc *desc);

/* What is to be given to an op of `desc`, checked before every call by every backend. workspace:
 * op_workspace_bytes(). Messages name the op and what is missing. `backward` of the last: of
 * op_reduce_backward, else of op_reduce. */
s2clr_status s2clr_op_check_pack(const s2clr_op_desc *desc, const float *weight, const float *bias,
                                 const void *packed);
s2clr_status s2clr_op_check_forward(const s2clr_op_desc *desc, size_t workspace,
                                    const s2clr_op_args *args);
s2clr_status s2clr_op_check_backward(const s2clr_op_desc *desc, size_t workspace,
                                     const s2clr_op_args *args);
s2clr_status s2clr_op_check_reduce(const s2clr_op_desc *desc, bool backward,
                                   const s2clr_op_args *args);
s2clr_status s2clr_op_check_scratch(const s2clr_op_desc *desc, size_t needed, size_t there);
s2clr_status s2clr_backend_cut_check(const s2clr_backend_cut *cut, const float *planes,
                                     const void *native);

const char *s2clr_op_kind_name(s2clr_op_kind kind);

/* "f32", "bf16", "tf32", "fp16"; the second reads one of them. */
const char *s2clr_precision_name(s2clr_precision precision);
s2clr_status s2clr_precision_parse(const char *text, s2clr_precision *out);
/* How far the result of an op may be from the portable one's in f32, when its inputs and weights
 * are numbers that `precision` holds: the length of the difference over that of the result, and
 * S2CLR_OP_LARGEST times as much of the largest value for a single one. kernel: from op_kernel().
 */
double s2clr_op_tolerance(s2clr_precision precision, const char *kernel);
#define S2CLR_OP_LARGEST 10
/* Those two measures of what was got. Both are 0 for equal numbers and infinite where a number on
 * either side is not finite. */
void s2clr_op_distance(const float *got, const float *wanted, size_t count, double *norm,
                       double *largest);

/* Refuses what no CPU backend computes in: all but f32 and bf16. */
s2clr_status s2clr_precision_check_cpu(const char *backend, s2clr_precision precision);

/* ---- registry (write once; thread-safe; a forked child has its own) ---- */

typedef struct s2clr_backend_entry {
    const char *name;             /* table line in backend_registry.c */
    const s2clr_backend *backend; /* NULL when it cannot be used here */
    const char *why;              /* one line: why not; "" when usable */
    bool built;                   /* with this program */
    bool cpu;                     /* computes on the CPU: built and not usable is a fault */
} s2clr_backend_entry;

/* All table lines; loads modules on first use (S2CLR_BACKEND_PATH, then next to the executable,
 * then the installed folder), but none whose driver this machine lacks. Entries live until the
 * process ends. */
size_t s2clr_backend_list(const s2clr_backend_entry **out);

/* name: "auto"; "cpu", the best of those that compute on the CPU; or a table name, which loads the
 * module whatever the machine. */
s2clr_status s2clr_backend_find(const char *name, const s2clr_backend **out);

/* What `auto` should have taken and could not, and why, in one line for the user; false when there
 * is nothing that was not said before. The second is how it becomes known: `taken` instead of
 * `name`. */
#define S2CLR_BACKEND_TEXT 1280
bool s2clr_backend_passed_over(char text[S2CLR_BACKEND_TEXT]);
void s2clr_backend_pass_over(const char *name, const char *why, const char *taken);

#endif
