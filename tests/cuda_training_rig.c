#include "cuda_training_rig.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend_training.h"
#include "cuda_fake.h"
#include "cuda_rig.h"
#include "harness.h"
#include "pretrain_rig.h"
#include "recipe_rig.h"
#include "train_rig.h"

enum { ENTRIES_MAX = 160, ENTRY_MAX = 64, SIDE = 8, MEMBERS_MAX = 4 };

/* ---- one run ---- */

static bool note(void *context, double fraction, const char *message)
{
    const cuda_job *j = context;
    char epoch[32];
    (void)fraction;
    snprintf(epoch, sizeof epoch, "epoch %d/", j->stop_epoch);
    return j->stop_epoch == 0 || !message || strncmp(message, epoch, strlen(epoch)) != 0;
}

static void hear(void *context, const char *text)
{
    cuda_job *j = context;
    snprintf(j->warning, sizeof j->warning, "%s", text);
}

static void set_common(const cuda_job *j, const char *folder, s2clr_training *common)
{
    common->run_dir = folder;
    common->level = "NOISE";
    common->epochs = j->epochs;
    common->batch = j->batch ? j->batch : 16;
    common->micro = common->batch / 4;
    common->rate = j->rate > 0 ? j->rate : 0.005;
    common->resume = j->resume;
}

static s2clr_status run_supervised(cuda_job *j, const char *folder, const s2clr_machine *on)
{
    static textures train_set, val_set;
    const s2clr_samples train = textures_make(&train_set, 1, j->small ? 16 : RIG_TRAIN, SIDE, 2);
    const s2clr_samples val = textures_make(&val_set, 2, j->small ? 4 : RIG_VAL, SIDE, 2);
    const s2clr_progress progress = {.call = note, .context = j, .warn = hear};
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

/* Samples that count how often they are read. */
typedef struct counted {
    s2clr_samples of;
    atomic_long reads;
} counted;

static s2clr_status read_counted(void *self, size_t index, float *dn)
{
    counted *const c = self;
    atomic_fetch_add(&c->reads, 1);
    return c->of.read(c->of.self, index, dn);
}

static size_t training_samples(const cuda_job *j)
{
    if (j->samples) return j->samples;
    return j->small ? 16 : PRETRAIN_TRAIN;
}

static s2clr_status run_contrastive(cuda_job *j, const char *folder, const s2clr_machine *on)
{
    static pretrain_textures train_set, probe_set;
    counted from = {.of = pretrain_rig_samples(&train_set, 1, training_samples(j))};
    s2clr_samples train = from.of;
    const s2clr_samples probe = pretrain_rig_samples(&probe_set, 2, j->small ? 8 : PRETRAIN_PROBE);
    const s2clr_progress progress = {.call = note, .context = j, .warn = hear};
    s2clr_card *card = pretrain_rig_card();
    s2clr_pretrain_settings settings;
    s2clr_pretrain_result result;
    s2clr_pretrain_defaults(&settings);
    set_common(j, folder, &settings.common);
    settings.chunk = settings.common.batch / 2;
    settings.probe_k = 5;
    train.self = &from;
    train.read = read_counted;
    const s2clr_status status =
        s2clr_pretrain_run(&settings, card, &train, &probe, NULL, on, &progress, &result);
    j->reads = from.reads;
    s2clr_card_free(card);
    return status;
}

static s2clr_status run_on(cuda_job *j, const s2clr_machine *on)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", recipe_rig_path(j->folder, NULL));
    return j->contrastive ? run_contrastive(j, folder, on) : run_supervised(j, folder, on);
}

/* The module's table as the job wants it. */
static const s2clr_backend *backend_for(const cuda_job *j)
{
    static s2clr_backend_training training;
    static s2clr_backend changed;
    if (!j->host_views) return s2clr_backend_module();
    changed = *s2clr_backend_module();
    training = *changed.training;
    training.views = NULL;
    changed.training = &training;
    return &changed;
}

s2clr_status cuda_job_run(cuda_job *j)
{
    s2clr_machine on = {.backend = backend_for(j), .device_count = j->devices};
    s2clr_device *device[MEMBERS_MAX];
    const int count = j->devices ? j->devices : 1;
    s2clr_status status = S2CLR_OK;
    int opened = 0;
    if (j->portable) TEST_OK(s2clr_backend_find("portable", &on.backend));
    j->warning[0] = '\0';
    while (status == S2CLR_OK && opened < count) {
        char spec[32] = "";
        if (j->devices) snprintf(spec, sizeof spec, "cuda:%d", opened);
        status = on.backend->device_open(spec, j->precision, &device[opened]);
        opened += status == S2CLR_OK;
    }
    if (status == S2CLR_OK) {
        on.device = device[0];
        on.devices = j->devices ? device : NULL;
        TEST_OK(s2clr_pool_new(2, &on.pool));
        status = run_on(j, &on);
        s2clr_pool_free(on.pool);
    }
    while (opened-- > 0) on.backend->device_close(device[opened]);
    return status;
}

