#include "predict/engine.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "predict/pengine.h"

/* ---- making ---- */

static s2clr_status check_model(const s2clr_model *model, const s2clr_grid *grid,
                                const s2clr_engine_options *options)
{
    const s2clr_card *card = s2clr_model_card(model);
    const char *path = s2clr_model_path(model);
    if (card->arch.outputs != 1)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: the network has %d outputs; a probability map needs a model "
                               "with exactly 1",
                               path, card->arch.outputs);
    if (grid->patch != card->patch)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: the grid has patches of %d pixels, the card says %d", path,
                               grid->patch, card->patch);
    if (!(options->min_valid >= 0 && options->min_valid <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "smallest valid share %g: must lie between 0 and 1",
                               options->min_valid);
    return S2CLR_OK;
}

static s2clr_status make_plan(s2clr_engine *engine, const s2clr_model *model,
                              const s2clr_backend *backend, s2clr_device *device)
{
    const s2clr_engine_kind *kind = engine->kind;
    const int side = kind->side(engine);
    S2CLR_TRY(s2clr_plan_new(s2clr_model_net(model), s2clr_model_params(model), backend, device,
                             kind->output, kind->batch, side, side, &engine->plan));
    const s2clr_shape in = s2clr_plan_input(engine->plan), out = s2clr_plan_output(engine->plan);
    engine->input_count = (size_t)in.n * (size_t)in.c * (size_t)in.h * (size_t)in.w;
    engine->output_count = (size_t)out.n * (size_t)out.c * (size_t)out.h * (size_t)out.w;
    return S2CLR_OK;
}

