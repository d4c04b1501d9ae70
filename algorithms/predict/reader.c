#include "predict/reader.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "predict/clock.h"
#include "predict/nesting.h"

/* Rows fetched by one call: small enough to stop soon, large enough for any file's own blocks. */
#define PIECE_ROWS 256

struct s2clr_reader {
    s2clr_stack *stack;
    const s2clr_engine *engine;
    const s2clr_tasks *tasks;
    int threads, bands, depth;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock. */
    s2clr_block ready;
    bool has_ready, stop;
    s2clr_status status;
    char text[1024];
    /* The thread's own: rows of the last block that the next one starts with. */
    float *carry; // (bands, carry_rows, w)
    uint8_t *carry_valid;
    int carry_rows;
    double busy_seconds;
};

static bool stopping(s2clr_reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    const bool stop = reader->stop;
    pthread_mutex_unlock(&reader->lock);
    return stop;
}

/* ---- rows of planes ---- */

/* Copies `rows` rows of every band between (bands, from_h, w) and (bands, to_h, w). */
static void copy_rows(const s2clr_reader *reader, int w, int rows, const float *from, int from_h,
                      int from_row, float *to, int to_h, int to_row)
{
    const size_t width = (size_t)w;
    for (int band = 0; band < reader->bands; band++) {
        const size_t source = ((size_t)band * (size_t)from_h + (size_t)from_row) * width;
        const size_t target = ((size_t)band * (size_t)to_h + (size_t)to_row) * width;
        memcpy(to + target, from + source, (size_t)rows * width * sizeof *to);
    }
}

static s2clr_status read_piece(s2clr_reader *reader, s2clr_block *block, int row, int rows,
                               float *piece)
{
    const int64_t y = block->y0 + row;
    if (s2clr_stack_is_empty(reader->stack, block->x0, y, block->w, rows)) return S2CLR_OK;
    S2CLR_TRY(s2clr_stack_read(reader->stack, block->x0, y, block->w, rows, piece,
                               block->valid + (size_t)row * (size_t)block->w));
    copy_rows(reader, block->w, rows, piece, rows, 0, block->values, block->h, row);
    return S2CLR_OK;
}

static s2clr_status read_rows(s2clr_reader *reader, s2clr_block *block, int first)
{
    const int most = block->h - first < PIECE_ROWS ? block->h - first : PIECE_ROWS;
    const size_t floats = (size_t)reader->bands * (size_t)most * (size_t)block->w;
    float *piece;
    s2clr_status status = S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(floats, sizeof *piece, "rows being read", (void **)&piece));
    for (int row = first; row < block->h && status == S2CLR_OK; row += most) {
        if (stopping(reader)) break;
        const int rows = block->h - row < most ? block->h - row : most;
        status = read_piece(reader, block, row, rows, piece);
    }
    s2clr_free(piece);
    return status;
}

/* ---- rows that two blocks share ---- */

static void drop_carry(s2clr_reader *reader)
{
    s2clr_free(reader->carry);
    s2clr_free(reader->carry_valid);
    reader->carry = NULL;
    reader->carry_valid = NULL;
    reader->carry_rows = 0;
}

/* Keeps the rows of `block` that block number `next` needs again. */
static s2clr_status keep_carry(s2clr_reader *reader, const s2clr_block *block, size_t next)
{
    s2clr_block after;
    if (next >= reader->tasks->count || reader->tasks->block[next].skip) return S2CLR_OK;
    const s2clr_task_block *task = &reader->tasks->block[next];
    s2clr_engine_window(reader->engine, task->column, task->row, task->columns, task->rows, &after);
    const int64_t end = block->y0 + block->h;
    if (after.x0 != block->x0 || after.w != block->w || after.y0 < block->y0 || after.y0 >= end)
        return S2CLR_OK;
    const int rows = (int)(end - after.y0), first = block->h - rows;
    const size_t pixels = (size_t)rows * (size_t)block->w;
    S2CLR_TRY(s2clr_alloc(pixels * (size_t)reader->bands, sizeof(float), "shared rows",
                          (void **)&reader->carry));
    S2CLR_TRY(s2clr_alloc(pixels, 1, "shared rows", (void **)&reader->carry_valid));
    copy_rows(reader, block->w, rows, block->values, block->h, first, reader->carry, rows, 0);
    memcpy(reader->carry_valid, block->valid + (size_t)first * (size_t)block->w, pixels);
    reader->carry_rows = rows;
    return S2CLR_OK;
}

/* Rows at the top of the block that were carried over; frees the carry. */
static int take_carry(s2clr_reader *reader, s2clr_block *block)
{
    const int rows = reader->carry_rows < block->h ? reader->carry_rows : block->h;
    if (rows > 0) {
        copy_rows(reader, block->w, rows, reader->carry, reader->carry_rows, 0, block->values,
                  block->h, 0);
        memcpy(block->valid, reader->carry_valid, (size_t)rows * (size_t)block->w);
    }
    drop_carry(reader);
    return rows;
}

/* ---- blocks ---- */

void s2clr_reader_release(s2clr_block *block)
{
    s2clr_free(block->values);
    s2clr_free(block->valid);
    *block = (s2clr_block){0};
}

