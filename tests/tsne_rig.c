#include "tsne_rig.h"

#include <math.h>

#include "base/philox.h"

void tsne_rig_vectors(double *x)
{
    for (size_t i = 0; i < TSNE_RIG_N; i++)
        for (size_t j = 0; j < TSNE_RIG_D; j++) {
            const size_t centre = i % TSNE_RIG_CLUSTERS * TSNE_RIG_D + j;
            x[i * TSNE_RIG_D + j] = 3 * (double)s2clr_random_uniform(11, 1, centre) +
                                    2 * (double)s2clr_random_uniform(11, 2, i * TSNE_RIG_D + j) - 1;
        }
}

double tsne_rig_distance(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sqrt(sum);
}
