/* s2clr pretrain: patches in, labels ignored, an encoder out. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/card_inherit.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/interrupt.h"
#include "commands/encoder_data.h"
#include "commands/pretrain_data.h"
#include "commands/pretrain_report.h"
#include "commands/run_record.h"
#include "commands/training_rows.h"
#include "train/finetune.h"
#include "train/pretrain.h"
#include "train/run_folder.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"probe", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help = "After every epoch, nearest neighbours in the validation part tell this class, or "
             "several, separated by commas, from the others; none: no such probe. Without it, "
             "images go by their classes and stores by their labels. Training never sees a label."},
    {"natural", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.5", .minimum = 0,
     .maximum = 1, .group = "Data",
     .help = "Where a store has several dates of a place: share of its pairs whose second view is "
             "of another date. Dates of one place are never told apart."},
    S2CLR_ROWS_IMAGE_BANDS,
    S2CLR_ROWS_RUN,
    S2CLR_ROWS_NETWORK("resnet18"),
    {"initial", NULL, S2CLR_TYPE_MODEL, .meta = "FILE", .group = "Network",
     .help =
         "Model file whose weights all layers start from: an encoder to go on with, an imported "
         "ImageNet model or any other; its architecture, bands, levels, statistics and patch "
         "size are taken, and its projection head unless --projection is given. Without it, "
         "random ones."},
    {"projection", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .standard = "1024,512,128",
     .group = "Network",
     .help = "Widths of the layers behind the encoder whose output is compared; they stay in the "
             "model, and fine-tuning may start from any of them."},
    {"batch", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "256", .minimum = 2, .maximum = 65536,
     .group = "Training",
     .help = "Patches per step, two views of each; each is told from all the others."},
    {"chunk", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 65536,
     .group = "Training",
     .help = "Patches in memory at once, a divisor of the batch; smaller ones need less memory, "
             "all but one chunk are computed twice, and batch norm sees the views of one chunk. "
             "Without it, about 64."},
    {"temperature", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.1", .minimum = 0.0001,
     .maximum = 100, .group = "Training",
     .help = "Of the loss: lower ones look at the most similar others only."},
    S2CLR_ROWS_SCHEDULE("50", "0.001", "0.0001",
                        " lars wants about 0.3 for each 256 patches of the batch."),
    {"augment", NULL, S2CLR_TYPE_TEXT, .meta = "WORDS", .standard = "multispectral",
     .group = "Training",
     .help = "What makes two views of a patch differ: a preset (multispectral; simclr-s2, as "
             "published), or words separated by commas (\"s2clr info\" lists them)."},
    {"micro", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 65536, .advanced = true,
     .group = "Training",
     .help = "Views computed at once by one thread, a divisor of the chunk; without it, up to 16."},
    {"neighbours", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "20", .minimum = 1,
     .maximum = 100000, .advanced = true, .group = "Training", .help = "Of the probe."},
};

static s2clr_status settings_of(const s2clr_args *args, s2clr_pretrain_settings *s)
{
    s2clr_pretrain_defaults(s);
    S2CLR_TRY(s2clr_training_read(args, &s->common));
    s->temperature = s2clr_args_real(args, "temperature");
    s->natural = s2clr_args_real(args, "natural");
    s->probe_k = (int)s2clr_args_int(args, "neighbours");
    s2clr_pretrain_fit(s, s2clr_args_given(args, "chunk") ? (int)s2clr_args_int(args, "chunk") : 0,
                       s2clr_args_given(args, "micro") ? (int)s2clr_args_int(args, "micro") : 0);
    return S2CLR_OK;
}

/* What --probe names, NULL when it names nothing. */
static const char *probe_class(const s2clr_args *args)
{
    const char *probe = s2clr_args_text(args, "probe");
    return probe && strcmp(probe, "none") == 0 ? NULL : probe;
}

static bool probe_wanted(const s2clr_args *args)
{
    return !s2clr_args_given(args, "probe") || probe_class(args);
}

/* An open device and what is run on it. */
typedef struct pretraining {
    const s2clr_args *args;
    s2clr_encoder_data data;
    s2clr_card *card;
    s2clr_finetune start; /* with a parent */
    s2clr_pretrain_settings settings;
    s2clr_samples probe;
    size_t with_dates;
    s2clr_machine on;
    const s2clr_progress *progress;
    s2clr_pretrain_result result;
} pretraining;

static s2clr_status run_recorded(pretraining *p, const s2clr_pretrain_plan *plan)
{
    s2clr_run_record record;
    S2CLR_TRY(s2clr_run_record_open(p->args, s2clr_pretrain_plan_text, plan, &record));
    const s2clr_progress progress = s2clr_run_record_progress(&record, p->progress);
    const s2clr_status status = s2clr_pretrain_run(&p->settings, p->card, &p->data.parts.train,
                                                   p->probe.count ? &p->probe : NULL,
                                                   p->start.initial, &p->on, &progress, &p->result);
    return s2clr_run_record_close(&record, status, s2clr_pretrain_result_text, &p->result);
}

