/* The rows that are a formula of one value: radiometry, probabilities, classes, ensembles. */
#include <math.h>

#include "file/probability.h"
#include "pointwise/ppointwise.h"

s2clr_status s2clr_pointwise_reflectance_check(const s2clr_pointwise_call *call)
{
    const double low = call->value[REFLECTANCE_LOW].number;
    const double high = call->value[REFLECTANCE_HIGH].number;
    if (!(low > high)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "argument low is %.9g and high is %.9g: low must not be above high", low,
                           high);
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_reflectance)
{
    const double scale = call->value[REFLECTANCE_SCALE].number;
    const double offset = call->value[REFLECTANCE_OFFSET].number;
    const double low = call->value[REFLECTANCE_LOW].number;
    const double high = call->value[REFLECTANCE_HIGH].number;
    for (size_t i = 0; i < count; i++) {
        double value = ((double)source[0][i] + offset) * scale;
        value = value < low ? low : value > high ? high : value; /* never true where absent, NaN */
        out[i] = (float)value;
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_calibrate)
{
    const double temperature = call->value[CALIBRATE_TEMPERATURE].number;
    const double from = call->value[CALIBRATE_TRAINED].number;
    const double to = call->value[CALIBRATE_PREVALENCE].number;
    for (size_t i = 0; i < count; i++) {
        double p = (double)source[0][i];
        if (temperature != 1) p = s2clr_probability_of_logit(log(p / (1 - p)), temperature);
        if (!isnan(to)) p = s2clr_probability_shift(p, from, to);
        out[i] = p >= 0 && p <= 1 ? (float)p : NAN;
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_threshold)
{
    const double threshold = call->value[THRESHOLD_VALUE].number;
    for (size_t i = 0; i < count; i++) out[i] = (double)source[0][i] >= threshold ? 1 : 0;
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_mask)
{
    const unsigned char *member = call->value[MASK_CLASSES].member;
    for (size_t i = 0; i < count; i++) {
        const float class = source[1][i];
        const bool whole = class >= 0 && class <= 255 && class == floorf(class);
        const unsigned number = whole ? (unsigned)class : 0;
        out[i] = whole && member[number / 8] >> number % 8 & 1 ? source[0][i] : NAN;
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_entropy)
{
    (void)call;
    for (size_t i = 0; i < count; i++)
        out[i] = (float)s2clr_probability_entropy((double)source[0][i]);
    return S2CLR_OK;
}

/* ---- ensembles ---- */

static double combine(const s2clr_pointwise_call *call, const float *const *source, size_t i)
{
    const double threshold = call->value[COMBINE_THRESHOLD].number;
    double sum = 0, most = -HUGE_VAL;
    int values = 0, positive = 0;
    for (int k = 0; k < call->sources; k++) {
        const double p = (double)source[k][i];
        if (isnan(p)) continue;
        values++;
        positive += p >= threshold;
        sum += p;
        most = p > most ? p : most;
    }
    switch (call->value[COMBINE_OP].choice) {
    case COMBINE_MEAN:
        return sum / values;
    case COMBINE_MAX:
        return most;
    default:
        return (double)(2 * positive >= values ? positive : values - positive) / values;
    }
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_combine)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)combine(call, source, i);
    return S2CLR_OK;
}
