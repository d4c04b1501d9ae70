#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/philox.h"
#include "file/model.h"
#include "file/safetensors.h"
#include "train/augment.h"
#include "train/metrics.h"
#include "train/supervised.h"

/* ---- fine noise is positive, coarse noise is negative. Both have the same mean and variance, but
 * in small patches, where a padded network sees little texture, a colour helps it. ---- */

enum { BANDS = 2, TRAIN = 64, VAL = 32, NAME = 16 };

typedef struct textures {
    uint64_t seed;
    int size;
    float contrast; /* positive: first band brighter, second darker */
    char name[TRAIN][NAME];
    const char *names[TRAIN];
    int labels[TRAIN];
} textures;

static s2clr_status read_texture(void *self, size_t index, float *dn)
{
    const textures *set = self;
    const int grain = set->labels[index] ? 1 : 4;
    for (int b = 0; b < BANDS; b++) {
        const float mean = 120 + (set->labels[index] == b ? -set->contrast : set->contrast);
        for (int i = 0; i < set->size; i++)
            for (int j = 0; j < set->size; j++)
                *dn++ = mean + 40 * s2clr_random_normal(set->seed, index * BANDS + (uint64_t)b,
                                                        (uint64_t)(i / grain * 64 + j / grain));
    }
    return S2CLR_OK;
}

static s2clr_samples make_samples(textures *set, uint64_t seed, size_t count, int size)
{
    set->seed = seed;
    set->size = size;
    set->contrast = size < 64 ? 20 : 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(set->name[i], NAME, "%d/%zu", (int)seed, i);
        set->names[i] = set->name[i];
        set->labels[i] = i % 3 == 0;
    }
    return (s2clr_samples){.self = set,
                           .count = count,
                           .channels = BANDS,
                           .size = size,
                           .names = set->names,
                           .labels = set->labels,
                           .read = read_texture};
}

static s2clr_card *make_card(const char *arch, int width, int size)
{
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_new(&card));
    snprintf(card->arch.name, sizeof card->arch.name, "%s", arch);
    snprintf(card->id, sizeof card->id, "textures");
    card->arch.channels = card->bands = BANDS;
    card->arch.outputs = 1;
    card->arch.width = width;
    snprintf(card->band[0], S2CLR_CARD_WORD, "B04");
    snprintf(card->band[1], S2CLR_CARD_WORD, "B03");
    card->levels = 1;
    s2clr_card_level *level = &card->level[0];
    snprintf(level->name, sizeof level->name, "NOISE");
    level->gain[0] = level->gain[1] = 1;
    level->low = 0, level->high = 255;
    card->patch = size, card->stride = 4, card->metres = 10;
    snprintf(card->resampling, sizeof card->resampling, "bilinear");
    snprintf(card->positive, sizeof card->positive, "fine");
    snprintf(card->negative, sizeof card->negative, "coarse");
    return card;
}

/* ---- one run ---- */

typedef struct run {
    const char *folder, *arch;
    int width, size, threads;
    s2clr_supervised_settings settings;
    uint64_t val_seed;
    int stop_epoch; /* cancel as soon as this epoch is reported; 0: never */
    int reports;
    double last;
    char message[200];
    s2clr_supervised_result result;
} run;

static const char *path_of(const run *r, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s%s%s", test_folder(), r->folder, name ? "/" : "",
             name ? name : "");
    return path;
}

static bool exists(const run *r, const char *name)
{
    return access(path_of(r, name), F_OK) == 0;
}

static run new_run(const char *folder, int threads)
{
    run r = {.folder = folder,
             .arch = "resnet18",
             .width = 8,
             .size = 16,
             .threads = threads,
             .val_seed = 2};
    s2clr_supervised_defaults(&r.settings);
    r.settings.epochs = 4;
    r.settings.batch = 16;
    r.settings.micro = 4;
    r.settings.rate = 0.01;
    r.settings.level = "NOISE";
    r.settings.augment |= S2CLR_AUGMENT_GAIN;
    return r;
}

