/* What a finished prediction is told as, to people and to programs. */
#ifndef S2CLR_COMMANDS_PREDICT_REPORT_H
#define S2CLR_COMMANDS_PREDICT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "commands/params.h"
#include "predict/predict.h"

json_t *s2clr_predict_json(const s2clr_predict_settings *settings,
                           const s2clr_predict_result *result);
void s2clr_predict_print(FILE *to, const s2clr_predict_settings *settings,
                         const s2clr_predict_result *result);

/* What looks wrong: nothing valid, the same value everywhere, the input's warnings. */
void s2clr_predict_warn(const s2clr_args *args, const s2clr_predict_result *result);

#endif
