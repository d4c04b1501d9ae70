/* The arithmetic of the pretended cuDNN: sums in double, rounded once to float32. */
#include "cuda_fake_dnn.h"

#include <math.h>
#include <stdlib.h>

/* A convolution between dense arrays: x (n, h, w, c), weights (k, r, s, c of a group), y. */
typedef struct job {
    const fake_tensor *x, *w, *y;
    const fake_node *node;
    int64_t groups, in, out; /* channels of a group */
    double *sum;             /* of the result, filled here */
    float *xv, *wv, *yv;
} job;

/* Pixel of x that tap (r, s) of output (p, q) reads; -1: padding. */
static int64_t pixel(const job *j, int64_t n, int64_t p, int64_t q, int64_t r, int64_t s)
{
    const int64_t row = p * j->node->stride[0] + r - j->node->top;
    const int64_t column = q * j->node->stride[1] + s - j->node->left;
    if (row < 0 || row >= j->x->h || column < 0 || column >= j->x->w) return -1;
    return ((n * j->x->h + row) * j->x->w + column) * j->x->c;
}

/* The sums for one output pixel and one tap. x, y: their channels; w: the tap's first filter. */
typedef void (*tap_work)(const job *j, int64_t x, int64_t y, int64_t tap);

static int64_t filter_at(const job *j, int64_t k, int64_t tap)
{
    return (k * j->w->h * j->w->w + tap) * j->w->c;
}

static void forward_tap(const job *j, int64_t x, int64_t y, int64_t tap)
{
    for (int64_t k = 0; k < j->y->c; k++) {
        const float *const w = j->wv + filter_at(j, k, tap);
        const float *const from = j->xv + x + k / j->out * j->in;
        double sum = 0;
        for (int64_t c = 0; c < j->in; c++) sum += (double)w[c] * (double)from[c];
        j->sum[y + k] += sum;
    }
}

static void data_tap(const job *j, int64_t x, int64_t y, int64_t tap)
{
    for (int64_t k = 0; k < j->y->c; k++) {
        const float *const w = j->wv + filter_at(j, k, tap);
        double *const to = j->sum + x + k / j->out * j->in;
        const double g = (double)j->yv[y + k];
        for (int64_t c = 0; c < j->in; c++) to[c] += g * (double)w[c];
    }
}

static void filter_tap(const job *j, int64_t x, int64_t y, int64_t tap)
{
    for (int64_t k = 0; k < j->y->c; k++) {
        double *const to = j->sum + filter_at(j, k, tap);
        const float *const from = j->xv + x + k / j->out * j->in;
        const double g = (double)j->yv[y + k];
        for (int64_t c = 0; c < j->in; c++) to[c] += g * (double)from[c];
    }
}

static void for_taps(const job *j, tap_work work)
{
    for (int64_t n = 0; n < j->y->n; n++)
        for (int64_t p = 0; p < j->y->h; p++)
            for (int64_t q = 0; q < j->y->w; q++) {
                const int64_t y = ((n * j->y->h + p) * j->y->w + q) * j->y->c;
                for (int64_t tap = 0; tap < j->w->h * j->w->w; tap++) {
                    const int64_t x = pixel(j, n, p, q, tap / j->w->w, tap % j->w->w);
                    if (x >= 0) work(j, x, y, tap);
                }
            }
}

static void convolve(const fake_program *p, const fake_node *node, fake_values *values)
{
    static const tap_work works[] = {forward_tap, data_tap, filter_tap};
    job j = {&p->tensor[node->x], &p->tensor[node->w], &p->tensor[node->y], node, 0, 0, 0, NULL,
             values->of[node->x], values->of[node->w], values->of[node->y]};
    const int to = node->kind == FAKE_FORWARD ? node->y
                   : node->kind == FAKE_DATA  ? node->x
                                              : node->w;
    const size_t count = fake_tensor_count(&p->tensor[to]);
    j.groups = j.x->c / j.w->c;
    j.in = j.w->c;
    j.out = j.y->c / j.groups;
    j.sum = fake_calloc(count, sizeof *j.sum);
    for_taps(&j, works[node->kind]);
    for (size_t i = 0; i < count; i++) values->of[to][i] = (float)j.sum[i];
    free(j.sum);
}

static void add(const fake_program *p, const fake_node *node, fake_values *values)
{
    const fake_tensor *const y = &p->tensor[node->y], *const b = &p->tensor[node->w];
    const float *const from = values->of[node->x], *const more = values->of[node->w];
    size_t i = 0;
    for (int64_t n = 0; n < y->n; n++)
        for (int64_t h = 0; h < y->h; h++)
            for (int64_t w = 0; w < y->w; w++)
                for (int64_t c = 0; c < y->c; c++, i++) {
                    const int64_t at = (((b->n > 1 ? n : 0) * b->h + (b->h > 1 ? h : 0)) * b->w +
                                        (b->w > 1 ? w : 0)) *
                                           b->c +
                                       (b->c > 1 ? c : 0);
                    values->of[node->y][i] = from[i] + more[at];
                }
}

void fake_compute(const fake_program *p, const fake_node *node, fake_values *values)
{
    if (node->kind <= FAKE_FILTER) {
        convolve(p, node, values);
    } else if (node->kind == FAKE_ADD) {
        add(p, node, values);
    } else { /* cuDNN does not promise that a NaN passes */
        const size_t count = fake_tensor_count(&p->tensor[node->y]);
        for (size_t i = 0; i < count; i++)
            values->of[node->y][i] = fmaxf(values->of[node->x][i], 0.0f);
    }
}
