#include "pretrain_rig.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/philox.h"
#include "file/safetensors.h"
#include "harness.h"

/* Colour and grain tell the class, and a little more which patch it is. */
static s2clr_status read_texture(void *self, size_t index, float *dn)
{
    pretrain_textures *set = self;
    if (set->fail_after && ++set->reads > set->fail_after)
        return s2clr_error_set(S2CLR_ERR_IO, "the disk is gone");
    const int grain = set->labels[index] == 1 ? 1 : 4;
    for (int b = 0; b < PRETRAIN_BANDS; b++) {
        const float class_mean = set->labels[index] == b ? 60 : 180;
        const float mean =
            class_mean + 20 * s2clr_random_normal(set->seed, 1000 + (uint64_t)b, index);
        for (int i = 0; i < PRETRAIN_SIZE; i++)
            for (int j = 0; j < PRETRAIN_SIZE; j++)
                *dn++ =
                    mean + 40 * s2clr_random_normal(set->seed, index * PRETRAIN_BANDS + (uint64_t)b,
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
                           .channels = PRETRAIN_BANDS,
                           .size = PRETRAIN_SIZE,
                           .names = set->names,
                           .labels = set->labels,
                           .read = read_texture};
}

s2clr_card *pretrain_rig_card(void)
{
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_new(&card));
    snprintf(card->arch.name, sizeof card->arch.name, "resnet18");
    snprintf(card->id, sizeof card->id, "textures");
    card->arch.channels = card->bands = PRETRAIN_BANDS;
    card->arch.width = 4;
    card->arch.projections = 2;
    card->arch.projection[0] = 24;
    card->arch.projection[1] = 12;
    snprintf(card->band[0], S2CLR_CARD_WORD, "B04");
    snprintf(card->band[1], S2CLR_CARD_WORD, "B03");
    card->levels = 1;
    s2clr_card_level *level = &card->level[0];
    snprintf(level->name, sizeof level->name, "NOISE");
    level->gain[0] = level->gain[1] = 1;
    level->low = 0, level->high = 255;
    card->patch = PRETRAIN_SIZE, card->stride = 8, card->metres = 10;
    snprintf(card->resampling, sizeof card->resampling, "bilinear");
    return card;
}

/* ---- one run ---- */

const char *pretrain_rig_path(const pretrain_run *r, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s%s%s", test_folder(), r->folder, name ? "/" : "",
             name ? name : "");
    return path;
}

pretrain_run pretrain_rig_run(const char *folder, int threads)
{
    pretrain_run r = {.folder = folder,
                      .threads = threads,
                      .bands = PRETRAIN_BANDS,
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

pretrain_machine pretrain_rig_machine(int threads)
{
    pretrain_machine m = {0};
    TEST_OK(s2clr_backend_find("portable", &m.backend));
    TEST_OK(m.backend->device_open("", S2CLR_F32, &m.device));
    TEST_OK(s2clr_pool_new(threads, &m.pool));
    return m;
}

void pretrain_rig_close(pretrain_machine m)
{
    s2clr_pool_free(m.pool);
    m.backend->device_close(m.device);
}

s2clr_status pretrain_rig_start(pretrain_run *r)
{
    static pretrain_textures train_set, probe_set;
    s2clr_samples train = pretrain_rig_samples(&train_set, 1, r->count);
    const s2clr_samples probe = pretrain_rig_samples(&probe_set, 2, PRETRAIN_PROBE);
    const s2clr_progress progress = {.call = note, .context = r};
    const pretrain_machine m = pretrain_rig_machine(r->threads);
    s2clr_card *card = pretrain_rig_card();
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", pretrain_rig_path(r, NULL));
    card->arch.outputs = r->outputs;
    train.channels = r->bands;
    train_set.fail_after = r->fail_after;
    r->settings.common.run_dir = folder;
    r->last = 0;
    const s2clr_status status =
        s2clr_pretrain_run(&r->settings, card, &train, r->probe ? &probe : NULL, r->initial,
                           m.backend, m.device, m.pool, &progress, &r->result);
    s2clr_card_free(card);
    pretrain_rig_close(m);
    return status;
}

void pretrain_rig_sha(const pretrain_run *r, const char *name, char sha[65])
{
    s2clr_tensors *file = NULL;
    sha[0] = '\0';
    TEST_OK(s2clr_tensors_open(pretrain_rig_path(r, name), &file));
    if (file) s2clr_tensors_sha256(file, sha);
    s2clr_tensors_close(file);
}

void pretrain_rig_same(const pretrain_run *a, const pretrain_run *b)
{
    static const char *const names[] = {"model.safetensors", "checkpoint.safetensors"};
    for (int i = 0; i < 2; i++) {
        char one[65], two[65];
        pretrain_rig_sha(a, names[i], one), pretrain_rig_sha(b, names[i], two);
        CU_ASSERT_NOT_EQUAL(one[0], '\0');
        CU_ASSERT_STRING_EQUAL(one, two);
    }
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
