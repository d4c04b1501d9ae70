/*
 * How a run is cut into blocks: full-width strips where memory allows, ending where units end.
 *
 * The cut decides speed and memory only; values do not depend on it (predict/engine.h).
 */
#ifndef S2CLR_PREDICT_TASKS_H
#define S2CLR_PREDICT_TASKS_H

#include <stdbool.h>

#include "predict/engine.h"

typedef struct s2clr_task_block {
    int column, row, columns, rows; /* output pixels */
    bool skip;                      /* nothing in it is wanted */
} s2clr_task_block;

typedef struct s2clr_tasks {
    s2clr_task_block *block; // (count), row by row
    size_t count;
    size_t bytes;        /* needed by the engine and all blocks in flight */
    size_t device_bytes; /* a device with memory of its own: needed there, and what it may be; */
    size_t device_limit; /* elsewhere 0 */
} s2clr_tasks;

/* Bytes for a run that is told so many MB; 0: a quarter of what is available, 512 MB at least. */
size_t s2clr_tasks_memory(size_t megabytes);

/* Share of the memory that a plan leaves to GDAL's block cache. */
size_t s2clr_tasks_cache_bytes(size_t memory);

/* Blocks alive at once: read, queued, computed. */
#define S2CLR_BLOCKS_IN_FLIGHT 3

/* window: column, row, columns, rows of the output. memory: of the machine, device_memory: of a
 * device that has its own, 0 for what it has free. S2CLR_ERR_MEMORY names how much the smallest
 * block needs. Free with s2clr_tasks_free(). */
s2clr_status s2clr_tasks_plan(const s2clr_engine *engine, const int window[4], size_t memory,
                              size_t device_memory, s2clr_tasks *out);
void s2clr_tasks_free(s2clr_tasks *tasks);

#endif
