/*
 * The table of pointwise functions (algorithms/pointwise/) as GDAL knows such things: functions of
 * derived VRT bands, and, from GDAL 3.9 on, of processed VRT datasets.
 */
#ifndef S2CLR_GDAL_PLUGIN_PIXEL_FUNCTIONS_H
#define S2CLR_GDAL_PLUGIN_PIXEL_FUNCTIONS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Both do nothing but register, and may be called again. The second does nothing on GDAL < 3.9. */
void s2clr_pixel_functions_register(void);
void s2clr_processed_functions_register(void);

#ifdef __cplusplus
}
#endif

#endif
