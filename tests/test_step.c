/*
 * Training steps on a network that has every kind of node and a projection head: gradients against
 * differences of the loss, frozen layers against what the definition says, replays, sizes.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "net/infer.h"
#include "net/pnet.h"
#include "net/step.h"

enum { BANDS = 3, SIDE = 12, BATCH = 4, IN = BATCH * BANDS * SIDE * SIDE };

/* Two branches of a depthwise and a rectangular convolution, joined twice, with a pool of each
 * kind, an activation that stands alone and a shortcut. */
static s2clr_status branches(s2clr_net *net)
{
    static const s2clr_window stem = {3, 3, 1, 0, 0, 1, 2}, wide = {1, 5, 1, 0, 2, 0, 2};
    static const s2clr_window square = {3, 3, 1, 1, 1, 1, 1}, half = {2, 2, 2, 0, 0, 1, 1};
    s2clr_net_begin_group(net, "stem");
    int x = s2clr_net_input(net);
    x = s2clr_net_conv_window(net, x, "stem", 6, &stem, 3, true);
    net->epsilon = S2CLR_EPSILON_KERAS;
    x = s2clr_net_batchnorm(net, x, "stem_bn", true);
    s2clr_net_begin_group(net, "branches");
    int a = s2clr_net_relu(net, s2clr_net_conv_window(net, x, "depth", 6, &square, 6, false));
    a = s2clr_net_batchnorm(net, s2clr_net_conv(net, a, "point", 5, 1, 1, 0, false), "a_bn", false);
    int b = s2clr_net_conv_window(net, x, "wide", 4, &wide, 1, false);
    b = s2clr_net_relu(net, s2clr_net_batchnorm(net, b, "b_bn", false));
    const int mean = s2clr_net_avgpool(net, x, &square, net->arch.depth == 2);
    x = s2clr_net_concat(net, s2clr_net_concat(net, a, b), mean);
    x = s2clr_net_relu(net, x);
    s2clr_net_begin_group(net, "last");
    x = s2clr_net_maxpool_window(net, x, &half);
    a = s2clr_net_conv(net, x, "last", 15, 3, 1, 1, true);
    x = s2clr_net_relu(net, s2clr_net_add(net, a, x, false));
    s2clr_net_classifier(net, s2clr_net_meanpool(net, x), "fc");
    return net->status;
}

static const s2clr_arch_entry entry = {"branches", "for this test", 1, 1, branches};

static s2clr_net *make(int depth, int tap, int outputs)
{
    const s2clr_arch arch = {.name = "branches",
                             .channels = BANDS,
                             .outputs = outputs,
                             .depth = depth,
                             .projections = 2,
                             .projection = {7, 4},
                             .tap = tap,
                             .hiddens = outputs ? 1 : 0,
                             .hidden = {5}};
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_assemble(&arch, &entry, &net));
    return net;
}

/* ---- a network, its numbers and a place to compute ---- */

typedef struct rig {
    s2clr_net *net;
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_pool *pool;
    size_t all, trainable;
    float *params, *dparams, *x;
} rig;

static float *numbers(size_t count, uint64_t stream)
{
    float *v = NULL;
    TEST_OK(s2clr_alloc(count, sizeof *v, "test", (void **)&v));
    for (size_t i = 0; i < count; i++) v[i] = 2.0f * s2clr_random_uniform(3, stream, i) - 1.0f;
    return v;
}

/* Statistics, gains and biases that are not the identity. */
static void stir(const s2clr_net *net, float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < list[i].count; j++) {
            const float u = s2clr_random_uniform(6, i, j);
            float *const p = params + list[i].offset + j;
            if (list[i].role == S2CLR_PARAM_GAMMA || list[i].role == S2CLR_PARAM_RUNNING_VAR)
                *p = 0.5f + u;
            else if (list[i].role != S2CLR_PARAM_WEIGHT)
                *p = 0.4f * (u - 0.5f);
        }
}

