/*
 * What the files of the labels share. Private.
 *
 * Labels from layers are kept in WGS 84, longitude first, with an STRtree over their boxes. A
 * footprint asks the tree, and brings what it finds into its own pixel coordinates: there the share
 * of an area is the share of the patch's pixels, whatever the CRS, and a UTM zone has no edge. A
 * label beyond the antimeridian is found by asking again 360 degrees to either side; PROJ wraps the
 * longitude when it goes to the patch's CRS.
 */
#ifndef S2CLR_LABELS_PLABELS_H
#define S2CLR_LABELS_PLABELS_H

#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#define GEOS_USE_ONLY_R_API
#include <geos_c.h>

#include "dataset/store_strings.h"
#include "labels/geos_rectangle.h"
#include "labels/labels.h"
#include "labels/labels_classes.h"
#include "labels/labels_place.h"

/* ---- days: labels_dates.c ---- */

/* The days a date may mean ("2019" is all of that year), counted from 1970-01-01. */
typedef struct s2clr_days {
    bool known;
    int64_t first, last;
} s2clr_days;

/* "2019-06-13", "2019/06", "2019", a time behind the day is ignored; false when it is none. */
bool s2clr_days_parse(const char *text, s2clr_days *out);
/* month and day may be 0: any. False when there is no such day. */
bool s2clr_days_of(int year, int month, int day, s2clr_days *out);
/* Does a label count for a patch? window < 0: always; an undated label always; else only when the
 * days of both are known and at most `window` apart. */
bool s2clr_days_count(const s2clr_days *label, const s2clr_days *patch, int window);

/* ---- places: labels_geo.c ---- */

enum { S2CLR_WAYS_KEPT = 8 };

/* Between the CRS of patches and one target CRS, in traditional GIS order; the last few are kept,
 * since tiles of two zones alternate. */
typedef struct s2clr_ways {
    OGRSpatialReferenceH target;
    struct {
        char *crs;
        OGRCoordinateTransformationH there, back; /* to the target, from it */
        double turn; /* once around the Earth in a geographic CRS, else 0 */
    } kept[S2CLR_WAYS_KEPT];
    int next;
} s2clr_ways;

/* A patch as labels see it. */
typedef struct s2clr_frame {
    double transform[6], inverse[6];
    int width, height;
    OGRCoordinateTransformationH there, back; /* borrowed */
    double turn, middle; /* longitudes are brought to within half a turn of the middle */
    double box[4];       /* west, south, east, north in the target CRS; degrees are continuous */
} s2clr_frame;

void s2clr_ways_clear(s2clr_ways *ways);
s2clr_status s2clr_frame_make(s2clr_ways *ways, const char *crs, const double transform[6],
                              int width, int height, s2clr_frame *out);
/* Target CRS to pixels of the patch, in place; false when a point has no place there. */
bool s2clr_frame_to_pixels(const s2clr_frame *frame, int count, double *x, double *y);
/* A pixel's own left and upper edges belong to it, so that a point lies in one patch only. */
bool s2clr_frame_holds(const s2clr_frame *frame, double column, double row);

/* A layer's geometry to WGS 84 longitude and latitude: long edges of a projected CRS are cut up
 * first, and rings across the antimeridian made continuous. False when it has no place there. */
bool s2clr_geometry_to_world(OGRGeometryH geometry, OGRCoordinateTransformationH way,
                             double metres_per_unit);

/* ---- labels of layers: labels_layer.c, labels_set.c ---- */

typedef struct s2clr_label_entry {
    GEOSGeometry *geometry; /* polygons; NULL for points */
    double box[4];          /* west, south, east, north; a point has no extent */
    s2clr_days days;
    s2clr_label label;
    const char *country; /* "" unknown */
    bool touched;
} s2clr_label_entry;

typedef struct s2clr_label_set {
    GEOSContextHandle_t geos;
    char reason[256];         /* GEOS's last complaint */
    s2clr_label_entry *entry; // (count)
    size_t count, room;
    double extent[4];
    GEOSSTRtree *tree;
    size_t *hit; // (hits) ascending; filled by s2clr_label_set_find
    size_t hits, hit_room;
    bool out_of_memory; /* while hits were gathered */
    s2clr_strings strings;
} s2clr_label_set;

s2clr_status s2clr_label_set_start(s2clr_label_set *set);
void s2clr_label_set_clear(s2clr_label_set *set);
/* Takes entry->geometry over in any case. */
s2clr_status s2clr_label_set_add(s2clr_label_set *set, const s2clr_label_entry *entry);
s2clr_status s2clr_label_set_index(s2clr_label_set *set);
/* Entries whose boxes meet the box or its images 360 degrees away. */
s2clr_status s2clr_label_set_find(s2clr_label_set *set, const double box[4]);
/* True when the box meets the extent of all entries. */
bool s2clr_label_set_reaches(const s2clr_label_set *set, const double box[4]);

/* ---- kinds: labels_list.c ---- */

typedef struct s2clr_label_kind s2clr_label_kind;

struct s2clr_labels {
    const s2clr_label_kind *kind;
    char *path;
    double keep, drop;
    int window_days;
    bool negatives_listed;
    s2clr_ways ways;
    s2clr_label_set set;   /* layers */
    GDALDatasetH dataset;  /* rasters; closed after reading otherwise */
    s2clr_classes classes; /* rasters */
    void *raster;          /* rasters: what labels_raster.c knows */
    s2clr_labels_counts counts;
};

/* What was opened. */
typedef struct s2clr_label_source {
    GDALDatasetH dataset;
    OGRLayerH layer; /* NULL: a raster */
    int dimension;   /* of its geometries: 0, 1, 2; -1 none */
    bool columns;    /* without geometry, but with columns of coordinates */
} s2clr_label_source;

struct s2clr_label_kind {
    const char *name, *summary;
    bool (*accepts)(const s2clr_label_source *source);
    s2clr_status (*open)(s2clr_labels *labels, const s2clr_label_source *source,
                         const s2clr_labels_options *options);
    s2clr_status (*judge)(s2clr_labels *labels, const s2clr_frame *frame, const s2clr_days *date,
                          s2clr_verdict *out);
    void (*close)(s2clr_labels *labels); /* NULL: nothing of its own */
};

extern const s2clr_label_kind s2clr_labels_points, s2clr_labels_polygons, s2clr_labels_raster;
size_t s2clr_label_kinds(const s2clr_label_kind *const **out);

/* The first that accepts the source, or NULL. */
const s2clr_label_kind *s2clr_label_kind_of(const s2clr_label_source *source);

/* ---- reading layers: labels_layer.c ---- */

/* Reads all features of a layer; `add` gets each geometry in WGS 84, which it must not keep, and
 * what the attributes say. Classes are required for points. */
typedef s2clr_status (*s2clr_layer_add)(s2clr_labels *labels, OGRGeometryH geometry,
                                        s2clr_label_entry *entry);
s2clr_status s2clr_layer_read(s2clr_labels *labels, const s2clr_label_source *source,
                              const s2clr_labels_options *options, bool classes_required,
                              s2clr_layer_add add);

#endif