static bool note(void *context, double fraction, const char *message)
{
    run *r = context;
    char epoch[32];
    CU_ASSERT_TRUE(fraction >= r->last && fraction <= 1);
    r->last = fraction;
    r->reports++;
    if (message) snprintf(r->message, sizeof r->message, "%s", message);
    snprintf(epoch, sizeof epoch, "epoch %d/", r->stop_epoch);
    return r->stop_epoch == 0 || !message || strncmp(message, epoch, strlen(epoch)) != 0;
}

static s2clr_status start(run *r)
{
    static textures train_set, val_set;
    const s2clr_samples train = make_samples(&train_set, 1, TRAIN, r->size);
    const s2clr_samples val = make_samples(&val_set, r->val_seed, VAL, r->size);
    const s2clr_backend *backend = NULL;
    s2clr_device *device = NULL;
    s2clr_pool *pool = NULL;
    const s2clr_progress progress = {.call = note, .context = r};
    s2clr_card *card = make_card(r->arch, r->width, r->size);
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path_of(r, NULL));
    r->settings.run_dir = folder;
    r->last = 0;
    TEST_OK(s2clr_backend_find("portable", &backend));
    TEST_OK(backend->device_open("", &device));
    TEST_OK(s2clr_pool_new(r->threads, &pool));
    const s2clr_status status = s2clr_supervised_run(&r->settings, card, &train, &val, backend,
                                                     device, pool, &progress, &r->result);
    s2clr_pool_free(pool);
    backend->device_close(device);
    s2clr_card_free(card);
    return status;
}

static void sha_of(const run *r, const char *name, char sha[65])
{
    s2clr_tensors *file = NULL;
    sha[0] = '\0';
    TEST_OK(s2clr_tensors_open(path_of(r, name), &file));
    if (file) s2clr_tensors_sha256(file, sha);
    s2clr_tensors_close(file);
}

/* The best epoch may come early, so the last epoch's weights and moments are compared as well. */
static void same_files(const run *a, const run *b)
{
    static const char *const names[] = {"model.safetensors", "checkpoint.safetensors"};
    for (int i = 0; i < 2; i++) {
        char one[65], two[65];
        sha_of(a, names[i], one), sha_of(b, names[i], two);
        CU_ASSERT_NOT_EQUAL(one[0], '\0');
        CU_ASSERT_STRING_EQUAL(one, two);
    }
}

/* The uninterrupted run on two threads that the others are compared with; made on first use. */
static const run *reference(void)
{
    static run r;
    if (!r.folder) {
        r = new_run("reference", 2);
        TEST_OK(start(&r));
    }
    return &r;
}

/* Lines of log.jsonl; each must be a JSON object with the next epoch. */
static int log_lines(const run *r)
{
    char line[2000];
    int lines = 0;
    FILE *file = fopen(path_of(r, "log.jsonl"), "r");
    while (file && fgets(line, sizeof line, file)) {
        json_t *entry = json_loads(line, 0, NULL);
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(entry, "epoch")), ++lines);
        CU_ASSERT_TRUE(json_real_value(json_object_get(entry, "loss")) > 0);
        CU_ASSERT_TRUE(json_is_real(json_object_get(json_object_get(entry, "val"), "auc")));
        json_decref(entry);
    }
    if (file) fclose(file);
    return lines;
}

static void learns_and_says_what_it_did(void)
{
    const run *r = reference();
    CU_ASSERT_TRUE(r->result.best_auc > 0.95);
    CU_ASSERT_EQUAL(r->result.epochs_run, 4);
    CU_ASSERT_TRUE(r->result.best_epoch >= 1 && r->result.best_epoch <= 4);
    CU_ASSERT_EQUAL(log_lines(r), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(r->message, "valid"));
    CU_ASSERT_TRUE(r->reports > 4 * TRAIN / 16);

    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(r->result.model_path, &model));
    if (!model) return;
    const s2clr_card *card = s2clr_model_card(model);
    TEST_NEAR(card->mean[0], 120 - 20 / 3.0, 2); /* a third is positive */
    TEST_NEAR(card->mean[1], 120 + 20 / 3.0, 2);
    TEST_NEAR(card->std[1], sqrt(40 * 40 + 20 * 20 * 8 / 9.0), 2);
    TEST_NEAR(card->prevalence, 0.5 * (1 / 3.0 + 0.5), 0.01); /* balance is 0.5 */
    json_t *metrics = json_loads(card->text[S2CLR_CARD_METRICS], 0, NULL);
    const json_t *auc = json_object_get(json_object_get(metrics, "validation"), "auc");
    TEST_NEAR(json_real_value(json_object_get(auc, "value")), r->result.best_auc, 1e-12);
    CU_ASSERT_TRUE(json_real_value(json_object_get(auc, "low")) <= r->result.best_auc);
    json_decref(metrics);
    s2clr_model_close(model);
}