static rig open_rig(const char *backend, s2clr_net *net)
{
    rig r = {.net = net};
    TEST_OK(s2clr_backend_find(backend, &r.backend));
    TEST_OK(r.backend->device_open("", S2CLR_F32, &r.device));
    TEST_OK(s2clr_pool_new(2, &r.pool));
    r.all = s2clr_net_param_count(net);
    r.trainable = s2clr_net_trainable_count(net);
    r.params = numbers(r.all, 1);
    TEST_OK(s2clr_net_init(net, 5, r.params));
    stir(net, r.params);
    r.dparams = numbers(r.trainable, 2);
    r.x = numbers(IN, 3);
    return r;
}

static void close_rig(rig *r)
{
    s2clr_free(r->params);
    s2clr_free(r->dparams);
    s2clr_free(r->x);
    s2clr_pool_free(r->pool);
    r->backend->device_close(r->device);
    s2clr_net_free(r->net);
}

static s2clr_step_options options_of(s2clr_output output, size_t frozen)
{
    return (s2clr_step_options){
        .output = output, .batch = BATCH, .micro = 2, .h = SIDE, .w = SIDE, .frozen = frozen};
}

static s2clr_step *new_step(const rig *r, s2clr_output output, size_t frozen)
{
    s2clr_step *step = NULL;
    const s2clr_step_options options = options_of(output, frozen);
    TEST_OK(s2clr_step_new(r->net, r->backend, r->device, r->pool, &options, &step));
    return step;
}

/* Values per patch, and a fixed gradient for them. */
static size_t width_of(const s2clr_net *net, s2clr_output output)
{
    return (size_t)s2clr_net_node(net, (size_t)s2clr_net_output(net, output))->channels;
}

static double loss_of(const float *out, const float *dout, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)out[i] * (double)dout[i];
    return sum;
}

/* ---- gradients ---- */

/* (L(params + h direction) - L(params - h direction)) / 2h, for one parameter. */
static double difference(const rig *r, s2clr_step *step, const s2clr_param *p,
                         const float *direction, double h, const float *dout, size_t count)
{
    float *moved = numbers(r->all, 10), *out = numbers(count, 9);
    double side[2];
    for (int s = 0; s < 2; s++) {
        memcpy(moved, r->params, r->all * sizeof *moved);
        for (size_t j = p->offset; j < p->offset + p->count; j++)
            moved[j] += (float)(s ? -h : h) * direction[j];
        TEST_OK(s2clr_step_replay(step, moved, r->x, out));
        side[s] = loss_of(out, dout, count);
    }
    s2clr_free(moved);
    s2clr_free(out);
    return (side[0] - side[1]) / (2 * h);
}

/* The gradient along a random direction against differences. Wide ones meet kinks of the
 * activations, narrow ones the rounding of float: the best of several must agree. */
static void check_slope(const rig *r, s2clr_step *step, const s2clr_param *p, bool frozen,
                        const float *direction, const float *dout, size_t count)
{
    static const double widths[] = {1e-3, 3e-4, 1e-4, 3e-5};
    double slope = 0, best = INFINITY;
    for (size_t j = p->offset; j < p->offset + p->count; j++)
        slope += (double)r->dparams[j] * (double)direction[j];
    if (frozen) {
        CU_ASSERT_EQUAL(slope, 0.0);
        return;
    }
    for (size_t i = 0; i < 4 && fabs(best - slope) > 0.01 * fabs(slope) + 1e-3; i++) {
        const double found = difference(r, step, p, direction, widths[i], dout, count);
        if (!(fabs(found - slope) > fabs(best - slope))) best = found;
    }
    if (!(fabs(best - slope) <= 0.01 * fabs(slope) + 1e-3))
        printf("  %s: slope %.5g, differences say %.5g\n", p->name, slope, best);
    TEST_NEAR(best, slope, 0.01 * fabs(slope) + 1e-3);
}

