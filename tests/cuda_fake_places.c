/* What each kernel touches: its arguments' pointers and the bytes behind them. */
#include "backend/cuda_bodies.h"
#include "cuda_fake_place.h"

size_t fake_tensor(cuda_element element, const cuda_view *view)
{
    if (view->lanes % CUDA_LANES != 0 || view->c > view->lanes || view->c == 0)
        fake_misuse("a view of %zu channels has %zu lanes", view->c, view->lanes);
    return cuda_view_count(view) * cuda_element_bytes(element);
}

static size_t plain(const cuda_view *view)
{
    return view->n * view->c * view->h * view->w * sizeof(float);
}

bool fake_place_upload(cuda_upload_args *a)
{
    bool ok = true;
    PLACE(upload, nchw, plain(&a->view));
    PLACE(upload, native, fake_tensor(a->element, &a->view));
    return ok;
}

bool fake_place_download(cuda_download_args *a)
{
    bool ok = true;
    PLACE(download, nchw, plain(&a->view));
    PLACE(download, native, fake_tensor(a->element, &a->view));
    return ok;
}

bool fake_place_cut(cuda_cut_args *a)
{
    const size_t planes = a->view.c * (size_t)(a->rows * a->columns) * sizeof(float);
    bool ok = true;
    if (a->view.n > CUDA_CUTS) fake_misuse("cut: %zu windows in one launch", a->view.n);
    PLACE(cut, planes, planes);
    PLACE(cut, native, fake_tensor(a->element, &a->view));
    return ok;
}

bool fake_place_add(cuda_add_args *a)
{
    const size_t bytes = a->count * cuda_element_bytes(a->element);
    bool ok = true;
    PLACE(add, a, bytes);
    PLACE_IF(add, b, bytes);
    PLACE(add, y, bytes);
    return ok;
}

bool fake_place_mask(cuda_mask_args *a)
{
    const size_t bytes = a->count * cuda_element_bytes(a->element);
    bool ok = true;
    PLACE_IF(mask, y, bytes);
    PLACE(mask, dy, bytes);
    PLACE(mask, g, bytes);
    return ok;
}

bool fake_place_finish(cuda_finish_args *a)
{
    const size_t bytes = fake_tensor(a->element, &a->view);
    bool ok = true;
    PLACE_IF(finish, bias, a->view.lanes * sizeof(float));
    PLACE(finish, x, fake_tensor(a->x_element, &a->view));
    PLACE_IF(finish, residual, bytes);
    PLACE(finish, y, bytes);
    return ok;
}

bool fake_place_affine(cuda_affine_args *a)
{
    const size_t bytes = fake_tensor(a->element, &a->view);
    bool ok = true;
    PLACE(affine, scale, a->view.c * sizeof(float));
    PLACE(affine, shift, a->view.c * sizeof(float));
    PLACE(affine, x, bytes);
    PLACE(affine, y, bytes);
    return ok;
}

bool fake_place_affine_backward(cuda_affine_backward_args *a)
{
    const size_t bytes = fake_tensor(a->element, &a->view);
    bool ok = true;
    PLACE(affine_backward, of_g, a->view.c * sizeof(float));
    PLACE(affine_backward, of_x, a->view.c * sizeof(float));
    PLACE(affine_backward, constant, a->view.c * sizeof(float));
    PLACE(affine_backward, x, bytes);
    PLACE_IF(affine_backward, y, bytes);
    PLACE(affine_backward, dy, bytes);
    PLACE(affine_backward, dx, bytes);
    return ok;
}

bool fake_place_maxpool(cuda_maxpool_args *a)
{
    bool ok = true;
    PLACE(maxpool, x, fake_tensor(a->element, &a->x_view));
    PLACE(maxpool, y, fake_tensor(a->element, &a->y_view));
    PLACE_IF(maxpool, winner, cuda_view_count(&a->y_view) * sizeof(int32_t));
    return ok;
}

bool fake_place_maxpool_backward(cuda_maxpool_backward_args *a)
{
    bool ok = true;
    PLACE(maxpool_backward, winner, cuda_view_count(&a->y_view) * sizeof(int32_t));
    PLACE(maxpool_backward, dy, fake_tensor(a->element, &a->y_view));
    PLACE(maxpool_backward, dx, fake_tensor(a->element, &a->x_view));
    return ok;
}

