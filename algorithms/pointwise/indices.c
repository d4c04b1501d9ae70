/*
 * Spectral indices, of reflectances. A denominator of 0 gives no data.
 *
 * EVI2  Jiang, Huete, Didan and Miura, Remote Sensing of Environment 112, 2008
 * SAVI  Huete, Remote Sensing of Environment 25, 1988
 * MSI   Rock et al., BioScience 36, 1986
 * NDII  Hardisky, Klemas and Smart, Photogrammetric Engineering and Remote Sensing 49, 1983
 * NMDI  Wang and Qu, Geophysical Research Letters 34, 2007
 */
#include "pointwise/ppointwise.h"

/* The loop that all indices share, and the reflectance of source k in it. */
#define EACH_PIXEL(i)                                                                              \
    const double scale = call->value[INDEX_SCALE].number;                                          \
    const double offset = call->value[INDEX_OFFSET].number;                                        \
    for (size_t i = 0; i < count; i++)
#define SOURCE(k) (((double)source[k][i] + offset) * scale)

S2CLR_POINTWISE_RUN(s2clr_pointwise_evi2)
{
    EACH_PIXEL(i)
    {
        const double nir = SOURCE(0), red = SOURCE(1);
        out[i] = (float)(2.5 * (nir - red) / (nir + 2.4 * red + 1));
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_savi)
{
    const double l = call->value[INDEX_L].number;
    EACH_PIXEL(i)
    {
        const double nir = SOURCE(0), red = SOURCE(1);
        out[i] = (float)((1 + l) * (nir - red) / (nir + red + l));
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_msi)
{
    EACH_PIXEL(i)
    {
        const double nir = SOURCE(0), swir = SOURCE(1);
        out[i] = (float)(swir / nir);
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_ndii)
{
    EACH_PIXEL(i)
    {
        const double nir = SOURCE(0), swir = SOURCE(1);
        out[i] = (float)((nir - swir) / (nir + swir));
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_nmdi)
{
    EACH_PIXEL(i)
    {
        const double nir = SOURCE(0), difference = SOURCE(1) - SOURCE(2);
        out[i] = (float)((nir - difference) / (nir + difference));
    }
    return S2CLR_OK;
}
