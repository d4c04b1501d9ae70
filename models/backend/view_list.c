/* Lists of steps: see view_steps.h. */
#include "backend/view_steps.h"
#include "base/memory.h"

/* Numbers of a step: two for each channel, or the weights of the widest Gaussian. */
static size_t numbers_of_step(int channels)
{
    const size_t weights = 2 * S2CLR_VIEW_RADIUS_MAX + 1, both = 2 * (size_t)channels;
    return both > weights ? both : weights;
}

s2clr_status s2clr_view_list_sized(int channels, int size, size_t views, size_t steps,
                                   s2clr_view_list *out)
{
    s2clr_view_list list = {.channels = channels, .size = size, .views_max = views};
    S2CLR_TRY(s2clr_size_mul(views, steps, &list.steps_max));
    S2CLR_TRY(s2clr_size_mul(list.steps_max, 2 * (size_t)size, &list.positions_max));
    S2CLR_TRY(s2clr_size_mul(list.steps_max, numbers_of_step(channels), &list.numbers_max));
    *out = list;
    return S2CLR_OK;
}

static s2clr_status allocate(s2clr_view_list *list)
{
    S2CLR_TRY(s2clr_alloc(list->views_max, sizeof *list->view, "views", (void **)&list->view));
    S2CLR_TRY(
        s2clr_alloc(list->steps_max, sizeof *list->step, "steps of views", (void **)&list->step));
    S2CLR_TRY(s2clr_alloc(list->positions_max, sizeof *list->position, "steps of views",
                          (void **)&list->position));
    return s2clr_alloc(list->numbers_max, sizeof *list->number, "steps of views",
                       (void **)&list->number);
}

s2clr_status s2clr_view_list_new(int channels, int size, size_t views, size_t steps,
                                 s2clr_view_list **out)
{
    s2clr_view_list sized, *list;
    S2CLR_TRY(s2clr_view_list_sized(channels, size, views, steps, &sized));
    S2CLR_TRY(s2clr_alloc(1, sizeof *list, "views", (void **)&list));
    *list = sized;
    const s2clr_status status = allocate(list);
    if (status != S2CLR_OK) {
        s2clr_view_list_free(list);
        return status;
    }
    *out = list;
    return S2CLR_OK;
}

void s2clr_view_list_free(s2clr_view_list *list)
{
    if (!list) return;
    s2clr_free(list->view);
    s2clr_free(list->step);
    s2clr_free(list->position);
    s2clr_free(list->number);
    s2clr_free(list);
}

void s2clr_view_list_clear(s2clr_view_list *list)
{
    list->patches = list->views = list->steps = list->positions = list->numbers = 0;
}

void s2clr_view_list_begin(s2clr_view_list *list, size_t patch)
{
    list->view[list->views++] = (s2clr_view){.patch = patch, .first = list->steps};
    if (patch >= list->patches) list->patches = patch + 1;
}

s2clr_view_step *s2clr_view_list_add(s2clr_view_list *list, s2clr_view_act act)
{
    s2clr_view_step *const step = &list->step[list->steps++];
    *step = (s2clr_view_step){.act = act,
                              .at = act == S2CLR_VIEW_GATHER ? list->positions : list->numbers};
    list->view[list->views - 1].steps++;
    return step;
}

s2clr_view_position *s2clr_view_list_axes(s2clr_view_list *list)
{
    s2clr_view_position *const rows = list->position + list->positions;
    list->positions += 2 * (size_t)list->size;
    return rows;
}

float *s2clr_view_list_numbers(s2clr_view_list *list, size_t count)
{
    float *const numbers = list->number + list->numbers;
    list->numbers += count;
    return numbers;
}
