/*
 * Recipes whose weights stay on the device, on the pretended CUDA (cuda_fake.h): they learn what
 * the portable backend learns, go on alike after they were stopped, and lose nothing when a call
 * fails.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_rig.h"
#include "pretrain_rig.h"
#include "train_rig.h"

enum { ENTRIES_MAX = 128, ENTRY_MAX = 64, SIDE = 8 };

/* One run of either recipe. */
typedef struct job {
    const char *folder;
    bool contrastive, resume, portable;
    bool small; /* few samples: a step of 16 per epoch */
    s2clr_precision precision;
    int epochs, stop_epoch; /* stop: cancel as soon as this epoch is reported; 0: never */
    double rate;
} job;

static bool note(void *context, double fraction, const char *message)
{
    const job *j = context;
    char epoch[32];
    (void)fraction;
    snprintf(epoch, sizeof epoch, "epoch %d/", j->stop_epoch);
    return j->stop_epoch == 0 || !message || strncmp(message, epoch, strlen(epoch)) != 0;
}

static void set_common(const job *j, const char *folder, s2clr_training *common)
{
    common->run_dir = folder;
    common->level = "NOISE";
    common->epochs = j->epochs;
    common->batch = 16;
    common->micro = 4;
    common->rate = j->rate > 0 ? j->rate : 0.005;
    common->resume = j->resume;
}

static s2clr_status run_supervised(job *j, const char *folder, const s2clr_machine *on)
{
    static textures train_set, val_set;
    const s2clr_samples train = textures_make(&train_set, 1, j->small ? 16 : RIG_TRAIN, SIDE, 2);
    const s2clr_samples val = textures_make(&val_set, 2, j->small ? 4 : RIG_VAL, SIDE, 2);
    const s2clr_progress progress = {.call = note, .context = j};
    s2clr_card *card = textures_card("resnet18", 4, SIDE, 2);
    s2clr_supervised_settings settings;
    s2clr_supervised_result result;
    s2clr_supervised_defaults(&settings);
    set_common(j, folder, &settings.common);
    const s2clr_status status =
        s2clr_supervised_run(&settings, card, &train, &val, on, &progress, &result);
    s2clr_card_free(card);
    return status;
}

static s2clr_status run_contrastive(job *j, const char *folder, const s2clr_machine *on)
{
    static pretrain_textures train_set, probe_set;
    const s2clr_samples train = pretrain_rig_samples(&train_set, 1, j->small ? 16 : PRETRAIN_TRAIN);
    const s2clr_samples probe = pretrain_rig_samples(&probe_set, 2, j->small ? 8 : PRETRAIN_PROBE);
    const s2clr_progress progress = {.call = note, .context = j};
    s2clr_card *card = pretrain_rig_card();
    s2clr_pretrain_settings settings;
    s2clr_pretrain_result result;
    s2clr_pretrain_defaults(&settings);
    set_common(j, folder, &settings.common);
    settings.chunk = 8;
    settings.probe_k = 5;
    const s2clr_status status =
        s2clr_pretrain_run(&settings, card, &train, &probe, NULL, on, &progress, &result);
    s2clr_card_free(card);
    return status;
}

static s2clr_status start(job *j)
{
    s2clr_machine on = {.backend = s2clr_backend_module()};
    char folder[4096];
    if (j->portable) TEST_OK(s2clr_backend_find("portable", &on.backend));
    snprintf(folder, sizeof folder, "%s", recipe_rig_path(j->folder, NULL));
    S2CLR_TRY(on.backend->device_open("", j->precision, &on.device));
    TEST_OK(s2clr_pool_new(2, &on.pool));
    const s2clr_status status =
        j->contrastive ? run_contrastive(j, folder, &on) : run_supervised(j, folder, &on);
    recipe_rig_release(&on);
    return status;
}

static void words(const char *text)
{
    setenv("FAKE_CUDA", text, 1);
    fake_recount();
}

/* ---- what is learned ---- */

static double apart(const char *a, const char *b)
{
    s2clr_model *model[2] = {NULL, NULL};
    const float *w[2] = {NULL, NULL};
    double difference = 0, size = 0;
    const char *const folder[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        TEST_OK(s2clr_model_open(recipe_rig_path(folder[i], "model.safetensors"), &model[i]));
        CU_ASSERT_PTR_NOT_NULL_FATAL(model[i]);
        w[i] = s2clr_model_params(model[i]);
    }
    const size_t count = s2clr_net_param_count(s2clr_model_net(model[0]));
    for (size_t i = 0; i < count; i++) {
        const double d = (double)w[0][i] - (double)w[1][i];
        difference += d * d;
        size += (double)w[1][i] * (double)w[1][i];
    }
    for (int i = 0; i < 2; i++) s2clr_model_close(model[i]);
    return sqrt(difference / size);
}

