#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/area_report.h"
#include "report/html_page.h"
#include "report/svg_chart.h"

enum { CHART_CLASSES = 12, MATRIX_CLASSES = 20, NAME_ROOM = 120 };

static void number(FILE *to, const s2clr_area_number *x)
{
    if (isnan(x->value))
        s2clr_html_cell(to, "unknown");
    else if (isnan(x->error))
        s2clr_html_cell(to, "%.3f (interval unknown)", x->value);
    else
        s2clr_html_cell(to, "%.3f (%.3f to %.3f)", x->value, x->low, x->high);
}

/* Mapped and estimated area of each class; the line is the interval. */
static void chart(FILE *to, const s2clr_area_report *r)
{
    const int n = r->estimate->classes;
    char text[2 * CHART_CLASSES][NAME_ROOM], about[400];
    const char *name[2 * CHART_CLASSES];
    double ha[2 * CHART_CLASSES][5], most = 0;
    if (n > CHART_CLASSES) return;
    for (int k = 0; k < n; k++) {
        const s2clr_area_class *x = &r->estimate->of[k];
        const double at = x->area.value, low = isnan(x->area.low) ? at : x->area.low;
        const double high = isnan(x->area.high) ? at : x->area.high;
        const double row[2][5] = {{x->mapped, x->mapped, x->mapped, x->mapped, x->mapped},
                                  {low, at, at, at, high}};
        for (int i = 0; i < 2; i++) {
            snprintf(text[2 * k + i], NAME_ROOM, "%s, %.90s", i ? "estimated" : "mapped",
                     r->samples->class_[k].name);
            name[2 * k + i] = text[2 * k + i];
            for (int q = 0; q < 5; q++) ha[2 * k + i][q] = row[i][q] / 1e4;
            most = fmax(most, ha[2 * k + i][4]);
        }
    }
    const s2clr_area_class *last = &r->estimate->of[n - 1];
    snprintf(about, sizeof about,
             "Of '%.60s' %.0f ha are mapped and %.0f ha estimated; the table has the intervals.",
             r->samples->class_[n - 1].name, last->mapped / 1e4, last->area.value / 1e4);
    s2clr_svg_boxes(to, &(s2clr_chart){"areas", "Area in ha; lines: 95 % interval", about}, name,
                    (const double(*)[5])ha, (size_t)n * 2, 0, most > 0 ? most * 1.02 : 1);
}

