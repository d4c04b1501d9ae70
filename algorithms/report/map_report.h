/*
 * A finished map as a page: pictures, histogram, areas, times, what was read, the model and every
 * setting.
 *
 *     const s2clr_map_report report = {.settings = &settings, .result = &result, ...};
 *     S2CLR_TRY(s2clr_map_report_write("map.html", &report));
 *
 * Pictures and counts are read from the finished files: the map once, row by row, the scene as
 * coarsely as the picture needs it.
 */
#ifndef S2CLR_REPORT_MAP_REPORT_H
#define S2CLR_REPORT_MAP_REPORT_H

#include "file/model.h"
#include "predict/predict.h"

/* One option of the command. */
typedef struct s2clr_report_setting {
    const char *name, *value;
    bool given; /* or left at its default */
} s2clr_report_setting;

typedef struct s2clr_map_report {
    const s2clr_predict_settings *settings;
    const s2clr_predict_result *result;
    const s2clr_model *model;
    const s2clr_report_setting *setting; // (setting_count)
    size_t setting_count;
    const char *const *warning; // (warnings)
    size_t warnings;
    const char *made; /* when: the page tells times of this one run anyway */
} s2clr_map_report;

s2clr_status s2clr_map_report_write(const char *path, const s2clr_map_report *report);

#endif
