/* The contrastive loss of batches of one size, wherever the machine computes it best. */
#include "backend/backend_training.h"
#include "base/memory.h"
#include "train/ntxent.h"

struct s2clr_ntxent_loss {
    s2clr_machine on;
    size_t n, d;
    const s2clr_backend_contrast *device; /* NULL: the host computes */
    s2clr_stream *stream;
    s2clr_contrast_loss *loss;
};

static const s2clr_backend_contrast *contrast_of(const s2clr_machine *on)
{
    const s2clr_backend_training *const training = on->backend->training;
    return training && training->apart ? training->contrast : NULL;
}

static s2clr_status open_device(s2clr_ntxent_loss *l)
{
    S2CLR_TRY(l->on.backend->stream_new(l->on.device, 0, &l->stream));
    return l->device->open(l->on.device, l->n, l->d, &l->loss);
}

s2clr_status s2clr_ntxent_new(const s2clr_machine *on, size_t n, size_t d, s2clr_ntxent_loss **out)
{
    s2clr_ntxent_loss *l;
    S2CLR_TRY(s2clr_alloc(1, sizeof *l, "contrastive loss", (void **)&l));
    *l = (s2clr_ntxent_loss){.on = *on, .n = n, .d = d, .device = contrast_of(on)};
    const s2clr_status status = l->device ? open_device(l) : S2CLR_OK;
    if (status != S2CLR_OK) {
        s2clr_ntxent_free(l);
        return status;
    }
    *out = l;
    return S2CLR_OK;
}

void s2clr_ntxent_free(s2clr_ntxent_loss *l)
{
    if (!l) return;
    /* The stream goes first: what is queued on it reads the memory of the loss. */
    if (l->stream) l->on.backend->stream_free(l->stream);
    if (l->loss) l->device->close(l->loss);
    s2clr_free(l);
}

s2clr_status s2clr_ntxent_run(s2clr_ntxent_loss *l, const float *z, const int *place,
                              double temperature, double *value, float *dz)
{
    if (!l->device) return s2clr_ntxent(z, place, l->n, l->d, temperature, l->on.pool, value, dz);
    S2CLR_TRY(s2clr_ntxent_check(z, l->n, l->d, temperature));
    return l->device->run(l->loss, l->stream, z, place, temperature, value, dz);
}

s2clr_status s2clr_ntxent_device_needs(const s2clr_machine *on, size_t n, size_t d, size_t *bytes)
{
    const s2clr_backend_contrast *const device = contrast_of(on);
    if (device) return device->bytes(on->device, n, d, bytes);
    *bytes = 0;
    return S2CLR_OK;
}
