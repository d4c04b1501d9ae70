/*
 * Catches what GDAL reports while some calls run, so that a failure that GDAL only prints (a write
 * that fails when a file is closed) becomes a status, a refusal can quote it, and nothing is
 * printed below the commands.
 *
 *     s2clr_gdal_watch watch;
 *     s2clr_gdal_watch_begin(&watch);
 *     GDALClose(dataset);
 *     s2clr_gdal_watch_end(&watch);
 *     if (watch.failed) return s2clr_error_set(S2CLR_ERR_IO, "%s: %s", path, watch.text);
 *
 * Begin and end nest and belong to one thread.
 */
#ifndef S2CLR_SENTINEL2_GDAL_WATCH_H
#define S2CLR_SENTINEL2_GDAL_WATCH_H

#include <stdbool.h>

typedef struct s2clr_gdal_watch {
    bool failed;    /* CE_Failure was reported */
    bool warned;    /* CE_Warning was reported */
    char text[512]; /* the first of the gravest kind, on one line; "no reason given" */
} s2clr_gdal_watch;

void s2clr_gdal_watch_begin(s2clr_gdal_watch *watch);
void s2clr_gdal_watch_end(s2clr_gdal_watch *watch);

#endif
