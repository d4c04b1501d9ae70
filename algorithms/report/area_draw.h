/*
 * Draws a stratified random sample of a map's pixels and writes it as points to be labelled.
 *
 *     S2CLR_TRY(s2clr_area_draw(census, taken, seed, progress, &drawn));
 *     S2CLR_TRY(s2clr_area_drawn_write(drawn, census, "samples.gpkg", false, description));
 *     s2clr_area_drawn_free(drawn);
 *
 * Within a stratum every set of as many pixels has the same chance: Knuth, "The art of computer
 * programming" 2, algorithm 3.4.2 S, with numbers that depend on seed, stratum and pixel only. The
 * points come in random order, so that it does not tell their strata to who labels them.
 */
#ifndef S2CLR_REPORT_AREA_DRAW_H
#define S2CLR_REPORT_AREA_DRAW_H

#include "report/area_census.h"

#define S2CLR_AREA_LAYER "samples"

typedef struct s2clr_area_pick {
    int column, row;
    int stratum; /* index in the census */
    int code;    /* of the class */
    double value;
} s2clr_area_pick;

typedef struct s2clr_area_drawn {
    s2clr_area_pick *pick; // (count)
    size_t count;
    const size_t *taken; // (strata) borrowed
} s2clr_area_drawn;

/* taken: (strata) samples of each stratum of the census, at most its pixels. Reads the map again.
 */
s2clr_status s2clr_area_draw(s2clr_area_census *census, const size_t *taken, uint64_t seed,
                             const s2clr_progress *progress, s2clr_area_drawn **out);
void s2clr_area_drawn_free(s2clr_area_drawn *drawn);

/* A GeoPackage with the columns id, stratum, map_class, p (maps of probabilities), design, weight
 * (pixels of the stratum per sample), label (empty), longitude and latitude. */
s2clr_status s2clr_area_drawn_write(const s2clr_area_drawn *drawn, const s2clr_area_census *census,
                                    const char *path, bool overwrite, const char *description);

#endif
