/*
 * Private to the CUDA module: convolutions as cuDNN plans, and the plans a device has made.
 *
 *     cuda_planned *planned;
 *     const s2clr_status status = s2clr_cuda_plans_take(device, &shape, &planned);
 *     if (status == S2CLR_ERR_UNSUPPORTED) ... // cuDNN has no engine for it
 *     s2clr_cuda_planned_run(planned, stream, &tensors, workspace);
 *     s2clr_cuda_plans_give(device, planned);
 *
 * One plan per shape, direction and fusion, however many ops and threads use it: the same shape
 * gets the same bits. That there is no engine is remembered as well, that one failed is not.
 */
#ifndef S2CLR_BACKEND_CUDA_PLAN_H
#define S2CLR_BACKEND_CUDA_PLAN_H

#include "backend/cuda_graph.h"
#include "backend/cudap.h"

/* What is done to the result of a forward convolution before it is written. Whatever is fused, a
 * bias is fused with it: for graphs without one cuDNN has no ready-made engines (see cuda_graph.h).
 */
enum { CUDA_FUSED_RESIDUAL = 1, CUDA_FUSED_BIAS = 2, CUDA_FUSED_RELU = 4 };

/* A convolution as cuDNN sees it: channels filled up. No padding bytes: compared with memcmp. */
typedef struct cuda_conv_shape {
    int64_t n, xc, xh, xw, yc, yh, yw;
    int64_t wc, kh, kw; /* of the filter (yc, wc, kh, kw); xc / wc groups */
    cuda_convolution window;
    int64_t direction; /* cuda_direction */
    int64_t element;   /* cuda_element of all tensors */
    int64_t fused;     /* CUDA_FUSED_*, CUDA_FORWARD only */
} cuda_conv_shape;

/* Filled up as the packed weights are. Whether cuDNN can express it: groups whose channels are
 * filled up apart cannot. */
bool s2clr_cuda_conv_shape(const s2clr_op *op, cuda_direction direction, int64_t fused,
                           cuda_conv_shape *out);

/* Device pointers by role: dx is x, dy is y, dw is w in the backward directions. */
typedef struct cuda_conv_tensors {
    void *x, *w, *y;
    void *bias, *residual; /* read when fused; the bias is of `element`, filled up */
} cuda_conv_tensors;

/* What must not be in an engine of this precision; fast: it may differ from run to run. */
unsigned s2clr_cuda_refused_notes(s2clr_precision precision, bool fast);

/* S2CLR_ERR_UNSUPPORTED, without a message, when cuDNN has no engine. device: for messages. */
s2clr_status s2clr_cuda_conv_plan(const s2clr_device *device, const cuda_planner *planner,
                                  const cuda_rules *rules, const cuda_conv_shape *shape,
                                  cuda_plan *out);

/* ---- the cache ---- */

/* Plans that no op uses are kept for the next one, up to this many. */
enum { CUDA_IDLE_PLANS = 128 };

typedef struct cuda_planned {
    cuda_conv_shape shape;
    cuda_plan plan; /* plan.plan is NULL: there is no engine */
    size_t users;
    struct cuda_planned *next;
} cuda_planned;

struct cuda_plan_cache *s2clr_cuda_plans_new(void); /* NULL: no memory */
void s2clr_cuda_plans_free(struct cuda_plan_cache *cache);

/* Both lock device->planner_lock. */
s2clr_status s2clr_cuda_plans_take(s2clr_device *device, const cuda_conv_shape *shape,
                                   cuda_planned **out);
void s2clr_cuda_plans_give(s2clr_device *device, cuda_planned *planned); /* NULL: nothing */

/* Entries of the cache, with and without an engine: for tests. */
size_t s2clr_cuda_plans_count(s2clr_device *device);

s2clr_status s2clr_cuda_planned_run(const cuda_planned *planned, s2clr_stream *stream,
                                    const cuda_conv_tensors *tensors, void *workspace);

#endif
