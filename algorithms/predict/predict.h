/*
 * Product in, raster out: the streaming run behind `s2clr predict` and `s2clr embed`.
 *
 * Reader thread (large strips, each read once) -> engine (one worker per core) -> journal (when the
 * run can be resumed) -> blending (when the map is on the input's grid) -> writer (tiled GTiff or
 * COG under a temporary name, overviews, statistics, provenance) -> rename.
 */
#ifndef S2CLR_PREDICT_PREDICT_H
#define S2CLR_PREDICT_PREDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/progress.h"
#include "predict/journal.h"
#include "predict/map_polygons.h"
#include "predict/map_style.h"
#include "sentinel2/stack.h"

typedef struct s2clr_predict_settings {
    const char *model_path;
    const char *const *inputs;
    size_t input_count;
    const char *output;
    s2clr_stack_options stack;
    const char *device;          /* "auto", "cpu" ... */
    s2clr_precision precision;   /* of the arithmetic */
    int threads;                 /* 0: all CPUs */
    size_t memory_mb;            /* 0: a quarter of what is available */
    const char *bands;           /* NULL: "probability"; see predict/output_bands.h */
    int stride;                  /* 0: the card's */
    double min_valid;            /* default 0.5 */
    double prevalence;           /* 0: the one the model was trained for */
    bool blend;                  /* Hann-weighted mean of the patches, on the input's grid */
    const int *srcwin;           /* NULL or x, y, w, h in input pixels */
    const double *projwin;       /* NULL or ulx, uly, lrx, lry in the input's CRS */
    const char *aoi;             /* NULL or an OGR dataset: outside its polygons is nodata */
    const char *format;          /* "GTiff" or "COG" */
    const char *const *creation; /* NULL-terminated K=V list or NULL */
    bool byte_output;            /* -ot Byte: SCALE 1/254, nodata 255 */
    bool overwrite;
    bool resume;              /* keep a journal, and go on where one ends; see predict/journal.h.
                                 One of a run with other settings is refused unless `overwrite` */
    int shard, shards;        /* part `shard` (from 1) of `shards`, see predict/shards.h; 0: all */
    const char *command_line; /* for provenance */
    const char *polygons;     /* NULL or a GeoPackage to make as well, see predict/map_polygons.h */
    bool no_style;            /* no .qml beside the output, see predict/map_style.h */
    const char *report;       /* NULL or a page the caller makes of the result: that it may be
                                 written is found out before anything long begins */
} s2clr_predict_settings;

typedef struct s2clr_predict_result {
    char output[4096]; /* the file made: settings->output, or its part */
    int columns, rows, bands;
    char band[128];         /* name of the first band */
    const char *quantity;   /* what it holds: "probability", "entropy" ... */
    bool from_0_to_1;       /* so that its histogram means something */
    double input_window[4]; /* x, y, width, height in input pixels; may reach beyond the input */
    uint64_t pixels, valid_pixels, skipped_pixels; /* output pixels; valid: of the first band */
    int resumed_rows;                              /* rows of patches taken from the journal */
    char thrown_away[S2CLR_JOURNAL_TOLD_MAX];      /* what of another run, "": nothing */
    double mean, minimum, maximum;                 /* of the first band */
    uint64_t histogram[10];
    double seconds, read_seconds, compute_seconds, write_seconds;
    double megapixels_per_second; /* input pixels covered / seconds / 1e6 */
    s2clr_stack_info stack;       /* as opened; wkt is NULL here */
    char device[256];
    int threads;
    char warning[1024]; /* the card's */
    s2clr_style_told style;
    s2clr_polygons_told polygons; /* when they were asked for */
} s2clr_predict_result;

void s2clr_predict_defaults(s2clr_predict_settings *settings);

/* On any failure nothing exists under settings->output that did not exist before; with `resume`
 * what is finished stays in OUT.part.journal, whatever happens. *result is filled in as far as the
 * run came, also when it fails: what of another run was thrown away has to be said. */
s2clr_status s2clr_predict_run(const s2clr_predict_settings *settings,
                               const s2clr_progress *progress, s2clr_predict_result *result);

#endif
