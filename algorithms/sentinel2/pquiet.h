/*
 * Keeps GDAL quiet while we probe, and keeps its first complaint for our own message. Private.
 *
 *     s2clr_quiet quiet;
 *     s2clr_quiet_begin(&quiet);
 *     GDALDatasetH dataset = GDALOpenEx(...);
 *     s2clr_quiet_end(&quiet);      // quiet.text: "" or what GDAL said
 */
#ifndef S2CLR_SENTINEL2_PQUIET_H
#define S2CLR_SENTINEL2_PQUIET_H

typedef struct s2clr_quiet {
    char text[400];
} s2clr_quiet;

/* Handlers are a stack per thread: begin and end must pair up in one function. */
void s2clr_quiet_begin(s2clr_quiet *quiet);
void s2clr_quiet_end(s2clr_quiet *quiet);

#endif
