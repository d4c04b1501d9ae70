/* What a labelled run prints: the plan before it, with its cost when that was asked for, and the
 * result. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/edge.h"
#include "commands/labelled_run.h"
#include "commands/plan_text.h"
#include "report/json_words.h"

/* ---- the plan ---- */

static void put_part(FILE *to, const s2clr_labelled *job, const char *name,
                     const s2clr_samples *part)
{
    size_t unknown = 0;
    for (size_t i = 0; part->labels && i < part->count; i++) unknown += part->labels[i] < 0;
    fprintf(to, "%-12s%zu", name, part->count);
    if (!part->labels || (unknown == part->count && unknown))
        fputs(", without labels", to);
    else if (job->classes)
        fprintf(to, " of %d classes", part->group_count);
    else
        fprintf(to, ", %zu of them %s", s2clr_samples_positives(part), job->card->positive);
    if (part->labels && unknown && unknown < part->count)
        fprintf(to, ", %zu without label", unknown);
    fputc('\n', to);
}

static void put_data(FILE *to, const s2clr_labelled *job)
{
    const s2clr_card *card = job->card;
    fprintf(to, "patches     %d bands of %d x %d pixels, level %s\n", card->bands, card->patch,
            card->patch, job->settings.common.level);
    put_part(to, job, "training", &job->parts.train);
    if (job->teacher_says)
        fprintf(to, "validation  %zu, judged by what the teacher says of them\n",
                job->parts.validation.count);
    else
        put_part(to, job, "validation", &job->parts.validation);
    put_part(to, job, "held out", &job->parts.test);
}

static void put_teachers(FILE *to, const s2clr_labelled *job)
{
    for (size_t i = 0; i < job->teachers; i++)
        fprintf(to, "%-12s%s, %s\n", i ? "" : "teacher",
                s2clr_model_card(job->teacher[i])->arch.name, s2clr_model_path(job->teacher[i]));
    if (job->teacher_hard)
        fprintf(to, "            its decisions, with a share of %g of the loss\n",
                job->teacher_share);
    else if (job->teachers)
        fprintf(to,
                "            its probabilities at temperature %g, with a share of %g of the "
                "loss\n",
                job->teacher_temperature, job->teacher_share);
}

static void put_weights(FILE *to, const s2clr_labelled *job)
{
    const s2clr_card *card = job->card;
    if (!job->settings.class_weight) return;
    fputs("weights     ", to);
    for (int i = 0; i < card->classes; i++)
        fprintf(to, "%s%.4g for %s", i ? ", " : "", job->class_weight[i], card->class_name[i]);
    if (card->classes == 0)
        fprintf(to, "%.4g for %s, %.4g for %s", job->class_weight[0], card->negative,
                job->class_weight[1], card->positive);
    fputc('\n', to);
}

static void put_parent(FILE *to, const s2clr_labelled *job)
{
    const s2clr_finetune *start = &job->start;
    if (!job->parent) return;
    s2clr_parent_print(to, job->parent, &start->adoption);
    fprintf(to, "layers      the last %zu of %zu learn, from %s on", start->trained, start->groups,
            start->first_trained);
    if (job->settings.group_decay != 1 && start->trained > 1)
        fprintf(to, "; each further one at %g of the rate", job->settings.group_decay);
    fputc('\n', to);
}

static size_t weights_of(const s2clr_card *card)
{
    s2clr_net *net;
    if (s2clr_net_new(&card->arch, &net) != S2CLR_OK) return 0;
    const size_t count = s2clr_net_trainable_count(net);
    s2clr_net_free(net);
    return count;
}

static void put_network(FILE *to, const s2clr_labelled *job)
{
    const s2clr_arch *arch = &job->card->arch;
    char widths[64];
    fprintf(to, "network     %s", arch->name);
    if (arch->tap) fprintf(to, ", seen through projection layer %d", arch->tap);
    s2clr_widths_text(arch->hidden, arch->hiddens, widths, sizeof widths);
    if (arch->hiddens) fprintf(to, ", hidden layers of %s", widths);
    fprintf(to, ", %zu weights\n", weights_of(job->card));
}

static void put_training(FILE *to, const s2clr_labelled *job)
{
    const s2clr_training *c = &job->settings.common;
    const size_t steps = job->parts.train.count / (size_t)c->batch;
    char *words;
    if (s2clr_augment_format(&c->augment, &words) == S2CLR_OK) {
        fprintf(to, "changes     %s\n", words);
        s2clr_free(words);
    }
    /* A small set fills one batch. */
    fprintf(to, "training    %d epochs of %zu steps of %d, %s, rate %g\n", c->epochs,
            steps ? steps : 1, c->batch, c->optimiser, c->rate);
}

void s2clr_labelled_plan_text(FILE *to, const void *context)
{
    const s2clr_labelled *job = context;
    char device[400];
    s2clr_machine_text(&job->on, device, sizeof device);
    put_data(to, job);
    put_parent(to, job);
    put_teachers(to, job);
    put_weights(to, job);
    put_network(to, job);
    put_training(to, job);
    fprintf(to, "device      %s\noutput      %s\n", device, job->settings.common.run_dir);
}

/* ---- its cost ---- */

