#include "train/tsne.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/pca.h"
#include "train/ptsne.h"

/* Cells and neighbours are numbered in 32 bits; nobody waits for so many. */
enum { SAMPLES_MAX = 1 << 24 };
enum { START_STREAM = 0x7e5e, PER_REPORT = 10 };
#define START_SIZE 1e-4
#define START_NOISE 1e-6
#define GAIN_LEAST 0.01

void s2clr_tsne_defaults(s2clr_tsne_options *options)
{
    *options = (s2clr_tsne_options){
        .perplexity = 30, .iterations = 1000, .theta = 0.5, .exaggeration = 12, .exaggerated = 250};
}

size_t s2clr_tsne_neighbours(double perplexity)
{
    return (size_t)(3 * perplexity + 1);
}

double s2clr_tsne_perplexity_max(size_t n)
{
    return n < 1 ? 0 : (double)(n - 1) / 3;
}

s2clr_status s2clr_tsne_check(size_t n, const s2clr_tsne_options *o)
{
    if (n < 4 || n > SAMPLES_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "a map of %zu samples: t-SNE takes 4 to %d samples", n, SAMPLES_MAX);
    if (!(o->perplexity >= 1) || !(o->perplexity <= s2clr_tsne_perplexity_max(n)))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "perplexity %g: it looks at 3 times as many neighbours, and there "
                               "are %zu samples; wanted: 1 to %g, or more samples",
                               o->perplexity, n, s2clr_tsne_perplexity_max(n));
    if (o->iterations < 1 || !(o->theta >= 0 && o->theta <= 1) || !(o->exaggeration >= 1) ||
        o->exaggerated < 0 || !(o->rate >= 0))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "t-SNE: %d iterations, theta %g, exaggeration %g for %d iterations, "
                               "rate %g; wanted: at least 1, 0 to 1, at least 1, 0, 0",
                               o->iterations, o->theta, o->exaggeration, o->exaggerated, o->rate);
    return S2CLR_OK;
}

/* ---- the start ---- */

static s2clr_status check_spread(const double *x, size_t n, size_t d)
{
    for (size_t i = 1; i < n; i++)
        if (memcmp(x, x + i * d, d * sizeof *x) != 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "all %zu samples have the same numbers: there is nothing to map; the "
                           "network tells nothing apart",
                           n);
}

static void add_noise(double *y, size_t n, double size, uint64_t seed)
{
    for (size_t i = 0; i < 2 * n; i++)
        y[i] += size * (double)s2clr_random_normal(seed, START_STREAM, i);
}

/* The first component gets the size of a random start, the second one in proportion. Noise keeps
 * samples that are equal, or all on a line, from staying so. */
static s2clr_status start_from_components(const double *x, size_t n, size_t d, uint64_t seed,
                                          s2clr_pool *pool, double *y)
{
    const size_t k = d < 2 ? 1 : 2;
    double *score, variance[2], total;
    S2CLR_TRY(s2clr_alloc(k * n, sizeof *score, "principal components", (void **)&score));
    const s2clr_status status = s2clr_pca(x, n, d, k, pool, score, variance, &total);
    if (status == S2CLR_OK) {
        const double scale = variance[0] > 0 ? START_SIZE / sqrt(variance[0]) : 0;
        memset(y, 0, 2 * n * sizeof *y);
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < k; c++) y[2 * i + c] = scale * score[k * i + c];
        add_noise(y, n, START_NOISE, seed);
    }
    s2clr_free(score);
    return status;
}

static s2clr_status start(const double *x, size_t n, size_t d, const s2clr_tsne_options *options,
                          s2clr_pool *pool, double *y)
{
    S2CLR_TRY(check_spread(x, n, d));
    if (!options->random_start) return start_from_components(x, n, d, options->seed, pool, y);
    memset(y, 0, 2 * n * sizeof *y);
    add_noise(y, n, START_SIZE, options->seed);
    return S2CLR_OK;
}

/* ---- descent ---- */

