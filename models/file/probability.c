#include "file/probability.h"

#include <math.h>

double s2clr_probability_of_logit(double logit, double temperature)
{
    return 1.0 / (1.0 + exp(-logit / temperature));
}

double s2clr_probability_shift(double p, double from, double to)
{
    if (from == to || p == 0 || p == 1) return p;
    const double yes = p * (to / from);
    const double no = (1 - p) * ((1 - to) / (1 - from));
    return yes / (yes + no);
}

double s2clr_probability_entropy(double p)
{
    if (p == 0 || p == 1) return 0;
    return -(p * log2(p) + (1 - p) * log2(1 - p));
}

double s2clr_probability_entropy_of(const float *p, size_t k, size_t gap)
{
    double bits = 0;
    for (size_t i = 0; i < k; i++) {
        const double share = (double)p[i * gap];
        if (share != 0) bits -= share * log2(share);
    }
    return bits;
}