bool fake_place_avgpool(cuda_avgpool_args *a)
{
    bool ok = true;
    PLACE(avgpool, x, fake_tensor(a->element, &a->x_view));
    PLACE(avgpool, y, fake_tensor(a->element, &a->y_view));
    return ok;
}

bool fake_place_avgpool_backward(cuda_avgpool_backward_args *a)
{
    bool ok = true;
    PLACE(avgpool_backward, dy, fake_tensor(a->element, &a->y_view));
    PLACE(avgpool_backward, dx, fake_tensor(a->element, &a->x_view));
    return ok;
}

static size_t means(cuda_element element, const cuda_view *view)
{
    return view->n * view->lanes * cuda_element_bytes(element);
}

bool fake_place_meanpool(cuda_meanpool_args *a)
{
    bool ok = true;
    PLACE(meanpool, x, fake_tensor(a->element, &a->x_view));
    PLACE(meanpool, y, means(a->element, &a->x_view));
    return ok;
}

bool fake_place_meanpool_backward(cuda_meanpool_backward_args *a)
{
    bool ok = true;
    PLACE(meanpool_backward, dy, means(a->element, &a->x_view));
    PLACE(meanpool_backward, dx, fake_tensor(a->element, &a->x_view));
    return ok;
}

bool fake_place_concat(cuda_concat_args *a)
{
    bool ok = true;
    PLACE(concat, x, fake_tensor(a->element, &a->x_view));
    PLACE(concat, residual, fake_tensor(a->element, &a->residual_view));
    PLACE(concat, y, fake_tensor(a->element, &a->y_view));
    return ok;
}

bool fake_place_slice(cuda_slice_args *a)
{
    bool ok = true;
    PLACE(slice, from, fake_tensor(a->element, &a->from_view));
    PLACE(slice, to, fake_tensor(a->element, &a->to_view));
    return ok;
}

static size_t plain_weights(const cuda_weights *w)
{
    return w->out * w->in * w->taps * sizeof(float);
}

bool fake_place_pack(cuda_pack_args *a)
{
    bool ok = true;
    PLACE(pack, plain, plain_weights(&a->shape));
    PLACE(pack, packed, cuda_weights_packed(&a->shape) * cuda_element_bytes(a->element));
    return ok;
}

bool fake_place_unpack(cuda_unpack_args *a)
{
    bool ok = true;
    PLACE(unpack, plain, plain_weights(&a->shape));
    PLACE(unpack, packed, cuda_weights_packed(&a->shape) * cuda_element_bytes(a->element));
    return ok;
}

bool fake_place_fill(cuda_fill_args *a)
{
    bool ok = true;
    PLACE(fill, from, a->count * sizeof(float));
    PLACE(fill, to, a->lanes * sizeof(float));
    return ok;
}

bool fake_place_sums(cuda_sums_args *a)
{
    const size_t bytes = fake_tensor(a->element, &a->view);
    bool ok = true;
    PLACE(sums, a, bytes);
    PLACE_IF(sums, b, bytes);
    PLACE_IF(sums, y, bytes);
    PLACE(sums, partial, a->slices * (a->b ? 2 : 1) * a->view.lanes * sizeof(double));
    return ok;
}

bool fake_place_fold(cuda_fold_args *a)
{
    bool ok = true;
    PLACE_ARRAY(fold, from, a->rows * a->width);
    PLACE_ARRAY(fold, to, cuda_fold_count(a));
    return ok;
}

bool fake_place_narrow(cuda_narrow_args *a)
{
    bool ok = true;
    PLACE_ARRAY(narrow, from, a->count);
    PLACE(narrow, to, a->count * sizeof(float));
    return ok;
}

static size_t direct_packed(const cuda_direct *d)
{
    const size_t taps = (size_t)d->window.h * (size_t)d->window.w;
    return d->y_view.lanes * taps * d->in_lanes * cuda_element_bytes(d->element);
}

bool fake_place_direct_forward(cuda_direct_forward_args *a)
{
    const size_t bytes = fake_tensor(a->shape.element, &a->shape.y_view);
    bool ok = true;
    PLACE(direct_forward, x, fake_tensor(a->shape.element, &a->shape.x_view));
    PLACE(direct_forward, packed, direct_packed(&a->shape));
    PLACE_IF(direct_forward, residual, bytes);
    PLACE_IF(direct_forward, bias, a->shape.y_view.lanes * sizeof(float));
    PLACE(direct_forward, y, bytes);
    return ok;
}

