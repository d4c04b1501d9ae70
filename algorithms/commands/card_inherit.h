/*
 * The model that another one goes on from or learns from, and the card that it hands on: bands,
 * levels, patch, unit and statistics stay, for the weights mean something with these only.
 *
 *     S2CLR_TRY(s2clr_parent_open("enc/model.safetensors", &parent));
 *     S2CLR_TRY(s2clr_parent_check(args, parent));
 *     S2CLR_TRY(s2clr_parent_store_facts(args, parent, &store));
 *     ... open the patches ...
 *     S2CLR_TRY(s2clr_card_inherit_for(args, parent, &store, all.channels, &card));
 *     ... card->arch, labels ...
 *     S2CLR_TRY(s2clr_card_inherit_end(args, "encoder", &all, &card));
 */
#ifndef S2CLR_COMMANDS_CARD_INHERIT_H
#define S2CLR_COMMANDS_CARD_INHERIT_H

#include "commands/dataset_rows.h"
#include "file/model.h"

/* name: of a file, or of a shipped model. Close with s2clr_model_close(). */
s2clr_status s2clr_parent_open(const char *name, s2clr_model **out);

/* --arch, --width and --depth of another network: its weights do not fit. */
s2clr_status s2clr_parent_check(const s2clr_args *args, const s2clr_model *model);

/* The level that images are taken for without --level: the one that the parent (NULL: none) was
 * trained on, if `card` has it, else the card's first. */
const char *s2clr_parent_level(const s2clr_model *model, const s2clr_card *card);

/* s2clr_store_facts_get() with the bands of the parent, or without one (NULL) of --card. */
s2clr_status s2clr_parent_store_facts(const s2clr_args *args, const s2clr_model *model,
                                      s2clr_store_facts *out);

/* A copy without the texts that are about the parent; bands: those that stay, in their order, NULL:
 * all. Free with s2clr_card_free(). */
s2clr_status s2clr_card_inherit(const s2clr_model *model, const char *bands, s2clr_card **out);

/* The same with the bands of the store or of --bands-names; channels: of the patches, which must be
 * as many. */
s2clr_status s2clr_card_inherit_for(const s2clr_args *args, const s2clr_model *model,
                                    const s2clr_store_facts *store, int channels, s2clr_card **out);

/* Stride, id ("dense-WHAT"), the partial card of --card where it has a say, data set and command
 * line. The architecture is set before; *card may become another one. */
s2clr_status s2clr_card_inherit_end(const s2clr_args *args, const char *what,
                                    const s2clr_samples *all, s2clr_card **card);

#endif
