/*
 * A map made in parts, on several machines or one after the other: how rows are dealt out, what a
 * part is called, and the VRT that shows all parts as one.
 *
 *     map.tif, 3 parts -> map.shard-1-of-3.tif ... and map.shards-of-3.vrt
 *
 * A part is a GTiff of some rows of the map with the whole map's tags, and in the metadata domain
 * S2CLR_SHARD what predict/merge.h needs to make the map of the parts.
 */
#ifndef S2CLR_PREDICT_SHARDS_H
#define S2CLR_PREDICT_SHARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* One part's place in a map. */
typedef struct s2clr_shard {
    int index, count; /* from 1 */
    int row, rows;    /* of the map */
} s2clr_shard;

/* Rows of part `index` of `count` of a map whose row 0 is row `top` of the grid. Parts end where
 * units of `unit` rows of the grid end, as evenly as that allows. S2CLR_ERR_ARGUMENT when there are
 * more parts than such rows. */
s2clr_status s2clr_shard_rows(int top, int rows, int unit, int index, int count, s2clr_shard *out);

/* Names of the part and of the VRT for an output. */
s2clr_status s2clr_shard_name(const char *output, int index, int count, char *name, size_t size);
s2clr_status s2clr_shard_vrt_name(const char *output, int count, char *name, size_t size);

/* What the VRT shows. */
typedef struct s2clr_shard_map {
    const char *output;
    int columns, rows, bands;
    const char *const *band; // (bands) descriptions
    bool byte_output;
    const double *transform; // (6) or NULL
    const char *wkt;         /* "" if none */
    const s2clr_shard *part; // (parts)
    int parts;
} s2clr_shard_map;

/* Writes the VRT (the same bytes whichever part's run does it; temporary name, then rename). It
 * opens at once and shows pixels where parts are there. */
s2clr_status s2clr_shard_vrt_write(const s2clr_shard_map *map);

#endif
