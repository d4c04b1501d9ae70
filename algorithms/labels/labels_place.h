/*
 * The layer that is meant, and where its rows lie: in geometries, or in columns of coordinates.
 *
 *     S2CLR_TRY(s2clr_layer_choose(path, NULL, dataset, &layer));
 *     S2CLR_TRY(s2clr_layer_place_find(path, layer, s2clr_layer_has_coordinates(layer), &place));
 *     ... s2clr_layer_place_at(&place, feature, at) ...       // in place.crs
 *     s2clr_layer_place_clear(&place);
 *
 * Layers are borrowed from their dataset; messages name `path`.
 */
#ifndef S2CLR_LABELS_LABELS_PLACE_H
#define S2CLR_LABELS_LABELS_PLACE_H

#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdbool.h>

#include "base/status.h"

/* The layer of that name, or the only one when `wanted` is NULL. */
s2clr_status s2clr_layer_choose(const char *path, const char *wanted, GDALDatasetH dataset,
                                OGRLayerH *out);

/* EPSG:4326 with longitude first, or NULL without PROJ's data; the caller destroys it. */
OGRSpatialReferenceH s2clr_world_new(void);

/* 0 points, 1 lines, 2 polygons, -1 none. Of the layer's type, or where that leaves it open of the
 * first feature that has a geometry. */
int s2clr_layer_dimension(OGRLayerH layer);

/* True when a table has columns that say where its rows lie. */
bool s2clr_layer_has_coordinates(OGRLayerH layer);

typedef struct s2clr_layer_place {
    int x, y;                 /* columns of coordinates; -1: rows have geometries */
    OGRSpatialReferenceH crs; /* in traditional GIS order */
} s2clr_layer_place;

/* columns: take the columns of coordinates, whose names or FILE.prj say the CRS. An error when
 * nothing does. */
s2clr_status s2clr_layer_place_find(const char *path, OGRLayerH layer, bool columns,
                                    s2clr_layer_place *out);
void s2clr_layer_place_clear(s2clr_layer_place *place);
/* The columns' values; false when they are no finite numbers. */
bool s2clr_layer_place_at(const s2clr_layer_place *place, OGRFeatureH feature, double at[2]);

#endif
