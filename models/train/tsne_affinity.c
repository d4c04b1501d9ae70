/* Who attracts whom, and how much: conditional Gaussians over the nearest neighbours. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/neighbours.h"
#include "train/ptsne.h"

enum { ROWS = 64, STEPS_MAX = 100 };
#define ENTROPY_NEAR 1e-9

typedef struct bandwidths {
    size_t n, k;
    double entropy;       /* wanted: log of the perplexity */
    const double *square; // (n, k) rising
    double *p;            // (n, k) p_j|i
} bandwidths;

typedef struct entry {
    uint32_t to;
    double p;
} entry;

/* Fills p for one precision; the entropy of it. */
static double spread(const double *square, size_t k, double precision, double *p)
{
    double sum = 0, weighted = 0;
    for (size_t j = 0; j < k; j++) {
        const double apart = precision * (square[j] - square[0]);
        p[j] = exp(-apart);
        sum += p[j];
        weighted += p[j] > 0 ? apart * p[j] : 0;
    }
    for (size_t j = 0; j < k; j++) p[j] /= sum;
    return log(sum) + weighted / sum;
}

/* Bisection of the precision, which the entropy falls with. Equal distances have one entropy for
 * all precisions, and the steps end. */
static void fit_row(const bandwidths *job, size_t row)
{
    const double *square = job->square + row * job->k;
    double *p = job->p + row * job->k, mean = 0;
    for (size_t j = 0; j < job->k; j++) mean += (square[j] - square[0]) / (double)job->k;
    double precision = mean > 0 ? 1 / mean : 1, low = 0, high = INFINITY;
    if (!isfinite(precision)) precision = 1;
    for (int step = 0; step < STEPS_MAX; step++) {
        const double off = spread(square, job->k, precision, p) - job->entropy;
        if (fabs(off) < ENTROPY_NEAR) break;
        if (off > 0) {
            low = precision;
            precision = isinf(high) ? precision * 2 : (low + high) / 2;
        } else {
            high = precision;
            precision = (low + high) / 2;
        }
    }
}

static s2clr_status fit_rows(void *context, size_t item, int worker)
{
    const bandwidths *job = context;
    (void)worker;
    for (size_t i = item * ROWS; i < (item + 1) * ROWS && i < job->n; i++) fit_row(job, i);
    return S2CLR_OK;
}

static s2clr_status fit(bandwidths *job, s2clr_pool *pool)
{
    const size_t items = (job->n + ROWS - 1) / ROWS;
    if (pool) return s2clr_pool_run(pool, fit_rows, job, items);
    for (size_t i = 0; i < items; i++) S2CLR_TRY(fit_rows(job, i, 0));
    return S2CLR_OK;
}

/* ---- the symmetric graph ---- */

static int by_column(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* Entries that meet are added: a + b and b + a are the same number, so that the rows of both ends
 * say the same. */
static size_t join(entry *row, size_t count)
{
    size_t kept = 0;
    qsort(row, count, sizeof *row, by_column);
    for (size_t i = 0; i < count; i++) {
        if (kept && row[kept - 1].to == row[i].to)
            row[kept - 1].p += row[i].p;
        else
            row[kept++] = row[i];
    }
    return kept;
}

/* Every p_j|i goes to row i and to row j. begin: (n + 1) where rows of `all` begin. */
static void scatter(const bandwidths *job, const size_t *index, size_t *begin, entry *all)
{
    const size_t n = job->n, k = job->k;
    for (size_t i = 0; i < n * k; i++) {
        begin[i / k + 1]++;
        begin[index[i] + 1]++;
    }
    for (size_t i = 0; i < n; i++) begin[i + 1] += begin[i];
    for (size_t i = n * k; i-- > 0;) { /* from behind: each takes the last free place of its row */
        const double p = job->p[i] / (2 * (double)n);
        all[--begin[i / k + 1]] = (entry){.to = (uint32_t)index[i], .p = p};
        all[--begin[index[i] + 1]] = (entry){.to = (uint32_t)(i / k), .p = p};
    }
    memmove(begin, begin + 1, n * sizeof *begin);
    begin[n] = 2 * n * k;
}

static s2clr_status join_rows(const size_t *begin, entry *all, s2clr_tsne_graph *graph)
{
    size_t total = 0;
    for (size_t i = 0; i < graph->n; i++) {
        graph->start[i] = total;
        total += join(all + begin[i], begin[i + 1] - begin[i]);
    }
    graph->start[graph->n] = total;
    S2CLR_TRY(s2clr_alloc(total, sizeof *graph->to, "neighbours", (void **)&graph->to));
    S2CLR_TRY(s2clr_alloc(total, sizeof *graph->p, "neighbours", (void **)&graph->p));
    for (size_t i = 0; i < graph->n; i++)
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            const entry *from = &all[begin[i] + at - graph->start[i]];
            graph->to[at] = from->to;
            graph->p[at] = from->p;
        }
    return S2CLR_OK;
}

