#include "train/collective.h"

#include "base/memory.h"

/* Devices of a backend. */
typedef struct devices {
    s2clr_collective face;
    const s2clr_backend_group *call;
    s2clr_group *group;
} devices;

static s2clr_status group_of(const s2clr_backend *backend, const s2clr_backend_group **out)
{
    if (!backend->training || !backend->training->group)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "the backend %s cannot train on several devices at once",
                               backend->name);
    *out = backend->training->group;
    return S2CLR_OK;
}

static s2clr_status sum(void *self, s2clr_stream *stream, size_t count, float *values)
{
    const devices *d = self;
    return d->call->sum(d->group, stream, count, values);
}

static s2clr_status share(void *self, s2clr_stream *stream, size_t bytes, void *values)
{
    const devices *d = self;
    return d->call->share(d->group, stream, bytes, values);
}

s2clr_status s2clr_collective_name(const s2clr_backend *backend, char name[S2CLR_GROUP_NAME])
{
    const s2clr_backend_group *call;
    S2CLR_TRY(group_of(backend, &call));
    return call->name(name);
}

s2clr_status s2clr_collective_join(const s2clr_machine *on, const char *name, int rank, int ranks,
                                   s2clr_stop *stop, s2clr_collective **out)
{
    const s2clr_backend_group *call;
    devices *d;
    S2CLR_TRY(group_of(on->backend, &call));
    if (ranks < 1 || rank < 0 || rank >= ranks)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "rank %d of %d: ranks count from 0", rank,
                               ranks);
    S2CLR_TRY(s2clr_alloc(1, sizeof *d, "group of devices", (void **)&d));
    d->call = call;
    d->face = (s2clr_collective){
        .self = d, .rank = rank, .ranks = ranks, .resident = true, .sum = sum, .share = share};
    const s2clr_status status = call->join(on->device, name, rank, ranks, stop, &d->group);
    if (status != S2CLR_OK) {
        s2clr_free(d);
        return status;
    }
    *out = &d->face;
    return S2CLR_OK;
}

void s2clr_collective_leave(s2clr_collective *together)
{
    if (!together) return;
    devices *const d = together->self;
    d->call->leave(d->group);
    s2clr_free(d);
}
