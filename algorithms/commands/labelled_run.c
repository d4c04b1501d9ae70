#include "commands/labelled_run.h"

#include <string.h>

#include "commands/card_inherit.h"
#include "commands/edge.h"
#include "commands/interrupt.h"
#include "commands/run_record.h"
#include "commands/training_rows.h"
#include "train/run_folder.h"

static bool dry(const s2clr_labelled *job)
{
    return s2clr_args_flag(job->args, "dry-run");
}

/* ---- before the device ---- */

static s2clr_status weigh(s2clr_labelled *job)
{
    const s2clr_samples *train = &job->parts.train;
    const size_t labels = job->card->arch.outputs == 1 ? 2 : (size_t)job->card->arch.outputs;
    size_t count[S2CLR_CARD_CLASSES_MAX] = {0};
    bool given;
    for (size_t i = 0; train->labels && i < train->count; i++)
        if (train->labels[i] >= 0 && (size_t)train->labels[i] < labels) count[train->labels[i]]++;
    S2CLR_TRY(s2clr_class_weights_read(job->args, labels, count, job->class_weight, &given));
    if (given) job->settings.class_weight = job->class_weight;
    return S2CLR_OK;
}

/* Layers of the network, counted from the output, that the command line wants to learn. */
static s2clr_status layers(const s2clr_labelled *job, int *last)
{
    const s2clr_net_group *group;
    s2clr_net *net;
    *last = 0;
    if (job->last == S2CLR_LAST_ALL) return S2CLR_OK;
    S2CLR_TRY(s2clr_net_new(&job->card->arch, &net));
    const int fresh = job->hiddens + 1;
    const int groups = (int)s2clr_net_depth_list(net, &group);
    *last = job->last + fresh;
    s2clr_status status = S2CLR_OK;
    if (*last > groups)
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "--last %d: %s has %d layers below the new head, %s to %s; all "
                                 "trains them all",
                                 job->last, s2clr_model_path(job->parent), groups - fresh,
                                 group[0].name, group[groups - fresh - 1].name);
    s2clr_net_free(net);
    return status;
}

static s2clr_status go_on_from(s2clr_labelled *job)
{
    int last;
    if (!job->parent) return S2CLR_OK;
    S2CLR_TRY(layers(job, &last));
    S2CLR_TRY(
        s2clr_finetune_begin(job->parent, last, job->settings.common.seed, job->card, &job->start));
    job->settings.initial = job->start.initial;
    job->settings.frozen = job->start.frozen;
    return S2CLR_OK;
}

static s2clr_status prepare(s2clr_labelled *job)
{
    S2CLR_TRY(s2clr_labelled_card(job));
    const s2clr_model *source = job->parent ? job->parent : job->teachers ? job->teacher[0] : NULL;
    S2CLR_TRY(s2clr_parts_level(&job->parts, job->card, s2clr_args_text(job->args, "level"),
                                s2clr_parent_level(source, job->card),
                                &job->settings.common.level));
    S2CLR_TRY(weigh(job));
    return go_on_from(job);
}

/* ---- with the device ---- */

static s2clr_status try_it(s2clr_labelled *job)
{
    S2CLR_TRY(s2clr_labelled_teach(job, NULL));
    S2CLR_TRY(s2clr_supervised_try(&job->settings, job->card, &job->parts.train,
                                   &job->parts.validation, &job->on, &job->cost));
    S2CLR_TRY(s2clr_interrupt_check()); /* the steps that were measured may take a minute */
    return s2clr_labelled_plan_print(job);
}

static s2clr_status train(s2clr_labelled *job)
{
    s2clr_run_record record;
    S2CLR_TRY(s2clr_labelled_plan_print(job));
    S2CLR_TRY(s2clr_run_record_open(job->args, s2clr_labelled_plan_text, job, &record));
    const s2clr_progress progress = s2clr_run_record_progress(&record, job->progress);
    s2clr_status status = s2clr_labelled_teach(job, &progress);
    if (status == S2CLR_OK)
        status = s2clr_supervised_run(&job->settings, job->card, &job->parts.train,
                                      &job->parts.validation, &job->on, &progress, &job->result);
    return s2clr_run_record_close(&record, status, s2clr_labelled_result_text, job);
}

static s2clr_status with_data(s2clr_labelled *job)
{
    S2CLR_TRY(prepare(job));
    S2CLR_TRY(s2clr_edge_device(job->args, &job->on));
    const s2clr_status status = dry(job) ? try_it(job) : train(job);
    s2clr_machine_close(&job->on);
    return status;
}

/* Before thousands of images are decoded. */
static s2clr_status check_early(s2clr_labelled *job)
{
    s2clr_supervised_settings *s = &job->settings;
    S2CLR_TRY(s2clr_supervised_read(job->args, s));
    S2CLR_TRY(s2clr_widths_read(job->args, "hidden", job->hidden, &job->hiddens));
    if (s2clr_args_text(job->args, "group-decay"))
        s->group_decay = s2clr_args_real(job->args, "group-decay");
    S2CLR_TRY(s2clr_run_folder_outside(job->args));
    return dry(job) ? S2CLR_OK : s2clr_run_folder_check(s->common.run_dir, s->common.resume);
}

static s2clr_status labelled(s2clr_labelled *job, s2clr_terminal *terminal)
{
    S2CLR_TRY(check_early(job));
    S2CLR_TRY(s2clr_edge_pool(job->args, &job->on.pool));
    s2clr_status status = s2clr_labelled_open(job);
    if (status == S2CLR_OK) {
        s2clr_terminal_end(terminal);
        s2clr_parts_note(job->args, &job->parts);
        status = with_data(job);
    }
    s2clr_terminal_end(terminal);
    s2clr_labelled_close(job);
    s2clr_pool_free(job->on.pool);
    S2CLR_TRY(status);
    return dry(job) ? S2CLR_OK : s2clr_labelled_result_print(job);
}

int s2clr_labelled_run(s2clr_labelled *job)
{
    s2clr_terminal terminal;
    s2clr_edge_gdal(job->args);
    const s2clr_progress progress = s2clr_edge_progress(job->args, &terminal);
    job->progress = &progress;
    const s2clr_status status = labelled(job, &terminal);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(job->args, status);
}
