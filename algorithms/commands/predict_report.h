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

/* What is made beside a map; polygons: their file, NULL for none. */
void s2clr_sides_print(FILE *to, const s2clr_style_told *style, const char *polygons,
                       const s2clr_polygons_told *told);
json_t *s2clr_style_json(const s2clr_style_told *style);
json_t *s2clr_polygons_json(const char *polygons, const s2clr_polygons_told *told);

/* What looks wrong with the values: nothing valid, or the same value everywhere. */
bool s2clr_predict_oddity(const s2clr_predict_result *result, char *text, size_t size);

/* What looks wrong: nothing valid, the same value everywhere, the input's warnings. */
void s2clr_predict_warn(const s2clr_args *args, const s2clr_predict_result *result);

#endif
