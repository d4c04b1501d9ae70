/*
 * How QGIS draws what is made: the layer style (.qml) beside a map, which QGIS finds by itself, and
 * the one that a GeoPackage of areas carries.
 *
 *     S2CLR_TRY(s2clr_map_styles_write("map.tif", bands, count, &told));
 *
 * map.tif gets map.qml for its first band, and map.entropy.qml and the like for the first band of
 * every further quantity, to be loaded in QGIS when that band is to be seen. A file of that name
 * which this suite has not written is somebody's own and stays.
 */
#ifndef S2CLR_PREDICT_MAP_STYLE_H
#define S2CLR_PREDICT_MAP_STYLE_H

#include <stdbool.h>

#include "base/status.h"
#include "predict/output_file.h"
#include "predict/writer.h"

typedef struct s2clr_style_told {
    char file[S2CLR_OUTPUT_PATH_MAX]; /* the first band's style, "": none */
    bool kept;                        /* it is somebody's own */
} s2clr_style_told;

/* Bands without a colour ramp (embedding) get no style, names that are not on disk (/vsi...)
 * neither. */
s2clr_status s2clr_map_styles_write(const char *map, const s2clr_writer_band *band, int bands,
                                    s2clr_style_told *told);

/* Removes what an earlier run has written for the first band. */
void s2clr_map_styles_remove(const char *map);

/* A field of a table, and what it is called where people see it. */
typedef struct s2clr_style_title {
    const char *field, *title;
} s2clr_style_title;

/* One band as QML, and areas coloured by the numbers in `field`, from `low` to 1. *out is freed
 * with s2clr_free(). */
s2clr_status s2clr_style_band(const s2clr_writer_band *band, int number, char **out);
s2clr_status s2clr_style_areas(const char *field, double low, const s2clr_style_title *title,
                               int titles, char **out);

#endif
