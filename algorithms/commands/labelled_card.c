/*
 * The card of a model to be trained with labels: made from the options and the data (card_build.h),
 * or handed on by the model that is gone on from or learned from.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/card_build.h"
#include "commands/dataset_text.h"
#include "commands/labelled_run.h"

/* The model whose card is handed on, NULL: none. */
static const s2clr_model *source_of(const s2clr_labelled *job)
{
    return job->parent ? job->parent : job->teachers ? job->teacher[0] : NULL;
}

/* ---- handed on ---- */

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

/* The parent's texts are about the parent. */
static s2clr_status clear_texts(s2clr_card *card)
{
    for (int i = 0; i < S2CLR_CARD_TEXTS; i++)
        if (i != S2CLR_CARD_UNIT && i != S2CLR_CARD_LICENCE)
            S2CLR_TRY(s2clr_card_set_text(card, (s2clr_card_text)i, ""));
    card->trained_level[0] = '\0';
    return S2CLR_OK;
}

/* Bands, levels, patch and statistics of the model that is gone on from; bands: NULL for all. */
static s2clr_status inherit(const s2clr_labelled *job, const char *bands, s2clr_card **out)
{
    const s2clr_model *model = source_of(job);
    s2clr_card *card;
    S2CLR_TRY(s2clr_card_copy(s2clr_model_card(model), &card));
    s2clr_status status = choose_bands(model, bands, card);
    if (status == S2CLR_OK) status = clear_texts(card);
    if (status == S2CLR_OK)
        *out = card;
    else
        s2clr_card_free(card);
    return status;
}

static void set_labels(const s2clr_labelled *job, s2clr_card *card)
{
    const s2clr_samples *all = &job->parts.all;
    const s2clr_card *teacher = job->teachers ? s2clr_model_card(job->teacher[0]) : NULL;
    card->threshold = 0.5;
    card->temperature = 1;
    card->prevalence = 0.5;
    if (teacher) return; /* whose labels the card has already */
    card->classes = job->classes ? all->group_count : 0;
    for (int c = 0; c < card->classes; c++)
        snprintf(card->class_name[c], sizeof card->class_name[c], "%s", all->group_names[c]);
    const char *positive = job->classes ? "" : job->positive ? job->positive : "positive";
    snprintf(card->positive, sizeof card->positive, "%s", positive);
    snprintf(card->negative, sizeof card->negative, "other");
}

static s2clr_status set_network(const s2clr_labelled *job, s2clr_card *card)
{
    const int outputs = job->classes ? job->parts.all.group_count : 1;
    if (job->parent) {
        const s2clr_arch parent = card->arch;
        return s2clr_finetune_arch(&parent, job->tap, job->hiddens, job->hidden, outputs,
                                   &card->arch);
    }
    s2clr_arch arch = {.channels = card->bands, .outputs = card->arch.outputs};
    snprintf(arch.name, sizeof arch.name, "%s", s2clr_args_text(job->args, "arch"));
    arch.width = (int)s2clr_args_int(job->args, "width");
    arch.depth = (int)s2clr_args_int(job->args, "depth");
    arch.hiddens = job->hiddens;
    memcpy(arch.hidden, job->hidden, sizeof arch.hidden);
    card->arch = arch;
    return S2CLR_OK;
}

/* ---- texts ---- */

static size_t count_label(const s2clr_samples *samples, int label)
{
    size_t count = 0;
    for (size_t i = 0; samples->labels && i < samples->count; i++)
        count += samples->labels[i] == label;
    return count;
}

/* "812 (90 PermanentCrop)", "812 of 10 classes", "812 (without labels)" */
static void part_text(const s2clr_labelled *job, const s2clr_samples *part, char *out, size_t size)
{
    const char *positive = job->positive ? job->positive : "positive";
    if (!part->labels)
        snprintf(out, size, "%zu (without labels)", part->count);
    else if (job->classes)
        snprintf(out, size, "%zu of %d classes", part->count, job->parts.all.group_count);
    else
        snprintf(out, size, "%zu (%zu %s)", part->count, count_label(part, 1), positive);
}

static void teachers_text(const s2clr_labelled *job, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < job->teachers; i++) {
        const size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s (SHA-256 %.12s)", i ? ", " : "; taught by ",
                 s2clr_model_card(job->teacher[i])->id, s2clr_model_sha256(job->teacher[i]));
    }
}

static void trained_text(const s2clr_labelled *job, char *out, size_t size)
{
    const s2clr_parts *parts = &job->parts;
    char held[200], train[160], validation[160], teachers[600];
    snprintf(held, sizeof held,
             "a share of %s held out by a hash of the %s name and never trained on",
             s2clr_args_text(job->args, "test-share"), parts->store ? "patch's" : "file");
    part_text(job, &parts->train, train, sizeof train);
    part_text(job, &parts->validation, validation, sizeof validation);
    teachers_text(job, teachers, sizeof teachers);
    snprintf(out, size, "%s patches, validated on %s; %s%s", train, validation,
             parts->as_recorded ? "the test part of the store never trained on" : held, teachers);
}

