#include "report/tsne_map.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/knn.h"
#include "train/neighbours.h"
#include "train/pca.h"

void s2clr_tsne_map_free(s2clr_tsne_map *map)
{
    s2clr_free(map->y);
    map->y = NULL;
}

/* ---- positions ---- */

static s2clr_status arrange(const double *x, size_t width, s2clr_pool *pool,
                            const s2clr_progress *progress, s2clr_tsne_map *map)
{
    map->components = width;
    map->kept = 1;
    return s2clr_tsne_run(x, map->n, width, &map->options, pool, progress, map->y, &map->result);
}

static s2clr_status arrange_components(const s2clr_tsne_rows *rows, size_t k, s2clr_pool *pool,
                                       const s2clr_progress *progress, s2clr_tsne_map *map)
{
    double *score, variance[S2CLR_TSNE_COMPONENTS], total, sum = 0;
    size_t values;
    S2CLR_TRY(s2clr_size_mul(rows->count, k, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof *score, "principal components", (void **)&score));
    s2clr_status status =
        s2clr_pca(rows->x, rows->count, rows->width, k, pool, score, variance, &total);
    if (status == S2CLR_OK) status = arrange(score, k, pool, progress, map);
    for (size_t i = 0; status == S2CLR_OK && i < k; i++) sum += variance[i];
    if (status == S2CLR_OK) map->kept = total > 0 ? sum / total : 1;
    s2clr_free(score);
    return status;
}

/* ---- classes of neighbours ---- */

typedef struct vote {
    size_t n;
    int *label;    // (n) classes of those that have one, in the order of the classes
    double *x;     // (n, d) their vectors
    size_t *index; // (n, k)
    double *share; // (n, classes)
    size_t *from;  // (n) their rows
} vote;

static void vote_free(vote *v)
{
    s2clr_free(v->label);
    s2clr_free(v->x);
    s2clr_free(v->index);
    s2clr_free(v->share);
    s2clr_free(v->from);
}

static s2clr_status vote_new(const s2clr_tsne_map *map, size_t d, size_t k, vote *v)
{
    size_t total;
    S2CLR_TRY(s2clr_alloc(map->n, sizeof *v->label, "votes", (void **)&v->label));
    S2CLR_TRY(s2clr_alloc(map->n, sizeof *v->from, "votes", (void **)&v->from));
    S2CLR_TRY(s2clr_size_mul(map->n, d, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *v->x, "votes", (void **)&v->x));
    S2CLR_TRY(s2clr_size_mul(map->n, k, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *v->index, "votes", (void **)&v->index));
    S2CLR_TRY(s2clr_size_mul(map->n, (size_t)map->classes, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *v->share, "votes", (void **)&v->share));
    for (int c = 0; c < map->classes; c++)
        for (size_t i = 0; !map->class[c].unknown && i < map->n; i++) {
            if (map->class_of[i] != c) continue;
            v->from[v->n] = i;
            v->label[v->n++] = c;
        }
    return S2CLR_OK;
}

static s2clr_status count_votes(const s2clr_tsne_map *map, const double *x, size_t d, size_t k,
                                s2clr_pool *pool, vote *v)
{
    const size_t classes = (size_t)map->classes;
    for (size_t i = 0; i < v->n; i++) memcpy(v->x + i * d, x + v->from[i] * d, d * sizeof *x);
    S2CLR_TRY(s2clr_neighbours_find(v->x, v->n, d, k, pool, v->index, NULL));
    for (size_t i = 0; i < v->n * k; i++)
        v->share[i / k * classes + (size_t)v->label[v->index[i]]] += 1 / (double)k;
    return S2CLR_OK;
}

/* recall: (classes), only of classes that have samples. */
static s2clr_status score_votes(const s2clr_tsne_map *map, const vote *v, double *accuracy,
                                double *recall)
{
    s2clr_knn_result result;
    S2CLR_TRY(s2clr_knn_score(v->share, v->label, v->n, map->classes, &result));
    *accuracy = result.accuracy;
    for (size_t first = 0, end; first < v->n; first = end) {
        for (end = first; end < v->n && v->label[end] == v->label[first];) end++;
        S2CLR_TRY(s2clr_knn_score(v->share + first * (size_t)map->classes, v->label + first,
                                  end - first, map->classes, &result));
        recall[v->label[first]] = result.accuracy;
    }
    return S2CLR_OK;
}

