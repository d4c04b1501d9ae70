/* The pixel function s2clr_patch: a patch or dense model inside a VRT. */
#ifndef S2CLR_GDAL_PLUGIN_PIXEL_PATCH_H
#define S2CLR_GDAL_PLUGIN_PIXEL_PATCH_H

#ifdef __cplusplus
extern "C" {
#endif

/* Registers it and does nothing else; may be called again. */
void s2clr_patch_function_register(void);

#ifdef __cplusplus
}
#endif

#endif
