/*
 * What a run would do, found out without writing anything: `--dry-run` of predict and embed.
 *
 *     s2clr_predict_plan plan;
 *     S2CLR_TRY(s2clr_predict_plan_make(&settings, progress, &plan));
 *
 * Inputs and model are opened and the device is started as in the run itself, so what the run would
 * refuse is refused here. Two short samples, of reading and of computing, give the rates of this
 * machine as it is now.
 */
#ifndef S2CLR_PREDICT_PREDICT_PLAN_H
#define S2CLR_PREDICT_PREDICT_PLAN_H

#include "predict/predict.h"

/* A sample that was measured. amount 0: there was nothing to measure. */
typedef struct s2clr_plan_sample {
    uint64_t amount; /* patches, or bytes decoded */
    double seconds;
} s2clr_plan_sample;

typedef struct s2clr_predict_plan {
    char output[4096];   /* the file that would be made: settings->output, or its part */
    char vrt[4096];      /* of a part: the VRT that would be made beside it, else "" */
    bool output_exists;  /* now */
    bool journal_exists; /* with settings->resume: an interrupted run left one */
    int columns, rows, bands;
    char band[128];              /* name of the first */
    uint64_t output_bytes;       /* before compression, overviews included */
    uint64_t pixels, patches;    /* of the map; those that may have to be computed */
    size_t blocks;               /* of the run */
    size_t files;                /* that the input's pixels come from */
    uint64_t file_bytes;         /* on disk; 0 when not all of them are known */
    uint64_t decode_bytes;       /* of pixels to read */
    size_t memory, memory_limit; /* needed, of which GDAL's cache is a part, and allowed; bytes */
    size_t device_memory, device_limit; /* likewise, of a device with memory of its own; else 0 */
    s2clr_plan_sample read, compute;
    double read_seconds, compute_seconds; /* of the whole run, from the samples */
    s2clr_stack_info stack;               /* as opened; wkt is NULL here */
    char device[256];
    int threads;
    char warning[1024]; /* the card's */
} s2clr_predict_plan;

s2clr_status s2clr_predict_plan_make(const s2clr_predict_settings *settings,
                                     const s2clr_progress *progress, s2clr_predict_plan *out);

#endif