void cuda_job_goes_on(cuda_job *whole)
{
    cuda_job cut = *whole;
    char folder[40];
    snprintf(folder, sizeof folder, "%s-cut", whole->folder);
    cut.folder = folder;
    cut.stop_epoch = 3;
    TEST_OK(cuda_job_run(whole));
    CU_ASSERT_EQUAL(cuda_job_run(&cut), S2CLR_ERR_CANCELLED);
    cut.resume = true;
    cut.stop_epoch = 0;
    TEST_OK(cuda_job_run(&cut));
    recipe_rig_same(whole->folder, cut.folder);
}

void cuda_words(const char *text)
{
    setenv("FAKE_CUDA", text, 1);
    fake_recount();
}

/* ---- what came of it ---- */

double cuda_job_apart(const char *a, const char *b)
{
    s2clr_model *model[2] = {NULL, NULL};
    const float *w[2] = {NULL, NULL};
    double norm, largest;
    const char *const folder[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        TEST_OK(s2clr_model_open(recipe_rig_path(folder[i], "model.safetensors"), &model[i]));
        CU_ASSERT_PTR_NOT_NULL_FATAL(model[i]);
        w[i] = s2clr_model_params(model[i]);
    }
    const size_t count = s2clr_net_param_count(s2clr_model_net(model[0]));
    s2clr_op_distance(w[0], w[1], count, &norm, &largest);
    for (int i = 0; i < 2; i++) s2clr_model_close(model[i]);
    return norm;
}

bool cuda_job_has(const char *folder, const char *name)
{
    FILE *file = fopen(recipe_rig_path(folder, name), "r");
    if (file) fclose(file);
    return file != NULL;
}

/* ---- calls that fail ---- */

static void complain(const char *what)
{
    char text[1400];
    snprintf(text, sizeof text, "%s: %s: '%s'", getenv("FAKE_CUDA"), what, s2clr_error_text());
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

/* That is what the others say of it. */
static bool is_cause(const char *text)
{
    return strlen(text) >= 20 && !strstr(text, "another device of the group");
}

/* What failed and was got over, or done again, does not show. */
static void check_result(const char *wanted, const char *got)
{
    static const char *const names[] = {"model.safetensors", "checkpoint.safetensors"};
    for (int i = 0; i < 2; i++) {
        char sha[2][65];
        recipe_rig_sha(wanted, names[i], sha[0]);
        recipe_rig_sha(got, names[i], sha[1]);
        if (strcmp(sha[0], sha[1]) != 0) complain(names[i]);
    }
}

/* Fails once. Where it had come to a checkpoint it is resumed, and ends as a run does. */
static void check_failure(const cuda_job *like, const char *words, const char *fails, int number)
{
    const long before = fake_misuses();
    char folder[48], all[200];
    cuda_job j = *like;
    snprintf(folder, sizeof folder, "%s-%d", like->folder, number);
    snprintf(all, sizeof all, "%s,%s", words, fails);
    j.folder = folder;
    cuda_words(all);
    s2clr_error_clear();
    const s2clr_status status = cuda_job_run(&j);
    if (status != S2CLR_OK && !is_cause(s2clr_error_text())) complain("does not say the cause");
    if (strchr(s2clr_error_text(), '\n')) complain("is more than a line");
    if (status != S2CLR_OK && cuda_job_has(folder, "model.safetensors")) complain("left a model");
    if (fake_misuses() != before) complain("was misused");
    if (fake_object_count() != 0) complain("something was left behind");
    cuda_words(words);
    j.resume = cuda_job_has(folder, "checkpoint.safetensors");
    if (status != S2CLR_OK && !j.resume) return;
    if (status != S2CLR_OK && cuda_job_run(&j) != S2CLR_OK) complain("cannot be resumed");
    if (!cuda_job_has(folder, "model.safetensors")) complain("has no model in the end");
    check_result(like->folder, folder);
}

void cuda_job_fail_each(const cuda_job *like, const char *words, bool (*chosen)(const char *entry))
{
    static char names[ENTRIES_MAX][ENTRY_MAX];
    long calls[ENTRIES_MAX];
    size_t entries = 0;
    int number = 0;
    cuda_job j = *like;
    cuda_words(words);
    TEST_OK(cuda_job_run(&j));
    for (const char *name; (name = fake_entry(entries, &calls[entries])); entries++)
        snprintf(names[entries], ENTRY_MAX, "%s", name);
    CU_ASSERT_TRUE(entries > 20);
    for (size_t e = 0; e < entries; e++) {
        if (!chosen(names[e])) continue;
        const long which[] = {calls[e] / 4 + 1, calls[e] * 6 / 10 + 1, calls[e]};
        long last = 0;
        for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
            char text[128];
            if (which[i] <= last || which[i] > calls[e]) continue;
            last = which[i];
            snprintf(text, sizeof text, "fail=%s:%ld", names[e], last);
            check_failure(like, words, text, number++);
        }
    }
}
