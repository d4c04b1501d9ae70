/*
 * Private to algorithms/pointwise: the functions behind the rows, and where their arguments are.
 */
#ifndef S2CLR_POINTWISE_PPOINTWISE_H
#define S2CLR_POINTWISE_PPOINTWISE_H

#include "pointwise/pointwise.h"

/* Order of arguments in the rows. */
enum { INDEX_SCALE, INDEX_OFFSET, INDEX_L };
enum { REFLECTANCE_SCALE, REFLECTANCE_OFFSET, REFLECTANCE_LOW, REFLECTANCE_HIGH };
enum { CALIBRATE_TEMPERATURE, CALIBRATE_TRAINED, CALIBRATE_PREVALENCE };
enum { THRESHOLD_VALUE };
enum { MASK_CLASSES };
enum { COMBINE_OP, COMBINE_THRESHOLD };
enum { COMBINE_MEAN, COMBINE_MAX, COMBINE_AGREEMENT }; /* the choices of op */
enum { PIXEL_MODEL, PIXEL_LEVEL, PIXEL_OFFSET, PIXEL_PREVALENCE, PIXEL_DEVICE };

#define S2CLR_POINTWISE_RUN(name)                                                                  \
    s2clr_status name(const s2clr_pointwise_call *call, const float *const *source, size_t count,  \
                      float *out)

S2CLR_POINTWISE_RUN(s2clr_pointwise_evi2);
S2CLR_POINTWISE_RUN(s2clr_pointwise_savi);
S2CLR_POINTWISE_RUN(s2clr_pointwise_msi);
S2CLR_POINTWISE_RUN(s2clr_pointwise_ndii);
S2CLR_POINTWISE_RUN(s2clr_pointwise_nmdi);
S2CLR_POINTWISE_RUN(s2clr_pointwise_reflectance);
S2CLR_POINTWISE_RUN(s2clr_pointwise_calibrate);
S2CLR_POINTWISE_RUN(s2clr_pointwise_threshold);
S2CLR_POINTWISE_RUN(s2clr_pointwise_mask);
S2CLR_POINTWISE_RUN(s2clr_pointwise_entropy);
S2CLR_POINTWISE_RUN(s2clr_pointwise_combine);
S2CLR_POINTWISE_RUN(s2clr_pointwise_pixel);

s2clr_status s2clr_pointwise_reflectance_check(const s2clr_pointwise_call *call);

#endif
