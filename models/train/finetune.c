#include "train/finetune.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

s2clr_status s2clr_finetune_arch(const s2clr_arch *parent, int tap, int hiddens, const int *hidden,
                                 int outputs, s2clr_arch *out)
{
    if (tap < 0 || tap > parent->projections)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "projection layer %d was asked for, the parent has %d; 0 takes the "
                               "features of its trunk",
                               tap, parent->projections);
    if (hiddens < 0 || hiddens > S2CLR_HEAD_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%d hidden layers, must be 0 to %d", hiddens,
                               S2CLR_HEAD_MAX);
    *out = *parent;
    out->outputs = outputs;
    out->tap = out->projections = tap;
    out->hiddens = hiddens;
    for (int i = 0; i < S2CLR_HEAD_MAX; i++) {
        if (i >= tap) out->projection[i] = 0;
        out->hidden[i] = i < hiddens ? hidden[i] : 0;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_finetune_frozen(const s2clr_net *net, int last, size_t *frozen)
{
    const s2clr_net_group *group;
    const size_t groups = s2clr_net_depth_list(net, &group);
    if (last < 0 || (size_t)last > groups)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the last %d layers shall learn, %s has %zu (%s to %s); 0 means all",
                               last, s2clr_net_arch(net)->name, groups, group[0].name,
                               group[groups - 1].name);
    *frozen = last == 0 || (size_t)last == groups ? 0 : group[groups - (size_t)last].first_node;
    return S2CLR_OK;
}

/* Statistics are part of the weights: what a value means to the first layer. */
static s2clr_status adopt_statistics(const s2clr_card *parent, s2clr_card *card)
{
    int channel[S2CLR_CARD_BANDS_MAX];
    const char *theirs = parent->text[S2CLR_CARD_UNIT], *ours = card->text[S2CLR_CARD_UNIT];
    S2CLR_TRY(s2clr_bands_find(parent, card, channel));
    if (theirs[0] && ours[0] && strcmp(theirs, ours) != 0)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "the parent model \"%s\" was trained on %s, the card's unit is %s; "
                               "give the card the parent's unit and levels",
                               parent->id, theirs, ours);
    for (int b = 0; b < card->bands; b++) {
        card->mean[b] = parent->mean[channel[b]];
        card->std[b] = parent->std[channel[b]];
    }
    return S2CLR_OK;
}

static s2clr_status check_fresh(const s2clr_net *net, const s2clr_finetune *start)
{
    const int lowest = start->adoption.lowest_fresh;
    if (lowest < 0 || (size_t)lowest >= start->frozen) return S2CLR_OK;
    const s2clr_net_group *group;
    const size_t groups = s2clr_net_depth_list(net, &group);
    size_t needed = 1;
    while (needed < groups && group[groups - needed].first_node > (size_t)lowest) needed++;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s is not in the parent and would stay as it was drawn: let at least "
                           "the last %zu of %zu layers learn (%s and what follows)",
                           s2clr_net_node(net, (size_t)lowest)->name, needed, groups,
                           group[groups - needed].name);
}

static void describe(const s2clr_net *net, s2clr_finetune *start)
{
    const s2clr_net_group *group;
    start->groups = s2clr_net_depth_list(net, &group);
    size_t first = 0;
    while (start->frozen > 0 && first + 1 < start->groups &&
           group[first].first_node < start->frozen)
        first++;
    start->trained = start->groups - first;
    snprintf(start->first_trained, sizeof start->first_trained, "%s", group[first].name);
}

static s2clr_status begin(const s2clr_model *parent, int last, uint64_t seed, s2clr_card *card,
                          const s2clr_net *net, s2clr_finetune *start)
{
    const s2clr_card *theirs = s2clr_model_card(parent);
    S2CLR_TRY(s2clr_finetune_frozen(net, last, &start->frozen));
    S2CLR_TRY(s2clr_alloc(s2clr_net_param_count(net), sizeof(float), "first weights",
                          (void **)&start->initial));
    S2CLR_TRY(s2clr_net_init(net, seed, start->initial));
    S2CLR_TRY(s2clr_weights_adopt(theirs, s2clr_model_net(parent), s2clr_model_params(parent), card,
                                  net, start->initial, &start->adoption));
    S2CLR_TRY(check_fresh(net, start));
    S2CLR_TRY(adopt_statistics(theirs, card));
    describe(net, start);
    return s2clr_card_set_text(card, S2CLR_CARD_PARENT, s2clr_model_sha256(parent));
}

s2clr_status s2clr_finetune_begin(const s2clr_model *parent, int last, uint64_t seed,
                                  s2clr_card *card, s2clr_finetune *out)
{
    s2clr_finetune start = {0};
    s2clr_net *net;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    const s2clr_status status = begin(parent, last, seed, card, net, &start);
    s2clr_net_free(net);
    if (status != S2CLR_OK) {
        s2clr_free(start.initial);
        return status;
    }
    *out = start;
    return S2CLR_OK;
}

void s2clr_finetune_end(s2clr_finetune *start)
{
    s2clr_free(start->initial);
    start->initial = NULL;
}
