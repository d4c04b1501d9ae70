#include "train/knn.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "train/cosine.h"
#include "train/metrics.h"

typedef struct neighbour {
    double cosine;
    size_t index;
} neighbour;

typedef struct search {
    const int *labels;
    size_t k, classes;
    const s2clr_cosine *bank, *query;
    bool apart;         /* a query is not its own neighbour */
    double *scratch;    // (threads, S2CLR_COSINE_ROWS, width)
    neighbour *nearest; // (threads, k)
    double *share;      // (queries, classes)
} search;

static s2clr_status check(const int *labels, size_t count, size_t d, int classes, int k, bool apart)
{
    if (d < 1 || k < 1 || classes < 2)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "nearest neighbours: %d neighbours among %d classes of vectors of "
                               "%zu numbers; at least 1, 2 and 1 are needed",
                               k, classes, d);
    if (count < 1 + (size_t)apart)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "nearest neighbours among %zu vectors: at least %d are needed",
                               count, 1 + apart);
    for (size_t i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "nearest neighbours: label %zu is %d, must be 0 to %d", i,
                                   labels[i], classes - 1);
    return S2CLR_OK;
}

/* Keeps the k nearest in falling order; a later one never passes an equal one. */
static size_t insert(neighbour *nearest, size_t have, size_t k, double cosine, size_t index)
{
    if (have == k && !(cosine > nearest[k - 1].cosine)) return have;
    size_t at = have < k ? have : k - 1;
    for (; at > 0 && cosine > nearest[at - 1].cosine; at--) nearest[at] = nearest[at - 1];
    nearest[at] = (neighbour){.cosine = cosine, .index = index};
    return have < k ? have + 1 : have;
}

static s2clr_status search_rows(void *context, size_t item, int worker)
{
    search *job = context;
    const size_t first = item * S2CLR_COSINE_ROWS, width = job->bank->width;
    double *s = job->scratch + (size_t)worker * S2CLR_COSINE_ROWS * width;
    neighbour *nearest = job->nearest + (size_t)worker * job->k;
    s2clr_cosine_compare(job->bank, job->query, first, s);
    for (size_t i = first; i < first + S2CLR_COSINE_ROWS && i < job->query->count; i++) {
        size_t have = 0;
        for (size_t j = 0; j < job->bank->count; j++)
            if (!job->apart || i != j)
                have = insert(nearest, have, job->k, s[(i - first) * width + j], j);
        double *share = job->share + i * job->classes;
        memset(share, 0, job->classes * sizeof *share);
        for (size_t n = 0; n < have; n++) share[job->labels[nearest[n].index]] += 1;
        for (size_t c = 0; c < job->classes; c++) share[c] /= (double)have;
    }
    return S2CLR_OK;
}

static s2clr_status run_search(search *job, s2clr_pool *pool)
{
    const size_t threads = s2clr_cosine_threads(pool);
    size_t scratch, nearest;
    S2CLR_TRY(s2clr_size_mul(threads * S2CLR_COSINE_ROWS, job->bank->width, &scratch));
    S2CLR_TRY(s2clr_size_mul(threads, job->k, &nearest));
    S2CLR_TRY(s2clr_alloc(scratch, sizeof(double), "neighbours", (void **)&job->scratch));
    S2CLR_TRY(s2clr_alloc(nearest, sizeof(neighbour), "neighbours", (void **)&job->nearest));
    return s2clr_cosine_run(pool, search_rows, job, job->query->count);
}

s2clr_status s2clr_knn_shares(const float *bank, const int *labels, size_t count,
                              const float *query, size_t queries, size_t d, int classes, int k,
                              s2clr_pool *pool, double *share)
{
    s2clr_cosine *all, *asked = NULL;
    S2CLR_TRY(check(labels, count, d, classes, k, !query));
    S2CLR_TRY(s2clr_cosine_new(bank, count, d, d, &all));
    s2clr_status status = query ? s2clr_cosine_new(query, queries, d, d, &asked) : S2CLR_OK;
    search job = {.labels = labels,
                  .k = (size_t)k < count ? (size_t)k : count,
                  .classes = (size_t)classes,
                  .bank = all,
                  .query = query ? asked : all,
                  .apart = !query,
                  .share = share};
    if (status == S2CLR_OK) status = run_search(&job, pool);
    s2clr_free(job.scratch);
    s2clr_free(job.nearest);
    s2clr_cosine_free(asked);
    s2clr_cosine_free(all);
    return status;
}

/* 1 when the label's share is the largest, 1/m when m classes have it. */
static double hit(const double *share, int label, int classes)
{
    int equal = 0;
    for (int c = 0; c < classes; c++) {
        if (share[c] > share[label]) return 0;
        equal += share[c] == share[label];
    }
    return 1.0 / equal;
}

static s2clr_status class_auc(const double *share, const int *labels, size_t count, int classes,
                              int class, double *p, int *is, double *out)
{
    for (size_t i = 0; i < count; i++) {
        p[i] = share[i * (size_t)classes + (size_t) class];
        is[i] = labels[i] == class;
    }
    return s2clr_metrics_auc(p, is, count, out);
}

static s2clr_status mean_auc(const double *share, const int *labels, size_t count, int classes,
                             double *p, int *is, double *out)
{
    double sum = 0;
    int known = 0;
    for (int c = classes == 2; c < classes; c++) {
        double auc;
        S2CLR_TRY(class_auc(share, labels, count, classes, c, p, is, &auc));
        if (isnan(auc)) continue;
        sum += auc;
        known++;
    }
    *out = known ? sum / known : NAN;
    return S2CLR_OK;
}

s2clr_status s2clr_knn_score(const double *share, const int *labels, size_t count, int classes,
                             s2clr_knn_result *out)
{
    double *p = NULL, hits = 0, auc = NAN;
    int *is = NULL;
    S2CLR_TRY(check(labels, count, 1, classes, 1, false));
    s2clr_status status = s2clr_alloc(count, sizeof *p, "neighbours", (void **)&p);
    if (status == S2CLR_OK) status = s2clr_alloc(count, sizeof *is, "neighbours", (void **)&is);
    if (status == S2CLR_OK) status = mean_auc(share, labels, count, classes, p, is, &auc);
    s2clr_free(p);
    s2clr_free(is);
    S2CLR_TRY(status);
    for (size_t i = 0; i < count; i++) hits += hit(share + i * (size_t)classes, labels[i], classes);
    *out = (s2clr_knn_result){.accuracy = hits / (double)count, .auc = auc};
    return S2CLR_OK;
}