static double total_seconds(const s2clr_labelled *job)
{
    const s2clr_supervised_cost *cost = &job->cost;
    const double epoch = cost->seconds * (double)cost->steps + cost->validation_seconds;
    return job->teaching_seconds + epoch * job->settings.common.epochs;
}

static void put_cost(FILE *to, const s2clr_labelled *job)
{
    char teaching[32], without[96];
    snprintf(without, sizeof without, ", unless --patience ends it before");
    if (job->cost.learning < job->cost.weights)
        fprintf(to, "learning    %zu of the weights\n", job->cost.learning);
    if (job->teachers) {
        s2clr_duration_text(job->teaching_seconds, teaching, sizeof teaching);
        fprintf(to, "teaching    about %s\n", teaching);
    }
    s2clr_cost_device(to, &job->on, job->cost.device_bytes, job->cost.note);
    s2clr_cost_print(to, job->cost.bytes, job->cost.seconds, total_seconds(job),
                     job->settings.patience && job->parts.validation.count ? without : "",
                     "--batch");
}

static json_t *seconds_json(double measured, double value)
{
    return measured > 0 ? json_real(value) : json_null();
}

static json_t *plan_json(const s2clr_labelled *job)
{
    const s2clr_training *c = &job->settings.common;
    const s2clr_supervised_cost *cost = &job->cost;
    char device[400];
    s2clr_machine_text(&job->on, device, sizeof device);
    json_t *root = json_pack(
        "{s:I, s:I, s:I, s:i, s:i, s:s, s:i, s:I, s:I, s:i, s:i, s:I, s:I, s:I, s:o, s:o, s:s, "
        "s:s, s:o}",
        "train", (json_int_t)job->parts.train.count, "validation",
        (json_int_t)job->parts.validation.count, "test", (json_int_t)job->parts.test.count, "bands",
        job->card->bands, "patch", job->card->patch, "architecture", job->card->arch.name,
        "outputs", job->card->arch.outputs, "weights", (json_int_t)cost->weights, "learning",
        (json_int_t)cost->learning, "epochs", c->epochs, "batch", c->batch, "steps_per_epoch",
        (json_int_t)cost->steps, "memory_bytes", (json_int_t)cost->bytes, "device_memory_bytes",
        (json_int_t)cost->device_bytes, "seconds_per_step",
        seconds_json(cost->seconds, cost->seconds), "seconds",
        seconds_json(cost->seconds, total_seconds(job)), "level", c->level, "device", device,
        "output", s2clr_json_words(c->run_dir));
    if (root && job->parent)
        json_object_set_new(root, "parent", s2clr_json_words(s2clr_model_path(job->parent)));
    if (root && cost->note[0]) json_object_set_new(root, "note", json_string(cost->note));
    if (root && job->teachers)
        json_object_set_new(root, "teaching_seconds", json_real(job->teaching_seconds));
    return root;
}

s2clr_status s2clr_labelled_plan_print(const s2clr_labelled *job)
{
    const bool dry = s2clr_args_flag(job->args, "dry-run");
    if (s2clr_args_flag(job->args, "json")) return dry ? s2clr_edge_json(plan_json(job)) : S2CLR_OK;
    if (!dry && s2clr_args_flag(job->args, "quiet")) return S2CLR_OK;
    s2clr_labelled_plan_text(stdout, job);
    if (dry) put_cost(stdout, job);
    return s2clr_edge_flush();
}

/* ---- the result ---- */

static const char *judge(const s2clr_labelled *job)
{
    return job->teacher_says ? "agreement with the teacher: validation AUC" : "validation AUC";
}

/* Without the time: a finished run that is resumed has the same result. */
void s2clr_labelled_result_text(FILE *to, const void *context)
{
    const s2clr_labelled *job = context;
    if (!job->result.judged)
        fprintf(to, "last epoch  %d, without validation\n", job->result.epochs_run);
    else
        fprintf(to, "best epoch  %d of %d, %s %.4f\n", job->result.best_epoch,
                job->result.epochs_run, judge(job), job->result.best_auc);
}

static json_t *result_json(const s2clr_labelled *job)
{
    const s2clr_supervised_result *r = &job->result;
    return json_pack("{s:o, s:i, s:i, s:o, s:s, s:f}", "model", s2clr_json_words(r->model_path),
                     "epochs", r->epochs_run, "best_epoch", r->best_epoch, "validation_auc",
                     r->judged ? json_real(r->best_auc) : json_null(), "judged_by",
                     !r->judged          ? "nothing"
                     : job->teacher_says ? "teacher"
                                         : "labels",
                     "seconds", r->seconds);
}

s2clr_status s2clr_labelled_result_print(const s2clr_labelled *job)
{
    const s2clr_supervised_result *r = &job->result;
    if (s2clr_edge_wants_json(job->args)) S2CLR_TRY(s2clr_edge_result(job->args, result_json(job)));
    if (s2clr_args_flag(job->args, "json")) return S2CLR_OK;
    if (s2clr_args_flag(job->args, "quiet")) return s2clr_edge_flush();
    s2clr_labelled_result_text(stdout, job);
    printf("time        %.1f s\nmodel       %s\n", r->seconds, r->model_path);
    return s2clr_edge_flush();
}