static s2clr_status make_sessions(s2clr_engine *engine)
{
    const size_t threads = (size_t)engine->threads;
    S2CLR_TRY(s2clr_alloc(threads, sizeof *engine->session, "sessions", (void **)&engine->session));
    S2CLR_TRY(s2clr_alloc(threads, sizeof *engine->input, "unit inputs", (void **)&engine->input));
    S2CLR_TRY(
        s2clr_alloc(threads, sizeof *engine->output, "unit outputs", (void **)&engine->output));
    for (size_t i = 0; i < threads; i++) {
        S2CLR_TRY(s2clr_session_new(engine->plan, &engine->session[i]));
        S2CLR_TRY(s2clr_alloc(engine->input_count, sizeof(float), "unit input",
                              (void **)&engine->input[i]));
        S2CLR_TRY(s2clr_alloc(engine->output_count, sizeof(float), "unit output",
                              (void **)&engine->output[i]));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_engine_new(const s2clr_model *model, const s2clr_backend *backend,
                              s2clr_device *device, s2clr_pool *pool, const s2clr_grid *grid,
                              const s2clr_engine_options *options, s2clr_engine **out)
{
    s2clr_engine *engine;
    S2CLR_TRY(check_model(model, grid, options));
    S2CLR_TRY(s2clr_alloc(1, sizeof *engine, "engine", (void **)&engine));
    engine->kind =
        s2clr_net_step(s2clr_model_net(model)) > 0 ? &s2clr_engine_dense : &s2clr_engine_patch;
    engine->pool = pool;
    engine->grid = *grid;
    engine->options = *options;
    engine->temperature = s2clr_model_card(model)->temperature;
    engine->bands = s2clr_model_card(model)->bands;
    engine->threads = s2clr_pool_threads(pool);
    s2clr_status status = engine->kind->prepare(engine, model);
    if (status == S2CLR_OK) status = make_plan(engine, model, backend, device);
    if (status == S2CLR_OK) status = make_sessions(engine);
    if (status != S2CLR_OK) {
        s2clr_engine_free(engine);
        return status;
    }
    *out = engine;
    return S2CLR_OK;
}

void s2clr_engine_free(s2clr_engine *engine)
{
    if (!engine) return;
    for (int i = 0; i < engine->threads; i++) {
        if (engine->session) s2clr_session_free(engine->session[i]);
        if (engine->input) s2clr_free(engine->input[i]);
        if (engine->output) s2clr_free(engine->output[i]);
    }
    s2clr_free(engine->session);
    s2clr_free(engine->input);
    s2clr_free(engine->output);
    s2clr_plan_free(engine->plan);
    s2clr_unit_cache_free(engine->cache);
    s2clr_free(engine);
}

/* ---- what the kinds share ---- */

float s2clr_engine_calibrate(const s2clr_engine *engine, double logit)
{
    return (float)(1.0 / (1.0 + exp(-logit / engine->temperature)));
}

s2clr_status s2clr_engine_tick(const s2clr_engine *engine, int worker, size_t item, size_t items)
{
    if (worker != 0) return S2CLR_OK; /* worker 0 is the thread that called the engine */
    if (s2clr_progress_report(&engine->options.progress, (double)item / (double)items, NULL))
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
}

void s2clr_engine_cut(const s2clr_engine *engine, const s2clr_block *block, int64_t x, int64_t y,
                      int w, int h, float *out)
{
    const int64_t left = x > block->x0 ? x : block->x0;
    const int64_t end = block->x0 + block->w < x + w ? block->x0 + block->w : x + w;
    const size_t count = end > left ? (size_t)(end - left) : 0,
                 lead = count ? (size_t)(left - x) : 0;
    const size_t plane = (size_t)block->w * (size_t)block->h;
    for (int band = 0; band < engine->bands; band++) {
        const float *from = block->values + (size_t)band * plane;
        for (int64_t row = y; row < y + h; row++, out += w) {
            const bool inside = count && row >= block->y0 && row < block->y0 + block->h;
            if (!inside || count < (size_t)w) memset(out, 0, (size_t)w * sizeof *out);
            if (!inside) continue;
            memcpy(out + lead,
                   from + (size_t)(row - block->y0) * (size_t)block->w + (left - block->x0),
                   count * sizeof *out);
        }
    }
}

/* ---- blocks ---- */

void s2clr_engine_window(const s2clr_engine *engine, int column, int row, int columns, int rows,
                         s2clr_block *block)
{
    int64_t box[4];
    engine->kind->reach(engine, column, row, columns, rows, box);
    /* Nothing is stored for what lies outside the raster: cutting a unit fills it in. */
    if (box[0] < 0) box[0] = 0;
    if (box[1] < 0) box[1] = 0;
    if (box[2] > engine->grid.width) box[2] = engine->grid.width;
    if (box[3] > engine->grid.height) box[3] = engine->grid.height;
    *block = (s2clr_block){.column = column,
                           .row = row,
                           .columns = columns,
                           .rows = rows,
                           .x0 = box[0],
                           .y0 = box[1],
                           .w = (int)(box[2] - box[0]),
                           .h = (int)(box[3] - box[1])};
}

/* A block that starts and ends inside a unit sees up to one unit more than one at the origin. */
static size_t axis_pixels(int64_t reach, int side, int limit)
{
    return reach + side < limit ? (size_t)(reach + side) : (size_t)limit;
}

size_t s2clr_engine_read_bytes(const s2clr_engine *engine, int columns, int rows)
{
    int64_t box[4];
    const int side = engine->kind->side(engine);
    engine->kind->reach(engine, 0, 0, columns, rows, box);
    return axis_pixels(box[2] - box[0], side, engine->grid.width) *
           axis_pixels(box[3] - box[1], side, engine->grid.height) *
           ((size_t)engine->bands * sizeof(float) + 1);
}

size_t s2clr_engine_block_bytes(const s2clr_engine *engine, int columns, int rows)
{
    int64_t box[4];
    engine->kind->reach(engine, 0, 0, columns, rows, box);
    const size_t across =
        axis_pixels(box[2] - box[0], engine->kind->side(engine), engine->grid.width);
    const size_t counts = (size_t)engine->threads * (2 * across + 1) * sizeof(uint32_t);
    /* Per output: probability, fraction, count, choice, wanted. */
    const size_t output = 2 * sizeof(float) + sizeof(uint32_t) + 2;
    return s2clr_engine_read_bytes(engine, columns, rows) + counts +
           (size_t)columns * (size_t)rows * output + engine->kind->scratch(engine, columns, rows);
}

size_t s2clr_engine_fixed_bytes(const s2clr_engine *engine)
{
    const size_t session = s2clr_plan_session_bytes(engine->plan) +
                           (engine->input_count + engine->output_count) * sizeof(float);
    return s2clr_plan_weight_bytes(engine->plan) + (size_t)engine->threads * session +
           (engine->cache ? s2clr_unit_cache_bytes(engine->cache) : 0);
}

/* Which outputs of a block get a value, from the valid pixels of their patches. */
static size_t choose(const s2clr_engine *engine, const s2clr_block *block, const uint32_t *count,
                     uint8_t *pending)
{
    const size_t outputs = (size_t)block->columns * (size_t)block->rows;
    const double pixels = (double)engine->grid.patch * engine->grid.patch;
    size_t chosen = 0;
    for (size_t i = 0; i < outputs; i++) {
        const bool enough = count[i] > 0 && count[i] / pixels >= engine->options.min_valid;
        pending[i] = enough && (!block->wanted || block->wanted[i]);
        chosen += pending[i];
    }
    return chosen;
}

static s2clr_status compute(s2clr_engine *engine, const s2clr_block *block, uint32_t *count,
                            uint8_t *pending, float *probability, float *valid_fraction)
{
    const size_t outputs = (size_t)block->columns * (size_t)block->rows;
    const double pixels = (double)engine->grid.patch * engine->grid.patch;
    S2CLR_TRY(s2clr_coverage_count(engine->pool, &engine->grid, block, count));
    for (size_t i = 0; valid_fraction && i < outputs; i++)
        valid_fraction[i] = (float)(count[i] / pixels);
    if (choose(engine, block, count, pending) == 0) return S2CLR_OK;
    return engine->kind->compute(engine, block, pending, probability);
}

s2clr_status s2clr_engine_compute(s2clr_engine *engine, const s2clr_block *block,
                                  float *probability, float *valid_fraction)
{
    const size_t outputs = (size_t)block->columns * (size_t)block->rows;
    uint32_t *count = NULL;
    uint8_t *pending = NULL;
    for (size_t i = 0; i < outputs; i++) probability[i] = NAN;
    if (valid_fraction) memset(valid_fraction, 0, outputs * sizeof *valid_fraction);
    if (block->empty) return S2CLR_OK;
    s2clr_status status = s2clr_alloc(outputs, sizeof *count, "valid counts", (void **)&count);
    if (status == S2CLR_OK)
        status = s2clr_alloc(outputs, sizeof *pending, "choice of outputs", (void **)&pending);
    if (status == S2CLR_OK)
        status = compute(engine, block, count, pending, probability, valid_fraction);
    s2clr_free(pending);
    s2clr_free(count);
    return status;
}

/* ---- read and compute ---- */

static s2clr_status read_block(const s2clr_engine *engine, s2clr_stack *stack, s2clr_block *block)
{
    size_t pixels, floats;
    block->empty = s2clr_stack_is_empty(stack, block->x0, block->y0, block->w, block->h);
    if (block->empty) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul((size_t)block->w, (size_t)block->h, &pixels));
    S2CLR_TRY(s2clr_size_mul(pixels, (size_t)engine->bands, &floats));
    S2CLR_TRY(s2clr_alloc(floats, sizeof(float), "block of pixels", (void **)&block->values));
    S2CLR_TRY(s2clr_alloc(pixels, 1, "block of valid flags", (void **)&block->valid));
    return s2clr_stack_read(stack, block->x0, block->y0, block->w, block->h, block->values,
                            block->valid);
}

s2clr_status s2clr_engine_run(s2clr_engine *engine, s2clr_stack *stack, int column, int row,
                              int columns, int rows, float *probability, float *valid_fraction)
{
    s2clr_block block;
    const s2clr_grid *grid = &engine->grid;
    if (column < 0 || row < 0 || columns < 1 || rows < 1 || column > grid->columns - columns ||
        row > grid->rows - rows)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "block at column %d row %d of %d x %d outputs: the grid has %d x %d",
                               column, row, columns, rows, grid->columns, grid->rows);
    s2clr_engine_window(engine, column, row, columns, rows, &block);
    s2clr_status status = read_block(engine, stack, &block);
    if (status == S2CLR_OK)
        status = s2clr_engine_compute(engine, &block, probability, valid_fraction);
    s2clr_free(block.values);
    s2clr_free(block.valid);
    return status;
}
