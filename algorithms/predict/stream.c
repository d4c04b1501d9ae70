#include "predict/stream.h"

#include <string.h>

#include "base/memory.h"
#include "predict/clock.h"
#include "predict/pengine.h"
#include "predict/reader.h"
#include "predict/tasks.h"

typedef struct stream {
    s2clr_engine *engine;
    const s2clr_stream_request *request;
    s2clr_tasks tasks; /* blocks of base pixels */
    s2clr_reader *reader;
    s2clr_values values; /* of one block, then of its piece */
    uint8_t *wanted;     // (rows, columns) of a block; NULL when all of every block is wanted
    uint8_t *mask;       // (rows, columns) of a piece, when it is not the whole block
    double total, done;  /* pixels of the window */
    double from, to;     /* progress at begin and end of the block being computed */
    s2clr_stream_times times;
} stream;

/* ---- levels, along one axis ---- */

static int base_of(int factor, int last, int64_t i)
{
    const int64_t base = i * factor + factor / 2;
    return (int)(base < last ? base : last);
}

/* The first level pixel whose base pixel is not before `base`; as many as there are beyond all. */
static int level_of(int factor, int last, int base)
{
    if (base > last) return last / factor + 1;
    const int64_t after = (int64_t)base - factor / 2;
    return after <= 0 ? 0 : (int)((after + factor - 1) / factor);
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* The piece of the window that a block of base pixels holds; may have no columns or rows. */
static s2clr_stream_piece piece_of(const stream *s, int column, int row, int columns, int rows)
{
    const int *window = s->request->window, factor = s->request->factor;
    const s2clr_grid *grid = &s->engine->grid;
    const int right = window[0] + window[2], bottom = window[1] + window[3];
    s2clr_stream_piece piece = {
        .column = clamp(level_of(factor, grid->columns - 1, column), window[0], right),
        .row = clamp(level_of(factor, grid->rows - 1, row), window[1], bottom)};
    const int end_column = level_of(factor, grid->columns - 1, column + columns);
    const int end_row = level_of(factor, grid->rows - 1, row + rows);
    piece.columns = clamp(end_column, window[0], right) - piece.column;
    piece.rows = clamp(end_row, window[1], bottom) - piece.row;
    return piece;
}

/* Offset in a block of level pixel (column, row) of a piece. */
static size_t offset_in(const stream *s, const s2clr_block *block, int column, int row)
{
    const int factor = s->request->factor;
    const int x = base_of(factor, s->engine->grid.columns - 1, column) - block->column;
    const int y = base_of(factor, s->engine->grid.rows - 1, row) - block->row;
    return (size_t)y * (size_t)block->columns + (size_t)x;
}

/* ---- the list of blocks ---- */

static s2clr_status check_request(const stream *s)
{
    const int *window = s->request->window, factor = s->request->factor;
    const s2clr_grid *grid = &s->engine->grid;
    if (factor < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "overview factor %d: must be >= 1", factor);
    const int columns = (grid->columns - 1) / factor + 1, rows = (grid->rows - 1) / factor + 1;
    if (window[0] >= 0 && window[1] >= 0 && window[2] >= 1 && window[3] >= 1 &&
        window[0] <= columns - window[2] && window[1] <= rows - window[3])
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "window at column %d row %d of %d x %d outputs: the grid has %d x %d",
                           window[0], window[1], window[2], window[3], columns, rows);
}

/* One strip per row of the level, each cut as `row` is, which is given up. */
static s2clr_status repeat_row(stream *s, s2clr_tasks *row)
{
    const int *window = s->request->window, last = s->engine->grid.rows - 1;
    const size_t count = row->count * (size_t)window[3];
    s2clr_task_block *list;
    S2CLR_TRY(s2clr_alloc(count, sizeof *list, "list of blocks", (void **)&list));
    for (size_t i = 0; i < count; i++) {
        list[i] = row->block[i % row->count];
        list[i].row = base_of(s->request->factor, last, window[1] + (int64_t)(i / row->count));
    }
    s2clr_free(row->block);
    row->block = NULL;
    s->tasks = *row;
    s->tasks.block = list;
    s->tasks.count = count;
    return S2CLR_OK;
}

/* Rows so far apart that no pixel is needed for two of them: what lies between is not read. */
static bool rows_are_apart(const stream *s)
{
    const int64_t apart = (int64_t)s->request->factor * s->engine->grid.stride;
    return s->request->factor > 1 && apart >= s->engine->runtime->side;
}