bool fake_place_direct_data(cuda_direct_data_args *a)
{
    bool ok = true;
    PLACE(direct_data, dy, fake_tensor(a->shape.element, &a->shape.y_view));
    PLACE(direct_data, packed, direct_packed(&a->shape));
    PLACE(direct_data, dx, fake_tensor(a->shape.element, &a->shape.x_view));
    return ok;
}

bool fake_place_direct_filter(cuda_direct_filter_args *a)
{
    bool ok = true;
    PLACE(direct_filter, x, fake_tensor(a->shape.element, &a->shape.x_view));
    PLACE(direct_filter, dy, fake_tensor(a->shape.element, &a->shape.y_view));
    PLACE(direct_filter, partial, cuda_direct_partials(a) * sizeof(double));
    return ok;
}

bool fake_place_accumulate(cuda_accumulate_args *a)
{
    bool ok = true;
    PLACE_ARRAY(accumulate, x, a->count);
    PLACE_ARRAY(accumulate, sum, a->count);
    return ok;
}

bool fake_place_mean(cuda_mean_args *a)
{
    bool ok = true;
    PLACE_ARRAY(mean, x, a->rows * a->count);
    PLACE_ARRAY(mean, mean, a->count);
    return ok;
}

bool fake_place_norm_forward(cuda_norm_forward_args *a)
{
    bool ok = true;
    PLACE_ARRAY(norm_forward, sums, 2 * a->channels);
    PLACE_ARRAY(norm_forward, gamma, a->channels);
    PLACE_ARRAY(norm_forward, beta, a->channels);
    PLACE_ARRAY(norm_forward, moment, 2 * a->channels);
    PLACE_ARRAY(norm_forward, coefficient, 5 * a->channels);
    if (a->moved_mean) PLACE_ARRAY(norm_forward, moved_mean, a->channels);
    if (a->moved_variance) PLACE_ARRAY(norm_forward, moved_variance, a->channels);
    return ok;
}

bool fake_place_norm_backward(cuda_norm_backward_args *a)
{
    bool ok = true;
    PLACE_ARRAY(norm_backward, sums, 2 * a->channels);
    PLACE_ARRAY(norm_backward, gamma, a->channels);
    PLACE_ARRAY(norm_backward, moment, 2 * a->channels);
    PLACE_ARRAY(norm_backward, coefficient, 5 * a->channels);
    PLACE_ARRAY(norm_backward, dgamma, a->channels);
    PLACE_ARRAY(norm_backward, dbeta, a->channels);
    return ok;
}

bool fake_place_norm_frozen(cuda_norm_frozen_args *a)
{
    bool ok = true;
    PLACE_ARRAY(norm_frozen, gamma, a->channels);
    PLACE_ARRAY(norm_frozen, beta, a->channels);
    PLACE_ARRAY(norm_frozen, running_mean, a->channels);
    PLACE_ARRAY(norm_frozen, running_variance, a->channels);
    PLACE_ARRAY(norm_frozen, coefficient, 2 * a->channels);
    return ok;
}

bool fake_place_lengths(cuda_lengths_args *a)
{
    bool ok = true;
    PLACE_ARRAY(lengths, range, a->ranges);
    PLACE_ARRAY(lengths, params, a->count);
    PLACE_ARRAY(lengths, gradient, a->count);
    PLACE_ARRAY(lengths, partial, 2 * a->ranges * a->slices);
    return ok;
}

bool fake_place_adapt(cuda_adapt_args *a)
{
    bool ok = true;
    PLACE_ARRAY(adapt, range, a->ranges);
    PLACE_ARRAY(adapt, partial, 2 * a->ranges * a->slices);
    return ok;
}

bool fake_place_update(cuda_update_args *a)
{
    bool ok = true;
    PLACE_ARRAY(update, range, a->ranges);
    PLACE_ARRAY(update, gradient, a->count);
    PLACE_ARRAY(update, moments, (a->adam ? 2 : 1) * a->count);
    PLACE_ARRAY(update, params, a->count);
    return ok;
}
