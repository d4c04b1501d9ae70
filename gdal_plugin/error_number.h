/* GDAL's number for a status. Private to gdal_plugin/, for C and C++. */
#ifndef S2CLR_GDAL_PLUGIN_ERROR_NUMBER_H
#define S2CLR_GDAL_PLUGIN_ERROR_NUMBER_H

#include <cpl_error.h>

#include "base/status.h"

/* io: the number a failure of a file gets. */
static inline CPLErrorNum s2clr_error_number(s2clr_status status, CPLErrorNum io)
{
    switch (status) {
    case S2CLR_ERR_ARGUMENT:
        return CPLE_IllegalArg;
    case S2CLR_ERR_MEMORY:
        return CPLE_OutOfMemory;
    case S2CLR_ERR_IO:
    case S2CLR_ERR_EXISTS:
        return io;
    case S2CLR_ERR_UNSUPPORTED:
        return CPLE_NotSupported;
    case S2CLR_ERR_CANCELLED:
        return CPLE_UserInterrupt;
    default:
        return CPLE_AppDefined;
    }
}

#endif
