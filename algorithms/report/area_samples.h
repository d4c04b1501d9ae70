/*
 * Labelled samples of a map, ready to be estimated from; and what was left out, and why.
 *
 *     const s2clr_area_ask ask = {.path = "samples.gpkg", .label_column = "label"};
 *     S2CLR_TRY(s2clr_area_samples_read(&ask, census, &samples));
 *
 * Samples have to say that they are a probability sample: a column "design", as the samples have
 * that s2clr_area_drawn_write() made, or the caller says it of them.
 */
#ifndef S2CLR_REPORT_AREA_SAMPLES_H
#define S2CLR_REPORT_AREA_SAMPLES_H

#include "report/area_census.h"
#include "report/area_estimate.h"
#include "report/map_points.h"

#define S2CLR_AREA_DESIGNS "stratified,random,systematic"

typedef struct s2clr_area_ask {
    const char *path, *layer;
    const char *label_column;
    const char *positive, *negative; /* values of maps of probabilities, comma-separated; positive
                                        NULL: 1 is positive and 0 negative; negative NULL: all
                                        others are */
    const char *design;              /* NULL: the samples say it */
} s2clr_area_ask;

typedef enum s2clr_area_fate {
    S2CLR_AREA_USED,
    S2CLR_AREA_UNLABELLED,
    S2CLR_AREA_OFF_MAP,
    S2CLR_AREA_NODATA,
    S2CLR_AREA_NO_STRATUM,
    S2CLR_AREA_PLACELESS,
    S2CLR_AREA_FATES
} s2clr_area_fate;

const char *s2clr_area_fate_text(s2clr_area_fate fate);

typedef struct s2clr_area_samples {
    char design[16];
    bool design_in_file;
    int classes;             /* of the map and of the labels, codes ascending */
    s2clr_area_kind *class_; // (classes) area: of the map
    s2clr_area_unit *unit;   // (units)
    size_t units;
    size_t fate[S2CLR_AREA_FATES]; /* rows of the file */
    struct {
        long long row;
        s2clr_area_fate fate;
    } * left_out; // (left) with a place, in the order of the file
    size_t left;
    size_t shared;      /* samples on a pixel that another sample lies on too */
    bool *repeated;     // (strata) there are such samples in it
    size_t *unlabelled; // (strata) samples of a stratum without a label
    size_t *removed;    // (strata) drawn, and no longer in the file; as far as it says so
} s2clr_area_samples;

s2clr_status s2clr_area_samples_read(const s2clr_area_ask *ask, const s2clr_area_census *census,
                                     s2clr_area_samples **out);
void s2clr_area_samples_free(s2clr_area_samples *samples);

#endif
