/* A quadtree of the map: points sorted along Morton's curve, cells over runs of them. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/ptsne.h"

enum { LEVELS = 16, LEAF = 4 };

/* ---- order ---- */

/* Puts a 0 between the bits of the lower half. */
static uint32_t widen(uint32_t v)
{
    v = (v | v << 8) & 0x00ff00ffu;
    v = (v | v << 4) & 0x0f0f0f0fu;
    v = (v | v << 2) & 0x33333333u;
    return (v | v << 1) & 0x55555555u;
}

static uint32_t step_of(double at, double low, double side)
{
    const double step = (at - low) / side * 65536;
    return step > 65535 ? 65535 : step > 0 ? (uint32_t)step : 0;
}

/* One pass of a radix sort by 8 bits; equal ones keep their order. */
static void sort_pass(const uint32_t *key, const uint32_t *order, size_t n, int shift,
                      uint32_t *key_out, uint32_t *order_out)
{
    size_t place[257] = {0};
    for (size_t i = 0; i < n; i++) place[(key[i] >> shift & 255) + 1]++;
    for (int v = 0; v < 256; v++) place[v + 1] += place[v];
    for (size_t i = 0; i < n; i++) {
        const size_t to = place[key[i] >> shift & 255]++;
        key_out[to] = key[i];
        order_out[to] = order[i];
    }
}

/* The side of the square around all points. */
static double sort_points(s2clr_tsne_tree *tree, const double *y)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < tree->n; i++)
        for (int c = 0; c < 2; c++) {
            low[c] = fmin(low[c], y[2 * i + (size_t)c]);
            high[c] = fmax(high[c], y[2 * i + (size_t)c]);
        }
    const double side = fmax(high[0] - low[0], high[1] - low[1]), unit = side > 0 ? side : 1;
    for (size_t i = 0; i < tree->n; i++) {
        tree->order[i] = (uint32_t)i;
        tree->key[i] = widen(step_of(y[2 * i], low[0], unit)) |
                       widen(step_of(y[2 * i + 1], low[1], unit)) << 1;
    }
    uint32_t *spare = tree->swap;
    for (int shift = 0; shift < 32; shift += 16) {
        sort_pass(tree->key, tree->order, tree->n, shift, spare, spare + tree->n);
        sort_pass(spare, spare + tree->n, tree->n, shift + 8, tree->key, tree->order);
    }
    for (size_t i = 0; i < tree->n; i++) memcpy(tree->at + 2 * i, y + 2 * tree->order[i], 16);
    return side;
}

/* ---- cells ---- */

static uint32_t quarter_of(uint32_t key, int level)
{
    return key >> (2 * (LEVELS - 1 - level)) & 3;
}

static void weigh(s2clr_tsne_tree *tree, s2clr_tsne_cell *cell)
{
    for (uint32_t i = cell->begin; i < cell->end; i++) {
        cell->x += tree->at[2 * i];
        cell->y += tree->at[2 * i + 1];
    }
    cell->x /= (double)(cell->end - cell->begin);
    cell->y /= (double)(cell->end - cell->begin);
}

/* Levels at which all points are in one quarter make no cell: every cell but a leaf has two
 * children at least, and there are fewer than 2 n. */
static void add_cells(s2clr_tsne_tree *tree, uint32_t begin, uint32_t end, int level, double side)
{
    const uint32_t *key = tree->key;
    while (level < LEVELS && quarter_of(key[begin], level) == quarter_of(key[end - 1], level)) {
        level++;
        side /= 2;
    }
    s2clr_tsne_cell *cell = &tree->cell[tree->cells++];
    *cell = (s2clr_tsne_cell){.begin = begin, .end = end, .side = side * side};
    cell->leaf = level == LEVELS || end - begin <= LEAF;
    weigh(tree, cell);
    for (uint32_t at = begin, next; !cell->leaf && at < end; at = next) {
        for (next = at + 1; next < end; next++)
            if (quarter_of(key[next], level) != quarter_of(key[at], level)) break;
        add_cells(tree, at, next, level + 1, side / 2);
    }
    cell->skip = (uint32_t)tree->cells;
}

void s2clr_tsne_tree_build(s2clr_tsne_tree *tree, const double *y)
{
    const double side = sort_points(tree, y);
    tree->cells = 0;
    add_cells(tree, 0, (uint32_t)tree->n, 0, side);
}

s2clr_status s2clr_tsne_tree_new(size_t n, s2clr_tsne_tree *out)
{
    s2clr_tsne_tree tree = {.n = n};
    size_t cells;
    S2CLR_TRY(s2clr_size_mul(n, 2, &cells));
    s2clr_status status = s2clr_alloc(cells, sizeof *tree.cell, "map cells", (void **)&tree.cell);
    if (status == S2CLR_OK)
        status = s2clr_alloc(n, sizeof *tree.order, "map cells", (void **)&tree.order);
    if (status == S2CLR_OK)
        status = s2clr_alloc(2 * n, sizeof *tree.at, "map cells", (void **)&tree.at);
    if (status == S2CLR_OK)
        status = s2clr_alloc(n, sizeof *tree.key, "map cells", (void **)&tree.key);
    if (status == S2CLR_OK)
        status = s2clr_alloc(2 * n, sizeof *tree.swap, "map cells", (void **)&tree.swap);
    if (status == S2CLR_OK)
        *out = tree;
    else
        s2clr_tsne_tree_free(&tree);
    return status;
}

void s2clr_tsne_tree_free(s2clr_tsne_tree *tree)
{
    s2clr_free(tree->cell);
    s2clr_free(tree->order);
    s2clr_free(tree->at);
    s2clr_free(tree->key);
    s2clr_free(tree->swap);
    *tree = (s2clr_tsne_tree){0};
}