static void one_thread_gives_the_same_files(void)
{
    run r = new_run("one-thread", 1);
    TEST_OK(start(&r));
    same_files(&r, reference());
}

static void resumed_run_gives_the_same_files(void)
{
    run r = new_run("resumed", 2);
    for (r.stop_epoch = 2; r.stop_epoch <= 3; r.stop_epoch++) {
        CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_CANCELLED);
        CU_ASSERT_TRUE(exists(&r, "checkpoint.safetensors"));
        CU_ASSERT_FALSE(exists(&r, "model.safetensors"));
        CU_ASSERT_EQUAL(log_lines(&r), r.stop_epoch - 1);
        r.settings.resume = 1;
    }
    /* as if killed between the log and the checkpoint of epoch 3 */
    FILE *file = fopen(path_of(&r, "log.jsonl"), "a");
    fputs("{\"epoch\":3}\n{\"ep", file);
    fclose(file);
    r.stop_epoch = 0;
    TEST_OK(start(&r));
    CU_ASSERT_EQUAL(log_lines(&r), 4);
    CU_ASSERT_EQUAL(r.result.best_epoch, reference()->result.best_epoch);
    same_files(&r, reference());

    r.reports = 0;
    TEST_OK(start(&r)); /* nothing left to train: only the conclusion is repeated */
    CU_ASSERT_TRUE(r.reports < 5);
    same_files(&r, reference());
}

static void other_settings_are_not_resumed(void)
{
    run r = new_run("other-settings", 1);
    r.stop_epoch = 2;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_CANCELLED);
    r.settings.resume = 1;
    r.settings.rate = 0.25;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("rate (run: 0.01, now: 0.25)");
    r.settings.rate = 0.01;
    r.settings.seed = 9;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("seed");
    r.settings.seed = 1;
    r.val_seed = 3;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("validation samples");
    r.val_seed = 2;
    r.width = 16;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("architecture");
    CU_ASSERT_EQUAL(log_lines(&r), 1);
}

static void existing_run_is_kept(void)
{
    char before[65], after[65];
    run again = *reference();
    sha_of(&again, "checkpoint.safetensors", before);
    CU_ASSERT_EQUAL(start(&again), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("already holds a run");
    sha_of(&again, "checkpoint.safetensors", after);
    CU_ASSERT_STRING_EQUAL(before, after);

    run orphan = new_run("orphan", 1);
    orphan.settings.resume = 1;
    CU_ASSERT_EQUAL(mkdir(path_of(&orphan, NULL), 0777), 0);
    FILE *file = fopen(path_of(&orphan, "model.safetensors"), "w");
    fclose(file);
    CU_ASSERT_EQUAL(start(&orphan), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("no checkpoint");
}

static void cancelled_run_leaves_no_model(void)
{
    run r = new_run("cancelled", 1);
    r.stop_epoch = 1;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_CANCELLED);
    CU_ASSERT_FALSE(exists(&r, "model.safetensors"));
    CU_ASSERT_FALSE(exists(&r, "checkpoint.safetensors"));
    CU_ASSERT_FALSE(exists(&r, "log.jsonl"));
}

static void damaged_checkpoint_is_refused(void)
{
    run r = new_run("damaged", 1);
    r.stop_epoch = 2;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_CANCELLED);
    r.settings.resume = 1;
    struct stat info;
    CU_ASSERT_EQUAL_FATAL(stat(path_of(&r, "checkpoint.safetensors"), &info), 0);
    CU_ASSERT_EQUAL(truncate(path_of(&r, "checkpoint.safetensors"), info.st_size - 4), 0);
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("checkpoint.safetensors");
}

