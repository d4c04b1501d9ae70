/* s2clr supervised: labelled patches in, a model file out. */
#include <nettle/sha2.h>
#include <string.h>

#include "backend/device_select.h"
#include "commands/card_build.h"
#include "commands/cmd_list.h"
#include "commands/dataset_rows.h"
#include "commands/edge.h"
#include "train/augment.h"
#include "train/run_folder.h"
#include "train/supervised.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help =
         "The class that is label 1, or several, separated by commas; all others are 0. A store "
         "has labels of its own, which are taken without it; the card names them then."},
    {"labels-fraction", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "1", .minimum = 0,
     .maximum = 1, .group = "Data",
     .help = "Share of the training part to use, of either label, more than 0."},
    {"bands-names", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Data",
     .help = "Names of the images' bands in their order; B04,B03,B02 for three bands without it."},
    {"level", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Data",
     .help = "Level of the card that the images' numbers are in; without it, the card's first."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FOLDER, .required = true, .meta = "RUN_DIR",
     .group = "Output",
     .help = "Folder of the run: checkpoint.safetensors, log.jsonl and model.safetensors."},
    {"resume", NULL, S2CLR_TYPE_FLAG, .group = "Output",
     .help = "Goes on from the folder's checkpoint: the weights become the same as without the "
             "interruption."},
    {"dry-run", NULL, S2CLR_TYPE_FLAG, .group = "Output",
     .help = "Prints what would be trained and stops."},
    {"card", NULL, S2CLR_TYPE_INPUT, .meta = "JSON", .group = "Output",
     .help = "A partial card to fill the model's with: id, title, warning, levels, texts."},
    {"arch", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "dense", .group = "Network",
     .help = "Architecture, such as dense or resnet18; \"s2clr info\" lists them."},
    {"width", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 4096, .group = "Network",
     .help = "Channels of the first stage; without it, the architecture's."},
    {"depth", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 64, .group = "Network",
     .help = "Number of layers, where the architecture lets it be chosen (dense)."},
    {"epochs", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "20", .minimum = 1, .maximum = 100000,
     .group = "Training", .help = "Rounds through the training samples."},
    {"batch", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "64", .minimum = 1, .maximum = 65536,
     .group = "Training", .help = "Samples per step."},
    {"rate", NULL, S2CLR_TYPE_REAL, .meta = "RATE", .standard = "0.002", .minimum = 0,
     .maximum = 100, .group = "Training",
     .help = "Highest learning rate, after the warm-up; then it falls along half a cosine."},
    {"optimiser", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "adamw", .group = "Training",
     .help = "Optimiser; \"s2clr info\" lists them."},
    {"weight-decay", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.01", .minimum = 0,
     .maximum = 100, .group = "Training", .help = "Weight decay."},
    {"augment", NULL, S2CLR_TYPE_TEXT, .meta = "WORDS", .standard = "flip,rot90,shift",
     .group = "Training",
     .help = "Random changes of each patch, separated by commas (\"s2clr info\" lists them), or "
             "none."},
    {"balance", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.5", .minimum = 0, .maximum = 1,
     .group = "Training",
     .help = "Share of both labels in a batch: 0 as they come, 1 equal, between: mixed."},
    {"label-smoothing", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0", .minimum = 0,
     .maximum = 1, .group = "Training", .help = "Moves the targets 0 and 1 by half of this."},
    {"patience", NULL, S2CLR_TYPE_INT, .meta = "EPOCHS", .standard = "6", .minimum = 0,
     .maximum = 100000, .group = "Training",
     .help = "Stops after so many epochs without a better validation AUC; 0: never."},
    {"warmup", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.1", .minimum = 0,
     .maximum = 1, .advanced = true, .group = "Training",
     .help = "Share of all steps in which the rate rises from 0."},
    {"micro", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "16", .minimum = 1, .maximum = 65536,
     .advanced = true, .group = "Training",
     .help = "Samples computed at once by one thread; the batch is a multiple of it."},
};

static s2clr_status settings_of(const s2clr_args *args, s2clr_supervised_settings *s)
{
    s2clr_supervised_defaults(s);
    s->run_dir = s2clr_args_text(args, "output");
    s->optimiser = s2clr_args_text(args, "optimiser");
    s->rate = s2clr_args_real(args, "rate");
    s->weight_decay = s2clr_args_real(args, "weight-decay");
    s->warmup = s2clr_args_real(args, "warmup");
    s->epochs = (int)s2clr_args_int(args, "epochs");
    s->batch = (int)s2clr_args_int(args, "batch");
    s->micro = (int)s2clr_args_int(args, "micro");
    s->balance = s2clr_args_real(args, "balance");
    s->label_smoothing = s2clr_args_real(args, "label-smoothing");
    s->patience = (int)s2clr_args_int(args, "patience");
    s->seed = (uint64_t)s2clr_args_int(args, "seed");
    s->resume = s2clr_args_flag(args, "resume");
    if (s->batch < s->micro && !s2clr_args_given(args, "micro")) s->micro = s->batch;
    return s2clr_augment_parse(s2clr_args_text(args, "augment"), &s->augment);
}

