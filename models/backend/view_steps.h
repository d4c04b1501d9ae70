/*
 * Views of patches as lists of steps: what an augmentation does once its random numbers are drawn,
 * in a vocabulary small enough for every device. train/augment*.c makes the lists, portable_views.c
 * runs them and is the specification, a device runs them for a whole batch at once.
 *
 *     s2clr_view_list *list;
 *     S2CLR_TRY(s2clr_view_list_new(channels, size, views, steps, &list));
 *     S2CLR_TRY(s2clr_augment_plan(&recipe, seed, epoch, slot, 0, mean, std, list));
 *     s2clr_view_run(list, 0, patch, scratch, y);
 *
 * A patch is (C, H, W) float32, H = W = size; NaN marks invalid pixels. Every step is made of
 * additions, multiplications, divisions and comparisons of float32 in a fixed order (sums of
 * CONTRAST: double), so that a device that rounds as IEEE 754 says, and fuses nothing, gives the
 * same bits; only of a NaN there may be another.
 */
#ifndef S2CLR_BACKEND_VIEW_STEPS_H
#define S2CLR_BACKEND_VIEW_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/everywhere.h"

/* x: the patch before the step, y: after it; c: channel, (i, j): pixel; numbers: floats of the list
 * from `at` on, in the order of their names here. */
typedef enum s2clr_view_act {
    S2CLR_VIEW_GATHER,   /* y(i, j) = x at rows[i], columns[j]: positions from `at` on */
    S2CLR_VIEW_AFFINE,   /* y = factor[c] * x + offset[c] */
    S2CLR_VIEW_SPREAD,   /* y = centre[c] + number * (x - centre[c]) */
    S2CLR_VIEW_CONTRAST, /* the same around the mean of the channel's valid pixels, 0 for none */
    S2CLR_VIEW_BINOMIAL, /* y = x + number * (b - x), b: x times (1 2 1)(1 2 1)' / 16, border
                          * reflected; size >= 2 */
    S2CLR_VIEW_GAUSSIAN, /* across, then down, with weight[2 radius + 1], border reflected; invalid
                          * pixels have no weight and stay invalid */
    S2CLR_VIEW_SPECKLE,  /* u = uniform number (first + c * pixels + pixel) of (seed, stream), see
                          * base/philox.h: low[c] where u < number, high[c] where u >= 1 - number,
                          * but for invalid pixels */
    S2CLR_VIEW_STANDARD, /* y = (x - mean[c]) / std[c], 0 where that is NaN */
} s2clr_view_act;

#define S2CLR_VIEW_RADIUS_MAX 6

/* On an axis: between pixels low and high. */
typedef struct s2clr_view_position {
    int32_t low, high;
    float share; /* of high; 0: high is low */
} s2clr_view_position;

typedef struct s2clr_view_step {
    s2clr_view_act act;
    /* GATHER: rows[i] and columns[j] change places before x is looked up, so that rows[i] is a
     * column of x; some share is not 0, and y = mix(mix(of columns[j] at rows[i].low), mix(of
     * columns[j] at rows[i].high), rows[i].share) with mix(a, b, share) = a + share * (b - a) */
    bool transposed, blends;
    int radius; /* GAUSSIAN */
    float number;
    size_t at;                    /* GATHER: positions rows (size), columns (size); else numbers */
    uint64_t seed, stream, first; /* SPECKLE */
} s2clr_view_step;

typedef struct s2clr_view {
    size_t patch;        /* the one it is made of */
    size_t first, steps; /* of the list; no step: a copy */
} s2clr_view;

/* -1 -> 1, size -> size - 2: the border pixel itself is not repeated. */
S2CLR_EVERYWHERE int s2clr_view_reflect(int i, int size)
{
    if (size == 1) return 0;
    while (i < 0 || i >= size) i = i < 0 ? -i : 2 * (size - 1) - i;
    return i;
}

S2CLR_EVERYWHERE float s2clr_view_mix(float a, float b, float share)
{
    return a + share * (b - a);
}

/* Views, and what their steps refer to. All arrays are the machine's. */
typedef struct s2clr_view_list {
    int channels, size;
    size_t patches; /* that the views are made of: view[].patch is below */
    size_t views, steps, positions, numbers;
    size_t views_max, steps_max, positions_max, numbers_max;
    s2clr_view *view;              // (views)
    s2clr_view_step *step;         // (steps)
    s2clr_view_position *position; // (positions)
    float *number;                 // (numbers)
} s2clr_view_list;

/* A list with its maxima, for `views` views of at most `steps` steps each, and no arrays. */
s2clr_status s2clr_view_list_sized(int channels, int size, size_t views, size_t steps,
                                   s2clr_view_list *out);
/* One with arrays, and nothing in them. Free with s2clr_view_list_free(). */
s2clr_status s2clr_view_list_new(int channels, int size, size_t views, size_t steps,
                                 s2clr_view_list **out);
void s2clr_view_list_free(s2clr_view_list *list);
/* Empties it. */
void s2clr_view_list_clear(s2clr_view_list *list);

/* Begins a view of a patch; the steps that are added belong to it. Room is the caller's matter. */
void s2clr_view_list_begin(s2clr_view_list *list, size_t patch);
/* Adds a step that refers to what is added to the list next. */
s2clr_view_step *s2clr_view_list_add(s2clr_view_list *list, s2clr_view_act act);
/* Rows and columns of the GATHER added last: (2, size), to be filled in. */
s2clr_view_position *s2clr_view_list_axes(s2clr_view_list *list);
/* So many numbers of the step added last; at most 2 channels, or 2 radius + 1. */
float *s2clr_view_list_numbers(s2clr_view_list *list, size_t count);

/* Makes view number `view` of its patch; y: (C, H, W), not x. scratch:
 * s2clr_view_scratch(list) floats. */
size_t s2clr_view_scratch(const s2clr_view_list *list);
void s2clr_view_run(const s2clr_view_list *list, size_t view, const float *x, float *scratch,
                    float *y);

/* STANDARD for one channel, of as many values; y may be x. */
void s2clr_view_standard(float mean, float std, size_t values, const float *x, float *y);

/* Views on a device: part of backend_training.h. */
typedef struct s2clr_backend_views {
    /* Bytes of the device's memory that run() works in, for all that the list has room for. */
    size_t (*work_bytes)(const s2clr_device *device, const s2clr_view_list *list);
    /* Queued: all views, y: (views, C, H, W), of patches: (patches, C, H, W), on the device. What
     * was to be read of the list has been read on return. */
    s2clr_status (*run)(s2clr_stream *stream, const s2clr_view_list *list, const float *patches,
                        void *work, float *y);
} s2clr_backend_views;

#endif
