/*
 * Refuses an output that is one of the things a run reads, whatever name it goes by: links,
 * archives (/vsizip/...), subdataset names and the sources of a VRT included; also every file below
 * a folder that is read.
 */
#ifndef S2CLR_PREDICT_OUTPUT_GUARD_H
#define S2CLR_PREDICT_OUTPUT_GUARD_H

#include <stddef.h>

#include "base/status.h"

/* names: rasters, products, vector data, plain files; NULL entries are passed over.
 * S2CLR_ERR_ARGUMENT when the file `output` belongs to one of them. */
s2clr_status s2clr_output_guard(const char *output, const char *const *names, size_t count);

#endif
