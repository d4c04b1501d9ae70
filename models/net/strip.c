/* Pixels that go up once and from which a plan's windows are cut on the device. */
#include "base/memory.h"
#include "net/pplan.h"

s2clr_status s2clr_strip_new(const s2clr_plan *plan, s2clr_strip **out)
{
    s2clr_strip *strip;
    if (!s2clr_plan_cuts(plan))
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "the %s backend cuts no patches: they have to be cut on the host",
                               plan->backend->name);
    S2CLR_TRY(s2clr_alloc(1, sizeof *strip, "strip", (void **)&strip));
    strip->plan = plan;
    const s2clr_status status = plan->backend->stream_new(plan->device, 0, &strip->stream);
    if (status != S2CLR_OK) {
        s2clr_free(strip);
        return status;
    }
    *out = strip;
    return S2CLR_OK;
}

void s2clr_strip_empty(s2clr_strip *strip)
{
    if (strip->planes) strip->plan->backend->buffer_free(strip->plan->device, strip->planes);
    strip->planes = NULL;
    strip->room = 0;
    strip->columns = strip->rows = 0;
}

void s2clr_strip_free(s2clr_strip *strip)
{
    if (!strip) return;
    if (strip->stream) strip->plan->backend->stream_free(strip->stream);
    s2clr_strip_empty(strip);
    s2clr_free(strip);
}

bool s2clr_plan_cuts(const s2clr_plan *plan)
{
    return plan->backend->cutting != NULL;
}

size_t s2clr_strip_bytes(const s2clr_plan *plan, int64_t columns, int64_t rows)
{
    return (size_t)plan->input.c * (size_t)rows * (size_t)columns * sizeof(float);
}

/* The old planes go first: there may be no room for both. */
static s2clr_status make_room(s2clr_strip *strip, size_t bytes)
{
    const s2clr_plan *const plan = strip->plan;
    if (bytes <= strip->room) return S2CLR_OK;
    s2clr_strip_empty(strip);
    S2CLR_TRY(plan->backend->buffer_new(plan->device, bytes, (void **)&strip->planes));
    strip->room = bytes;
    return S2CLR_OK;
}

s2clr_status s2clr_strip_fill(s2clr_strip *strip, int64_t columns, int64_t rows,
                              const float *planes)
{
    const s2clr_backend *const backend = strip->plan->backend;
    const size_t bytes = s2clr_strip_bytes(strip->plan, columns, rows);
    strip->columns = strip->rows = 0;
    S2CLR_TRY(make_room(strip, bytes));
    S2CLR_TRY(backend->cutting->raw_upload(strip->stream, planes, bytes, strip->planes));
    /* The sessions that read it have streams of their own. */
    S2CLR_TRY(backend->stream_wait(strip->stream));
    strip->columns = columns;
    strip->rows = rows;
    return S2CLR_OK;
}
