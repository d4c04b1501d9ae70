/*
 * Private to the CUDA module: its structs and the functions its files share.
 *
 * cuda_module.c    the table
 * cuda_device.c    which device, its precision, what it says of itself
 * cuda_libraries.c versions of the libraries that were found
 * cuda_guard.c     the calling thread's device, and forked processes
 * cuda_memory.c    memory of the device: what was taken, and the message when there is no more
 * cuda_error.c     codes of the three libraries -> one line
 * cuda_stream.c    streams, staging, the way in and out of native tensors
 * cuda_record.c    a stream's work, recorded and replayed: CUDA graphs
 * cuda_op.c        one line per kind of op; checks what the caller gave
 * cuda_loops.c     all that is neither convolution nor linear: launches of cuda_kernels.h
 * cuda_cut.c       patches cut from planes that are on the device
 * cuda_weights.c   packed weights, and gradients of weights on their way home
 * cuda_linear.c    linear layers: cuda_matmul.c (cuBLASLt)
 * cuda_conv.c      convolution: cuda_graph*.c (cuDNN), cuda_plan_cache.c, cuda_direct.c (own loops)
 * cuda_training.c  arrays that stay on the device
 * cuda_contrast.c  the contrastive loss
 * cuda_views.c     views of patches for training
 * cuda_nccl.c      several devices as one
 * cuda_kernels.*   what runs on the device
 *
 * Native layout. NHWC, channels filled up with zeros to a multiple of CUDA_LANES in every
 * precision. Every kernel keeps the filled-up lanes zero. A tensor's bytes are rounded up to
 * CUDA_ALIGN; callers place tensors at multiples of 64.
 *
 * Packed weights. KRSC, (lanes of y, kh, kw, lanes of x) with one group, (lanes of y, kh, kw,
 * lanes of a group's x) with several, (lanes of x, kh, kw, 1) depthwise, in the device's precision;
 * then, at a multiple of CUDA_ALIGN, the bias, float32, filled up.
 *
 * Threads. An op, once made, is read only. A stream belongs to one thread at a time and owns the
 * handles that are not thread-safe. Plans are made with a handle of the device, under its mutex.
 * CUDA's current device belongs to the thread, and the thread to the caller: CUDA_USE.
 */
#ifndef S2CLR_BACKEND_CUDAP_H
#define S2CLR_BACKEND_CUDAP_H

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <pthread.h>
#include <stdatomic.h>

#include "backend/backend.h"
#include "backend/cuda_kernels.h"

enum { CUDA_ALIGN = 256 };

/* No engine that wants more than this is taken, nor more than a CUDA_PART_OF_MEMORYth of the
 * device's memory. As much is left to the libraries: handles, and kernels that they load late. */
#define CUDA_WORKSPACE_LIMIT ((size_t)512 << 20)
enum { CUDA_PART_OF_MEMORY = 32 };

/* Multiply-adds of a launch of our own convolution: less than a second even of a slow card. */
#define CUDA_LAUNCH_WORK ((size_t)1 << 36)

/* ---- what the opaque types of backend.h are here ---- */

struct cuda_plan_cache; /* cuda_plan_cache.c */
struct cuda_conv;       /* cuda_conv.c */
struct cuda_ledger;     /* cuda_memory.c */

/* The first error after which a device answers nothing any more: it is told again and again. */
typedef struct cuda_fault {
    pthread_mutex_t lock;
    atomic_bool broken;
    char text[512];
} cuda_fault;

struct s2clr_device {
    int index;
    char name[24];          /* "cuda:0", in messages */
    char text[320];         /* device_describe */
    char text_lacking[360]; /* the same once engines failed that should do: others, other bytes */
    atomic_bool lacks_engines;
    s2clr_precision precision;
    cuda_element element; /* of native tensors and packed weights */
    size_t element_bytes;
    bool fast;      /* engines whose results differ from run to run may be taken */
    int capability; /* 90: 9.0 */
    size_t workspace_limit, launch_work; /* launch_work: see cuda_direct of cuda_kernels.h */
    struct cuda_plan_cache *plans;       /* shared by the device's ops */
    struct cuda_ledger *ledger;
    cuda_fault *fault;
    pthread_mutex_t planner_lock;
    cudnnHandle_t planner; /* for making plans only, under planner_lock */
    cublasLtHandle_t blas; /* of all threads */
};

