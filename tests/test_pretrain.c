#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file/model.h"
#include "pretrain_rig.h"

/* The uninterrupted run on two threads that the others are compared with; made on first use. */
static const pretrain_run *reference(void)
{
    static pretrain_run r;
    if (!r.folder) {
        r = pretrain_rig_run("reference", 2);
        TEST_OK(pretrain_rig_start(&r));
    }
    return &r;
}

static void learns_and_says_what_it_did(void)
{
    static const char *const keys[] = {"loss",      "rate",    "views_per_second", "spread",
                                       "alignment", "knn_auc", "uniformity",       "knn_accuracy"};
    const pretrain_run *r = reference();
    double value[8];
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        CU_ASSERT_EQUAL(pretrain_rig_log(r, keys[i], value), 4);
        for (int e = 0; e < 4; e++) CU_ASSERT_TRUE(isfinite(value[e]));
    }
    pretrain_rig_log(r, "loss", value);
    CU_ASSERT_TRUE(value[3] < 0.85 * value[0]);
    CU_ASSERT_TRUE(value[0] < 1.5 * log(31)); /* of 31 others */
    CU_ASSERT_EQUAL(r->result.epochs_run, 4);
    CU_ASSERT_TRUE(r->result.spread > 0.3 && !r->result.collapsed);
    CU_ASSERT_TRUE(r->result.knn_accuracy > 0.9 && r->result.knn_auc > 0.9);
    CU_ASSERT_PTR_NOT_NULL(strstr(r->message, "epoch 4/4 loss "));
    CU_ASSERT_PTR_NOT_NULL(strstr(r->message, " std "));
    CU_ASSERT_PTR_NOT_NULL(strstr(r->message, " align "));
    CU_ASSERT_PTR_NOT_NULL(strstr(r->message, " knn "));
    CU_ASSERT_PTR_NOT_NULL(strstr(r->message, " views/s"));
}

static void the_model_is_an_encoder(void)
{
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(reference()->result.model_path, &model));
    if (!model) return;
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_net *net = s2clr_model_net(model);
    CU_ASSERT_EQUAL(card->arch.outputs, 0);
    CU_ASSERT_EQUAL(card->arch.projections, 2);
    CU_ASSERT_EQUAL(card->arch.projection[1], 12);
    CU_ASSERT_TRUE(s2clr_net_output(net, S2CLR_OUTPUT_PROJECTION) >= 0);
    CU_ASSERT_TRUE(s2clr_net_output(net, S2CLR_OUTPUT_LOGITS) < 0);
    CU_ASSERT_STRING_EQUAL(card->trained_level, "NOISE");
    const char *trained = card->text[S2CLR_CARD_TRAINED_ON];
    CU_ASSERT_PTR_NOT_NULL(strstr(trained, "contrastive pretraining without labels"));
    CU_ASSERT_PTR_NOT_NULL(strstr(trained, "48 patches, 4 epochs of batches of 16"));
    CU_ASSERT_PTR_NOT_NULL(strstr(trained, "batch norm over the 16 views of a chunk"));
    CU_ASSERT_PTR_NOT_NULL(strstr(trained, "augmentation flip,rot90,jitter"));
    CU_ASSERT_PTR_NOT_NULL(strstr(card->text[S2CLR_CARD_NOT_VALIDATED], "no classes"));
    json_t *metrics = json_loads(card->text[S2CLR_CARD_METRICS], 0, NULL);
    const json_t *p = json_object_get(metrics, "pretraining");
    TEST_NEAR(json_number_value(json_object_get(p, "spread")), reference()->result.spread, 1e-12);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(p, "knn_patches")), PRETRAIN_PROBE);
    json_decref(metrics);
    s2clr_model_close(model);
}

static void one_thread_gives_the_same_files(void)
{
    pretrain_run r = pretrain_rig_run("one-thread", 1);
    TEST_OK(pretrain_rig_start(&r));
    pretrain_rig_same(&r, reference());
}

