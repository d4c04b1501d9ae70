/*
 * What follows a trunk: projection head and classifier, their tensor names, groups, first values
 * and outputs, and heads that make no sense.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "net/net.h"

static s2clr_arch arch_of(const char *name)
{
    s2clr_arch arch = {.channels = 4,
                       .outputs = 2,
                       .width = 8,
                       .projections = 3,
                       .projection = {40, 24, 6},
                       .hiddens = 2,
                       .hidden = {11, 9}};
    snprintf(arch.name, sizeof arch.name, "%s", name);
    return arch;
}

static s2clr_net *make(const s2clr_arch *arch)
{
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(arch, &net));
    return net;
}

static bool is_linear(const s2clr_net *net, const char *name, int outputs, int inputs)
{
    const s2clr_param *p = s2clr_net_param_named(net, name);
    return p && p->rank == 2 && p->dims[0] == outputs && p->dims[1] == inputs;
}

/* Channels that the output's first linear layer reads: "tap" in one number. */
static void layers_have_names_and_widths(void)
{
    static const int seen[] = {64, 40, 24, 6};
    for (int tap = 0; tap <= 3; tap++) {
        s2clr_arch arch = arch_of("resnet18");
        arch.tap = tap;
        s2clr_net *net = make(&arch);
        if (!net) return;
        CU_ASSERT(is_linear(net, "projection.0.weight", 40, 64));
        CU_ASSERT(is_linear(net, "projection.1.weight", 24, 40));
        CU_ASSERT(is_linear(net, "projection.2.weight", 6, 24));
        CU_ASSERT(is_linear(net, "hidden.0.weight", 11, seen[tap]));
        CU_ASSERT(is_linear(net, "hidden.1.weight", 9, 11));
        CU_ASSERT(is_linear(net, "fc.weight", 2, 9));
        CU_ASSERT_PTR_NOT_NULL(s2clr_net_param_named(net, "projection.2.bias"));
        CU_ASSERT_EQUAL(s2clr_net_arch(net)->tap, tap);
        s2clr_shape shapes[120];
        TEST_OK(s2clr_net_shapes(net, 3, 64, 64, shapes));
        const s2clr_shape z = shapes[s2clr_net_output(net, S2CLR_OUTPUT_PROJECTION)];
        const s2clr_shape f = shapes[s2clr_net_output(net, S2CLR_OUTPUT_FEATURES)];
        CU_ASSERT(z.n == 3 && z.c == 6 && z.h == 1 && z.w == 1);
        CU_ASSERT(f.n == 3 && f.c == 64 && f.h == 1 && f.w == 1);
        /* what is compared in pretraining has no activation: half of it is below zero */
        CU_ASSERT_EQUAL(
            s2clr_net_node(net, (size_t)s2clr_net_output(net, S2CLR_OUTPUT_PROJECTION))->kind,
            S2CLR_NODE_CONV);
        s2clr_net_free(net);
    }
}

static void groups_go_from_the_input_up(void)
{
    static const char *const names[] = {
        "stem",         "layer1",       "layer2",   "layer3",   "layer4", "projection.0",
        "projection.1", "projection.2", "hidden.0", "hidden.1", "fc"};
    const s2clr_arch arch = arch_of("resnet18");
    s2clr_net *net = make(&arch);
    const s2clr_net_group *group;
    const size_t count = s2clr_net_depth_list(net, &group);
    CU_ASSERT_EQUAL_FATAL(count, 11);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_STRING_EQUAL(group[i].name, names[i]);
        CU_ASSERT(i == 0 ? group[i].first_node == 0
                         : group[i].first_node > group[i - 1].first_node);
    }
    const s2clr_param *w = s2clr_net_param_named(net, "layer3.0.conv1.weight");
    CU_ASSERT_EQUAL((size_t)w->node, group[3].first_node);
    s2clr_net_free(net);
}

/* Every architecture of the table is in groups that start with its input and end with its head. */
static void every_architecture_has_groups(void)
{
    const s2clr_arch_entry *entries;
    const size_t count = s2clr_arch_list(&entries);
    for (size_t i = 0; i < count; i++) {
        s2clr_arch arch = arch_of(entries[i].name);
        s2clr_net *net = make(&arch);
        const s2clr_net_group *group;
        const size_t groups = net ? s2clr_net_depth_list(net, &group) : 0;
        CU_ASSERT(groups > 6);
        if (groups > 6) {
            CU_ASSERT_EQUAL(group[0].first_node, 0);
            CU_ASSERT_STRING_EQUAL(group[groups - 3].name, "hidden.0");
            CU_ASSERT_STRING_EQUAL(group[groups - 6].name, "projection.0");
            CU_ASSERT_EQUAL((int)group[groups - 1].first_node,
                            s2clr_net_output(net, S2CLR_OUTPUT_LOGITS));
        }
        s2clr_net_free(net);
    }
}

