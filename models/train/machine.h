/*
 * What a recipe computes with: an open device of a backend, and threads.
 *
 *     s2clr_machine on = {.pool = pool};
 *     S2CLR_TRY(s2clr_device_select("auto", S2CLR_F32, &on.backend, &on.device));
 *     S2CLR_TRY(s2clr_supervised_run(&settings, card, &train, &val, &on, &progress, &result));
 *     on.backend->device_close(on.device);
 */
#ifndef S2CLR_TRAIN_MACHINE_H
#define S2CLR_TRAIN_MACHINE_H

#include "backend/backend.h"
#include "base/pool.h"

typedef struct s2clr_machine {
    const s2clr_backend *backend;
    s2clr_device *device; /* borrowed, as the rest */
    s2clr_pool *pool;
} s2clr_machine;

#endif
