#include "train_rig.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/philox.h"
#include "file/safetensors.h"
#include "harness.h"

static s2clr_status read_texture(void *self, size_t index, float *dn)
{
    const textures *set = self;
    const int label = set->labels[index], grain = label > 0 ? label : 4;
    for (int b = 0; b < RECIPE_BANDS; b++) {
        const float mean = 120 + (label == b ? -set->contrast : set->contrast);
        for (int i = 0; i < set->size; i++)
            for (int j = 0; j < set->size; j++)
                *dn++ =
                    mean + 40 * s2clr_random_normal(set->seed, index * RECIPE_BANDS + (uint64_t)b,
                                                    (uint64_t)(i / grain * 64 + j / grain));
    }
    return S2CLR_OK;
}

s2clr_samples textures_make(textures *set, uint64_t seed, size_t count, int size, int classes)
{
    set->seed = seed;
    set->size = size;
    set->contrast = size < 64 ? 20 : 0;
    CU_ASSERT_FATAL(count <= RIG_MANY);
    for (size_t i = 0; i < count; i++) {
        snprintf(set->name[i], RIG_NAME, "%d/%zu", (int)seed, i);
        set->names[i] = set->name[i];
        set->labels[i] = classes == 2 ? i % 3 == 0 : (int)(i % (size_t)classes);
    }
    return (s2clr_samples){.self = set,
                           .count = count,
                           .channels = RECIPE_BANDS,
                           .size = size,
                           .names = set->names,
                           .labels = set->labels,
                           .read = read_texture};
}

s2clr_card *textures_card(const char *arch, int width, int size, int classes)
{
    s2clr_card *card = recipe_rig_card(arch, width, size);
    card->arch.outputs = classes == 2 ? 1 : classes;
    if (classes == 2) {
        snprintf(card->positive, sizeof card->positive, "fine");
        snprintf(card->negative, sizeof card->negative, "coarse");
        return card;
    }
    card->classes = classes;
    for (int c = 0; c < classes; c++)
        snprintf(card->class_name[c], sizeof card->class_name[c], "grain%d", c);
    return card;
}

const char *train_run_path(const train_run *r, const char *name)
{
    return recipe_rig_path(r->folder, name);
}

bool train_run_has(const train_run *r, const char *name)
{
    return access(train_run_path(r, name), F_OK) == 0;
}

train_run train_run_new(const char *folder, int threads)
{
    train_run r = {.folder = folder,
                   .arch = "resnet18",
                   .width = 8,
                   .size = 16,
                   .classes = 2,
                   .threads = threads,
                   .val_seed = 2,
                   .train_count = RIG_TRAIN};
    s2clr_supervised_defaults(&r.settings);
    r.settings.common.epochs = 4;
    r.settings.common.batch = 16;
    r.settings.common.micro = 4;
    r.settings.common.rate = 0.01;
    r.settings.common.level = "NOISE";
    r.settings.common.augment.flags |= S2CLR_AUGMENT_GAIN;
    return r;
}

static bool note(void *context, double fraction, const char *message)
{
    train_run *r = context;
    char epoch[32];
    CU_ASSERT_TRUE(fraction >= r->last && fraction <= 1);
    r->last = fraction;
    r->reports++;
    if (message) snprintf(r->message, sizeof r->message, "%s", message);
    if (r->stop_report > 0 && r->reports >= r->stop_report) return false;
    snprintf(epoch, sizeof epoch, "epoch %d/", r->stop_epoch);
    return r->stop_epoch == 0 || !message || strncmp(message, epoch, strlen(epoch)) != 0;
}

s2clr_status train_run_start(train_run *r)
{
    static textures train_set, val_set;
    s2clr_samples train = textures_make(&train_set, 1, r->train_count, r->size, r->classes);
    s2clr_samples val = textures_make(&val_set, r->val_seed, RIG_VAL, r->size, r->classes);
    const s2clr_progress progress = {.call = note, .context = r};
    const s2clr_machine m = recipe_rig_machine(r->backend, r->precision, r->threads);
    s2clr_card *card = textures_card(r->arch, r->width, r->size, r->classes);
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", train_run_path(r, NULL));
    r->settings.common.run_dir = folder;
    r->last = 0;
    r->reports = 0;
    if (r->change) r->change(card, &train, &val);
    const s2clr_status status =
        s2clr_supervised_run(&r->settings, card, &train, &val, &m, &progress, &r->result);
    recipe_rig_release(&m);
    s2clr_card_free(card);
    return status;
}

void train_run_sha(const train_run *r, const char *name, char sha[65])
{
    recipe_rig_sha(r->folder, name, sha);
}

void train_run_same(const train_run *a, const train_run *b)
{
    recipe_rig_same(a->folder, b->folder);
}

int train_run_lines(const train_run *r)
{
    char line[2000];
    int lines = 0;
    FILE *file = fopen(train_run_path(r, "log.jsonl"), "r");
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

void train_run_floats(const train_run *r, const char *name, size_t count, float *out)
{
    s2clr_tensors *file = NULL;
    TEST_OK(s2clr_tensors_open(train_run_path(r, "checkpoint.safetensors"), &file));
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    const s2clr_tensor *tensor = s2clr_tensors_find(file, name);
    CU_ASSERT_TRUE_FATAL(tensor && tensor->count >= count);
    memcpy(out, tensor->data, count * sizeof *out);
    s2clr_tensors_close(file);
}
