/* What area_samples.c and area_labels.c share. Private. */
#ifndef S2CLR_REPORT_PAREA_SAMPLES_H
#define S2CLR_REPORT_PAREA_SAMPLES_H

#include "report/area_samples.h"

typedef struct sample {
    s2clr_area_fate fate;
    s2clr_area_codes codes; /* of the map and the strata where it lies */
    int stratum;            /* index in the census; -1: none */
    int label;              /* code of the true class */
} sample;

typedef struct sampling {
    const s2clr_area_ask *ask;
    const s2clr_area_census *census;
    s2clr_points *points;
    s2clr_map_value *value, *stratum; // (points) stratum NULL: no raster of strata
    sample *sample;                   // (points)
    s2clr_area_samples *samples;
} sampling;

/* Labels of the samples that lie in a stratum, and the classes of map and labels together. */
s2clr_status s2clr_area_labels_read(sampling *s);

#endif
