#include "sentinel2/gpkg_date.h"

#include <cpl_conv.h>
#include <stddef.h>

void s2clr_gpkg_date_begin(void)
{
    CPLSetThreadLocalConfigOption("OGR_CURRENT_DATE", "1970-01-01T00:00:00.000Z");
}

void s2clr_gpkg_date_end(void)
{
    CPLSetThreadLocalConfigOption("OGR_CURRENT_DATE", NULL);
}
