#include "backend/cuda_sums.h"

#include "backend/cuda_body_direct.h"

enum {
    THREADS_WANTED = 131072, /* fills the largest device a few times over */
    SLICES_MAX = 4096,
    PIXELS_MIN = 8, /* of a slice */
    FOLD_RUN = 64
};

static size_t at_most(size_t value, size_t limit)
{
    return value < limit ? value : limit;
}

static size_t at_least_one(size_t value)
{
    return value ? value : 1;
}

static size_t groups_of(size_t count, size_t run)
{
    return (count + run - 1) / run;
}

static size_t sums_slices(const cuda_view *view)
{
    const size_t pixels = view->n * view->h * view->w;
    const size_t wanted = at_least_one(THREADS_WANTED / (view->lanes / CUDA_LANES));
    return at_most(at_most(groups_of(pixels, PIXELS_MIN), wanted), SLICES_MAX);
}

/* Doubles for `rows` partial sums and all that they are folded to, the last row among them. */
static size_t fold_doubles(size_t rows, size_t width)
{
    size_t total = rows * width;
    while (rows > 1) {
        rows = groups_of(rows, FOLD_RUN);
        total += rows * width;
    }
    return total;
}

/* Folds (rows, width) doubles at `from` until one row is left, each stage behind the one before.
 * The last row goes to `to`; NULL: it stays where *out says. */
static int fold(void *stream, size_t rows, size_t width, double *from, double *to,
                const double **out)
{
    while (rows > 1) {
        const size_t left = groups_of(rows, FOLD_RUN);
        double *const next = left == 1 && to ? to : from + rows * width;
        const cuda_fold_args args = {rows, width, FOLD_RUN, from, next};
        const int error = s2clr_cuda_launch_fold(stream, args);
        if (error != 0) return error;
        from = next;
        rows = left;
    }
    if (out) *out = from;
    return 0;
}

/* ---- by channel ---- */

size_t s2clr_cuda_sums_bytes(const cuda_view *view, bool products)
{
    return fold_doubles(sums_slices(view), (products ? 2 : 1) * view->lanes) * sizeof(double);
}

int s2clr_cuda_sums_launch(void *stream, cuda_element element, const cuda_view *view, const void *a,
                           const void *b, const void *y, void *scratch, double *sums)
{
    const size_t slices = sums_slices(view);
    double *const partial = slices > 1 ? scratch : sums;
    const cuda_sums_args args = {element, *view, slices, a, b, y, partial};
    const int error = s2clr_cuda_launch_sums(stream, args);
    if (error != 0) return error;
    return fold(stream, slices, (b ? 2 : 1) * view->lanes, partial, sums, NULL);
}

int s2clr_cuda_bias_launch(void *stream, cuda_element element, const cuda_view *view,
                           const void *dy, void *scratch, float *to)
{
    const size_t slices = sums_slices(view);
    const cuda_sums_args args = {element, *view, slices, dy, NULL, NULL, scratch};
    const double *total;
    int error = s2clr_cuda_launch_sums(stream, args);
    if (error == 0) error = fold(stream, slices, view->lanes, scratch, NULL, &total);
    if (error != 0) return error;
    return s2clr_cuda_launch_narrow(stream, (cuda_narrow_args){view->lanes, total, to});
}

/* ---- weights ---- */

bool s2clr_cuda_part_next(size_t all, size_t work, size_t launch_work, cuda_part *part)
{
    const size_t most = launch_work ? at_least_one(launch_work / at_least_one(work)) : all;
    part->first += part->count;
    part->count = at_most(all - part->first, most);
    return part->count > 0;
}

static size_t filter_slices(const cuda_direct *shape)
{
    const size_t rows = shape->y_view.n * shape->y_view.h;
    return at_most(at_least_one(THREADS_WANTED / cuda_direct_weights(shape)), rows);
}

size_t s2clr_cuda_filter_bytes(const cuda_direct *shape)
{
    return fold_doubles(filter_slices(shape), cuda_direct_weights(shape)) * sizeof(double);
}

int s2clr_cuda_filter_launch(void *stream, const cuda_direct *shape, const void *x, const void *dy,
                             void *scratch, float *dweight)
{
    const size_t slices = filter_slices(shape), count = cuda_direct_weights(shape);
    cuda_direct_filter_args args = {*shape, slices, x, dy, scratch, {0, 0}};
    const size_t work = groups_of(shape->y_view.n * shape->y_view.h, slices) * shape->y_view.w;
    const double *total;
    int error = 0;
    while (error == 0 &&
           s2clr_cuda_part_next(cuda_direct_partials(&args), work, shape->launch_work, &args.part))
        error = s2clr_cuda_launch_direct_filter(stream, args);
    if (error == 0) error = fold(stream, slices, count, scratch, NULL, &total);
    if (error != 0) return error;
    return s2clr_cuda_launch_narrow(stream, (cuda_narrow_args){count, total, dweight});
}
