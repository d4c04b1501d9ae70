/* What the files of a map's page share: map_report.c (the map) and map_report_parts.c (how it came
 * about). */
#ifndef S2CLR_REPORT_PMAP_REPORT_H
#define S2CLR_REPORT_PMAP_REPORT_H

#include "report/map_report.h"
#include "report/map_summary.h"
#include "report/quicklook.h"

typedef struct s2clr_map_page {
    const s2clr_map_report *report;
    const char *band;       /* what the first band shows */
    const s2clr_ramp *ramp; /* its colours */
    bool probability;
    s2clr_map map;
    s2clr_map_summary summary;
    s2clr_quicklook scene, picture;
    char no_scene[600]; /* why there is no picture of the scene, or "" */
} s2clr_map_page;

void s2clr_map_report_times(FILE *to, const s2clr_map_report *report);
void s2clr_map_report_input(FILE *to, const s2clr_map_report *report);
void s2clr_map_report_model(FILE *to, const s2clr_map_report *report);
void s2clr_map_report_settings(FILE *to, const s2clr_map_report *report);

#endif
