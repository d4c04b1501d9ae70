/* How an evaluation is told: one column per classifier, with 95 % confidence intervals. */
#ifndef S2CLR_COMMANDS_EVALUATE_REPORT_H
#define S2CLR_COMMANDS_EVALUATE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "file/model.h"
#include "report/perturb.h"
#include "train/metrics.h"
#include "train/samples.h"

#define S2CLR_EVALUATION_ROWS 2

typedef struct s2clr_evaluation {
    const s2clr_model *model;
    const char *level, *part;
    s2clr_perturb perturb;
    const s2clr_samples *samples;
    const double *p; // (samples->count) of the model
    int rows;        /* the model, then the baseline where it could be fitted */
    const char *name[S2CLR_EVALUATION_ROWS];
    s2clr_metrics metrics[S2CLR_EVALUATION_ROWS];
    char no_baseline[300]; /* why there is none, "" otherwise */
} s2clr_evaluation;

json_t *s2clr_evaluation_json(const s2clr_evaluation *e);
void s2clr_evaluation_print(FILE *to, const s2clr_evaluation *e);

#endif
