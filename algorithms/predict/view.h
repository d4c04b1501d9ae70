/*
 * A model over a raster, seen as a raster itself: what the GDAL driver shows. All logic of the
 * driver that is not GDAL's C++ interface is here.
 *
 *     s2clr_view *view;
 *     S2CLR_TRY(s2clr_view_open(&settings, &view));
 *     const s2clr_view_info *info = s2clr_view_describe(view);
 *     S2CLR_TRY(s2clr_view_read(view, 1, 0, 0, info->columns, info->rows, out, NULL));
 *     s2clr_view_close(view);
 *
 * Opening reads the model's card and the inputs' headers; device, threads and weights wait for the
 * first pixel. A value never depends on the window, block, level or thread that asked, and equals
 * what s2clr_predict_run() writes.
 *
 * A view belongs to one thread at a time; models, runtimes and finished blocks are shared by all
 * views of the process.
 */
#ifndef S2CLR_PREDICT_VIEW_H
#define S2CLR_PREDICT_VIEW_H

#include "base/progress.h"
#include "predict/output_bands.h"
#include "sentinel2/stack.h"

typedef struct s2clr_view_settings {
    const char *model; /* file, zoo name, or "" for the default */
    const char *const *inputs;
    size_t input_count;
    s2clr_stack_options stack;
    const char *bands;  /* NULL: "probability" */
    const char *device; /* "auto", "cpu", ... */
    int threads;        /* 0: GDAL_NUM_THREADS if that is set, else one per CPU */
    int stride;         /* 0: the card's */
    double min_valid;
    double prevalence;  /* 0: the model's */
    size_t cache_mb;    /* for finished blocks, shared by the process; 0: leave it as it is */
} s2clr_view_settings;

void s2clr_view_defaults(s2clr_view_settings *settings);

#define S2CLR_VIEW_LEVELS_MAX 32

typedef struct s2clr_view_info {
    int columns, rows;
    bool has_transform;
    double transform[6];
    const char *wkt; /* "" if none */
    const s2clr_output_bands *bands;
    int block_columns, block_rows; /* a whole number of work units */
    int levels;
    int level[S2CLR_VIEW_LEVELS_MAX]; /* overview factors: 2, 4, 8 ... */
    const char *const *tags;          /* NULL-terminated K=V: provenance, domain S2CLR */
    const char *card_json;            /* the whole card, domain json:S2CLR */
    const char *const *files;         /* NULL-terminated: model and source files, for GetFileList */
    const s2clr_stack_info *stack;    /* warnings included, for the edge to show */
    const char *warning;              /* the card's */
} s2clr_view_info;

typedef struct s2clr_view s2clr_view;

s2clr_status s2clr_view_open(const s2clr_view_settings *settings, s2clr_view **out);
void s2clr_view_close(s2clr_view *view);
const s2clr_view_info *s2clr_view_describe(const s2clr_view *view); /* borrowed */

/* Size of overview level `factor` (1: the base): ceil(columns / factor) x ceil(rows / factor). */
void s2clr_view_level_size(const s2clr_view *view, int factor, int *columns, int *rows);

/* Pixels of a window at level `factor`. out: (bands, rows, columns). Costs the units of the window,
 * or nothing when its blocks are in the cache. */
s2clr_status s2clr_view_read(s2clr_view *view, int factor, int column, int row, int columns,
                             int rows, float *out, const s2clr_progress *progress);

/* One block of the level's block lattice, whole: out (bands, block_rows, block_columns), what lies
 * outside the level is NaN. Kept in the shared cache; asked for by two threads at once it is
 * computed once. When blocks of a row are asked for one after the other, the following ones are
 * computed ahead together (1, 2, 4 ... of them). */
s2clr_status s2clr_view_block(s2clr_view *view, int factor, int block_x, int block_y, float *out);

/* Work units computed by this view so far; for tests and bench. */
uint64_t s2clr_view_units(const s2clr_view *view);

#endif
