/* The parts of t-SNE: who attracts whom, the tree of cells, the forces. Private to tsne_*.c and
 * their tests. */
#ifndef S2CLR_TRAIN_PTSNE_H
#define S2CLR_TRAIN_PTSNE_H

#include <stdint.h>

#include "train/tsne.h"

/* ---- tsne_affinity.c ---- */

/* p_ij, symmetric, sums to 1; rows with rising columns. */
typedef struct s2clr_tsne_graph {
    size_t n;
    size_t *start; // (n + 1)
    uint32_t *to;  // (start[n])
    double *p;     // (start[n])
} s2clr_tsne_graph;

/* p_j|i is a Gaussian around i as wide as makes its perplexity the one asked for; p_ij = (p_j|i +
 * p_i|j) / 2n. A row whose neighbours are all as near has equal shares. */
s2clr_status s2clr_tsne_graph_new(const double *x, size_t n, size_t d, double perplexity,
                                  s2clr_pool *pool, s2clr_tsne_graph *out);
void s2clr_tsne_graph_free(s2clr_tsne_graph *graph);

/* ---- tsne_tree.c ---- */

/* A square cell that holds points [begin, end) of the sorted order. Cells stand in preorder: the
 * first child follows its parent, `skip` is what comes after all that is inside. */
typedef struct s2clr_tsne_cell {
    double x, y; /* centre of mass */
    double side; /* squared */
    uint32_t begin, end, skip;
    uint32_t leaf;
} s2clr_tsne_cell;

typedef struct s2clr_tsne_tree {
    size_t n, cells;
    s2clr_tsne_cell *cell; // (2 n), `cells` of them used
    uint32_t *order;       // (n) which point stands where
    double *at;            // (n, 2) points in that order
    uint32_t *key, *swap;  // (n), (2 n): for sorting
} s2clr_tsne_tree;

/* n >= 1 */
s2clr_status s2clr_tsne_tree_new(size_t n, s2clr_tsne_tree *out);
/* y: (n, 2) finite */
void s2clr_tsne_tree_build(s2clr_tsne_tree *tree, const double *y);
void s2clr_tsne_tree_free(s2clr_tsne_tree *tree);

/* ---- tsne_forces.c ---- */

typedef struct s2clr_tsne_forces {
    const s2clr_tsne_graph *graph;
    s2clr_tsne_tree tree;
    double theta, exaggeration;
    double *repulsion;    // (n, 2)
    double *part;         // (n) of the normalisation; of the divergence
    const double *y;      // (n, 2)
    double *gradient;     // (n, 2)
    double normalisation; /* sum over k != l of 1 / (1 + |y_k - y_l|^2) */
} s2clr_tsne_forces;

s2clr_status s2clr_tsne_forces_new(const s2clr_tsne_graph *graph, double theta,
                                   s2clr_tsne_forces *out);
void s2clr_tsne_forces_free(s2clr_tsne_forces *forces);

/* gradient: (n, 2) of the divergence by y, p being `exaggeration` times as large. */
s2clr_status s2clr_tsne_gradient(s2clr_tsne_forces *forces, const double *y, double exaggeration,
                                 s2clr_pool *pool, double *gradient);

/* The divergence at the y of the last gradient, without exaggeration. */
s2clr_status s2clr_tsne_divergence(s2clr_tsne_forces *forces, s2clr_pool *pool, double *out);

#endif
