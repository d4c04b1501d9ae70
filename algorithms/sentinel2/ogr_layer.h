/*
 * What all that handles vector layers does in the same way.
 *
 *     S2CLR_TRY(s2clr_ogr_each(layer, take, &reading));
 */
#ifndef S2CLR_SENTINEL2_OGR_LAYER_H
#define S2CLR_SENTINEL2_OGR_LAYER_H

#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdbool.h>

#include "base/status.h"

/* All features from the first, which `take` borrows; stops at its first error. */
s2clr_status s2clr_ogr_each(OGRLayerH layer,
                            s2clr_status (*take)(void *context, OGRFeatureH feature),
                            void *context);

/* GeoPackage has "Undefined geographic SRS" and "Undefined Cartesian SRS" for a layer without. */
bool s2clr_ogr_has_crs(OGRSpatialReferenceH crs);

/* From "EPSG:NUMBER", WKT or a PROJ text, in traditional GIS order; the caller destroys it. NULL
 * when it is none, or a URL, which GDAL would fetch: a CRS may come from somebody's file. */
OGRSpatialReferenceH s2clr_srs_of(const char *text);

#endif
