/* The specification of view_steps.h: one step after the other, channel by channel. */
#include <string.h>

#include "backend/portable.h"
#include "backend/view_steps.h"
#include "base/philox_rounds.h"

/* A step of one channel: from x to y, which may be x. */
typedef struct plane {
    const s2clr_view_list *list;
    const s2clr_view_step *step;
    int size;
    size_t channel, channels, pixels;
    float *scratch; // (3, H, W)
    const float *x; // (H, W)
    float *y;       // (H, W)
} plane;

/* The k-th number of this channel. */
static float number(const plane *p, size_t k)
{
    return p->list->number[p->step->at + k * p->channels + p->channel];
}

/* ---- where pixels come from ---- */

/* across, down: from one place of columns or rows to the next in x. */
static void take(const plane *p, const float *x, ptrdiff_t across, ptrdiff_t down)
{
    const s2clr_view_position *rows = p->list->position + p->step->at, *columns = rows + p->size;
    for (int i = 0; i < p->size; i++) {
        const float *from = x + rows[i].low * down;
        float *to = p->y + (ptrdiff_t)i * p->size;
        for (int j = 0; j < p->size; j++) to[j] = from[columns[j].low * across];
    }
}

static void resample(const plane *p, const float *x, ptrdiff_t across, ptrdiff_t down)
{
    const s2clr_view_position *rows = p->list->position + p->step->at, *columns = rows + p->size;
    for (int i = 0; i < p->size; i++) {
        const float *low = x + rows[i].low * down, *high = x + rows[i].high * down;
        float *to = p->y + (ptrdiff_t)i * p->size;
        for (int j = 0; j < p->size; j++) {
            const ptrdiff_t a = columns[j].low * across, b = columns[j].high * across;
            const float share = columns[j].share;
            to[j] = s2clr_view_mix(s2clr_view_mix(low[a], low[b], share),
                                   s2clr_view_mix(high[a], high[b], share), rows[i].share);
        }
    }
}

static void gather(const plane *p)
{
    const ptrdiff_t across = p->step->transposed ? p->size : 1;
    const ptrdiff_t down = p->step->transposed ? 1 : p->size;
    const float *x = p->x;
    if (x == p->y) x = memcpy(p->scratch, x, p->pixels * sizeof *x);
    (p->step->blends ? resample : take)(p, x, across, down);
}

/* ---- values ---- */

static void affine(const plane *p)
{
    const float factor = number(p, 0), offset = number(p, 1);
    for (size_t i = 0; i < p->pixels; i++) p->y[i] = factor * p->x[i] + offset;
}

static void spread_around(const plane *p, float centre)
{
    const float factor = p->step->number;
    for (size_t i = 0; i < p->pixels; i++) p->y[i] = centre + factor * (p->x[i] - centre);
}

static void spread(const plane *p)
{
    spread_around(p, number(p, 0));
}

static void contrast(const plane *p)
{
    double sum = 0;
    size_t valid = 0;
    for (size_t i = 0; i < p->pixels; i++) {
        if (p->x[i] != p->x[i]) continue;
        sum += (double)p->x[i];
        valid++;
    }
    spread_around(p, valid > 0 ? (float)(sum / (double)valid) : 0);
}

/* Four numbers come of one block of the generator. */
static void speckle(const plane *p)
{
    const s2clr_view_step *s = p->step;
    const float low = number(p, 0), high = number(p, 1);
    const uint64_t first = s->first + (uint64_t)(p->channel * p->pixels);
    uint32_t words[4] = {0};
    for (size_t i = 0; i < p->pixels; i++) {
        const uint64_t at = first + i;
        if (i == 0 || at % 4 == 0) s2clr_philox_block(s->seed, s->stream, at / 4, words);
        const float u = s2clr_philox_uniform(words[at % 4]), x = p->x[i];
        p->y[i] = x != x ? x : u < s->number ? low : u >= 1 - s->number ? high : x;
    }
}

void s2clr_view_standard(float mean, float std, size_t values, const float *x, float *y)
{
    for (size_t i = 0; i < values; i++) {
        const float value = (x[i] - mean) / std;
        y[i] = value == value ? value : 0.0f;
    }
}

static void standard(const plane *p)
{
    s2clr_view_standard(number(p, 0), number(p, 1), p->pixels, p->x, p->y);
}

/* ---- neighbours ---- */

static void binomial(const plane *p)
{
    const int size = p->size;
    for (int i = 0; i < size; i++) {
        const float *line = p->x + (ptrdiff_t)i * size;
        float *to = p->scratch + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++)
            to[j] = 0.25f * (line[s2clr_view_reflect(j - 1, size)] +
                             line[s2clr_view_reflect(j + 1, size)]) +
                    0.5f * line[j];
    }
    for (int i = 0; i < size; i++) {
        const float *up = p->scratch + (ptrdiff_t)s2clr_view_reflect(i - 1, size) * size;
        const float *down = p->scratch + (ptrdiff_t)s2clr_view_reflect(i + 1, size) * size;
        const float *here = p->scratch + (ptrdiff_t)i * size, *x = p->x + (ptrdiff_t)i * size;
        float *to = p->y + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++)
            to[j] = x[j] + p->step->number * (0.25f * (up[j] + down[j]) + 0.5f * here[j] - x[j]);
    }
}

