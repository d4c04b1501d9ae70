#include "report/baseline_logistic.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

#define STEPS_MAX 100
#define HALVINGS_MAX 40
#define NEVER (-40.0) /* intercept of a class without samples */

/* CHUNKS never depends on the threads: the Hessian is the sum of the chunks' in their order. */
enum { CHUNKS = 8, BLOCK = 64, TILE = 4 };

/* Letters: n samples, F features, D = F + 1 unknowns (the intercept last). */
struct s2clr_logistic {
    size_t f, heads;
    double *weights;   // (heads, D)
    double *mean, *sd; // (F)
};

typedef struct problem {
    const double *x; // (n, F)
    const int *label;
    int target; /* label that is 1 */
    size_t n, f;
    double l2, tolerance;
    s2clr_pool *pool;
    const double *w;                 // (D) where derivatives are taken
    double *gradient, *step, *trial; // (D)
    double *hessian;                 // (D, D), lower triangle
    double *part;                    // (CHUNKS, D, D)
    double *slope;                   // (CHUNKS, D)
} problem;

static double logit(const double *x, const double *w, size_t f)
{
    double z = w[f];
    for (size_t j = 0; j < f; j++) z += w[j] * x[j];
    return z;
}

/* log(1 + exp(z)) without overflow. */
static double softplus(double z)
{
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

static double objective(const problem *p, const double *w)
{
    double sum = 0, norm = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double z = logit(p->x + i * p->f, w, p->f);
        sum += softplus(p->label[i] == p->target ? -z : z);
    }
    for (size_t j = 0; j < p->f; j++) norm += w[j] * w[j];
    return sum + 0.5 * p->l2 * norm;
}

/* ---- derivatives ---- */

/* Lower triangle of h += rows' rows, in squares of TILE: rows: (count, width), width a multiple of
 * TILE, h: (width, width). */
static void add_products(const double *rows, size_t count, size_t width, double *h)
{
    for (size_t j = 0; j < width; j += TILE) {
        for (size_t k = 0; k <= j; k += TILE) {
            double sum[TILE][TILE] = {{0}};
            for (size_t r = 0; r < count; r++) {
                const double *a = rows + r * width + j, *b = rows + r * width + k;
                for (int s = 0; s < TILE; s++)
                    for (int t = 0; t < TILE; t++) sum[s][t] += a[s] * b[t];
            }
            for (size_t s = 0; s < TILE; s++)
                for (size_t t = 0; t < TILE; t++) h[(j + s) * width + k + t] += sum[s][t];
        }
    }
}

static size_t padded(size_t d)
{
    return (d + TILE - 1) / TILE * TILE;
}

static s2clr_status chunk_derivatives(void *context, size_t chunk, int worker)
{
    (void)worker;
    const problem *p = context;
    const size_t d = p->f + 1, width = padded(d);
    const size_t from = p->n * chunk / CHUNKS, to = p->n * (chunk + 1) / CHUNKS;
    double *h = p->part + chunk * width * width, *g = p->slope + chunk * d, *rows;
    S2CLR_TRY(s2clr_alloc(BLOCK * width, sizeof *rows, "logistic regression", (void **)&rows));
    memset(h, 0, width * width * sizeof *h);
    memset(g, 0, d * sizeof *g);
    for (size_t start = from; start < to; start += BLOCK) {
        const size_t count = to - start < BLOCK ? to - start : BLOCK;
        for (size_t r = 0; r < count; r++) {
            const double *x = p->x + (start + r) * p->f;
            const double q = 1 / (1 + exp(-logit(x, p->w, p->f)));
            const double error = q - (p->label[start + r] == p->target);
            const double root = sqrt(q * (1 - q));
            for (size_t j = 0; j < p->f; j++) {
                g[j] += error * x[j];
                rows[r * width + j] = root * x[j];
            }
            g[p->f] += error;
            rows[r * width + p->f] = root;
        }
        add_products(rows, count, width, h);
    }
    s2clr_free(rows);
    return S2CLR_OK;
}

