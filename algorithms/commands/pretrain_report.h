/*
 * What pretraining prints: the plan before, with what it will cost, and the result after.
 */
#ifndef S2CLR_COMMANDS_PRETRAIN_REPORT_H
#define S2CLR_COMMANDS_PRETRAIN_REPORT_H

#include <stdio.h>

#include "commands/dataset_rows.h"
#include "file/model.h"
#include "train/adopt.h"
#include "train/pretrain.h"

typedef struct s2clr_pretrain_plan {
    const s2clr_parts *parts;
    const s2clr_samples *probe; /* count 0: none */
    const s2clr_card *card;
    const s2clr_model *parent;      /* NULL: fresh weights */
    const s2clr_adoption *adoption; /* what was taken of it */
    const s2clr_pretrain_settings *settings;
    size_t with_dates; /* training patches that have another date */
    size_t weights;
    const s2clr_machine *on;
    const s2clr_pretrain_cost *cost; /* NULL: not asked for */
} s2clr_pretrain_plan;

/* For run_record.h; context: a s2clr_pretrain_plan, a s2clr_pretrain_result. */
void s2clr_pretrain_plan_text(FILE *to, const void *context);
void s2clr_pretrain_result_text(FILE *to, const void *context);

s2clr_status s2clr_pretrain_plan_print(const s2clr_args *args, const s2clr_pretrain_plan *plan);
s2clr_status s2clr_pretrain_result_print(const s2clr_args *args,
                                         const s2clr_pretrain_result *result);

#endif
