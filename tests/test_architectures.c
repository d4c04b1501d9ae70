/*
 * Every line of the table of architectures: what it can be built for, what fits it, and that plans,
 * steps and backends mean the same function. Values are compared with PyTorch in test_golden.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "base/memory.h"
#include "base/philox.h"
#include "harness.h"
#include "net/infer.h"
#include "net/net.h"
#include "net/step.h"

static s2clr_net *make(const char *name, int channels, int outputs, int width)
{
    s2clr_arch arch = {.channels = channels, .outputs = outputs, .width = width};
    s2clr_net *net = NULL;
    snprintf(arch.name, sizeof arch.name, "%s", name);
    TEST_OK(s2clr_net_new(&arch, &net));
    return net;
}

static size_t repeated_names(const s2clr_net *net)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    size_t repeated = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) repeated += strcmp(list[i].name, list[j].name) == 0;
    return repeated;
}

static void check_build(const char *name, int bands, int outputs)
{
    s2clr_net *net = make(name, bands, outputs, 0);
    if (!net) return;
    const s2clr_param *list;
    const s2clr_net_group *group;
    const size_t groups = s2clr_net_depth_list(net, &group);
    s2clr_shape shapes[s2clr_net_node_count(net)];
    CU_ASSERT(s2clr_net_param_list(net, &list) > 0);
    CU_ASSERT_EQUAL(list[0].dims[1], bands);
    CU_ASSERT_EQUAL(repeated_names(net), 0);
    TEST_OK(s2clr_net_shapes(net, 2, 120, 120, shapes));
    const s2clr_shape z = shapes[s2clr_net_output(net, S2CLR_OUTPUT_LOGITS)];
    CU_ASSERT(z.n == 2 && z.c == outputs && z.h == 1 && z.w == 1);
    CU_ASSERT(groups >= 3 && group[0].first_node == 0);
    for (size_t i = 1; i < groups; i++) CU_ASSERT(group[i].first_node > group[i - 1].first_node);
    s2clr_net_free(net);
}

static void all_build_at_any_number_of_bands(void)
{
    static const int bands[] = {3, 10, 12, 13};
    const s2clr_arch_entry *list;
    const size_t count = s2clr_arch_list(&list);
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < 4; b++) {
            check_build(list[a].name, bands[b], 1);
            check_build(list[a].name, bands[b], 10);
        }
}

/* Numbers of parameters of the same trunks at 3 bands as torchvision, timm and Keras document them
 * for 1000 classes, less their classifiers of 2049 values per class. */
static void trunks_have_the_published_sizes(void)
{
    static const struct {
        const char *name;
        size_t published;
    } expected[] = {{"resnet50", 25557032},
                    {"resnetv2-101", 44541480},
                    {"xception", 22855952},
                    {"inceptionv3", 23834568}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        s2clr_net *net = make(expected[i].name, 3, 1000, 0);
        if (!net) return;
        CU_ASSERT_EQUAL(s2clr_net_trainable_count(net), expected[i].published);
        s2clr_net_free(net);
    }
}

static void small_patches_are_refused(void)
{
    static const struct {
        const char *name, *says;
        int side;
    } least[] = {{"inceptionv3", "at least 75 x 75", 75},
                 {"inceptionv3-keras", "at least 75 x 75", 75},
                 {"xception", "at least 7 x 7", 7}};
    for (size_t i = 0; i < sizeof least / sizeof least[0]; i++) {
        const int side = least[i].side;
        s2clr_net *net = make(least[i].name, 12, 1, 0);
        if (!net) return;
        s2clr_shape shapes[s2clr_net_node_count(net)];
        TEST_OK(s2clr_net_shapes(net, 1, side, side, shapes));
        CU_ASSERT_EQUAL(s2clr_net_shapes(net, 1, side, side - 1, shapes), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(least[i].says);
        s2clr_net_free(net);
    }
}

/* TensorFlow's rule by its definition: ceil(size / stride) windows, the odd pixel behind. */
static void same_padding_follows_the_map(void)
{
    s2clr_net *net = make("xception-keras", 12, 1, 0);
    if (!net) return;
    s2clr_shape shapes[s2clr_net_node_count(net)];
    int even = 0, odd = 0;
    TEST_OK(s2clr_net_shapes(net, 1, 120, 110, shapes));
    for (size_t i = 0; i < s2clr_net_node_count(net); i++) {
        const s2clr_node *node = s2clr_net_node(net, i);
        if (!node->same) continue;
        const s2clr_shape x = shapes[node->input[0]];
        const s2clr_window window = s2clr_node_window(node, x);
        CU_ASSERT_EQUAL(shapes[i].h, (x.h + 1) / 2);
        CU_ASSERT_EQUAL(shapes[i].w, (x.w + 1) / 2);
        CU_ASSERT(window.bottom == 1 && window.top == x.h % 2);
        CU_ASSERT(window.right == 1 && window.left == x.w % 2);
        *(x.h % 2 ? &odd : &even) += 1;
    }
    CU_ASSERT(even > 0 && odd > 0);
    s2clr_net_free(net);
}

/* ---- the same function everywhere, in small ---- */

enum { BATCH = 4, BANDS = 5, WIDTH = 4, SIDE = 75 };

static float *floats(size_t count)
{
    float *x = NULL;
    TEST_OK(s2clr_alloc(count, sizeof *x, "test", (void **)&x));
    return x;
}

static float *random_input(void)
{
    float *x = floats(BATCH * BANDS * SIDE * SIDE);
    for (size_t i = 0; x && i < BATCH * BANDS * SIDE * SIDE; i++)
        x[i] = 2.0f * s2clr_random_uniform(7, 1, i) - 1.0f;
    return x;
}

/* Batch norms whose statistics matter, and whose outputs stay away from the kink of ReLU as soon as
 * they are those of the batch. */
static float *random_params(const s2clr_net *net)
{
    float *params = floats(s2clr_net_param_count(net));
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    TEST_OK(s2clr_net_init(net, 5, params));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < list[i].count; j++) {
            const float u = s2clr_random_uniform(6, i, j);
            float *value = &params[list[i].offset + j];
            if (list[i].role == S2CLR_PARAM_GAMMA) *value = (0.5f + u) / 4;
            if (list[i].role == S2CLR_PARAM_BETA) *value = 1.4f + 0.2f * u;
            if (list[i].role == S2CLR_PARAM_RUNNING_VAR) *value = 0.5f + u;
            if (list[i].role == S2CLR_PARAM_RUNNING_MEAN || list[i].role == S2CLR_PARAM_BIAS)
                *value = 0.4f * (u - 0.5f);
        }
    return params;
}

