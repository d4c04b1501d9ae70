/* What an engine needs of the machine's memory, and of the device's where that is its own. */
#include "predict/pengine.h"

/* A block that starts and ends inside a unit sees up to one unit more than one at the origin. */
static size_t axis_pixels(int64_t reach, int64_t unit, int limit)
{
    return reach + unit < limit ? (size_t)(reach + unit) : (size_t)limit;
}

static int64_t unit_width(const s2clr_engine *engine)
{
    const int64_t apart = (int64_t)engine->kind->unit_columns(engine) * engine->grid.stride;
    return apart > engine->runtime->side ? apart : engine->runtime->side;
}

static size_t pixels_of(const s2clr_engine *engine, int columns, int rows)
{
    int64_t box[4];
    engine->kind->reach(engine, 0, 0, columns, rows, box);
    return axis_pixels(box[2] - box[0], unit_width(engine), engine->grid.width) *
           axis_pixels(box[3] - box[1], engine->runtime->side, engine->grid.height);
}

static bool is_apart(const s2clr_engine *engine)
{
    return engine->runtime->backend->memory != NULL;
}

size_t s2clr_engine_read_bytes(const s2clr_engine *engine, int columns, int rows)
{
    return pixels_of(engine, columns, rows) * ((size_t)engine->bands * sizeof(float) + 1);
}

size_t s2clr_engine_strip_bytes(const s2clr_engine *engine, int columns, int rows)
{
    if (!engine->runtime->strip) return 0;
    return pixels_of(engine, columns, rows) * (size_t)engine->bands * sizeof(float);
}

size_t s2clr_engine_block_bytes(const s2clr_engine *engine, int columns, int rows)
{
    int64_t box[4];
    engine->kind->reach(engine, 0, 0, columns, rows, box);
    const size_t across = axis_pixels(box[2] - box[0], unit_width(engine), engine->grid.width);
    const size_t counts = (size_t)engine->threads * (2 * across + 1) * sizeof(uint32_t);
    /* Per output: planes, valid share, evidence and the bands made of them; count, choice and two
     * masks of what is wanted. */
    const size_t output = 2 * ((size_t)engine->planes + 2) * sizeof(float) + sizeof(uint32_t) + 3;
    const size_t strip = is_apart(engine) ? 0 : s2clr_engine_strip_bytes(engine, columns, rows);
    return s2clr_engine_read_bytes(engine, columns, rows) + strip + counts +
           (size_t)columns * (size_t)rows * output + engine->kind->scratch(engine, columns, rows);
}

/* Weights, and what layers and libraries take while units are computed. */
static size_t network_bytes(const s2clr_engine *engine)
{
    const s2clr_runtime *runtime = engine->runtime;
    return s2clr_plan_weight_bytes(runtime->plan) +
           (size_t)runtime->sessions * s2clr_plan_session_bytes(runtime->plan);
}

/* Pages of the machine that copies to and from a device of its own memory go through: those of each
 * session and of the strip. */
static size_t staging_bytes(const s2clr_engine *engine)
{
    const size_t stream = (size_t)8 << 20;
    return is_apart(engine) ? ((size_t)engine->runtime->sessions + 1) * stream : 0;
}

size_t s2clr_engine_fixed_bytes(const s2clr_engine *engine)
{
    const s2clr_runtime *runtime = engine->runtime;
    const size_t input = runtime->strip ? 0 : runtime->input_count;
    return (size_t)runtime->sessions * (input + runtime->output_count) * sizeof(float) +
           (engine->cache ? s2clr_unit_cache_bytes(engine->cache) : 0) +
           (is_apart(engine) ? staging_bytes(engine) : network_bytes(engine));
}

s2clr_status s2clr_engine_device_bytes(const s2clr_engine *engine, size_t allowed, size_t *held,
                                       size_t *left)
{
    const s2clr_runtime *runtime = engine->runtime;
    size_t available = SIZE_MAX, total;
    if (is_apart(engine)) S2CLR_TRY(runtime->backend->memory(runtime->device, &available, &total));
    *held = is_apart(engine) ? network_bytes(engine) : 0;
    if (allowed && is_apart(engine)) {
        const size_t rest = allowed > *held ? allowed - *held : 0;
        if (rest < available) available = rest;
    }
    *left = available;
    return S2CLR_OK;
}
