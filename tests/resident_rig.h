/*
 * Arrays of a device, for the tests of what trains with them.
 *
 *     static void check(resident_place *p, resident_place *wanted) { ... p->on->add(...) ... }
 *     resident_everywhere(check);  // every backend that has the table, the portable one beside it
 */
#ifndef S2CLR_TESTS_RESIDENT_RIG_H
#define S2CLR_TESTS_RESIDENT_RIG_H

#include "backend/backend_training.h"

enum { RESIDENT_SCRATCH = 1 << 20, RESIDENT_ARRAYS = 40 };

/* An open device with a stream, and what was put on it. */
typedef struct resident_place {
    const s2clr_backend *be;
    const s2clr_backend_training *on;
    s2clr_device *device;
    s2clr_stream *stream;
    void *array[RESIDENT_ARRAYS]; /* freed at the end */
    int arrays;
} resident_place;

resident_place resident_open(const s2clr_backend *be, s2clr_precision precision, size_t scratch);
void resident_close(resident_place *p);

const s2clr_backend *resident_portable(void);
void resident_everywhere(void (*check)(resident_place *p, resident_place *wanted));

/* `bytes` on the device, `offset` behind a round address. from NULL: NaN. */
void *resident_put(resident_place *p, const void *from, size_t bytes, size_t offset);
/* Floats where parameters may begin: anywhere. */
float *resident_put_floats(resident_place *p, const float *from, size_t count);
void resident_get(resident_place *p, const void *from, size_t bytes, void *to);

/* In [-1, 1). */
void resident_random(uint64_t stream, size_t count, float *out);

/* Fails unless |a - b| <= tolerance * largest |b| and all are finite. */
void resident_near(const char *who, const char *what, const float *a, const float *b, size_t count,
                   double tolerance);

#endif
