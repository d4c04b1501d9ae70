/*
 * The card of a model to be trained with labels: made from the options and the data (card_build.h),
 * or handed on by the model that is gone on from or learned from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/card_build.h"
#include "commands/card_inherit.h"
#include "commands/dataset_text.h"
#include "commands/labelled_run.h"
#include "dataset/store.h"

static bool has_band(const s2clr_card *card, const char *name, size_t length)
{
    for (int b = 0; b < card->bands; b++)
        if (strlen(card->band[b]) == length && memcmp(card->band[b], name, length) == 0)
            return true;
    return false;
}

/* Whether the student is to see a band that its first teacher does not: nothing is known of it
 * from there, so that its card is made from the data. */
static s2clr_status sees_more(const s2clr_labelled *job, bool *out)
{
    char bands[S2CLR_CARD_BANDS_MAX * S2CLR_CARD_WORD];
    const bool store = s2clr_store_identify(s2clr_args_text(job->args, "dataset"));
    const char *list = s2clr_args_text(job->args, store ? "image-bands" : "bands-names");
    S2CLR_TRY(s2clr_card_bands(job->args, bands, sizeof bands));
    *out = false;
    for (const char *at = list ? list : bands; *at;) {
        const size_t length = strcspn(at, ",");
        *out = *out || !has_band(s2clr_model_card(job->teacher[0]), at, length);
        at += length + (at[length] == ',');
    }
    return S2CLR_OK;
}

/* The model whose card is handed on, NULL: none. */
static s2clr_status source_of(const s2clr_labelled *job, const s2clr_model **out)
{
    bool more = false;
    if (job->teachers) S2CLR_TRY(sees_more(job, &more));
    *out = job->parent ? job->parent : job->teachers && !more ? job->teacher[0] : NULL;
    return S2CLR_OK;
}

/* ---- handed on ---- */

static void set_labels(const s2clr_labelled *job, s2clr_card *card)
{
    const s2clr_samples *all = &job->parts.all;
    const s2clr_card *teacher = job->teachers ? s2clr_model_card(job->teacher[0]) : NULL;
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
    if (!part->labels || count_label(part, -1) == part->count)
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
    snprintf(out, size, "%s patches, %s%s; %s%s", train,
             parts->validation.count ? "validated on " : "without validation",
             parts->validation.count ? validation : "",
             parts->as_recorded ? "the test part of the store never trained on" : held, teachers);
}

static s2clr_status inherited_card(s2clr_labelled *job, const s2clr_model *source)
{
    const s2clr_samples *all = &job->parts.all;
    char trained[1600];
    S2CLR_TRY(s2clr_card_inherit_for(job->args, source, &job->store, all->channels, &job->card));
    S2CLR_TRY(set_network(job, job->card));
    set_labels(job, job->card);
    const char *what = job->card->positive[0] ? job->card->positive
                       : job->card->classes   ? "classes"
                                              : "model";
    S2CLR_TRY(s2clr_card_inherit_end(job->args, what, all, &job->card));
    trained_text(job, trained, sizeof trained);
    S2CLR_TRY(s2clr_card_set_text(job->card, S2CLR_CARD_TRAINED_ON, trained));
    if (job->teachers != 1) return S2CLR_OK;
    return s2clr_card_set_text(job->card, S2CLR_CARD_PARENT, s2clr_model_sha256(job->teacher[0]));
}

/* ---- made anew ---- */

static s2clr_card_facts facts_of(const s2clr_labelled *job)
{
    s2clr_card_facts facts = s2clr_card_facts_of(job->args, &job->store);
    facts.positive = s2clr_args_text(job->args, "positive");
    if (job->teachers) facts.positive = s2clr_model_card(job->teacher[0])->positive;
    if (!job->classes && !job->teachers) facts.otherwise = "positive"; /* as a store knows it */
    return facts;
}

/* The teacher's classes, or those of the images. names: room for pointers to the former. */
static void set_classes(const s2clr_labelled *job, const char **names, s2clr_card_facts *facts)
{
    const s2clr_card *teacher = job->teachers ? s2clr_model_card(job->teacher[0]) : NULL;
    for (int c = 0; teacher && c < teacher->classes; c++) names[c] = teacher->class_name[c];
    if (teacher) {
        facts->classes = teacher->classes ? names : NULL;
        facts->class_count = teacher->classes;
    } else if (job->classes) {
        facts->classes = job->parts.all.group_names;
        facts->class_count = job->parts.all.group_count;
    }
}

static s2clr_status new_card(s2clr_labelled *job)
{
    char dataset[600], trained[1600];
    const char *names[S2CLR_CARD_CLASSES_MAX];
    bool measured;
    s2clr_card_facts facts = facts_of(job);
    s2clr_dataset_text(s2clr_args_text(job->args, "dataset"), &job->parts.all, dataset,
                       sizeof dataset);
    trained_text(job, trained, sizeof trained);
    facts.channels = job->parts.all.channels;
    facts.patch = job->parts.all.size;
    facts.dataset = dataset;
    facts.trained_on = trained;
    set_classes(job, names, &facts);
    facts.hidden = job->hidden;
    facts.hiddens = job->hiddens;
    return s2clr_card_build(job->args, &facts, &job->card, &measured);
}

s2clr_status s2clr_labelled_card(s2clr_labelled *job)
{
    const s2clr_model *source;
    S2CLR_TRY(source_of(job, &source));
    if (source) return inherited_card(job, source);
    S2CLR_TRY(new_card(job));
    if (job->teachers != 1) return S2CLR_OK;
    return s2clr_card_set_text(job->card, S2CLR_CARD_PARENT, s2clr_model_sha256(job->teacher[0]));
}

s2clr_status s2clr_labelled_store_card(s2clr_labelled *job, s2clr_card **out)
{
    const s2clr_model *source;
    bool measured;
    *out = NULL;
    S2CLR_TRY(source_of(job, &source));
    S2CLR_TRY(s2clr_parent_store_facts(job->args, source, &job->store));
    if (!job->store.store) return S2CLR_OK;
    if (source) return s2clr_card_inherit(source, job->store.bands, out);
    const s2clr_card_facts facts = facts_of(job);
    return s2clr_card_build(job->args, &facts, out, &measured);
}
