/* Steps of a view: moves of pixels, joined where they follow each other, and changes of values. */
#include <string.h>

#include "train/paugment.h"

s2clr_view_position *s2clr_augment_axes(const augment_plan *plan)
{
    s2clr_view_list_add(plan->list, S2CLR_VIEW_GATHER);
    return s2clr_view_list_axes(plan->list);
}

/* Where a place of `second` lies before `first`, of which `axis` is. Of two that do not both
 * blend. */
static s2clr_view_position composed(const s2clr_view_position *axis, bool first_blends,
                                    const s2clr_view_position *second)
{
    if (first_blends) return axis[second->low];
    return (s2clr_view_position){
        .low = axis[second->low].low, .high = axis[second->high].low, .share = second->share};
}

/* Two moves are one when at most one of them blends, and a blend is not turned: the order in which
 * it goes through the axes is part of its bits. */
static bool can_join(const s2clr_view_step *first, const s2clr_view_step *second)
{
    return first->act == S2CLR_VIEW_GATHER &&
           !(first->blends && (second->blends || second->transposed));
}

/* Makes `first` the two of them, and takes `second`, the last of the list, off it. */
static void join(const augment_plan *plan, s2clr_view_step *first, const s2clr_view_step *second)
{
    s2clr_view_list *const list = plan->list;
    const size_t size = (size_t)plan->size;
    s2clr_view_position *const to = list->position + first->at;
    s2clr_view_position *const next = list->position + second->at;
    const s2clr_view_position *const rows = second->transposed ? to + size : to;
    const s2clr_view_position *const columns = second->transposed ? to : to + size;
    for (size_t i = 0; i < size; i++) {
        next[i] = composed(rows, first->blends, &next[i]);
        next[size + i] = composed(columns, first->blends, &next[size + i]);
    }
    memcpy(to, next, 2 * size * sizeof *to);
    first->transposed ^= second->transposed;
    first->blends |= second->blends;
    list->positions -= 2 * size;
    list->steps--;
    list->view[list->views - 1].steps--;
}

void s2clr_augment_axes_end(const augment_plan *plan, bool transposed, bool blends)
{
    s2clr_view_list *const list = plan->list;
    s2clr_view_step *const step = &list->step[list->steps - 1];
    step->transposed = transposed;
    step->blends = blends;
    if (list->view[list->views - 1].steps > 1 && can_join(step - 1, step))
        join(plan, step - 1, step);
}

float *s2clr_augment_values(const augment_plan *plan, s2clr_view_act act, float number, size_t rows)
{
    s2clr_view_list_add(plan->list, act)->number = number;
    return s2clr_view_list_numbers(plan->list, rows * (size_t)plan->channels);
}