/* A short stable word: "dense-permanentcrop". */
static void set_id(s2clr_card *card)
{
    const char *what = card->positive[0] ? card->positive : card->classes ? "classes" : "model";
    snprintf(card->id, sizeof card->id, "%.24s-%.36s", card->arch.name, what);
    for (char *at = card->id; *at; at++)
        *at = (char)(isalnum((unsigned char)*at) ? tolower((unsigned char)*at) : '-');
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
        json_decref(partial);
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: not a card: %s", path,
                               partial ? "no JSON object" : error.text);
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

/* The output's step on the map: the local step of a network that has one, else half a patch. */
static s2clr_status set_stride(s2clr_card *card)
{
    s2clr_net *net;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    const int step = s2clr_net_step(net);
    card->stride = step ? step : card->patch > 1 ? card->patch / 2 : 1;
    s2clr_net_free(net);
    return S2CLR_OK;
}

static s2clr_status check_channels(const s2clr_labelled *job)
{
    const int channels = job->parts.all.channels;
    if (channels == job->card->bands) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: the images have %d bands, %s has %d (%s and so on): --image-bands "
                           "chooses some, and --bands-names says what they are",
                           s2clr_args_text(job->args, "dataset"), channels,
                           s2clr_model_path(source_of(job)), job->card->bands, job->card->band[0]);
}

static s2clr_status inherited_card(s2clr_labelled *job)
{
    const char *partial = s2clr_args_text(job->args, "card");
    const char *bands =
        job->parts.store ? job->store.bands : s2clr_args_text(job->args, "bands-names");
    char text[1600];
    S2CLR_TRY(inherit(job, bands, &job->card));
    S2CLR_TRY(check_channels(job));
    S2CLR_TRY(set_network(job, job->card));
    set_labels(job, job->card);
    S2CLR_TRY(set_stride(job->card));
    set_id(job->card);
    if (partial) S2CLR_TRY(overlay(partial, &job->card));
    s2clr_dataset_text(s2clr_args_text(job->args, "dataset"), &job->parts.all, text, sizeof text);
    S2CLR_TRY(s2clr_card_set_text(job->card, S2CLR_CARD_DATASET, text));
    trained_text(job, text, sizeof text);
    S2CLR_TRY(s2clr_card_set_text(job->card, S2CLR_CARD_TRAINED_ON, text));
    if (job->teachers == 1)
        S2CLR_TRY(
            s2clr_card_set_text(job->card, S2CLR_CARD_PARENT, s2clr_model_sha256(job->teacher[0])));
    return s2clr_card_set_text(job->card, S2CLR_CARD_COMMAND, s2clr_args_line(job->args));
}

/* ---- made anew ---- */

static s2clr_card_facts facts_of(const s2clr_labelled *job)
{
    const s2clr_store_facts *store = &job->store;
    const char *level = s2clr_args_text(job->args, "level");
    if (!level && store->store && store->level[0]) level = store->level;
    return (s2clr_card_facts){.channels = store->channels,
                              .patch = store->patch,
                              .positive = s2clr_args_text(job->args, "positive"),
                              .level = level ? level : "DN",
                              .bands = store->store ? store->bands : NULL,
                              .metres = store->metres};
}

static s2clr_status new_card(s2clr_labelled *job)
{
    char dataset[600], trained[1600];
    bool measured;
    s2clr_card_facts facts = facts_of(job);
    s2clr_dataset_text(s2clr_args_text(job->args, "dataset"), &job->parts.all, dataset,
                       sizeof dataset);
    trained_text(job, trained, sizeof trained);
    facts.channels = job->parts.all.channels;
    facts.patch = job->parts.all.size;
    facts.dataset = dataset;
    facts.trained_on = trained;
    facts.classes = job->classes ? job->parts.all.group_names : NULL;
    facts.class_count = job->classes ? job->parts.all.group_count : 0;
    facts.hidden = job->hidden;
    facts.hiddens = job->hiddens;
    return s2clr_card_build(job->args, &facts, &job->card, &measured);
}

s2clr_status s2clr_labelled_card(s2clr_labelled *job)
{
    return source_of(job) ? inherited_card(job) : new_card(job);
}

/* "B04,B03,B02" */
static void list_bands(const s2clr_card *card, char *out, size_t size)
{
    out[0] = '\0';
    for (int b = 0; b < card->bands; b++) {
        const size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", b ? "," : "", card->band[b]);
    }
}

s2clr_status s2clr_labelled_store_card(s2clr_labelled *job, s2clr_card **out)
{
    const s2clr_model *source = source_of(job);
    char wanted[S2CLR_CARD_BANDS_MAX * S2CLR_CARD_WORD];
    bool measured;
    *out = NULL;
    if (source && s2clr_args_given(job->args, "image-bands"))
        wanted[0] = '\0';
    else if (source)
        list_bands(s2clr_model_card(source), wanted, sizeof wanted);
    else
        S2CLR_TRY(s2clr_card_bands(job->args, wanted, sizeof wanted));
    S2CLR_TRY(s2clr_store_facts_get(job->args, wanted[0] ? wanted : NULL, &job->store));
    if (!job->store.store) return S2CLR_OK;
    if (source) return inherit(job, job->store.bands, out);
    const s2clr_card_facts facts = facts_of(job);
    return s2clr_card_build(job->args, &facts, out, &measured);
}
