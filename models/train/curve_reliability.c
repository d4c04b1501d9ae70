#include <math.h>

#include "base/memory.h"
#include "train/curve.h"
#include "train/pmetrics.h"

s2clr_status s2clr_reliability(const double *p, const int *label, size_t n,
                               s2clr_reliability_bin out[S2CLR_RELIABILITY_BINS])
{
    double sum[S2CLR_RELIABILITY_BINS] = {0};
    S2CLR_TRY(s2clr_metrics_check(p, label, n));
    for (int b = 0; b < S2CLR_RELIABILITY_BINS; b++)
        out[b] = (s2clr_reliability_bin){.low = (double)b / S2CLR_RELIABILITY_BINS,
                                         .high = (double)(b + 1) / S2CLR_RELIABILITY_BINS};
    for (size_t i = 0; i < n; i++) {
        const int b = s2clr_metrics_bin(p[i]);
        out[b].n++;
        out[b].positives += (size_t)label[i];
        sum[b] += p[i];
    }
    for (int b = 0; b < S2CLR_RELIABILITY_BINS; b++) {
        out[b].mean_p = out[b].n ? sum[b] / (double)out[b].n : (double)NAN;
        out[b].share = s2clr_proportion_wilson(out[b].positives, out[b].n);
    }
    return S2CLR_OK;
}
