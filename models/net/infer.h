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
 * Where patches overlap and the backend cuts (s2clr_plan_cuts), their pixels go up once:
 *
 *     s2clr_strip *strip;                                 // one for all sessions of the plan
 *     S2CLR_TRY(s2clr_strip_new(plan, &strip));
 *
 *     S2CLR_TRY(s2clr_strip_fill(strip, columns, rows, planes)); // for every block anew
 *
 *     S2CLR_TRY(s2clr_session_run_cut(session, strip, at, logits)); // from any thread
 *
 *     s2clr_strip_free(strip);
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

/* How its runs are queued, for bench: "call by call", and why where recording was tried in vain, or
 * "recorded" (backend.h, from the third run on). */
const char *s2clr_session_way(const s2clr_session *session);

/* ---- strips: pixels on the device that windows are cut from ---- */

typedef struct s2clr_strip s2clr_strip;

/* Whether there can be any: the backend has `cutting`. */
bool s2clr_plan_cuts(const s2clr_plan *plan);

/* Without pixels at first. The plan must outlive it. S2CLR_ERR_UNSUPPORTED where there can be none.
 */
s2clr_status s2clr_strip_new(const s2clr_plan *plan, s2clr_strip **out);
void s2clr_strip_free(s2clr_strip *strip); /* NULL is allowed */

/* Without pixels again: gives the device's memory back until it is filled the next time. */
void s2clr_strip_empty(s2clr_strip *strip);

/* Its pixels from now on; nobody else may use the strip meanwhile. planes: (C, rows, columns)
 * normalised, C of the plan's input; read on return. After a failure it has no pixels. */
s2clr_status s2clr_strip_fill(s2clr_strip *strip, int64_t columns, int64_t rows,
                              const float *planes);

/* Bytes on the device of a fill. */
size_t s2clr_strip_bytes(const s2clr_plan *plan, int64_t columns, int64_t rows);

/* s2clr_session_run() with x being the windows whose left upper pixels lie at the columns and rows
 * `at` of the strip; what lies outside is 0. at: (N), of the same plan. The same bytes as from
 * s2clr_session_run(). S2CLR_ERR_ARGUMENT when the strip has no pixels. */
s2clr_status s2clr_session_run_cut(s2clr_session *session, const s2clr_strip *strip,
                                   const int64_t (*at)[2], float *y);

#endif
