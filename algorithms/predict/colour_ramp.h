/*
 * The colours of a map, everywhere the same: in the .qml beside it, in the GeoPackage of its areas
 * and in the pictures of reports.
 *
 *     const s2clr_ramp *ramp = s2clr_ramp_of("probability");
 *     s2clr_ramp_colour(ramp, 0.25, rgb);
 *
 * One row per quantity of output_bands.h. Lightness runs one way along every ramp but the one with
 * two sides, so that they survive grey print and every kind of colour blindness.
 */
#ifndef S2CLR_PREDICT_COLOUR_RAMP_H
#define S2CLR_PREDICT_COLOUR_RAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define S2CLR_RAMP_STOPS 9

typedef struct s2clr_ramp {
    const char *quantity;
    const char *low, *high;            /* what its ends mean, in plain words */
    bool named;                        /* ... with the name of the class behind them */
    double reach;                      /* from -reach to reach; 0: over the range of the band */
    uint8_t stop[S2CLR_RAMP_STOPS][3]; /* evenly spaced, red green blue */
} s2clr_ramp;

/* NULL for a quantity that has none (embedding). Borrowed. */
const s2clr_ramp *s2clr_ramp_of(const char *quantity);

/* All rows, from 0; NULL behind the last. Borrowed. */
const s2clr_ramp *s2clr_ramp_at(size_t index);

/* share: 0 the low end, 1 the high end; beyond them the ends' colours. */
void s2clr_ramp_colour(const s2clr_ramp *ramp, double share, uint8_t rgb[3]);

#endif
