/*
 * What the files behind view.h share. Private.
 */
#ifndef S2CLR_PREDICT_PVIEW_H
#define S2CLR_PREDICT_PVIEW_H

#include "predict/model_share.h"
#include "predict/result_cache.h"
#include "predict/view.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/stack_files.h"

struct s2clr_view {
    /* Set when opened, then never changed. */
    s2clr_view_settings settings; /* its texts are in `text` */
    char **text;                  // (texts) owned copies
    size_t texts;
    char name[200]; /* of the first input, for messages */
    const s2clr_model *model;
    s2clr_grid grid;
    s2clr_output_bands bands;
    s2clr_stack_info stack_info; /* of the stack as first opened, wkt owned */
    char **file_list;            /* CSL: the model and the files of the first opening */
    char **tags;                 /* CSL */
    char *card_json;
    s2clr_view_info info;

    /* Made when a pixel is asked for; the stack is closed after a failure and opened anew. */
    s2clr_stack *stack;
    s2clr_stack_files files; /* of it */
    s2clr_runtime *runtime;
    s2clr_engine *engine;
    uint64_t units; /* of engines that are gone */

    /* What the values depend on (view_identity.c). */
    bool known;        /* all files could be looked at when the stack was opened */
    uint8_t state[32]; /* of those files, then */
    uint8_t key[32];
    bool has_key;

    /* The block that continues the sequence of the last ones, and how many to compute then. */
    int next_factor, next_x, next_y, ahead;
};

/* A rectangle of one level. */
typedef struct s2clr_view_window {
    int factor, column, row, columns, rows;
} s2clr_view_window;

/* view.c: around all that opens or reads; `name` is for messages. End passes `status` on. */
s2clr_status s2clr_view_begin(const char *name, s2clr_gdal_watch *watch);
s2clr_status s2clr_view_end(s2clr_gdal_watch *watch, s2clr_status status);

/* view_open.c: opens the inputs, for the first time or again. */
s2clr_status s2clr_view_open_stack(s2clr_view *view);

/* view_identity.c. Seconds since 1970. */
double s2clr_view_clock(void);
/* Notes the state of the files of a stack opened since `began`. */
void s2clr_view_note_state(s2clr_view *view, double began);
/* True when what is computed now is still what the key says. */
bool s2clr_view_is_unchanged(const s2clr_view *view);
/* Sets view->key; needs the runtime. */
void s2clr_view_make_key(s2clr_view *view);

/* view_compute.c: runtime, stack and engine are there. */
s2clr_status s2clr_view_ready(s2clr_view *view);
/* out: (bands, rows, columns). */
s2clr_status s2clr_view_compute(s2clr_view *view, const s2clr_view_window *window, float *out,
                                const s2clr_progress *progress);

/* view_block.c: from the cache, or computed with those that follow. */
s2clr_status s2clr_view_obtain_block(s2clr_view *view, int factor, int block_x, int block_y,
                                     float *out);

/* view_lattice.c: the blocks of a level. */
size_t s2clr_view_block_floats(const s2clr_view *view);
/* Pixels of a block that lie inside the level. */
s2clr_view_window s2clr_view_block_window(const s2clr_view *view, int factor, int block_x,
                                          int block_y);
s2clr_result_key s2clr_view_block_key(const s2clr_view *view, int factor, int block_x, int block_y);
/* block: (bands, block_rows, block_columns), NaN outside the level, out of values of `from`. */
void s2clr_view_cut(const s2clr_view *view, const s2clr_view_window *from, const float *values,
                    int block_x, int block_y, float *block);
/* Fills `out` of the window from finished blocks; false when one is missing. */
bool s2clr_view_from_cache(const s2clr_view *view, const s2clr_view_window *window, float *out);
/* Gives the whole blocks inside the window to the cache. */
void s2clr_view_to_cache(const s2clr_view *view, const s2clr_view_window *window,
                         const float *values);

#endif
