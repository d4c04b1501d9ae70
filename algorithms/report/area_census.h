/*
 * What a map holds: its classes, its strata, how many pixels and how much area of each.
 *
 *     const s2clr_area_rule rule = {.map = "map.tif", .band = 1, .threshold = 0.5};
 *     S2CLR_TRY(s2clr_area_census_make(&rule, progress, &census));
 *     s2clr_area_census_free(census);
 *
 * A map of probabilities has class 1 from the threshold on and class 0 below; a map of classes
 * holds whole numbers from 0 to 255. Strata are the classes, or ranges of the probability, or the
 * whole numbers of another raster on the same grid. Pixels without value (or without stratum) are
 * no part of anything.
 */
#ifndef S2CLR_REPORT_AREA_CENSUS_H
#define S2CLR_REPORT_AREA_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/progress.h"
#include "predict/map_raster.h"

#define S2CLR_AREA_CODES 256

typedef struct s2clr_area_rule {
    const char *map;
    int band;
    bool classes;         /* the map holds classes */
    double threshold;     /* NaN: the map's own, else 0.5 */
    const double *breaks; // (break_count) ascending; strata are ranges of the probability
    int break_count;
    const char *strata; /* a raster; NULL: none */
} s2clr_area_rule;

typedef struct s2clr_area_kind { /* a class or a stratum */
    int code;
    char name[96];
    double pixels, area; /* m2 */
    double right; /* strata of probabilities: mean chance that the class is right; else NaN */
} s2clr_area_kind;

typedef struct s2clr_area_census {
    s2clr_map map, strata_map;         /* strata_map.dataset NULL: none */
    s2clr_area_rule rule;              /* the threshold that is used */
    const char *threshold_from;        /* "given", "of the map's model", "one half" */
    char positive[80];                 /* name of class 1 of a map of probabilities */
    char warning[600];                 /* of the model that made the map; "" none */
    s2clr_area_kind *class_, *stratum; // (classes), (strata), codes ascending
    int classes, strata;
    double pixels, area; /* of all that have a stratum */
    double nodata;       /* pixels without value */
    double unstratified; /* pixels with a value and without stratum */
    double true_area;    /* s2clr_map_true_area() */
} s2clr_area_census;

s2clr_status s2clr_area_census_make(const s2clr_area_rule *rule, const s2clr_progress *progress,
                                    s2clr_area_census **out);
void s2clr_area_census_free(s2clr_area_census *census);

/* The code of a pixel's class, and of its stratum; stratum: what the raster of strata holds there.
 * Both -1: not counted. Errors: neither a probability nor a class. */
typedef struct s2clr_area_codes {
    int class_, stratum;
    double value; /* the pixel's: a probability is from 0 to 1 */
} s2clr_area_codes;
s2clr_status s2clr_area_codes_of(const s2clr_area_census *census, double value, double stratum,
                                 s2clr_area_codes *out);

/* Index of a code among `kinds`, -1 when there is none. */
int s2clr_area_kind_find(const s2clr_area_kind *kinds, int count, int code);

/* Every row of the map from the top, with the values of the strata's raster (or NULL). Progress
 * runs over `from` to `to`. */
typedef s2clr_status (*s2clr_area_row)(void *context, int row, const double *value,
                                       const double *stratum);
s2clr_status s2clr_area_scan(s2clr_area_census *census, const s2clr_progress *progress, double from,
                             double to, s2clr_area_row each, void *context);

#endif
