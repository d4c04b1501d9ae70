#include <inttypes.h>
#include <math.h>

#include "report/stats_report.h"

enum { CLASSES_SHOWN = 60, COUNTRIES_SHOWN = 40, PAIRS_SHOWN = 12 };

/* A table whose only row is "(none)" says what the first line of the report says. */
static bool says_something(const s2clr_count *count, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        if (count[i].patches && *count[i].name) return true;
    return false;
}

static void print_counts(FILE *to, const char *title, const s2clr_count *count, size_t rows,
                         size_t most)
{
    size_t shown = 0;
    if (!says_something(count, rows)) return;
    for (size_t i = 0; i < rows; i++) {
        if (!count[i].patches) continue;
        if (shown++ == 0)
            fprintf(to, "\n%9s %9s %9s %9s  %s\n", "patches", "positive", "negative", "unknown",
                    title);
        if (shown > most) continue;
        fprintf(to, "%9zu %9zu %9zu %9zu  %s\n", count[i].patches, count[i].positive,
                count[i].negative, count[i].unknown, *count[i].name ? count[i].name : "(none)");
    }
    if (shown > most) fprintf(to, "  ... and %zu more\n", shown - most);
}

typedef struct pair_lines {
    FILE *to;
    bool any;
} pair_lines;

static void print_pair(void *context, const char *text)
{
    pair_lines *lines = context;
    if (!lines->any) fprintf(lines->to, "\nclasses that occur together\n");
    lines->any = true;
    fprintf(lines->to, "  %s\n", text);
}

static void print_bands(FILE *to, const s2clr_stats *stats)
{
    fprintf(to, "\nband      mean        std         min   p2    p25   p50   p75   p98     max\n");
    for (size_t b = 0; b < stats->bands; b++) {
        const s2clr_band_stats *band = &stats->band[b];
        const s2clr_stats_moments *m = &band->moments;
        if (!m->count) continue;
        fprintf(to, "  %-5s %10.4f %10.4f %8g", band->name, m->mean, s2clr_stats_moments_sd(m),
                m->minimum);
        if (band->exact)
            fprintf(to, " %5g %5g %5g %5g %5g", band->percentile[1], band->percentile[3],
                    band->percentile[4], band->percentile[5], band->percentile[7]);
        else
            fprintf(to, " %5s %5s %5s %5s %5s", "-", "-", "-", "-", "-");
        fprintf(to, " %8g\n", m->maximum);
        if (band->left_out)
            fprintf(to, "        %" PRIu64 " pixels left out: no data\n", band->left_out);
    }
}

static void print_groups(FILE *to, const s2clr_index_stats *stats)
{
    putc('\n', to);
    for (int i = 0; i < S2CLR_STATS_INDICES; i++)
        if (stats->there[i]) fprintf(to, " %14s", s2clr_stats_index[i].name);
    fprintf(to, "  mean (std) of\n");
    for (size_t g = 0; g < stats->groups; g++) {
        for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
            const s2clr_stats_moments *m = &stats->group[g].index[i].moments;
            if (stats->there[i]) fprintf(to, " %6.3f (%.3f)", m->mean, s2clr_stats_moments_sd(m));
        }
        fprintf(to, "  %s\n", stats->group[g].name);
    }
}

static void print_correlation(FILE *to, const s2clr_index_stats *stats)
{
    fprintf(to, "\ncorrelation of %" PRIu64 " pixels\n       ", stats->pixels);
    for (int b = 0; b < S2CLR_STATS_INDICES; b++)
        if (stats->there[b]) fprintf(to, "%8s", s2clr_stats_index[b].name);
    putc('\n', to);
    for (int a = 0; a < S2CLR_STATS_INDICES; a++) {
        if (!stats->there[a]) continue;
        fprintf(to, "  %-5s", s2clr_stats_index[a].name);
        for (int b = 0; b < S2CLR_STATS_INDICES; b++)
            if (stats->there[b]) fprintf(to, "%8.3f", stats->correlation[a][b]);
        putc('\n', to);
    }
}

void s2clr_stats_print(FILE *to, const s2clr_stats *stats, const char *only)
{
    const s2clr_label_stats *labels = &stats->labels;
    static const char *const titles[S2CLR_STATS_TABLES] = {[S2CLR_STATS_SPLITS] = "split",
                                                           [S2CLR_STATS_COUNTRIES] = "country",
                                                           [S2CLR_STATS_SEASONS] = "season",
                                                           [S2CLR_STATS_LEVELS] = "level"};
    fprintf(to, "patches  %zu: %zu positive, %zu negative, %zu of unknown label\n", stats->patches,
            labels->all.positive, labels->all.negative, labels->all.unknown);
    for (int t = 0; t < S2CLR_STATS_TABLES; t++)
        print_counts(to, titles[t], labels->table[t], labels->rows[t], COUNTRIES_SHOWN);
    print_counts(to, "class", labels->class_, labels->classes, CLASSES_SHOWN);
    s2clr_stats_pairs(stats, only, PAIRS_SHOWN, print_pair, &(pair_lines){.to = to});
    if (stats->options.split)
        fprintf(to, "\npixels of the part \"%s\": %zu patches\n", stats->options.split,
                stats->measured);
    print_bands(to, stats);
    if (stats->indices.groups == 0) {
        fprintf(to, "\nno spectral indices: they need B04, B08, B11 and B12 as reflectance\n");
        return;
    }
    print_groups(to, &stats->indices);
    print_correlation(to, &stats->indices);
    if (stats->indices.left_out)
        fprintf(to, "  %zu patches left out: without those bands, or of 8-bit numbers\n",
                stats->indices.left_out);
}
