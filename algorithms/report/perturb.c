#include "report/perturb.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct view {
    const s2clr_samples *parent;
    s2clr_perturb what;
    size_t values; /* of one patch */
} view;

/* Index mirrored at the first and the last pixel ("reflect": 2 1 | 0 1 2 ... ). */
static int mirror(int i, int size)
{
    if (size == 1) return 0;
    const int period = 2 * (size - 1);
    i = abs(i) % period;
    return i < size ? i : period - i;
}

static void shift_plane(int size, int by, const float *x, float *y)
{
    for (int r = 0; r < size; r++)
        for (int c = 0; c < size; c++)
            y[r * size + c] = x[mirror(r - by, size) * size + mirror(c - by, size)];
}

static void blur_plane(int size, const float *x, float *y)
{
    static const float weight[3] = {0.25f, 0.5f, 0.25f};
    for (int r = 0; r < size; r++) {
        for (int c = 0; c < size; c++) {
            float sum = 0;
            for (int i = -1; i <= 1; i++)
                for (int k = -1; k <= 1; k++)
                    sum += weight[i + 1] * weight[k + 1] *
                           x[mirror(r + i, size) * size + mirror(c + k, size)];
            y[r * size + c] = sum;
        }
    }
}

static s2clr_status view_read(void *self, size_t index, float *dn)
{
    const view *v = self;
    const int size = v->parent->size;
    const size_t plane = (size_t)size * (size_t)size;
    float *copy;
    S2CLR_TRY(v->parent->read(v->parent->self, index, dn));
    S2CLR_TRY(s2clr_alloc(plane, sizeof *copy, "patch", (void **)&copy));
    for (float *x = dn; x < dn + v->values; x += plane) {
        if (v->what.shift) {
            memcpy(copy, x, plane * sizeof *x);
            shift_plane(size, v->what.shift, copy, x);
        }
        if (v->what.blur) {
            memcpy(copy, x, plane * sizeof *x);
            blur_plane(size, copy, x);
        }
    }
    for (size_t i = 0; v->what.gain != 0 && i < v->values; i++)
        dn[i] = (float)(v->what.gain * (double)dn[i]);
    s2clr_free(copy);
    return S2CLR_OK;
}

s2clr_status s2clr_perturb_new(const s2clr_samples *parent, const s2clr_perturb *what,
                               s2clr_samples *out)
{
    view *v;
    S2CLR_TRY(s2clr_alloc(1, sizeof *v, "disturbed samples", (void **)&v));
    v->parent = parent;
    v->what = *what;
    v->values = (size_t)parent->channels * (size_t)parent->size * (size_t)parent->size;
    *out = *parent;
    out->self = v;
    out->read = view_read;
    out->free = s2clr_free;
    return S2CLR_OK;
}