static s2clr_status plan(stream *s)
{
    const int *window = s->request->window, factor = s->request->factor;
    const s2clr_grid *grid = &s->engine->grid;
    const int left = base_of(factor, grid->columns - 1, window[0]);
    const int top = base_of(factor, grid->rows - 1, window[1]);
    const int right = base_of(factor, grid->columns - 1, (int64_t)window[0] + window[2] - 1);
    const int bottom = base_of(factor, grid->rows - 1, (int64_t)window[1] + window[3] - 1);
    int base[4] = {left, top, right - left + 1, bottom - top + 1};
    const bool apart = rows_are_apart(s);
    s2clr_tasks tasks;
    if (apart) base[3] = 1;
    S2CLR_TRY(
        s2clr_tasks_plan(s->engine, base, s->request->memory, s->request->device_memory, &tasks));
    if (!apart) {
        s->tasks = tasks;
        return S2CLR_OK;
    }
    const s2clr_status status = repeat_row(s, &tasks);
    s2clr_tasks_free(&tasks);
    return status;
}

static s2clr_status mark_skipped(stream *s)
{
    const s2clr_stream_request *request = s->request;
    for (size_t i = 0; i < s->tasks.count; i++) {
        s2clr_task_block *block = &s->tasks.block[i];
        const s2clr_stream_piece piece =
            piece_of(s, block->column, block->row, block->columns, block->rows);
        bool any = piece.columns > 0 && piece.rows > 0;
        if (any && request->wanted)
            S2CLR_TRY(request->wanted(request->context, piece.column, piece.row, piece.columns,
                                      piece.rows, NULL, &any));
        block->skip = !any;
    }
    return S2CLR_OK;
}

static s2clr_status allocate(stream *s)
{
    const s2clr_stream_request *request = s->request;
    const size_t planes = (size_t)s->engine->planes;
    const bool embedding = s->engine->runtime->aim == S2CLR_AIM_EMBEDDING;
    const bool masked = request->wanted || request->factor > 1;
    size_t most = 1, floats;
    for (size_t i = 0; i < s->tasks.count; i++) {
        const s2clr_task_block *block = &s->tasks.block[i];
        const size_t outputs = (size_t)block->columns * (size_t)block->rows;
        if (!block->skip && outputs > most) most = outputs;
    }
    S2CLR_TRY(s2clr_size_mul(most, planes, &floats));
    float **first = embedding ? &s->values.embedding : &s->values.probability;
    S2CLR_TRY(s2clr_alloc(floats, sizeof(float), "block of output", (void **)first));
    if (request->valid)
        S2CLR_TRY(s2clr_alloc(most, sizeof(float), "valid shares", (void **)&s->values.valid));
    if (request->evidence)
        S2CLR_TRY(s2clr_alloc(most, sizeof(float), "evidence", (void **)&s->values.evidence));
    if (masked) S2CLR_TRY(s2clr_alloc(most, 1, "wanted outputs", (void **)&s->wanted));
    if (masked && request->factor > 1)
        S2CLR_TRY(s2clr_alloc(most, 1, "wanted outputs", (void **)&s->mask));
    return S2CLR_OK;
}

/* ---- blocks ---- */

static s2clr_status mark_wanted(const stream *s, const s2clr_stream_piece *piece,
                                s2clr_block *block)
{
    const s2clr_stream_request *request = s->request;
    uint8_t *mask = s->mask ? s->mask : s->wanted;
    bool any;
    block->wanted = s->wanted;
    if (!s->wanted) return S2CLR_OK;
    if (request->wanted)
        S2CLR_TRY(request->wanted(request->context, piece->column, piece->row, piece->columns,
                                  piece->rows, mask, &any));
    else
        memset(mask, 1, (size_t)piece->columns * (size_t)piece->rows);
    if (!s->mask) return S2CLR_OK;
    memset(s->wanted, 0, (size_t)block->columns * (size_t)block->rows);
    for (int r = 0; r < piece->rows; r++)
        for (int c = 0; c < piece->columns; c++)
            s->wanted[offset_in(s, block, piece->column + c, piece->row + r)] = *mask++;
    return S2CLR_OK;
}

/* Moves the pixels of the level together, at the begin of each plane's old place or before it. */
static void gather(const stream *s, const s2clr_block *block, const s2clr_stream_piece *piece,
                   float *values, int planes)
{
    const size_t outputs = (size_t)block->columns * (size_t)block->rows;
    float *to = values;
    for (int p = 0; values && p < planes; p++)
        for (int r = 0; r < piece->rows; r++)
            for (int c = 0; c < piece->columns; c++)
                *to++ = values[(size_t)p * outputs +
                               offset_in(s, block, piece->column + c, piece->row + r)];
}

