/* Kernel bodies: views of patches. Formulas and their order: portable_views.c. See
 * cuda_view_args.h. */
#ifndef S2CLR_BACKEND_CUDA_BODY_VIEWS_H
#define S2CLR_BACKEND_CUDA_BODY_VIEWS_H

#include "backend/cuda_body.h"
#include "base/philox_rounds.h"

/* A plane of a view at its step, or a value of it. */
typedef struct cuda_spot {
    const s2clr_view *view;
    const s2clr_view_step *step; /* NULL: there is none in this round */
    size_t own;                  /* of the view among those of this launch */
    size_t channel, pixel;
    int row, column;
    const float *x; // (H, W)
} cuda_spot;

CUDA_BODY size_t cuda_view_pixels(const cuda_viewing *a)
{
    return (size_t)a->list.size * (size_t)a->list.size;
}

/* From an index (view, channel). */
CUDA_BODY cuda_spot cuda_plane_spot(const cuda_viewing *a, size_t i)
{
    const size_t channels = (size_t)a->list.channels, pixels = cuda_view_pixels(a);
    cuda_spot spot;
    spot.channel = cuda_split(&i, channels);
    spot.own = i;
    spot.view = a->list.view + a->first + i;
    spot.step = a->round < spot.view->steps ? a->list.step + spot.view->first + a->round : NULL;
    spot.x = a->round == 0 ? a->patches + spot.view->patch * channels * pixels
                           : a->between[(a->round - 1) & 1] + i * channels * pixels;
    spot.x += spot.channel * pixels;
    spot.pixel = 0;
    spot.row = spot.column = 0;
    return spot;
}

/* From an index (view, channel, row, column). */
CUDA_BODY cuda_spot cuda_value_spot(const cuda_viewing *a, size_t i)
{
    const size_t pixel = cuda_split(&i, cuda_view_pixels(a));
    cuda_spot spot = cuda_plane_spot(a, i);
    size_t row = pixel;
    spot.pixel = pixel;
    spot.column = (int)cuda_split(&row, (size_t)a->list.size);
    spot.row = (int)row;
    return spot;
}

/* Where a value of the views of this launch lies. */
CUDA_BODY size_t cuda_spot_at(const cuda_viewing *a, const cuda_spot *s)
{
    return (s->own * (size_t)a->list.channels + s->channel) * cuda_view_pixels(a) + s->pixel;
}

CUDA_BODY float cuda_spot_number(const cuda_viewing *a, const cuda_spot *s, size_t k)
{
    return a->list.number[s->step->at + k * (size_t)a->list.channels + s->channel];
}

CUDA_BODY bool cuda_is_hole(float value)
{
    return value != value;
}

/* ---- what a step has to know of a plane: one index per plane, sums in the order of pixels ---- */

static inline size_t cuda_view_measure_count(const cuda_view_measure_args *a)
{
    return a->count * (size_t)a->list.channels;
}

CUDA_BODY void cuda_view_measure_body(size_t i, const cuda_view_measure_args *a)
{
    const cuda_spot s = cuda_plane_spot(a, i);
    const size_t pixels = cuda_view_pixels(a);
    double sum = 0.0;
    size_t valid = 0;
    if (!s.step || (s.step->act != S2CLR_VIEW_CONTRAST && s.step->act != S2CLR_VIEW_GAUSSIAN))
        return;
    for (size_t first = 0; first < pixels; first += CUDA_LANES) {
        float run[CUDA_LANES]; /* several are on their way from memory at once */
        for (size_t l = 0; l < CUDA_LANES; l++)
            run[l] = s.x[first + l < pixels ? first + l : pixels - 1];
        for (size_t l = 0; l < CUDA_LANES && first + l < pixels; l++) {
            if (cuda_is_hole(run[l])) continue;
            sum += (double)run[l];
            valid++;
        }
    }
    if (s.step->act == S2CLR_VIEW_CONTRAST)
        a->measure[i] = valid > 0 ? (float)(sum / (double)valid) : 0.0f;
    else
        a->measure[i] = valid < pixels ? 1.0f : 0.0f;
}

/* ---- neighbours ---- */

static inline size_t cuda_view_across_count(const cuda_view_across_args *a)
{
    return a->count * (size_t)a->list.channels * (size_t)a->list.size * (size_t)a->list.size;
}

CUDA_BODY void cuda_view_across_body(size_t i, const cuda_view_across_args *a)
{
    const cuda_spot s = cuda_value_spot(a, i);
    float value = 0.0f, share = 0.0f;
    if (!s.step || s.step->act != S2CLR_VIEW_GAUSSIAN) return;
    const float *const weight = a->list.number + s.step->at + s.step->radius;
    const float *const line = s.x + (size_t)s.row * (size_t)a->list.size;
    for (int k = -s.step->radius; k <= s.step->radius; k++) {
        const float x = line[s2clr_view_reflect(s.column + k, a->list.size)];
        const bool hole = cuda_is_hole(x);
        value += weight[k] * (hole ? 0.0f : x);
        share += weight[k] * (hole ? 0.0f : 1.0f);
    }
    a->across[0][i] = value;
    a->across[1][i] = share;
}

