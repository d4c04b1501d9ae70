/* What the pages of an evaluation are made of. Private to evaluation_html.c and its parts. */
#ifndef S2CLR_REPORT_PEVALUATION_H
#define S2CLR_REPORT_PEVALUATION_H

#include "report/evaluation.h"

/* How many of the examples there are: none when the samples left out have no names. */
size_t s2clr_evaluation_named(const s2clr_evaluation_left_out *left);

/* "0.9912 [0.988, 0.994]", the interval on a line of its own when `tall`; an en dash when there is
 * no such number. */
void s2clr_evaluation_cell(FILE *to, double value, double low, double high, bool tall);
void s2clr_evaluation_proportion(FILE *to, const s2clr_proportion *p);

/* ROC, precision-recall, reliability; nothing when a label is absent. */
void s2clr_evaluation_charts(FILE *to, const s2clr_evaluation *e);

/* Table and picture of the groups. */
void s2clr_evaluation_groups(FILE *to, const s2clr_evaluation *e);

/* Metrics, recall of each class and confusion of K classes. */
void s2clr_evaluation_classes(FILE *to, const s2clr_evaluation *e);

#endif
