#include "sentinel2/ogr_layer.h"

#include <cpl_port.h>
#include <string.h>

s2clr_status s2clr_ogr_each(OGRLayerH layer,
                            s2clr_status (*take)(void *context, OGRFeatureH feature), void *context)
{
    s2clr_status status = S2CLR_OK;
    OGRFeatureH feature;
    OGR_L_ResetReading(layer);
    while (status == S2CLR_OK && (feature = OGR_L_GetNextFeature(layer)) != NULL) {
        status = take(context, feature);
        OGR_F_Destroy(feature);
    }
    return status;
}

bool s2clr_ogr_has_crs(OGRSpatialReferenceH crs)
{
    const char *name = crs ? OSRGetName(crs) : NULL;
    return crs && !(name && EQUALN(name, "Undefined", 9));
}

OGRSpatialReferenceH s2clr_srs_of(const char *text)
{
    if (strstr(text, "://")) return NULL;
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    if (srs && OSRSetFromUserInput(srs, text) != OGRERR_NONE) {
        OSRDestroySpatialReference(srs);
        return NULL;
    }
    if (srs) OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    return srs;
}
