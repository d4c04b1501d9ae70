/* What the parts of the plug-in know of each other: how each registers itself, and how it ends. */
#ifndef S2CLR_GDAL_PLUGIN_PLUGIN_H
#define S2CLR_GDAL_PLUGIN_PLUGIN_H

/* Each does nothing but register, and nothing at all when called again. */
extern "C" {
void s2clr_driver_register(void);
void s2clr_gdal_cli_register(void);
}

/* True from the moment the process began to end: GDAL closes what was left open after other
 * libraries have torn themselves down. */
bool plugin_is_leaving();

#endif
