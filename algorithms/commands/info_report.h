/* What `s2clr info` tells, to people and to programs. */
#ifndef S2CLR_COMMANDS_INFO_REPORT_H
#define S2CLR_COMMANDS_INFO_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "file/model.h"
#include "sentinel2/stack.h"

json_t *s2clr_installation_json(void);
void s2clr_installation_print(FILE *to);

json_t *s2clr_model_json(const s2clr_model *model);
void s2clr_model_print(FILE *to, const s2clr_model *model);

json_t *s2clr_input_json(const s2clr_stack_info *info, const s2clr_model *model);
void s2clr_input_print(FILE *to, const s2clr_stack_info *info, const s2clr_model *model);

#endif
