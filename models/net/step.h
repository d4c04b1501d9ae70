/*
 * Forward and backward of one training batch.
 *
 *     s2clr_step *step;
 *     const s2clr_step_options options = {.batch = 64, .micro = 16, .h = 64, .w = 64};
 *     S2CLR_TRY(s2clr_step_new(net, backend, device, pool, &options, &step));
 *     S2CLR_TRY(s2clr_step_forward(step, params, x, logits));
 *     ... loss: logits -> dlogits ...
 *     S2CLR_TRY(s2clr_step_backward(step, params, dlogits, dparams));
 *
 * The batch is cut into fixed micro-batches. The network is walked node by node; workers share out
 * the micro-batches of a node, then batch-norm sums (and weight gradients) are reduced in
 * micro-batch order. So batch-norm statistics are those of the whole batch, and the result does
 * not depend on the number of threads. On a bf16 device activations and packed weights are bf16;
 * params, their gradients and batch-norm sums stay float32 and double (master weights).
 */
#ifndef S2CLR_NET_STEP_H
#define S2CLR_NET_STEP_H

#include "base/pool.h"
#include "net/net.h"

typedef struct s2clr_step s2clr_step;

typedef struct s2clr_step_options {
    s2clr_output output; /* LOGITS, PROJECTION or FEATURES: what forward returns; K values each */
    int batch, micro;    /* the first a multiple of the second */
    int h, w;
    size_t frozen; /* nodes [0, frozen) are not trained: they have no gradients, and their batch
                    * norms use the running statistics and leave them alone */
    bool resident; /* params and dparams are arrays of the device (backend_training.h), and so is
                    * all that is made of them; micro must be batch */
} s2clr_step_options;

/* net, device and pool must outlive the step. Only the ancestors of the output are computed. Free
 * with s2clr_step_free(). One thread at a time. */
s2clr_status s2clr_step_new(const s2clr_net *net, const s2clr_backend *backend,
                            s2clr_device *device, s2clr_pool *pool,
                            const s2clr_step_options *options, s2clr_step **out);
void s2clr_step_free(s2clr_step *step);

/* x: (batch, C, H, W). out: (batch, K). Running statistics in params (the part behind the
 * trainable parameters) are updated: running = 0.9 running + 0.1 batch (unbiased variance), as
 * PyTorch does. */
s2clr_status s2clr_step_forward(s2clr_step *step, float *params, const float *x, float *out);

/* The same without touching the running statistics: a batch's second look at the network. */
s2clr_status s2clr_step_replay(s2clr_step *step, const float *params, const float *x, float *out);

/* dout: (batch, K), already divided by whatever the loss averages over. dparams: trainable count
 * floats, overwritten; 0 for parameters that are frozen or do not lead to the output. Must follow
 * the forward or replay of the same batch with unchanged params. */
s2clr_status s2clr_step_backward(s2clr_step *step, const float *params, const float *dout,
                                 float *dparams);

/* The stream that a resident step computes on: what is queued there comes before its next call. */
s2clr_stream *s2clr_step_stream(const s2clr_step *step);

/* From now on x of a resident step is an array of the device as well. */
void s2clr_step_take_resident(s2clr_step *step);

/* Bytes held for activations, gradients, packed weights and scratch. */
size_t s2clr_step_bytes(const s2clr_step *step);

/* What s2clr_step_bytes() of such a step would say with `threads` workers, without holding them.
 * buffers: how many of them are in buffers of the device. */
s2clr_status s2clr_step_needs(const s2clr_net *net, const s2clr_backend *backend,
                              s2clr_device *device, int threads, const s2clr_step_options *options,
                              size_t *bytes, size_t *buffers);

#endif