static void check_slopes(const rig *r, s2clr_output output, size_t frozen)
{
    s2clr_step *step = new_step(r, output, frozen);
    const size_t count = BATCH * width_of(r->net, output);
    float *dout = numbers(count, 8), *out = numbers(count, 9);
    float *direction = numbers(r->trainable, 11);
    const s2clr_param *list;
    const size_t params = s2clr_net_param_list(r->net, &list);
    TEST_OK(s2clr_step_replay(step, r->params, r->x, out));
    TEST_OK(s2clr_step_backward(step, r->params, dout, r->dparams));
    for (size_t i = 0; i < params && list[i].offset < r->trainable; i++)
        check_slope(r, step, &list[i], (size_t)list[i].node < frozen, direction, dout, count);
    s2clr_step_free(step);
    s2clr_free(direction);
    s2clr_free(dout);
    s2clr_free(out);
}

static void gradients_are_slopes(void)
{
    for (int tap = 0; tap <= 2; tap++) {
        rig r = open_rig("portable", make(1 + tap % 2, tap, 3));
        check_slopes(&r, S2CLR_OUTPUT_LOGITS, 0);
        check_slopes(&r, S2CLR_OUTPUT_PROJECTION, 0);
        check_slopes(&r, S2CLR_OUTPUT_FEATURES, 0);
        close_rig(&r);
    }
}

/* First node of each group. */
static void gradients_above_frozen_layers_are_slopes(void)
{
    rig r = open_rig("portable", make(2, 1, 2));
    const s2clr_net_group *group;
    const size_t groups = s2clr_net_depth_list(r.net, &group);
    CU_ASSERT_EQUAL(groups, 7);
    CU_ASSERT_STRING_EQUAL(group[0].name, "stem");
    CU_ASSERT_EQUAL(group[0].first_node, 0);
    CU_ASSERT_STRING_EQUAL(group[3].name, "projection.0");
    CU_ASSERT_STRING_EQUAL(group[5].name, "hidden.0");
    CU_ASSERT_STRING_EQUAL(group[6].name, "fc");
    for (size_t g = 1; g < groups; g++) check_slopes(&r, S2CLR_OUTPUT_LOGITS, group[g].first_node);
    close_rig(&r);
}

/* The whole trunk frozen: the projection's gradient by hand from the plan's features. */
static void frozen_trunk_equals_a_linear_layer(void)
{
    rig r = open_rig("portable", make(1, 0, 0));
    const s2clr_param *list;
    s2clr_net_param_list(r.net, &list);
    const int first = s2clr_net_output(r.net, S2CLR_OUTPUT_FEATURES) + 1;
    const s2clr_param *w = &list[s2clr_net_param_of(r.net, first, S2CLR_PARAM_WEIGHT)];
    const size_t f = width_of(r.net, S2CLR_OUTPUT_FEATURES);
    const size_t last = (size_t)s2clr_net_output(r.net, S2CLR_OUTPUT_PROJECTION);
    const s2clr_param *end = &list[s2clr_net_param_of(r.net, (int)last, S2CLR_PARAM_WEIGHT)];
    float *features = numbers(BATCH * f, 4), z[BATCH * 4], dz[BATCH * 4], h[BATCH][7];
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    TEST_OK(s2clr_plan_new(r.net, r.params, r.backend, r.device, S2CLR_OUTPUT_FEATURES, BATCH, SIDE,
                           SIDE, &plan));
    TEST_OK(s2clr_session_new(plan, &session));
    TEST_OK(s2clr_session_run(session, r.x, features));
    s2clr_step *step = new_step(&r, S2CLR_OUTPUT_PROJECTION, (size_t)first);
    float *before = numbers(r.all, 5);
    memcpy(before, r.params, r.all * sizeof *before);
    for (int i = 0; i < BATCH * 4; i++) dz[i] = 0.1f * (float)(i % 5 - 2);
    TEST_OK(s2clr_step_forward(step, r.params, r.x, z));
    CU_ASSERT_EQUAL(memcmp(before, r.params, r.all * sizeof *before), 0);
    TEST_OK(s2clr_step_backward(step, r.params, dz, r.dparams));
    for (int n = 0; n < BATCH; n++) {
        for (int k = 0; k < 7; k++) {
            double sum = (double)r.params[w->offset + 7 * f + (size_t)k]; /* the bias comes next */
            for (size_t c = 0; c < f; c++)
                sum += (double)r.params[w->offset + (size_t)k * f + c] *
                       (double)features[(size_t)n * f + c];
            h[n][k] = (float)fmax(sum, 0);
        }
        for (int k = 0; k < 4; k++) {
            double sum = (double)r.params[end->offset + 28 + (size_t)k];
            for (int c = 0; c < 7; c++)
                sum += (double)r.params[end->offset + (size_t)(7 * k + c)] * (double)h[n][c];
            TEST_NEAR(z[4 * n + k], sum, 1e-5);
        }
    }
    for (int k = 0; k < 4; k++)
        for (int c = 0; c < 7; c++) {
            double sum = 0;
            for (int n = 0; n < BATCH; n++) sum += (double)dz[4 * n + k] * (double)h[n][c];
            TEST_NEAR(r.dparams[end->offset + (size_t)(7 * k + c)], sum, 1e-5);
        }
    for (size_t i = 0; i < w->offset; i++) CU_ASSERT_EQUAL(r.dparams[i], 0.0f);
    s2clr_free(before);
    s2clr_free(features);
    s2clr_step_free(step);
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    close_rig(&r);
}