static s2clr_status derivatives(problem *p, const double *w)
{
    const size_t d = p->f + 1, width = padded(d);
    p->w = w;
    S2CLR_TRY(s2clr_pool_run(p->pool, chunk_derivatives, p, CHUNKS));
    memset(p->gradient, 0, d * sizeof *p->gradient);
    memset(p->hessian, 0, d * d * sizeof *p->hessian);
    for (size_t chunk = 0; chunk < CHUNKS; chunk++) {
        const double *h = p->part + chunk * width * width, *g = p->slope + chunk * d;
        for (size_t j = 0; j < d; j++) {
            p->gradient[j] += g[j];
            for (size_t k = 0; k <= j; k++) p->hessian[j * d + k] += h[j * width + k];
        }
    }
    for (size_t j = 0; j < p->f; j++) {
        p->gradient[j] += p->l2 * w[j];
        p->hessian[j * d + j] += p->l2;
    }
    p->hessian[d * d - 1] += 1e-12; /* all predictions saturated: the intercept's curve is 0 */
    return S2CLR_OK;
}

/* ---- Newton ---- */

/* step = hessian^-1 gradient by Cholesky, in place. false: not positive definite. */
static bool solve(problem *p)
{
    const size_t d = p->f + 1;
    double *l = p->hessian, *y = p->step;
    for (size_t j = 0; j < d; j++) {
        for (size_t k = 0; k <= j; k++) {
            double sum = l[j * d + k];
            for (size_t m = 0; m < k; m++) sum -= l[j * d + m] * l[k * d + m];
            if (j != k)
                l[j * d + k] = sum / l[k * d + k];
            else if (sum > 0)
                l[j * d + j] = sqrt(sum);
            else
                return false;
        }
    }
    for (size_t j = 0; j < d; j++) {
        y[j] = p->gradient[j];
        for (size_t m = 0; m < j; m++) y[j] -= l[j * d + m] * y[m];
        y[j] /= l[j * d + j];
    }
    for (size_t j = d; j-- > 0;) {
        for (size_t m = j + 1; m < d; m++) y[j] -= l[m * d + j] * y[m];
        y[j] /= l[j * d + j];
    }
    return true;
}

/* Halves the step until the objective does not rise; the largest change of a weight, over 1 and the
 * largest weight. */
static double advance(problem *p, double *w)
{
    const size_t d = p->f + 1;
    const double before = objective(p, w);
    double scale = 1, most = 0, largest = 0;
    for (int h = 0; h < HALVINGS_MAX; h++, scale /= 2) {
        for (size_t j = 0; j < d; j++) p->trial[j] = w[j] - scale * p->step[j];
        if (objective(p, p->trial) <= before) break;
    }
    for (size_t j = 0; j < d; j++) {
        most = fmax(most, fabs(p->trial[j] - w[j]));
        w[j] = p->trial[j];
        largest = fmax(largest, fabs(w[j]));
    }
    return most / (1 + largest);
}

static s2clr_status newton(problem *p, double *w)
{
    for (int i = 0; i < STEPS_MAX; i++) {
        S2CLR_TRY(derivatives(p, w));
        if (!solve(p))
            return s2clr_error_set(S2CLR_ERR_MISMATCH, "the baseline cannot be fitted: its "
                                                       "equations have no unique solution");
        if (advance(p, w) < p->tolerance) break;
    }
    return S2CLR_OK;
}

static s2clr_status fit_head(problem *p, double *w)
{
    size_t with = 0;
    for (size_t i = 0; i < p->n; i++) with += p->label[i] == p->target;
    if (with > 0) return newton(p, w);
    memset(w, 0, p->f * sizeof *w);
    w[p->f] = NEVER;
    return S2CLR_OK;
}

/* ---- public ---- */

