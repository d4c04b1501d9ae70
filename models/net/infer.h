/*
 * Inference: a plan (network + weights compiled for one backend and one fixed shape) and sessions
 * that run it.
 *
 *     s2clr_plan *plan;                                   // shared by threads, immutable
 *     S2CLR_TRY(s2clr_plan_new(net, params, backend, device, S2CLR_OUTPUT_LOGITS, 4, 120, 120,
 *                              &plan));
 *     s2clr_session *session;                             // one per thread
 *     S2CLR_TRY(s2clr_session_new(plan, &session));
 *     S2CLR_TRY(s2clr_session_run(session, x, logits));
 *
 * Making a plan folds batch norm into the convolutions, fuses residual sums and activations, drops
 * nodes the output does not need, packs the weights and lays activations out in an arena where a
 * buffer is reused as soon as its last reader has run. The same input gives the same bits on every
 * session of a plan.
 */
#ifndef S2CLR_NET_INFER_H
#define S2CLR_NET_INFER_H

#include "net/net.h"

typedef struct s2clr_plan s2clr_plan;
typedef struct s2clr_session s2clr_session;

/* params: the flat array of net (copied into packed form; may be freed afterwards). n, h, w: the
 * one shape every run has. device must outlive the plan. Free with s2clr_plan_free(). */
s2clr_status s2clr_plan_new(const s2clr_net *net, const float *params, const s2clr_backend *backend,
                            s2clr_device *device, s2clr_output output, int n, int h, int w,
                            s2clr_plan **out);
void s2clr_plan_free(s2clr_plan *plan);

s2clr_shape s2clr_plan_input(const s2clr_plan *plan);
s2clr_shape s2clr_plan_output(const s2clr_plan *plan);

/* Bytes of one session's arena and of the packed weights. */
size_t s2clr_plan_session_bytes(const s2clr_plan *plan);
size_t s2clr_plan_weight_bytes(const s2clr_plan *plan);

/* 2 x multiply-adds of one run, padding taps counted. */
double s2clr_plan_flop(const s2clr_plan *plan);

/* Name of the kernel of the i-th op, NULL past the end: for bench and for spotting slow paths. */
const char *s2clr_plan_kernel(const s2clr_plan *plan, size_t index);

/* Belongs to one thread at a time; the plan must outlive it. */
s2clr_status s2clr_session_new(const s2clr_plan *plan, s2clr_session **out);
void s2clr_session_free(s2clr_session *session);

/* x: (N, C, H, W) normalised; y: the plan's output shape, NCHW. Both plain float32 of the caller.
 */
s2clr_status s2clr_session_run(s2clr_session *session, const float *x, float *y);

#endif
