/*
 * Charts as SVG inside a page of html_page.h: each a figure with a title and a description that a
 * screen reader says, and colours of the page's style.
 *
 *     const s2clr_chart about = {.id = "classes", .title = "Patches per class", .text = "..."};
 *     s2clr_svg_bars(to, &about, names, values, count);
 */
#ifndef S2CLR_REPORT_SVG_CHART_H
#define S2CLR_REPORT_SVG_CHART_H

#include <stddef.h>
#include <stdio.h>

typedef struct s2clr_chart {
    const char *id;    /* unique in the page */
    const char *title; /* shown as caption */
    const char *text;  /* what is to be seen, for those who do not see it */
} s2clr_chart;

/* Horizontal bars with their values. */
void s2clr_svg_bars(FILE *to, const s2clr_chart *about, const char *const *name,
                    const double *value, size_t count);

/* A square matrix, row by row; colour from 0 to the largest absolute value, two hues when any is
 * negative. Values are written with `format` ("%.2f"), NaN not at all. */
void s2clr_svg_heat(FILE *to, const s2clr_chart *about, const char *const *name,
                    const double *value, size_t count, const char *format);

/* One row per name: a line from quantile 0 to 4, a box from 1 to 3, a mark at 2. */
void s2clr_svg_boxes(FILE *to, const s2clr_chart *about, const char *const *name,
                     const double (*quantile)[5], size_t count, double low, double high);

/* Counts of equal steps from `low` on, as an area; a dashed line at `mark` (NaN: none). */
void s2clr_svg_area(FILE *to, const s2clr_chart *about, const double *value, size_t count,
                    double low, double step, double mark);

typedef struct s2clr_line {
    const char *name;
    const double *value; // (count) with `stride` between them; NaN: a gap
    size_t count, stride;
} s2clr_line;

/* Lines over 1, 2 ... of `unit`, told apart by colour and dashes, with their names beside. */
void s2clr_svg_lines(FILE *to, const s2clr_chart *about, const s2clr_line *line, size_t count,
                     const char *unit);

#endif
