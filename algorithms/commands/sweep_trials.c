#include "commands/sweep_trials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "commands/dataset_text.h"
#include "commands/edge.h"
#include "commands/encoder_data.h"
#include "commands/pretrain_data.h"
#include "commands/training_rows.h"
#include "report/json_words.h"

typedef struct rig {
    const s2clr_args *args;
    s2clr_sweep_plan *plan;
    const s2clr_sweep_kind *kind;
    s2clr_machine on;
    const s2clr_progress *progress;
    s2clr_encoder_data data;
    s2clr_samples train, probe;
    size_t trial;                                                /* under way */
    float mean[S2CLR_CARD_BANDS_MAX], std[S2CLR_CARD_BANDS_MAX]; /* of the first one; 0: not yet */
} rig;

void s2clr_sweep_base(const s2clr_args *args, s2clr_pretrain_settings *out)
{
    s2clr_pretrain_defaults(out);
    out->common.epochs = (int)s2clr_args_int(args, "epochs");
    out->common.seed = (uint64_t)s2clr_args_int(args, "seed");
    out->probe_k = (int)s2clr_args_int(args, "neighbours");
}

/* ---- fewer patches ---- */

static size_t spread(const rig *r, size_t index)
{
    return index * r->data.parts.train.count / r->train.count;
}

static s2clr_status read_spread(void *self, size_t index, float *dn)
{
    const rig *r = self;
    return r->data.parts.train.read(r->data.parts.train.self, spread(r, index), dn);
}

static s2clr_status choose_patches(rig *r, const char ***names, int **labels)
{
    const size_t all = r->data.parts.train.count, most = (size_t)s2clr_args_int(r->args, "patches");
    r->train = r->data.parts.train;
    r->train.self = r;
    r->train.read = read_spread;
    r->train.groups = NULL;
    r->train.group_count = 0;
    r->train.count = most < all ? most : all;
    S2CLR_TRY(s2clr_alloc(r->train.count, sizeof **names, "patches of a trial", (void **)names));
    S2CLR_TRY(s2clr_alloc(r->train.count, sizeof **labels, "patches of a trial", (void **)labels));
    for (size_t i = 0; i < r->train.count; i++) {
        (*names)[i] = r->data.parts.train.names[spread(r, i)];
        (*labels)[i] = r->data.parts.train.labels[spread(r, i)];
    }
    r->train.names = *names;
    r->train.labels = *labels;
    return S2CLR_OK;
}

/* Statistics are measured once. */
static s2clr_status make_card(rig *r, s2clr_card **out)
{
    S2CLR_TRY(s2clr_encoder_card(&r->data, out));
    if (!(r->std[0] > 0)) return S2CLR_OK;
    memcpy((*out)->mean, r->mean, sizeof r->mean);
    memcpy((*out)->std, r->std, sizeof r->std);
    return S2CLR_OK;
}

/* ---- trials ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool report_trial(void *context, double fraction, const char *message)
{
    const rig *r = context;
    const s2clr_sweep *sweep = r->plan->sweep;
    char text[S2CLR_SWEEP_NAME + 200];
    snprintf(text, sizeof text, "%zu/%zu %s: %s", r->trial + 1, sweep->count,
             sweep->result[r->trial].name, message ? message : "");
    return s2clr_progress_report(r->progress, ((double)r->trial + fraction) / (double)sweep->count,
                                 text);
}

static void warn_of_trial(void *context, const char *text)
{
    const rig *r = context;
    s2clr_progress_warn(r->progress, text);
}

/* A training that diverges has found something out; anything else ends the sweep. */
static s2clr_status take(s2clr_status status, const s2clr_pretrain_result *trained,
                         s2clr_sweep_result *out)
{
    if (status != S2CLR_OK && status != S2CLR_ERR_BACKEND) return status;
    if (status == S2CLR_OK) {
        out->score = trained->knn_auc;
        out->accuracy = trained->knn_accuracy;
        out->loss = trained->loss;
        out->collapsed = trained->collapsed;
    } else {
        if (!strstr(s2clr_error_text(), "diverged")) return status;
        snprintf(out->trouble, sizeof out->trouble, "%s", s2clr_error_text());
        s2clr_error_clear();
    }
    out->done = true;
    return S2CLR_OK;
}

