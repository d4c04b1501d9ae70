#include "report/baseline.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

#define STEPS_MAX 100
#define HALVINGS_MAX 40
#define CONVERGED 1e-10

/* Letters: n samples, F = 2 * channels features, D = F + 1 unknowns (the intercept last). */
struct s2clr_baseline {
    size_t features;
    double *weights;   // (D)
    double *mean, *sd; // (F) of the features in the training samples
};

/* ---- features ---- */

typedef struct feature_job {
    const s2clr_samples *samples;
    float *dn; // (threads, C, size, size)
    size_t pixels, values;
    double *features; // (n, F)
} feature_job;

static s2clr_status measure_one(void *context, size_t item, int worker)
{
    const feature_job *job = context;
    const s2clr_samples *samples = job->samples;
    const size_t bands = (size_t)samples->channels;
    float *dn = job->dn + (size_t)worker * job->values;
    double *out = job->features + item * 2 * bands;
    S2CLR_TRY(samples->read(samples->self, item, dn));
    for (size_t b = 0; b < bands; b++) {
        const float *plane = dn + b * job->pixels;
        double sum = 0, squares = 0;
        for (size_t i = 0; i < job->pixels; i++) sum += (double)plane[i];
        const double mean = sum / (double)job->pixels;
        for (size_t i = 0; i < job->pixels; i++) {
            const double d = (double)plane[i] - mean;
            squares += d * d;
        }
        out[2 * b] = mean;
        out[2 * b + 1] = sqrt(squares / (double)job->pixels);
        if (!isfinite(out[2 * b] + out[2 * b + 1]))
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: band %zu holds values that are not finite",
                                   samples->names[item], b + 1);
    }
    return S2CLR_OK;
}

/* *out: (n, F), freed with s2clr_free(). */
static s2clr_status measure(const s2clr_samples *samples, s2clr_pool *pool, double **out)
{
    feature_job job = {.samples = samples};
    size_t total;
    job.pixels = (size_t)samples->size * (size_t)samples->size;
    S2CLR_TRY(s2clr_size_mul(job.pixels, (size_t)samples->channels, &job.values));
    S2CLR_TRY(s2clr_size_mul(job.values, (size_t)s2clr_pool_threads(pool), &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(float), "patches", (void **)&job.dn));
    s2clr_status status = s2clr_size_mul(samples->count, 2 * (size_t)samples->channels, &total);
    if (status == S2CLR_OK)
        status = s2clr_alloc(total, sizeof(double), "features", (void **)&job.features);
    if (status == S2CLR_OK) status = s2clr_pool_run(pool, measure_one, &job, samples->count);
    s2clr_free(job.dn);
    if (status == S2CLR_OK)
        *out = job.features;
    else
        s2clr_free(job.features);
    return status;
}

static void standardise(const s2clr_baseline *b, double *features, size_t count)
{
    const size_t f = b->features;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < f; j++)
            features[i * f + j] = (features[i * f + j] - b->mean[j]) / b->sd[j];
}

/* A feature that never changes tells nothing: its weight stays 0. */
static void moments(s2clr_baseline *b, const double *features, size_t count)
{
    for (size_t j = 0; j < b->features; j++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < count; i++) sum += features[i * b->features + j];
        b->mean[j] = sum / (double)count;
        for (size_t i = 0; i < count; i++) {
            const double d = features[i * b->features + j] - b->mean[j];
            squares += d * d;
        }
        b->sd[j] = sqrt(squares / (double)count);
        if (!(b->sd[j] > 0)) b->sd[j] = 1;
    }
}

/* ---- Newton ---- */

typedef struct problem {
    const double *x; // (n, F) standardised
    const int *label;
    size_t n, f;
    double l2;
    double *gradient, *step, *trial; // (D)
    double *hessian;                 // (D, D), lower triangle
} problem;

static double logit(const problem *p, const double *w, size_t i)
{
    double z = w[p->f];
    for (size_t j = 0; j < p->f; j++) z += w[j] * p->x[i * p->f + j];
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
        const double z = logit(p, w, i);
        sum += softplus(p->label[i] ? -z : z);
    }
    for (size_t j = 0; j < p->f; j++) norm += w[j] * w[j];
    return sum + 0.5 * p->l2 * norm;
}

