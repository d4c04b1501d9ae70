/*
 * What supervised, finetune and distill have in common: labelled (or taught) patches in, a run
 * folder with a model out. A command fills in what it goes on from and calls s2clr_labelled_run():
 *
 *     s2clr_labelled job = {.args = args, .last = S2CLR_LAST_ALL};
 *     job.parent_path = s2clr_args_text(args, "model");
 *     return s2clr_labelled_run(&job);
 */
#ifndef S2CLR_COMMANDS_LABELLED_RUN_H
#define S2CLR_COMMANDS_LABELLED_RUN_H

#include <stdio.h>

#include "commands/dataset_rows.h"
#include "file/model.h"
#include "train/finetune.h"
#include "train/supervised.h"

enum { S2CLR_TEACHERS_MAX = 16, S2CLR_LAST_ALL = -1 };

typedef struct s2clr_labelled {
    /* the command's */
    const s2clr_args *args;
    const char *parent_path; /* model to go on from, NULL: none */
    int tap, hiddens, hidden[S2CLR_HEAD_MAX];
    int last;                        /* of the parent's layers that learn, S2CLR_LAST_ALL: all */
    const char *const *teacher_path; // (teachers)
    size_t teachers;
    double teacher_share, teacher_temperature; /* with teachers, as in s2clr_supervised_settings */
    bool teacher_hard;

    /* the run's own */
    s2clr_supervised_settings settings;
    s2clr_machine on;
    const s2clr_progress *progress;
    s2clr_parts parts;
    s2clr_store_facts store;
    const char *positive; /* class that is label 1; NULL: a store's labels, or classes of images */
    bool classes;         /* labels are the classes of images */
    bool unlabelled;      /* nothing says what the training patches are: the teacher does */
    s2clr_card *card;
    s2clr_model *parent;
    s2clr_finetune start;
    s2clr_model *teacher[S2CLR_TEACHERS_MAX];
    float *soft;       // (train, K) the teachers' logits
    int *teacher_says; // (validation) their decisions, when there are no labels to be judged by
    double teaching_seconds; /* of a dry run: what asking them would take */
    double class_weight[S2CLR_CARD_CLASSES_MAX];
    s2clr_supervised_cost cost; /* of a dry run */
    s2clr_supervised_result result;
} s2clr_labelled;

/* The whole command: exit code. */
int s2clr_labelled_run(s2clr_labelled *job);

/* ---- labelled_data.c ---- */

/* Models, then patches of all parts, and which labels they have. */
s2clr_status s2clr_labelled_open(s2clr_labelled *job);
void s2clr_labelled_close(s2clr_labelled *job);

/* ---- labelled_card.c ---- */

/* The card that a store is read by, NULL for images. */
s2clr_status s2clr_labelled_store_card(s2clr_labelled *job, s2clr_card **out);

/* The card of the model to be, into job->card. */
s2clr_status s2clr_labelled_card(s2clr_labelled *job);

/* ---- labelled_teach.c ---- */

/* Asks the teachers; of a dry run, only how long it would take. */
s2clr_status s2clr_labelled_teach(s2clr_labelled *job, const s2clr_progress *progress);

/* ---- labelled_report.c ---- */

/* context: a s2clr_labelled. */
void s2clr_labelled_plan_text(FILE *to, const void *context);
void s2clr_labelled_result_text(FILE *to, const void *context);
s2clr_status s2clr_labelled_plan_print(const s2clr_labelled *job);
s2clr_status s2clr_labelled_result_print(const s2clr_labelled *job);

#endif
