/* How a calibration is told: what was fitted, and scores before and after. */
#ifndef S2CLR_COMMANDS_CALIBRATE_REPORT_H
#define S2CLR_COMMANDS_CALIBRATE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "file/model.h"
#include "train/calibration.h"

typedef struct s2clr_calibrated_part {
    const char *name;
    size_t samples, positives; /* positives: of a model with one output */
    s2clr_calibration_scores before, after;
} s2clr_calibrated_part;

typedef struct s2clr_calibrated {
    const s2clr_model *model;
    const s2clr_card *card; /* the new one */
    const char *method, *level, *output;
    double prevalence;             /* asked for, 0: that of the part */
    s2clr_calibrated_part part[2]; /* fitted on, and reported on beside it */
    int parts;
} s2clr_calibrated;

json_t *s2clr_calibrated_json(const s2clr_calibrated *c);
void s2clr_calibrated_print(FILE *to, const s2clr_calibrated *c);

#endif
