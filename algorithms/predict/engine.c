#include "predict/engine.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/card_probability.h"
#include "file/probability.h"
#include "predict/pengine.h"

/* ---- making ---- */

static s2clr_status check_prevalence(const s2clr_model *model, double wanted)
{
    const int classes = s2clr_model_card(model)->classes;
    if (wanted == 0) return S2CLR_OK;
    if (classes > 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "prevalence %g: is the share of one class against the rest, and %s "
                               "tells %d apart: leave it away",
                               wanted, s2clr_model_path(model), classes);
    if (!(wanted > 0 && wanted < 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "prevalence %g: must lie between 0 and 1, both excluded", wanted);
    return s2clr_model_check_prevalence(model);
}

static s2clr_status check_options(const s2clr_model *model, const s2clr_grid *grid,
                                  const s2clr_engine_options *options)
{
    const s2clr_card *card = s2clr_model_card(model);
    if (grid->patch != card->patch)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: the grid has patches of %d pixels, the card says %d",
                               s2clr_model_path(model), grid->patch, card->patch);
    if (!(options->min_valid >= 0 && options->min_valid <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "smallest valid share %g: must lie between 0 and 1",
                               options->min_valid);
    return check_prevalence(model, options->prevalence);
}

s2clr_status s2clr_engine_new(s2clr_runtime *runtime, const s2clr_grid *grid,
                              const s2clr_engine_options *options, s2clr_engine **out)
{
    s2clr_engine *engine;
    const s2clr_card *card = s2clr_model_card(runtime->model);
    S2CLR_TRY(check_options(runtime->model, grid, options));
    S2CLR_TRY(s2clr_alloc(1, sizeof *engine, "engine", (void **)&engine));
    engine->kind = runtime->local ? &s2clr_engine_dense : &s2clr_engine_patch;
    engine->runtime = runtime;
    engine->grid = *grid;
    engine->options = *options;
    engine->card = card;
    engine->bands = card->bands;
    engine->threads = runtime->threads;
    engine->planes = runtime->planes;
    const s2clr_status status = engine->kind->prepare(engine, runtime->model);
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
    s2clr_unit_cache_free(engine->cache);
    s2clr_free(engine);
}

uint64_t s2clr_engine_units(const s2clr_engine *engine)
{
    return engine->units;
}

uint64_t s2clr_engine_units_of(const s2clr_engine *engine, int columns, int rows)
{
    return engine->kind->units(engine, columns, rows);
}

/* ---- what the kinds share ---- */

float s2clr_engine_calibrate(const s2clr_engine *engine, double logit)
{
    const s2clr_card *card = engine->card;
    double p = s2clr_card_probability(card, logit);
    if (engine->options.prevalence > 0)
        p = s2clr_probability_shift(p, card->prevalence, engine->options.prevalence);
    return (float)p;
}

void s2clr_engine_classify(const s2clr_engine *engine, const float *logit, size_t gap, float *p)
{
    const size_t classes = (size_t)engine->planes;
    double all[S2CLR_CARD_CLASSES_MAX];
    s2clr_card_probabilities(engine->card, logit, classes, all);
    for (size_t k = 0; k < classes; k++) p[k * gap] = (float)all[k];
}

s2clr_status s2clr_engine_tick(const s2clr_engine *engine, int worker, size_t item, size_t items)
{
    if (worker != 0) return S2CLR_OK; /* worker 0 is the thread that called the engine */
    if (s2clr_progress_report(&engine->options.progress, (double)item / (double)items, NULL))
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
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

int s2clr_engine_unit_columns(const s2clr_engine *engine)
{
    return engine->kind->unit_columns(engine);
}

int s2clr_engine_unit_rows(const s2clr_engine *engine)
{
    return engine->kind->unit_rows(engine);
}

/* ---- computing ---- */

static s2clr_status check_wishes(const s2clr_engine *engine, const s2clr_values *values)
{
    const bool embedding = engine->runtime->aim == S2CLR_AIM_EMBEDDING;
    if (embedding ? values->probability || values->evidence : values->embedding != NULL)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "this engine computes %s: make another one for the rest",
                               embedding ? "embeddings only" : "no embedding");
    if (values->evidence && engine->runtime->aim == S2CLR_AIM_CLASSES)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: tells classes apart and has no evidence for one of them",
                               s2clr_model_path(engine->runtime->model));
    if (!values->evidence || engine->kind->has_evidence) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: %s looks at a patch as a whole and has no evidence; use a dense "
                           "model",
                           s2clr_model_path(engine->runtime->model),
                           s2clr_model_card(engine->runtime->model)->arch.name);
}

