/* The bookkeeping that recipes share, driven by hand on a network of single pixels. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/safetensors.h"
#include "train/run_loop.h"

enum { BATCH = 4 };

typedef struct rig {
    char folder[4096];
    s2clr_training training;
    s2clr_net *net;
    s2clr_machine on;
    s2clr_run_loop loop;
} rig;

static s2clr_status open_rig(rig *r, const char *name, bool resume, const char *identity)
{
    const s2clr_arch arch = {.name = "pixel", .channels = 2, .outputs = 1, .width = 3, .depth = 1};
    char *text = NULL;
    *r = (rig){0};
    snprintf(r->folder, sizeof r->folder, "%s/%s", test_folder(), name);
    r->training = s2clr_training_defaults();
    r->training.run_dir = r->folder;
    r->training.epochs = 3;
    r->training.resume = resume;
    TEST_OK(s2clr_net_new(&arch, &r->net));
    TEST_OK(s2clr_pool_new(1, &r->on.pool));
    TEST_OK(s2clr_backend_find("portable", &r->on.backend));
    TEST_OK(r->on.backend->device_open("", S2CLR_F32, &r->on.device));
    r->loop = (s2clr_run_loop){
        .training = &r->training, .net = r->net, .steps = 2, .views = 64, .train_share = 0.9};
    const s2clr_step_options step = {.batch = BATCH, .micro = 2, .h = 1, .w = 1};
    TEST_OK(s2clr_run_loop_open(&r->loop, false));
    TEST_OK(s2clr_run_loop_learn(&r->loop, &r->on, &step, 1));
    TEST_OK(s2clr_strdup(identity, &text));
    return s2clr_run_loop_start(&r->loop, text, NULL);
}

static void close_rig(rig *r)
{
    s2clr_run_loop_close(&r->loop);
    s2clr_pool_free(r->on.pool);
    r->on.backend->device_close(r->on.device);
    s2clr_net_free(r->net);
}

/* An epoch of two steps whose batches and losses depend on the step alone. last: one value of the
 * last batch. */
static s2clr_status epoch(rig *r, float last)
{
    float x[2 * BATCH], logits[BATCH], dlogits[BATCH];
    s2clr_run_loop_begin_epoch(&r->loop);
    for (size_t i = 0; i < r->loop.steps; i++) {
        for (size_t j = 0; j < 2 * BATCH; j++)
            x[j] = (float)((3 * j + r->loop.state.step) % 7) / 4 - 0.5f;
        for (size_t j = 0; j < BATCH; j++)
            dlogits[j] = (float)((j + r->loop.state.step) % 5) / 4 - 0.5f;
        if (i + 1 == r->loop.steps) x[0] = last;
        S2CLR_TRY(s2clr_learner_forward(r->loop.learner, 0, x, logits));
        S2CLR_TRY(s2clr_learner_backward(r->loop.learner, 0, dlogits));
        S2CLR_TRY(s2clr_run_loop_step(&r->loop, i, 0.25 * (double)(i + 1)));
    }
    return s2clr_run_loop_end_epoch(&r->loop, json_pack("{s:f}", "knn", 0.5));
}

static void goes_on_with_the_same_weights(void)
{
    float whole[22], cut[22];
    rig r;
    TEST_OK(open_rig(&r, "whole", false, "{\"what\": 1}"));
    CU_ASSERT_EQUAL_FATAL(s2clr_net_param_count(r.net), 22);
    for (int i = 0; i < 3; i++) TEST_OK(epoch(&r, 1));
    TEST_NEAR(r.loop.loss, 0.375, 1e-15);
    /* One warm-up step, and the cosine of six more, of which the last is not taken. */
    TEST_NEAR(r.loop.rate, r.training.rate * 0.5 * (1 - sqrt(0.75)), 1e-12);
    memcpy(whole, r.loop.state.params, sizeof whole);
    close_rig(&r);
    for (int i = 0; i < 3; i++) {
        TEST_OK(open_rig(&r, "cut", i > 0, "{\"what\": 1}"));
        CU_ASSERT_EQUAL(r.loop.state.epoch, (uint64_t)i);
        CU_ASSERT_EQUAL(r.loop.state.step, (uint64_t)(2 * i));
        TEST_OK(epoch(&r, 1));
        memcpy(cut, r.loop.state.params, sizeof cut);
        close_rig(&r);
    }
    CU_ASSERT_EQUAL(memcmp(whole, cut, sizeof whole), 0);
    CU_ASSERT_EQUAL(open_rig(&r, "cut", true, "{\"what\": 2}"), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("what (run: 1, now: 2)");
    close_rig(&r);
}

static void the_log_has_the_recipes_entries(void)
{
    char path[8192], line[1000] = "";
    rig r;
    TEST_OK(open_rig(&r, "log", false, "{}"));
    snprintf(r.loop.note, sizeof r.loop.note, "knn 0.5");
    TEST_OK(epoch(&r, 1));
    s2clr_run_loop_describe(&r.loop, line, sizeof line);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "epoch 2/3 loss 0.3750 knn 0.5 "));
    snprintf(path, sizeof path, "%s/log.jsonl", r.folder);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, file));
    fclose(file);
    json_t *entry = json_loads(line, 0, NULL);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(entry, "epoch")), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(entry, "step")), 2);
    TEST_NEAR(json_real_value(json_object_get(entry, "knn")), 0.5, 0);
    json_decref(entry);
    close_rig(&r);
}

