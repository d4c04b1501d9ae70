#include <math.h>
#include <string.h>

#include "report/json_words.h"
#include "report/stats_report.h"

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *moments_json(const s2clr_stats_moments *m)
{
    const bool any = m->count > 0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pixels", whole(m->count), "mean",
                     number(any ? m->mean : NAN), "std", number(s2clr_stats_moments_sd(m)),
                     "minimum", number(any ? m->minimum : NAN), "maximum",
                     number(any ? m->maximum : NAN));
}

static json_t *band_json(const s2clr_band_stats *band)
{
    json_t *out = moments_json(&band->moments);
    json_object_set_new(out, "name", s2clr_json_words(band->name));
    json_object_set_new(out, "left_out", whole(band->left_out));
    if (!band->exact) return out;
    json_t *percentiles = json_object();
    for (int p = 0; p < S2CLR_STATS_PERCENTILES; p++) {
        char key[16];
        snprintf(key, sizeof key, "%g", s2clr_stats_percentile[p]);
        json_object_set_new(percentiles, key, number(band->percentile[p]));
    }
    json_object_set_new(out, "percentiles", percentiles);
    return out;
}

static json_t *count_json(const s2clr_count *count)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", s2clr_json_words(count->name), "patches",
                     whole(count->patches), "positive", whole(count->positive), "negative",
                     whole(count->negative), "unknown", whole(count->unknown));
}

static json_t *counts_json(const s2clr_count *count, size_t rows)
{
    json_t *out = json_array();
    for (size_t i = 0; i < rows; i++)
        if (count[i].patches) json_array_append_new(out, count_json(&count[i]));
    return out;
}

static json_t *pairs_json(const s2clr_label_stats *labels)
{
    json_t *out = json_array();
    const size_t n = labels->paired;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (labels->pair[a * n + b])
                json_array_append_new(out, json_pack("[s, s, o]", labels->class_[a].name,
                                                     labels->class_[b].name,
                                                     whole(labels->pair[a * n + b])));
    return out;
}

static json_t *group_json(const s2clr_index_stats *stats, const s2clr_index_group *group)
{
    json_t *out = json_pack("{s:o, s:o}", "name", s2clr_json_words(group->name), "patches",
                            whole(group->patches));
    for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
        if (!stats->there[i]) continue;
        json_t *one = moments_json(&group->index[i].moments);
        json_t *quantiles = json_array();
        for (int q = 0; q < 5; q++)
            json_array_append_new(quantiles, number(group->index[i].quantile[q]));
        json_object_set_new(one, "quantiles", quantiles);
        json_object_set_new(out, s2clr_stats_index[i].name, one);
    }
    return out;
}

static json_t *indices_json(const s2clr_index_stats *stats)
{
    json_t *names = json_array(), *groups = json_array(), *matrix = json_array();
    for (int a = 0; a < S2CLR_STATS_INDICES; a++) {
        json_t *row = json_array();
        if (!stats->there[a]) {
            json_decref(row);
            continue;
        }
        json_array_append_new(names, json_string(s2clr_stats_index[a].name));
        for (int b = 0; b < S2CLR_STATS_INDICES; b++)
            if (stats->there[b]) json_array_append_new(row, number(stats->correlation[a][b]));
        json_array_append_new(matrix, row);
    }
    for (size_t g = 0; g < stats->groups; g++)
        json_array_append_new(groups, group_json(stats, &stats->group[g]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "names", names, "patches_left_out",
                     whole(stats->left_out), "pixels", whole(stats->pixels), "correlation", matrix,
                     "groups", groups);
}

json_t *s2clr_stats_json(const s2clr_stats *stats)
{
    const s2clr_label_stats *labels = &stats->labels;
    static const char *const names[S2CLR_STATS_TABLES] = {[S2CLR_STATS_SPLITS] = "splits",
                                                          [S2CLR_STATS_COUNTRIES] = "countries",
                                                          [S2CLR_STATS_SEASONS] = "seasons",
                                                          [S2CLR_STATS_LEVELS] = "levels"};
    json_t *bands = json_array();
    for (size_t b = 0; b < stats->bands; b++)
        json_array_append_new(bands, band_json(&stats->band[b]));
    json_t *out = json_pack("{s:o, s:o, s:o, s:o}", "title", s2clr_json_words(stats->title),
                            "labels", count_json(&labels->all), "patches_measured",
                            whole(stats->measured), "bands", bands);
    for (int t = 0; t < S2CLR_STATS_TABLES; t++)
        json_object_set_new(out, names[t], counts_json(labels->table[t], labels->rows[t]));
    json_object_set_new(out, "classes", counts_json(labels->class_, labels->classes));
    json_object_set_new(out, "pairs", pairs_json(labels));
    json_object_set_new(out, "indices", indices_json(&stats->indices));
    return out;
}
