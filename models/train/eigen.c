#include <math.h>
#include <string.h>

#include "train/ppca.h"

enum { SWEEPS_MAX = 60 };

static double off_diagonal(const double *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) sum += a[i * n + j] * a[i * n + j];
    return sum;
}

/* Makes a[p][q] zero (Golub and Van Loan, "Matrix Computations", 8.5: the smaller angle). */
static void rotate(double *a, size_t n, size_t p, size_t q, double *vector)
{
    const double apq = a[p * n + q];
    if (apq == 0) return;
    const double tau = (a[q * n + q] - a[p * n + p]) / (2 * apq);
    const double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau));
    const double c = 1 / sqrt(1 + t * t), s = t * c;
    for (size_t i = 0; i < n; i++) {
        const double ip = a[i * n + p], iq = a[i * n + q];
        a[i * n + p] = c * ip - s * iq;
        a[i * n + q] = s * ip + c * iq;
    }
    for (size_t i = 0; i < n; i++) {
        const double pi = a[p * n + i], qi = a[q * n + i];
        a[p * n + i] = c * pi - s * qi;
        a[q * n + i] = s * pi + c * qi;
        const double vp = vector[p * n + i], vq = vector[q * n + i];
        vector[p * n + i] = c * vp - s * vq;
        vector[q * n + i] = s * vp + c * vq;
    }
    a[p * n + q] = a[q * n + p] = 0;
}

static void swap_rows(double *vector, size_t n, size_t i, size_t j)
{
    for (size_t c = 0; c < n; c++) {
        const double kept = vector[i * n + c];
        vector[i * n + c] = vector[j * n + c];
        vector[j * n + c] = kept;
    }
}

void s2clr_eigen_symmetric(double *a, size_t n, double *value, double *vector)
{
    double size = 0;
    memset(vector, 0, n * n * sizeof *vector);
    for (size_t i = 0; i < n; i++) {
        vector[i * n + i] = 1;
        for (size_t j = 0; j < n; j++) size += a[i * n + j] * a[i * n + j];
        for (size_t j = 0; j < i; j++) /* what rounding left unequal */
            a[i * n + j] = a[j * n + i] = (a[i * n + j] + a[j * n + i]) / 2;
    }
    for (int sweep = 0; sweep < SWEEPS_MAX && off_diagonal(a, n) > 1e-30 * size; sweep++)
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++) rotate(a, n, p, q, vector);
    for (size_t i = 0; i < n; i++) value[i] = a[i * n + i];
    for (size_t i = 0; i < n; i++) {
        size_t most = i;
        for (size_t j = i + 1; j < n; j++)
            if (value[j] > value[most]) most = j;
        const double kept = value[i];
        value[i] = value[most];
        value[most] = kept;
        if (most != i) swap_rows(vector, n, i, most);
    }
}
