#include "report/baseline.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/baseline_logistic.h"
#include "report/random_features.h"
#include "train/metrics.h"
#include "train/scorer.h"

#define L2_ALONE 10.0 /* without validation samples */

/* Each fit goes on from the one before. */
static const double l2_tried[] = {100, 10, 1, 0.1, 0.01};

struct s2clr_baseline {
    s2clr_baseline_options options;
    s2clr_baseline_about about;
    int channels;
    s2clr_random_features *filters; /* of S2CLR_BASELINE_RANDOM */
    s2clr_logistic *logistic;
};

const char *s2clr_baseline_name(s2clr_baseline_kind kind)
{
    static const char *const names[S2CLR_BASELINES] = {
        "per-band mean and standard deviation + logistic regression",
        "random convolutional features + logistic regression",
        "frozen features + logistic regression"};
    return (unsigned)kind < S2CLR_BASELINES ? names[kind] : "unknown";
}

const char *s2clr_baseline_brief(s2clr_baseline_kind kind)
{
    static const char *const names[S2CLR_BASELINES] = {
        "baseline: band statistics", "baseline: random features", "probe: frozen features"};
    return (unsigned)kind < S2CLR_BASELINES ? names[kind] : "unknown";
}

/* ---- fewer training samples ---- */

typedef struct subset {
    const s2clr_samples *parent;
    size_t count;
    const char **names; // (count)
    int *labels;        // (count)
} subset;

static size_t place(const subset *s, size_t i)
{
    return (size_t)((double)i * ((double)s->parent->count / (double)s->count));
}

static s2clr_status subset_read(void *self, size_t index, float *dn)
{
    const subset *s = self;
    return s->parent->read(s->parent->self, place(s, index), dn);
}

static void subset_free(void *self)
{
    subset *s = self;
    s2clr_free(s->names);
    s2clr_free(s->labels);
    s2clr_free(s);
}

/* Every so-many-th sample: patches come in the order of their names, so each class and place keeps
 * its share. */
static s2clr_status take(const s2clr_samples *parent, size_t most, s2clr_samples *out)
{
    subset *s;
    S2CLR_TRY(s2clr_alloc(1, sizeof *s, "training samples", (void **)&s));
    s->parent = parent;
    s->count = most && most < parent->count ? most : parent->count;
    s2clr_status status =
        s2clr_alloc(s->count, sizeof *s->names, "training samples", (void **)&s->names);
    if (status == S2CLR_OK)
        status = s2clr_alloc(s->count, sizeof *s->labels, "training samples", (void **)&s->labels);
    if (status != S2CLR_OK) {
        subset_free(s);
        return status;
    }
    for (size_t i = 0; i < s->count; i++) {
        s->names[i] = parent->names[place(s, i)];
        s->labels[i] = parent->labels[place(s, i)];
    }
    *out = (s2clr_samples){.self = s,
                           .count = s->count,
                           .channels = parent->channels,
                           .size = parent->size,
                           .names = s->names,
                           .labels = s->labels,
                           .read = subset_read,
                           .free = subset_free};
    return S2CLR_OK;
}

/* ---- features ---- */

/* *out: (count, *width) */
static s2clr_status network_features(const s2clr_baseline *b, const s2clr_samples *samples,
                                     s2clr_pool *pool, size_t *width, double **out)
{
    const s2clr_baseline_options *o = &b->options;
    const s2clr_scorer_options wish = {.net = o->net,
                                       .params = o->params,
                                       .card = o->card,
                                       .level = o->level,
                                       .samples = samples,
                                       .output = S2CLR_OUTPUT_FEATURES};
    s2clr_scorer *scorer;
    float *rows = NULL;
    double *x = NULL;
    size_t total = 0;
    S2CLR_TRY(s2clr_scorer_new(&wish, o->backend, o->device, pool, &scorer));
    *width = s2clr_scorer_width(scorer);
    s2clr_status status = s2clr_size_mul(samples->count, *width, &total);
    if (status == S2CLR_OK)
        status = s2clr_alloc(total, sizeof *rows, "features", (void **)&rows);
    if (status == S2CLR_OK) status = s2clr_alloc(total, sizeof *x, "features", (void **)&x);
    if (status == S2CLR_OK) status = s2clr_scorer_run(scorer, 0, samples->count, o->progress, rows);
    for (size_t i = 0; status == S2CLR_OK && i < total; i++) x[i] = (double)rows[i];
    s2clr_scorer_free(scorer);
    s2clr_free(rows);
    if (status != S2CLR_OK) {
        s2clr_free(x);
        return status;
    }
    *out = x;
    return S2CLR_OK;
}

/* *out: (count, *width) */
static s2clr_status measure(const s2clr_baseline *b, const s2clr_samples *samples, s2clr_pool *pool,
                            size_t *width, double **out)
{
    if (samples->channels != b->channels)
        return s2clr_error_set(S2CLR_ERR_MISMATCH, "the samples have %d bands, the baseline %d",
                               samples->channels, b->channels);
    *width = 2 * (size_t)(b->filters ? b->options.filters : b->channels);
    switch (b->options.kind) {
    case S2CLR_BASELINE_RANDOM:
        return s2clr_random_features_measure(b->filters, samples, pool, out);
    case S2CLR_BASELINE_FEATURES:
        return network_features(b, samples, pool, width, out);
    default:
        return s2clr_band_statistics(samples, pool, out);
    }
}


