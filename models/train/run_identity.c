#include "train/run_identity.h"

#include <inttypes.h>
#include <jansson.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* "5400 patches 64x64, 3f9a..." */
static json_t *samples_value(const s2clr_samples *samples)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    for (size_t i = 0; i < samples->count; i++) {
        const uint8_t end[2] = {0, (uint8_t)samples->labels[i]};
        sha256_update(&hash, strlen(samples->names[i]), (const uint8_t *)samples->names[i]);
        sha256_update(&hash, sizeof end, end);
    }
    uint8_t
        digest[8]; /* enough to tell data sets apart by accident; nobody attacks their own run */
    sha256_digest(&hash, sizeof digest, digest);
    char text[96];
    int used = snprintf(text, sizeof text, "%zu patches %dx%d, ", samples->count, samples->size,
                        samples->size);
    for (size_t i = 0; i < sizeof digest; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%02x", digest[i]);
    return json_string(text);
}

static json_t *arch_value(const s2clr_arch *arch)
{
    char text[128];
    snprintf(text, sizeof text, "%s, %d bands, %d outputs, width %d, depth %d", arch->name,
             arch->channels, arch->outputs, arch->width, arch->depth);
    return json_string(text);
}

static json_t *seed_value(uint64_t seed)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, seed); /* JSON integers are signed */
    return json_string(text);
}

/* Per band: name, gain, bias, mean, std. */
static json_t *bands_value(const s2clr_card *card, const s2clr_card_level *level)
{
    json_t *list = json_array();
    for (int b = 0; b < card->bands; b++)
        json_array_append_new(list, json_pack("[s, f, f, f, f]", card->band[b], level->gain[b],
                                              level->bias[b], (double)card->mean[b],
                                              (double)card->std[b]));
    return list;
}

static json_t *nodata_value(const s2clr_card_level *level)
{
    return level->has_nodata ? json_real(level->nodata) : json_null();
}

static json_t *pack(const s2clr_supervised_settings *s, const s2clr_card *card,
                    const s2clr_card_level *level, const s2clr_arch *arch,
                    const s2clr_samples *train, const s2clr_samples *val)
{
    json_t *root = json_pack(
        "{s:s, s:f, s:f, s:f, s:i, s:i, s:i, s:I, s:f, s:f, s:i}", "optimiser", s->optimiser,
        "rate", s->rate, "weight decay", s->weight_decay, "warm-up", s->warmup, "epochs", s->epochs,
        "batch", s->batch, "micro-batch", s->micro, "augmentations", (json_int_t)s->augment,
        "balance", s->balance, "label smoothing", s->label_smoothing, "patience", s->patience);
    int failed = json_object_set_new(root, "seed", seed_value(s->seed));
    failed |= json_object_set_new(root, "training samples", samples_value(train));
    failed |= json_object_set_new(root, "validation samples", samples_value(val));
    failed |= json_object_set_new(root, "architecture", arch_value(arch));
    failed |= json_object_set_new(root, "level", json_string(level->name));
    failed |= json_object_set_new(root, "level nodata", nodata_value(level));
    failed |= json_object_set_new(root, "clamp", json_pack("[f, f]", level->low, level->high));
    failed |= json_object_set_new(root, "band, gain, bias, mean, std", bands_value(card, level));
    if (!failed) return root;
    json_decref(root);
    return NULL;
}

s2clr_status s2clr_run_identity(const s2clr_supervised_settings *settings, const s2clr_card *card,
                                const s2clr_card_level *level, const s2clr_arch *arch,
                                const s2clr_samples *train, const s2clr_samples *val, char **out)
{
    json_t *root = pack(settings, card, level, arch, train, val);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the run's settings cannot be written as JSON: a number is not "
                               "finite or a name is not UTF-8");
    const s2clr_status status = s2clr_strdup(text, out);
    free(text);
    return status;
}
