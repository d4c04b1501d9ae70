/* The pictures of an evaluation's page. */
#include <math.h>
#include <string.h>

#include "report/html_page.h"
#include "report/pevaluation.h"
#include "report/svg_curves.h"

enum { BARS = 60 };

/* Models count up, baselines from the quiet styles on. */
static int style_of(const s2clr_evaluation *e, int row)
{
    int before = 0;
    const bool quiet = e->row[row].kind == S2CLR_ROW_BASELINE;
    for (int i = 0; i < row; i++) before += (e->row[i].kind == S2CLR_ROW_BASELINE) == quiet;
    return quiet ? S2CLR_XY_QUIET + before % (S2CLR_XY_STYLES - S2CLR_XY_QUIET)
                 : before % S2CLR_XY_QUIET;
}

static void put_roc(FILE *to, const s2clr_evaluation *e)
{
    static const s2clr_axes axes = {"false positive rate", "recall (true positive rate)", true};
    s2clr_xy line[S2CLR_EVALUATION_ROWS];
    double mark[S2CLR_EVALUATION_ROWS][2];
    char text[200];
    for (int i = 0; i < e->rows; i++) {
        const s2clr_evaluation_row *row = &e->row[i];
        mark[i][0] = 1 - row->metrics.value[S2CLR_METRIC_SPECIFICITY];
        mark[i][1] = row->metrics.value[S2CLR_METRIC_RECALL];
        line[i] = (s2clr_xy){.name = row->brief,
                             .x = row->roc.x,
                             .y = row->roc.y,
                             .count = row->roc.count,
                             .mark = mark[i],
                             .style = style_of(e, i)};
    }
    snprintf(text, sizeof text, "Area of the first: %.4f. The diagonal is guessing.",
             e->row[0].metrics.value[S2CLR_METRIC_AUC]);
    s2clr_svg_xy(to, &(s2clr_chart){"roc", "ROC curve; rings: at the threshold", text}, &axes, line,
                 (size_t)e->rows);
}

static void put_pr(FILE *to, const s2clr_evaluation *e)
{
    static const s2clr_axes axes = {"recall", "precision", false};
    s2clr_xy line[S2CLR_EVALUATION_ROWS];
    double mark[S2CLR_EVALUATION_ROWS][2];
    char text[200], title[120];
    for (int i = 0; i < e->rows; i++) {
        const s2clr_evaluation_row *row = &e->row[i];
        mark[i][0] = row->metrics.value[S2CLR_METRIC_RECALL];
        mark[i][1] = row->metrics.value[S2CLR_METRIC_PRECISION];
        line[i] = (s2clr_xy){.name = row->brief,
                             .x = row->pr.x,
                             .y = row->pr.y,
                             .count = row->pr.count,
                             .mark = mark[i],
                             .style = style_of(e, i)};
    }
    snprintf(title, sizeof title, "Precision and recall at the samples' %.2f %% positives",
             100 * (double)e->positives / (double)e->count);
    snprintf(text, sizeof text, "Average precision of the first: %.4f.",
             e->row[0].metrics.value[S2CLR_METRIC_PR_AUC]);
    s2clr_svg_xy(to, &(s2clr_chart){"pr", title, text}, &axes, line, (size_t)e->rows);
}

/* Numbers of the bins of one row, as arrays. */
typedef struct bins {
    double x[S2CLR_RELIABILITY_BINS], y[S2CLR_RELIABILITY_BINS], low[S2CLR_RELIABILITY_BINS],
        high[S2CLR_RELIABILITY_BINS];
} bins;

static s2clr_xy reliability_line(const s2clr_evaluation *e, int row,
                                 const s2clr_reliability_bin *bin, bins *of)
{
    const bool quiet = e->row[row].kind == S2CLR_ROW_BASELINE; /* many intervals hide all */
    for (int b = 0; b < S2CLR_RELIABILITY_BINS; b++) {
        of->x[b] = bin[b].n ? bin[b].mean_p : NAN;
        of->y[b] = bin[b].share.value;
        of->low[b] = bin[b].share.low;
        of->high[b] = bin[b].share.high;
    }
    return (s2clr_xy){.name = e->row[row].brief,
                      .x = of->x,
                      .y = of->y,
                      .low = quiet ? NULL : of->low,
                      .high = quiet ? NULL : of->high,
                      .count = S2CLR_RELIABILITY_BINS,
                      .points = !quiet,
                      .style = style_of(e, row)};
}

