#include "commands/sweep_trials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "commands/card_build.h"
#include "commands/dataset_text.h"
#include "commands/edge.h"
#include "commands/pretrain_data.h"

typedef struct rig {
    const s2clr_args *args;
    s2clr_sweep_plan *plan;
    s2clr_status (*report)(s2clr_sweep *sweep, void *context);
    void *context;
    s2clr_pool *pool;
    const s2clr_progress *progress;
    s2clr_store_facts store;
    s2clr_parts parts;
    s2clr_samples train, probe;
    const s2clr_backend *backend;
    s2clr_device *device;
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
    return index * r->parts.train.count / r->train.count;
}

static s2clr_status read_spread(void *self, size_t index, float *dn)
{
    const rig *r = self;
    return r->parts.train.read(r->parts.train.self, spread(r, index), dn);
}

static s2clr_status choose_patches(rig *r, const char ***names, int **labels)
{
    const size_t all = r->parts.train.count, most = (size_t)s2clr_args_int(r->args, "patches");
    r->train = r->parts.train;
    r->train.self = r;
    r->train.read = read_spread;
    r->train.groups = NULL;
    r->train.group_count = 0;
    r->train.count = most < all ? most : all;
    S2CLR_TRY(s2clr_alloc(r->train.count, sizeof **names, "patches of a trial", (void **)names));
    S2CLR_TRY(s2clr_alloc(r->train.count, sizeof **labels, "patches of a trial", (void **)labels));
    for (size_t i = 0; i < r->train.count; i++) {
        (*names)[i] = r->parts.train.names[spread(r, i)];
        (*labels)[i] = r->parts.train.labels[spread(r, i)];
    }
    r->train.names = *names;
    r->train.labels = *labels;
    return S2CLR_OK;
}

/* ---- the card ---- */

static s2clr_card_facts facts_of(const rig *r)
{
    const char *level = s2clr_args_text(r->args, "level");
    if (!level && r->store.store && r->store.level[0]) level = r->store.level;
    return (s2clr_card_facts){.channels = r->store.channels,
                              .patch = r->store.patch,
                              .level = level ? level : "DN",
                              .bands = r->store.store ? r->store.bands : NULL,
                              .metres = r->store.metres,
                              .projection = s2clr_args_text(r->args, "projection")};
}

static s2clr_status make_card(rig *r, s2clr_card **out)
{
    bool measured;
    s2clr_card_facts facts = facts_of(r);
    facts.channels = r->train.channels;
    facts.patch = r->train.size;
    S2CLR_TRY(s2clr_card_build(r->args, &facts, out, &measured));
    if (!(r->std[0] > 0)) return S2CLR_OK;
    memcpy((*out)->mean, r->mean, sizeof r->mean);
    memcpy((*out)->std, r->std, sizeof r->std);
    return S2CLR_OK;
}

static s2clr_status open_parts(rig *r)
{
    char wanted[256];
    bool measured;
    s2clr_card *card = NULL;
    S2CLR_TRY(s2clr_card_bands(r->args, wanted, sizeof wanted));
    S2CLR_TRY(s2clr_store_facts_get(r->args, wanted[0] ? wanted : NULL, &r->store));
    if (r->store.store) {
        const s2clr_card_facts facts = facts_of(r);
        S2CLR_TRY(s2clr_card_build(r->args, &facts, &card, &measured));
    }
    const s2clr_parts_options options = {.positive = s2clr_args_text(r->args, "probe"),
                                         .needed =
                                             1u << S2CLR_SPLIT_TRAIN | 1u << S2CLR_SPLIT_VALIDATION,
                                         .fraction = 1,
                                         .pretraining = true,
                                         .card = card};
    const s2clr_status status =
        s2clr_parts_open(r->args, &options, r->pool, r->progress, &r->parts);
    s2clr_card_free(card);
    return status;
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
    const s2clr_progress progress = {.call = report_trial, .context = r};
    s2clr_pretrain_settings settings = r->plan->trial[r->trial];
    char folder[S2CLR_SWEEP_PATH];
    s2clr_pretrain_result trained;
    S2CLR_TRY(s2clr_sweep_trial_folder(r->plan->sweep, r->trial, folder));
    settings.common.run_dir = folder;
    settings.common.resume = 1;
    S2CLR_TRY(s2clr_parts_level(&r->parts, card, s2clr_args_text(r->args, "level"),
                                card->level[0].name, &settings.common.level));
    const double start = now();
    const s2clr_status status =
        s2clr_pretrain_run(&settings, card, &r->train, &r->probe, NULL, r->backend, r->device,
                           r->pool, &progress, &trained);
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
    return r->report(sweep, r->context);
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
    return r->report(sweep, r->context);
}

