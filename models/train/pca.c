#include "train/pca.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/ppca.h"

enum { SPARE = 10, ROUNDS_MAX = 200, BLOCK = 16 };
#define SETTLED 1e-13 /* change of an eigenvalue, of the largest one */

/* Letters: m = min(n, d) rows of length l = max(n, d); b directions looked for. */
typedef struct pca {
    size_t n, d, m, l, k, b;
    double *rows;         // (m, l) centred: features of all samples (d <= n), or samples
    double *product;      // (m, m) rows with rows
    double *q, *w;        // (b, m) orthonormal; product times q
    double *small, *turn; // (b, b)
    double *value;        // (b) eigenvalues, falling
    double *out;          // (n, k)
} pca;

static s2clr_status run_blocks(s2clr_pool *pool, s2clr_task task, void *context, size_t rows)
{
    const size_t items = (rows + BLOCK - 1) / BLOCK;
    if (pool) return s2clr_pool_run(pool, task, context, items);
    for (size_t i = 0; i < items; i++) S2CLR_TRY(task(context, i, 0));
    return S2CLR_OK;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++) sum[j] += a[i + j] * b[i + j];
    for (; i < n; i++) sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* ---- the product ---- */

static void centre(pca *p, const double *x)
{
    for (size_t c = 0; c < p->d; c++) {
        double sum = 0;
        for (size_t i = 0; i < p->n; i++) sum += x[i * p->d + c];
        const double mean = sum / (double)p->n;
        for (size_t i = 0; i < p->n; i++) {
            const size_t at = p->d <= p->n ? c * p->l + i : i * p->l + c;
            p->rows[at] = x[i * p->d + c] - mean;
        }
    }
}

static s2clr_status multiply_block(void *context, size_t item, int worker)
{
    const pca *p = context;
    const size_t first = item * BLOCK, end = first + BLOCK < p->m ? first + BLOCK : p->m;
    (void)worker;
    for (size_t j = 0; j < end; j++)
        for (size_t i = first > j ? first : j; i < end; i++)
            p->product[i * p->m + j] = dot(p->rows + i * p->l, p->rows + j * p->l, p->l);
    return S2CLR_OK;
}

static s2clr_status multiply(pca *p, s2clr_pool *pool)
{
    S2CLR_TRY(run_blocks(pool, multiply_block, p, p->m));
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < i; j++) p->product[j * p->m + i] = p->product[i * p->m + j];
    return S2CLR_OK;
}

/* ---- orthogonal iteration ---- */

static s2clr_status apply_one(void *context, size_t item, int worker)
{
    const pca *p = context;
    const size_t first = item * BLOCK, end = first + BLOCK < p->m ? first + BLOCK : p->m;
    (void)worker;
    for (size_t i = first; i < end; i++)
        for (size_t a = 0; a < p->b; a++)
            p->w[a * p->m + i] = dot(p->product + i * p->m, p->q + a * p->m, p->m);
    return S2CLR_OK;
}

static void draw(pca *p, size_t a, uint64_t stream)
{
    for (size_t i = 0; i < p->m; i++)
        p->q[a * p->m + i] = (double)s2clr_random_normal(0, stream, i);
}

/* q becomes orthonormal; a row that the ones before it span is drawn anew. Gram-Schmidt is done
 * twice, which is enough (Giraud, Langou and Rozloznik 2005). */
static void make_orthonormal(pca *p)
{
    for (size_t a = 0; a < p->b; a++) {
        double *row = p->q + a * p->m;
        for (uint64_t again = 1;; again++) {
            const double before = sqrt(dot(row, row, p->m));
            for (int pass = 0; pass < 2; pass++)
                for (size_t c = 0; c < a; c++) {
                    const double *other = p->q + c * p->m, share = dot(row, other, p->m);
                    for (size_t i = 0; i < p->m; i++) row[i] -= share * other[i];
                }
            const double length = sqrt(dot(row, row, p->m));
            if (length > 1e-8 * before && length > 0) {
                for (size_t i = 0; i < p->m; i++) row[i] /= length;
                break;
            }
            draw(p, a, again * p->b + a);
        }
    }
}

/* Eigenvalues of the product within the span of q, and their vectors as rows of `turn`. */
static void measure(pca *p)
{
    for (size_t a = 0; a < p->b; a++)
        for (size_t c = 0; c < p->b; c++)
            p->small[a * p->b + c] = dot(p->q + a * p->m, p->w + c * p->m, p->m);
    s2clr_eigen_symmetric(p->small, p->b, p->value, p->turn);
}

