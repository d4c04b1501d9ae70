/*
 * GeoPackages whose bytes do not depend on the day they were written: GDAL notes the time of every
 * change in them, and equal runs are to give equal files.
 *
 *     s2clr_gpkg_date_begin();
 *     GDALDatasetH dataset = GDALCreate(driver, path, 0, 0, 0, GDT_Unknown, NULL);
 *     ... layers, rows ...
 *     GDALClose(dataset);                   // writes as well, so it stands inside
 *     s2clr_gpkg_date_end();
 */
#ifndef S2CLR_SENTINEL2_GPKG_DATE_H
#define S2CLR_SENTINEL2_GPKG_DATE_H

/* From here on this thread, and no other, writes 1970-01-01T00:00:00Z as the time of changes, until
 * the end. Nothing is allocated and nothing fails; pairs do not nest. */
void s2clr_gpkg_date_begin(void);
void s2clr_gpkg_date_end(void);

#endif
