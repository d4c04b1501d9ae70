#include "train/proportion.h"

#include <math.h>

#define Z 1.959963984540054 /* 97.5 % of the standard normal distribution */

s2clr_proportion s2clr_proportion_wilson(size_t k, size_t n)
{
    const double count = (double)n, share = (double)k / count;
    if (n == 0) return (s2clr_proportion){NAN, NAN, NAN};
    const double shrink = 1 + Z * Z / count, middle = (share + Z * Z / (2 * count)) / shrink;
    const double half =
        Z / shrink * sqrt(share * (1 - share) / count + Z * Z / (4 * count * count));
    /* At the ends the formula gives 0 and 1 but for rounding. */
    return (s2clr_proportion){share, k == 0 ? 0 : middle - half, k == n ? 1 : middle + half};
}
