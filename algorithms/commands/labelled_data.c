/* What a labelled run learns from: models first, for they are quick to refuse, then patches. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "commands/card_inherit.h"
#include "commands/edge.h"
#include "commands/labelled_run.h"

static s2clr_status open_models(s2clr_labelled *job)
{
    if (job->parent_path) {
        S2CLR_TRY(s2clr_parent_open(job->parent_path, &job->parent));
        S2CLR_TRY(s2clr_parent_check(job->args, job->parent));
    }
    if (job->teachers > S2CLR_TEACHERS_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%zu teachers, at most %d can be asked",
                               job->teachers, S2CLR_TEACHERS_MAX);
    for (size_t i = 0; i < job->teachers; i++) {
        S2CLR_TRY(s2clr_parent_open(job->teacher_path[i], &job->teacher[i]));
        if (s2clr_model_card(job->teacher[i])->arch.outputs == 0)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "teacher %s is an encoder, which decides nothing: finetune it "
                                   "first (s2clr finetune)",
                                   s2clr_model_path(job->teacher[i]));
    }
    return S2CLR_OK;
}

/* What the labels mean when the command line does not say it. */
static void choose_labels(s2clr_labelled *job)
{
    job->positive = s2clr_args_text(job->args, "positive");
    if (job->positive || job->store.store) return;
    const s2clr_card *teacher = job->teachers ? s2clr_model_card(job->teacher[0]) : NULL;
    if (teacher && teacher->arch.outputs == 1)
        job->positive = teacher->positive;
    else
        job->classes = true;
}

static s2clr_status open_parts(s2clr_labelled *job, const s2clr_card *card)
{
    const bool given = s2clr_args_given(job->args, "positive");
    const bool judged = s2clr_args_real(job->args, "validation-share") > 0;
    s2clr_parts_options options = {.positive = job->positive,
                                   .needed = 1u << S2CLR_SPLIT_TRAIN |
                                             (judged ? 1u << S2CLR_SPLIT_VALIDATION : 0),
                                   .fraction = 1,
                                   .classes = job->classes,
                                   .teaching = job->teachers > 0,
                                   .card = card};
    if (!job->teachers) {
        options.fraction = s2clr_args_real(job->args, "labels-fraction");
        options.choice = (uint64_t)s2clr_args_int(job->args, "labels-choice");
    }
    const s2clr_status status =
        s2clr_parts_open(job->args, &options, job->on.pool, job->progress, &job->parts);
    if (status != S2CLR_ERR_ARGUMENT || given || !job->positive) return status;
    /* The teacher's class is none of the folders: patches without labels, for this purpose. */
    options.positive = job->positive = NULL;
    job->unlabelled = true;
    return s2clr_parts_open(job->args, &options, job->on.pool, job->progress, &job->parts);
}

static s2clr_status not_utf8(const s2clr_labelled *job, const char *name)
{
    char text[256];
    s2clr_utf8_show(name, text, sizeof text);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: the name of class \"%s\" is not UTF-8, as the card's have to be; "
                           "rename the folder",
                           s2clr_args_text(job->args, "dataset"), text);
}

static s2clr_status check_classes(const s2clr_labelled *job)
{
    const s2clr_samples *all = &job->parts.all;
    if (job->positive && !s2clr_utf8_valid(job->positive)) return not_utf8(job, job->positive);
    if (!job->classes || job->teachers) return S2CLR_OK;
    if (all->group_count < 2 || all->group_count > S2CLR_CARD_CLASSES_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: %d class folders; wanted: 2 to %d to tell apart, or --positive "
                               "to tell one from the rest",
                               s2clr_args_text(job->args, "dataset"), all->group_count,
                               S2CLR_CARD_CLASSES_MAX);
    for (int c = 0; c < all->group_count; c++) {
        const char *name = all->group_names[c];
        if (strlen(name) >= S2CLR_CARD_WORD)
            return s2clr_error_set(
                S2CLR_ERR_ARGUMENT,
                "%s: the name of class %.80s... has more than %d bytes; give the "
                "folder a shorter one",
                s2clr_args_text(job->args, "dataset"), name, S2CLR_CARD_WORD - 1);
        if (!s2clr_utf8_valid(name)) return not_utf8(job, name);
    }
    return S2CLR_OK;
}

static bool all_known(const s2clr_samples *samples)
{
    for (size_t i = 0; samples->labels && i < samples->count; i++)
        if (samples->labels[i] < 0) return false;
    return samples->labels != NULL;
}

static bool two_kinds(const s2clr_samples *samples)
{
    for (size_t i = 1; samples->labels && i < samples->count; i++)
        if (samples->labels[i] != samples->labels[0]) return true;
    return false;
}

/* Whether the labels of the patches are those that the teacher's outputs stand for. */
static bool same_labels(const s2clr_labelled *job)
{
    const s2clr_card *teacher = s2clr_model_card(job->teacher[0]);
    const s2clr_samples *all = &job->parts.all;
    if (job->unlabelled) return false;
    if (teacher->arch.outputs == 1) return true;
    if (!job->classes || all->group_count != teacher->classes) return false;
    for (int c = 0; c < teacher->classes; c++)
        if (strcmp(all->group_names[c], teacher->class_name[c]) != 0) return false;
    return true;
}

/* Labels that say nothing are none; whether the teacher has to stand in for the judge follows. */
static s2clr_status drop_labels(s2clr_labelled *job)
{
    s2clr_samples *val = &job->parts.validation;
    if (!job->teachers) return S2CLR_OK;
    job->unlabelled = !same_labels(job);
    if (job->unlabelled) job->parts.train.labels = job->parts.test.labels = val->labels = NULL;
    if (val->count == 0 || (all_known(val) && two_kinds(val))) return S2CLR_OK;
    val->labels = NULL;
    return s2clr_alloc(val->count, sizeof(int), "the teachers' labels",
                       (void **)&job->teacher_says);
}

static s2clr_status check_positive(const s2clr_labelled *job)
{
    const s2clr_card *teacher = job->teachers ? s2clr_model_card(job->teacher[0]) : NULL;
    if (!teacher || teacher->arch.outputs == 1 || !s2clr_args_given(job->args, "positive"))
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--positive %.80s: teacher %s tells %d classes apart, and so will the "
                           "student; leave the option out, or take a teacher of one class",
                           s2clr_args_text(job->args, "positive"),
                           s2clr_model_path(job->teacher[0]), teacher->arch.outputs);
}

s2clr_status s2clr_labelled_open(s2clr_labelled *job)
{
    s2clr_card *card;
    S2CLR_TRY(open_models(job));
    S2CLR_TRY(check_positive(job));
    S2CLR_TRY(s2clr_labelled_store_card(job, &card));
    choose_labels(job);
    s2clr_status status = open_parts(job, card);
    s2clr_card_free(card);
    S2CLR_TRY(status);
    status = check_classes(job);
    return status == S2CLR_OK ? drop_labels(job) : status;
}

void s2clr_labelled_close(s2clr_labelled *job)
{
    s2clr_parts_close(&job->parts);
    s2clr_finetune_end(&job->start);
    s2clr_card_free(job->card);
    s2clr_free(job->soft);
    s2clr_free(job->teacher_says);
    s2clr_model_close(job->parent);
    for (size_t i = 0; i < job->teachers && i < S2CLR_TEACHERS_MAX; i++)
        s2clr_model_close(job->teacher[i]);
}
