/*
 * The output raster: one band, tiled GTiff or COG, written under a temporary name beside the final
 * one and renamed when all of it (overviews, statistics, tags) is safely on disk.
 *
 *     S2CLR_TRY(s2clr_writer_open(&options, &writer));
 *     status = s2clr_writer_write(writer, column, row, columns, rows, probability);
 *     ...
 *     if (status == S2CLR_OK) status = s2clr_writer_finish(writer, progress, 0.97);
 *     s2clr_writer_close(writer);  // without a successful finish: nothing is left behind
 *
 * Float32: NaN is nodata. Byte: round(254 p), SCALE 1/254, nodata 255.
 */
#ifndef S2CLR_PREDICT_WRITER_H
#define S2CLR_PREDICT_WRITER_H

#include <stdbool.h>

#include "base/progress.h"
#include "base/status.h"
#include "predict/statistics.h"

typedef struct s2clr_writer_options {
    const char *path;
    const char *format;          /* "GTiff" or "COG" */
    const char *const *creation; /* NULL-terminated K=V or NULL */
    bool byte_output, overwrite;
    int columns, rows, threads;
    bool has_transform;
    double transform[6];
    const char *wkt;         /* "" if none */
    const char *band;        /* description */
    const char *const *tags; /* NULL-terminated K=V, borrowed until open returns: metadata domain
                                S2CLR; in a COG the default domain, names with S2CLR_ before */
} s2clr_writer_options;

typedef struct s2clr_writer s2clr_writer;

/* The strings of options must outlive the writer. S2CLR_ERR_EXISTS, S2CLR_ERR_IO and
 * S2CLR_ERR_ARGUMENT before anything long has begun. */
s2clr_status s2clr_writer_open(const s2clr_writer_options *options, s2clr_writer **out);

/* Blocks may come in any order, but those of one row from left to right. All-NaN blocks are not
 * stored. */
s2clr_status s2clr_writer_write(s2clr_writer *writer, int column, int row, int columns, int rows,
                                const float *probability);

/* Overviews, statistics, final format, rename. Progress runs from `from` to 1. */
s2clr_status s2clr_writer_finish(s2clr_writer *writer, const s2clr_progress *progress, double from);

/* Of the probabilities as stored (Byte values decoded). Valid after finish. */
void s2clr_writer_statistics(const s2clr_writer *writer, s2clr_moments *moments,
                             uint64_t histogram[10]);

/* Removes what is unfinished; NULL is allowed. */
void s2clr_writer_close(s2clr_writer *writer);

#endif