/* A loss can be finite while the weights it leads to are not. */
static void weights_that_are_no_numbers_are_not_kept(void)
{
    rig r;
    char path[8192];
    TEST_OK(open_rig(&r, "lost", false, "{}"));
    TEST_OK(epoch(&r, 1));
    CU_ASSERT_EQUAL(epoch(&r, NAN), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("hidden.0.conv.weight is nan after step 4");
    close_rig(&r);
    TEST_OK(open_rig(&r, "lost", true, "{}"));
    CU_ASSERT_EQUAL(r.loop.state.epoch, 1);
    CU_ASSERT_TRUE(isfinite(r.loop.state.params[0]));
    CU_ASSERT_EQUAL(s2clr_run_loop_step(&r.loop, 0, INFINITY), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("the loss of step 3 is inf");
    close_rig(&r);
    TEST_OK(open_rig(&r, "never", false, "{}"));
    CU_ASSERT_EQUAL(epoch(&r, NAN), S2CLR_ERR_BACKEND);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", r.folder);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    close_rig(&r);
}

/* An epoch of one step is a training too. */
static void a_run_of_one_step_learns(void)
{
    float before[22];
    rig r;
    TEST_OK(open_rig(&r, "one", false, "{\"what\": 1}"));
    r.training.epochs = 1;
    r.loop.steps = 1;
    memcpy(before, r.loop.state.params, sizeof before);
    TEST_OK(epoch(&r, 1));
    TEST_NEAR(r.loop.rate, r.training.rate / 2, 1e-15);
    CU_ASSERT_NOT_EQUAL(memcmp(before, r.loop.state.params, sizeof before), 0);
    close_rig(&r);
}

/* Whose weights would come out otherwise. */
static void older_checkpoints_are_refused(void)
{
    const s2clr_metadata metadata[] = {
        {"s2clr.checkpoint", "{\"version\": 1, \"run\": {\"what\": 1}, \"epoch\": 1}"},
        {"s2clr.checkpoint", "{\"version\": 2, \"run\": {\"what\": 1}, \"epoch\": 1}"}};
    char path[8192];
    rig r;
    TEST_OK(open_rig(&r, "older", false, "{\"what\": 1}"));
    close_rig(&r);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", r.folder);
    for (int i = 0; i < 2; i++) {
        TEST_OK(s2clr_tensors_write(path, NULL, 0, &metadata[i], 1));
        CU_ASSERT_EQUAL(open_rig(&r, "older", true, "{\"what\": 1}"), S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS(
            i ? "older/checkpoint.safetensors: its version is 2, and this s2clr trains"
              : "older/checkpoint.safetensors: its version is 1, and this s2clr trains");
        TEST_ERROR_SAYS("finish the run with the s2clr that began it, or use another run folder");
        close_rig(&r);
    }
}

static const test_case cases[] = {
    {"goes on with the same weights", goes_on_with_the_same_weights},
    {"the log has the recipe's entries", the_log_has_the_recipes_entries},
    {"weights that are no numbers are not kept", weights_that_are_no_numbers_are_not_kept},
    {"a run of one step learns", a_run_of_one_step_learns},
    {"older checkpoints are refused", older_checkpoints_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("run_loop", cases, argc, argv);
}