/* "eurosat_rgb.zip, 27000 patches, names and labels SHA-256 1f0c...". */
static void dataset_text(const char *path, const s2clr_samples *all, char *out, size_t size)
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    sha256_init(&context);
    for (size_t i = 0; i < all->count; i++) {
        const uint8_t label = (uint8_t)all->labels[i];
        sha256_update(&context, strlen(all->names[i]) + 1, (const uint8_t *)all->names[i]);
        sha256_update(&context, 1, &label);
    }
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') start--;
    snprintf(out, size, "%.*s, %zu patches, SHA-256 of names and labels %s", (int)(length - start),
             path + start, all->count, hex);
}

static void trained_text(const s2clr_args *args, const s2clr_parts *parts, char *out, size_t size)
{
    char held[200];
    const char *positive = s2clr_args_text(args, "positive");
    snprintf(held, sizeof held,
             "a share of %s held out by a hash of the %s name and never trained on",
             s2clr_args_text(args, "test-share"), parts->store ? "patch's" : "file");
    snprintf(out, size, "%zu patches (%zu %s), validated on %zu (%zu); %s", parts->train.count,
             s2clr_samples_positives(&parts->train), positive ? positive : "positive",
             parts->validation.count, s2clr_samples_positives(&parts->validation),
             parts->as_recorded ? "the test part of the store never trained on" : held);
}

static s2clr_card_facts facts_of(const s2clr_args *args, const s2clr_store_facts *store)
{
    const char *level = s2clr_args_text(args, "level");
    if (!level && store->store && store->level[0]) level = store->level;
    return (s2clr_card_facts){.channels = store->channels,
                              .patch = store->patch,
                              .positive = s2clr_args_text(args, "positive"),
                              .level = level ? level : "DN",
                              .bands = store->store ? store->bands : NULL,
                              .metres = store->metres};
}

static s2clr_status make_card(const s2clr_args *args, const s2clr_parts *parts,
                              const s2clr_store_facts *store, s2clr_card **out)
{
    char dataset[600], trained[600];
    bool measured;
    dataset_text(s2clr_args_text(args, "dataset"), &parts->all, dataset, sizeof dataset);
    trained_text(args, parts, trained, sizeof trained);
    s2clr_card_facts facts = facts_of(args, store);
    facts.channels = parts->all.channels;
    facts.patch = parts->all.size;
    facts.dataset = dataset;
    facts.trained_on = trained;
    return s2clr_card_build(args, &facts, out, &measured);
}

