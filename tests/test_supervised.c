#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/metrics.h"
#include "train_rig.h"

/* The uninterrupted run on two threads that the others are compared with; made on first use. */
static const train_run *reference(void)
{
    static train_run r;
    if (!r.folder) {
        r = train_run_new("reference", 2);
        TEST_OK(train_run_start(&r));
    }
    return &r;
}

static void learns_and_says_what_it_did(void)
{
    const train_run *r = reference();
    CU_ASSERT_TRUE(r->result.best_auc > 0.95);
    CU_ASSERT_EQUAL(r->result.epochs_run, 4);
    CU_ASSERT_TRUE(r->result.best_epoch >= 1 && r->result.best_epoch <= 4);
    CU_ASSERT_EQUAL(train_run_lines(r), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(r->message, "valid"));
    CU_ASSERT_TRUE(r->reports > 4 * RIG_TRAIN / 16);

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
    train_run r = train_run_new("one-thread", 1);
    TEST_OK(train_run_start(&r));
    train_run_same(&r, reference());
}

static void resumed_run_gives_the_same_files(void)
{
    train_run r = train_run_new("resumed", 2);
    for (r.stop_epoch = 2; r.stop_epoch <= 3; r.stop_epoch++) {
        CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_CANCELLED);
        CU_ASSERT_TRUE(train_run_has(&r, "checkpoint.safetensors"));
        CU_ASSERT_FALSE(train_run_has(&r, "model.safetensors"));
        CU_ASSERT_EQUAL(train_run_lines(&r), r.stop_epoch - 1);
        r.settings.common.resume = 1;
    }
    /* as if killed between the log and the checkpoint of epoch 3 */
    FILE *file = fopen(train_run_path(&r, "log.jsonl"), "a");
    fputs("{\"epoch\":3}\n{\"ep", file);
    fclose(file);
    r.stop_epoch = 0;
    TEST_OK(train_run_start(&r));
    CU_ASSERT_EQUAL(train_run_lines(&r), 4);
    CU_ASSERT_EQUAL(r.result.best_epoch, reference()->result.best_epoch);
    train_run_same(&r, reference());

    TEST_OK(train_run_start(&r)); /* nothing left to train: only the conclusion is repeated */
    CU_ASSERT_TRUE(r.reports < 5);
    train_run_same(&r, reference());
}

static void unjudged(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    (void)card, (void)train;
    *val = (s2clr_samples){0};
}

/* The weights of the last epoch, and a card that claims nothing. */
static void nothing_to_validate_on(void)
{
    train_run r = train_run_new("unjudged", 2);
    r.change = unjudged;
    r.settings.patience = 1;
    TEST_OK(train_run_start(&r));
    CU_ASSERT_EQUAL(r.result.epochs_run, 4);
    CU_ASSERT_EQUAL(r.result.best_epoch, 4);
    float last[32], judged[32];
    train_run_floats(&r, "params", 32, last);
    train_run_floats(reference(), "params", 32, judged);
    CU_ASSERT_EQUAL(memcmp(last, judged, sizeof last), 0); /* validation changes no weight */
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(r.result.model_path, &model));
    if (!model) return;
    const s2clr_card *card = s2clr_model_card(model);
    TEST_NEAR(card->threshold, 0.5, 0);
    TEST_NEAR(card->prevalence, 0.5 * (1 / 3.0 + 0.5), 0.01);
    CU_ASSERT_STRING_EQUAL(card->text[S2CLR_CARD_METRICS], "{}");
    s2clr_model_close(model);
}

static void other_settings_are_not_resumed(void)
{
    train_run r = train_run_new("other-settings", 1);
    r.stop_epoch = 2;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_CANCELLED);
    r.settings.common.resume = 1;
    r.settings.common.rate = 0.25;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("rate (run: 0.01, now: 0.25)");
    r.settings.common.rate = 0.01;
    r.settings.common.seed = 9;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("seed");
    r.settings.common.seed = 1;
    r.val_seed = 3;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("validation samples");
    r.val_seed = 2;
    r.width = 16;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("architecture");
    CU_ASSERT_EQUAL(train_run_lines(&r), 1);
}

/* Another backend or precision computes other bits. */
static void another_machine_does_not_resume(void)
{
    train_run r = train_run_new("machine", 1);
    char before[65], after[65];
    r.stop_epoch = 2;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_CANCELLED);
    train_run_sha(&r, "checkpoint.safetensors", before);
    r.settings.common.resume = 1;
    r.precision = S2CLR_BF16;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("machine/checkpoint.safetensors: cannot resume");
    TEST_ERROR_SAYS("precision (run: \"f32\", now: \"bf16\")");
    TEST_ERROR_SAYS("or another run folder");
    train_run_sha(&r, "checkpoint.safetensors", after);
    CU_ASSERT_STRING_EQUAL(before, after);
    const s2clr_backend *other;
    r.precision = S2CLR_F32;
    if (s2clr_backend_find("onednn", &other) != S2CLR_OK) {
        test_skip(s2clr_error_text());
        return;
    }
    r.backend = "onednn";
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("backend (run: \"portable\", now: \"onednn\")");
}

