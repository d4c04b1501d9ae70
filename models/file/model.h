/*
 * A model: network + weights + card, read from one safetensors file.
 *
 *     s2clr_model *model;
 *     S2CLR_TRY(s2clr_model_open("dense.safetensors", &model));
 *     const s2clr_card *card = s2clr_model_card(model);
 *     ... s2clr_plan_new(s2clr_model_net(model), s2clr_model_params(model), ...) ...
 *     s2clr_model_close(model);
 *
 * Immutable once open; shared by threads.
 */
#ifndef S2CLR_FILE_MODEL_H
#define S2CLR_FILE_MODEL_H

#include "file/card.h"
#include "net/net.h"

typedef struct s2clr_model s2clr_model;

/* Checks everything: header, card, card against weights (each tensor present, right shape, none
 * left over but num_batches_tracked), finite weights, no negative variance (0 is what a channel
 * that died in training ends with). All is copied and the file closed again. */
s2clr_status s2clr_model_open(const char *path, s2clr_model **out);
void s2clr_model_close(s2clr_model *model);

/* Borrowed. */
const s2clr_card *s2clr_model_card(const s2clr_model *model);
const s2clr_net *s2clr_model_net(const s2clr_model *model);
const float *s2clr_model_params(const s2clr_model *model); // (param_count)
const char *s2clr_model_path(const s2clr_model *model);
const char *s2clr_model_sha256(const s2clr_model *model); /* 64 hex digits of the whole file */

/* S2CLR_OK when the model has one output, a logit of its positive class; else what it is, and what
 * to do instead (an encoder: embed or finetune). */
s2clr_status s2clr_model_check_binary(const s2clr_model *model);

/* S2CLR_OK when the model's probabilities can be moved to another share of positives: the one in its
 * card has odds. */
s2clr_status s2clr_model_check_prevalence(const s2clr_model *model);

/* Loads a torchvision-named weights file without a card into params of `net`
 * (num_batches_tracked and other unknown tensors are ignored, missing ones are an error). */
s2clr_status s2clr_model_load_weights(const char *path, const s2clr_net *net, float *params);

/* Writes a model file (write, fsync, rename). card is checked first. */
s2clr_status s2clr_model_save(const char *path, const s2clr_card *card, const s2clr_net *net,
                              const float *params);

/* The same with weights of two and more dimensions as bfloat16, to the nearest, ties to even: half
 * the file. A model that is read from it computes with the rounded weights. */
s2clr_status s2clr_model_save_bf16(const char *path, const s2clr_card *card, const s2clr_net *net,
                                   const float *params);

/* Writes a model file with the tensors of the model's own file as they are, and another card of the
 * same architecture. The file must still be the one that was opened. */
s2clr_status s2clr_model_save_card(const char *path, const s2clr_model *model,
                                   const s2clr_card *card);

#endif