/* ---- backends ---- */

/* A plan fuses and folds; a step frozen up to its last layer computes node by node with the same
 * running statistics. */
static void plans_equal_frozen_steps(void)
{
    static const char *const names[] = {"portable", "auto"};
    for (int i = 0; i < 2; i++) {
        rig r = open_rig(names[i], make(1 + i, 2, 3));
        const int last = s2clr_net_output(r.net, S2CLR_OUTPUT_LOGITS);
        s2clr_step *step = new_step(&r, S2CLR_OUTPUT_LOGITS, (size_t)last);
        float got[BATCH * 3], wanted[BATCH * 3];
        s2clr_plan *plan = NULL;
        s2clr_session *session = NULL;
        TEST_OK(s2clr_plan_new(r.net, r.params, r.backend, r.device, S2CLR_OUTPUT_LOGITS, BATCH,
                               SIDE, SIDE, &plan));
        TEST_OK(s2clr_session_new(plan, &session));
        TEST_OK(s2clr_session_run(session, r.x, got));
        TEST_OK(s2clr_step_replay(step, r.params, r.x, wanted));
        for (int k = 0; k < BATCH * 3; k++) TEST_NEAR(got[k], wanted[k], 2e-5);
        size_t ops = 0;
        while (s2clr_plan_kernel(plan, ops)) ops++;
        CU_ASSERT_EQUAL(ops, 15); /* 9 convolutions, 2 concat, 1 relu, 3 pools, of 26 nodes */
        s2clr_step_free(step);
        s2clr_session_free(session);
        s2clr_plan_free(plan);
        close_rig(&r);
    }
}

static void backends_agree(void)
{
    rig r[2] = {open_rig("portable", make(2, 1, 3)), open_rig("auto", make(2, 1, 3))};
    float out[2][BATCH * 3], dout[BATCH * 3];
    for (int i = 0; i < BATCH * 3; i++) dout[i] = 0.1f * (float)(i - 5);
    for (int i = 0; i < 2; i++) {
        s2clr_step *step = new_step(&r[i], S2CLR_OUTPUT_LOGITS, 4);
        TEST_OK(s2clr_step_forward(step, r[i].params, r[i].x, out[i]));
        TEST_OK(s2clr_step_backward(step, r[i].params, dout, r[i].dparams));
        s2clr_step_free(step);
    }
    for (int i = 0; i < BATCH * 3; i++) TEST_NEAR(out[0][i], out[1][i], 1e-4);
    for (size_t i = 0; i < r[0].trainable; i++)
        TEST_NEAR(r[0].dparams[i], r[1].dparams[i], 1e-3 * (1 + fabs((double)r[0].dparams[i])));
    for (size_t i = 0; i < r[0].all; i++) TEST_NEAR(r[0].params[i], r[1].params[i], 1e-4);
    for (int i = 0; i < 2; i++) close_rig(&r[i]);
}

