/* An evaluation for people at a terminal. */
#include <math.h>

#include "report/pevaluation.h"
#include "report/text_cell.h"

enum { COLUMNS = 3, WIDTH = 26, GROUP_WIDTH = 24, CLASS_WIDTH = 14, GROUPS_SHOWN = 60 };

/* "0.9912 [0.9880, 0.9940]", "-" when there is no such number. */
static void put_value(FILE *to, double value, double low, double high)
{
    char text[64];
    if (isnan(value))
        snprintf(text, sizeof text, "-");
    else if (isnan(low) || isnan(high))
        snprintf(text, sizeof text, "%.4f", value);
    else
        snprintf(text, sizeof text, "%.4f [%.4f, %.4f]", value, low, high);
    fprintf(to, "  %-*s", WIDTH, text);
}

static void put_proportion(FILE *to, const s2clr_proportion *p)
{
    put_value(to, p->value, p->low, p->high);
}

/* ---- what is compared ---- */

static void put_row(FILE *to, const s2clr_evaluation_row *row)
{
    static const char *const kinds[] = {"model", "baseline", "map"};
    fprintf(to, "%-12s%s", kinds[row->kind], row->name);
    if (row->path[0]) fprintf(to, " (%s)", row->path);
    if (row->level[0]) fprintf(to, ", level %s", row->level);
    fputc('\n', to);
    if (row->how[0]) fprintf(to, "            %s\n", row->how);
}

static void put_left_out(FILE *to, const s2clr_evaluation *e)
{
    for (int i = 0; i < e->left_outs; i++) {
        const s2clr_evaluation_left_out *left = &e->left_out[i];
        const size_t named = s2clr_evaluation_named(left);
        fprintf(to, "%-12s%zu %s", i ? "" : "left out", left->count, left->why);
        for (size_t k = 0; k < named; k++) fprintf(to, "%s %s", k ? "," : ":", left->example[k]);
        fputs(named && left->count > named ? " ...\n" : "\n", to);
    }
}

static void put_samples(FILE *to, const s2clr_evaluation *e)
{
    fprintf(to, "samples     %zu", e->count);
    if (e->part && e->part[0]) fprintf(to, " of part %s", e->part);
    if (e->classes)
        fprintf(to, ", %d classes", e->classes);
    else
        fprintf(to, ", %zu of them %s (%.2f %%)", e->positives, e->positive,
                100 * (double)e->positives / (double)e->count);
    fputc('\n', to);
}

static void put_head(FILE *to, const s2clr_evaluation *e)
{
    for (int i = 0; i < e->rows; i++) put_row(to, &e->row[i]);
    put_samples(to, e);
    put_left_out(to, e);
    if (e->perturb.shift || e->perturb.blur || e->perturb.gain != 1)
        fprintf(to, "disturbance shift %d px, %s, gain %g\n", e->perturb.shift,
                e->perturb.blur ? "blurred" : "not blurred", e->perturb.gain);
    if (e->resamples)
        fprintf(to, "intervals   95 %%, %d bootstrap resamples of the samples\n", e->resamples);
    if (e->no_baseline[0]) fprintf(to, "no baseline %s\n", e->no_baseline);
    if (e->one_label[0]) fprintf(to, "missing     %s\n", e->one_label);
}

/* ---- tables: a column for each of COLUMNS rows, then the next ones ---- */

static void put_briefs(FILE *to, const s2clr_evaluation *e, int first, int end)
{
    for (int i = first; i < end; i++) {
        fputs("  ", to);
        s2clr_text_cell(to, e->row[i].brief, WIDTH);
    }
    fputc('\n', to);
}

static void put_columns(FILE *to, const s2clr_evaluation *e, int first, int end, const char *head)
{
    fprintf(to, "\n%-14s", head);
    put_briefs(to, e, first, end);
}

static void put_counts(FILE *to, const s2clr_evaluation *e, int first, int end)
{
    fprintf(to, "%-14s", "threshold");
    for (int i = first; i < end; i++) fprintf(to, "  %-*.4f", WIDTH, e->row[i].metrics.threshold);
    fprintf(to, "\n%-14s", "tp fp fn tn");
    for (int i = first; i < end; i++) {
        const s2clr_metrics *x = &e->row[i].metrics;
        char text[90];
        snprintf(text, sizeof text, "%zu %zu %zu %zu", x->tp, x->fp, x->fn, x->tn);
        fprintf(to, "  %-*s", WIDTH, text);
    }
    fputc('\n', to);
}

static void put_metrics(FILE *to, const s2clr_evaluation *e, int first, int end)
{
    put_columns(to, e, first, end, "as sampled");
    for (int m = 0; m < S2CLR_METRICS; m++) {
        fprintf(to, "%-14s", s2clr_metric_name((s2clr_metric)m));
        for (int i = first; i < end; i++) {
            const s2clr_metrics *x = &e->row[i].metrics;
            put_value(to, x->value[m], x->low[m], x->high[m]);
        }
        fputc('\n', to);
    }
    put_counts(to, e, first, end);
}

/* ---- other shares ---- */

static void put_share_line(FILE *to, const s2clr_evaluation *e, int first, int end, int share,
                           const char *what, s2clr_metric metric, bool cut)
{
    fprintf(to, "%-14s", what);
    for (int i = first; i < end; i++) {
        const s2clr_evaluation_at *at = &e->row[i].at[share];
        const s2clr_metrics *x = cut ? &at->cut : &at->same;
        if (cut && !at->moved)
            put_value(to, NAN, NAN, NAN);
        else
            put_value(to, x->value[metric], x->low[metric], x->high[metric]);
    }
    fputc('\n', to);
}