static void resumed_run_gives_the_same_files(void)
{
    pretrain_run r = pretrain_rig_run("resumed", 2);
    double values[8];
    for (r.stop_epoch = 2; r.stop_epoch <= 3; r.stop_epoch++) {
        CU_ASSERT_EQUAL(pretrain_rig_start(&r), S2CLR_ERR_CANCELLED);
        CU_ASSERT_TRUE(access(pretrain_rig_path(&r, "model.safetensors"), F_OK) != 0);
        CU_ASSERT_EQUAL(pretrain_rig_log(&r, "loss", values), r.stop_epoch - 1);
        r.settings.common.resume = 1;
    }
    r.stop_epoch = 0;
    TEST_OK(pretrain_rig_start(&r));
    CU_ASSERT_EQUAL(pretrain_rig_log(&r, "loss", values), 4);
    pretrain_rig_same(&r, reference());
    TEST_OK(pretrain_rig_start(&r)); /* nothing left to train: only the conclusion is repeated */
    pretrain_rig_same(&r, reference());
    CU_ASSERT_EQUAL(r.result.loss, reference()->result.loss);

    r.settings.temperature = 0.2;
    CU_ASSERT_EQUAL(pretrain_rig_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("temperature (run: 0.1, now: 0.2)");
    r.settings.temperature = 0.1;
    r.precision = S2CLR_BF16;
    CU_ASSERT_EQUAL(pretrain_rig_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("precision (run: \"f32\", now: \"bf16\")");
}

/* Labels are for the probe alone. */
static void the_probe_does_not_touch_the_weights(void)
{
    pretrain_run r = pretrain_rig_run("no-probe", 1);
    char one[65], two[65];
    r.probe = false;
    TEST_OK(pretrain_rig_start(&r));
    pretrain_rig_sha(&r, "checkpoint.safetensors", one);
    pretrain_rig_sha(reference(), "checkpoint.safetensors", two);
    CU_ASSERT_STRING_EQUAL(one, two);
    CU_ASSERT_TRUE(isnan(r.result.knn_accuracy));
    CU_ASSERT_PTR_NULL(strstr(r.message, "knn"));
}

static void second_dates_are_taken(void)
{
    int partner[PRETRAIN_TRAIN];
    pretrain_run r = pretrain_rig_run("dates", 1);
    for (int i = 0; i < PRETRAIN_TRAIN; i++) partner[i] = i % 4 == 3 ? -1 : i / 4 * 4 + (i + 1) % 3;
    for (int i = 0; i < PRETRAIN_TRAIN; i++)
        if (partner[i] == i) partner[i] = -1;
    r.settings.natural = 0.5;
    CU_ASSERT_EQUAL(pretrain_rig_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("one date of each place");
    r.settings.partner = partner;
    TEST_OK(pretrain_rig_start(&r));
    CU_ASSERT_TRUE(r.result.loss != reference()->result.loss);
    pretrain_run two = pretrain_rig_run("dates-two", 2);
    two.settings.natural = 0.5;
    two.settings.partner = partner;
    TEST_OK(pretrain_rig_start(&two));
    pretrain_rig_same(&r, &two);
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(r.result.model_path, &model));
    if (!model) return;
    const char *trained = s2clr_model_card(model)->text[S2CLR_CARD_TRAINED_ON];
    CU_ASSERT_PTR_NOT_NULL(strstr(trained, "another date of the place"));
    s2clr_model_close(model);
}

static const test_case cases[] = {
    {"learns, and says what it did", learns_and_says_what_it_did},
    {"the model is an encoder", the_model_is_an_encoder},
    {"one thread gives the same files", one_thread_gives_the_same_files},
    {"resumed run gives the same files", resumed_run_gives_the_same_files},
    {"the probe does not touch the weights", the_probe_does_not_touch_the_weights},
    {"second dates are taken", second_dates_are_taken},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("pretrain", cases, argc, argv);
}
