#include "dataset/stats.h"

#include <string.h>

#include "base/memory.h"
#include "dataset/pstats.h"

enum { ROUND = 512 /* patches between two sums in order */ };

/* What a thread holds. */
typedef struct worker {
    s2clr_store_cursor *cursor;
    s2clr_band_bins bins;
    s2clr_index_planes planes;
} worker;

typedef struct job {
    const s2clr_store *store;
    s2clr_stats *stats;
    s2clr_index_sums *sums;
    worker *workers; // (threads)
    int threads;
    size_t *row;             // (stats->measured) patches whose pixels are read
    size_t first;            /* of the round */
    s2clr_band_slot *band;   // (ROUND)
    s2clr_index_slot *index; // (ROUND)
} job;

static s2clr_status measure(void *context, size_t item, int w)
{
    job *j = context;
    worker *mine = &j->workers[w];
    const size_t at = j->first + item, number = j->row[at];
    const s2clr_store_row *row = s2clr_store_row_at(j->store, number);
    const s2clr_store_about *about = s2clr_store_describe(j->store);
    s2clr_store_patch patch;
    if (!mine->cursor) S2CLR_TRY(s2clr_store_cursor_new(j->store, &mine->cursor));
    s2clr_store_expect(mine->cursor, j->row + at + 1, j->stats->measured - at - 1);
    S2CLR_TRY(s2clr_store_read(mine->cursor, number, &patch));
    S2CLR_TRY(s2clr_stats_bands_measure(about, j->stats, row, &patch, &mine->bins, &j->band[item]));
    return s2clr_stats_indices_measure(j->stats, row, &patch, &mine->planes, &j->index[item]);
}

static s2clr_status measure_all(job *j, s2clr_pool *pool, const s2clr_progress *progress)
{
    const size_t all = j->stats->measured;
    for (j->first = 0; j->first < all; j->first += ROUND) {
        const size_t count = all - j->first < ROUND ? all - j->first : ROUND;
        if (!s2clr_progress_report(progress, (double)j->first / (double)all, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "interrupted");
        S2CLR_TRY(s2clr_pool_run(pool, measure, j, count));
        for (size_t i = 0; i < count; i++) {
            const s2clr_store_row *row = s2clr_store_row_at(j->store, j->row[j->first + i]);
            s2clr_stats_bands_add(j->stats, &j->band[i]);
            s2clr_stats_indices_add(j->sums, j->stats, row, &j->index[i]);
        }
    }
    s2clr_progress_report(progress, 1, NULL);
    return S2CLR_OK;
}

static s2clr_status choose(job *j)
{
    const char *split = j->stats->options.split;
    S2CLR_TRY(s2clr_alloc(j->stats->patches, sizeof *j->row, "patches", (void **)&j->row));
    for (size_t i = 0; i < j->stats->patches; i++)
        if (!split || strcmp(split, s2clr_store_row_at(j->store, i)->split) == 0)
            j->row[j->stats->measured++] = i;
    if (j->stats->measured || !split) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "none of the %zu patches belongs to the part '%s'; \"s2clr dataset "
                           "split\" makes parts",
                           j->stats->patches, split);
}

static s2clr_status prepare(job *j, const s2clr_pool *pool)
{
    const s2clr_store_about *about = s2clr_store_describe(j->store);
    j->threads = s2clr_pool_threads(pool);
    j->stats->bands = (size_t)about->bands;
    for (int b = 0; b < about->bands; b++) j->stats->band[b].name = about->band[b].name;
    S2CLR_TRY(s2clr_alloc((size_t)j->threads, sizeof *j->workers, "workers", (void **)&j->workers));
    S2CLR_TRY(s2clr_alloc(ROUND, sizeof *j->band, "bands", (void **)&j->band));
    S2CLR_TRY(s2clr_alloc(ROUND, sizeof *j->index, "indices", (void **)&j->index));
    return s2clr_stats_indices_new(about, j->stats, &j->sums);
}

static s2clr_status finish(job *j)
{
    s2clr_band_bins *bins;
    S2CLR_TRY(s2clr_alloc((size_t)j->threads, sizeof *bins, "counts", (void **)&bins));
    for (int w = 0; w < j->threads; w++) bins[w] = j->workers[w].bins;
    const s2clr_status status = s2clr_stats_bands_finish(j->stats, bins, j->threads);
    s2clr_free(bins);
    S2CLR_TRY(status);
    return s2clr_stats_indices_finish(j->sums, j->stats);
}

static void clear(job *j)
{
    for (int w = 0; j->workers && w < j->threads; w++) {
        s2clr_store_cursor_free(j->workers[w].cursor);
        s2clr_band_bins_clear(&j->workers[w].bins);
        s2clr_free(j->workers[w].planes.plane);
    }
    s2clr_free(j->workers);
    s2clr_free(j->row);
    s2clr_free(j->band);
    s2clr_free(j->index);
    s2clr_stats_indices_free(j->sums);
}

s2clr_status s2clr_stats_make(const s2clr_store *store, const s2clr_stats_options *options,
                              s2clr_pool *pool, const s2clr_progress *progress, s2clr_stats **out)
{
    s2clr_stats *stats;
    S2CLR_TRY(s2clr_alloc(1, sizeof *stats, "statistics", (void **)&stats));
    job j = {.store = store, .stats = stats};
    stats->options = *options;
    stats->title = s2clr_store_describe(store)->title;
    stats->patches = s2clr_store_count(store);
    s2clr_status status = choose(&j);
    if (status == S2CLR_OK) status = s2clr_stats_labels_count(store, &stats->labels);
    if (status == S2CLR_OK) status = prepare(&j, pool);
    if (status == S2CLR_OK) status = measure_all(&j, pool, progress);
    if (status == S2CLR_OK) status = finish(&j);
    clear(&j);
    if (status == S2CLR_OK)
        *out = stats;
    else
        s2clr_stats_free(stats);
    return status;
}

void s2clr_stats_free(s2clr_stats *stats)
{
    if (!stats) return;
    s2clr_stats_labels_clear(&stats->labels);
    s2clr_free(stats->indices.group);
    s2clr_free(stats);
}