static void put_share(FILE *to, const s2clr_evaluation *e, int first, int end, int share)
{
    char head[32];
    snprintf(head, sizeof head, "at %.4g %%", 100 * e->row[0].at[share].share);
    put_columns(to, e, first, end, head);
    put_share_line(to, e, first, end, share, "precision", S2CLR_METRIC_PRECISION, false);
    put_share_line(to, e, first, end, share, "f1", S2CLR_METRIC_F1, false);
    put_share_line(to, e, first, end, share, "pr_auc", S2CLR_METRIC_PR_AUC, false);
    put_share_line(to, e, first, end, share, "ece", S2CLR_METRIC_ECE, false);
    bool moved = false;
    for (int i = first; i < end; i++) moved |= e->row[i].at[share].moved;
    if (!moved) return;
    put_share_line(to, e, first, end, share, "cut precision", S2CLR_METRIC_PRECISION, true);
    put_share_line(to, e, first, end, share, "cut recall", S2CLR_METRIC_RECALL, true);
}

static void put_shares(FILE *to, const s2clr_evaluation *e, int first, int end)
{
    if (e->one_label[0]) return;
    for (int s = 1; s <= e->shares; s++) put_share(to, e, first, end, s);
}

/* ---- groups ---- */

static void put_group_column(FILE *to, const s2clr_evaluation *e, int first, int end)
{
    char head[64];
    snprintf(head, sizeof head, "recall by %.20s", e->group_by);
    fputc('\n', to);
    s2clr_text_cell(to, head, GROUP_WIDTH);
    fprintf(to, " %7s %7s", "samples", e->positives ? "pos." : "");
    put_briefs(to, e, first, end);
    for (size_t g = 0; g < e->groups && g < GROUPS_SHOWN; g++) {
        const s2clr_group_metrics *m = &e->row[first].group[g];
        s2clr_text_cell(to, e->group[g].name, GROUP_WIDTH);
        fprintf(to, " %7zu %7zu", m->n, m->positives);
        for (int i = first; i < end; i++) put_proportion(to, &e->row[i].group[g].recall);
        fputc('\n', to);
    }
    if (e->groups > GROUPS_SHOWN)
        fprintf(to, "... and %zu more: see --json or --output\n", e->groups - GROUPS_SHOWN);
}

/* Classes of images have one label each: what counts is how many the model calls positive. */
static void put_called(FILE *to, const s2clr_evaluation *e)
{
    fputc('\n', to);
    for (size_t g = 0; g < e->groups && g < GROUPS_SHOWN; g++) {
        const s2clr_group_metrics *m = &e->row[0].group[g];
        fprintf(to, "%-12s", g ? "" : "classes");
        s2clr_text_cell(to, e->group[g].name, GROUP_WIDTH);
        fprintf(to, " %6zu of %6zu called %s%s%s\n", m->tp + m->fp, m->n, e->positive,
                e->rows > 1 ? " by " : "", e->rows > 1 ? e->row[0].name : "");
    }
}

/* ---- classes ---- */

static void put_class_line(FILE *to, const s2clr_evaluation *e, int first, int end, int which)
{
    static const char *const names[S2CLR_CLASS_METRICS] = {"accuracy", "auc", "macro f1"};
    fprintf(to, "%-14s", names[which]);
    for (int i = first; i < end; i++) {
        const s2clr_class_metrics *m = e->row[i].classes;
        const double value[S2CLR_CLASS_METRICS] = {m->accuracy, m->auc, m->macro_f1};
        put_value(to, value[which], m->low[which], m->high[which]);
    }
    fputc('\n', to);
}

static void put_classes(FILE *to, const s2clr_evaluation *e, int first, int end)
{
    put_columns(to, e, first, end, "");
    for (int m = 0; m < S2CLR_CLASS_METRICS; m++) put_class_line(to, e, first, end, m);
    fprintf(to, "\nrecall\n");
    for (int c = 0; c < e->classes; c++) {
        s2clr_text_cell(to, e->class_name[c], CLASS_WIDTH);
        for (int i = first; i < end; i++) {
            const s2clr_class_metrics *m = e->row[i].classes;
            const s2clr_proportion recall = s2clr_proportion_wilson(m->hits[c], m->count[c]);
            put_proportion(to, &recall);
        }
        fputc('\n', to);
    }
}

void s2clr_evaluation_print(FILE *to, const s2clr_evaluation *e)
{
    put_head(to, e);
    for (int first = 0; first < e->rows; first += COLUMNS) {
        const int end = first + COLUMNS < e->rows ? first + COLUMNS : e->rows;
        (e->classes ? put_classes : put_metrics)(to, e, first, end);
        if (!e->classes) put_shares(to, e, first, end);
    }
    if (e->groups && e->by_class) put_called(to, e);
    for (int first = 0; e->groups && !e->by_class && first < e->rows; first += COLUMNS)
        put_group_column(to, e, first, first + COLUMNS < e->rows ? first + COLUMNS : e->rows);
    if (!e->classes && !e->one_label[0])
        fputs("\nat N %: the same samples, weighted as if positives made up that share. Precision "
              "to ece: every\ndecision stays. cut: probabilities are moved to that share (predict "
              "--prevalence) and cut at the same\nthreshold, so that fewer are called positive "
              "where positives are rarer.\n",
              to);
    for (int i = 0; i < e->rows; i++)
        if (e->row[i].card && e->row[i].card->text[S2CLR_CARD_WARNING][0])
            fprintf(to, "mind        %s: %s\n", e->row[i].name,
                    e->row[i].card->text[S2CLR_CARD_WARNING]);
}
