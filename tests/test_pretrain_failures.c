#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pretrain_rig.h"

/* Fresh weights, but for the layer whose parameters begin with `prefix`. */
static float *make_params(const char *prefix, float weight, float bias)
{
    s2clr_card *card = pretrain_rig_card();
    s2clr_net *net = NULL;
    const s2clr_param *list;
    TEST_OK(s2clr_net_new(&card->arch, &net));
    float *params = malloc(s2clr_net_param_count(net) * sizeof *params);
    TEST_OK(s2clr_net_init(net, 1, params));
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; strncmp(list[i].name, prefix, strlen(prefix)) == 0 && j < list[i].count;
             j++)
            params[list[i].offset + j] = list[i].role == S2CLR_PARAM_BIAS ? bias : weight;
    s2clr_net_free(net);
    s2clr_card_free(card);
    return params;
}

/* Without weights the last layer gives its bias: every embedding is the same. */
static void collapse_is_seen(void)
{
    pretrain_run r = pretrain_rig_run("collapsed", 1);
    float *params = make_params("projection.1.", 0, 1);
    r.initial = params;
    r.settings.common.rate = 0;
    r.settings.common.epochs = 1;
    TEST_OK(pretrain_rig_start(&r));
    CU_ASSERT_TRUE(r.result.collapsed);
    TEST_NEAR(r.result.spread, 0, 1e-6);
    TEST_NEAR(r.result.loss, log(31), 1e-6);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.message, "(collapsed)"));
    char line[2000] = "";
    FILE *file = fopen(pretrain_rig_path(&r, "log.jsonl"), "r");
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, file));
    fclose(file);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"warning\":\"collapsed"));
    free(params);
}

static void a_failed_run_keeps_its_checkpoint(void)
{
    pretrain_run r = pretrain_rig_run("failed", 1);
    char before[65], after[65];
    r.stop_epoch = 2;
    CU_ASSERT_EQUAL(pretrain_rig_start(&r), S2CLR_ERR_CANCELLED);
    pretrain_rig_sha(&r, "checkpoint.safetensors", before);

    r.settings.common.resume = 1;
    r.stop_epoch = 0;
    r.fail_after = r.count * 2 * 2 + 3; /* statistics and half of the epoch are read */
    CU_ASSERT_EQUAL(pretrain_rig_start(&r), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("the disk is gone");
    pretrain_rig_sha(&r, "checkpoint.safetensors", after);
    CU_ASSERT_STRING_EQUAL(before, after);
}

/* Weights so large that their products are infinite. */
static void a_diverged_run_says_so(void)
{
    pretrain_run r = pretrain_rig_run("diverged", 1);
    float *params = make_params("projection.1.", 3e38f, 3e38f);
    r.initial = params;
    CU_ASSERT_EQUAL(pretrain_rig_start(&r), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("diverged: the embedding of view 1 of 1/");
    CU_ASSERT_TRUE(access(pretrain_rig_path(&r, "model.safetensors"), F_OK) != 0);
    CU_ASSERT_TRUE(access(pretrain_rig_path(&r, "checkpoint.safetensors"), F_OK) != 0);
    free(params);
}

static void refused(pretrain_run r, s2clr_status status, const char *text)
{
    CU_ASSERT_EQUAL(pretrain_rig_start(&r), status);
    TEST_ERROR_SAYS(text);
    CU_ASSERT_TRUE(access(pretrain_rig_path(&r, NULL), F_OK) != 0); /* nothing was made */
}

static void nonsense_is_refused(void)
{
    pretrain_run r = pretrain_rig_run("nonsense", 1);
    r.count = 15;
    refused(r, S2CLR_ERR_ARGUMENT, "15 training samples are fewer than a batch of 16");
    r = pretrain_rig_run("nonsense", 1);
    r.settings.common.batch = r.settings.common.micro = r.settings.chunk = 1;
    refused(r, S2CLR_ERR_ARGUMENT, "at least 2");
    r = pretrain_rig_run("nonsense", 1);
    r.settings.chunk = 5;
    refused(r, S2CLR_ERR_ARGUMENT, "16 patches in chunks of 5");
    r = pretrain_rig_run("nonsense", 1);
    r.settings.temperature = 0;
    refused(r, S2CLR_ERR_ARGUMENT, "temperature is 0");
    r = pretrain_rig_run("nonsense", 1);
    r.settings.common.level = "L2A";
    refused(r, S2CLR_ERR_ARGUMENT, "\"L2A\"");
    r = pretrain_rig_run("nonsense", 1);
    r.bands = 3;
    refused(r, S2CLR_ERR_MISMATCH, "the training samples have 3 bands");
    r = pretrain_rig_run("nonsense", 1);
    r.outputs = 1;
    refused(r, S2CLR_ERR_MISMATCH, "an encoder has no classes");
}

static void a_trial_writes_nothing(void)
{
    static pretrain_textures set;
    const s2clr_samples train = pretrain_rig_samples(&set, 1, PRETRAIN_TRAIN);
    const s2clr_machine m = recipe_rig_machine(NULL, S2CLR_F32, 1);
    pretrain_run r = pretrain_rig_run("trial", 1);
    s2clr_card *card = pretrain_rig_card();
    s2clr_pretrain_cost cost = {0};
    r.settings.common.run_dir = pretrain_rig_path(&r, NULL);
    TEST_OK(s2clr_pretrain_try(&r.settings, card, &train, &m, &cost));
    CU_ASSERT_EQUAL(cost.steps, PRETRAIN_TRAIN / 16);
    CU_ASSERT_TRUE(cost.bytes > 100000 && cost.bytes < 100000000);
    CU_ASSERT_TRUE(cost.seconds > 0);
    CU_ASSERT_TRUE(access(pretrain_rig_path(&r, NULL), F_OK) != 0);
    s2clr_card_free(card);
    recipe_rig_release(&m);
}

static const test_case cases[] = {
    {"collapse is seen", collapse_is_seen},
    {"a failed run keeps its checkpoint", a_failed_run_keeps_its_checkpoint},
    {"a diverged run says so", a_diverged_run_says_so},
    {"nonsense is refused", nonsense_is_refused},
    {"a trial writes nothing", a_trial_writes_nothing},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("pretrain_failures", cases, argc, argv);
}