static void fill(float *plane, size_t count, float value)
{
    for (size_t i = 0; plane && i < count; i++) plane[i] = value;
}

/* What stands where nothing is computed: of a pixel that is not wanted nothing is known. */
static void blank(const s2clr_engine *engine, const s2clr_block *block, const s2clr_values *values)
{
    const size_t outputs = (size_t)block->columns * (size_t)block->rows;
    fill(values->probability, outputs * (size_t)engine->planes, NAN);
    fill(values->evidence, outputs, NAN);
    fill(values->embedding, outputs * (size_t)engine->planes, NAN);
    fill(values->valid, outputs, 0);
    for (size_t i = 0; values->valid && block->wanted && i < outputs; i++)
        if (!block->wanted[i]) values->valid[i] = NAN;
}

/* Which outputs of a block get a value, from the valid pixels of their patches. */
static size_t choose(const s2clr_engine *engine, const s2clr_block *block, const uint32_t *count,
                     float *valid, uint8_t *pending)
{
    const size_t outputs = (size_t)block->columns * (size_t)block->rows;
    const double pixels = (double)engine->grid.patch * engine->grid.patch;
    size_t chosen = 0;
    for (size_t i = 0; i < outputs; i++) {
        if (block->wanted && !block->wanted[i]) continue;
        if (valid) valid[i] = (float)(count[i] / pixels);
        pending[i] = count[i] > 0 && count[i] / pixels >= engine->options.min_valid;
        chosen += pending[i];
    }
    return chosen;
}

static s2clr_status compute(s2clr_engine *engine, const s2clr_block *block, uint32_t *count,
                            uint8_t *pending, const s2clr_values *values)
{
    const bool only_valid = !values->probability && !values->evidence && !values->embedding;
    S2CLR_TRY(s2clr_coverage_count(engine->runtime->pool, &engine->grid, block, count));
    if (choose(engine, block, count, values->valid, pending) == 0 || only_valid) return S2CLR_OK;
    return engine->kind->compute(engine, block, pending, values);
}

/* Waits for the engines before, still asking whether to go on. */
static s2clr_status take_turn(s2clr_engine *engine)
{
    struct timespec until;
    do {
        S2CLR_TRY(s2clr_engine_tick(engine, 0, 0, 1));
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    } while (pthread_mutex_timedlock(&engine->runtime->turn, &until) != 0);
    return S2CLR_OK;
}

static s2clr_status compute_in_turn(s2clr_engine *engine, const s2clr_block *block, uint32_t *count,
                                    uint8_t *pending, const s2clr_values *values)
{
    if (engine->runtime->process != getpid()) /* its threads have stayed behind */
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: this process was forked after the model was made ready; open "
                               "the raster again in the child",
                               s2clr_model_path(engine->runtime->model));
    S2CLR_TRY(take_turn(engine));
    const s2clr_status status = compute(engine, block, count, pending, values);
    pthread_mutex_unlock(&engine->runtime->turn);
    return status;
}

s2clr_status s2clr_engine_compute(s2clr_engine *engine, const s2clr_block *block,
                                  const s2clr_values *values)
{
    const size_t outputs = (size_t)block->columns * (size_t)block->rows;
    uint32_t *count = NULL;
    uint8_t *pending = NULL;
    S2CLR_TRY(check_wishes(engine, values));
    blank(engine, block, values);
    if (block->empty) return S2CLR_OK;
    s2clr_status status = s2clr_alloc(outputs, sizeof *count, "valid counts", (void **)&count);
    if (status == S2CLR_OK)
        status = s2clr_alloc(outputs, sizeof *pending, "choice of outputs", (void **)&pending);
    if (status == S2CLR_OK) status = compute_in_turn(engine, block, count, pending, values);
    s2clr_free(pending);
    s2clr_free(count);
    return status;
}
