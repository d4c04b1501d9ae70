#include "commands/encoder_data.h"

#include <string.h>

#include "commands/card_build.h"
#include "commands/card_inherit.h"
#include "commands/dataset_text.h"
#include "commands/training_rows.h"

static s2clr_card_facts facts_of(const s2clr_encoder_data *data)
{
    s2clr_card_facts facts = s2clr_card_facts_of(data->args, &data->store);
    facts.encoder = true;
    return facts;
}

/* ---- the patches ---- */

/* What the samples of a store are made for; NULL for images. */
static s2clr_status card_of_store(const s2clr_encoder_data *data, s2clr_card **out)
{
    bool measured;
    *out = NULL;
    if (!data->store.store) return S2CLR_OK;
    if (data->parent) return s2clr_card_inherit(data->parent, data->store.bands, out);
    const s2clr_card_facts facts = facts_of(data);
    return s2clr_card_build(data->args, &facts, out, &measured);
}

static s2clr_status open_all(s2clr_encoder_data *data, s2clr_parts_options *options,
                             s2clr_pool *pool, const s2clr_progress *progress)
{
    const char *initial = s2clr_args_text(data->args, "initial");
    s2clr_card *card;
    if (initial) {
        S2CLR_TRY(s2clr_parent_open(initial, &data->parent));
        S2CLR_TRY(s2clr_parent_check(data->args, data->parent));
    }
    S2CLR_TRY(s2clr_parent_store_facts(data->args, data->parent, &data->store));
    S2CLR_TRY(card_of_store(data, &card));
    options->card = card;
    const s2clr_status status = s2clr_parts_open(data->args, options, pool, progress, &data->parts);
    s2clr_card_free(card);
    return status;
}

s2clr_status s2clr_encoder_data_open(const s2clr_args *args, const char *probe, unsigned needed,
                                     s2clr_pool *pool, const s2clr_progress *progress,
                                     s2clr_encoder_data *out)
{
    s2clr_parts_options options = {
        .positive = probe, .needed = needed, .fraction = 1, .pretraining = true};
    *out = (s2clr_encoder_data){.args = args};
    const s2clr_status status = open_all(out, &options, pool, progress);
    if (status != S2CLR_OK) s2clr_encoder_data_close(out);
    return status;
}

void s2clr_encoder_data_close(s2clr_encoder_data *data)
{
    s2clr_parts_close(&data->parts);
    s2clr_model_close(data->parent);
    data->parent = NULL;
}

/* ---- the card ---- */

/* The parent's trunk; a projection head that it does not have is as without a parent. */
static s2clr_status set_network(const s2clr_encoder_data *data, s2clr_card *card)
{
    s2clr_arch arch = card->arch;
    int width[S2CLR_HEAD_MAX] = {0}, count;
    S2CLR_TRY(s2clr_widths_read(data->args, "projection", width, &count));
    if (arch.projections == 0 || s2clr_args_given(data->args, "projection")) {
        arch.projections = count;
        memcpy(arch.projection, width, sizeof width);
    }
    arch.outputs = arch.tap = arch.hiddens = 0;
    memset(arch.hidden, 0, sizeof arch.hidden);
    card->arch = arch;
    return S2CLR_OK;
}

/* What the parent decided, the encoder does not. */
static void clear_labels(s2clr_card *card)
{
    memset(card->class_name, 0, sizeof card->class_name);
    memset(card->positive, 0, sizeof card->positive);
    memset(card->negative, 0, sizeof card->negative);
    card->classes = 0;
}

static s2clr_status inherited_card(const s2clr_encoder_data *data, s2clr_card **out)
{
    const s2clr_samples *all = &data->parts.all;
    s2clr_card *card;
    S2CLR_TRY(s2clr_card_inherit_for(data->args, data->parent, &data->store, all->channels, &card));
    clear_labels(card);
    s2clr_status status = set_network(data, card);
    if (status == S2CLR_OK) status = s2clr_card_inherit_end(data->args, "encoder", all, &card);
    if (status == S2CLR_OK)
        *out = card;
    else
        s2clr_card_free(card);
    return status;
}

s2clr_status s2clr_encoder_card(const s2clr_encoder_data *data, s2clr_card **out)
{
    const s2clr_samples *all = &data->parts.all;
    char dataset[600];
    bool measured;
    if (data->parent) return inherited_card(data, out);
    s2clr_card_facts facts = facts_of(data);
    s2clr_dataset_text(s2clr_args_text(data->args, "dataset"), all, dataset, sizeof dataset);
    facts.channels = all->channels;
    facts.patch = all->size;
    facts.dataset = dataset;
    return s2clr_card_build(data->args, &facts, out, &measured);
}