/* Moments of a band over all patches, from those of each: its variance is the mean of theirs plus
 * the variance of their means. mean, sd: (channels) */
static void band_moments(const double *statistics, size_t n, size_t channels, double *mean,
                         double *sd)
{
    for (size_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0, known = 0;
        for (size_t i = 0; i < n; i++) {
            const double *one = statistics + 2 * (i * channels + c);
            if (isnan(one[0])) continue;
            sum += one[0];
            squares += one[0] * one[0] + one[1] * one[1];
            known++;
        }
        mean[c] = known > 0 ? sum / known : 0;
        const double variance = known > 0 ? squares / known - mean[c] * mean[c] : 0;
        sd[c] = variance > 0 ? sqrt(variance) : 1;
    }
}

static s2clr_status make_filters(s2clr_baseline *b, const s2clr_samples *train, s2clr_pool *pool)
{
    const size_t channels = (size_t)train->channels;
    double *statistics, *moments;
    if (b->options.kind != S2CLR_BASELINE_RANDOM) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(2 * channels, sizeof *moments, "band moments", (void **)&moments));
    s2clr_status status = s2clr_band_statistics(train, pool, &statistics);
    if (status == S2CLR_OK) {
        band_moments(statistics, train->count, channels, moments, moments + channels);
        const s2clr_random_features_options wish = {.channels = train->channels,
                                                    .size = train->size,
                                                    .filters = b->options.filters,
                                                    .mean = moments,
                                                    .sd = moments + channels,
                                                    .seed = b->options.seed,
                                                    .backend = b->options.backend,
                                                    .device = b->options.device};
        status = s2clr_random_features_new(&wish, &b->filters);
        s2clr_free(statistics);
    }
    s2clr_free(moments);
    return status;
}

/* ---- fitting ---- */

static int heads_of(const s2clr_baseline *b)
{
    return b->options.classes ? b->options.classes : 1;
}

/* Mean of -log(probability of the label). p: (n) or (n, K) */
static double log_loss(const s2clr_baseline *b, const double *p, const s2clr_samples *samples)
{
    const size_t k = (size_t)heads_of(b);
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++, p += k) {
        const int label = samples->labels[i];
        const double q = k > 1 ? p[label] : label ? p[0] : 1 - p[0];
        sum -= log(fmax(q, 1e-15));
    }
    return sum / (double)samples->count;
}

/* Validation samples as the fit sees them: features standardised, and room for probabilities. */
typedef struct judge {
    const s2clr_samples *samples; /* NULL: there are none */
    double *x;                    // (n, features)
    double *p;                    // (n) or (n, K)
} judge;

static s2clr_status judge_open(const s2clr_baseline *b, const s2clr_samples *samples,
                               s2clr_pool *pool, judge *out)
{
    judge j = {.samples = samples};
    size_t total;
    *out = (judge){0};
    if (!samples || samples->count == 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul(samples->count, (size_t)heads_of(b), &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *j.p, "probabilities", (void **)&j.p));
    size_t width;
    const s2clr_status status = measure(b, samples, pool, &width, &j.x);
    if (status != S2CLR_OK) {
        s2clr_free(j.p);
        return status;
    }
    s2clr_logistic_standardise(b->logistic, j.x, samples->count);
    *out = j;
    return S2CLR_OK;
}

/* x: (n, features) of the training samples, standardised. best: (weights) */
static s2clr_status choose_l2(s2clr_baseline *b, const double *x, const s2clr_samples *train,
                              const judge *j, s2clr_pool *pool, double *best)
{
    size_t count;
    double *weights = s2clr_logistic_weights(b->logistic, &count), least = INFINITY;
    for (size_t i = 0; i < sizeof l2_tried / sizeof l2_tried[0]; i++) {
        S2CLR_TRY(s2clr_logistic_fit(b->logistic, x, train->labels, train->count, l2_tried[i],
                                     S2CLR_LOGISTIC_ROUGH, pool));
        s2clr_logistic_predict(b->logistic, j->x, j->samples->count, j->p);
        const double loss = log_loss(b, j->p, j->samples);
        if (!(loss < least)) continue;
        least = loss;
        b->about.l2 = l2_tried[i];
        memcpy(best, weights, count * sizeof *best);
    }
    memcpy(weights, best, count * sizeof *best);
    return S2CLR_OK;
}

