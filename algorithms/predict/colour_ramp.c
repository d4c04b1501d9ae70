#include "predict/colour_ramp.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* viridis (van der Walt and Smith 2015, CC0) and cividis (Nunez, Anderton and Renslow 2018) at
 * every eighth of their range; RdBu of ColorBrewer (Brewer 2003); greys. */
static const s2clr_ramp table[] = {
    {"probability",
     "not ",
     "",
     true,
     0,
     {{68, 1, 84},
      {71, 45, 123},
      {59, 82, 139},
      {44, 114, 142},
      {33, 145, 140},
      {40, 174, 128},
      {94, 201, 98},
      {173, 220, 48},
      {253, 231, 37}}},
    {"entropy",
     "certain",
     "undecided",
     false,
     0,
     {{0, 34, 78},
      {26, 56, 111},
      {67, 78, 108},
      {97, 101, 111},
      {125, 124, 120},
      {155, 148, 118},
      {188, 174, 108},
      {222, 201, 88},
      {254, 232, 56}}},
    {"valid",
     "no valid pixel",
     "all pixels valid",
     false,
     0,
     {{26, 26, 26},
      {52, 52, 52},
      {80, 80, 80},
      {108, 108, 108},
      {138, 138, 138},
      {166, 166, 166},
      {194, 194, 194},
      {222, 222, 222},
      {247, 247, 247}}},
    {"evidence",
     "speaks against ",
     "speaks for ",
     true,
     4,
     {{178, 24, 43},
      {214, 96, 77},
      {244, 165, 130},
      {253, 219, 199},
      {247, 247, 247},
      {209, 229, 240},
      {146, 197, 222},
      {67, 147, 195},
      {33, 102, 172}}},
};

enum { ROWS = sizeof table / sizeof table[0] };

const s2clr_ramp *s2clr_ramp_of(const char *quantity)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(table[i].quantity, quantity) == 0) return &table[i];
    return NULL;
}

const s2clr_ramp *s2clr_ramp_at(size_t index)
{
    return index < ROWS ? &table[index] : NULL;
}

void s2clr_ramp_colour(const s2clr_ramp *ramp, double share, uint8_t rgb[3])
{
    const double at = fmin(fmax(share, 0), 1) * (S2CLR_RAMP_STOPS - 1);
    const int from = at >= S2CLR_RAMP_STOPS - 1 ? S2CLR_RAMP_STOPS - 2 : (int)at;
    const double part = at - from;
    for (int c = 0; c < 3; c++) {
        const double low = ramp->stop[from][c], high = ramp->stop[from + 1][c];
        rgb[c] = (uint8_t)(low + part * (high - low) + 0.5);
    }
}