/* d numbers of each sample of the map. */
static s2clr_status judge_classes(const s2clr_tsne_map *map, const double *x, size_t d,
                                  s2clr_pool *pool, double *accuracy, double *recall)
{
    vote v = {0};
    s2clr_status status = vote_new(map, d, map->neighbours, &v);
    if (status == S2CLR_OK) status = count_votes(map, x, d, map->neighbours, pool, &v);
    if (status == S2CLR_OK) status = score_votes(map, &v, accuracy, recall);
    vote_free(&v);
    return status;
}

static void count_classes(s2clr_tsne_map *map)
{
    size_t known = 0;
    int present = 0;
    for (int c = 0; c < map->classes; c++) map->class[c].count = 0;
    for (size_t i = 0; i < map->n; i++) map->class[map->class_of[i]].count++;
    for (int c = 0; c < map->classes; c++) {
        map->class[c].recall_rows = map->class[c].recall_map = NAN;
        if (map->class[c].unknown || !map->class[c].count) continue;
        known += map->class[c].count;
        present++;
    }
    map->accuracy_rows = map->accuracy_map = NAN;
    map->no_accuracy = present < 2                ? "fewer than two classes are on the map"
                       : known <= map->neighbours ? "there are too few samples of known class"
                                                  : "";
}

static s2clr_status judge(const s2clr_tsne_rows *rows, s2clr_pool *pool, s2clr_tsne_map *map)
{
    double *recall;
    S2CLR_TRY(s2clr_trustworthiness(rows->x, rows->width, map->y, 2, map->n, map->neighbours, pool,
                                    &map->trust));
    count_classes(map);
    if (*map->no_accuracy) return S2CLR_OK;
    const size_t classes = (size_t)map->classes;
    S2CLR_TRY(s2clr_alloc(2 * classes, sizeof *recall, "classes", (void **)&recall));
    s2clr_status status =
        judge_classes(map, rows->x, rows->width, pool, &map->accuracy_rows, recall);
    if (status == S2CLR_OK)
        status = judge_classes(map, map->y, 2, pool, &map->accuracy_map, recall + classes);
    for (size_t c = 0; status == S2CLR_OK && c < classes; c++) {
        if (map->class[c].unknown || !map->class[c].count) continue;
        map->class[c].recall_rows = recall[c];
        map->class[c].recall_map = recall[classes + c];
    }
    s2clr_free(recall);
    return status;
}

s2clr_status s2clr_tsne_map_check(const s2clr_tsne_map *map, size_t n)
{
    S2CLR_TRY(s2clr_tsne_check(n, &map->options));
    if (map->neighbours >= 1 && 2 * map->neighbours < n) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--neighbours %zu of %zu samples: wanted: 1 or more, and fewer than "
                           "half of the samples",
                           map->neighbours, n);
}

s2clr_status s2clr_tsne_map_make(const s2clr_tsne_rows *rows, s2clr_pool *pool,
                                 const s2clr_progress *progress, s2clr_tsne_map *map)
{
    const size_t n = rows->count;
    S2CLR_TRY(s2clr_tsne_map_check(map, n));
    map->n = n;
    map->width = rows->width;
    S2CLR_TRY(s2clr_alloc(2 * n, sizeof *map->y, "map", (void **)&map->y));
    const size_t most = n < S2CLR_TSNE_COMPONENTS ? n : S2CLR_TSNE_COMPONENTS;
    s2clr_status status = rows->width > most ? arrange_components(rows, most, pool, progress, map)
                                             : arrange(rows->x, rows->width, pool, progress, map);
    if (status == S2CLR_OK) status = judge(rows, pool, map);
    if (status != S2CLR_OK) s2clr_tsne_map_free(map);
    return status;
}
