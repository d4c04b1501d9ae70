#include "recipe_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "file/safetensors.h"
#include "harness.h"

s2clr_machine recipe_rig_machine(const char *backend, s2clr_precision precision, int threads)
{
    s2clr_machine m = {0};
    TEST_OK(s2clr_backend_find(backend ? backend : "portable", &m.backend));
    CU_ASSERT_PTR_NOT_NULL_FATAL(m.backend);
    TEST_OK(m.backend->device_open("", precision, &m.device));
    TEST_OK(s2clr_pool_new(threads, &m.pool));
    return m;
}

void recipe_rig_release(const s2clr_machine *m)
{
    s2clr_pool_free(m->pool);
    m->backend->device_close(m->device);
}

s2clr_card *recipe_rig_card(const char *arch, int width, int size)
{
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_new(&card));
    snprintf(card->arch.name, sizeof card->arch.name, "%s", arch);
    snprintf(card->id, sizeof card->id, "textures");
    card->arch.channels = card->bands = RECIPE_BANDS;
    card->arch.width = width;
    snprintf(card->band[0], S2CLR_CARD_WORD, "B04");
    snprintf(card->band[1], S2CLR_CARD_WORD, "B03");
    card->levels = 1;
    s2clr_card_level *level = &card->level[0];
    snprintf(level->name, sizeof level->name, "NOISE");
    for (int b = 0; b < S2CLR_CARD_BANDS_MAX; b++) level->gain[b] = 1;
    level->low = 0, level->high = 255;
    card->patch = size, card->stride = 4, card->metres = 10;
    snprintf(card->resampling, sizeof card->resampling, "bilinear");
    return card;
}

s2clr_model *recipe_rig_model(const char *name, s2clr_card *card, uint64_t seed)
{
    char path[4096];
    s2clr_model *model = NULL;
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&card->arch, &net));
    float *w = malloc(s2clr_net_param_count(net) * sizeof *w);
    TEST_OK(s2clr_net_init(net, seed, w));
    snprintf(path, sizeof path, "%s/%s.safetensors", test_folder(), name);
    TEST_OK(s2clr_model_save(path, card, net, w));
    TEST_OK(s2clr_model_open(path, &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    free(w);
    s2clr_net_free(net);
    s2clr_card_free(card);
    return model;
}

const char *recipe_rig_path(const char *folder, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s%s%s", test_folder(), folder, name ? "/" : "",
             name ? name : "");
    return path;
}

void recipe_rig_sha(const char *folder, const char *name, char sha[65])
{
    s2clr_tensors *file = NULL;
    sha[0] = '\0';
    TEST_OK(s2clr_tensors_open(recipe_rig_path(folder, name), &file));
    if (file) s2clr_tensors_sha256(file, sha);
    s2clr_tensors_close(file);
}

void recipe_rig_same(const char *a, const char *b)
{
    static const char *const names[] = {"model.safetensors", "checkpoint.safetensors"};
    for (int i = 0; i < 2; i++) {
        char one[65], two[65];
        recipe_rig_sha(a, names[i], one), recipe_rig_sha(b, names[i], two);
        CU_ASSERT_NOT_EQUAL(one[0], '\0');
        CU_ASSERT_STRING_EQUAL(one, two);
    }
}