/* ---- replays, sizes, options ---- */

static void replays_leave_statistics_alone(void)
{
    rig r = open_rig("auto", make(1, 0, 2));
    s2clr_step *step = new_step(&r, S2CLR_OUTPUT_LOGITS, 0);
    float first[BATCH * 2], second[BATCH * 2], *before = numbers(r.all, 5);
    memcpy(before, r.params, r.all * sizeof *before);
    TEST_OK(s2clr_step_replay(step, r.params, r.x, first));
    CU_ASSERT_EQUAL(memcmp(before, r.params, r.all * sizeof *before), 0);
    TEST_OK(s2clr_step_forward(step, r.params, r.x, second));
    CU_ASSERT_EQUAL(memcmp(first, second, sizeof first), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(before + r.trainable, r.params + r.trainable,
                               (r.all - r.trainable) * sizeof *before),
                        0);
    CU_ASSERT_EQUAL(memcmp(before, r.params, r.trainable * sizeof *before), 0);
    s2clr_free(before);
    s2clr_step_free(step);
    close_rig(&r);
}

static void needs_are_what_a_step_holds(void)
{
    rig r = open_rig("auto", make(1, 0, 2));
    size_t whole = 0;
    for (size_t frozen = 0; frozen < 12; frozen += 4) {
        s2clr_step *step = new_step(&r, S2CLR_OUTPUT_LOGITS, frozen);
        const s2clr_step_options options = options_of(S2CLR_OUTPUT_LOGITS, frozen);
        size_t bytes = 0, buffers = 0;
        TEST_OK(s2clr_step_needs(r.net, r.backend, r.device, 2, &options, &bytes, &buffers));
        CU_ASSERT_EQUAL(bytes, s2clr_step_bytes(step));
        CU_ASSERT_TRUE(buffers > bytes / 4 && buffers < bytes);
        if (frozen == 0) whole = bytes;
        CU_ASSERT(frozen == 0 || bytes < whole);
        s2clr_step_free(step);
    }
    close_rig(&r);
}

static void bad_options_are_refused(void)
{
    rig r = open_rig("portable", make(1, 0, 0));
    s2clr_step *step = NULL;
    s2clr_step_options o = options_of(S2CLR_OUTPUT_LOGITS, 0);
    CU_ASSERT_EQUAL(s2clr_step_new(r.net, r.backend, r.device, r.pool, &o, &step),
                    S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("has no logits");
    o = options_of(S2CLR_OUTPUT_LOCAL, 0);
    CU_ASSERT_EQUAL(s2clr_step_new(r.net, r.backend, r.device, r.pool, &o, &step),
                    S2CLR_ERR_ARGUMENT);
    o = options_of(S2CLR_OUTPUT_PROJECTION, 1000);
    CU_ASSERT_EQUAL(s2clr_step_new(r.net, r.backend, r.device, r.pool, &o, &step),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("1000 frozen");
    o = options_of(S2CLR_OUTPUT_PROJECTION, 0);
    o.micro = 3;
    CU_ASSERT_EQUAL(s2clr_step_new(r.net, r.backend, r.device, r.pool, &o, &step),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("micro-batches of 3");
    CU_ASSERT_PTR_NULL(step);
    close_rig(&r);
}

static const test_case cases[] = {
    {"gradients_are_slopes", gradients_are_slopes},
    {"gradients_above_frozen_layers_are_slopes", gradients_above_frozen_layers_are_slopes},
    {"frozen_trunk_equals_a_linear_layer", frozen_trunk_equals_a_linear_layer},
    {"plans_equal_frozen_steps", plans_equal_frozen_steps},
    {"backends_agree", backends_agree},
    {"replays_leave_statistics_alone", replays_leave_statistics_alone},
    {"needs_are_what_a_step_holds", needs_are_what_a_step_holds},
    {"bad_options_are_refused", bad_options_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("step", cases, argc, argv);
}
