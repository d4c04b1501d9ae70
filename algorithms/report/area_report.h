/*
 * An estimate of areas for people, programs and browsers; and what a drawn sample is.
 *
 *     const s2clr_area_report report = {census, samples, estimate, "samples.gpkg"};
 *     s2clr_area_print(stdout, &report);
 */
#ifndef S2CLR_REPORT_AREA_REPORT_H
#define S2CLR_REPORT_AREA_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "report/area_census.h"
#include "report/area_draw.h"
#include "report/area_estimate.h"
#include "report/area_samples.h"

typedef struct s2clr_area_report {
    const s2clr_area_census *census;
    const s2clr_area_samples *samples;
    const s2clr_area_estimate *estimate;
    const char *path; /* of the samples */
} s2clr_area_report;

void s2clr_area_print(FILE *to, const s2clr_area_report *report);
/* NULL when memory is short; the caller owns the reference. NaN is null. */
json_t *s2clr_area_json(const s2clr_area_report *report);
s2clr_status s2clr_area_html(const char *path, const s2clr_area_report *report);

/* What is left out, assumed or doubtful: one sentence each. */
typedef void (*s2clr_area_note)(void *context, const char *text);
void s2clr_area_notes(const s2clr_area_report *report, s2clr_area_note each, void *context);

/* taken: (strata) samples of each stratum. error: to be expected of the overall accuracy, NaN
 * unknown. */
void s2clr_area_drawn_print(FILE *to, const s2clr_area_census *census, const size_t *taken,
                            double error, const char *path);
json_t *s2clr_area_drawn_json(const s2clr_area_census *census, const size_t *taken, double error,
                              const char *path);

/* ---- shared by the files that write reports ---- */

/* "band 1, permanent crops from 0.42 on (of the map's model)" */
void s2clr_area_map_text(const s2clr_area_census *census, char *out, size_t size);
/* "on the ellipsoid", "in the plane of WGS 84 / UTM zone 30N" */
void s2clr_area_where_text(const s2clr_area_census *census, char *out, size_t size);

#endif