/* What the samples of a store are made for; NULL for images. */
static s2clr_status card_of_store(const s2clr_args *args, s2clr_store_facts *store,
                                  s2clr_card **out)
{
    char wanted[256];
    bool measured;
    *out = NULL;
    S2CLR_TRY(s2clr_card_bands(args, wanted, sizeof wanted));
    S2CLR_TRY(s2clr_store_facts_get(args, wanted[0] ? wanted : NULL, store));
    if (!store->store && !s2clr_args_given(args, "positive"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--positive is missing: name the class of the images that is label "
                               "1. See \"s2clr supervised --help\"");
    if (!store->store) return S2CLR_OK;
    const s2clr_card_facts facts = facts_of(args, store);
    return s2clr_card_build(args, &facts, out, &measured);
}

static json_t *plan_json(const s2clr_parts *parts, const s2clr_card *card,
                         const s2clr_supervised_settings *s, size_t weights, const char *device)
{
    return json_pack("{s:I, s:I, s:I, s:i, s:i, s:s, s:I, s:s, s:s, s:s}", "train",
                     (json_int_t)parts->train.count, "validation",
                     (json_int_t)parts->validation.count, "test", (json_int_t)parts->test.count,
                     "bands", card->bands, "patch", card->patch, "architecture", card->arch.name,
                     "weights", (json_int_t)weights, "level", s->level, "device", device, "output",
                     s->run_dir);
}

static void plan_print(const s2clr_parts *parts, const s2clr_card *card,
                       const s2clr_supervised_settings *s, size_t weights, const char *device)
{
    const s2clr_samples *const part[] = {&parts->train, &parts->validation, &parts->test};
    static const char *const names[] = {"training", "validation", "held out"};
    printf("patches     %d bands of %d x %d pixels, level %s\n", card->bands, card->patch,
           card->patch, s->level);
    for (int i = 0; i < 3; i++)
        printf("%-12s%zu, %zu of them %s\n", names[i], part[i]->count,
               s2clr_samples_positives(part[i]), card->positive);
    printf("network     %s, %zu weights\n", card->arch.name, weights);
    const size_t steps = parts->train.count / (size_t)s->batch; /* a small set fills one batch */
    printf("training    %d epochs of %zu steps of %d, %s, rate %g\n", s->epochs, steps ? steps : 1,
           s->batch, s->optimiser, s->rate);
    printf("device      %s\noutput      %s\n", device, s->run_dir);
    fflush(stdout);
}

static s2clr_status report(const s2clr_args *args, const s2clr_supervised_result *r)
{
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(json_pack("{s:s, s:i, s:i, s:f, s:f}", "model", r->model_path,
                                         "epochs", r->epochs_run, "best_epoch", r->best_epoch,
                                         "validation_auc", r->best_auc, "seconds", r->seconds));
    if (!s2clr_args_flag(args, "quiet"))
        printf("best epoch  %d of %d, validation AUC %.4f, %.1f s\nmodel       %s\n", r->best_epoch,
               r->epochs_run, r->best_auc, r->seconds, r->model_path);
    return s2clr_edge_flush();
}

static s2clr_status train(const s2clr_args *args, const s2clr_parts *parts, s2clr_card *card,
                          s2clr_supervised_settings *settings, s2clr_pool *pool,
                          const s2clr_progress *progress, s2clr_supervised_result *result)
{
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_net *net;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    const size_t weights = s2clr_net_trainable_count(net);
    s2clr_net_free(net);
    S2CLR_TRY(s2clr_device_select(s2clr_args_text(args, "device"), &backend, &device));
    const bool dry = s2clr_args_flag(args, "dry-run"), json = s2clr_args_flag(args, "json");
    const char *name = backend->device_describe(device);
    if (!json && (dry || !s2clr_args_flag(args, "quiet")))
        plan_print(parts, card, settings, weights, name);
    s2clr_status status = S2CLR_OK;
    if (dry && json)
        status = s2clr_edge_json(plan_json(parts, card, settings, weights, name));
    else if (!dry)
        status = s2clr_supervised_run(settings, card, &parts->train, &parts->validation, backend,
                                      device, pool, progress, result);
    backend->device_close(device);
    return status;
}

static s2clr_status with_parts(const s2clr_args *args, const s2clr_parts *parts,
                               const s2clr_store_facts *store, s2clr_pool *pool,
                               const s2clr_progress *progress, s2clr_supervised_result *result)
{
    s2clr_supervised_settings settings;
    s2clr_card *card;
    S2CLR_TRY(settings_of(args, &settings));
    S2CLR_TRY(make_card(args, parts, store, &card));
    s2clr_status status = s2clr_parts_level(parts, card, s2clr_args_text(args, "level"),
                                            card->level[0].name, &settings.level);
    if (status == S2CLR_OK) status = train(args, parts, card, &settings, pool, progress, result);
    s2clr_card_free(card);
    return status;
}

static s2clr_status open_data(const s2clr_args *args, s2clr_pool *pool,
                              const s2clr_progress *progress, s2clr_store_facts *store,
                              s2clr_parts *parts)
{
    s2clr_card *card;
    S2CLR_TRY(card_of_store(args, store, &card));
    const s2clr_parts_options options = {.positive = s2clr_args_text(args, "positive"),
                                         .needed =
                                             1u << S2CLR_SPLIT_TRAIN | 1u << S2CLR_SPLIT_VALIDATION,
                                         .fraction = s2clr_args_real(args, "labels-fraction"),
                                         .card = card};
    const s2clr_status status = s2clr_parts_open(args, &options, pool, progress, parts);
    s2clr_card_free(card);
    return status;
}

/* Before thousands of images are decoded. */
static s2clr_status check_early(const s2clr_args *args)
{
    s2clr_supervised_settings settings;
    S2CLR_TRY(settings_of(args, &settings));
    if (s2clr_args_flag(args, "dry-run")) return S2CLR_OK;
    return s2clr_run_folder_check(settings.run_dir, settings.resume);
}

static s2clr_status supervised(const s2clr_args *args)
{
    s2clr_pool *pool;
    s2clr_parts parts;
    s2clr_store_facts store;
    s2clr_terminal terminal;
    s2clr_supervised_result result;
    S2CLR_TRY(check_early(args));
    S2CLR_TRY(s2clr_edge_pool(args, &pool));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    s2clr_status status = open_data(args, pool, &progress, &store, &parts);
    if (status == S2CLR_OK) {
        s2clr_terminal_end(&terminal);
        s2clr_parts_note(args, &parts);
        status = with_parts(args, &parts, &store, pool, &progress, &result);
        s2clr_parts_close(&parts);
    }
    s2clr_terminal_end(&terminal);
    s2clr_pool_free(pool);
    S2CLR_TRY(status);
    return s2clr_args_flag(args, "dry-run") ? S2CLR_OK : report(args, &result);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = supervised(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_supervised = {
    .name = "supervised",
    .summary = "trains a model from labelled patches",
    .description =
        "Trains a network on labelled image patches and writes a model file that \"s2clr predict\" "
        "takes. The same data, settings, seed and library version give the same weights, whatever "
        "the threads and however often the run was interrupted and resumed.",
    .example = "s2clr supervised eurosat_rgb.zip -o run --positive PermanentCrop",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,device,seed,config",
    .run = run,
};
