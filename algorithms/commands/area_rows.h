/* The options of "s2clr area", and how they become settings. */
#ifndef S2CLR_COMMANDS_AREA_ROWS_H
#define S2CLR_COMMANDS_AREA_ROWS_H

#include "commands/params.h"
#include "report/area_census.h"
#include "report/area_samples.h"

#define S2CLR_AREA_LIST_MAX 255 /* breaks, expected shares */

enum { S2CLR_AREA_ROWS = 19 };
extern const s2clr_param_row s2clr_area_rows[S2CLR_AREA_ROWS];

typedef struct s2clr_area_settings {
    s2clr_area_rule rule;
    s2clr_area_ask ask;
    double breaks[S2CLR_AREA_LIST_MAX], expected[S2CLR_AREA_LIST_MAX];
    int expected_count;
    bool drawing;
} s2clr_area_settings;

/* Refuses options that do not go together. The result borrows from args and must not be moved. */
s2clr_status s2clr_area_settings_make(const s2clr_args *args, s2clr_area_settings *out);

#endif