CUDA_BODY float cuda_view_down(const cuda_viewing *a, const cuda_spot *s, const float *across)
{
    const float *const weight = a->list.number + s->step->at + s->step->radius;
    const float *const column = across + cuda_spot_at(a, s) - s->pixel + (size_t)s->column;
    float sum = 0.0f;
    for (int k = -s->step->radius; k <= s->step->radius; k++)
        sum += weight[k] *
               column[(size_t)s2clr_view_reflect(s->row + k, a->list.size) * (size_t)a->list.size];
    return sum;
}

CUDA_BODY float cuda_view_gaussian(const cuda_viewing *a, const cuda_spot *s, float x)
{
    if (cuda_is_hole(x)) return x;
    const float value = cuda_view_down(a, s, a->across[0]);
    const bool holes = a->measure[s->own * (size_t)a->list.channels + s->channel] > 0.0f;
    return holes ? value / cuda_view_down(a, s, a->across[1]) : value;
}

/* (1 2 1) / 4 along a row. */
CUDA_BODY float cuda_view_three(const cuda_viewing *a, const cuda_spot *s, int row)
{
    const int size = a->list.size;
    const float *const line = s->x + (size_t)s2clr_view_reflect(row, size) * (size_t)size;
    const float left = line[s2clr_view_reflect(s->column - 1, size)];
    const float right = line[s2clr_view_reflect(s->column + 1, size)];
    return 0.25f * (left + right) + 0.5f * line[s->column];
}

CUDA_BODY float cuda_view_binomial(const cuda_viewing *a, const cuda_spot *s, float x)
{
    const float up = cuda_view_three(a, s, s->row - 1), down = cuda_view_three(a, s, s->row + 1);
    const float here = cuda_view_three(a, s, s->row);
    return x + s->step->number * (0.25f * (up + down) + 0.5f * here - x);
}

/* ---- where pixels come from ---- */

CUDA_BODY float cuda_view_gather(const cuda_viewing *a, const cuda_spot *s)
{
    const size_t size = (size_t)a->list.size;
    const size_t across = s->step->transposed ? size : 1, down = s->step->transposed ? 1 : size;
    const s2clr_view_position *const rows = a->list.position + s->step->at;
    const s2clr_view_position row = rows[s->row], column = rows[size + (size_t)s->column];
    const float *const low = s->x + (size_t)row.low * down;
    const float *const high = s->x + (size_t)row.high * down;
    const size_t near = (size_t)column.low * across, far = (size_t)column.high * across;
    if (!s->step->blends) return low[near];
    return s2clr_view_mix(s2clr_view_mix(low[near], low[far], column.share),
                          s2clr_view_mix(high[near], high[far], column.share), row.share);
}

/* ---- values ---- */

CUDA_BODY float cuda_view_spread(const cuda_spot *s, float centre, float x)
{
    return centre + s->step->number * (x - centre);
}

CUDA_BODY float cuda_view_speckle(const cuda_viewing *a, const cuda_spot *s, float x)
{
    const uint64_t at = s->step->first + s->channel * cuda_view_pixels(a) + s->pixel;
    uint32_t words[4];
    s2clr_philox_block(s->step->seed, s->step->stream, at / 4, words);
    const float u = s2clr_philox_uniform(words[at % 4]);
    if (cuda_is_hole(x)) return x;
    if (u < s->step->number) return cuda_spot_number(a, s, 0);
    return u >= 1.0f - s->step->number ? cuda_spot_number(a, s, 1) : x;
}

CUDA_BODY float cuda_view_standard(const cuda_viewing *a, const cuda_spot *s, float x)
{
    const float value = (x - cuda_spot_number(a, s, 0)) / cuda_spot_number(a, s, 1);
    return cuda_is_hole(value) ? 0.0f : value;
}

CUDA_BODY float cuda_view_value(const cuda_viewing *a, const cuda_spot *s, float x)
{
    switch (s->step->act) {
    case S2CLR_VIEW_GATHER:
        return cuda_view_gather(a, s);
    case S2CLR_VIEW_AFFINE:
        return cuda_spot_number(a, s, 0) * x + cuda_spot_number(a, s, 1);
    case S2CLR_VIEW_SPREAD:
        return cuda_view_spread(s, cuda_spot_number(a, s, 0), x);
    case S2CLR_VIEW_CONTRAST:
        return cuda_view_spread(s, a->measure[s->own * (size_t)a->list.channels + s->channel], x);
    case S2CLR_VIEW_BINOMIAL:
        return cuda_view_binomial(a, s, x);
    case S2CLR_VIEW_GAUSSIAN:
        return cuda_view_gaussian(a, s, x);
    case S2CLR_VIEW_SPECKLE:
        return cuda_view_speckle(a, s, x);
    case S2CLR_VIEW_STANDARD:
        return cuda_view_standard(a, s, x);
    }
    return x;
}

/* ---- one step: one index per value ---- */

static inline size_t cuda_view_step_count(const cuda_view_step_args *a)
{
    return cuda_view_across_count(a);
}

CUDA_BODY void cuda_view_step_body(size_t i, const cuda_view_step_args *a)
{
    const cuda_spot s = cuda_value_spot(a, i);
    const size_t view_values = (size_t)a->list.channels * cuda_view_pixels(a);
    const bool last = a->round + 1 >= s.view->steps;
    float *const to = last ? a->y + a->first * view_values : a->between[a->round & 1];
    if (s.step)
        to[i] = cuda_view_value(a, &s, s.x[s.pixel]);
    else if (s.view->steps == 0 && a->round == 0)
        to[i] = s.x[s.pixel];
}

#endif
