/*
 * Shared by aoi.c (asking) and aoi_load.c (reading the polygons).
 */
#ifndef S2CLR_PREDICT_PAOI_H
#define S2CLR_PREDICT_PAOI_H

#define GEOS_USE_ONLY_R_API
#include <geos_c.h>

#include "predict/aoi.h"

struct s2clr_aoi {
    GEOSContextHandle_t geos;
    GEOSGeometry *area; /* output pixel coordinates */
    const GEOSPreparedGeometry *prepared;
    char path[512];   /* for messages */
    char reason[512]; /* GEOS's last complaint */
};

/* What turns a layer's coordinates into output pixels. */
typedef struct s2clr_aoi_frame {
    const char *wkt;
    double transform[6]; /* output pixel to CRS */
    double inverse[6];
    int columns, rows;
} s2clr_aoi_frame;

/* The union of all polygons that may meet the raster, in output pixel coordinates. */
s2clr_status s2clr_aoi_load(s2clr_aoi *aoi, const char *path, const s2clr_aoi_frame *frame,
                            GEOSGeometry **out);

#endif
