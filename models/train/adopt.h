/*
 * Weights of one network taken over by another, by the names of its tensors.
 *
 *     S2CLR_TRY(s2clr_net_init(net, seed, params));
 *     S2CLR_TRY(s2clr_weights_adopt(parent_card, parent_net, parent_params, card, net, params,
 *                                   &adoption));
 *     printf("%zu tensors taken, new: %s\n", adoption.taken, adoption.fresh_names);
 */
#ifndef S2CLR_TRAIN_ADOPT_H
#define S2CLR_TRAIN_ADOPT_H

#include <stdbool.h>

#include "file/card.h"
#include "net/net.h"

typedef struct s2clr_adoption {
    size_t taken, fresh; /* tensors of the child: from the parent, as they were drawn */
    size_t taken_values, fresh_values;
    size_t unused;         /* tensors of the parent that the child does not have */
    bool bands_gathered;   /* the first layer's inputs were reordered, or some left out */
    char fresh_names[512]; /* "fc.weight, fc.bias", cut with "..." when there are many */
    int lowest_fresh;      /* node of the first fresh parameter, -1: none */
} s2clr_adoption;

/* Every tensor of the child with the name and shape of one of the parent's is overwritten; the rest
 * of params is left as it is. The first layer's weights are found by the names of the bands: the
 * child's bands must be among the parent's. S2CLR_ERR_MISMATCH when one is not, or when nothing at
 * all could be taken. */
s2clr_status s2clr_weights_adopt(const s2clr_card *parent_card, const s2clr_net *parent,
                                 const float *parent_params, const s2clr_card *card,
                                 const s2clr_net *net, float *params, s2clr_adoption *out);

/* channel: (card->bands) index of each of the card's bands among the parent's; the message names
 * the first that is none of them. */
s2clr_status s2clr_bands_find(const s2clr_card *parent, const s2clr_card *card, int *channel);

#endif
