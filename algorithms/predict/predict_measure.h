/*
 * The two samples behind a plan: a small piece of the input read as the run reads it, and patches
 * of noise computed until that takes long enough to measure.
 */
#ifndef S2CLR_PREDICT_PREDICT_MEASURE_H
#define S2CLR_PREDICT_PREDICT_MEASURE_H

#include "predict/predict_plan.h"
#include "predict/ppredict.h"
#include "predict/tasks.h"

/* Reads around output pixel (column, row). */
s2clr_status s2clr_predict_measure_read(const s2clr_predict_job *job, int column, int row,
                                        s2clr_plan_sample *out);

/* Computes a part of a block of that size. out->amount: units, see predict/engine.h. */
s2clr_status s2clr_predict_measure_compute(const s2clr_predict_job *job,
                                           const s2clr_task_block *block, s2clr_plan_sample *out);

#endif