/* Pinned memory on its way to or from the device. */
typedef struct cuda_slot {
    void *host;
    size_t bytes;
    cudaEvent_t done; /* the copy that reads the slot */
    bool busy;        /* `done` was recorded and not waited for */
} cuda_slot;

enum { CUDA_SLOTS = 4 };

struct s2clr_stream {
    s2clr_device *device;
    cudaStream_t stream;
    cudnnHandle_t cudnn; /* works on `stream` */
    void *scratch;       /* on the device; 256-byte aligned */
    size_t scratch_bytes;
    void *staged; /* on the device: plain NCHW float32 before it is cast or after */
    size_t staged_bytes;
    cuda_slot slot[CUDA_SLOTS];
    int next;       /* slot */
    bool resident;  /* s2clr_op_args.resident of the op under way */
    bool recording; /* nothing is done, everything recorded: cuda_record.c */
};

struct s2clr_op {
    s2clr_op_desc desc;
    s2clr_device *device;
    cuda_view x, y, residual;
    char kernel[160];
    size_t packed_bytes, scratch_bytes, workspace_bytes;
    struct cuda_conv *conv; /* CONV that is not linear */
    void *linear;           /* CONV that is, unless cuBLASLt refused: cuda_linear.c */
};

/* ---- errors: cuda_error.c ---- */

/* `what` is a noun or -ing form: "starting the affine kernel". The device may be NULL (none is open
 * yet). */
s2clr_status s2clr_cuda_check(cudaError_t code, const s2clr_device *device, const char *what);
s2clr_status s2clr_cuda_check_dnn(cudnnStatus_t code, const s2clr_device *device, const char *what);
s2clr_status s2clr_cuda_check_blas(cublasStatus_t code, const s2clr_device *device,
                                   const char *what);
/* Of a launcher of cuda_kernels.h. */
s2clr_status s2clr_cuda_check_launch(int code, const s2clr_device *device, const char *kernel);
/* The message of the fault that broke the device, S2CLR_OK when it works. */
s2clr_status s2clr_cuda_fault_check(const s2clr_device *device);

/* After a call of cuDNN or cuBLASLt that failed: it may be the first to notice that the device is
 * broken (then as above), and may leave an error behind, which is taken away. */
s2clr_status s2clr_cuda_fault_seek(const s2clr_device *device, const char *what);

/* ---- device: cuda_device.c ---- */

s2clr_status s2clr_cuda_device_open(const char *spec, s2clr_precision precision,
                                    s2clr_device **out);
void s2clr_cuda_device_close(s2clr_device *device);

/* Whether the libraries found are those that this was built with: cuda_libraries.c */
s2clr_status s2clr_cuda_libraries_check(void);

/* ---- the calling thread: cuda_guard.c ---- */

typedef struct cuda_guard {
    int before; /* the thread's device, to be given back if in use; -1: it is the same */
} cuda_guard;

/* First thing in every function of the table: makes it the calling thread's device until the
 * function returns. */
#define CUDA_USE(device)                                                                           \
    __attribute__((cleanup(s2clr_cuda_guard_leave))) cuda_guard cuda_guard_of_call = {-1};         \
    S2CLR_TRY(s2clr_cuda_guard_enter((device), &cuda_guard_of_call))

/* In functions that release something. In a forked process what there is to release is the
 * parent's. */
#define CUDA_USE_QUIETLY(device)                                                                   \
    __attribute__((cleanup(s2clr_cuda_guard_leave))) cuda_guard cuda_guard_of_call = {-1};         \
    if (s2clr_cuda_is_forked()) return;                                                            \
    s2clr_cuda_guard_enter_quietly((device), &cuda_guard_of_call)

