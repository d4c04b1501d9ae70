/* What charts share: the frame, a figure with its caption and what a screen reader says, and the
 * steps of an axis. */
#ifndef S2CLR_REPORT_PSVG_H
#define S2CLR_REPORT_PSVG_H

#include "report/svg_chart.h"

void s2clr_svg_begin(FILE *to, const s2clr_chart *about, int width, int height);
void s2clr_svg_end(FILE *to);

/* Distance of the lines of an axis: 1, 2 or 5 times a power of ten, about six for range > 0. */
double s2clr_svg_nice_step(double range);

#endif
