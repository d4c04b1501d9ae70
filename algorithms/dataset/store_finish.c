/* What an index gets when its rows are complete: extent and spatial index; and plain statements. */
#include <ogr_api.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pstore.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/gpkg_date.h"

s2clr_status s2clr_index_sql(s2clr_index *index, const char *sql, const char *what)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    s2clr_gpkg_date_begin();
    OGRLayerH answer = GDALDatasetExecuteSQL(index->dataset, sql, NULL, NULL);
    if (answer) GDALDatasetReleaseResultSet(index->dataset, answer);
    s2clr_gpkg_date_end();
    s2clr_gdal_watch_end(&watch);
    if (!watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot %s: %.300s; run the same command again when the file can be "
                           "written to and no other program holds it",
                           index->path, what, watch.text);
}

/* The first column of the first row is a whole number other than 0. */
static bool says_yes(const s2clr_index *index, const char *sql)
{
    bool yes = false;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    OGRLayerH answer = GDALDatasetExecuteSQL(index->dataset, sql, NULL, NULL);
    OGRFeatureH feature = answer ? OGR_L_GetNextFeature(answer) : NULL;
    if (feature) {
        yes = OGR_F_GetFieldAsInteger(feature, 0) != 0;
        OGR_F_Destroy(feature);
    }
    if (answer) GDALDatasetReleaseResultSet(index->dataset, answer);
    s2clr_gdal_watch_end(&watch);
    return yes;
}

bool s2clr_index_has_tree(const s2clr_index *index)
{
    return says_yes(index, "SELECT HasSpatialIndex('" S2CLR_STORE_LAYER "', 'geom')");
}

/* GDAL keeps the extent it last knew, which a kill may have left behind. */
s2clr_status s2clr_index_finish(s2clr_index *index)
{
    S2CLR_TRY(s2clr_index_sql(index,
                              "UPDATE gpkg_contents SET (min_x, min_y, max_x, max_y) = "
                              "(SELECT min(ST_MinX(geom)), min(ST_MinY(geom)), "
                              "max(ST_MaxX(geom)), max(ST_MaxY(geom)) FROM " S2CLR_STORE_LAYER
                              "), last_change = '1970-01-01T00:00:00.000Z' "
                              "WHERE table_name = '" S2CLR_STORE_LAYER "'",
                              "write the extent"));
    if (s2clr_index_has_tree(index)) return S2CLR_OK;
    return s2clr_index_sql(index, "SELECT CreateSpatialIndex('" S2CLR_STORE_LAYER "', 'geom')",
                           "make the spatial index");
}
