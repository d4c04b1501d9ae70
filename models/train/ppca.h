/* Private to pca.c: small symmetric matrices. */
#ifndef S2CLR_TRAIN_PPCA_H
#define S2CLR_TRAIN_PPCA_H

#include <stddef.h>

/* Eigenvalues of the symmetric a, falling, and their vectors as rows of `vector`, by Jacobi's
 * rotations. a, vector: (n, n); value: (n). a is used up. */
void s2clr_eigen_symmetric(double *a, size_t n, double *value, double *vector);

#endif
