/*
 * What a recipe computes with: open devices of a backend, and threads.
 *
 *     s2clr_machine on = {.pool = pool};
 *     S2CLR_TRY(s2clr_machine_open("cuda:0+1", S2CLR_F32, &on));
 *     S2CLR_TRY(s2clr_supervised_run(&settings, card, &train, &val, &on, &progress, &result));
 *     s2clr_machine_close(&on);
 */
#ifndef S2CLR_TRAIN_MACHINE_H
#define S2CLR_TRAIN_MACHINE_H

#include "backend/backend.h"
#include "base/pool.h"

typedef struct s2clr_machine {
    const s2clr_backend *backend;
    s2clr_device *device; /* borrowed, as the rest */
    s2clr_pool *pool;
    s2clr_device *const *devices; // (device_count) that learn together, `device` being the first
    int device_count;             /* 0 or 1: `device` alone, which is all that anything else uses */
} s2clr_machine;

/* wanted: as in backend/device_several.h. The pool is left alone. */
s2clr_status s2clr_machine_open(const char *wanted, s2clr_precision precision, s2clr_machine *on);
/* Nothing for one that was not opened. */
void s2clr_machine_close(s2clr_machine *on);

/* What the device says of itself, "2 devices: ..." where there are several. */
void s2clr_machine_text(const s2clr_machine *on, char *text, size_t size);

/* Bytes of its own memory that every device of the machine has free; false when they are the
 * machine's, or not known. */
bool s2clr_machine_room(const s2clr_machine *on, size_t *available, size_t *total);

#endif
