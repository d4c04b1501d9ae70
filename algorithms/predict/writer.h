/*
 * The output raster: tiled GTiff or COG, written under a temporary name beside the final one and
 * renamed when all of it (overviews, statistics, tags) is safely on disk.
 *
 *     S2CLR_TRY(s2clr_writer_open(&options, &writer));
 *     status = s2clr_writer_write(writer, 0, column, row, columns, rows, probability);
 *     ...
 *     if (status == S2CLR_OK) status = s2clr_writer_finish(writer, progress, 0.97);
 *     if (status == S2CLR_OK) status = s2clr_writer_publish(writer);
 *     s2clr_writer_close(writer);  // what is not published is removed
 *
 * Float32: NaN is nodata. Byte, for bands that range from 0 to 1 only: round(254 v), SCALE 1/254,
 * nodata 255. Several bands lie one behind the other (INTERLEAVE=BAND): a viewer shows one of them,
 * and its blocks without data are not stored whatever the others hold.
 */
#ifndef S2CLR_PREDICT_WRITER_H
#define S2CLR_PREDICT_WRITER_H

#include <stdbool.h>

#include "base/progress.h"
#include "base/status.h"
#include "predict/statistics.h"

/* Metadata of a band, where every program shows it; the driver S2CLR names the first two alike. */
#define S2CLR_BAND_QUANTITY "QUANTITY"
#define S2CLR_BAND_HELP "HELP"
#define S2CLR_BAND_MAXIMUM "HIGHEST_POSSIBLE"

typedef struct s2clr_writer_band {
    const char *name;     /* description */
    const char *unit;     /* NULL: none */
    bool from_0_to_1;     /* Byte can hold it, and a histogram of tenths means something */
    const char *quantity; /* the word of output_bands.h, NULL: unknown; with `help`, what it means,
                             and `maximum` metadata of the band */
    const char *help;
    double maximum; /* what a ramp of colours ends with, 0: no range */
} s2clr_writer_band;

typedef struct s2clr_writer_options {
    const char *path;
    const char *format;          /* "GTiff" or "COG" */
    const char *const *creation; /* NULL-terminated K=V or NULL */
    bool byte_output, overwrite;
    bool steady_name; /* the temporary file is OUT.part.tif whatever the process, and one that an
                         earlier run left is replaced */
    int columns, rows, threads;
    bool has_transform;
    double transform[6];
    const char *wkt; /* "" if none */
    int bands;
    const s2clr_writer_band *band; // (bands)
    const char *const *tags; /* NULL-terminated K=V, borrowed until open returns: metadata domain
                                S2CLR; in a COG the default domain, names with S2CLR_ before */
    const char *const *part_tags; /* the same for domain S2CLR_SHARD; NULL: none (never a COG) */
} s2clr_writer_options;

typedef struct s2clr_writer s2clr_writer;

/* The strings and bands of options must outlive the writer. S2CLR_ERR_EXISTS, S2CLR_ERR_IO and
 * S2CLR_ERR_ARGUMENT before anything long has begun. */
s2clr_status s2clr_writer_open(const s2clr_writer_options *options, s2clr_writer **out);

/* Refuses what s2clr_writer_open() refuses before it makes anything. */
s2clr_status s2clr_writer_try(const s2clr_writer_options *options);

/* One band (from 0) of a block. Blocks may come in any order, but those of one band and row from
 * left to right. All-NaN blocks are not stored. */
s2clr_status s2clr_writer_write(s2clr_writer *writer, int band, int column, int row, int columns,
                                int rows, const float *values);

/* Overviews, statistics, final format. Progress runs from `from` to 1. */
s2clr_status s2clr_writer_finish(s2clr_writer *writer, const s2clr_progress *progress, double from);

/* Of a band's values as stored (Byte values decoded). histogram: of bands from 0 to 1, else 0.
 * Valid after finish. */
void s2clr_writer_statistics(const s2clr_writer *writer, int band, s2clr_moments *moments,
                             uint64_t histogram[10]);

/* The finished file under its temporary name. Borrowed. */
const char *s2clr_writer_finished(const s2clr_writer *writer);

/* Gives it its name. */
s2clr_status s2clr_writer_publish(const s2clr_writer *writer);

/* Removes what is unfinished; NULL is allowed. */
void s2clr_writer_close(s2clr_writer *writer);

#endif
