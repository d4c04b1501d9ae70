/*
 * Label files and patches for the tests of algorithms/labels. Patches are squares of UTM pixels.
 */
#ifndef S2CLR_TESTS_LABEL_RIG_H
#define S2CLR_TESTS_LABEL_RIG_H

#include "labels/labels.h"

typedef struct rig_square {
    const char *crs;
    double left, top, pixel;
    int pixels; /* a side */
    const char *date;
} rig_square;

/* Writes a text file into the test folder; its path is borrowed from a ring. */
const char *label_rig_file(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Opens, failing the case on errors. */
s2clr_labels *label_rig_open(const s2clr_labels_options *options);
/* Opening must fail and say this. */
void label_rig_refused(const s2clr_labels_options *options, const char *says);

s2clr_verdict label_rig_judge(s2clr_labels *labels, const rig_square *square);

/* x and y by GDAL's own gdaltransform; false when that is not installed. */
bool label_rig_gdaltransform(const char *from, const char *to, double *x, double *y);
/* The same by PROJ's own cs2cs, which keeps the axis order of the authority; x is east all the
 * same. */
bool label_rig_cs2cs(const char *from, const char *to, double *x, double *y);

#endif
