/* The vectors of tests/golden/tsne.py, and what they came to there. */
#ifndef S2CLR_TESTS_TSNE_RIG_H
#define S2CLR_TESTS_TSNE_RIG_H

#include <stddef.h>

enum { TSNE_RIG_N = 600, TSNE_RIG_D = 20, TSNE_RIG_CLUSTERS = 10 };

// (TSNE_RIG_N, TSNE_RIG_D); vector i is in cluster i mod 10
void tsne_rig_vectors(double *x);

double tsne_rig_distance(const double *a, const double *b, size_t d);

#endif
