#include "pretrain_rig.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/philox.h"
#include "harness.h"

/* Colour and grain tell the class, and a little more which patch it is. */
static s2clr_status read_texture(void *self, size_t index, float *dn)
{
    pretrain_textures *set = self;
    if (set->fail_after && ++set->reads > set->fail_after)
        return s2clr_error_set(S2CLR_ERR_IO, "the disk is gone");
    const int grain = set->labels[index] == 1 ? 1 : 4;
    for (int b = 0; b < RECIPE_BANDS; b++) {
        const float class_mean = set->labels[index] == b ? 60 : 180;
        const float mean =
            class_mean + 20 * s2clr_random_normal(set->seed, 1000 + (uint64_t)b, index);
        for (int i = 0; i < PRETRAIN_SIZE; i++)
            for (int j = 0; j < PRETRAIN_SIZE; j++)
                *dn++ =
                    mean + 40 * s2clr_random_normal(set->seed, index * RECIPE_BANDS + (uint64_t)b,
                                                    (uint64_t)(i / grain * 64 + j / grain));
    }
    return S2CLR_OK;
}

s2clr_samples pretrain_rig_samples(pretrain_textures *set, uint64_t seed, size_t count)
{
    *set = (pretrain_textures){.seed = seed};
    for (size_t i = 0; i < count; i++) {
        snprintf(set->name[i], PRETRAIN_NAME, "%d/%zu", (int)seed, i);
        set->names[i] = set->name[i];
        set->labels[i] = i % 3 == 0;
    }
    return (s2clr_samples){.self = set,
                           .count = count,
                           .channels = RECIPE_BANDS,
                           .size = PRETRAIN_SIZE,
                           .names = set->names,
                           .labels = set->labels,
                           .read = read_texture};
}

s2clr_card *pretrain_rig_card(void)
{
    s2clr_card *card = recipe_rig_card("resnet18", 4, PRETRAIN_SIZE);
    card->arch.projections = 2;
    card->arch.projection[0] = 24;
    card->arch.projection[1] = 12;
    return card;
}

/* ---- one run ---- */

const char *pretrain_rig_path(const pretrain_run *r, const char *name)
{
    return recipe_rig_path(r->folder, name);
}

pretrain_run pretrain_rig_run(const char *folder, int threads)
{
    pretrain_run r = {.folder = folder,
                      .threads = threads,
                      .bands = RECIPE_BANDS,
                      .count = PRETRAIN_TRAIN,
                      .probe = true};
    s2clr_pretrain_defaults(&r.settings);
    r.settings.common.epochs = 4;
    r.settings.common.batch = 16;
    r.settings.common.micro = 4;
    r.settings.chunk = 8;
    r.settings.common.rate = 0.005;
    r.settings.common.level = "NOISE";
    r.settings.probe_k = 5;
    TEST_OK(s2clr_augment_parse("flip,rot90,jitter", &r.settings.common.augment));
    return r;
}

static bool note(void *context, double fraction, const char *message)
{
    pretrain_run *r = context;
    char epoch[32];
    CU_ASSERT_TRUE(fraction >= r->last && fraction <= 1);
    r->last = fraction;
    if (message) snprintf(r->message, sizeof r->message, "%s", message);
    snprintf(epoch, sizeof epoch, "epoch %d/", r->stop_epoch);
    return r->stop_epoch == 0 || !message || strncmp(message, epoch, strlen(epoch)) != 0;
}

s2clr_status pretrain_rig_start(pretrain_run *r)
{
    static pretrain_textures train_set, probe_set;
    s2clr_samples train = pretrain_rig_samples(&train_set, 1, r->count);
    const s2clr_samples probe = pretrain_rig_samples(&probe_set, 2, PRETRAIN_PROBE);
    const s2clr_progress progress = {.call = note, .context = r};
    const s2clr_machine m = recipe_rig_machine(r->backend, r->precision, r->threads);
    s2clr_card *card = pretrain_rig_card();
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", pretrain_rig_path(r, NULL));
    card->arch.outputs = r->outputs;
    train.channels = r->bands;
    train_set.fail_after = r->fail_after;
    r->settings.common.run_dir = folder;
    r->last = 0;
    const s2clr_status status =
        s2clr_pretrain_run(&r->settings, card, &train, r->probe ? &probe : NULL, r->initial, &m,
                           &progress, &r->result);
    s2clr_card_free(card);
    recipe_rig_release(&m);
    return status;
}

void pretrain_rig_sha(const pretrain_run *r, const char *name, char sha[65])
{
    recipe_rig_sha(r->folder, name, sha);
}

void pretrain_rig_same(const pretrain_run *a, const pretrain_run *b)
{
    recipe_rig_same(a->folder, b->folder);
}

int pretrain_rig_log(const pretrain_run *r, const char *key, double *values)
{
    char line[2000];
    int lines = 0;
    FILE *file = fopen(pretrain_rig_path(r, "log.jsonl"), "r");
    while (file && fgets(line, sizeof line, file)) {
        json_t *entry = json_loads(line, 0, NULL);
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(entry, "epoch")), lines + 1);
        const json_t *value = json_object_get(entry, key);
        values[lines++] = json_is_number(value) ? json_number_value(value) : NAN;
        json_decref(entry);
    }
    if (file) fclose(file);
    return lines;
}
