/*
 * Curves over two axes from 0 to 1: ROC, precision-recall, reliability.
 *
 *     const s2clr_xy line = {.name = "dense", .x = roc.x, .y = roc.y, .count = roc.count};
 *     const s2clr_axes axes = {"false positive rate", "recall", .diagonal = true};
 *     s2clr_svg_xy(to, &about, &axes, &line, 1);
 */
#ifndef S2CLR_REPORT_SVG_CURVES_H
#define S2CLR_REPORT_SVG_CURVES_H

#include <stdbool.h>

#include "report/svg_chart.h"

/* Colours and dashes: those below S2CLR_XY_QUIET are for what a chart is about, the others for what
 * it is compared with. */
enum { S2CLR_XY_STYLES = 8, S2CLR_XY_QUIET = 6 };

typedef struct s2clr_xy {
    const char *name;
    const double *x, *y; // (count); NaN: a gap
    size_t count;
    const double *low, *high; // (count) a vertical line at each point, NULL: none
    bool points;              /* a dot at each point */
    const double *mark;       // (2) x, y of a ring, NULL: none
    int style;
} s2clr_xy;

typedef struct s2clr_axes {
    const char *x, *y;
    bool diagonal; /* from (0, 0) to (1, 1) */
} s2clr_axes;

/* Narrow enough for two beside each other; the names stand beneath. */
void s2clr_svg_xy(FILE *to, const s2clr_chart *about, const s2clr_axes *axes, const s2clr_xy *line,
                  size_t count);

/* What charts beside each other stand between. */
void s2clr_svg_row_begin(FILE *to);
void s2clr_svg_row_end(FILE *to);

#endif
