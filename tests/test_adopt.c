/* Weights taken over by name, bands found by name, and what learns. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/adopt.h"
#include "train/finetune.h"
#include "train_rig.h"

typedef struct subject {
    s2clr_card *card;
    s2clr_net *net;
    float *params;
} subject;

static const char *const four[] = {"B04", "B03", "B02", "B08"};

static subject subject_new(const char *arch, int width, const char *const *bands, int count,
                           uint64_t seed)
{
    subject s = {.card = textures_card(arch, width, 16, 2)};
    s.card->arch.channels = s.card->bands = count;
    for (int b = 0; b < count; b++) {
        snprintf(s.card->band[b], S2CLR_CARD_WORD, "%s", bands[b]);
        s.card->mean[b] = (float)(10 * seed) + (float)b;
        s.card->std[b] = (float)(b + 1);
    }
    TEST_OK(s2clr_net_new(&s.card->arch, &s.net));
    s.params = malloc(s2clr_net_param_count(s.net) * sizeof *s.params);
    TEST_OK(s2clr_net_init(s.net, seed, s.params));
    return s;
}

static void subject_free(subject *s)
{
    free(s->params);
    s2clr_net_free(s->net);
    s2clr_card_free(s->card);
}

static s2clr_status adopt(const subject *parent, const subject *child, s2clr_adoption *report)
{
    return s2clr_weights_adopt(parent->card, parent->net, parent->params, child->card, child->net,
                               child->params, report);
}

/* Tensor `name` of a is that of b, bit for bit. */
static bool equal(const subject *a, const subject *b, const char *name)
{
    const s2clr_param *x = s2clr_net_param_named(a->net, name),
                      *y = s2clr_net_param_named(b->net, name);
    CU_ASSERT_FATAL(x && y && x->count == y->count);
    return memcmp(a->params + x->offset, b->params + y->offset, x->count * sizeof(float)) == 0;
}

static void equal_networks_take_all(void)
{
    subject parent = subject_new("resnet18", 8, four, 4, 1);
    subject child = subject_new("resnet18", 8, four, 4, 2);
    s2clr_adoption report;
    TEST_OK(adopt(&parent, &child, &report));
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(child.net, &list);
    CU_ASSERT_EQUAL(report.taken, count);
    CU_ASSERT_EQUAL(report.taken_values, s2clr_net_param_count(child.net));
    CU_ASSERT_EQUAL(report.fresh, 0);
    CU_ASSERT_EQUAL(report.lowest_fresh, -1);
    CU_ASSERT_FALSE(report.bands_gathered);
    CU_ASSERT_EQUAL(
        memcmp(parent.params, child.params, s2clr_net_param_count(child.net) * sizeof(float)), 0);
    subject_free(&parent), subject_free(&child);
}

/* Three classes instead of one logit: only the last layer is new. */
static void another_head_is_fresh(void)
{
    subject parent = subject_new("resnet18", 8, four, 4, 1);
    subject child = subject_new("resnet18", 8, four, 4, 2);
    s2clr_adoption report;
    s2clr_net_free(child.net);
    child.card->arch.outputs = 3;
    TEST_OK(s2clr_net_new(&child.card->arch, &child.net));
    child.params = realloc(child.params, s2clr_net_param_count(child.net) * sizeof(float));
    TEST_OK(s2clr_net_init(child.net, 2, child.params));
    const s2clr_param *fc = s2clr_net_param_named(child.net, "fc.weight");
    const float kept = child.params[fc->offset];
    TEST_OK(adopt(&parent, &child, &report));
    CU_ASSERT_EQUAL(report.fresh, 2);
    CU_ASSERT_EQUAL(report.unused, 2);
    CU_ASSERT_STRING_EQUAL(report.fresh_names, "fc.weight, fc.bias");
    CU_ASSERT_EQUAL(report.lowest_fresh, fc->node);
    CU_ASSERT_EQUAL(child.params[fc->offset], kept);
    CU_ASSERT_TRUE(equal(&parent, &child, "layer4.1.conv2.weight"));
    CU_ASSERT_TRUE(equal(&parent, &child, "bn1.running_var"));
    subject_free(&parent), subject_free(&child);
}

