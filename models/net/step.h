/*
 * Forward and backward of one training batch.
 *
 *     s2clr_step *step;
 *     S2CLR_TRY(s2clr_step_new(net, backend, device, pool, 64, 16, 64, 64, &step));
 *     S2CLR_TRY(s2clr_step_forward(step, params, x, logits));
 *     ... loss: logits -> dlogits ...
 *     S2CLR_TRY(s2clr_step_backward(step, params, dlogits, dparams));
 *
 * The batch is cut into fixed micro-batches. The network is walked node by node; workers share out
 * the micro-batches of a node, then batch-norm sums (and weight gradients) are reduced in
 * micro-batch order. So batch-norm statistics are those of the whole batch, and the result does
 * not depend on the number of threads.
 */
#ifndef S2CLR_NET_STEP_H
#define S2CLR_NET_STEP_H

#include "base/pool.h"
#include "net/net.h"

typedef struct s2clr_step s2clr_step;

/* batch must be a multiple of micro. net, device and pool must outlive the step. Only the
 * ancestors of the logits are computed. Free with s2clr_step_free(). One thread at a time. */
s2clr_status s2clr_step_new(const s2clr_net *net, const s2clr_backend *backend,
                            s2clr_device *device, s2clr_pool *pool, int batch, int micro, int h,
                            int w, s2clr_step **out);
void s2clr_step_free(s2clr_step *step);

/* x: (batch, C, H, W). logits: (batch, K). Running statistics in params (the part behind the
 * trainable parameters) are updated: running = 0.9 running + 0.1 batch (unbiased variance), as
 * PyTorch does; epsilon is 1e-5. */
s2clr_status s2clr_step_forward(s2clr_step *step, float *params, const float *x, float *logits);

/* dlogits: (batch, K), already divided by whatever the loss averages over. dparams: trainable
 * count floats, overwritten. Must follow the forward of the same batch with unchanged params. */
s2clr_status s2clr_step_backward(s2clr_step *step, const float *params, const float *dlogits,
                                 float *dparams);

/* Bytes held for activations, gradients and packed weights. */
size_t s2clr_step_bytes(const s2clr_step *step);

#endif
