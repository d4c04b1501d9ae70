/* What the files of a run of prediction share: predict.c (the run), predict_open.c (what it reads)
 * and predict_output.c (where finished pieces go). */
#ifndef S2CLR_PREDICT_PPREDICT_H
#define S2CLR_PREDICT_PPREDICT_H

#include <gdal.h>

#include "predict/aoi.h"
#include "predict/blend.h"
#include "predict/engine.h"
#include "predict/journal.h"
#include "predict/map_sides.h"
#include "predict/output_bands.h"
#include "predict/predict.h"
#include "predict/shards.h"
#include "predict/stream.h"
#include "predict/writer.h"
#include "sentinel2/stack_files.h"

/* Everything a run holds; released in one place, whatever happened. */
typedef struct s2clr_predict_job {
    const s2clr_predict_settings *settings;
    const s2clr_progress *progress;
    s2clr_predict_result result;
    const s2clr_model *model;
    s2clr_output_bands bands;
    s2clr_runtime *runtime;
    s2clr_stack *stack;
    s2clr_stack_files files; /* of it */
    s2clr_grid grid;         /* of the patches */
    s2clr_grid map;          /* of the output: the same, or with blending every input pixel */
    int whole[4];            /* the map asked for, in the map's grid: column, row, columns, rows */
    int window[4];           /* the file's: whole, or a part of its rows */
    int work[4];             /* what of it the area of interest meets; no rows: nothing */
    int patches[4];          /* the patches for work */
    s2clr_aoi *aoi;
    s2clr_engine *engine;
    size_t memory; /* bytes */
    GIntBig old_cache;
    bool cache_changed;
    s2clr_shard shard; /* count 0: none */
    s2clr_journal *journal;
    s2clr_blend *blend;
    s2clr_writer *writer;
    s2clr_writer_band *writer_band; // (bands)
    char **tags;                    /* CSL */
    char **part_tags;               /* CSL, for a shard */
    s2clr_map_sides sides;
    char styled[S2CLR_OUTPUT_PATH_MAX]; /* the VRT of a part's map */
    const float **record;               // (planes) of a piece for the journal
    float *plane;                       /* one band of a piece */
    size_t plane_room;                  /* floats */
    uint8_t *inside;                    /* blending: the area of interest in the rows handed out */
    size_t inside_room;
} s2clr_predict_job;

/* predict_open.c: model, inputs, bands, grids, windows, area of interest; then the engine and the
 * part of the rows, which takes the engine's units. */
s2clr_status s2clr_predict_open(s2clr_predict_job *job);
s2clr_status s2clr_predict_make_engine(s2clr_predict_job *job);

/* Refuses an output that belongs to what the run reads. */
s2clr_status s2clr_predict_guard(const s2clr_predict_job *job, const char *output);

/* predict_output.c: where finished pieces go. */
s2clr_status s2clr_predict_make_output(s2clr_predict_job *job);
s2clr_status s2clr_predict_try_output(s2clr_predict_job *job); /* refuses the same, makes nothing */
s2clr_status s2clr_predict_replay(s2clr_predict_job *job); /* narrows job->patches to the rest */
s2clr_status s2clr_predict_take(s2clr_predict_job *job, const s2clr_stream_piece *piece);
s2clr_status s2clr_predict_finish(s2clr_predict_job *job, double from);

/* predict.c: how the stream asks which pixels are wanted; and what a job holds, released. */
void s2clr_predict_choose(s2clr_predict_job *job, s2clr_stream_request *request);
void s2clr_predict_release(s2clr_predict_job *job);

/* predict_sides.c: what is made beside the output; asks whether it may be. */
s2clr_status s2clr_predict_check_sides(s2clr_predict_job *job);

/* predict_identity.c: what decides the bytes of the output, as K=V for the journal; the caller
 * frees with CSLDestroy(). */
char **s2clr_predict_identity(const s2clr_predict_job *job);

#endif
