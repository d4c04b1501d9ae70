/* The actions of "s2clr model" that have files of their own. */
#ifndef S2CLR_COMMANDS_MODEL_ACTIONS_H
#define S2CLR_COMMANDS_MODEL_ACTIONS_H

#include "commands/params.h"

s2clr_status s2clr_model_import(const s2clr_args *args);
s2clr_status s2clr_model_export(const s2clr_args *args);

/* --output is given, is not `input`, and does not exist, or may be replaced. */
s2clr_status s2clr_model_check_output(const s2clr_args *args, const char *input);

#endif