typedef struct result {
    float frozen[BATCH]; /* step whose batch norms use the running statistics */
    float plan[BATCH];
    float logits[BATCH]; /* training step, and its gradients */
    float *gradient;
} result;

static void run_plan(const s2clr_net *net, const s2clr_backend *be, s2clr_device *device,
                     const float *params, const float *x, float *y)
{
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    TEST_OK(s2clr_plan_new(net, params, be, device, S2CLR_OUTPUT_LOGITS, BATCH, SIDE, SIDE, &plan));
    TEST_OK(s2clr_session_new(plan, &session));
    if (session) TEST_OK(s2clr_session_run(session, x, y));
    s2clr_session_free(session);
    s2clr_plan_free(plan);
}

/* gradient: NULL for a step that is frozen but for its classifier. */
static void run_step(const s2clr_net *net, const s2clr_backend *be, s2clr_device *device,
                     float *params, const float *x, float *y, float *gradient)
{
    static const float dlogits[BATCH] = {0.3f, -0.2f, 0.1f, 0.4f};
    const s2clr_step_options options = {.batch = BATCH,
                                        .micro = BATCH / 2,
                                        .h = SIDE,
                                        .w = SIDE,
                                        .frozen = gradient ? 0 : s2clr_net_node_count(net) - 1};
    s2clr_pool *pool = NULL;
    s2clr_step *step = NULL;
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_step_new(net, be, device, pool, &options, &step));
    if (step) TEST_OK(s2clr_step_forward(step, params, x, y));
    if (step && gradient) TEST_OK(s2clr_step_backward(step, params, dlogits, gradient));
    s2clr_step_free(step);
    s2clr_pool_free(pool);
}

static result run(const s2clr_net *net, const s2clr_backend *be)
{
    result r = {.gradient = floats(s2clr_net_trainable_count(net))};
    float *x = random_input(), *params = random_params(net);
    s2clr_device *device = NULL;
    TEST_OK(be->device_open("", S2CLR_F32, &device));
    run_plan(net, be, device, params, x, r.plan);
    run_step(net, be, device, params, x, r.frozen, NULL);
    run_step(net, be, device, params, x, r.logits, r.gradient);
    be->device_close(device);
    s2clr_free(params);
    s2clr_free(x);
    return r;
}

static double difference(const float *a, const float *b, size_t count)
{
    double sum = 0, norm = 0;
    for (size_t i = 0; i < count; i++) {
        const double d = (double)a[i] - (double)b[i];
        sum += d * d;
        norm += (double)b[i] * (double)b[i];
    }
    CU_ASSERT(norm > 0);
    return sqrt(sum / norm);
}

static void check_function(const char *name)
{
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    const s2clr_backend *portable = NULL;
    s2clr_net *net = make(name, BANDS, 1, WIDTH);
    TEST_OK(s2clr_backend_find("portable", &portable));
    if (!net || !portable) return;
    const size_t trainable = s2clr_net_trainable_count(net);
    result want = run(net, portable);
    test_near(difference(want.plan, want.frozen, BATCH), 0, 1e-5, name, __FILE__, __LINE__);
    for (size_t b = 0; b < count; b++) {
        if (!list[b].backend || list[b].backend == portable) continue;
        result r = run(net, list[b].backend);
        test_near(difference(r.plan, want.plan, BATCH), 0, 1e-4, name, __FILE__, __LINE__);
        test_near(difference(r.frozen, want.plan, BATCH), 0, 1e-4, name, __FILE__, __LINE__);
        test_near(difference(r.logits, want.logits, BATCH), 0, 1e-4, name, __FILE__, __LINE__);
        test_near(difference(r.gradient, want.gradient, trainable), 0, 1e-3, name, __FILE__,
                  __LINE__);
        s2clr_free(r.gradient);
    }
    s2clr_free(want.gradient);
    s2clr_net_free(net);
}

/* Folded and fused inference equals the training step's forward with frozen batch norms, which
 * fuses nothing; all backends agree with the portable one, in gradients too. */
static void plans_steps_and_backends_agree(void)
{
    /* One per structure: the others differ in depth only, and test_net.c has resnet18 and dense. */
    static const char *const names[] = {"resnet50-keras",   "resnetv2-101",   "resnet101v2",
                                        "xception",         "xception-keras", "inceptionv3",
                                        "inceptionv3-keras"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) check_function(names[i]);
}

static const test_case cases[] = {
    {"all_build_at_any_number_of_bands", all_build_at_any_number_of_bands},
    {"trunks_have_the_published_sizes", trunks_have_the_published_sizes},
    {"small_patches_are_refused", small_patches_are_refused},
    {"same_padding_follows_the_map", same_padding_follows_the_map},
    {"plans_steps_and_backends_agree", plans_steps_and_backends_agree},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("architectures", cases, argc, argv);
}
