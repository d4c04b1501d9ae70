/*
 * A model ready to compute: device, packed weights, worker pool and one session per worker. Shared
 * by all engines of the process that want the same, so that sixteen datasets of one model hold its
 * weights once and do not start sixteen pools.
 *
 *     s2clr_runtime *runtime;
 *     S2CLR_TRY(s2clr_runtime_acquire(model, "auto", S2CLR_F32, 0, S2CLR_AIM_PROBABILITY,
 *                                     &runtime));
 *     ... s2clr_engine_new(runtime, &grid, &options, &engine) ...
 *     s2clr_runtime_release(runtime);
 *
 * Nothing of this exists before somebody asks for a pixel: acquiring is what loads backend modules
 * and starts threads. One engine computes at a time per runtime (it uses all its workers); others
 * wait. Releasing the last user frees it, except that the one released last of all is kept idle for
 * the next user until s2clr_runtime_drop_idle() (the plug-in calls that when GDAL unloads it).
 * Thread-safe. After a fork the child makes its own; engines it inherits refuse to compute.
 */
#ifndef S2CLR_PREDICT_RUNTIME_H
#define S2CLR_PREDICT_RUNTIME_H

#include <stddef.h>

#include "backend/backend.h"
#include "file/model.h"

typedef enum s2clr_aim {
    S2CLR_AIM_PROBABILITY, /* one logit: of patches, or local ones (dense) */
    S2CLR_AIM_CLASSES,     /* the logits of a network that tells K classes apart */
    S2CLR_AIM_EMBEDDING    /* what the last linear layer sees */
} s2clr_aim;

typedef struct s2clr_runtime s2clr_runtime;

/* model: from s2clr_model_acquire(); the runtime takes a hold of its own. device: as in
 * s2clr_device_select(). threads: 0 means one per CPU. */
s2clr_status s2clr_runtime_acquire(const s2clr_model *model, const char *device,
                                   s2clr_precision precision, int threads, s2clr_aim aim,
                                   s2clr_runtime **out);
void s2clr_runtime_release(s2clr_runtime *runtime); /* NULL is allowed */

/* Frees the idle one, if there is one. */
void s2clr_runtime_drop_idle(void);

/* Borrowed. */
const s2clr_model *s2clr_runtime_model(const s2clr_runtime *runtime);
const char *s2clr_runtime_device(const s2clr_runtime *runtime); /* "onednn: oneDNN 2.6.3, avx2" */
int s2clr_runtime_threads(const s2clr_runtime *runtime);

/* Floats per position of what it computes: 1 (probability), K (classes) or F (embedding). */
int s2clr_runtime_planes(const s2clr_runtime *runtime);

/* Runtimes alive, idle one included; for tests. */
size_t s2clr_runtime_count(void);

#endif
