/* What the files of polygons share: map_polygons.c (the areas and their outlines) and
 * polygons_write.c (the GeoPackage). */
#ifndef S2CLR_PREDICT_PMAP_POLYGONS_H
#define S2CLR_PREDICT_PMAP_POLYGONS_H

#include "predict/map_labels.h"
#include "predict/map_polygons.h"
#include "predict/output_file.h"

typedef struct s2clr_polygons_writing {
    const char *path, *map_path; /* path: for messages */
    char part[S2CLR_OUTPUT_PATH_MAX];
    s2clr_map map;
    s2clr_labels labels;
    double threshold;
    const char *threshold_from;
} s2clr_polygons_writing;

/* outlines: a dataset whose only layer has a polygon for each label, with its number as the first
 * field. */
s2clr_status s2clr_polygons_write(const s2clr_polygons_writing *writing, const char *outlines);

#endif