static s2clr_status iterate(pca *p, s2clr_pool *pool)
{
    for (size_t a = 0; a < p->b; a++) draw(p, a, a);
    make_orthonormal(p);
    for (int round = 0;; round++) {
        double change = 0;
        S2CLR_TRY(run_blocks(pool, apply_one, p, p->m));
        for (size_t a = 0; a < p->k; a++) change -= p->value[a];
        measure(p);
        for (size_t a = 0; a < p->k; a++) change += p->value[a];
        const bool settled = round > 0 && !(fabs(change) > SETTLED * p->value[0]);
        if (settled || round + 1 == ROUNDS_MAX) return S2CLR_OK;
        memcpy(p->q, p->w, p->b * p->m * sizeof *p->q);
        make_orthonormal(p);
    }
}

/* ---- scores ---- */

/* Row a of w becomes the a-th eigenvector. */
static void turn_directions(pca *p)
{
    memset(p->w, 0, p->b * p->m * sizeof *p->w);
    for (size_t a = 0; a < p->k; a++)
        for (size_t c = 0; c < p->b; c++)
            for (size_t i = 0; i < p->m; i++)
                p->w[a * p->m + i] += p->turn[a * p->b + c] * p->q[c * p->m + i];
}

static s2clr_status score_block(void *context, size_t item, int worker)
{
    const pca *p = context;
    const size_t first = item * BLOCK, end = first + BLOCK < p->n ? first + BLOCK : p->n;
    (void)worker;
    for (size_t a = 0; a < p->k; a++) {
        const double *w = p->w + a * p->m;
        double sum[BLOCK] = {0};
        for (size_t c = 0; p->d <= p->n && c < p->m; c++)
            for (size_t i = first; i < end; i++) sum[i - first] += p->rows[c * p->l + i] * w[c];
        for (size_t i = first; p->d > p->n && i < end; i++)
            sum[i - first] = w[i] * sqrt(p->value[a] > 0 ? p->value[a] : 0);
        for (size_t i = first; i < end; i++) p->out[i * p->k + a] = sum[i - first];
    }
    return S2CLR_OK;
}

static void choose_signs(const pca *p)
{
    for (size_t a = 0; a < p->k; a++) {
        double farthest = 0;
        for (size_t i = 0; i < p->n; i++)
            if (fabs(p->out[i * p->k + a]) > fabs(farthest)) farthest = p->out[i * p->k + a];
        for (size_t i = 0; farthest < 0 && i < p->n; i++) p->out[i * p->k + a] *= -1;
    }
}

static s2clr_status reserve(pca *p)
{
    size_t total;
    S2CLR_TRY(s2clr_size_mul(p->m, p->l, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(double), "principal components", (void **)&p->rows));
    S2CLR_TRY(s2clr_size_mul(p->m, p->m, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(double), "principal components", (void **)&p->product));
    S2CLR_TRY(s2clr_size_mul(p->b, p->m, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(double), "principal components", (void **)&p->q));
    S2CLR_TRY(s2clr_alloc(total, sizeof(double), "principal components", (void **)&p->w));
    total = p->b * p->b;
    S2CLR_TRY(s2clr_alloc(total, sizeof(double), "principal components", (void **)&p->small));
    S2CLR_TRY(s2clr_alloc(total, sizeof(double), "principal components", (void **)&p->turn));
    return s2clr_alloc(p->b, sizeof(double), "principal components", (void **)&p->value);
}

static s2clr_status solve(pca *p, const double *x, s2clr_pool *pool, double *variance,
                          double *total)
{
    double trace = 0;
    S2CLR_TRY(reserve(p));
    centre(p, x);
    S2CLR_TRY(multiply(p, pool));
    for (size_t i = 0; i < p->m; i++) trace += p->product[i * p->m + i];
    if (!isfinite(trace))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "principal components: the vectors hold values "
                                                   "that are not finite or too large");
    S2CLR_TRY(iterate(p, pool));
    turn_directions(p);
    S2CLR_TRY(run_blocks(pool, score_block, p, p->n));
    choose_signs(p);
    for (size_t a = 0; a < p->k; a++)
        variance[a] = (p->value[a] > 0 ? p->value[a] : 0) / (double)(p->n - 1);
    *total = trace / (double)(p->n - 1);
    return S2CLR_OK;
}

s2clr_status s2clr_pca(const double *x, size_t n, size_t d, size_t k, s2clr_pool *pool, double *out,
                       double *variance, double *total)
{
    pca p = {.n = n, .d = d, .m = n < d ? n : d, .l = n < d ? d : n, .k = k, .out = out};
    if (n < 2 || k < 1 || k > p.m)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%zu principal components of %zu vectors of %zu numbers: at least 2 "
                               "vectors are needed, and there are at most as many components as "
                               "vectors or numbers",
                               k, n, d);
    p.b = k + SPARE < p.m ? k + SPARE : p.m;
    const s2clr_status status = solve(&p, x, pool, variance, total);
    s2clr_free(p.rows);
    s2clr_free(p.product);
    s2clr_free(p.q);
    s2clr_free(p.w);
    s2clr_free(p.small);
    s2clr_free(p.turn);
    s2clr_free(p.value);
    return status;
}
