/*
 * Forces between the points of a map. With w_kl = 1 / (1 + |y_k - y_l|^2) and Z the sum of all w,
 *
 *     dC / dy_i = 4 (sum_j p_ij w_ij (y_i - y_j) - sum_j w_ij^2 (y_i - y_j) / Z)
 *
 * The first sum has the graph's few terms; the second one and Z go through the tree.
 */
#include <math.h>

#include "base/memory.h"
#include "train/ptsne.h"

enum { POINTS = 128 };

s2clr_status s2clr_tsne_forces_new(const s2clr_tsne_graph *graph, double theta,
                                   s2clr_tsne_forces *out)
{
    s2clr_tsne_forces forces = {.graph = graph, .theta = theta};
    S2CLR_TRY(s2clr_tsne_tree_new(graph->n, &forces.tree));
    s2clr_status status =
        s2clr_alloc(2 * graph->n, sizeof *forces.repulsion, "forces", (void **)&forces.repulsion);
    if (status == S2CLR_OK)
        status = s2clr_alloc(graph->n, sizeof *forces.part, "forces", (void **)&forces.part);
    if (status == S2CLR_OK)
        *out = forces;
    else
        s2clr_tsne_forces_free(&forces);
    return status;
}

void s2clr_tsne_forces_free(s2clr_tsne_forces *forces)
{
    s2clr_tsne_tree_free(&forces->tree);
    s2clr_free(forces->repulsion);
    s2clr_free(forces->part);
}

static s2clr_status run_points(s2clr_pool *pool, s2clr_task task, s2clr_tsne_forces *forces)
{
    const size_t items = (forces->graph->n + POINTS - 1) / POINTS;
    if (pool) return s2clr_pool_run(pool, task, forces, items);
    for (size_t i = 0; i < items; i++) S2CLR_TRY(task(forces, i, 0));
    return S2CLR_OK;
}

typedef struct push {
    double x, y, weight;
} push;

/* `count` points at one place. */
static inline void push_from(const double *at, double x, double y, double count, push *sum)
{
    const double dx = at[0] - x, dy = at[1] - y, w = 1 / (1 + (dx * dx + dy * dy));
    sum->weight += count * w;
    sum->x += count * w * w * dx;
    sum->y += count * w * w * dy;
}

/* A cell that the point is in is always opened: it would push itself. */
static push push_on(const s2clr_tsne_tree *tree, uint32_t point, double theta)
{
    const double *at = tree->at + 2 * (size_t)point;
    push sum = {0};
    for (uint32_t c = 0; c < tree->cells;) {
        const s2clr_tsne_cell *cell = &tree->cell[c];
        const double dx = at[0] - cell->x, dy = at[1] - cell->y;
        const double square = dx * dx + dy * dy;
        const int inside = point >= cell->begin && point < cell->end;
        if (!inside && cell->side < theta * theta * square) {
            push_from(at, cell->x, cell->y, (double)(cell->end - cell->begin), &sum);
            c = cell->skip;
            continue;
        }
        for (uint32_t i = cell->begin; cell->leaf && i < cell->end; i++)
            if (i != point) push_from(at, tree->at[2 * i], tree->at[2 * i + 1], 1, &sum);
        c++;
    }
    return sum;
}

static s2clr_status repel(void *context, size_t item, int worker)
{
    s2clr_tsne_forces *forces = context;
    const size_t n = forces->graph->n;
    (void)worker;
    for (size_t i = item * POINTS; i < (item + 1) * POINTS && i < n; i++) {
        const push sum = push_on(&forces->tree, (uint32_t)i, forces->theta);
        const size_t to = forces->tree.order[i];
        forces->repulsion[2 * to] = sum.x;
        forces->repulsion[2 * to + 1] = sum.y;
        forces->part[to] = sum.weight;
    }
    return S2CLR_OK;
}

static s2clr_status attract(void *context, size_t item, int worker)
{
    s2clr_tsne_forces *forces = context;
    const s2clr_tsne_graph *graph = forces->graph;
    const double *y = forces->y;
    (void)worker;
    for (size_t i = item * POINTS; i < (item + 1) * POINTS && i < graph->n; i++) {
        double sum[2] = {0};
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            const size_t j = graph->to[at];
            const double dx = y[2 * i] - y[2 * j], dy = y[2 * i + 1] - y[2 * j + 1];
            const double pull = graph->p[at] / (1 + (dx * dx + dy * dy));
            sum[0] += pull * dx;
            sum[1] += pull * dy;
        }
        for (size_t c = 0; c < 2; c++)
            forces->gradient[2 * i + c] =
                4 * (forces->exaggeration * sum[c] -
                     forces->repulsion[2 * i + c] / forces->normalisation);
    }
    return S2CLR_OK;
}

static double add_parts(const s2clr_tsne_forces *forces)
{
    double sum = 0;
    for (size_t i = 0; i < forces->graph->n; i++) sum += forces->part[i];
    return sum;
}

s2clr_status s2clr_tsne_gradient(s2clr_tsne_forces *forces, const double *y, double exaggeration,
                                 s2clr_pool *pool, double *gradient)
{
    forces->y = y;
    forces->gradient = gradient;
    forces->exaggeration = exaggeration;
    s2clr_tsne_tree_build(&forces->tree, y);
    S2CLR_TRY(run_points(pool, repel, forces));
    forces->normalisation = add_parts(forces);
    return run_points(pool, attract, forces);
}

/* sum of p log(p / q) with q = w / Z */
static s2clr_status diverge(void *context, size_t item, int worker)
{
    s2clr_tsne_forces *forces = context;
    const s2clr_tsne_graph *graph = forces->graph;
    const double *y = forces->y;
    (void)worker;
    for (size_t i = item * POINTS; i < (item + 1) * POINTS && i < graph->n; i++) {
        double sum = 0;
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            const size_t j = graph->to[at];
            const double dx = y[2 * i] - y[2 * j], dy = y[2 * i + 1] - y[2 * j + 1];
            const double p = graph->p[at], w = 1 + (dx * dx + dy * dy);
            if (p > 0) sum += p * log(p * w * forces->normalisation);
        }
        forces->part[i] = sum;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_tsne_divergence(s2clr_tsne_forces *forces, s2clr_pool *pool, double *out)
{
    S2CLR_TRY(run_points(pool, diverge, forces));
    *out = add_parts(forces);
    return S2CLR_OK;
}
