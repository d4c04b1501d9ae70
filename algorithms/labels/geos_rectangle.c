#include "labels/geos_rectangle.h"

#include <stddef.h>

GEOSGeometry *s2clr_geos_rectangle(GEOSContextHandle_t geos, double x0, double y0, double x1,
                                   double y1)
{
    const double corner[5][2] = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}};
    GEOSCoordSequence *ring = GEOSCoordSeq_create_r(geos, 5, 2);
    for (unsigned i = 0; ring && i < 5; i++)
        GEOSCoordSeq_setXY_r(geos, ring, i, corner[i][0], corner[i][1]);
    GEOSGeometry *shell = ring ? GEOSGeom_createLinearRing_r(geos, ring) : NULL;
    return shell ? GEOSGeom_createPolygon_r(geos, shell, NULL, 0) : NULL;
}
