/* What the kernels of the contrastive loss touch. */
#include "cuda_fake_place.h"

/* A stretch of rows that is there. */
static void check_block(const cuda_views *views, size_t first, size_t rows)
{
    if (rows < 1 || first + rows > views->count)
        fake_misuse("views %zu .. %zu of %zu", first, first + rows, views->count);
}

static bool place_views(cuda_views *a)
{
    bool ok = true;
    if (a->place) PLACE_ARRAY(contrast, place, a->count / 2);
    return ok;
}

bool fake_place_contrast_unit(cuda_contrast_unit_args *a)
{
    bool ok = place_views(&a->views);
    PLACE_ARRAY(contrast_unit, z, a->views.count * a->views.d);
    PLACE_ARRAY(contrast_unit, u, a->views.count * a->views.d);
    PLACE_ARRAY(contrast_unit, norm, a->views.count);
    return ok;
}

bool fake_place_contrast_slice(cuda_contrast_slice_args *a)
{
    bool ok = place_views(&a->views);
    check_block(&a->views, a->first, a->rows);
    PLACE_ARRAY(contrast_slice, cosine, a->rows * a->views.count);
    PLACE_ARRAY(contrast_slice, partial, a->rows * a->slices * 2);
    return ok;
}

bool fake_place_contrast_cost(cuda_contrast_cost_args *a)
{
    bool ok = place_views(&a->views);
    check_block(&a->views, a->first, a->rows);
    PLACE_ARRAY(contrast_cost, cosine, a->rows * a->views.count);
    PLACE_ARRAY(contrast_cost, partial, a->rows * a->slices * 2);
    PLACE_ARRAY(contrast_cost, log, a->views.count);
    PLACE_ARRAY(contrast_cost, cost, a->views.count);
    return ok;
}

bool fake_place_contrast_pull(cuda_contrast_pull_args *a)
{
    bool ok = place_views(&a->views);
    check_block(&a->views, a->first, a->rows);
    PLACE_ARRAY(contrast_pull, log, a->views.count);
    PLACE_ARRAY(contrast_pull, cosine, a->rows * a->views.count);
    return ok;
}

bool fake_place_contrast_turn(cuda_contrast_turn_args *a)
{
    bool ok = place_views(&a->views);
    PLACE_ARRAY(contrast_turn, u, a->views.count * a->views.d);
    PLACE_ARRAY(contrast_turn, norm, a->views.count);
    PLACE_ARRAY(contrast_turn, gradient, a->views.count * a->views.d);
    return ok;
}
