/* What the files behind `s2clr topk` share: the run, and where its patches come from. */
#ifndef S2CLR_COMMANDS_TOPK_JOB_H
#define S2CLR_COMMANDS_TOPK_JOB_H

#include <jansson.h>
#include <stdio.h>

#include "commands/dataset_rows.h"
#include "predict/zoo.h"
#include "report/topk.h"
#include "report/topk_map.h"
#include "report/topk_windows.h"

/* Bits, for the table of options that make sense with each. */
typedef enum s2clr_topk_kind {
    S2CLR_TOPK_DATASET = 1, /* a store or images */
    S2CLR_TOPK_SCENE = 2,   /* a product or raster, through a model */
    S2CLR_TOPK_MAP = 4      /* a product or raster, under a map made before */
} s2clr_topk_kind;

typedef struct s2clr_topk_job {
    const s2clr_args *args;
    s2clr_topk_kind kind;
    const char *const *inputs;
    size_t input_count;
    s2clr_stack_options stack;
    s2clr_progress progress; /* of the part of the run under way */
    s2clr_pool *pool;        /* for data sets */
    char model_path[S2CLR_ZOO_PATH];
    const s2clr_model *model; /* NULL with a map */
    s2clr_topk_map map;       /* what it says; with a map */
    s2clr_topk_raster raster; /* but for data sets */
    s2clr_parts parts;        /* of a data set; `test` is the part that was asked for */
    s2clr_topk_rule rule;
    s2clr_topk_list list;
    s2clr_topk_item *chosen; // (rule.count)
    s2clr_topk_counts counts;
    size_t outside; /* pixels of a map that lie beside the raster */
    s2clr_sheet sheet;
    s2clr_topk_pixels pixels;
    char source[1500], choice[600];
} s2clr_topk_job;

/* topk_samples.c: patches of a data set into job->list; names, places and pixels of the chosen. */
s2clr_status s2clr_topk_samples_find(s2clr_topk_job *job);
s2clr_status s2clr_topk_samples_show(s2clr_topk_job *job);

/* topk_report.c: job->source and job->choice, for the page and for people; then all of it. */
void s2clr_topk_say(s2clr_topk_job *job);
json_t *s2clr_topk_json(const s2clr_topk_job *job);
void s2clr_topk_print(FILE *to, const s2clr_topk_job *job);

#endif