static s2clr_status make_graph(const bandwidths *job, const size_t *index, s2clr_tsne_graph *graph)
{
    entry *all = NULL;
    size_t *begin = NULL, total;
    graph->n = job->n;
    S2CLR_TRY(s2clr_alloc(job->n + 1, sizeof *graph->start, "neighbours", (void **)&graph->start));
    S2CLR_TRY(s2clr_size_mul(job->n, 2 * job->k, &total));
    s2clr_status status = s2clr_alloc(total, sizeof *all, "neighbours", (void **)&all);
    if (status == S2CLR_OK)
        status = s2clr_alloc(job->n + 1, sizeof *begin, "neighbours", (void **)&begin);
    if (status == S2CLR_OK) {
        scatter(job, index, begin, all);
        status = join_rows(begin, all, graph);
    }
    s2clr_free(begin);
    s2clr_free(all);
    return status;
}

static s2clr_status with_neighbours(const double *x, size_t d, bandwidths *job, size_t *index,
                                    double *square, s2clr_pool *pool, s2clr_tsne_graph *graph)
{
    S2CLR_TRY(s2clr_neighbours_find(x, job->n, d, job->k, pool, index, square));
    job->square = square;
    S2CLR_TRY(fit(job, pool));
    return make_graph(job, index, graph);
}

s2clr_status s2clr_tsne_graph_new(const double *x, size_t n, size_t d, double perplexity,
                                  s2clr_pool *pool, s2clr_tsne_graph *out)
{
    const size_t wanted = s2clr_tsne_neighbours(perplexity);
    bandwidths job = {.n = n, .k = wanted < n ? wanted : n - 1, .entropy = log(perplexity)};
    s2clr_tsne_graph graph = {0};
    size_t *index = NULL, total;
    double *square = NULL;
    S2CLR_TRY(s2clr_size_mul(n, job.k, &total));
    s2clr_status status = s2clr_alloc(total, sizeof *index, "neighbours", (void **)&index);
    if (status == S2CLR_OK)
        status = s2clr_alloc(total, sizeof *square, "neighbours", (void **)&square);
    if (status == S2CLR_OK)
        status = s2clr_alloc(total, sizeof *job.p, "neighbours", (void **)&job.p);
    if (status == S2CLR_OK) status = with_neighbours(x, d, &job, index, square, pool, &graph);
    s2clr_free(job.p);
    s2clr_free(square);
    s2clr_free(index);
    if (status == S2CLR_OK)
        *out = graph;
    else
        s2clr_tsne_graph_free(&graph);
    return status;
}

void s2clr_tsne_graph_free(s2clr_tsne_graph *graph)
{
    s2clr_free(graph->start);
    s2clr_free(graph->to);
    s2clr_free(graph->p);
    *graph = (s2clr_tsne_graph){0};
}