/* y, change, gain: (n, 2); gains after Jacobs (1988), as in the first paper. */
static void move(size_t n, double rate, double momentum, const double *gradient, double *change,
                 double *gain, double *y)
{
    double mean[2] = {0};
    for (size_t i = 0; i < 2 * n; i++) {
        gain[i] = gradient[i] * change[i] < 0 ? gain[i] + 0.2 : gain[i] * 0.8;
        if (gain[i] < GAIN_LEAST) gain[i] = GAIN_LEAST;
        change[i] = momentum * change[i] - rate * gain[i] * gradient[i];
        y[i] += change[i];
        mean[i % 2] += y[i];
    }
    for (size_t i = 0; i < 2 * n; i++) y[i] -= mean[i % 2] / (double)n;
}

static s2clr_status check_finite(const double *y, size_t n, int iteration)
{
    double sum = 0;
    for (size_t i = 0; i < 2 * n; i++) sum += y[i];
    if (isfinite(sum)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND,
                           "t-SNE: points left the map in iteration %d; a lower rate or another "
                           "perplexity may help",
                           iteration);
}

/* work: (3, n, 2) */
static s2clr_status descend(s2clr_tsne_forces *forces, const s2clr_tsne_options *o, double rate,
                            s2clr_pool *pool, const s2clr_progress *progress, double *work,
                            double *y)
{
    const size_t n = forces->graph->n;
    double *gradient = work, *change = work + 2 * n, *gain = work + 4 * n;
    for (size_t i = 0; i < 2 * n; i++) gain[i] = 1;
    for (int i = 0; i < o->iterations; i++) {
        if (i % PER_REPORT == 0 &&
            !s2clr_progress_report(progress, (double)i / o->iterations, "arranging the map"))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "stopped after %d of %d iterations", i,
                                   o->iterations);
        const bool early = i < o->exaggerated;
        S2CLR_TRY(s2clr_tsne_gradient(forces, y, early ? o->exaggeration : 1, pool, gradient));
        move(n, rate, early ? 0.5 : 0.8, gradient, change, gain, y);
        S2CLR_TRY(check_finite(y, n, i + 1));
    }
    /* Once more, for the normalisation at the end. */
    return s2clr_tsne_gradient(forces, y, 1, pool, gradient);
}

static s2clr_status with_graph(const s2clr_tsne_graph *graph, const s2clr_tsne_options *options,
                               s2clr_pool *pool, const s2clr_progress *progress, double *y,
                               s2clr_tsne_result *out)
{
    s2clr_tsne_forces forces;
    double *work = NULL;
    const double usual = fmax((double)graph->n / options->exaggeration / 4, 50);
    out->rate = options->rate > 0 ? options->rate : usual;
    S2CLR_TRY(s2clr_tsne_forces_new(graph, options->theta, &forces));
    s2clr_status status = s2clr_alloc(6 * graph->n, sizeof *work, "map", (void **)&work);
    if (status == S2CLR_OK) status = descend(&forces, options, out->rate, pool, progress, work, y);
    if (status == S2CLR_OK) status = s2clr_tsne_divergence(&forces, pool, &out->divergence);
    s2clr_free(work);
    s2clr_tsne_forces_free(&forces);
    return status;
}

s2clr_status s2clr_tsne_run(const double *x, size_t n, size_t d, const s2clr_tsne_options *options,
                            s2clr_pool *pool, const s2clr_progress *progress, double *y,
                            s2clr_tsne_result *out)
{
    s2clr_tsne_graph graph;
    s2clr_tsne_result result = {.neighbours = s2clr_tsne_neighbours(options->perplexity)};
    S2CLR_TRY(s2clr_tsne_check(n, options));
    S2CLR_TRY(start(x, n, d, options, pool, y));
    if (result.neighbours > n - 1) result.neighbours = n - 1;
    S2CLR_TRY(s2clr_tsne_graph_new(x, n, d, options->perplexity, pool, &graph));
    const s2clr_status status = with_graph(&graph, options, pool, progress, y, &result);
    s2clr_tsne_graph_free(&graph);
    if (status == S2CLR_OK) *out = result;
    return status;
}
