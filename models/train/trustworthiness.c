/* How much of the neighbourhoods a map keeps (Venna and Kaski 2001). */
#include "base/memory.h"
#include "train/pneighbours.h"

typedef struct judgement {
    const double *x;
    size_t n, d, k;
    const size_t *index; // (n, k) the nearest in the map
    double *scratch;
    double *cost; // (n) sum of rank - k over intruders
} judgement;

/* The rank of `other` among the others of `row`, 1 for the nearest: how many are nearer, or as near
 * and earlier, plus one. */
static size_t rank_of(const double *square, size_t n, size_t row, size_t other)
{
    size_t before = 0;
    for (size_t j = 0; j < n; j++)
        before +=
            j != row && (square[j] < square[other] || (square[j] == square[other] && j < other));
    return before + 1;
}

static s2clr_status judge_rows(void *context, size_t item, int worker)
{
    const judgement *job = context;
    const size_t first = item * S2CLR_DISTANCE_ROWS, left = job->n - first;
    const size_t rows = left < S2CLR_DISTANCE_ROWS ? left : S2CLR_DISTANCE_ROWS;
    double *square = job->scratch + (size_t)worker * S2CLR_DISTANCE_ROWS * job->n;
    s2clr_distance_rows(job->x, job->n, job->d, first, rows, square);
    for (size_t r = 0; r < rows; r++) {
        double cost = 0;
        for (size_t k = 0; k < job->k; k++) {
            const size_t rank = rank_of(square + r * job->n, job->n, first + r,
                                        job->index[(first + r) * job->k + k]);
            if (rank > job->k) cost += (double)(rank - job->k);
        }
        job->cost[first + r] = cost;
    }
    return S2CLR_OK;
}

static s2clr_status judge(judgement *job, const double *y, size_t e, s2clr_pool *pool,
                          size_t *index)
{
    S2CLR_TRY(s2clr_neighbours_find(y, job->n, e, job->k, pool, index, NULL));
    job->index = index;
    S2CLR_TRY(s2clr_distance_scratch(pool, job->n, &job->scratch));
    const s2clr_status status = s2clr_distance_run(pool, judge_rows, job, job->n);
    s2clr_free(job->scratch);
    return status;
}

s2clr_status s2clr_trustworthiness(const double *x, size_t d, const double *y, size_t e, size_t n,
                                   size_t k, s2clr_pool *pool, double *out)
{
    judgement job = {.x = x, .n = n, .d = d, .k = k};
    size_t *index = NULL, total;
    if (k < 1 || 2 * k >= n)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "trustworthiness of %zu neighbours among %zu samples: fewer than "
                               "half of the samples can be neighbours",
                               k, n);
    S2CLR_TRY(s2clr_size_mul(n, k, &total));
    s2clr_status status = s2clr_alloc(total, sizeof *index, "neighbours", (void **)&index);
    if (status == S2CLR_OK)
        status = s2clr_alloc(n, sizeof *job.cost, "neighbours", (void **)&job.cost);
    if (status == S2CLR_OK) status = judge(&job, y, e, pool, index);
    if (status == S2CLR_OK) {
        double cost = 0;
        for (size_t i = 0; i < n; i++) cost += job.cost[i];
        const double most = (double)n * (double)k * (2.0 * (double)n - 3.0 * (double)k - 1) / 2;
        *out = 1 - cost / most;
    }
    s2clr_free(job.cost);
    s2clr_free(index);
    return status;
}