/* moved: of the probabilities moved to the samples' share, of rows where that can be done. */
static void put_reliability(FILE *to, const s2clr_evaluation *e, bool moved)
{
    static const s2clr_axes axes = {"mean probability of the bin", "share of positives in it",
                                    true};
    s2clr_xy line[S2CLR_EVALUATION_ROWS];
    bins of[S2CLR_EVALUATION_ROWS];
    char text[200], title[160];
    size_t lines = 0;
    double error = NAN;
    for (int i = 0; i < e->rows; i++) {
        const s2clr_evaluation_row *row = &e->row[i];
        const s2clr_metrics *m = moved ? &row->at[0].same : &row->metrics;
        if (moved && !row->at[0].moved) continue;
        if (lines == 0) error = m->value[S2CLR_METRIC_ECE];
        line[lines] = reliability_line(e, i, moved ? row->moved : row->bin, &of[lines]);
        lines++;
    }
    if (lines == 0) return;
    snprintf(text, sizeof text,
             "Calibration error of the first: %.4f. On the diagonal, probabilities are shares.",
             error);
    snprintf(title, sizeof title, "Reliability%s",
             moved ? ", probabilities moved to the samples' share" : ", with 95 % intervals");
    s2clr_svg_xy(to, &(s2clr_chart){moved ? "reliability-moved" : "reliability", title, text},
                 &axes, line, lines);
}

void s2clr_evaluation_charts(FILE *to, const s2clr_evaluation *e)
{
    s2clr_html_section(to, "Curves");
    if (e->one_label[0]) {
        s2clr_html_paragraph(to, e->one_label);
        return;
    }
    s2clr_svg_row_begin(to);
    put_roc(to, e);
    put_pr(to, e);
    put_reliability(to, e, false);
    put_reliability(to, e, true);
    s2clr_svg_row_end(to);
}

/* ---- groups ---- */

static s2clr_proportion shown_of(const s2clr_evaluation *e, int row, size_t group)
{
    const s2clr_group_metrics *m = &e->row[row].group[group];
    return e->by_class ? s2clr_proportion_wilson(m->tp + m->fp, m->n) : m->recall;
}

static void put_group_bars(FILE *to, const s2clr_evaluation *e)
{
    const char *name[BARS];
    double quantile[BARS][5];
    char title[300];
    size_t shown = 0;
    for (size_t g = 0; g < e->groups && shown < BARS; g++) {
        const s2clr_proportion p = shown_of(e, 0, g);
        if (isnan(p.value)) continue;
        const double q[5] = {p.low, p.low, p.value, p.high, p.high};
        name[shown] = e->group[g].name;
        memcpy(quantile[shown++], q, sizeof q);
    }
    if (shown < 2) return;
    snprintf(title, sizeof title, "%s of %.100s by %.60s, with 95 %% intervals",
             e->by_class ? "Share called positive" : "Recall", e->row[0].name, e->group_by);
    s2clr_svg_boxes(to,
                    &(s2clr_chart){"groups", title,
                                   "A box from the lower to the upper end of each group's "
                                   "interval, a mark at its share; the table has the numbers."},
                    name, (const double(*)[5])quantile, shown, 0, 1);
}

static void put_called_table(FILE *to, const s2clr_evaluation *e)
{
    const char *columns[S2CLR_EVALUATION_ROWS + 3] = {"class", "samples"};
    for (int i = 0; i < e->rows; i++) columns[i + 2] = e->row[i].brief;
    s2clr_html_table_begin(to, "Share of each class that is called positive", columns);
    for (size_t g = 0; g < e->groups; g++) {
        s2clr_html_row_begin(to, e->group[g].name);
        s2clr_html_cell(to, "%zu", e->group[g].count);
        for (int i = 0; i < e->rows; i++) {
            const s2clr_proportion called = shown_of(e, i, g);
            s2clr_evaluation_proportion(to, &called);
        }
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void put_group_table(FILE *to, const s2clr_evaluation *e, const s2clr_evaluation_row *row)
{
    static const char *const columns[] = {"group",  "samples",     "positives", "called positive",
                                          "recall", "specificity", "precision", NULL};
    s2clr_html_table_begin(to, row->name, columns);
    for (size_t g = 0; g < e->groups; g++) {
        const s2clr_group_metrics *m = &row->group[g];
        s2clr_html_row_begin(to, e->group[g].name);
        s2clr_html_cell(to, "%zu", m->n);
        s2clr_html_cell(to, "%zu", m->positives);
        s2clr_html_cell(to, "%zu", m->tp + m->fp);
        s2clr_evaluation_proportion(to, &m->recall);
        s2clr_evaluation_proportion(to, &m->specificity);
        s2clr_evaluation_proportion(to, &m->precision);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

void s2clr_evaluation_groups(FILE *to, const s2clr_evaluation *e)
{
    char title[120];
    if (e->groups == 0) return;
    snprintf(title, sizeof title, "By %.100s", e->group_by);
    s2clr_html_section(to, title);
    s2clr_html_paragraph(to, "At the classifier's threshold, with Wilson intervals. A dash: the "
                             "group has no sample that this number could be counted from.");
    put_group_bars(to, e);
    if (e->by_class) {
        put_called_table(to, e);
        return;
    }
    for (int i = 0; i < e->rows; i++) put_group_table(to, e, &e->row[i]);
}
