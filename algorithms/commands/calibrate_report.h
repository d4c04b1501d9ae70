/* How a calibration is told, in a report and in the new card: what was fitted, and scores before
 * and after. */
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
    double prevalence; /* asked for, 0: that of the part, or the card's own */
    double scored_at;  /* share of positives of all scores, the new card's; 0: as the samples are */
    s2clr_calibrated_part part[2]; /* fitted on, and reported on beside it */
    int parts;
} s2clr_calibrated;

/* What a calibration leaves in the new card beside its numbers: where they come from, what made the
 * model (`line` last), and metrics that say that they are from before. */
s2clr_status s2clr_calibrated_card(const s2clr_calibrated *c, const char *line, s2clr_card *card);

json_t *s2clr_calibrated_json(const s2clr_calibrated *c);
void s2clr_calibrated_print(FILE *to, const s2clr_calibrated *c);

#endif
