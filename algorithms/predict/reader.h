/*
 * The reading side of a run: one thread that fetches the blocks of a task list in order, so that
 * reading overlaps computing. One block waits while the next is read.
 *
 *     S2CLR_TRY(s2clr_reader_start(stack, engine, &tasks, threads, &reader));
 *     while (... s2clr_reader_next(reader, progress, fraction, &block) ...) {
 *         ... compute ...
 *         s2clr_reader_release(&block);
 *     }
 *     s2clr_reader_stop(reader);
 */
#ifndef S2CLR_PREDICT_READER_H
#define S2CLR_PREDICT_READER_H

#include "predict/tasks.h"
#include "sentinel2/stack.h"

typedef struct s2clr_reader s2clr_reader;

/* The stack belongs to the reader until it is stopped. threads: for GDAL's own decoders, unless
 * GDAL_NUM_THREADS says otherwise. Nothing is read for blocks that are to be skipped. */
s2clr_status s2clr_reader_start(s2clr_stack *stack, const s2clr_engine *engine,
                                const s2clr_tasks *tasks, int threads, s2clr_reader **out);

/* The next block of the list, as many times as the list has blocks. While waiting, asks `progress`
 * with `fraction` several times a second. */
s2clr_status s2clr_reader_next(s2clr_reader *reader, const s2clr_progress *progress,
                               double fraction, s2clr_block *out);
void s2clr_reader_release(s2clr_block *block);

/* Ends the thread (after the piece being read), frees everything; NULL is allowed.
 * *busy_seconds: time spent reading; may be NULL. */
void s2clr_reader_stop(s2clr_reader *reader, double *busy_seconds);

#endif
