/*
 * Files that let a run go on after it was killed: named arrays, counters, and the identity of the
 * run, in one safetensors file that is replaced at once.
 *
 *     const s2clr_run_array arrays[] = {{"logits", logits, count}};
 *     S2CLR_TRY(s2clr_run_state_save(path, "s2clr.teacher", identity, counters, arrays, 1));
 *
 * checkpoint.h and teach.h say what they keep in one.
 */
#ifndef S2CLR_TRAIN_RUN_STATE_H
#define S2CLR_TRAIN_RUN_STATE_H

#include <jansson.h>
#include <stddef.h>

#include "base/status.h"

typedef struct s2clr_run_array {
    const char *name;
    float *values; // (count) borrowed
    size_t count;
} s2clr_run_array;

/* key: of the metadata, tells kinds of files apart. identity: JSON object as text. counters: JSON
 * object, taken, also on failure. Write, fsync, rename: the old file stays whole until then. */
s2clr_status s2clr_run_state_save(const char *path, const char *key, const char *identity,
                                  json_t *counters, const s2clr_run_array *arrays, size_t count);

/* Fills the arrays, whose counts must fit the file and whose values must be finite; *counters is
 * new, for json_decref(). S2CLR_ERR_MISMATCH names every entry of the identity that differs. On
 * failure the arrays may be partly written. */
s2clr_status s2clr_run_state_load(const char *path, const char *key, const char *identity,
                                  const s2clr_run_array *arrays, size_t count, json_t **counters);

/* A counter of the file in [0, highest]; S2CLR_ERR_FORMAT otherwise. */
s2clr_status s2clr_run_state_counter(const char *path, const json_t *counters, const char *name,
                                     json_int_t highest, json_int_t *out);

#endif
