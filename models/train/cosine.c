#include "train/cosine.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Columns computed at once: with 4 rows, what fits the registers of the oldest processor. */
enum { ROWS = S2CLR_COSINE_ROWS, LANES = 4 };

typedef double two __attribute__((vector_size(2 * sizeof(double))));

/* Fills u, norm and panel: (width / LANES, d, LANES), u again with LANES vectors side by side. */
static void normalise(s2clr_cosine *cosine, const float *x, size_t stride)
{
    const size_t d = cosine->d;
    for (size_t i = 0; i < cosine->count; i++) {
        const float *v = x + i * stride;
        double square = 0;
        for (size_t k = 0; k < d; k++) square += (double)v[k] * (double)v[k];
        cosine->norm[i] = sqrt(square);
        if (!(square > 0) || !isfinite(square)) continue;
        double *u = cosine->u + i * d;
        double *panel = cosine->panel + i / LANES * d * LANES + i % LANES;
        for (size_t k = 0; k < d; k++) panel[k * LANES] = u[k] = (double)v[k] / cosine->norm[i];
    }
}

static s2clr_status allocate(s2clr_cosine *cosine)
{
    static const char what[] = "normalised vectors";
    size_t values, panels;
    S2CLR_TRY(s2clr_size_mul(cosine->count, cosine->d, &values));
    S2CLR_TRY(s2clr_size_mul(cosine->width, cosine->d, &panels));
    S2CLR_TRY(s2clr_alloc(values, sizeof(double), what, (void **)&cosine->u));
    S2CLR_TRY(s2clr_alloc(cosine->count, sizeof(double), what, (void **)&cosine->norm));
    return s2clr_alloc(panels, sizeof(double), what, (void **)&cosine->panel);
}

s2clr_status s2clr_cosine_new(const float *x, size_t count, size_t stride, size_t d,
                              s2clr_cosine **out)
{
    s2clr_cosine *cosine;
    size_t width;
    S2CLR_TRY(s2clr_size_add(count, LANES - 1, &width));
    S2CLR_TRY(s2clr_alloc(1, sizeof *cosine, "normalised vectors", (void **)&cosine));
    *cosine = (s2clr_cosine){.count = count, .d = d, .width = width / LANES * LANES};
    const s2clr_status status = allocate(cosine);
    if (status != S2CLR_OK) {
        s2clr_cosine_free(cosine);
        return status;
    }
    normalise(cosine, x, stride);
    *out = cosine;
    return S2CLR_OK;
}

void s2clr_cosine_free(s2clr_cosine *cosine)
{
    if (!cosine) return;
    s2clr_free(cosine->u);
    s2clr_free(cosine->norm);
    s2clr_free(cosine->panel);
    s2clr_free(cosine);
}

void s2clr_cosine_compare(const s2clr_cosine *all, const s2clr_cosine *of, size_t first, double *s)
{
    const size_t d = all->d;
    const double *u[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        u[r] = of->u + (first + r < of->count ? first + r : of->count - 1) * d;
    for (size_t column = 0; column < all->width; column += LANES) {
        const double *panel = all->panel + column * d;
        two sum[ROWS][2] = {{{0}}};
        for (size_t k = 0; k < d; k++) {
            two v[2];
            memcpy(v, panel + k * LANES, sizeof v);
            for (size_t r = 0; r < ROWS; r++) {
                sum[r][0] += u[r][k] * v[0];
                sum[r][1] += u[r][k] * v[1];
            }
        }
        for (size_t r = 0; r < ROWS; r++)
            memcpy(s + r * all->width + column, sum[r], sizeof sum[r]);
    }
}

s2clr_status s2clr_cosine_run(s2clr_pool *pool, s2clr_task task, void *context, size_t rows)
{
    const size_t items = (rows + ROWS - 1) / ROWS;
    if (pool) return s2clr_pool_run(pool, task, context, items);
    for (size_t i = 0; i < items; i++) S2CLR_TRY(task(context, i, 0));
    return S2CLR_OK;
}

size_t s2clr_cosine_threads(const s2clr_pool *pool)
{
    return pool ? (size_t)s2clr_pool_threads(pool) : 1;
}