static void derivatives(problem *p, const double *w)
{
    const size_t d = p->f + 1;
    memset(p->gradient, 0, d * sizeof *p->gradient);
    memset(p->hessian, 0, d * d * sizeof *p->hessian);
    for (size_t i = 0; i < p->n; i++) {
        const double q = 1 / (1 + exp(-logit(p, w, i)));
        const double error = q - p->label[i], curve = q * (1 - q);
        for (size_t j = 0; j < d; j++) {
            const double xj = j < p->f ? p->x[i * p->f + j] : 1;
            p->gradient[j] += error * xj;
            for (size_t k = 0; k <= j; k++)
                p->hessian[j * d + k] += curve * xj * (k < p->f ? p->x[i * p->f + k] : 1);
        }
    }
    for (size_t j = 0; j < p->f; j++) {
        p->gradient[j] += p->l2 * w[j];
        p->hessian[j * d + j] += p->l2;
    }
    p->hessian[d * d - 1] += 1e-12; /* all predictions saturated: the intercept's curve is 0 */
}

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

/* Halves the step until the objective does not rise; the largest change of a weight. */
static double advance(problem *p, double *w)
{
    const size_t d = p->f + 1;
    const double before = objective(p, w);
    double scale = 1, most = 0;
    for (int h = 0; h < HALVINGS_MAX; h++, scale /= 2) {
        for (size_t j = 0; j < d; j++) p->trial[j] = w[j] - scale * p->step[j];
        if (objective(p, p->trial) <= before) break;
    }
    for (size_t j = 0; j < d; j++) {
        most = fmax(most, fabs(p->trial[j] - w[j]));
        w[j] = p->trial[j];
    }
    return most;
}

static s2clr_status newton(problem *p, double *w)
{
    const size_t d = p->f + 1;
    double *work;
    S2CLR_TRY(s2clr_alloc(d * (d + 3), sizeof *work, "logistic regression", (void **)&work));
    p->gradient = work;
    p->step = work + d;
    p->trial = work + 2 * d;
    p->hessian = work + 3 * d;
    s2clr_status status = S2CLR_OK;
    for (int i = 0; i < STEPS_MAX; i++) {
        derivatives(p, w);
        if (!solve(p)) {
            status = s2clr_error_set(S2CLR_ERR_MISMATCH, "the baseline cannot be fitted: its "
                                                         "equations have no unique solution");
            break;
        }
        if (advance(p, w) < CONVERGED) break;
    }
    s2clr_free(work);
    return status;
}

/* ---- public ---- */

static s2clr_status fit(s2clr_baseline *b, const s2clr_samples *train, double l2, s2clr_pool *pool)
{
    double *features;
    const size_t f = b->features;
    S2CLR_TRY(s2clr_alloc(3 * f + 1, sizeof(double), "baseline", (void **)&b->weights));
    b->mean = b->weights + f + 1;
    b->sd = b->mean + f;
    S2CLR_TRY(measure(train, pool, &features));
    moments(b, features, train->count);
    standardise(b, features, train->count);
    problem p = {.x = features, .label = train->labels, .n = train->count, .f = f, .l2 = l2};
    const s2clr_status status = newton(&p, b->weights);
    s2clr_free(features);
    return status;
}

s2clr_status s2clr_baseline_fit(const s2clr_samples *train, double l2, s2clr_pool *pool,
                                s2clr_baseline **out)
{
    size_t positives = 0;
    for (size_t i = 0; i < train->count; i++) positives += train->labels[i] == 1;
    if (positives == 0 || positives == train->count)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%zu of the %zu training samples are positive: a baseline needs both "
            "labels",
            positives, train->count);
    s2clr_baseline *baseline;
    S2CLR_TRY(s2clr_alloc(1, sizeof *baseline, "baseline", (void **)&baseline));
    baseline->features = 2 * (size_t)train->channels;
    const s2clr_status status = fit(baseline, train, l2, pool);
    if (status == S2CLR_OK)
        *out = baseline;
    else
        s2clr_baseline_free(baseline);
    return status;
}

void s2clr_baseline_free(s2clr_baseline *baseline)
{
    if (!baseline) return;
    s2clr_free(baseline->weights);
    s2clr_free(baseline);
}

s2clr_status s2clr_baseline_predict(const s2clr_baseline *baseline, const s2clr_samples *samples,
                                    s2clr_pool *pool, double *p)
{
    double *features;
    if (2 * (size_t)samples->channels != baseline->features)
        return s2clr_error_set(S2CLR_ERR_MISMATCH, "the samples have %d bands, the baseline %zu",
                               samples->channels, baseline->features / 2);
    S2CLR_TRY(measure(samples, pool, &features));
    standardise(baseline, features, samples->count);
    const problem job = {.x = features, .f = baseline->features};
    for (size_t i = 0; i < samples->count; i++)
        p[i] = 1 / (1 + exp(-logit(&job, baseline->weights, i)));
    s2clr_free(features);
    return S2CLR_OK;
}

const double *s2clr_baseline_weights(const s2clr_baseline *baseline)
{
    return baseline->weights;
}
