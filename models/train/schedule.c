#include <math.h>

#include "train/optimiser.h"

double s2clr_schedule_cosine(double peak, uint64_t warmup, uint64_t total, uint64_t step)
{
    if (step < warmup) return peak * (double)step / (double)warmup;
    if (step >= total) return step == warmup ? peak : 0;
    const double pi = 3.14159265358979323846;
    const double done = (double)(step - warmup) / (double)(total - warmup);
    return peak * 0.5 * (1 + cos(pi * done));
}