static void an_encoder_has_no_classifier(void)
{
    static const char *const names[] = {"resnet18", "dense", "pixel"};
    for (int i = 0; i < 3; i++) {
        s2clr_arch arch = arch_of(names[i]);
        arch.outputs = arch.hiddens = 0;
        s2clr_net *net = make(&arch);
        if (!net) return;
        CU_ASSERT_EQUAL(s2clr_net_output(net, S2CLR_OUTPUT_LOGITS), -1);
        CU_ASSERT_EQUAL(s2clr_net_output(net, S2CLR_OUTPUT_LOCAL), -1);
        CU_ASSERT(s2clr_net_output(net, S2CLR_OUTPUT_FEATURES) >= 0);
        CU_ASSERT(s2clr_net_output(net, S2CLR_OUTPUT_PROJECTION) >= 0);
        CU_ASSERT_EQUAL(s2clr_net_output(net, S2CLR_OUTPUT_LOCAL_FEATURES) >= 0, i > 0);
        CU_ASSERT_PTR_NULL(s2clr_net_param_named(net, "fc.weight"));
        CU_ASSERT_PTR_NULL(s2clr_net_param_named(net, "local.weight"));
        s2clr_net_free(net);
    }
}

/* Local logits as long as the mean of linear classifiers is the classifier of the mean. */
static void dense_is_local_while_its_head_is_linear(void)
{
    for (int tap = 0; tap <= 1; tap++)
        for (int hiddens = 0; hiddens <= 1; hiddens++) {
            s2clr_arch arch = arch_of("dense");
            arch.tap = tap, arch.hiddens = hiddens;
            s2clr_net *net = make(&arch);
            if (!net) return;
            const bool local = tap == 0 && hiddens == 0;
            CU_ASSERT_EQUAL(s2clr_net_output(net, S2CLR_OUTPUT_LOCAL) >= 0, local);
            CU_ASSERT_EQUAL(s2clr_net_step(net) > 0, local);
            CU_ASSERT_EQUAL(s2clr_net_param_named(net, "local.weight") != NULL, local);
            CU_ASSERT_EQUAL(s2clr_net_param_named(net, "fc.weight") != NULL, !local);
            s2clr_net_free(net);
        }
}

static double deviation(const float *x, size_t count)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++) squares += (double)x[i] * (double)x[i];
    return sqrt(squares / (double)count);
}

/* sqrt(2 / fan-in) in front of an activation, biases 0; the classifier within 1 / sqrt(fan-in). */
static void first_values(void)
{
    s2clr_arch arch = arch_of("resnet18");
    arch.projection[0] = 400, arch.projection[1] = 300;
    s2clr_net *net = make(&arch);
    float *params = NULL;
    if (!net) return;
    TEST_OK(s2clr_alloc(s2clr_net_param_count(net), sizeof *params, "test", (void **)&params));
    TEST_OK(s2clr_net_init(net, 3, params));
    const s2clr_param *w = s2clr_net_param_named(net, "projection.1.weight"),
                      *b = s2clr_net_param_named(net, "projection.1.bias");
    const s2clr_param *fc = s2clr_net_param_named(net, "fc.weight"),
                      *fc_bias = s2clr_net_param_named(net, "fc.bias");
    TEST_NEAR(deviation(params + w->offset, w->count), sqrt(2.0 / 400), 0.01 * sqrt(2.0 / 400));
    TEST_NEAR(deviation(params + b->offset, b->count), 0, 0);
    CU_ASSERT(deviation(params + fc_bias->offset, fc_bias->count) > 0);
    for (size_t i = 0; i < fc->count; i++) CU_ASSERT(fabsf(params[fc->offset + i]) <= 1 / sqrtf(9));
    s2clr_free(params);
    s2clr_net_free(net);
}

static void refused(s2clr_arch arch, const char *text)
{
    s2clr_net *net = NULL;
    CU_ASSERT_EQUAL(s2clr_net_new(&arch, &net), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS(text);
    CU_ASSERT_PTR_NULL(net);
}

static void bad_heads_are_refused(void)
{
    s2clr_arch arch = arch_of("resnet18");
    arch.projections = 5;
    refused(arch, "number of projection layers is 5");
    arch = arch_of("resnet18"), arch.projection[1] = 0;
    refused(arch, "width of a projection layer is 0");
    arch = arch_of("resnet18"), arch.tap = 4;
    refused(arch, "tap (a projection layer) is 4");
    arch = arch_of("resnet18"), arch.hidden[0] = -1;
    refused(arch, "width of a hidden layer is -1");
    arch = arch_of("resnet18"), arch.outputs = 0;
    refused(arch, "outputs is 0");
    arch = arch_of("resnet18"), arch.outputs = -1;
    refused(arch, "outputs is -1");
}

static const test_case cases[] = {
    {"layers_have_names_and_widths", layers_have_names_and_widths},
    {"groups_go_from_the_input_up", groups_go_from_the_input_up},
    {"every_architecture_has_groups", every_architecture_has_groups},
    {"an_encoder_has_no_classifier", an_encoder_has_no_classifier},
    {"dense_is_local_while_its_head_is_linear", dense_is_local_while_its_head_is_linear},
    {"first_values", first_values},
    {"bad_heads_are_refused", bad_heads_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("head", cases, argc, argv);
}