/* What trials can be compared under: everything but folder, budget and machine. */
static s2clr_status begin(rig *r)
{
    char dataset[600];
    const s2clr_args *args = r->args;
    const char *probe = s2clr_args_text(args, "probe");
    s2clr_dataset_text(s2clr_args_text(args, "dataset"), &r->parts.all, dataset, sizeof dataset);
    json_t *common = json_pack(
        "{s:s, s:I, s:I, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:s}", "dataset", dataset, "train",
        (json_int_t)r->train.count, "probe patches", (json_int_t)r->probe.count, "probe",
        probe ? probe : "", "architecture", s2clr_args_text(args, "arch"), "width",
        (json_int_t)s2clr_args_int(args, "width"), "depth",
        (json_int_t)s2clr_args_int(args, "depth"), "projection",
        s2clr_args_text(args, "projection"), "epochs", (json_int_t)s2clr_args_int(args, "epochs"),
        "seed", (json_int_t)s2clr_args_int(args, "seed"), "neighbours",
        (json_int_t)s2clr_args_int(args, "neighbours"), "precision",
        s2clr_args_text(args, "precision"));
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
    s2clr_precision precision;
    S2CLR_TRY(begin(r));
    S2CLR_TRY(s2clr_precision_parse(s2clr_args_text(r->args, "precision"), &precision));
    S2CLR_TRY(s2clr_device_select(s2clr_args_text(r->args, "device"), precision, &r->backend,
                                  &r->device));
    const s2clr_status status = run_all(r);
    r->backend->device_close(r->device);
    return status;
}

static s2clr_status with_parts(rig *r)
{
    const char *probe = s2clr_args_text(r->args, "probe");
    const char **names = NULL;
    int *labels = NULL;
    s2clr_pretrain_probe(&r->parts, probe, &r->probe);
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

s2clr_status s2clr_sweep_trials(const s2clr_args *args, s2clr_sweep_plan *plan,
                                s2clr_status (*report)(s2clr_sweep *sweep, void *context),
                                void *context)
{
    rig r = {.args = args, .plan = plan, .report = report, .context = context};
    s2clr_terminal terminal;
    if (s2clr_args_flag(args, "dry-run")) return print_plan(args, plan->sweep);
    S2CLR_TRY(s2clr_sweep_check(s2clr_args_text(args, "output"), s2clr_args_flag(args, "resume")));
    S2CLR_TRY(s2clr_edge_pool(args, &r.pool));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    r.progress = &progress;
    s2clr_status status = open_parts(&r);
    if (status == S2CLR_OK) {
        s2clr_terminal_end(&terminal);
        s2clr_parts_note(args, &r.parts);
        status = with_parts(&r);
        s2clr_parts_close(&r.parts);
    }
    s2clr_terminal_end(&terminal);
    s2clr_pool_free(r.pool);
    S2CLR_TRY(status);
    return s2clr_sweep_print(args, plan->sweep);
}

s2clr_status s2clr_sweep_print(const s2clr_args *args, const s2clr_sweep *sweep)
{
    const size_t done = s2clr_sweep_done(sweep);
    const s2clr_sweep_result *r = s2clr_sweep_best(sweep);
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(
            json_pack("{s:I, s:I, s:o, s:o, s:s}", "trials", (json_int_t)sweep->count, "done",
                      (json_int_t)done, "best", r ? json_string(r->name) : json_null(), "auc",
                      r ? json_real(r->score) : json_null(), "folder", sweep->folder));
    if (s2clr_args_flag(args, "quiet")) return s2clr_edge_flush();
    printf("trials      %zu of %zu are done%s\n", done, sweep->count,
           done < sweep->count ? "; the others follow with --resume" : "");
    if (r) printf("best        %s, AUC of neighbours %.4f\n", r->name, r->score);
    printf("report      %s/report.html\n", sweep->folder);
    return s2clr_edge_flush();
}