s2clr_status s2clr_logistic_fit(s2clr_logistic *model, const double *x, const int *label, size_t n,
                                double l2, double tolerance, s2clr_pool *pool)
{
    const size_t d = model->f + 1, width = padded(d);
    double *work;
    size_t total;
    S2CLR_TRY(s2clr_size_mul(d, d + 3 + CHUNKS, &total));
    S2CLR_TRY(s2clr_size_add(total, CHUNKS * width * width, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *work, "logistic regression", (void **)&work));
    problem p = {.x = x,
                 .label = label,
                 .n = n,
                 .f = model->f,
                 .l2 = l2,
                 .tolerance = tolerance,
                 .pool = pool};
    p.gradient = work;
    p.step = work + d;
    p.trial = work + 2 * d;
    p.slope = work + 3 * d;
    p.hessian = p.slope + CHUNKS * d;
    p.part = p.hessian + d * d;
    s2clr_status status = S2CLR_OK;
    for (size_t h = 0; status == S2CLR_OK && h < model->heads; h++) {
        p.target = model->heads == 1 ? 1 : (int)h;
        status = fit_head(&p, model->weights + h * d);
    }
    s2clr_free(work);
    return status;
}

/* A feature that never changes tells nothing: its weight stays 0. */
static void moments(s2clr_logistic *m, const double *x, size_t n)
{
    for (size_t j = 0; j < m->f; j++) {
        double sum = 0, squares = 0, known = 0;
        for (size_t i = 0; i < n; i++) {
            if (isnan(x[i * m->f + j])) continue;
            sum += x[i * m->f + j];
            known++;
        }
        m->mean[j] = known > 0 ? sum / known : 0;
        for (size_t i = 0; i < n; i++) {
            const double d = x[i * m->f + j] - m->mean[j];
            if (!isnan(d)) squares += d * d;
        }
        m->sd[j] = known > 0 ? sqrt(squares / known) : 1;
        if (!(m->sd[j] > 0)) m->sd[j] = 1;
    }
}

s2clr_status s2clr_logistic_new(const double *x, size_t n, size_t f, int heads,
                                s2clr_logistic **out)
{
    s2clr_logistic *m;
    size_t total;
    S2CLR_TRY(s2clr_size_mul(f + 1, (size_t)heads + 2, &total));
    S2CLR_TRY(s2clr_alloc(1, sizeof *m, "logistic regression", (void **)&m));
    const s2clr_status status =
        s2clr_alloc(total, sizeof(double), "logistic regression", (void **)&m->weights);
    if (status != S2CLR_OK) {
        s2clr_free(m);
        return status;
    }
    m->f = f;
    m->heads = (size_t)heads;
    m->mean = m->weights + m->heads * (f + 1);
    m->sd = m->mean + f;
    moments(m, x, n);
    *out = m;
    return S2CLR_OK;
}

void s2clr_logistic_free(s2clr_logistic *model)
{
    if (!model) return;
    s2clr_free(model->weights);
    s2clr_free(model);
}

void s2clr_logistic_standardise(const s2clr_logistic *model, double *x, size_t n)
{
    const size_t f = model->f;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < f; j++) {
            double *one = &x[i * f + j];
            *one = isnan(*one) ? 0 : (*one - model->mean[j]) / model->sd[j];
        }
    }
}

void s2clr_logistic_predict(const s2clr_logistic *model, const double *x, size_t n, double *p)
{
    const size_t f = model->f, heads = model->heads;
    for (size_t i = 0; i < n; i++, p += heads) {
        double sum = 0;
        for (size_t h = 0; h < heads; h++)
            sum += p[h] = 1 / (1 + exp(-logit(x + i * f, model->weights + h * (f + 1), f)));
        for (size_t h = 0; heads > 1 && h < heads; h++) p[h] /= sum;
    }
}

double *s2clr_logistic_weights(s2clr_logistic *model, size_t *count)
{
    *count = model->heads * (model->f + 1);
    return model->weights;
}