s2clr_status s2clr_cuda_guard_enter(const s2clr_device *device, cuda_guard *guard);
void s2clr_cuda_guard_enter_quietly(const s2clr_device *device, cuda_guard *guard);
void s2clr_cuda_guard_leave(const cuda_guard *guard);

/* This process uses CUDA from now on; whether it was forked from one that did; that as an error. */
void s2clr_cuda_process_claim(void);
bool s2clr_cuda_is_forked(void);
s2clr_status s2clr_cuda_process_check(void);

/* Of a call whose failure is of no interest: it is not left for the next who asks. */
cudaError_t s2clr_cuda_quiet(cudaError_t code);

/* ---- memory: cuda_memory.c ---- */

/* Memory of the device, not zeroed, 256-byte aligned; bytes may be 0 (then *out is still a
 * pointer of its own). what: "tensor buffer". */
s2clr_status s2clr_cuda_memory_new(s2clr_device *device, size_t bytes, const char *what,
                                   void **out);
void s2clr_cuda_memory_free(s2clr_device *device, void *memory); /* NULL: nothing */
/* backend.h: memory */
s2clr_status s2clr_cuda_memory_left(const s2clr_device *device, size_t *available, size_t *total);

struct cuda_ledger *s2clr_cuda_ledger_new(void); /* NULL: no memory */
void s2clr_cuda_ledger_free(struct cuda_ledger *ledger);

/* ---- layout: cuda_weights.c ---- */

size_t s2clr_cuda_align(size_t bytes); /* rounded up to CUDA_ALIGN */
cuda_view s2clr_cuda_view_of(s2clr_shape shape);
cuda_window s2clr_cuda_window_of(const s2clr_window *window);
s2clr_status s2clr_cuda_tensor_bytes(const s2clr_device *device, s2clr_shape shape, size_t *out);

/* Where things lie in the packed weights of a CONV. */
typedef struct cuda_packing {
    cuda_weights shape;
    size_t bias_at, bytes; /* the bias is there only with desc.bias */
} cuda_packing;

/* The packed bias of an op, NULL when it has none. */
const float *s2clr_cuda_packed_bias(const s2clr_op *op, const void *packed);

cuda_packing s2clr_cuda_packing_of(const s2clr_op_desc *desc, size_t element_bytes);

/* Weight and bias as in op_pack -> `packed`. Takes s2clr_cuda_pack_scratch() bytes of the stream's
 * scratch at `at`. */
size_t s2clr_cuda_pack_scratch(const s2clr_op_desc *desc);
s2clr_status s2clr_cuda_weights_pack(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                     const float *weight, const float *bias, void *packed);
/* Gradient of the weights, KRSC of `element` on the device (cuda_weights_packed()) -> plain, on the
 * host, visible on return. Scratch as above. */
s2clr_status s2clr_cuda_weights_gradient(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                         cuda_element element, const void *krsc, float *dweight);
/* dbias: sums of g over n, h, w. Takes s2clr_cuda_bias_scratch() bytes at `at`. */
size_t s2clr_cuda_bias_scratch(const s2clr_op *op);
s2clr_status s2clr_cuda_bias_gradient(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                      const void *g, float *dbias);

/* ---- streams: cuda_stream.c ---- */

s2clr_status s2clr_cuda_stream_new(s2clr_device *device, size_t scratch_bytes, s2clr_stream **out);
void s2clr_cuda_stream_free(s2clr_stream *stream);
s2clr_status s2clr_cuda_stream_wait(s2clr_stream *stream);

void *s2clr_cuda_scratch(const s2clr_stream *stream, size_t at);

/* Any number of bytes, through pinned memory. The host array may be reused on return, the copy
 * itself is queued. */
s2clr_status s2clr_cuda_to_device(s2clr_stream *stream, const void *host, size_t bytes,
                                  void *device);
/* There on return. */
s2clr_status s2clr_cuda_to_host(s2clr_stream *stream, const void *device, size_t bytes, void *host);

/* Arrays of an op's arguments in and out: the same, or, where stream->resident says that they are
 * the device's, a copy there that is only queued. */
s2clr_status s2clr_cuda_argument_in(s2clr_stream *stream, const void *array, size_t bytes,
                                    void *device);