static void existing_run_is_kept(void)
{
    char before[65], after[65];
    train_run again = *reference();
    train_run_sha(&again, "checkpoint.safetensors", before);
    CU_ASSERT_EQUAL(train_run_start(&again), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("already holds a run");
    train_run_sha(&again, "checkpoint.safetensors", after);
    CU_ASSERT_STRING_EQUAL(before, after);

    train_run orphan = train_run_new("orphan", 1);
    orphan.settings.common.resume = 1;
    CU_ASSERT_EQUAL(mkdir(train_run_path(&orphan, NULL), 0777), 0);
    FILE *file = fopen(train_run_path(&orphan, "model.safetensors"), "w");
    fclose(file);
    CU_ASSERT_EQUAL(train_run_start(&orphan), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("no checkpoint");
}

static void cancelled_run_leaves_no_model(void)
{
    train_run r = train_run_new("cancelled", 1);
    r.stop_epoch = 1;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_CANCELLED);
    CU_ASSERT_FALSE(train_run_has(&r, "model.safetensors"));
    CU_ASSERT_FALSE(train_run_has(&r, "checkpoint.safetensors"));
    CU_ASSERT_FALSE(train_run_has(&r, "log.jsonl"));
}

static void damaged_checkpoint_is_refused(void)
{
    train_run r = train_run_new("damaged", 1);
    r.stop_epoch = 2;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_CANCELLED);
    r.settings.common.resume = 1;
    struct stat info;
    CU_ASSERT_EQUAL_FATAL(stat(train_run_path(&r, "checkpoint.safetensors"), &info), 0);
    CU_ASSERT_EQUAL(truncate(train_run_path(&r, "checkpoint.safetensors"), info.st_size - 4), 0);
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("checkpoint.safetensors");
}

static void patience_stops_early(void)
{
    train_run r = train_run_new("patience", 1);
    r.settings.common.rate = 0; /* every epoch validates the same, but for running statistics */
    r.settings.patience = 1;
    r.settings.common.epochs = 50;
    TEST_OK(train_run_start(&r));
    CU_ASSERT_TRUE(r.result.epochs_run < 50);
    CU_ASSERT_EQUAL(r.result.epochs_run, r.result.best_epoch + 1);
}

static void nonsense_is_refused(void)
{
    train_run r = train_run_new("nonsense", 1);
    r.settings.common.micro = 5;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("multiple of micro-batch 5");
    r = train_run_new("nonsense", 1);
    r.settings.common.rate = NAN;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    r = train_run_new("nonsense", 1);
    r.settings.common.level = "L2A";
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("\"L2A\"");
    r = train_run_new("nonsense", 1);
    r.settings.common.optimiser = "rmsprop";
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    r = train_run_new("nowhere/nonsense", 1);
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_IO);
    CU_ASSERT_FALSE(access(train_run_path(&r, NULL), F_OK) == 0);
}

/* A dense network at the patch size that its receptive field allows. */
static void dense_learns(void)
{
    train_run r = train_run_new("dense", 2);
    r.arch = "dense";
    r.width = 8;
    r.size = 64;
    r.settings.common.epochs = 2;
    TEST_OK(train_run_start(&r));
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
    const s2clr_samples samples = textures_make(&set, 2, count, 16, 2);
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
    double all[RIG_VAL], some[13], threads[RIG_VAL], auc = 0;
    s2clr_model *model = NULL;
    prediction with = {0};
    TEST_OK(s2clr_model_open(reference()->result.model_path, &model));
    if (!model) return;
    with.model = model;
    TEST_OK(s2clr_backend_find("portable", &with.backend));
    TEST_OK(with.backend->device_open("", S2CLR_F32, &with.device));
    TEST_OK(predict(&with, RIG_VAL, 2, all));
    TEST_OK(predict(&with, RIG_VAL, 1, threads));
    TEST_OK(predict(&with, 13, 1, some));
    CU_ASSERT_EQUAL(memcmp(all, threads, sizeof all), 0);
    CU_ASSERT_EQUAL(memcmp(all, some, sizeof some), 0);
    static textures set;
    const s2clr_samples samples = textures_make(&set, 2, RIG_VAL, 16, 2);
    TEST_OK(s2clr_metrics_auc(all, samples.labels, RIG_VAL, &auc));
    TEST_NEAR(auc, reference()->result.best_auc, 0);
    with.backend->device_close(with.device);
    s2clr_model_close(model);
}

static const test_case cases[] = {
    {"learns, and says what it did", learns_and_says_what_it_did},
    {"one thread gives the same files", one_thread_gives_the_same_files},
    {"resumed run gives the same files", resumed_run_gives_the_same_files},
    {"nothing to validate on", nothing_to_validate_on},
    {"other settings are not resumed", other_settings_are_not_resumed},
    {"another machine does not resume", another_machine_does_not_resume},
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