static void areas(FILE *to, const s2clr_area_report *r)
{
    static const char *const columns[] = {"class",          "mapped", "estimated", "95 % interval",
                                          "standard error", "share",  NULL};
    s2clr_html_section(to, "Areas");
    chart(to, r);
    s2clr_html_table_begin(to, "Area in ha; share: estimated, of all that is mapped", columns);
    for (int k = 0; k < r->estimate->classes; k++) {
        const s2clr_area_class *x = &r->estimate->of[k];
        s2clr_html_row_begin(to, r->samples->class_[k].name);
        s2clr_html_cell(to, "%.1f", x->mapped / 1e4);
        s2clr_html_cell(to, "%.1f", x->area.value / 1e4);
        if (isnan(x->area.error)) {
            s2clr_html_cell(to, "unknown");
            s2clr_html_cell(to, "unknown");
        } else {
            s2clr_html_cell(to, "%.1f to %.1f", x->area.low / 1e4, x->area.high / 1e4);
            s2clr_html_cell(to, "%.1f", x->area.error / 1e4);
        }
        s2clr_html_cell(to, "%.2f %%", 100 * x->share.value);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void accuracies(FILE *to, const s2clr_area_report *r)
{
    static const char *const columns[] = {"class", "user's", "producer's", NULL};
    const s2clr_area_number *all = &r->estimate->overall;
    char text[200];
    s2clr_html_section(to, "Accuracy");
    if (isnan(all->error))
        snprintf(text, sizeof text,
                 "Overall accuracy: %.3f of the area is mapped as what it is; interval unknown.",
                 all->value);
    else
        snprintf(text, sizeof text,
                 "Overall accuracy: %.3f (%.3f to %.3f) of the area is mapped as what it is.",
                 all->value, all->low, all->high);
    s2clr_html_paragraph(to, text);
    s2clr_html_table_begin(to, "Share that is right, with 95 % interval", columns);
    for (int k = 0; k < r->estimate->classes; k++) {
        s2clr_html_row_begin(to, r->samples->class_[k].name);
        number(to, &r->estimate->of[k].user);
        number(to, &r->estimate->of[k].producer);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
    s2clr_html_paragraph(to, "User's accuracy: of what is mapped as the class, the share that is "
                             "it. Producer's accuracy: of what is the class, the share that is "
                             "mapped as it. Both are shares of area.");
}

static void matrix(FILE *to, const s2clr_area_report *r, bool shares)
{
    const int n = r->estimate->classes;
    const char *columns[MATRIX_CLASSES + 2] = {"map \\ truth"};
    if (n > MATRIX_CLASSES) return;
    for (int k = 0; k < n; k++) columns[k + 1] = r->samples->class_[k].name;
    s2clr_html_table_begin(to, shares ? "Estimated share of the area" : "Samples", columns);
    for (int i = 0; i < n; i++) {
        s2clr_html_row_begin(to, r->samples->class_[i].name);
        for (int j = 0; j < n; j++)
            if (shares)
                s2clr_html_cell(to, "%.4f", r->estimate->share[i * n + j]);
            else
                s2clr_html_cell(to, "%zu", r->estimate->count[i * n + j]);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void strata(FILE *to, const s2clr_area_report *r)
{
    static const char *const columns[] = {"stratum", "pixels", "ha", "samples", "right", NULL};
    s2clr_html_section(to, "Strata");
    s2clr_html_table_begin(to, "What the samples were drawn from", columns);
    for (int h = 0; h < r->census->strata; h++) {
        const s2clr_area_kind *s = &r->census->stratum[h];
        s2clr_html_row_begin(to, s->name);
        s2clr_html_cell(to, "%.0f", s->pixels);
        s2clr_html_cell(to, "%.1f", s->area / 1e4);
        s2clr_html_cell(to, "%zu", r->estimate->within[h].samples);
        s2clr_html_cell(to, "%zu", r->estimate->within[h].right);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void put_note(void *to, const char *text)
{
    fputs("<li>", to);
    s2clr_html_text(to, text);
    fputs("</li>\n", to);
}

static s2clr_status body(FILE *to, void *context)
{
    const s2clr_area_report *r = context;
    const s2clr_area_census *c = r->census;
    char map[300], where[300], text[2200];
    s2clr_area_map_text(c, map, sizeof map);
    s2clr_area_where_text(c, where, sizeof where);
    snprintf(text, sizeof text,
             "Map: %.400s, %s. %.1f ha (%.4g km\xC2\xB2) in %.0f pixels, %s. Samples: %.400s, "
             "%zu used, %s.",
             c->rule.map, map, c->area / 1e4, c->area / 1e6, c->pixels, where, r->path,
             r->estimate->samples, r->samples->design);
    s2clr_html_paragraph(to, text);
    areas(to, r);
    accuracies(to, r);
    s2clr_html_section(to, "Error matrix");
    matrix(to, r, false);
    matrix(to, r, true);
    strata(to, r);
    s2clr_html_section(to, "Mind");
    fputs("<ul>\n", to);
    s2clr_area_notes(r, put_note, to);
    put_note(to, "Intervals are those of chance in the draw of the samples; that every label is "
                 "right is assumed. Estimators: Stehman (2014), which for strata that are the "
                 "map's classes are those of Olofsson et al. (2014).");
    fputs("</ul>\n", to);
    return S2CLR_OK;
}

s2clr_status s2clr_area_html(const char *path, const s2clr_area_report *report)
{
    char title[200];
    if (report->census->rule.classes)
        snprintf(title, sizeof title, "Areas of a map");
    else
        snprintf(title, sizeof title, "Area of %.100s", report->census->positive);
    return s2clr_html_write(path, title, body, (void *)report);
}
