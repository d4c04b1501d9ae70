/*
 * What all that reads vector layers does in the same way.
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

#endif
