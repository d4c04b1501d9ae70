/* The page of an evaluation of K classes. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_page.h"
#include "report/pevaluation.h"
#include "report/svg_chart.h"

static void put_metrics(FILE *to, const s2clr_evaluation *e)
{
    static const char *const columns[] = {"classifier", "accuracy", "macro F1", "macro AUC", NULL};
    s2clr_html_table_begin(to, "Accuracy, and means over the classes", columns);
    for (int i = 0; i < e->rows; i++) {
        const s2clr_class_metrics *m = e->row[i].classes;
        s2clr_html_row_begin(to, e->row[i].name);
        s2clr_evaluation_cell(to, m->accuracy, m->low[S2CLR_CLASS_ACCURACY],
                              m->high[S2CLR_CLASS_ACCURACY], false);
        s2clr_evaluation_cell(to, m->macro_f1, m->low[S2CLR_CLASS_MACRO_F1],
                              m->high[S2CLR_CLASS_MACRO_F1], false);
        s2clr_evaluation_cell(to, m->auc, m->low[S2CLR_CLASS_AUC], m->high[S2CLR_CLASS_AUC], false);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void put_class_table(FILE *to, const s2clr_evaluation *e, const s2clr_evaluation_row *row)
{
    static const char *const columns[] = {"class",     "samples", "called", "recall",
                                          "precision", "AUC",     NULL};
    const s2clr_class_metrics *m = row->classes;
    s2clr_html_table_begin(to, row->name, columns);
    for (int c = 0; c < e->classes; c++) {
        const s2clr_proportion recall = s2clr_proportion_wilson(m->hits[c], m->count[c]);
        const s2clr_proportion precision = s2clr_proportion_wilson(m->hits[c], m->called[c]);
        s2clr_html_row_begin(to, e->class_name[c]);
        s2clr_html_cell(to, "%zu", m->count[c]);
        s2clr_html_cell(to, "%zu", m->called[c]);
        s2clr_evaluation_proportion(to, &recall);
        s2clr_evaluation_proportion(to, &precision);
        s2clr_evaluation_cell(to, m->class_auc[c], NAN, NAN, false);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void put_confusion(FILE *to, const s2clr_evaluation *e, int number)
{
    const s2clr_evaluation_row *row = &e->row[number];
    const size_t cells = (size_t)e->classes * (size_t)e->classes;
    char id[32], title[280];
    double *value;
    /* A picture that there is no memory for is left out: the table says the same. */
    if (s2clr_alloc(cells, sizeof *value, "confusion", (void **)&value) != S2CLR_OK) return;
    for (size_t i = 0; i < cells; i++) value[i] = (double)row->confusion[i];
    snprintf(id, sizeof id, "confusion-%d", number);
    snprintf(title, sizeof title, "%s: rows are the labels, columns what it says", row->name);
    s2clr_svg_heat(to, &(s2clr_chart){id, title, "Matrix of counts; right ones on the diagonal."},
                   e->class_name, value, (size_t)e->classes, "%.0f");
    s2clr_free(value);
}

void s2clr_evaluation_classes(FILE *to, const s2clr_evaluation *e)
{
    s2clr_html_section(to, "Metrics");
    put_metrics(to, e);
    s2clr_html_section(to, "Each class");
    for (int i = 0; i < e->rows; i++) put_class_table(to, e, &e->row[i]);
    s2clr_html_section(to, "Confusion");
    for (int i = 0; i < e->rows; i++) put_confusion(to, e, i);
}