static float at_border(const float *weight, int radius, int size, const float *line, int j)
{
    float sum = 0;
    for (int k = -radius; k <= radius; k++)
        sum += weight[k + radius] * line[s2clr_view_reflect(j + k, size)];
    return sum;
}

/* Along the rows; inside, tap after tap for the whole line, which a compiler can do in vectors. */
static void convolve_across(const float *weight, int radius, int size, const float *from, float *to)
{
    const int first = radius < size ? radius : size;
    const int last = size - radius > first ? size - radius : first;
    for (int i = 0; i < size; i++, from += size, to += size) {
        for (int j = 0; j < size; j++) to[j] = 0;
        for (int k = -radius; k <= radius; k++)
            for (int j = first; j < last; j++) to[j] += weight[k + radius] * from[j + k];
        for (int j = 0; j < first; j++) to[j] = at_border(weight, radius, size, from, j);
        for (int j = last; j < size; j++) to[j] = at_border(weight, radius, size, from, j);
    }
}

static void convolve_down(const float *weight, int radius, int size, const float *from, float *to)
{
    for (int i = 0; i < size; i++) {
        float *line = to + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++) line[j] = 0;
        for (int k = -radius; k <= radius; k++) {
            const float *other = from + (ptrdiff_t)s2clr_view_reflect(i + k, size) * size;
            for (int j = 0; j < size; j++) line[j] += weight[k + radius] * other[j];
        }
    }
}

/* Where there is a hole, what is left of the weights divides: it neither grows nor closes. */
static void gaussian(const plane *p)
{
    const float *weight = p->list->number + p->step->at;
    float *first = p->scratch, *second = first + p->pixels, *share = second + p->pixels;
    const int radius = p->step->radius;
    size_t holes = 0;
    for (size_t i = 0; i < p->pixels; i++) {
        const bool hole = p->x[i] != p->x[i];
        first[i] = hole ? 0 : p->x[i];
        holes += hole;
    }
    convolve_across(weight, radius, p->size, first, second);
    convolve_down(weight, radius, p->size, second, first);
    if (holes > 0) {
        for (size_t i = 0; i < p->pixels; i++) second[i] = p->x[i] == p->x[i];
        convolve_across(weight, radius, p->size, second, share);
        convolve_down(weight, radius, p->size, share, second);
    }
    for (size_t i = 0; i < p->pixels; i++) {
        if (holes > 0) first[i] /= second[i];
        p->y[i] = p->x[i] == p->x[i] ? first[i] : p->x[i];
    }
}

/* ---- views ---- */

static void (*const acts[])(const plane *p) = {
    [S2CLR_VIEW_GATHER] = gather,     [S2CLR_VIEW_AFFINE] = affine,
    [S2CLR_VIEW_SPREAD] = spread,     [S2CLR_VIEW_CONTRAST] = contrast,
    [S2CLR_VIEW_BINOMIAL] = binomial, [S2CLR_VIEW_GAUSSIAN] = gaussian,
    [S2CLR_VIEW_SPECKLE] = speckle,   [S2CLR_VIEW_STANDARD] = standard,
};

static size_t pixels_of(const s2clr_view_list *list)
{
    return (size_t)list->size * (size_t)list->size;
}

size_t s2clr_view_scratch(const s2clr_view_list *list)
{
    return 3 * pixels_of(list);
}

void s2clr_view_run(const s2clr_view_list *list, size_t view, const float *x, float *scratch,
                    float *y)
{
    const s2clr_view *v = &list->view[view];
    plane p = {.list = list,
               .size = list->size,
               .channels = (size_t)list->channels,
               .pixels = pixels_of(list),
               .scratch = scratch};
    if (v->steps == 0) memcpy(y, x, p.channels * p.pixels * sizeof *y);
    for (p.channel = 0; p.channel < p.channels; p.channel++) {
        p.y = y + p.channel * p.pixels;
        for (size_t k = 0; k < v->steps; k++) {
            p.step = &list->step[v->first + k];
            p.x = k == 0 ? x + p.channel * p.pixels : p.y;
            acts[p.step->act](&p);
        }
    }
}

/* ---- the table ---- */

static size_t work_bytes(const s2clr_device *device, const s2clr_view_list *list)
{
    (void)device;
    return s2clr_view_scratch(list) * sizeof(float);
}

static s2clr_status run(s2clr_stream *stream, const s2clr_view_list *list, const float *patches,
                        void *work, float *y)
{
    const size_t values = (size_t)list->channels * pixels_of(list);
    (void)stream;
    for (size_t i = 0; i < list->views; i++)
        s2clr_view_run(list, i, patches + list->view[i].patch * values, work, y + i * values);
    return S2CLR_OK;
}

const s2clr_backend_views s2clr_portable_views = {.work_bytes = work_bytes, .run = run};
