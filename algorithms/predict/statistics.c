#include "predict/statistics.h"

#include <math.h>

void s2clr_moments_add(s2clr_moments *moments, double value)
{
    const double delta = value - moments->mean;
    if (moments->count == 0 || value < moments->minimum) moments->minimum = value;
    if (moments->count == 0 || value > moments->maximum) moments->maximum = value;
    moments->count++;
    moments->mean += delta / (double)moments->count;
    moments->squares += delta * (value - moments->mean);
}

void s2clr_moments_merge(s2clr_moments *moments, const s2clr_moments *next)
{
    if (next->count == 0) return;
    if (moments->count == 0) {
        *moments = *next;
        return;
    }
    const double a = (double)moments->count, b = (double)next->count;
    const double delta = next->mean - moments->mean;
    moments->count += next->count;
    moments->mean += delta * b / (a + b);
    moments->squares += next->squares + delta * delta * a * b / (a + b);
    moments->minimum = fmin(moments->minimum, next->minimum);
    moments->maximum = fmax(moments->maximum, next->maximum);
}

double s2clr_moments_deviation(const s2clr_moments *moments)
{
    return moments->count ? sqrt(moments->squares / (double)moments->count) : 0.0;
}