s2clr_status s2clr_cuda_argument_out(s2clr_stream *stream, const void *device, size_t bytes,
                                     void *array);
s2clr_status s2clr_cuda_copy(s2clr_stream *stream, const void *from, size_t bytes, void *to);

s2clr_status s2clr_cuda_upload(s2clr_stream *stream, s2clr_shape shape, const float *nchw,
                               void *native);
s2clr_status s2clr_cuda_download(s2clr_stream *stream, s2clr_shape shape, const void *native,
                                 float *nchw);
s2clr_status s2clr_cuda_accumulate(s2clr_stream *stream, s2clr_shape shape, const void *x,
                                   void *sum);

extern const s2clr_backend_cutting s2clr_cuda_cutting; /* cuda_cut.c */

/* ---- recording: cuda_record.c ---- */

extern const s2clr_backend_recording s2clr_cuda_recording;

/* Refuses `what`, a noun, while the stream is recorded. */
s2clr_status s2clr_cuda_record_check(const s2clr_stream *stream, const char *what);

/* ---- arrays that stay on the device: cuda_training.c ---- */

extern const s2clr_backend_training s2clr_cuda_training;
extern const s2clr_backend_group s2clr_cuda_group;       /* cuda_nccl.c */
extern const s2clr_backend_contrast s2clr_cuda_contrast; /* cuda_contrast.c */
extern const s2clr_backend_views s2clr_cuda_views;       /* cuda_views.c */

/* ---- ops: cuda_op.c ---- */

s2clr_status s2clr_cuda_op_new(s2clr_device *device, const s2clr_op_desc *desc, s2clr_op **out);
void s2clr_cuda_op_free(s2clr_op *op);
s2clr_status s2clr_cuda_op_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                const float *bias, void *packed);
/* The same with weight and bias on the device. */
s2clr_status s2clr_cuda_op_pack_resident(const s2clr_op *op, s2clr_stream *stream,
                                         const float *weight, const float *bias, void *packed);
s2clr_status s2clr_cuda_op_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args);
s2clr_status s2clr_cuda_op_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args);
s2clr_status s2clr_cuda_op_reduce(const s2clr_op *op, s2clr_stream *stream,
                                  const s2clr_op_args *args, double *sums);
s2clr_status s2clr_cuda_op_reduce_backward(const s2clr_op *op, s2clr_stream *stream,
                                           const s2clr_op_args *args, double *sums);

/* What the functions below find checked: the pointers that the op needs are there, the stream's
 * scratch is large enough, the device is the thread's. */

/* Fills in kernel, packed_bytes, scratch_bytes and conv; op->desc, device, x, y, residual are set.
 * On failure s2clr_cuda_conv_free() is called. */
s2clr_status s2clr_cuda_conv_new(s2clr_op *op);
void s2clr_cuda_conv_free(s2clr_op *op);
s2clr_status s2clr_cuda_conv_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                  const float *bias, void *packed);
s2clr_status s2clr_cuda_conv_forward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args);
s2clr_status s2clr_cuda_conv_backward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args);

bool s2clr_cuda_is_linear(const s2clr_op_desc *desc);
s2clr_status s2clr_cuda_linear_new(s2clr_op *op);
void s2clr_cuda_linear_free(s2clr_op *op);
s2clr_status s2clr_cuda_linear_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                    const float *bias, void *packed);
s2clr_status s2clr_cuda_linear_forward(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args);
s2clr_status s2clr_cuda_linear_backward(const s2clr_op *op, s2clr_stream *stream,
                                        const s2clr_op_args *args);

/* Kinds that are not CONV: room they want (packed, scratch, workspace, kernel name), and runs. */
void s2clr_cuda_loops_new(s2clr_op *op);
s2clr_status s2clr_cuda_loops_forward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args);
s2clr_status s2clr_cuda_loops_backward(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args);
/* backward: sums of g and g * x instead of x and x * x. */
s2clr_status s2clr_cuda_loops_reduce(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args, bool backward, double *sums);

#endif
