#include "train/run_identity.h"

#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { DIGEST = 8 }; /* enough to tell things apart by accident; nobody attacks their own run */

static void append_digest(struct sha256_ctx *hash, char *text, size_t size)
{
    uint8_t digest[DIGEST];
    sha256_digest(hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%02x", digest[i]);
    }
}

/* "5400 patches 64x64, 3f9a..." */
int s2clr_run_identity_add_samples(json_t *root, const char *key, const s2clr_samples *samples)
{
    struct sha256_ctx hash;
    char text[96];
    sha256_init(&hash);
    for (size_t i = 0; i < samples->count; i++) {
        const uint8_t end[2] = {0, samples->labels ? (uint8_t)samples->labels[i] : UINT8_MAX};
        sha256_update(&hash, strlen(samples->names[i]), (const uint8_t *)samples->names[i]);
        sha256_update(&hash, sizeof end, end);
    }
    snprintf(text, sizeof text, "%zu patches %dx%d, ", samples->count, samples->size,
             samples->size);
    append_digest(&hash, text, sizeof text);
    return json_object_set_new(root, key, json_string(text));
}

int s2clr_run_identity_add_floats(json_t *root, const char *key, const float *values, size_t count)
{
    struct sha256_ctx hash;
    char text[64];
    if (!values) return json_object_set_new(root, key, json_string("none"));
    sha256_init(&hash);
    sha256_update(&hash, count * sizeof *values, (const uint8_t *)values);
    snprintf(text, sizeof text, "%zu numbers, ", count);
    append_digest(&hash, text, sizeof text);
    return json_object_set_new(root, key, json_string(text));
}

static void append_layers(const char *what, const int *width, int count, char *text, size_t size)
{
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%d", i ? "-" : what, width[i]);
    }
}

static json_t *arch_value(const s2clr_arch *arch)
{
    char text[256];
    snprintf(text, sizeof text, "%s, %d bands, %d outputs, width %d, depth %d", arch->name,
             arch->channels, arch->outputs, arch->width, arch->depth);
    append_layers(", projection ", arch->projection, arch->projections, text, sizeof text);
    append_layers(", hidden ", arch->hidden, arch->hiddens, text, sizeof text);
    append_layers(", tap ", &arch->tap, arch->tap > 0, text, sizeof text);
    return json_string(text);
}

static json_t *augment_value(const s2clr_augment_recipe *recipe)
{
    char *text;
    if (s2clr_augment_format(recipe, &text) != S2CLR_OK) return NULL;
    json_t *value = json_string(text);
    s2clr_free(text);
    return value;
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

int s2clr_run_identity_add_machine(json_t *root, const s2clr_machine *on)
{
    const char *precision = s2clr_precision_name(on->backend->device_precision(on->device));
    int failed = json_object_set_new(root, "backend", json_string(on->backend->name)) |
                 json_object_set_new(root, "precision", json_string(precision));
    /* One is what all runs had that do not say it. */
    if (on->device_count > 1)
        failed |= json_object_set_new(root, "devices", json_integer(on->device_count));
    return failed;
}

int s2clr_run_identity_add_learner(json_t *root, const s2clr_learner *learner)
{
    if (!s2clr_learner_note(learner)[0]) return 0;
    return json_object_set_new(root, "weights kept by", json_string("host"));
}

json_t *s2clr_run_identity_new(const s2clr_training *t, const s2clr_card *card,
                               const s2clr_card_level *level, const s2clr_net *net, int *failed)
{
    json_t *root = json_pack("{s:s, s:f, s:f, s:f, s:i, s:i, s:i, s:o}", "optimiser", t->optimiser,
                             "rate", t->rate, "weight decay", t->weight_decay, "warm-up", t->warmup,
                             "epochs", t->epochs, "batch", t->batch, "micro-batch", t->micro,
                             "augmentations", augment_value(&t->augment));
    *failed = json_object_set_new(root, "seed", seed_value(t->seed));
    *failed |= json_object_set_new(root, "architecture", arch_value(s2clr_net_arch(net)));
    *failed |= json_object_set_new(root, "level", json_string(level->name));
    *failed |= json_object_set_new(root, "level nodata", nodata_value(level));
    *failed |= json_object_set_new(root, "clamp", json_pack("[f, f]", level->low, level->high));
    *failed |= json_object_set_new(root, "band, gain, bias, mean, std", bands_value(card, level));
    return root;
}

s2clr_status s2clr_run_identity_text(json_t *root, int failed, char **out)
{
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!text)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the run's settings cannot be written as JSON: a number is not "
                               "finite or a name is not UTF-8");
    const s2clr_status status = s2clr_strdup(text, out);
    free(text);
    return status;
}
