/*
 * The one symbol of gdal_S2CLR.so. Every GDAL program calls it at its start, QGIS and map servers
 * included, so it may do nothing but register.
 */
#include "plugin.h"

#include <cpl_port.h>
#include <gdal.h>

#include "pixel_functions.h"
#include "pixel_patch.h"

extern "C" __attribute__((visibility("default"))) void GDALRegister_S2CLR(void);

extern "C" void GDALRegister_S2CLR(void)
{
    if (!GDAL_CHECK_VERSION(
            "S2CLR, the plug-in gdal_S2CLR.so (install the one built for this GDAL, "
            "or set GDAL_DRIVER_PATH to its folder)"))
        return;
    s2clr_driver_register();
    s2clr_gdal_cli_register();
    s2clr_pixel_functions_register();
    s2clr_processed_functions_register();
    s2clr_patch_function_register();
}

static bool leaving;

/* Runs before libgdal's own, because this library needs that one. */
__attribute__((destructor)) static void leave()
{
    leaving = true;
}

bool plugin_is_leaving()
{
    return leaving;
}
