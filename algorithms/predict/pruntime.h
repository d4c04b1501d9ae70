/*
 * What a runtime holds, for the engine: plan, sessions and buffers of one fixed unit shape.
 */
#ifndef S2CLR_PREDICT_PRUNTIME_H
#define S2CLR_PREDICT_PRUNTIME_H

#include <pthread.h>
#include <sys/types.h>

#include "base/pool.h"
#include "net/infer.h"
#include "predict/runtime.h"

#define S2CLR_UNIT_PATCHES                                                                         \
    4                           /* patch models: neighbours of one grid row, where the backend has \
                                 * no wish: the CPU's caches hold the layers of few patches */
#define S2CLR_UNIT_POSITIONS 64 /* local logits along a side of a dense unit */

struct s2clr_runtime {
    /* Set when made, then never changed. */
    char wish[64]; /* the caller's word for the device */
    s2clr_precision precision;
    s2clr_aim aim;
    const s2clr_model *model;
    bool local; /* local logits or features, not whole patches */
    const s2clr_backend *backend;
    s2clr_device *device;
    char description[448];
    s2clr_pool *pool;
    int threads;
    s2clr_pool *unit_pool; /* computes units, with a session per worker: `pool`, or one of its own
                            * where a device wants fewer */
    int sessions;
    s2clr_plan *plan;
    int unit;                         /* patch models: patches of a unit */
    int side;                         /* of a unit's square input, pixels */
    int planes;                       /* floats per patch or position */
    size_t input_count, output_count; /* floats of a unit */
    pid_t process;

    /* Belong to the one engine that computes, which holds `turn`. */
    pthread_mutex_t turn;
    s2clr_session **session; // (sessions)
    float **input, **output; // (sessions) of the plan's shapes; input: where the host cuts
    s2clr_strip *strip;      /* where the device cuts: a block's pixels, else NULL */

    /* Guarded by the lock in runtime.c. */
    s2clr_runtime *next;
    int users;
    bool ready;
};

#endif