static s2clr_status fill_block(s2clr_reader *reader, s2clr_block *block, size_t index)
{
    const size_t pixels = (size_t)block->w * (size_t)block->h;
    size_t floats;
    S2CLR_TRY(s2clr_size_mul(pixels, (size_t)reader->bands, &floats));
    S2CLR_TRY(s2clr_alloc(floats, sizeof(float), "block of pixels", (void **)&block->values));
    S2CLR_TRY(s2clr_alloc(pixels, 1, "block of valid flags", (void **)&block->valid));
    S2CLR_TRY(read_rows(reader, block, take_carry(reader, block)));
    S2CLR_TRY(keep_carry(reader, block, index + 1));
    block->empty = !memchr(block->valid, 1, pixels);
    return S2CLR_OK;
}

static s2clr_status read_block(s2clr_reader *reader, size_t index, s2clr_block *block)
{
    const s2clr_task_block *task = &reader->tasks->block[index];
    s2clr_engine_window(reader->engine, task->column, task->row, task->columns, task->rows, block);
    block->empty =
        task->skip || s2clr_stack_is_empty(reader->stack, block->x0, block->y0, block->w, block->h);
    if (block->empty) {
        drop_carry(reader);
        return S2CLR_OK;
    }
    const double start = s2clr_clock_seconds();
    const s2clr_status status = fill_block(reader, block, index);
    if (status != S2CLR_OK || block->empty) {
        s2clr_free(block->values);
        s2clr_free(block->valid);
        block->values = NULL;
        block->valid = NULL;
    }
    reader->busy_seconds += s2clr_clock_seconds() - start;
    return status;
}

/* Waits for room; false when the run is over. Takes the block in either case. */
static bool hand_over(s2clr_reader *reader, s2clr_block *block, s2clr_status status)
{
    pthread_mutex_lock(&reader->lock);
    while (reader->has_ready && !reader->stop) pthread_cond_wait(&reader->changed, &reader->lock);
    const bool go_on = status == S2CLR_OK && !reader->stop;
    if (go_on) {
        reader->ready = *block;
        reader->has_ready = true;
    } else {
        s2clr_reader_release(block);
        reader->status = status;
        snprintf(reader->text, sizeof reader->text, "%s", s2clr_error_text());
    }
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    return go_on;
}

static void *read_all(void *context)
{
    s2clr_reader *reader = context;
    char number[16];
    snprintf(number, sizeof number, "%d", reader->threads);
    s2clr_nesting_set(reader->depth);
    CPLPushErrorHandler(CPLQuietErrorHandler);
    if (!CPLGetConfigOption("GDAL_NUM_THREADS", NULL))
        CPLSetThreadLocalConfigOption("GDAL_NUM_THREADS", number);
    for (size_t i = 0; i < reader->tasks->count; i++) {
        s2clr_block block;
        const s2clr_status status = read_block(reader, i, &block);
        if (!hand_over(reader, &block, status)) break;
    }
    drop_carry(reader);
    CPLSetThreadLocalConfigOption("GDAL_NUM_THREADS", NULL);
    CPLPopErrorHandler();
    return NULL;
}

/* ---- the other side ---- */

s2clr_status s2clr_reader_start(s2clr_stack *stack, const s2clr_engine *engine,
                                const s2clr_tasks *tasks, int threads, s2clr_reader **out)
{
    s2clr_reader *reader;
    S2CLR_TRY(s2clr_alloc(1, sizeof *reader, "reader", (void **)&reader));
    reader->stack = stack;
    reader->engine = engine;
    reader->tasks = tasks;
    reader->threads = threads;
    reader->depth = s2clr_nesting_depth();
    reader->bands = s2clr_stack_describe(stack)->bands;
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->changed, NULL);
    const int failed = pthread_create(&reader->thread, NULL, read_all, reader);
    if (failed) {
        pthread_cond_destroy(&reader->changed);
        pthread_mutex_destroy(&reader->lock);
        s2clr_free(reader);
        return s2clr_error_set(S2CLR_ERR_MEMORY, "cannot start the reading thread: %s",
                               strerror(failed));
    }
    *out = reader;
    return S2CLR_OK;
}

static void wait_a_little(s2clr_reader *reader)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100 * 1000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&reader->changed, &reader->lock, &until);
}

s2clr_status s2clr_reader_next(s2clr_reader *reader, const s2clr_progress *progress,
                               double fraction, s2clr_block *out)
{
    s2clr_status status = S2CLR_OK;
    pthread_mutex_lock(&reader->lock);
    while (!reader->has_ready && reader->status == S2CLR_OK && status == S2CLR_OK) {
        wait_a_little(reader);
        pthread_mutex_unlock(&reader->lock);
        if (!s2clr_progress_report(progress, fraction, NULL))
            status = s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
        pthread_mutex_lock(&reader->lock);
    }
    if (status == S2CLR_OK && reader->has_ready) {
        *out = reader->ready;
        reader->has_ready = false;
        pthread_cond_broadcast(&reader->changed);
    } else if (status == S2CLR_OK) {
        status = s2clr_error_set(reader->status, "%s", reader->text);
    }
    pthread_mutex_unlock(&reader->lock);
    return status;
}

void s2clr_reader_stop(s2clr_reader *reader, double *busy_seconds)
{
    if (!reader) return;
    pthread_mutex_lock(&reader->lock);
    reader->stop = true;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    pthread_join(reader->thread, NULL);
    if (busy_seconds) *busy_seconds = reader->busy_seconds;
    if (reader->has_ready) s2clr_reader_release(&reader->ready);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    s2clr_free(reader);
}
