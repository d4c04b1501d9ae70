/* Supervised runs that go on from an encoder with a projection head, at each of its layers. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/finetune.h"
#include "train_rig.h"

enum { WIDTH = 4 };

static void give_statistics(s2clr_card *card)
{
    for (int b = 0; b < card->bands; b++) card->mean[b] = 120, card->std[b] = 45;
}

static s2clr_model *encoder_new(void)
{
    static const int projection[] = {24, 16, 8};
    s2clr_card *card = recipe_rig_card("resnet18", WIDTH, 16);
    give_statistics(card);
    card->arch.projections = 3;
    memcpy(card->arch.projection, projection, sizeof projection);
    return recipe_rig_model("encoder", card, 3);
}

static s2clr_model *encoder;
static s2clr_arch child_arch;
static s2clr_finetune begun;

static void go_on(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    (void)train, (void)val;
    card->arch = child_arch;
    give_statistics(card);
}

/* Whether a tensor of the trained model is still the encoder's. */
static bool kept(const s2clr_model *model, const char *name)
{
    const s2clr_model *const both[] = {model, encoder};
    const float *values[2] = {NULL, NULL};
    size_t count = 0;
    for (int m = 0; m < 2; m++) {
        const s2clr_param *param = s2clr_net_param_named(s2clr_model_net(both[m]), name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(param);
        values[m] = s2clr_model_params(both[m]) + param->offset;
        count = param->count;
    }
    return memcmp(values[0], values[1], count * sizeof(float)) == 0;
}

/* Head only, and the last projection layer with it. */
static void from_every_projection_layer(void)
{
    static const int hidden[] = {12};
    encoder = encoder_new();
    for (int tap = 0; tap <= 3; tap++)
        for (int last = 2; last <= 3; last++) {
            char folder[32], layer[32];
            s2clr_model *model = NULL;
            s2clr_card *card = textures_card("resnet18", WIDTH, 16, 2);
            TEST_OK(s2clr_finetune_arch(s2clr_net_arch(s2clr_model_net(encoder)), tap, 1, hidden, 1,
                                        &card->arch));
            child_arch = card->arch;
            TEST_OK(s2clr_finetune_begin(encoder, last, 5, card, &begun));
            s2clr_card_free(card);
            snprintf(folder, sizeof folder, "tap%d-%d", tap, last);
            train_run r = train_run_new(folder, 2);
            r.width = WIDTH;
            r.settings.common.epochs = 1;
            r.settings.initial = begun.initial;
            r.settings.frozen = begun.frozen;
            r.change = go_on;
            TEST_OK(train_run_start(&r));
            TEST_OK(s2clr_model_open(r.result.model_path, &model));
            if (!model) continue;
            snprintf(layer, sizeof layer, "projection.%d.weight", tap - 1);
            CU_ASSERT_TRUE(kept(model, "layer3.0.conv1.weight"));
            CU_ASSERT_TRUE(kept(model, "bn1.running_mean"));
            CU_ASSERT_EQUAL(kept(model, "layer4.1.conv2.weight"), tap > 0 || last == 2);
            if (tap > 0) CU_ASSERT_EQUAL(kept(model, layer), last == 2);
            s2clr_model_close(model);
            s2clr_finetune_end(&begun);
        }
    s2clr_model_close(encoder);
}

static const test_case cases[] = {
    {"from every projection layer", from_every_projection_layer},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("finetune_encoder", cases, argc, argv);
}