/* Two of four bands, in another order: each filter is found by its band's name. */
static void bands_are_found_by_name(void)
{
    static const char *const two[] = {"B08", "B03"};
    subject parent = subject_new("resnet18", 8, four, 4, 1);
    subject child = subject_new("resnet18", 8, two, 2, 2);
    s2clr_adoption report;
    TEST_OK(adopt(&parent, &child, &report));
    CU_ASSERT_EQUAL(report.fresh, 0);
    CU_ASSERT_TRUE(report.bands_gathered);
    const s2clr_param *ours = s2clr_net_param_named(child.net, "conv1.weight"); // (8, 2, 7, 7)
    const s2clr_param *theirs = s2clr_net_param_named(parent.net, "conv1.weight");
    const int from[] = {3, 1};
    for (int k = 0; k < 8; k++)
        for (int c = 0; c < 2; c++)
            CU_ASSERT_EQUAL(memcmp(child.params + ours->offset + (k * 2 + c) * 49,
                                   parent.params + theirs->offset + (k * 4 + from[c]) * 49,
                                   49 * sizeof(float)),
                            0);
    CU_ASSERT_TRUE(equal(&parent, &child, "layer1.0.conv1.weight"));
    subject_free(&parent), subject_free(&child);
}

static void what_does_not_fit_is_refused(void)
{
    static const char *const other[] = {"B04", "B11"};
    subject parent = subject_new("resnet18", 8, four, 4, 1);
    subject child = subject_new("resnet18", 8, other, 2, 2);
    s2clr_adoption report = {.taken = 7};
    CU_ASSERT_EQUAL(adopt(&parent, &child, &report), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("band B11");
    TEST_ERROR_SAYS("B04,B03,B02,B08");
    subject_free(&child);
    child = subject_new("pixel", 8, four, 4, 2);
    CU_ASSERT_EQUAL(adopt(&parent, &child, &report), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("takes nothing");
    CU_ASSERT_EQUAL(report.taken, 7);
    subject_free(&parent), subject_free(&child);
}

/* ---- from a model file: weights, statistics, frozen layers ---- */

static s2clr_model *parent_model(void)
{
    char path[4096];
    s2clr_model *model = NULL;
    subject parent = subject_new("resnet18", 8, four, 4, 1);
    snprintf(path, sizeof path, "%s/parent.safetensors", test_folder());
    s2clr_net_free(parent.net);
    parent.card->arch.projections = 3;
    parent.card->arch.projection[0] = 24;
    parent.card->arch.projection[1] = 16;
    parent.card->arch.projection[2] = 8;
    parent.card->arch.outputs = 0;
    parent.card->positive[0] = parent.card->negative[0] = '\0';
    TEST_OK(s2clr_net_new(&parent.card->arch, &parent.net));
    parent.params = realloc(parent.params, s2clr_net_param_count(parent.net) * sizeof(float));
    TEST_OK(s2clr_net_init(parent.net, 1, parent.params));
    TEST_OK(s2clr_model_save(path, parent.card, parent.net, parent.params));
    subject_free(&parent);
    TEST_OK(s2clr_model_open(path, &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    return model;
}

static s2clr_card *child_card(const s2clr_model *parent, int tap)
{
    static const int hidden[] = {12};
    s2clr_card *card = textures_card("resnet18", 8, 16, 2);
    TEST_OK(s2clr_finetune_arch(&s2clr_model_card(parent)->arch, tap, 1, hidden, 1, &card->arch));
    card->bands = card->arch.channels = 4;
    for (int b = 0; b < 4; b++) snprintf(card->band[b], S2CLR_CARD_WORD, "%s", four[b]);
    return card;
}

static void begins_at_every_projection_layer(void)
{
    s2clr_model *parent = parent_model();
    for (int tap = 0; tap <= 3; tap++) {
        s2clr_card *card = child_card(parent, tap);
        s2clr_finetune start;
        TEST_OK(s2clr_finetune_begin(parent, 2, 5, card, &start));
        CU_ASSERT_EQUAL(start.adoption.fresh, 4); /* hidden.0 and fc */
        CU_ASSERT_EQUAL(start.adoption.unused, (size_t)(2 * (3 - tap)));
        CU_ASSERT_EQUAL(start.trained, 2);
        CU_ASSERT_EQUAL(start.groups, (size_t)(5 + tap + 2));
        CU_ASSERT_STRING_EQUAL(start.first_trained, "hidden.0");
        TEST_NEAR(card->mean[2], 12, 0);
        TEST_NEAR(card->std[3], 4, 0);
        CU_ASSERT_STRING_EQUAL(card->text[S2CLR_CARD_PARENT], s2clr_model_sha256(parent));
        s2clr_net *net = NULL;
        TEST_OK(s2clr_net_new(&card->arch, &net));
        const s2clr_param *fresh = s2clr_net_param_named(net, "hidden.0.weight");
        CU_ASSERT_EQUAL((size_t)fresh->node, start.frozen);
        const s2clr_param *last = s2clr_net_param_named(net, "layer4.1.conv2.weight");
        const s2clr_param *theirs =
            s2clr_net_param_named(s2clr_model_net(parent), "layer4.1.conv2.weight");
        CU_ASSERT_EQUAL(memcmp(start.initial + last->offset,
                               s2clr_model_params(parent) + theirs->offset,
                               last->count * sizeof(float)),
                        0);
        s2clr_net_free(net);
        s2clr_finetune_end(&start);
        s2clr_card_free(card);
    }
    s2clr_model_close(parent);
}

static void layers_that_learn(void)
{
    s2clr_model *parent = parent_model();
    s2clr_card *card = child_card(parent, 2);
    s2clr_finetune start = {0};
    TEST_OK(s2clr_finetune_begin(parent, 0, 5, card, &start));
    CU_ASSERT_EQUAL(start.frozen, 0);
    CU_ASSERT_EQUAL(start.trained, start.groups);
    CU_ASSERT_STRING_EQUAL(start.first_trained, "stem");
    s2clr_finetune_end(&start);
    TEST_OK(s2clr_finetune_begin(parent, 5, 5, card, &start));
    CU_ASSERT_STRING_EQUAL(start.first_trained, "layer4");
    s2clr_finetune_end(&start);
    CU_ASSERT_EQUAL(s2clr_finetune_begin(parent, 1, 5, card, &start), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("hidden.0 is not in the parent");
    TEST_ERROR_SAYS("the last 2 of 9 layers");
    CU_ASSERT_EQUAL(s2clr_finetune_begin(parent, 10, 5, card, &start), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("has 9 (stem to fc)");
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_UNIT, "reflectance"));
    snprintf(card->band[1], S2CLR_CARD_WORD, "B12");
    CU_ASSERT_EQUAL(s2clr_finetune_begin(parent, 2, 5, card, &start), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("band B12");
    s2clr_arch arch;
    CU_ASSERT_EQUAL(s2clr_finetune_arch(&s2clr_model_card(parent)->arch, 4, 0, NULL, 1, &arch),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("the parent has 3");
    s2clr_card_free(card);
    s2clr_model_close(parent);
}

static const test_case cases[] = {
    {"equal networks take all", equal_networks_take_all},
    {"another head is fresh", another_head_is_fresh},
    {"bands are found by name", bands_are_found_by_name},
    {"what does not fit is refused", what_does_not_fit_is_refused},
    {"begins at every projection layer", begins_at_every_projection_layer},
    {"layers that learn", layers_that_learn},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("adopt", cases, argc, argv);
}
