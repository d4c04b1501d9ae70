/*
 * Going on from another model: its weights, its statistics, and which layers learn.
 *
 *     s2clr_finetune start;
 *     S2CLR_TRY(s2clr_finetune_begin(parent, 3, seed, card, &start));  // the last 3 groups learn
 *     settings.initial = start.initial;
 *     settings.frozen = start.frozen;
 *     S2CLR_TRY(s2clr_supervised_run(&settings, card, ...));
 *     s2clr_finetune_end(&start);
 */
#ifndef S2CLR_TRAIN_FINETUNE_H
#define S2CLR_TRAIN_FINETUNE_H

#include "file/model.h"
#include "train/adopt.h"

typedef struct s2clr_finetune {
    float *initial;                     // (param_count)
    size_t frozen;                      /* nodes that stay, for s2clr_supervised_settings */
    size_t groups, trained;             /* of layers: of the network, and those that learn */
    char first_trained[S2CLR_NAME_MAX]; /* name of the first group that learns */
    s2clr_adoption adoption;
} s2clr_finetune;

/* The network that goes on from a parent's: its trunk, its projection layers up to `tap` (0: none,
 * the classifier sees the features), `hiddens` new layers, `outputs`. Layers behind the tap are
 * left out: nothing would train them. S2CLR_ERR_ARGUMENT when the parent has no such layer. */
s2clr_status s2clr_finetune_arch(const s2clr_arch *parent, int tap, int hiddens, const int *hidden,
                                 int outputs, s2clr_arch *out);

/* card: the child's, architecture, bands, unit and levels filled in; its mean, std and parent
 * (SHA-256) are set from the parent's. Weights that the parent does not have are drawn from seed.
 * last: groups of layers that learn, counted from the output (net.h: s2clr_net_depth_list); 0: all.
 * S2CLR_ERR_ARGUMENT when a layer that is new would not learn. */
s2clr_status s2clr_finetune_begin(const s2clr_model *parent, int last, uint64_t seed,
                                  s2clr_card *card, s2clr_finetune *out);
void s2clr_finetune_end(s2clr_finetune *start);

/* Node that the last `last` groups begin with; 0 for last == 0. */
s2clr_status s2clr_finetune_frozen(const s2clr_net *net, int last, size_t *frozen);

#endif
