/* What the kernels that make views touch. Whether a list's numbers lead out of its arrays is looked
 * at here, since a body could not be stopped there. */
#include "cuda_fake_place.h"

static size_t pixels_of(const cuda_viewing *a)
{
    return (size_t)a->list.size * (size_t)a->list.size;
}

/* Of a list that is already in its place. */
static void check_view(const cuda_viewing *a, const s2clr_view *view)
{
    if (view->patch >= a->list.patches || view->first + view->steps > a->list.steps)
        fake_misuse("a view of patch %zu of %zu, steps %zu .. %zu of %zu", view->patch,
                    a->list.patches, view->first, view->first + view->steps, a->list.steps);
    for (size_t k = 0; k < view->steps; k++) {
        const s2clr_view_step *const step = &a->list.step[view->first + k];
        const bool gather = step->act == S2CLR_VIEW_GATHER;
        if (step->at + (gather ? 2 * (size_t)a->list.size : 0) >
            (gather ? a->list.positions : a->list.numbers))
            fake_misuse("step %zu of a view refers to what is not there", k);
    }
}

static bool place_viewing(cuda_viewing *a)
{
    const size_t values = (size_t)a->list.channels * pixels_of(a), group = a->count * values;
    bool ok = true;
    if (a->count < 1 || a->first + a->count > a->list.views)
        fake_misuse("views %zu .. %zu of %zu", a->first, a->first + a->count, a->list.views);
    PLACE_ARRAY(views, list.view, a->list.views);
    PLACE_ARRAY(views, list.step, a->list.steps);
    PLACE_ARRAY(views, list.position, a->list.positions);
    PLACE_ARRAY(views, list.number, a->list.numbers);
    PLACE_ARRAY(views, patches, a->list.patches * values);
    for (int i = 0; i < 2; i++) PLACE_ARRAY(views, between[i], group);
    for (int i = 0; i < 2; i++) PLACE_ARRAY(views, across[i], group);
    PLACE_ARRAY(views, measure, a->count * (size_t)a->list.channels);
    PLACE_ARRAY(views, y, a->list.views * values);
    for (size_t i = 0; ok && i < a->count; i++) check_view(a, &a->list.view[a->first + i]);
    return ok;
}

bool fake_place_view_measure(cuda_view_measure_args *a)
{
    return place_viewing(a);
}

bool fake_place_view_across(cuda_view_across_args *a)
{
    return place_viewing(a);
}

bool fake_place_view_step(cuda_view_step_args *a)
{
    return place_viewing(a);
}