static void patience_stops_early(void)
{
    run r = new_run("patience", 1);
    r.settings.rate = 0; /* every epoch validates the same, but for running statistics */
    r.settings.patience = 1;
    r.settings.epochs = 50;
    TEST_OK(start(&r));
    CU_ASSERT_TRUE(r.result.epochs_run < 50);
    CU_ASSERT_EQUAL(r.result.epochs_run, r.result.best_epoch + 1);
}

static void nonsense_is_refused(void)
{
    run r = new_run("nonsense", 1);
    r.settings.micro = 5;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("multiple of micro-batch 5");
    r = new_run("nonsense", 1);
    r.settings.rate = NAN;
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_ARGUMENT);
    r = new_run("nonsense", 1);
    r.settings.level = "L2A";
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("\"L2A\"");
    r = new_run("nonsense", 1);
    r.settings.optimiser = "sgd";
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_ARGUMENT);
    r = new_run("nowhere/nonsense", 1);
    CU_ASSERT_EQUAL(start(&r), S2CLR_ERR_IO);
    CU_ASSERT_FALSE(access(path_of(&r, NULL), F_OK) == 0);
}

/* A dense network at the patch size that its receptive field allows. */
static void dense_learns(void)
{
    run r = new_run("dense", 2);
    r.arch = "dense";
    r.width = 8;
    r.size = 64;
    r.settings.epochs = 2;
    TEST_OK(start(&r));
    CU_ASSERT_TRUE(r.result.best_auc > 0.95);
}

typedef struct prediction {
    const s2clr_model *model;
    const s2clr_backend *backend;
    s2clr_device *device;
} prediction;

static s2clr_status predict(const prediction *with, size_t count, int threads, double *p)
{
    static textures set;
    const s2clr_samples samples = make_samples(&set, 2, count, 16);
    s2clr_pool *pool = NULL;
    TEST_OK(s2clr_pool_new(threads, &pool));
    const s2clr_status status =
        s2clr_predict_samples(s2clr_model_net(with->model), s2clr_model_params(with->model),
                              s2clr_model_card(with->model), "NOISE", &samples, with->backend,
                              with->device, pool, NULL, p);
    s2clr_pool_free(pool);
    return status;
}

static void predictions_do_not_depend_on_company(void)
{
    double all[VAL], some[13], threads[VAL], auc = 0;
    s2clr_model *model = NULL;
    prediction with = {0};
    TEST_OK(s2clr_model_open(reference()->result.model_path, &model));
    if (!model) return;
    with.model = model;
    TEST_OK(s2clr_backend_find("portable", &with.backend));
    TEST_OK(with.backend->device_open("", &with.device));
    TEST_OK(predict(&with, VAL, 2, all));
    TEST_OK(predict(&with, VAL, 1, threads));
    TEST_OK(predict(&with, 13, 1, some));
    CU_ASSERT_EQUAL(memcmp(all, threads, sizeof all), 0);
    CU_ASSERT_EQUAL(memcmp(all, some, sizeof some), 0);
    static textures set;
    const s2clr_samples samples = make_samples(&set, 2, VAL, 16);
    TEST_OK(s2clr_metrics_auc(all, samples.labels, VAL, &auc));
    TEST_NEAR(auc, reference()->result.best_auc, 0);
    with.backend->device_close(with.device);
    s2clr_model_close(model);
}

static const test_case cases[] = {
    {"learns, and says what it did", learns_and_says_what_it_did},
    {"one thread gives the same files", one_thread_gives_the_same_files},
    {"resumed run gives the same files", resumed_run_gives_the_same_files},
    {"other settings are not resumed", other_settings_are_not_resumed},
    {"existing run is kept", existing_run_is_kept},
    {"cancelled run leaves no model", cancelled_run_leaves_no_model},
    {"damaged checkpoint is refused", damaged_checkpoint_is_refused},
    {"patience stops early", patience_stops_early},
    {"nonsense is refused", nonsense_is_refused},
    {"predictions do not depend on company", predictions_do_not_depend_on_company},
    {"dense learns", dense_learns},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("supervised", cases, argc, argv);
}