/* Twenty steps, small ones: see test_learner.c. */
static void it_learns_what_the_portable_backend_learns(void)
{
    words("");
    for (int contrastive = 0; contrastive < 2; contrastive++) {
        job here = {.folder = contrastive ? "here-c" : "here",
                    .contrastive = contrastive,
                    .portable = true,
                    .epochs = contrastive ? 7 : 5,
                    .rate = 2e-5};
        job there = here;
        there.folder = contrastive ? "there-c" : "there";
        there.portable = false;
        TEST_OK(start(&here));
        CU_ASSERT_EQUAL(fake_calls("s2clr_cuda_launch_update"), 0);
        TEST_OK(start(&there));
        CU_ASSERT_EQUAL(fake_calls("s2clr_cuda_launch_update"), contrastive ? 21 : 20);
        TEST_NEAR(apart(there.folder, here.folder), 0, 1e-4);
        words("");
    }
}

static void it_goes_on_where_it_was_stopped(void)
{
    words("");
    for (int kind = 0; kind < 2; kind++) {
        job whole = {.folder = "whole",
                     .contrastive = kind == 1,
                     .precision = kind == 1 ? S2CLR_BF16 : S2CLR_F32,
                     .epochs = 3};
        job cut = whole;
        char names[2][20];
        snprintf(names[0], sizeof names[0], "whole-%d", kind);
        snprintf(names[1], sizeof names[1], "cut-%d", kind);
        whole.folder = names[0];
        cut.folder = names[1];
        cut.stop_epoch = 3;
        TEST_OK(start(&whole));
        CU_ASSERT_EQUAL(start(&cut), S2CLR_ERR_CANCELLED);
        cut.resume = true;
        cut.stop_epoch = 0;
        TEST_OK(start(&cut));
        recipe_rig_same(whole.folder, cut.folder);
    }
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* ---- what fails ---- */

static void complain(const char *fake_words, const char *what)
{
    char text[1400];
    snprintf(text, sizeof text, "%s: %s: '%s'", fake_words, what, s2clr_error_text());
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static bool there_is(const char *folder, const char *name)
{
    FILE *file = fopen(recipe_rig_path(folder, name), "r");
    if (file) fclose(file);
    return file != NULL;
}

/* Fails once. Where it had come to a checkpoint it is resumed, and ends as a run does. */
static void check_failure(const char *fake_words, bool contrastive, int number)
{
    const long before = fake_misuses();
    char folder[32];
    snprintf(folder, sizeof folder, "failed-%d-%d", contrastive, number);
    job j = {.folder = folder, .contrastive = contrastive, .small = true, .epochs = 2};
    words(fake_words);
    s2clr_error_clear();
    const s2clr_status status = start(&j);
    if (status != S2CLR_OK && strlen(s2clr_error_text()) < 20)
        complain(fake_words, "says too little");
    if (strchr(s2clr_error_text(), '\n')) complain(fake_words, "is more than a line");
    if (status != S2CLR_OK && there_is(folder, "model.safetensors"))
        complain(fake_words, "left a model");
    words("");
    j.resume = there_is(folder, "checkpoint.safetensors");
    if (status != S2CLR_OK && j.resume) {
        if (start(&j) != S2CLR_OK) complain(fake_words, "cannot be resumed");
        if (!there_is(folder, "model.safetensors")) complain(fake_words, "has no model in the end");
    }
    if (fake_misuses() != before) complain(fake_words, "was misused");
    if (fake_object_count() != 0) complain(fake_words, "something was left behind");
}

/* What a contrastive run alone calls, and what tells it that something went wrong before. */
static bool is_contrastive(const char *entry)
{
    static const char *const words[] = {"accumulate", "launch_mean", "Memcpy", "Synchronize"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(entry, words[i])) return true;
    return false;
}

/* Of each entry point a call of the first epoch, one behind it, and the last. */
static void check_entries(bool contrastive)
{
    static char names[ENTRIES_MAX][ENTRY_MAX];
    long calls[ENTRIES_MAX];
    size_t entries = 0;
    int number = 0;
    job j = {.folder = contrastive ? "all-c" : "all",
             .contrastive = contrastive,
             .small = true,
             .epochs = 2};
    words("");
    TEST_OK(start(&j));
    for (const char *name; (name = fake_entry(entries, &calls[entries])); entries++)
        snprintf(names[entries], ENTRY_MAX, "%s", name);
    CU_ASSERT_TRUE(entries > 20);
    for (size_t e = 0; e < entries; e++) {
        if (contrastive && !is_contrastive(names[e])) continue;
        const long which[] = {calls[e] / 4 + 1, calls[e] * 6 / 10 + 1, calls[e]};
        long last = 0;
        for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
            char text[128];
            if (which[i] <= last || which[i] > calls[e]) continue;
            last = which[i];
            snprintf(text, sizeof text, "fail=%s:%ld", names[e], last);
            check_failure(text, contrastive, number++);
        }
    }
}

static void every_call_may_fail(void)
{
    check_entries(false);
}

static void every_call_of_a_contrastive_run_may_fail(void)
{
    check_entries(true);
}

static const test_case cases[] = {
    {"it learns what the portable backend learns", it_learns_what_the_portable_backend_learns},
    {"it goes on where it was stopped", it_goes_on_where_it_was_stopped},
    {"every call may fail", every_call_may_fail},
    {"every call of a contrastive run may fail", every_call_of_a_contrastive_run_may_fail},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_training", cases, argc, argv);
}
