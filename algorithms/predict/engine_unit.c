/*
 * One unit: its pixels, cut from the block on the host or on the device, and its run. Where the
 * device cuts, a block's pixels go up once, whatever overlaps in it.
 */
#include <string.h>

#include "predict/pengine.h"

/* Copies the side x side pixels at (x, y) of a block's values; what the block lacks is 0.
 * out: (bands, side, side). */
static void cut(const s2clr_engine *engine, const s2clr_block *block, int64_t x, int64_t y,
                float *out)
{
    const int side = engine->runtime->side;
    const int64_t left = x > block->x0 ? x : block->x0;
    const int64_t end = block->x0 + block->w < x + side ? block->x0 + block->w : x + side;
    const size_t count = end > left ? (size_t)(end - left) : 0,
                 lead = count ? (size_t)(left - x) : 0;
    const size_t plane = (size_t)block->w * (size_t)block->h;
    for (int band = 0; band < engine->bands; band++) {
        const float *from = block->values + (size_t)band * plane;
        for (int64_t row = y; row < y + side; row++, out += side) {
            const bool inside = count && row >= block->y0 && row < block->y0 + block->h;
            if (!inside || count < (size_t)side) memset(out, 0, (size_t)side * sizeof *out);
            if (!inside) continue;
            memcpy(out + lead,
                   from + (size_t)(row - block->y0) * (size_t)block->w + (left - block->x0),
                   count * sizeof *out);
        }
    }
}

s2clr_status s2clr_engine_run_units(s2clr_engine *engine, const s2clr_block *block, s2clr_task task,
                                    void *context, size_t items)
{
    const s2clr_runtime *runtime = engine->runtime;
    s2clr_status status = S2CLR_OK;
    if (items == 0) return S2CLR_OK;
    if (runtime->strip)
        status = s2clr_strip_fill(runtime->strip, block->w, block->h, block->values);
    if (status == S2CLR_OK) status = s2clr_pool_run(runtime->unit_pool, task, context, items);
    if (runtime->strip) s2clr_strip_empty(runtime->strip);
    if (status == S2CLR_OK) engine->units += items;
    return status;
}

s2clr_status s2clr_engine_run_unit(const s2clr_engine *engine, const s2clr_block *block,
                                   const int64_t (*at)[2], int worker, const float **out)
{
    const s2clr_runtime *runtime = engine->runtime;
    s2clr_session *session = runtime->session[worker];
    const size_t unit = (size_t)runtime->unit, floats = runtime->input_count / unit;
    float *input = runtime->input[worker], *output = runtime->output[worker];
    int64_t inside[unit][2];
    for (size_t i = 0; i < unit; i++) {
        inside[i][0] = at[i][0] - block->x0;
        inside[i][1] = at[i][1] - block->y0;
        if (!runtime->strip) cut(engine, block, at[i][0], at[i][1], input + i * floats);
    }
    if (runtime->strip)
        S2CLR_TRY(
            s2clr_session_run_cut(session, runtime->strip, (const int64_t(*)[2])inside, output));
    else
        S2CLR_TRY(s2clr_session_run(session, input, output));
    *out = output;
    return S2CLR_OK;
}