static s2clr_status train(rig *r, s2clr_card *card, s2clr_sweep_result *out)
{
    const s2clr_progress progress = {.call = report_trial, .context = r, .warn = warn_of_trial};
    s2clr_pretrain_settings settings = r->plan->trial[r->trial];
    char folder[S2CLR_SWEEP_PATH];
    s2clr_pretrain_result trained;
    S2CLR_TRY(s2clr_sweep_trial_folder(r->plan->sweep, r->trial, folder));
    settings.common.run_dir = folder;
    settings.common.resume = 1;
    S2CLR_TRY(s2clr_parts_level(&r->data.parts, card, s2clr_args_text(r->args, "level"),
                                card->level[0].name, &settings.common.level));
    const double start = now();
    const s2clr_status status = s2clr_pretrain_run(&settings, card, &r->train, &r->probe, NULL,
                                                   &r->on, &progress, &trained);
    S2CLR_TRY(take(status, &trained, out));
    out->seconds = now() - start;
    memcpy(r->mean, card->mean, sizeof r->mean);
    memcpy(r->std, card->std, sizeof r->std);
    return s2clr_sweep_read_curve(r->plan->sweep, r->trial);
}

/* The weights have served; the log stays. */
static void clean(const rig *r)
{
    static const char *const names[] = {"checkpoint.safetensors", "model.safetensors"};
    char folder[S2CLR_SWEEP_PATH], path[S2CLR_SWEEP_PATH + 32];
    if (s2clr_sweep_trial_folder(r->plan->sweep, r->trial, folder) != S2CLR_OK) return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

static s2clr_status run_trial(rig *r)
{
    s2clr_sweep *sweep = r->plan->sweep;
    s2clr_card *card;
    S2CLR_TRY(make_card(r, &card));
    const s2clr_status status = train(r, card, &sweep->result[r->trial]);
    s2clr_card_free(card);
    S2CLR_TRY(status);
    S2CLR_TRY(s2clr_sweep_save(sweep));
    clean(r);
    return r->kind->report(sweep, r->kind->context);
}

static s2clr_status run_all(rig *r)
{
    s2clr_sweep *sweep = r->plan->sweep;
    const double limit = 60 * s2clr_args_real(r->args, "budget"), start = now();
    size_t run = 0;
    for (r->trial = 0; r->trial < sweep->count; r->trial++) {
        const double used = now() - start;
        if (sweep->result[r->trial].done) continue;
        if (limit > 0 && run > 0 && used + used / (double)run > limit) break;
        S2CLR_TRY(run_trial(r));
        run++;
    }
    return r->kind->report(sweep, r->kind->context);
}

/* What trials can be compared under: everything but folder, budget and threads. */
static s2clr_status begin(rig *r)
{
    static const char *const sizes[] = {"width", "depth"};
    char dataset[600];
    const s2clr_args *args = r->args;
    const char *probe = s2clr_args_text(args, "probe");
    s2clr_dataset_text(s2clr_args_text(args, "dataset"), &r->data.parts.all, dataset,
                       sizeof dataset);
    json_t *common = json_pack(
        "{s:o, s:I, s:I, s:o, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "dataset",
        s2clr_json_words(dataset), "train", (json_int_t)r->train.count, "probe patches",
        (json_int_t)r->probe.count, "probe", s2clr_json_words(probe ? probe : ""), "architecture",
        s2clr_args_text(args, "arch"), "projection", s2clr_args_text(args, "projection"), "epochs",
        (json_int_t)s2clr_args_int(args, "epochs"), "seed",
        (json_int_t)s2clr_args_int(args, "seed"), "neighbours",
        (json_int_t)s2clr_args_int(args, "neighbours"), "precision",
        s2clr_args_text(args, "precision"), "backend", r->on.backend->name);
    for (int i = 0; i < 2; i++) /* otherwise the architecture's own */
        if (s2clr_args_given(args, sizes[i]))
            json_object_set_new(common, sizes[i], json_integer(s2clr_args_int(args, sizes[i])));
    if (r->on.device_count > 1)
        json_object_set_new(common, "devices", json_integer(r->on.device_count));
    json_object_update_missing(common, r->plan->settings);
    char *text = json_dumps(common, JSON_COMPACT);
    json_decref(common);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the sweep's settings");
    const s2clr_status status = s2clr_sweep_load(r->plan->sweep, s2clr_args_text(args, "output"),
                                                 text, s2clr_args_flag(args, "resume"));
    free(text);
    return status;
}

static s2clr_status with_device(rig *r)
{
    S2CLR_TRY(s2clr_edge_device(r->args, &r->on));
    s2clr_status status = begin(r);
    if (status == S2CLR_OK) status = run_all(r);
    s2clr_machine_close(&r->on);
    return status;
}

static s2clr_status with_parts(rig *r)
{
    const char *probe = s2clr_args_text(r->args, "probe");
    const char **names = NULL;
    int *labels = NULL;
    s2clr_pretrain_probe(&r->data.parts, probe, &r->probe);
    if (!r->probe.count)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%s: the validation part has no two kinds of labels, by which trials "
            "could be compared; name classes with --probe, or label patches",
            s2clr_args_text(r->args, "dataset"));
    s2clr_status status = choose_patches(r, &names, &labels);
    if (status == S2CLR_OK) status = with_device(r);
    s2clr_free(names);
    s2clr_free(labels);
    return status;
}

