/* The contrastive loss, as the formulas say it: what backend_training.h's `contrast` means. */
#include <math.h>

#include "backend/portable.h"
#include "base/memory.h"

struct s2clr_contrast_loss {
    size_t views, d; // 2n
    double *u;       // (views, d) of length 1
    double *norm;    // (views)
    double *ds;      // (views, views) cosines, then their share of the gradient
    double *du;      // (d)
};

static s2clr_status doubles(size_t rows, size_t columns, double **out)
{
    size_t count;
    S2CLR_TRY(s2clr_size_mul(rows, columns, &count));
    return s2clr_alloc(count, sizeof **out, "contrastive loss", (void **)out);
}

static s2clr_status bytes(const s2clr_device *device, size_t n, size_t d, size_t *out)
{
    size_t columns, rows;
    (void)device;
    S2CLR_TRY(s2clr_size_mul(n, 2, &rows));
    S2CLR_TRY(s2clr_size_add(rows, d, &columns));
    S2CLR_TRY(s2clr_size_add(columns, 1, &columns));
    S2CLR_TRY(s2clr_size_mul(rows, columns, &columns));
    S2CLR_TRY(s2clr_size_add(columns, d, &columns));
    return s2clr_size_mul(columns, sizeof(double), out);
}

static void close_loss(s2clr_contrast_loss *l)
{
    if (!l) return;
    s2clr_free(l->u);
    s2clr_free(l->norm);
    s2clr_free(l->ds);
    s2clr_free(l->du);
    s2clr_free(l);
}

static s2clr_status allocate(s2clr_contrast_loss *l)
{
    S2CLR_TRY(doubles(l->views, l->d, &l->u));
    S2CLR_TRY(doubles(l->views, 1, &l->norm));
    S2CLR_TRY(doubles(l->views, l->views, &l->ds));
    return doubles(l->d, 1, &l->du);
}

static s2clr_status open_loss(s2clr_device *device, size_t n, size_t d, s2clr_contrast_loss **out)
{
    s2clr_contrast_loss *l;
    (void)device;
    S2CLR_TRY(s2clr_alloc(1, sizeof *l, "contrastive loss", (void **)&l));
    l->views = 2 * n;
    l->d = d;
    const s2clr_status status = allocate(l);
    if (status != S2CLR_OK) {
        close_loss(l);
        return status;
    }
    *out = l;
    return S2CLR_OK;
}

static void normalise(const s2clr_contrast_loss *l, const float *z)
{
    for (size_t i = 0; i < l->views; i++) {
        double square = 0;
        for (size_t k = 0; k < l->d; k++)
            square += (double)z[i * l->d + k] * (double)z[i * l->d + k];
        l->norm[i] = sqrt(square);
        for (size_t k = 0; k < l->d; k++) l->u[i * l->d + k] = (double)z[i * l->d + k] / l->norm[i];
    }
}

static bool counts(const int *place, size_t i, size_t j)
{
    return i / 2 == j / 2 ? i != j : !place || place[i / 2] != place[j / 2];
}

/* The cost of view i; row i of ds is what the cosines get of it. */
static double compare(const s2clr_contrast_loss *l, const int *place, double temperature, size_t i)
{
    double *const s = l->ds + i * l->views;
    double most = -INFINITY, sum = 0;
    for (size_t j = 0; j < l->views; j++) {
        s[j] = 0;
        for (size_t k = 0; k < l->d; k++) s[j] += l->u[i * l->d + k] * l->u[j * l->d + k];
        s[j] /= temperature;
        if (counts(place, i, j)) most = fmax(most, s[j]);
    }
    for (size_t j = 0; j < l->views; j++)
        if (counts(place, i, j)) sum += exp(s[j] - most);
    const double cost = most + log(sum) - s[i ^ 1];
    for (size_t j = 0; j < l->views; j++)
        s[j] = counts(place, i, j) ? exp(s[j] - most) / sum - (j == (i ^ 1)) : 0;
    return cost;
}

static void gradient_of(const s2clr_contrast_loss *l, double temperature, size_t i, float *dz)
{
    const double *const u = l->u + i * l->d;
    const double scale = 1 / (temperature * (double)l->views * l->norm[i]);
    double along = 0;
    for (size_t k = 0; k < l->d; k++) {
        l->du[k] = 0;
        for (size_t j = 0; j < l->views; j++)
            l->du[k] += (l->ds[i * l->views + j] + l->ds[j * l->views + i]) * l->u[j * l->d + k];
        along += u[k] * l->du[k];
    }
    for (size_t k = 0; k < l->d; k++) dz[i * l->d + k] = (float)(scale * (l->du[k] - along * u[k]));
}

static s2clr_status run(s2clr_contrast_loss *l, s2clr_stream *stream, const float *z,
                        const int *place, double temperature, double *value, float *dz)
{
    double sum = 0;
    (void)stream;
    normalise(l, z);
    for (size_t i = 0; i < l->views; i++) sum += compare(l, place, temperature, i);
    for (size_t i = 0; dz && i < l->views; i++) gradient_of(l, temperature, i, dz);
    *value = sum / (double)l->views;
    return S2CLR_OK;
}

const s2clr_backend_contrast s2clr_portable_contrast = {
    .bytes = bytes, .open = open_loss, .close = close_loss, .run = run};
