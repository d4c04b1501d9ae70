/* What all rows have in common: no data in, no data out. */
#include "pointwise/pointwise.h"

#include <math.h>

#include "base/memory.h"

/* Sources that `nodata` speaks of. */
static int value_sources(const s2clr_pointwise_call *call)
{
    const int values = call->row->values;
    return values > 0 && values < call->sources ? values : call->sources;
}

/* Copies of the sources with NaN for nodata: (value_sources, count). */
static void blank(const s2clr_pointwise_call *call, const float *const *source, size_t count,
                  float *copy)
{
    const float nodata = (float)call->nodata;
    for (int k = 0; k < value_sources(call); k++, copy += count)
        for (size_t i = 0; i < count; i++) copy[i] = source[k][i] == nodata ? NAN : source[k][i];
}

static void finish(const s2clr_pointwise_call *call, const float *const *source, size_t count,
                   float *out)
{
    const float fill = (float)call->fill;
    for (int k = 0; k < call->sources && !call->row->some; k++)
        for (size_t i = 0; i < count; i++)
            if (isnan(source[k][i])) out[i] = NAN;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(out[i])) out[i] = fill;
}

static s2clr_status run(const s2clr_pointwise_call *call, const float *const *source, size_t count,
                        float *out)
{
    S2CLR_TRY(call->row->run(call, source, count, out));
    finish(call, source, count, out);
    return S2CLR_OK;
}

s2clr_status s2clr_pointwise_run(const s2clr_pointwise_call *call, const float *const *source,
                                 size_t count, float *out)
{
    const float *blanked[S2CLR_POINTWISE_SOURCES_MAX];
    const size_t values = (size_t)value_sources(call);
    size_t floats;
    float *copy;
    if (isnan(call->nodata)) return run(call, source, count, out);
    S2CLR_TRY(s2clr_size_mul(values, count, &floats));
    S2CLR_TRY(s2clr_alloc(floats, sizeof *copy, "sources without no data", (void **)&copy));
    blank(call, source, count, copy);
    for (size_t k = 0; k < (size_t)call->sources; k++)
        blanked[k] = k < values ? copy + k * count : source[k];
    const s2clr_status status = run(call, blanked, count, out);
    s2clr_free(copy);
    return status;
}
