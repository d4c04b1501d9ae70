/* What a prediction would do, told to people and to programs: --dry-run of predict and embed. */
#ifndef S2CLR_COMMANDS_PREDICT_PLAN_REPORT_H
#define S2CLR_COMMANDS_PREDICT_PLAN_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "predict/predict_plan.h"

json_t *s2clr_predict_plan_json(const s2clr_predict_settings *settings,
                                const s2clr_predict_plan *plan);
void s2clr_predict_plan_print(FILE *to, const s2clr_predict_settings *settings,
                              const s2clr_predict_plan *plan);

#endif