static s2clr_status compute_block(stream *s, s2clr_block *block, s2clr_stream_piece *piece)
{
    const double start = s2clr_clock_seconds();
    S2CLR_TRY(mark_wanted(s, piece, block));
    S2CLR_TRY(s2clr_engine_compute(s->engine, block, &s->values));
    if (s->request->factor > 1) {
        gather(s, block, piece, s->values.probability, s->engine->planes);
        gather(s, block, piece, s->values.valid, 1);
        gather(s, block, piece, s->values.evidence, 1);
        gather(s, block, piece, s->values.embedding, s->engine->planes);
    }
    piece->values = s->values;
    s->times.compute_seconds += s2clr_clock_seconds() - start;
    return S2CLR_OK;
}

/* A block without a valid pixel still has shares of valid pixels, if those are asked for. */
static s2clr_status finish_block(stream *s, s2clr_block *block, bool skip)
{
    s2clr_stream_piece piece = piece_of(s, block->column, block->row, block->columns, block->rows);
    if (piece.columns < 1 || piece.rows < 1) return S2CLR_OK;
    const uint64_t pixels = (uint64_t)piece.columns * (uint64_t)piece.rows;
    s->done += (double)pixels;
    s->to = s->request->from + (s->request->to - s->request->from) * s->done / s->total;
    piece.empty = skip || (block->empty && !s->request->valid);
    if (block->empty) s->times.skipped += pixels;
    if (!piece.empty) S2CLR_TRY(compute_block(s, block, &piece));
    const double start = s2clr_clock_seconds();
    S2CLR_TRY(s->request->done(s->request->context, &piece));
    s->times.done_seconds += s2clr_clock_seconds() - start;
    s->from = s->to;
    return S2CLR_OK;
}

static s2clr_status run_blocks(stream *s)
{
    for (size_t i = 0; i < s->tasks.count; i++) {
        s2clr_block block;
        if (!s2clr_progress_report(s->request->progress, s->from, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
        S2CLR_TRY(s2clr_reader_next(s->reader, s->request->progress, s->from, &block));
        const s2clr_status status = finish_block(s, &block, s->tasks.block[i].skip);
        s2clr_reader_release(&block);
        S2CLR_TRY(status);
    }
    return S2CLR_OK;
}

/* ---- the run ---- */

static bool engine_progress(void *context, double fraction, const char *message)
{
    const stream *s = context;
    return s2clr_progress_report(s->request->progress, s->from + (s->to - s->from) * fraction,
                                 message);
}

static s2clr_status run(stream *s, s2clr_stack *stack)
{
    const s2clr_block nothing = {.empty = true};
    S2CLR_TRY(check_request(s));
    S2CLR_TRY(plan(s));
    S2CLR_TRY(mark_skipped(s));
    S2CLR_TRY(allocate(s));
    /* Refuses what the model has not, before anything is read. */
    S2CLR_TRY(s2clr_engine_compute(s->engine, &nothing, &s->values));
    S2CLR_TRY(s2clr_reader_start(stack, s->engine, &s->tasks, s->engine->threads, &s->reader));
    return run_blocks(s);
}

static void release(stream *s)
{
    s2clr_reader_stop(s->reader, &s->times.read_seconds);
    s2clr_free(s->values.probability);
    s2clr_free(s->values.valid);
    s2clr_free(s->values.evidence);
    s2clr_free(s->values.embedding);
    s2clr_free(s->wanted);
    s2clr_free(s->mask);
    s2clr_tasks_free(&s->tasks);
}

s2clr_status s2clr_stream_run(s2clr_engine *engine, s2clr_stack *stack,
                              const s2clr_stream_request *request, s2clr_stream_times *times)
{
    stream s = {.engine = engine,
                .request = request,
                .total = (double)request->window[2] * request->window[3],
                .from = request->from,
                .to = request->from};
    const s2clr_progress own = engine->options.progress;
    if (request->progress)
        engine->options.progress = (s2clr_progress){.call = engine_progress, .context = &s};
    const s2clr_status status = run(&s, stack);
    release(&s);
    engine->options.progress = own;
    if (status == S2CLR_OK && times) *times = s.times;
    return status;
}
