/* A box as GEOS has it: what polygons are asked about. */
#ifndef S2CLR_LABELS_GEOS_RECTANGLE_H
#define S2CLR_LABELS_GEOS_RECTANGLE_H

#ifndef GEOS_USE_ONLY_R_API
#define GEOS_USE_ONLY_R_API
#endif
#include <geos_c.h>

/* The caller destroys it; NULL: the context's handlers know why. */
GEOSGeometry *s2clr_geos_rectangle(GEOSContextHandle_t geos, double x0, double y0, double x1,
                                   double y1);

#endif
