/*
 * What the two adapters of the pointwise functions share. Private to gdal_plugin/.
 */
#ifndef S2CLR_GDAL_PLUGIN_POINTWISE_ADAPTER_H
#define S2CLR_GDAL_PLUGIN_POINTWISE_ADAPTER_H

#include <cpl_error.h>

#include "base/status.h"
#include "pointwise/pointwise.h"

/* Pixels computed at once: what bounds the memory of a large window. */
#define S2CLR_STRIP_PIXELS 16384

/* Describes a row's arguments in GDAL's XML: <element><Argument .../>...</element>. The caller
 * frees it with CPLFree(). */
char *s2clr_pointwise_arguments_xml(const s2clr_pointwise *row, const char *element);

/* A failure becomes CE_Failure: the function's name and the thread's error text. */
CPLErr s2clr_pointwise_report(const s2clr_pointwise *row, s2clr_status status);

#endif
