/* An evaluation as one self-contained page. */
#include <math.h>
#include <string.h>

#include "report/html_card.h"
#include "report/html_page.h"
#include "report/pevaluation.h"

#define DASH "\xE2\x80\x93"

enum { COLUMNS = 4 }; /* of intervals that fit beside their values */

void s2clr_evaluation_cell(FILE *to, double value, double low, double high, bool tall)
{
    if (isnan(value)) {
        s2clr_html_cell(to, DASH);
        return;
    }
    fprintf(to, "<td style=\"white-space:nowrap\">%.4f", value);
    if (!isnan(low) && !isnan(high))
        fprintf(to, "%s<small style=\"color:var(--soft)\">[%.3f, %.3f]</small>",
                tall ? "<br>" : " ", low, high);
    fputs("</td>", to);
}

void s2clr_evaluation_proportion(FILE *to, const s2clr_proportion *p)
{
    s2clr_evaluation_cell(to, p->value, p->low, p->high, true);
}

/* ---- head ---- */

static void put_lead(FILE *to, const s2clr_evaluation *e)
{
    char text[500];
    if (e->classes)
        snprintf(text, sizeof text, "%zu samples%s%s of %d classes.", e->count,
                 e->part[0] ? " of part " : "", e->part, e->classes);
    else
        snprintf(text, sizeof text, "%zu samples%s%s, %zu of them %.100s (%.2f %%).", e->count,
                 e->part[0] ? " of part " : "", e->part, e->positives, e->positive,
                 100 * (double)e->positives / (double)e->count);
    s2clr_html_paragraph(to, text);
    if (e->perturb.shift || e->perturb.blur || e->perturb.gain != 1) {
        snprintf(text, sizeof text, "Disturbed: shifted by %d px, %s, gain %g.", e->perturb.shift,
                 e->perturb.blur ? "blurred" : "not blurred", e->perturb.gain);
        s2clr_html_paragraph(to, text);
    }
}

