#include <stdbool.h>

#include "base/memory.h"
#include "train/pneighbours.h"

/* ---- distances ---- */

/* Four sums side by side, joined in one order. */
static double square_distance(const double *a, const double *b, size_t d)
{
    double sum[4] = {0};
    size_t i = 0;
    for (; i + 4 <= d; i += 4)
        for (size_t l = 0; l < 4; l++) {
            const double apart = a[i + l] - b[i + l];
            sum[l] += apart * apart;
        }
    for (; i < d; i++) {
        const double apart = a[i] - b[i];
        sum[0] += apart * apart;
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void s2clr_distance_rows(const double *x, size_t n, size_t d, size_t first, size_t rows,
                         double *out)
{
    for (size_t j = 0; j < n; j++)
        for (size_t r = 0; r < rows; r++)
            out[r * n + j] = square_distance(x + (first + r) * d, x + j * d, d);
}

s2clr_status s2clr_distance_run(s2clr_pool *pool, s2clr_task task, void *context, size_t n)
{
    const size_t items = (n + S2CLR_DISTANCE_ROWS - 1) / S2CLR_DISTANCE_ROWS;
    if (pool) return s2clr_pool_run(pool, task, context, items);
    for (size_t i = 0; i < items; i++) S2CLR_TRY(task(context, i, 0));
    return S2CLR_OK;
}

s2clr_status s2clr_distance_scratch(const s2clr_pool *pool, size_t n, double **out)
{
    const size_t threads = pool ? (size_t)s2clr_pool_threads(pool) : 1;
    size_t total;
    S2CLR_TRY(s2clr_size_mul(threads * S2CLR_DISTANCE_ROWS, n, &total));
    return s2clr_alloc(total, sizeof **out, "distances", (void **)out);
}

/* ---- the nearest ---- */

typedef struct search {
    const double *x;
    size_t n, d, k;
    double *scratch;
    size_t *index;
    double *square; // (n, k) or (threads, k)
    bool keep;      /* square has a place for every row */
} search;

/* The k nearest of one row, in rising order; a later one never passes an equal one. */
static void pick(const search *job, size_t row, const double *square, size_t *index,
                 double *nearest)
{
    size_t have = 0;
    for (size_t j = 0; j < job->n; j++) {
        if (j == row || (have == job->k && !(square[j] < nearest[have - 1]))) continue;
        size_t at = have < job->k ? have++ : have - 1;
        for (; at > 0 && square[j] < nearest[at - 1]; at--) {
            nearest[at] = nearest[at - 1];
            index[at] = index[at - 1];
        }
        nearest[at] = square[j];
        index[at] = j;
    }
}

static s2clr_status search_rows(void *context, size_t item, int worker)
{
    const search *job = context;
    const size_t first = item * S2CLR_DISTANCE_ROWS, left = job->n - first;
    const size_t rows = left < S2CLR_DISTANCE_ROWS ? left : S2CLR_DISTANCE_ROWS;
    double *square = job->scratch + (size_t)worker * S2CLR_DISTANCE_ROWS * job->n;
    s2clr_distance_rows(job->x, job->n, job->d, first, rows, square);
    for (size_t r = 0; r < rows; r++)
        pick(job, first + r, square + r * job->n, job->index + (first + r) * job->k,
             job->square + (job->keep ? first + r : (size_t)worker) * job->k);
    return S2CLR_OK;
}

s2clr_status s2clr_neighbours_find(const double *x, size_t n, size_t d, size_t k, s2clr_pool *pool,
                                   size_t *index, double *square)
{
    search job = {.x = x, .n = n, .d = d, .k = k, .index = index, .keep = square != NULL};
    const size_t threads = pool ? (size_t)s2clr_pool_threads(pool) : 1;
    double *own = NULL;
    size_t total;
    if (k < 1 || k >= n)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%zu nearest neighbours among %zu vectors: at least 1 and fewer than "
            "there are can be found",
            k, n);
    S2CLR_TRY(s2clr_size_mul(threads, k, &total));
    if (!square) S2CLR_TRY(s2clr_alloc(total, sizeof *own, "neighbours", (void **)&own));
    job.square = square ? square : own;
    s2clr_status status = s2clr_distance_scratch(pool, n, &job.scratch);
    if (status == S2CLR_OK) {
        status = s2clr_distance_run(pool, search_rows, &job, n);
        s2clr_free(job.scratch);
    }
    s2clr_free(own);
    return status;
}
