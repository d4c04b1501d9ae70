#include "op_reference.h"

#include <math.h>
#include <stdlib.h>

#include "harness.h"

/* Element (n, c, y, x) of a tensor; padding is `outside`. */
static double at(const double *t, s2clr_shape s, int n, int c, int y, int x, double outside)
{
    if (y < 0 || y >= s.h || x < 0 || x >= s.w) return outside;
    return t[(((size_t)n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w +
             (size_t)x];
}

static double conv_at(const op_reference *f, int n, int k, int p, int q)
{
    const s2clr_op_desc *const d = &f->d;
    const s2clr_window v = d->window;
    const int each = d->x.c / d->groups, first = k * d->groups / d->y.c * each;
    const s2clr_shape taps = {d->y.c, each, v.h, v.w};
    double sum = d->bias ? f->in[OP_BIAS][k] : 0;
    for (int c = 0; c < each; c++)
        for (int r = 0; r < v.h; r++)
            for (int s = 0; s < v.w; s++)
                sum += at(f->in[OP_WEIGHT], taps, k, c, r, s, 0) *
                       at(f->in[OP_X], d->x, n, first + c, p * v.stride - v.top + r,
                          q * v.stride - v.left + s, 0);
    return d->residual ? sum + at(f->in[OP_RESIDUAL], d->y, n, k, p, q, 0) : sum;
}

static double maxpool_at(const op_reference *f, int n, int c, int p, int q)
{
    const s2clr_op_desc *const d = &f->d;
    const s2clr_window v = d->window;
    double best = -INFINITY;
    for (int r = 0; r < v.h; r++)
        for (int s = 0; s < v.w; s++)
            best = fmax(best, at(f->in[OP_X], d->x, n, c, p * v.stride - v.top + r,
                                 q * v.stride - v.left + s, -INFINITY));
    return best;
}

static double avgpool_at(const op_reference *f, int n, int c, int p, int q)
{
    const s2clr_op_desc *const d = &f->d;
    const s2clr_window v = d->window;
    double sum = 0;
    int inside = 0;
    for (int r = 0; r < v.h; r++)
        for (int s = 0; s < v.w; s++) {
            const int y = p * v.stride - v.top + r, x = q * v.stride - v.left + s;
            inside += y >= 0 && y < d->x.h && x >= 0 && x < d->x.w;
            sum += at(f->in[OP_X], d->x, n, c, y, x, 0);
        }
    return sum / (d->count_pad ? v.h * v.w : inside);
}

static double concat_at(const op_reference *f, int n, int c, int p, int q)
{
    if (c < f->d.x.c) return at(f->in[OP_X], f->d.x, n, c, p, q, 0);
    return at(f->in[OP_RESIDUAL], s2clr_op_residual(&f->d), n, c - f->d.x.c, p, q, 0);
}

static double meanpool_at(const op_reference *f, int n, int c)
{
    double sum = 0;
    for (int y = 0; y < f->d.x.h; y++)
        for (int x = 0; x < f->d.x.w; x++) sum += at(f->in[OP_X], f->d.x, n, c, y, x, 0);
    return sum / (f->d.x.h * f->d.x.w);
}

/* Mean and inverse standard deviation of channel c over the batch, by two passes. */
static void statistics(const op_reference *f, int c, double *mean, double *inverse)
{
    const s2clr_shape s = f->d.x;
    const double count = (double)s.n * s.h * s.w;
    double sum = 0, squares = 0;
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++) sum += at(f->in[OP_X], s, n, c, y, x, 0);
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                squares += pow(at(f->in[OP_X], s, n, c, y, x, 0) - sum / count, 2);
    *mean = sum / count;
    *inverse = 1 / sqrt(squares / count + OP_EPSILON);
}

static double inner_at(const op_reference *f, int n, int c, int p, int q)
{
    const bool pointwise = f->d.kind == S2CLR_OP_AFFINE || f->d.kind == S2CLR_OP_ADD;
    const double x = pointwise ? at(f->in[OP_X], f->d.x, n, c, p, q, 0) : 0;
    double mean = 0, inverse = 1;
    switch (f->d.kind) {
    case S2CLR_OP_CONV:
        return conv_at(f, n, c, p, q);
    case S2CLR_OP_AFFINE:
        if (f->normalise) statistics(f, c, &mean, &inverse);
        return f->in[OP_SCALE][c] * (x - mean) * inverse + f->in[OP_SHIFT][c];
    case S2CLR_OP_ADD:
        return f->d.residual ? x + at(f->in[OP_RESIDUAL], f->d.y, n, c, p, q, 0) : x;
    case S2CLR_OP_AVGPOOL:
        return avgpool_at(f, n, c, p, q);
    case S2CLR_OP_CONCAT:
        return concat_at(f, n, c, p, q);
    case S2CLR_OP_MAXPOOL:
        return maxpool_at(f, n, c, p, q);
    case S2CLR_OP_MEANPOOL:
        return meanpool_at(f, n, c);
    case S2CLR_OP_KINDS:
        break;
    }
    return NAN;
}

double op_evaluate(const op_reference *f, const float *dy, double *y)
{
    const s2clr_shape s = f->d.y;
    double loss = 0;
    size_t i = 0;
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int p = 0; p < s.h; p++)
                for (int q = 0; q < s.w; q++, i++) {
                    double v = inner_at(f, n, c, p, q);
                    if (f->d.relu && v < 0) v = 0;
                    if (y) y[i] = v;
                    if (dy) loss += (double)dy[i] * v;
                }
    return loss;
}

static double *doubles(const float *from, size_t count)
{
    double *const to = calloc(count + 1, sizeof *to);
    CU_ASSERT_FATAL(to != NULL);
    for (size_t i = 0; i < count; i++) to[i] = (double)from[i];
    return to;
}

op_reference op_reference_new(const s2clr_op_desc *d, const op_data *data, bool normalise)
{
    op_reference f = {.d = *d, .normalise = normalise};
    for (int i = 0; i < OP_FIELDS; i++)
        if (data->count[i]) f.in[i] = doubles(data->value[i], data->count[i]);
    return f;
}

void op_reference_free(op_reference *f)
{
    for (int i = 0; i < OP_FIELDS; i++) free(f->in[i]);
}