static void put_left_out(FILE *to, const s2clr_evaluation *e)
{
    char text[700];
    for (int i = 0; i < e->left_outs; i++) {
        const s2clr_evaluation_left_out *left = &e->left_out[i];
        const size_t named = s2clr_evaluation_named(left);
        size_t used =
            (size_t)snprintf(text, sizeof text, "Left out: %zu %s", left->count, left->why);
        for (size_t k = 0; k < named; k++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", k ? ", " : " (",
                                     left->example[k]);
        snprintf(text + used, sizeof text - used, "%s%s.",
                 named && left->count > named ? ", ..." : "", named ? ")" : "");
        s2clr_html_paragraph(to, text);
    }
}

/* ---- tables ---- */

static void begin_by_row(FILE *to, const s2clr_evaluation *e, const char *caption,
                         const char *first)
{
    const char *columns[S2CLR_EVALUATION_ROWS + 2] = {first};
    for (int i = 0; i < e->rows; i++) columns[i + 1] = e->row[i].brief;
    s2clr_html_table_begin(to, caption, columns);
}

static void put_counts(FILE *to, const s2clr_evaluation *e)
{
    s2clr_html_row_begin(to, "threshold");
    for (int i = 0; i < e->rows; i++) s2clr_html_cell(to, "%.4f", e->row[i].metrics.threshold);
    s2clr_html_row_end(to);
    s2clr_html_row_begin(to, "tp, fp, fn, tn");
    for (int i = 0; i < e->rows; i++) {
        const s2clr_metrics *m = &e->row[i].metrics;
        s2clr_html_cell(to, "%zu, %zu, %zu, %zu", m->tp, m->fp, m->fn, m->tn);
    }
    s2clr_html_row_end(to);
}

static void put_metrics(FILE *to, const s2clr_evaluation *e)
{
    static const char *const names[S2CLR_METRICS] = {"accuracy",    "precision",
                                                     "recall",      "specificity",
                                                     "F1",          "F0.5",
                                                     "AUC (ROC)",   "AUC (precision-recall)",
                                                     "Brier score", "calibration error (ECE)"};
    char caption[160];
    if (e->resamples)
        snprintf(caption, sizeof caption,
                 "As sampled, with 95 %% intervals from %d bootstrap resamples", e->resamples);
    else
        snprintf(caption, sizeof caption, "As sampled");
    begin_by_row(to, e, caption, "");
    for (int m = 0; m < S2CLR_METRICS; m++) {
        s2clr_html_row_begin(to, names[m]);
        for (int i = 0; i < e->rows; i++) {
            const s2clr_metrics *x = &e->row[i].metrics;
            s2clr_evaluation_cell(to, x->value[m], x->low[m], x->high[m], e->rows > COLUMNS);
        }
        s2clr_html_row_end(to);
    }
    put_counts(to, e);
    s2clr_html_table_end(to);
}

static void put_at(FILE *to, const s2clr_evaluation_row *row, const s2clr_evaluation_at *at)
{
    static const s2clr_metric shown[] = {S2CLR_METRIC_PRECISION, S2CLR_METRIC_F1,
                                         S2CLR_METRIC_PR_AUC, S2CLR_METRIC_ECE};
    s2clr_html_row_begin(to, row->brief);
    for (size_t m = 0; m < sizeof shown / sizeof shown[0]; m++)
        s2clr_evaluation_cell(to, at->same.value[shown[m]], at->same.low[shown[m]],
                              at->same.high[shown[m]], true);
    for (int m = 0; m < 2; m++) {
        const s2clr_metric which = m ? S2CLR_METRIC_RECALL : S2CLR_METRIC_PRECISION;
        s2clr_evaluation_cell(to, at->moved ? at->cut.value[which] : (double)NAN,
                              at->cut.low[which], at->cut.high[which], true);
    }
    s2clr_html_row_end(to);
}

static void put_shares(FILE *to, const s2clr_evaluation *e)
{
    static const char *const columns[] = {
        "",    "precision",      "F1",          "AUC (precision-recall)",
        "ECE", "cut: precision", "cut: recall", NULL};
    char caption[120];
    s2clr_html_section(to, "At other shares of positives");
    if (e->one_label[0]) {
        s2clr_html_paragraph(to, e->one_label);
        return;
    }
    s2clr_html_paragraph(
        to, "Test sets hold more positives than the land does, and precision falls with their "
            "share. The same samples are weighted as if positives made up the share. Probabilities "
            "are moved from the share that the classifier was trained with to that one (Saerens, "
            "Latinne and Decaestecker 2002), where it is known. The first four columns keep every "
            "decision as it is; \"cut\" keeps the threshold instead, so that fewer samples are "
            "called positive where positives are rarer, as with predict --prevalence.");
    for (int s = 0; s <= e->shares; s++) {
        snprintf(caption, sizeof caption, "%.4g %% positives%s", 100 * e->row[0].at[s].share,
                 s ? "" : ", as sampled");
        s2clr_html_table_begin(to, caption, columns);
        for (int i = 0; i < e->rows; i++) put_at(to, &e->row[i], &e->row[i].at[s]);
        s2clr_html_table_end(to);
    }
}

/* ---- who was judged ---- */

static void put_row(FILE *to, const s2clr_evaluation_row *row)
{
    fputs("<h3>", to);
    s2clr_html_text(to, row->name);
    fputs("</h3>\n", to);
    if (row->card) s2clr_html_mind(to, row->card->text[S2CLR_CARD_WARNING]);
    s2clr_html_facts_begin(to, row->card ? "The model's card" : "How it was made");
    s2clr_html_fact(to, "file", "%s", row->path);
    s2clr_html_fact(to, "SHA-256", "%s", row->sha256);
    s2clr_html_fact(to, "level", "%s", row->level);
    s2clr_html_fact(to, "how", "%s", row->how);
    if (row->card) s2clr_html_card(to, row->card);
    s2clr_html_table_end(to);
}

static void put_judged(FILE *to, const s2clr_evaluation *e)
{
    s2clr_html_section(to, "What was judged");
    for (int i = 0; i < e->rows; i++) put_row(to, &e->row[i]);
    if (e->no_baseline[0]) {
        fputs("<p>No baseline: ", to);
        s2clr_html_text(to, e->no_baseline);
        fputs("</p>\n", to);
    }
}

typedef struct page {
    const s2clr_evaluation *e;
} page;

static s2clr_status body(FILE *to, void *context)
{
    const s2clr_evaluation *e = ((const page *)context)->e;
    put_lead(to, e);
    put_left_out(to, e);
    if (e->classes) {
        s2clr_evaluation_classes(to, e);
    } else {
        s2clr_html_section(to, "Metrics");
        put_metrics(to, e);
        put_shares(to, e);
        s2clr_evaluation_charts(to, e);
        s2clr_evaluation_groups(to, e);
    }
    put_judged(to, e);
    return S2CLR_OK;
}

s2clr_status s2clr_evaluation_html(const s2clr_evaluation *e, const char *path)
{
    page p = {e};
    char title[600], more[40] = "";
    const char *name = strrchr(e->dataset, '/');
    int judged = 0;
    for (int i = 0; i < e->rows; i++) judged += e->row[i].kind != S2CLR_ROW_BASELINE;
    if (judged > 1) snprintf(more, sizeof more, " and %d more", judged - 1);
    snprintf(title, sizeof title, "Evaluation of %.200s%s on %.300s", e->row[0].name, more,
             name && name[1] ? name + 1 : e->dataset);
    return s2clr_html_write(path, title, body, &p);
}
