/*
 * What the files of `s2clr evaluate` share: models, the patches they are judged on, and the report.
 * Private to cmd_evaluate.c and evaluate_*.c.
 */
#ifndef S2CLR_COMMANDS_EVALUATE_JOB_H
#define S2CLR_COMMANDS_EVALUATE_JOB_H

#include "backend/backend.h"
#include "commands/dataset_rows.h"
#include "commands/terminal.h"
#include "file/model.h"
#include "report/evaluation.h"
#include "report/map_points.h"

enum { S2CLR_EVALUATE_MODELS = 32 };

typedef struct s2clr_evaluate {
    const s2clr_args *args;
    s2clr_pool *pool;
    const s2clr_progress *progress;
    s2clr_terminal terminal;
    const s2clr_backend *backend;
    s2clr_device *device;
    size_t models;
    s2clr_model *model[S2CLR_EVALUATE_MODELS];
    s2clr_model *probe;   /* whose frozen features are judged, NULL: none */
    const char *positive; /* --positive, else the models' for images; NULL: a store's own labels, or
                             classes */
    bool classes;         /* K classes are told apart, not one from the rest */
    s2clr_parts parts;    /* as the first model reads them */
    const s2clr_samples *part; /* the one that is judged on, of `parts` */
    s2clr_samples samples;     /* the same, disturbed */
    int *labels[3];            /* with classes: index in the first model's, of train, validation
                                  and the part; NULL: those of the samples count */
    const char **class_name;   // (K) with classes
    s2clr_points *points;      /* of a map */
    char said[200];            /* what a map's positives are */
    int *label;                // (points in the report)
    s2clr_evaluation e;
} s2clr_evaluate;

/* ---- evaluate_models.c ---- */

/* Opens the models that -m and --probe name and checks that one question fits them all. */
s2clr_status s2clr_evaluate_open_models(s2clr_evaluate *j);

/* Adds a row for every model to the report. */
s2clr_status s2clr_evaluate_models(s2clr_evaluate *j);

/* ---- evaluate_data.c ---- */

/* Opens the patches as a model reads them; `needed` as in s2clr_parts_options. */
s2clr_status s2clr_evaluate_open_parts(s2clr_evaluate *j, const s2clr_card *card, s2clr_parts *out);

/* The part that --part names. */
const s2clr_samples *s2clr_evaluate_part(const s2clr_evaluate *j, const s2clr_parts *parts);

/* Samples, labels and groups of the report, from the first model's patches. */
s2clr_status s2clr_evaluate_open_data(s2clr_evaluate *j);
void s2clr_evaluate_close_data(s2clr_evaluate *j);

/* ---- evaluate_baselines.c ---- */

s2clr_status s2clr_evaluate_baselines(s2clr_evaluate *j);

/* ---- evaluate_map.c ---- */

/* Points as samples, the map as the only row. */
s2clr_status s2clr_evaluate_map(s2clr_evaluate *j);
void s2clr_evaluate_map_close(s2clr_evaluate *j);

#endif
