/*
 * Labels for footprints: points, polygons or a raster say what a patch is.
 *
 *     s2clr_labels_options options = {.path = "fields.gpkg", .keep = 0.5, .drop = 0.05};
 *     S2CLR_TRY(s2clr_labels_open(&options, &labels));
 *     S2CLR_TRY(s2clr_labels_judge(labels, crs, transform, width, height, date, &verdict));
 *     s2clr_labels_close(labels);
 *
 * Sources are the rows of labels_list.c (points, polygons, raster), told by what the dataset holds.
 * All coordinates go through PROJ in the traditional GIS order (x = longitude or easting).
 */
#ifndef S2CLR_LABELS_LABELS_H
#define S2CLR_LABELS_LABELS_H

#include "dataset/patch_record.h"

typedef struct s2clr_labels_options {
    const char *path;  /* any OGR or GDAL dataset, or CSV with lat/lon or x/y columns */
    const char *layer; /* NULL: the only one */
    const char *field; /* says the class; NULL: "water" of points, polygons all are positive */
    const char *positive; /* values of the field that are positive, comma-separated ("2") */
    const char *negative; /* likewise negative; NULL: all others */
    const char *country_field; /* copied to the verdict; NULL: "country" if it exists */
    const char *date_field;    /* NULL: "date", or "year" (+ "month") if they exist */
    double keep;     /* polygons, raster: positive from this share of the patch on */
    double drop;     /* negative up to this share; between the two: ambiguous, unknown */
    int window_days; /* labels dated further than this from the patch do not count; < 0: any */
} s2clr_labels_options;

typedef struct s2clr_verdict {
    s2clr_label label;
    double cover;       /* share of the patch covered by positives; points: share of positive
                           points; -1: no label source reaches the patch */
    bool ambiguous;     /* between drop and keep, or points that contradict each other */
    char country[64];
} s2clr_verdict;

typedef struct s2clr_labels s2clr_labels;

s2clr_status s2clr_labels_open(const s2clr_labels_options *options, s2clr_labels **out);
void s2clr_labels_close(s2clr_labels *labels);

/* One caller at a time. The footprint is the quadrilateral of the geotransform in crs. */
s2clr_status s2clr_labels_judge(s2clr_labels *labels, const char *crs, const double transform[6],
                                int width, int height, const char *date, s2clr_verdict *out);

/* Points only: the i-th point as the centre of a chip, in lon/lat; false past the end. */
bool s2clr_labels_point(const s2clr_labels *labels, size_t index, double *longitude,
                        double *latitude, s2clr_verdict *verdict);

/* How many labels no patch has touched so far (points, polygons), for the report. */
size_t s2clr_labels_unused(const s2clr_labels *labels);

/* "points", "polygons" or "raster". */
const char *s2clr_labels_kind(const s2clr_labels *labels);

/* What became of the source's features; rasters count nothing. */
typedef struct s2clr_labels_counts {
    size_t features; /* read */
    size_t positive, negative;
    size_t other;    /* of neither class; points stay as unknown, polygons are left out */
    size_t placeless; /* left out: no geometry, of another kind, not on the globe, beyond repair */
    size_t repaired; /* invalid polygons made valid */
    size_t undated;  /* a date that cannot be read; the label counts as undated */
} s2clr_labels_counts;

s2clr_labels_counts s2clr_labels_count(const s2clr_labels *labels);

#endif
