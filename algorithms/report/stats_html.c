#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/html_page.h"
#include "report/stats_report.h"
#include "report/svg_chart.h"

enum { CHART_ROWS = 45, HEAT_ROWS = 16, PAIRS_SHOWN = 20 };

typedef struct page {
    const char *store;
    const s2clr_stats *stats;
} page;

static bool any_name(const s2clr_count *count, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        if (count[i].patches && *count[i].name) return true;
    return false;
}

static const char *or_none(const char *name)
{
    return *name ? name : "(none)";
}

static void counts(FILE *to, const char *caption, const char *first, const s2clr_count *count,
                   size_t rows)
{
    const char *const columns[] = {first,     "patches",        "positive", "negative",
                                   "unknown", "positive share", NULL};
    if (!any_name(count, rows)) return;
    s2clr_html_table_begin(to, caption, columns);
    for (size_t i = 0; i < rows; i++) {
        const size_t known = count[i].positive + count[i].negative;
        if (!count[i].patches) continue;
        s2clr_html_row_begin(to, or_none(count[i].name));
        s2clr_html_cell(to, "%zu", count[i].patches);
        s2clr_html_cell(to, "%zu", count[i].positive);
        s2clr_html_cell(to, "%zu", count[i].negative);
        s2clr_html_cell(to, "%zu", count[i].unknown);
        if (known)
            s2clr_html_cell(to, "%.1f %%", 100 * (double)count[i].positive / (double)known);
        else
            s2clr_html_cell(to, "%s", "");
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void bars(FILE *to, const char *id, const char *title, const s2clr_count *count, size_t rows)
{
    const char *name[CHART_ROWS];
    double value[CHART_ROWS];
    char text[200];
    size_t shown = 0;
    if (!any_name(count, rows)) return;
    for (size_t i = 0; i < rows && shown < CHART_ROWS; i++) {
        if (!count[i].patches) continue;
        name[shown] = or_none(count[i].name);
        value[shown++] = (double)count[i].patches;
    }
    snprintf(text, sizeof text, "%zu bars; the first is %.60s with %.0f patches.", shown, name[0],
             value[0]);
    s2clr_svg_bars(to, &(s2clr_chart){id, title, text}, name, value, shown);
}

static void put_pair(void *to, const char *text)
{
    fputs("<li>", to);
    s2clr_html_text(to, text);
    fputs("</li>\n", to);
}

static void pairs(FILE *to, const s2clr_stats *stats)
{
    const s2clr_label_stats *labels = &stats->labels;
    const size_t n = labels->paired < HEAT_ROWS ? labels->paired : HEAT_ROWS;
    const char *name[HEAT_ROWS];
    double value[HEAT_ROWS * HEAT_ROWS];
    if (n < 2) return;
    s2clr_html_section(to, "Classes that occur together");
    for (size_t a = 0; a < n; a++) {
        name[a] = labels->class_[a].name;
        for (size_t b = 0; b < n; b++)
            value[a * n + b] = (double)labels->pair[a * labels->paired + b];
    }
    s2clr_svg_heat(to,
                   &(s2clr_chart){"pairs", "Patches that have both classes (the most frequent)",
                                  "Matrix of classes; the sentences below say the largest."},
                   name, value, n, "%.0f");
    fputs("<ul>\n", to);
    s2clr_stats_pairs(stats, NULL, PAIRS_SHOWN, put_pair, to);
    fputs("</ul>\n", to);
}

static void labels_part(FILE *to, const s2clr_stats *stats)
{
    const s2clr_label_stats *labels = &stats->labels;
    s2clr_html_section(to, "Labels");
    counts(to, "Parts", "part", labels->table[S2CLR_STATS_SPLITS],
           labels->rows[S2CLR_STATS_SPLITS]);
    counts(to, "Countries", "country", labels->table[S2CLR_STATS_COUNTRIES],
           labels->rows[S2CLR_STATS_COUNTRIES]);
    bars(to, "seasons", "Patches per season", labels->table[S2CLR_STATS_SEASONS],
         labels->rows[S2CLR_STATS_SEASONS]);
    counts(to, "Seasons", "months", labels->table[S2CLR_STATS_SEASONS],
           labels->rows[S2CLR_STATS_SEASONS]);
    if (labels->classes == 0) return;
    s2clr_html_section(to, "Classes");
    bars(to, "classes", "Patches per class", labels->class_, labels->classes);
    counts(to, "Classes; a patch may have several", "class", labels->class_, labels->classes);
    pairs(to, stats);
}

/* ---- pixels ---- */

static void band_chart(FILE *to, const s2clr_band_stats *band)
{
    double value[S2CLR_STATS_CHART];
    char id[32], title[120], text[200];
    for (int i = 0; i < S2CLR_STATS_CHART; i++) value[i] = (double)band->chart[i];
    snprintf(id, sizeof id, "band-%s", band->name);
    snprintf(title, sizeof title, "%s: pixels per DN (what is larger stands in the last step)",
             band->name);
    snprintf(text, sizeof text, "Half of the pixels lie between %g and %g, the median is %g.",
             band->percentile[3], band->percentile[5], band->percentile[4]);
    s2clr_svg_area(to, &(s2clr_chart){id, title, text}, value, S2CLR_STATS_CHART, band->chart_low,
                   band->chart_step, NAN);
}

static void bands_part(FILE *to, const s2clr_stats *stats)
{
    static const char *const columns[] = {"band", "mean", "std",  "min",  "1 %", "5 %", "25 %",
                                          "50 %", "75 %", "95 %", "99 %", "max", NULL};
    static const int shown[] = {0, 2, 3, 4, 5, 6, 8};
    s2clr_html_section(to, "Bands");
    s2clr_html_table_begin(to, "DN with the products' offsets added", columns);
    for (size_t b = 0; b < stats->bands; b++) {
        const s2clr_band_stats *band = &stats->band[b];
        if (!band->moments.count) continue;
        s2clr_html_row_begin(to, band->name);
        s2clr_html_cell(to, "%.2f", band->moments.mean);
        s2clr_html_cell(to, "%.2f", s2clr_stats_moments_sd(&band->moments));
        s2clr_html_cell(to, "%g", band->moments.minimum);
        for (size_t p = 0; p < sizeof shown / sizeof shown[0]; p++)
            if (band->exact)
                s2clr_html_cell(to, "%g", band->percentile[shown[p]]);
            else
                s2clr_html_cell(to, "%s", "");
        s2clr_html_cell(to, "%g", band->moments.maximum);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
    for (size_t b = 0; b < stats->bands; b++)
        if (stats->band[b].exact) band_chart(to, &stats->band[b]);
}

static void index_boxes(FILE *to, const s2clr_index_stats *stats, int i)
{
    const char *name[S2CLR_STATS_GROUPS_MAX];
    double quantile[S2CLR_STATS_GROUPS_MAX][5];
    char id[32], title[120];
    const s2clr_index_about *about = &s2clr_stats_index[i];
    for (size_t g = 0; g < stats->groups; g++) {
        name[g] = stats->group[g].name;
        memcpy(quantile[g], stats->group[g].index[i].quantile, sizeof quantile[g]);
    }
    snprintf(id, sizeof id, "index-%s", about->name);
    snprintf(title, sizeof title, "%s: 5, 25, 50, 75 and 95 %% of the pixels", about->name);
    s2clr_svg_boxes(
        to, &(s2clr_chart){id, title, "One box per label and class; the table gives means."}, name,
        (const double(*)[5])quantile, stats->groups, about->low, about->high);
}

static void index_table(FILE *to, const s2clr_index_stats *stats)
{
    const char *columns[S2CLR_STATS_INDICES + 3] = {"label or class", "patches"};
    size_t count = 2;
    for (int i = 0; i < S2CLR_STATS_INDICES; i++)
        if (stats->there[i]) columns[count++] = s2clr_stats_index[i].name;
    columns[count] = NULL;
    s2clr_html_table_begin(to, "Mean (standard deviation)", columns);
    for (size_t g = 0; g < stats->groups; g++) {
        s2clr_html_row_begin(to, stats->group[g].name);
        s2clr_html_cell(to, "%zu", stats->group[g].patches);
        for (int i = 0; i < S2CLR_STATS_INDICES; i++)
            if (stats->there[i])
                s2clr_html_cell(to, "%.3f (%.3f)", stats->group[g].index[i].moments.mean,
                                s2clr_stats_moments_sd(&stats->group[g].index[i].moments));
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void indices_part(FILE *to, const s2clr_index_stats *stats)
{
    const char *name[S2CLR_STATS_INDICES];
    double value[S2CLR_STATS_INDICES * S2CLR_STATS_INDICES];
    size_t count = 0, cells = 0;
    char text[160];
    s2clr_html_section(to, "Spectral indices");
    if (stats->groups == 0) {
        s2clr_html_paragraph(to, "They need B04, B08, B11 and B12 as reflectance.");
        return;
    }
    index_table(to, stats);
    for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
        if (!stats->there[i]) continue;
        index_boxes(to, stats, i);
        name[count++] = s2clr_stats_index[i].name;
        for (int k = 0; k < S2CLR_STATS_INDICES; k++)
            if (stats->there[k]) value[cells++] = stats->correlation[i][k];
    }
    snprintf(text, sizeof text, "Matrix of %zu indices over %" PRIu64 " pixels.", count,
             stats->pixels);
    s2clr_svg_heat(to, &(s2clr_chart){"correlation", "Correlation of the indices", text}, name,
                   value, count, "%.2f");
}

static s2clr_status body(FILE *to, void *context)
{
    const page *p = context;
    const s2clr_stats *stats = p->stats;
    const s2clr_count *all = &stats->labels.all;
    char text[400];
    if (*stats->title) s2clr_html_paragraph(to, stats->title);
    snprintf(text, sizeof text,
             "%zu patches: %zu positive, %zu negative, %zu of unknown label. Pixels of %s%s: %zu "
             "patches.",
             stats->patches, all->positive, all->negative, all->unknown,
             stats->options.split ? "the part " : "all",
             stats->options.split ? stats->options.split : "", stats->measured);
    s2clr_html_paragraph(to, text);
    labels_part(to, stats);
    bands_part(to, stats);
    indices_part(to, &stats->indices);
    return S2CLR_OK;
}

s2clr_status s2clr_stats_html(const char *path, const char *store, const s2clr_stats *stats)
{
    page p = {store, stats};
    char title[600];
    snprintf(title, sizeof title, "Statistics of %.500s", store);
    return s2clr_html_write(path, title, body, &p);
}
