/*
 * What a person said of the patches of a contact sheet: the table that the page of s2clr-topk(1)
 * saves, turned into a precision with its interval.
 *
 *     if (s2clr_marked_identify(path)) {
 *         S2CLR_TRY(s2clr_marked_read(path, &marked));
 *         printf("%.3f\n", marked.precision.value);
 *     }
 */
#ifndef S2CLR_REPORT_EVALUATION_MARKED_H
#define S2CLR_REPORT_EVALUATION_MARKED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "train/proportion.h"

typedef struct s2clr_marked {
    char path[600], model[100], positive[100]; /* "" not said */
    size_t rows, right, wrong, unsure, unmarked;
    s2clr_proportion precision; /* right of right + wrong; NaN when nothing is decided */
    s2clr_proportion strict;    /* unsure ones are wrong */
    s2clr_proportion kind;      /* unsure ones are right */
    double expected; /* mean probability of those marked right or wrong: what a calibrated model
                        would reach; NaN when nothing is decided */
    double lowest;   /* probability of all rows; NaN when none has any */
} s2clr_marked;

/* Is it a CSV file whose heading has "rank" and "mark"? */
bool s2clr_marked_identify(const char *path);

/* Errors name the row: a mark that is none of right, wrong, unsure and nothing; a probability that
 * is none; rows of two models. */
s2clr_status s2clr_marked_read(const char *path, s2clr_marked *out);

json_t *s2clr_marked_json(const s2clr_marked *m);
void s2clr_marked_print(FILE *to, const s2clr_marked *m);
s2clr_status s2clr_marked_html(const s2clr_marked *m, const char *path);

#endif