static s2clr_status print_plan(const s2clr_args *args, const s2clr_sweep *sweep)
{
    if (s2clr_args_flag(args, "json")) {
        json_t *list = json_array();
        for (size_t i = 0; i < sweep->count; i++)
            json_array_append_new(list, json_string(sweep->result[i].name));
        return s2clr_edge_json(json_pack("{s:o}", "trials", list));
    }
    printf("%zu trials of %ld epochs\n", sweep->count, s2clr_args_int(args, "epochs"));
    for (size_t i = 0; i < sweep->count; i++) printf("  %s\n", sweep->result[i].name);
    return s2clr_edge_flush();
}

static s2clr_status print_result(const s2clr_args *args, const s2clr_sweep *sweep)
{
    const size_t done = s2clr_sweep_done(sweep);
    const s2clr_sweep_result *r = s2clr_sweep_best(sweep);
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(json_pack(
            "{s:I, s:I, s:o, s:o, s:o}", "trials", (json_int_t)sweep->count, "done",
            (json_int_t)done, "best", r ? json_string(r->name) : json_null(), "auc",
            r ? json_real(r->score) : json_null(), "folder", s2clr_json_words(sweep->folder)));
    if (s2clr_args_flag(args, "quiet")) return s2clr_edge_flush();
    printf("trials      %zu of %zu are done%s\n", done, sweep->count,
           done < sweep->count ? "; the others follow with --resume" : "");
    if (r) printf("best        %s, AUC of neighbours %.4f\n", r->name, r->score);
    printf("report      %s/report.html\n", sweep->folder);
    return s2clr_edge_flush();
}

/* Opens everything and runs the trials that are not done, as far as the budget goes. */
static s2clr_status run_trials(const s2clr_args *args, const s2clr_sweep_kind *kind,
                               s2clr_sweep_plan *plan)
{
    rig r = {.args = args, .kind = kind, .plan = plan};
    s2clr_terminal terminal;
    if (s2clr_args_flag(args, "dry-run")) return print_plan(args, plan->sweep);
    S2CLR_TRY(s2clr_run_folder_outside(args));
    S2CLR_TRY(s2clr_sweep_check(s2clr_args_text(args, "output"), s2clr_args_flag(args, "resume")));
    S2CLR_TRY(s2clr_edge_pool(args, &r.on.pool));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    r.progress = &progress;
    s2clr_status status = s2clr_encoder_data_open(
        args, s2clr_args_text(args, "probe"),
        1u << S2CLR_SPLIT_TRAIN | 1u << S2CLR_SPLIT_VALIDATION, r.on.pool, r.progress, &r.data);
    if (status == S2CLR_OK) {
        s2clr_terminal_end(&terminal);
        s2clr_parts_note(args, &r.data.parts);
        status = with_parts(&r);
        s2clr_encoder_data_close(&r.data);
    }
    s2clr_terminal_end(&terminal);
    s2clr_pool_free(r.on.pool);
    S2CLR_TRY(status);
    return print_result(args, plan->sweep);
}

s2clr_status s2clr_sweep_run(const s2clr_args *args, const s2clr_sweep_kind *kind)
{
    s2clr_sweep_plan plan = {0};
    S2CLR_TRY(s2clr_sweep_new(kind->trials, &plan.sweep));
    s2clr_status status =
        s2clr_alloc(kind->trials, sizeof *plan.trial, "trials", (void **)&plan.trial);
    if (status == S2CLR_OK) status = kind->plan(args, kind->context, &plan);
    if (status == S2CLR_OK) status = run_trials(args, kind, &plan);
    json_decref(plan.settings);
    s2clr_free(plan.trial);
    s2clr_sweep_free(plan.sweep);
    return status;
}
