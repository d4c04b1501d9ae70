/* A marked contact sheet told as text, JSON and a page. */
#include <math.h>

#include "report/evaluation_marked.h"
#include "report/html_page.h"
#include "report/json_words.h"
#include "report/pevaluation.h"

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *proportion(const s2clr_proportion *p)
{
    return json_pack("{s:o, s:o, s:o}", "value", number(p->value), "low", number(p->low), "high",
                     number(p->high));
}

json_t *s2clr_marked_json(const s2clr_marked *m)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "marked",
                     s2clr_json_words(m->path), "id", s2clr_json_words(m->model), "positive",
                     s2clr_json_words(m->positive), "rows", (json_int_t)m->rows, "right",
                     (json_int_t)m->right, "wrong", (json_int_t)m->wrong, "unsure",
                     (json_int_t)m->unsure, "unmarked", (json_int_t)m->unmarked, "precision",
                     proportion(&m->precision), "precision_unsure_wrong", proportion(&m->strict),
                     "precision_unsure_right", proportion(&m->kind), "mean_probability",
                     number(m->expected), "lowest_probability", number(m->lowest));
}

/* ---- text ---- */

static void put_line(FILE *to, const char *name, const s2clr_proportion *p)
{
    if (isnan(p->value))
        fprintf(to, "%-22s-  (no patch is marked right or wrong)\n", name);
    else
        fprintf(to, "%-22s%.4f [%.4f, %.4f]\n", name, p->value, p->low, p->high);
}

void s2clr_marked_print(FILE *to, const s2clr_marked *m)
{
    fprintf(to, "marked patches  %s\n", m->path);
    if (m->model[0]) fprintf(to, "model           %s\n", m->model);
    if (m->positive[0]) fprintf(to, "positive        %s\n", m->positive);
    fprintf(to, "patches         %zu: %zu right, %zu wrong, %zu unsure, %zu not marked\n\n",
            m->rows, m->right, m->wrong, m->unsure, m->unmarked);
    put_line(to, "precision", &m->precision);
    if (m->unsure) {
        put_line(to, "if unsure is wrong", &m->strict);
        put_line(to, "if unsure is right", &m->kind);
    }
    if (!isnan(m->expected)) fprintf(to, "%-22s%.4f\n", "mean probability", m->expected);
    if (!isnan(m->lowest)) fprintf(to, "%-22s%.4f\n", "lowest probability", m->lowest);
    fputs("\nWilson intervals, 95 %. It is the precision of these patches, the ones on the sheet; "
          "patches below\nthe lowest probability are not spoken of.\n",
          to);
    if (m->unmarked)
        fprintf(to,
                "%zu of %zu have no mark and are not in it: if they are the hard ones, it is too "
                "high.\n",
                m->unmarked, m->rows);
}

/* ---- page ---- */

static void put_row(FILE *to, const char *name, const s2clr_proportion *p)
{
    s2clr_html_row_begin(to, name);
    s2clr_evaluation_proportion(to, p);
    s2clr_html_row_end(to);
}

static void put_number(FILE *to, const char *name, double value)
{
    s2clr_html_row_begin(to, name);
    s2clr_evaluation_cell(to, value, NAN, NAN, false);
    s2clr_html_row_end(to);
}

typedef struct page {
    const s2clr_marked *m;
} page;

static s2clr_status body(FILE *to, void *context)
{
    static const char *const columns[] = {"", "value [95 %]", NULL};
    const s2clr_marked *m = ((const page *)context)->m;
    char text[900];
    snprintf(text, sizeof text,
             "%zu patches of %s%s%s: %zu right, %zu wrong, %zu unsure, %zu not marked.", m->rows,
             m->path, m->model[0] ? ", chosen by " : "", m->model, m->right, m->wrong, m->unsure,
             m->unmarked);
    s2clr_html_paragraph(to, text);
    s2clr_html_table_begin(to, "Precision of the marked patches, with Wilson intervals", columns);
    put_row(to, "precision", &m->precision);
    put_row(to, "if unsure is wrong", &m->strict);
    put_row(to, "if unsure is right", &m->kind);
    put_number(to, "mean probability of those decided", m->expected);
    put_number(to, "lowest probability on the sheet", m->lowest);
    s2clr_html_table_end(to);
    s2clr_html_paragraph(to, "It is the precision of the patches on the sheet; patches below the "
                             "lowest probability are not spoken of. Patches without a mark are not "
                             "in it: if they are the hard ones, it is too high.");
    return S2CLR_OK;
}

s2clr_status s2clr_marked_html(const s2clr_marked *m, const char *path)
{
    page p = {m};
    char title[300];
    snprintf(title, sizeof title, "Precision of marked patches%s%.100s", m->positive[0] ? ": " : "",
             m->positive);
    return s2clr_html_write(path, title, body, &p);
}
