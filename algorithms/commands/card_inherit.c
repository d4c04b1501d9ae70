#include "commands/card_inherit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/card_build.h"
#include "commands/dataset_text.h"
#include "predict/zoo.h"

s2clr_status s2clr_parent_open(const char *name, s2clr_model **out)
{
    char path[S2CLR_ZOO_PATH];
    S2CLR_TRY(s2clr_zoo_resolve(name, path));
    return s2clr_model_open(path, out);
}

s2clr_status s2clr_parent_check(const s2clr_args *args, const s2clr_model *model)
{
    static const char *const options[] = {"arch", "width", "depth"};
    const s2clr_arch *arch = &s2clr_model_card(model)->arch;
    for (int i = 0; i < 3; i++) {
        if (!s2clr_args_given(args, options[i])) continue;
        if (i == 0 && strcmp(s2clr_args_text(args, "arch"), arch->name) == 0) continue;
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT, "--%s %.60s: %s is a %s and stays one; leave the option out",
            options[i], s2clr_args_text(args, options[i]), s2clr_model_path(model), arch->name);
    }
    return S2CLR_OK;
}

const char *s2clr_parent_level(const s2clr_model *model, const s2clr_card *card)
{
    const char *trained = model ? s2clr_model_card(model)->trained_level : "";
    return s2clr_card_find_level(card, trained) ? trained : card->level[0].name;
}

/* ---- bands ---- */

/* "B04,B03,B02" */
static void list_bands(const s2clr_card *card, char *out, size_t size)
{
    out[0] = '\0';
    for (int b = 0; b < card->bands; b++) {
        const size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", b ? "," : "", card->band[b]);
    }
}

s2clr_status s2clr_parent_store_facts(const s2clr_args *args, const s2clr_model *model,
                                      s2clr_store_facts *out)
{
    char wanted[S2CLR_CARD_BANDS_MAX * S2CLR_CARD_WORD] = "";
    if (!model)
        S2CLR_TRY(s2clr_card_bands(args, wanted, sizeof wanted));
    else if (!s2clr_args_given(args, "image-bands"))
        list_bands(s2clr_model_card(model), wanted, sizeof wanted);
    return s2clr_store_facts_get(args, wanted[0] ? wanted : NULL, out);
}

static int find_band(const s2clr_card *card, const char *name, size_t length)
{
    for (int b = 0; b < card->bands; b++)
        if (strlen(card->band[b]) == length && memcmp(card->band[b], name, length) == 0) return b;
    return -1;
}

static void take_band(const s2clr_card *from, int b, s2clr_card *to, int at)
{
    memcpy(to->band[at], from->band[b], sizeof to->band[at]);
    to->mean[at] = from->mean[b];
    to->std[at] = from->std[b];
    for (int l = 0; l < from->levels; l++) {
        to->level[l].gain[at] = from->level[l].gain[b];
        to->level[l].bias[at] = from->level[l].bias[b];
    }
}

/* list: names of the bands to keep, in their order; NULL: all. */
static s2clr_status choose_bands(const s2clr_model *model, const char *list, s2clr_card *card)
{
    const s2clr_card *from = s2clr_model_card(model);
    const char *at = list;
    int count = 0;
    while (at && *at) {
        const size_t length = strcspn(at, ",");
        const int b = find_band(from, at, length);
        if (b < 0 || count == S2CLR_CARD_BANDS_MAX)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "band %.*s is none of the %d bands of %s; leave it out, or take "
                                   "another model (s2clr info shows its bands)",
                                   (int)(length < 60 ? length : 60), at, from->bands,
                                   s2clr_model_path(model));
        take_band(from, b, card, count++);
        at += length + (at[length] == ',');
    }
    if (list) card->bands = card->arch.channels = count;
    return S2CLR_OK;
}

/* What the parent's texts and its calibration say is about the parent. */
static s2clr_status forget_parent(s2clr_card *card)
{
    for (int i = 0; i < S2CLR_CARD_TEXTS; i++)
        if (i != S2CLR_CARD_UNIT && i != S2CLR_CARD_LICENCE)
            S2CLR_TRY(s2clr_card_set_text(card, (s2clr_card_text)i, ""));
    memset(card->trained_level, 0, sizeof card->trained_level);
    s2clr_card_uncalibrate(card);
    card->threshold = card->prevalence = 0.5;
    return S2CLR_OK;
}

s2clr_status s2clr_card_inherit(const s2clr_model *model, const char *bands, s2clr_card **out)
{
    s2clr_card *card;
    S2CLR_TRY(s2clr_card_copy(s2clr_model_card(model), &card));
    s2clr_status status = choose_bands(model, bands, card);
    if (status == S2CLR_OK) status = forget_parent(card);
    if (status == S2CLR_OK)
        *out = card;
    else
        s2clr_card_free(card);
    return status;
}

s2clr_status s2clr_card_inherit_for(const s2clr_args *args, const s2clr_model *model,
                                    const s2clr_store_facts *store, int channels, s2clr_card **out)
{
    const char *bands = store->store ? store->bands : s2clr_args_text(args, "bands-names");
    s2clr_card *card;
    S2CLR_TRY(s2clr_card_inherit(model, bands, &card));
    if (channels == card->bands) {
        *out = card;
        return S2CLR_OK;
    }
    const s2clr_status status = s2clr_error_set(
        S2CLR_ERR_MISMATCH,
        "%s: the images have %d bands, %s has %d (%s and so on): --image-bands chooses some, and "
        "--bands-names says what they are",
        s2clr_args_text(args, "dataset"), channels, s2clr_model_path(model), card->bands,
        card->band[0]);
    s2clr_card_free(card);
    return status;
}

/* ---- the partial card over it ---- */

/* What a partial card cannot change: the weights depend on it, or it follows from the data. */
static const char *const fixed[] = {"architecture", "bands", "mean",   "std",    "patch",
                                    "classes",      "unit",  "parent", "version"};

static s2clr_status overlay(const char *path, s2clr_card **card)
{
    json_error_t error;
    char *text;
    json_t *partial = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(partial)) {
        const char *why = partial ? "no JSON object" : error.text;
        json_decref(partial);
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: not a card: %s", path, why);
    }
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) json_object_del(partial, fixed[i]);
    const s2clr_status status = s2clr_card_format(*card, &text);
    json_t *root = status == S2CLR_OK ? json_loads(text, 0, NULL) : NULL;
    if (status == S2CLR_OK) s2clr_free(text);
    if (root) json_object_update(root, partial);
    json_decref(partial);
    char *merged = root ? json_dumps(root, JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    S2CLR_TRY(status);
    if (!merged) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the card", path);
    s2clr_card *whole;
    const s2clr_status parsed = s2clr_card_parse(merged, path, &whole);
    free(merged);
    S2CLR_TRY(parsed);
    s2clr_card_free(*card);
    *card = whole;
    return S2CLR_OK;
}

s2clr_status s2clr_card_inherit_end(const s2clr_args *args, const char *what,
                                    const s2clr_samples *all, s2clr_card **card)
{
    const char *partial = s2clr_args_text(args, "card");
    char dataset[1600];
    S2CLR_TRY(s2clr_card_default_stride(*card));
    s2clr_card_default_id((*card)->arch.name, what, (*card)->id);
    if (partial) S2CLR_TRY(overlay(partial, card));
    s2clr_dataset_text(s2clr_args_text(args, "dataset"), all, dataset, sizeof dataset);
    S2CLR_TRY(s2clr_card_set_text(*card, S2CLR_CARD_DATASET, dataset));
    return s2clr_card_set_text(*card, S2CLR_CARD_COMMAND, s2clr_args_line(args));
}
