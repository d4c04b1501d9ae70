/* What the files of the writer share: writer.c (open, write), writer_creation.c (creation options)
 * and writer_finish.c. */
#ifndef S2CLR_PREDICT_PWRITER_H
#define S2CLR_PREDICT_PWRITER_H

#include <gdal.h>
#include <stddef.h>
#include <stdint.h>

#include "predict/output_file.h"
#include "predict/writer.h"

#define S2CLR_BYTE_STEPS 254
#define S2CLR_BYTE_NODATA 255

/* Of one band. */
typedef struct s2clr_writer_plane {
    s2clr_moments *row; // (rows) of the values as stored
    s2clr_moments all;
    uint64_t histogram[10];
} s2clr_writer_plane;

struct s2clr_writer {
    s2clr_writer_options options;
    bool cog;
    char target[S2CLR_OUTPUT_PATH_MAX]; /* options.path, or what that symbolic link points to */
    char part[S2CLR_OUTPUT_PATH_MAX];   /* the tiled GTiff being written */
    char final[S2CLR_OUTPUT_PATH_MAX];  /* what is renamed: part, or the COG made from it */
    GDALDatasetH dataset;
    s2clr_writer_plane *plane; // (bands)
    s2clr_moments *moments;    // (bands, rows)
    uint8_t *bytes;            /* encoded block */
    size_t byte_room;
};

/* Creation options of the GTiff being written and of the COG made from it; CSLDestroy() them. */
char **s2clr_writer_gtiff_options(const s2clr_writer *writer);
char **s2clr_writer_cog_options(const s2clr_writer *writer);

/* Sets writer->cog; refuses formats, options and pixel types that cannot be had. */
s2clr_status s2clr_writer_check(s2clr_writer *writer);

#endif
