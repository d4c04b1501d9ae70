/*
 * One copy of every open model in the process, however many datasets and threads use it.
 *
 *     const s2clr_model *model;
 *     S2CLR_TRY(s2clr_model_acquire("dense.safetensors", &model));
 *     ...
 *     s2clr_model_release(model);
 *
 * Models are told apart by path, device and inode, size and time of change (to the nanosecond): a
 * file that was replaced is opened anew, and who holds the old one keeps it. Thread-safe.
 */
#ifndef S2CLR_PREDICT_MODEL_SHARE_H
#define S2CLR_PREDICT_MODEL_SHARE_H

#include <stddef.h>

#include "file/model.h"

/* Opens the model or takes the open one. Every acquire wants its release. */
s2clr_status s2clr_model_acquire(const char *path, const s2clr_model **out);
void s2clr_model_release(const s2clr_model *model); /* NULL is allowed */

/* Another hold on an acquired model; wants its release as well. */
s2clr_status s2clr_model_hold(const s2clr_model *model);

/* Models open at the moment; for tests. */
size_t s2clr_model_share_count(void);

#endif