static s2clr_status train(pretraining *p)
{
    const bool dry = s2clr_args_flag(p->args, "dry-run");
    s2clr_pretrain_cost cost;
    s2clr_net *net;
    S2CLR_TRY(s2clr_net_new(&p->card->arch, &net));
    const size_t weights = s2clr_net_trainable_count(net);
    s2clr_net_free(net);
    if (dry)
        S2CLR_TRY(s2clr_pretrain_try(&p->settings, p->card, &p->data.parts.train, &p->on, &cost));
    S2CLR_TRY(s2clr_interrupt_check()); /* a step that is measured may take a minute */
    const s2clr_pretrain_plan plan = {.parts = &p->data.parts,
                                      .parent = p->data.parent,
                                      .adoption = &p->start.adoption,
                                      .probe = &p->probe,
                                      .card = p->card,
                                      .settings = &p->settings,
                                      .with_dates = p->with_dates,
                                      .weights = weights,
                                      .on = &p->on,
                                      .cost = dry ? &cost : NULL};
    S2CLR_TRY(s2clr_pretrain_plan_print(p->args, &plan));
    return dry ? S2CLR_OK : run_recorded(p, &plan);
}

static s2clr_status with_device(pretraining *p)
{
    S2CLR_TRY(s2clr_edge_device(p->args, &p->on));
    const s2clr_status status = train(p);
    s2clr_machine_close(&p->on);
    return status;
}

static s2clr_status with_card(pretraining *p)
{
    const s2clr_parts *parts = &p->data.parts;
    int *partner;
    S2CLR_TRY(s2clr_parts_level(parts, p->card, s2clr_args_text(p->args, "level"),
                                s2clr_parent_level(p->data.parent, p->card),
                                &p->settings.common.level));
    if (p->data.parent)
        S2CLR_TRY(
            s2clr_finetune_begin(p->data.parent, 0, p->settings.common.seed, p->card, &p->start));
    if (probe_wanted(p->args)) s2clr_pretrain_probe(parts, probe_class(p->args), &p->probe);
    if (probe_class(p->args) && !p->probe.count)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--probe %s: the validation part has not both patches of that class "
                               "and others",
                               probe_class(p->args));
    S2CLR_TRY(s2clr_pretrain_partners(parts, &partner, &p->with_dates));
    p->settings.partner = partner;
    if (!partner && !s2clr_args_given(p->args, "natural")) p->settings.natural = 0;
    const s2clr_status status = with_device(p);
    s2clr_free(partner);
    return status;
}

static s2clr_status with_parts(pretraining *p)
{
    S2CLR_TRY(settings_of(p->args, &p->settings));
    S2CLR_TRY(s2clr_encoder_card(&p->data, &p->card));
    const s2clr_status status = with_card(p);
    s2clr_finetune_end(&p->start);
    s2clr_card_free(p->card);
    return status;
}

/* Before thousands of images are decoded. */
static s2clr_status check_early(const s2clr_args *args)
{
    s2clr_pretrain_settings settings;
    S2CLR_TRY(settings_of(args, &settings));
    S2CLR_TRY(s2clr_run_folder_outside(args));
    if (s2clr_args_flag(args, "dry-run")) return S2CLR_OK;
    return s2clr_run_folder_check(settings.common.run_dir, settings.common.resume);
}

static s2clr_status pretrain(const s2clr_args *args)
{
    s2clr_terminal terminal;
    pretraining p = {.args = args};
    S2CLR_TRY(check_early(args));
    S2CLR_TRY(s2clr_edge_pool(args, &p.on.pool));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    p.progress = &progress;
    s2clr_status status = s2clr_encoder_data_open(args, probe_class(args), 1u << S2CLR_SPLIT_TRAIN,
                                                  p.on.pool, p.progress, &p.data);
    if (status == S2CLR_OK) {
        s2clr_terminal_end(&terminal);
        s2clr_parts_note(args, &p.data.parts);
        status = with_parts(&p);
        s2clr_encoder_data_close(&p.data);
    }
    s2clr_terminal_end(&terminal);
    s2clr_pool_free(p.on.pool);
    S2CLR_TRY(status);
    return s2clr_args_flag(args, "dry-run") ? S2CLR_OK
                                            : s2clr_pretrain_result_print(args, &p.result);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = pretrain(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

static const s2clr_result_row results[] = {
    {"trained-model", "model", "The encoder file", true},
    {"loss", "loss", "Loss", false},
    {"knn-auc", "knn_auc", "AUC of nearest neighbours", false},
};

const s2clr_command s2clr_cmd_pretrain = {
    .name = "pretrain",
    .summary = "trains an encoder from patches without labels",
    .description =
        "Trains an encoder to recognise a patch in two changed views of it among all the others of "
        "a batch (SimCLR), and writes it with its projection head as a model file that \"s2clr "
        "finetune\" and \"s2clr embed\" take, and \"s2clr pretrain --initial\" goes on with. "
        "Labels are only used to watch what neighbours have "
        "in common. The same data, settings, seed and library version give the same weights, "
        "whatever the threads and however often the run was interrupted and resumed.",
    .example = "s2clr pretrain eurosat_rgb.zip -o encoder --epochs 20",
    .title = "Pretrain an encoder without labels",
    .section = "Train",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,threads,device,seed,config",
    .run = run,
};
