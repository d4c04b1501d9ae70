/*
 * The edge: a status of the C side becomes GDAL's one message.
 *
 *     if (status != S2CLR_OK) return report_failure(status, CPLE_FileIO);
 */
#ifndef S2CLR_GDAL_PLUGIN_REPORT_H
#define S2CLR_GDAL_PLUGIN_REPORT_H

#include <cpl_error.h>

#include "logic.h"

/* One CE_Failure with the thread's error text. io: the number a failure of a file gets. */
CPLErr report_failure(s2clr_status status, CPLErrorNum io);

/* CE_None, and after the first pixels one CE_Warning when the CPU computes them because a device
 * does not work. */
CPLErr report_done();

#endif