static s2clr_status fit_weights(s2clr_baseline *b, const double *x, const s2clr_samples *train,
                                const judge *j, s2clr_pool *pool)
{
    size_t count;
    double *best;
    b->about.l2 = b->options.l2 > 0 ? b->options.l2 : L2_ALONE;
    if (b->options.l2 == 0 && j->samples) {
        s2clr_logistic_weights(b->logistic, &count);
        S2CLR_TRY(s2clr_alloc(count, sizeof *best, "weights", (void **)&best));
        const s2clr_status status = choose_l2(b, x, train, j, pool, best);
        s2clr_free(best);
        S2CLR_TRY(status);
    }
    return s2clr_logistic_fit(b->logistic, x, train->labels, train->count, b->about.l2,
                              S2CLR_LOGISTIC_EXACT, pool);
}

static s2clr_status fit_judged(s2clr_baseline *b, const double *x, const s2clr_samples *train,
                               const s2clr_samples *validation, s2clr_pool *pool)
{
    judge j;
    S2CLR_TRY(judge_open(b, validation, pool, &j));
    s2clr_status status = fit_weights(b, x, train, &j, pool);
    if (status == S2CLR_OK && j.samples) {
        b->about.validated = j.samples->count;
        s2clr_logistic_predict(b->logistic, j.x, j.samples->count, j.p);
        if (!b->options.classes)
            status = s2clr_metrics_best_threshold(j.p, j.samples->labels, j.samples->count,
                                                  &b->about.threshold);
    }
    s2clr_free(j.x);
    s2clr_free(j.p);
    return status;
}

static s2clr_status fit(s2clr_baseline *b, const s2clr_samples *train,
                        const s2clr_samples *validation, s2clr_pool *pool)
{
    double *x;
    size_t positives = 0;
    for (size_t i = 0; i < train->count; i++) positives += train->labels[i] == 1;
    b->about.share = (double)positives / (double)train->count;
    b->about.trained = train->count;
    b->about.threshold = 0.5;
    S2CLR_TRY(make_filters(b, train, pool));
    S2CLR_TRY(measure(b, train, pool, &b->about.features, &x));
    s2clr_status status =
        s2clr_logistic_new(x, train->count, b->about.features, heads_of(b), &b->logistic);
    if (status == S2CLR_OK) {
        s2clr_logistic_standardise(b->logistic, x, train->count);
        status = fit_judged(b, x, train, validation, pool);
    }
    s2clr_free(x);
    return status;
}

static s2clr_status check_range(const s2clr_baseline_options *options, const s2clr_samples *samples)
{
    const int last = options->classes ? options->classes - 1 : 1;
    for (size_t i = 0; i < samples->count; i++)
        if (samples->labels[i] < 0 || samples->labels[i] > last)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s: its label is %d, a baseline takes 0 to %d",
                                   samples->names[i], samples->labels[i], last);
    return S2CLR_OK;
}

static s2clr_status check_labels(const s2clr_baseline_options *options, const s2clr_samples *train)
{
    size_t positives = 0, alike = 0;
    S2CLR_TRY(check_range(options, train));
    for (size_t i = 0; i < train->count; i++) {
        positives += train->labels[i] == 1;
        alike += train->labels[i] == train->labels[0];
    }
    if (alike < train->count) return S2CLR_OK;
    if (options->classes)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "all %zu training samples are of one class: a baseline needs two",
                               train->count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%zu of the %zu training samples are positive: a baseline needs both "
                           "labels",
                           positives, train->count);
}

s2clr_status s2clr_baseline_fit(const s2clr_baseline_options *options, const s2clr_samples *train,
                                const s2clr_samples *validation, s2clr_pool *pool,
                                s2clr_baseline **out)
{
    s2clr_baseline *b;
    s2clr_samples some;
    S2CLR_TRY(check_labels(options, train));
    if (validation) S2CLR_TRY(check_range(options, validation));
    S2CLR_TRY(s2clr_alloc(1, sizeof *b, "baseline", (void **)&b));
    b->options = *options;
    b->channels = train->channels;
    b->about.available = train->count;
    s2clr_status status = take(train, options->most, &some);
    if (status == S2CLR_OK) {
        status = fit(b, &some, validation, pool);
        some.free(some.self);
    }
    if (status == S2CLR_OK)
        *out = b;
    else
        s2clr_baseline_free(b);
    return status;
}

void s2clr_baseline_free(s2clr_baseline *b)
{
    if (!b) return;
    s2clr_random_features_free(b->filters);
    s2clr_logistic_free(b->logistic);
    s2clr_free(b);
}

const s2clr_baseline_about *s2clr_baseline_describe(const s2clr_baseline *b)
{
    return &b->about;
}

s2clr_status s2clr_baseline_predict(const s2clr_baseline *b, const s2clr_samples *samples,
                                    s2clr_pool *pool, double *p)
{
    double *x;
    size_t width;
    S2CLR_TRY(measure(b, samples, pool, &width, &x));
    s2clr_logistic_standardise(b->logistic, x, samples->count);
    s2clr_logistic_predict(b->logistic, x, samples->count, p);
    s2clr_free(x);
    return S2CLR_OK;
}

const double *s2clr_baseline_weights(const s2clr_baseline *b)
{
    size_t count;
    return s2clr_logistic_weights(b->logistic, &count);
}
