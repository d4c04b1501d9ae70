/*
 * The streaming run that predict and the driver share: a window of the output grid, cut into blocks
 * that fit the memory, read ahead by one thread while the block before is computed.
 *
 *     s2clr_stream_request request = {.window = {0, 0, grid.columns, grid.rows}, .factor = 1, ...};
 *     S2CLR_TRY(s2clr_stream_run(engine, stack, &request, &times));
 *
 * With factor f > 1 the window is one of overview level f, whose pixel i is base pixel
 * min(f*i + floor(f/2), last): only the units that hold such pixels are computed, and where these
 * lie far enough apart only their rows are read.
 */
#ifndef S2CLR_PREDICT_STREAM_H
#define S2CLR_PREDICT_STREAM_H

#include "predict/engine.h"

/* One finished piece of the window, in pixels of the level asked for. values.* are (rows, columns)
 * and belong to the stream; empty: everything is nodata and no plane is filled. A piece without
 * valid pixels has shares of 0, so with `valid` it is not empty unless nothing in it is wanted. */
typedef struct s2clr_stream_piece {
    int column, row, columns, rows;
    bool empty;
    s2clr_values values;
} s2clr_stream_piece;

typedef struct s2clr_stream_request {
    int window[4];                /* column, row, columns, rows at the level */
    int factor;                   /* 1, 2, 4, 8 ... */
    size_t memory, device_memory; /* bytes that may be used, see s2clr_tasks_plan() */
    bool valid, evidence;         /* planes wanted besides the probability or the embedding */

    /* Which pixels of a piece are wanted: sets mask (rows, columns) and *any; NULL: all. Called
     * with mask NULL when only *any is asked for, before anything is read. May be called twice. */
    s2clr_status (*wanted)(void *context, int column, int row, int columns, int rows, uint8_t *mask,
                           bool *any);
    /* Takes a finished piece. Pieces come row by row, those of one row from left to right. */
    s2clr_status (*done)(void *context, const s2clr_stream_piece *piece);
    void *context;

    const s2clr_progress *progress; /* NULL: none; runs from `from` to `to` */
    double from, to;
} s2clr_stream_request;

typedef struct s2clr_stream_times {
    double read_seconds, compute_seconds, done_seconds;
    uint64_t skipped; /* pixels that were not wanted or certainly empty */
} s2clr_stream_times;

/* The stack belongs to the stream until it returns. times may be NULL. */
s2clr_status s2clr_stream_run(s2clr_engine *engine, s2clr_stack *stack,
                              const s2clr_stream_request *request, s2clr_stream_times *times);

#endif
