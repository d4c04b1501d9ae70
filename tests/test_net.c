/*
 * Networks as graphs: shapes, names, the arena, folding, and plans against the slow way.
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
#include "net/pfuse.h"
#include "net/step.h"

static s2clr_net *make(const char *name, int channels, int width, int depth)
{
    s2clr_arch arch = {.channels = channels, .outputs = 1, .width = width, .depth = depth};
    snprintf(arch.name, sizeof arch.name, "%s", name);
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&arch, &net));
    return net;
}

/* Numbers of parameters as torchvision's documentation gives them for 3 bands and 1000 classes,
 * less the head: 11,689,512 - 513,000; 25,557,032 - 2,049,000; 60,192,808 - 2,049,000. */
static void resnets_have_torchvisions_parameters(void)
{
    static const struct {
        const char *name;
        size_t trunk, features;
    } expected[] = {
        {"resnet18", 11176512, 512}, {"resnet50", 23508032, 2048}, {"resnet152", 58143808, 2048}};
    for (size_t i = 0; i < 3; i++) {
        s2clr_net *net = make(expected[i].name, 3, 0, 0);
        if (!net) return;
        CU_ASSERT_EQUAL(s2clr_net_trainable_count(net),
                        expected[i].trunk + expected[i].features + 1);
        const s2clr_param *list;
        const size_t count = s2clr_net_param_list(net, &list);
        bool found = false;
        for (size_t k = 0; k < count; k++)
            found |= strcmp(list[k].name, "layer2.0.downsample.1.running_var") == 0;
        CU_ASSERT(found);
        CU_ASSERT_STRING_EQUAL(list[0].name, "conv1.weight");
        s2clr_net_free(net);
    }
}

static void shapes_of_resnet50_at_120(void)
{
    s2clr_net *net = make("resnet50", 12, 0, 0);
    if (!net) return;
    s2clr_shape shapes[400];
    TEST_OK(s2clr_net_shapes(net, 4, 120, 120, shapes));
    const s2clr_shape f = shapes[s2clr_net_output(net, S2CLR_OUTPUT_FEATURES)];
    const s2clr_shape z = shapes[s2clr_net_output(net, S2CLR_OUTPUT_LOGITS)];
    CU_ASSERT(f.n == 4 && f.c == 2048 && f.h == 1 && f.w == 1);
    CU_ASSERT(z.n == 4 && z.c == 1 && z.h == 1 && z.w == 1);
    CU_ASSERT_EQUAL(s2clr_net_output(net, S2CLR_OUTPUT_LOCAL), -1);
    CU_ASSERT_EQUAL(s2clr_net_step(net), 0);
    s2clr_net_free(net);
}

/* The receptive field by definition: the smallest input that gives one local logit. */
static void dense_field_is_the_smallest_input(void)
{
    for (int depth = 1; depth <= 6; depth++) {
        s2clr_net *net = make("dense", 3, 4, depth);
        if (!net) return;
        const int local = s2clr_net_output(net, S2CLR_OUTPUT_LOCAL);
        const int field = s2clr_net_field(net), step = s2clr_net_step(net);
        s2clr_shape shapes[100];
        TEST_OK(s2clr_net_shapes(net, 1, field, field, shapes));
        CU_ASSERT(shapes[local].h == 1 && shapes[local].w == 1);
        CU_ASSERT_NOT_EQUAL(s2clr_net_shapes(net, 1, field - 1, field, shapes), S2CLR_OK);
        TEST_OK(s2clr_net_shapes(net, 1, field + 5 * step, field + 6 * step - 1, shapes));
        CU_ASSERT(shapes[local].h == 6 && shapes[local].w == 6);
        s2clr_net_free(net);
    }
}

static void bad_architectures_are_refused(void)
{
    s2clr_net *net = NULL;
    s2clr_arch arch = {.name = "resnet19", .channels = 3, .outputs = 1};
    CU_ASSERT_EQUAL(s2clr_net_new(&arch, &net), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("resnet50");
    strcpy(arch.name, "resnet18");
    arch.channels = 0;
    CU_ASSERT_EQUAL(s2clr_net_new(&arch, &net), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("input channels is 0");
    arch.channels = 3;
    arch.depth = 7;
    CU_ASSERT_EQUAL(s2clr_net_new(&arch, &net), S2CLR_ERR_ARGUMENT);
    arch.depth = 0;
    arch.width = 1 << 20;
    CU_ASSERT_EQUAL(s2clr_net_new(&arch, &net), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_PTR_NULL(net);
}

/* Random lives: no two that overlap in time may overlap in space; a chain needs two buffers. */
static void arena_never_overlaps(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        s2clr_life life[40];
        for (uint64_t i = 0; i < 40; i++) {
            const int first = (int)s2clr_random_below(seed, 0, i, 30);
            life[i] = (s2clr_life){.bytes = 1 + s2clr_random_below(seed, 1, i, 1000),
                                   .first = first,
                                   .last = first + (int)s2clr_random_below(seed, 2, i, 10),
                                   .shares = -1};
        }
        size_t total = 0;
        TEST_OK(s2clr_arena_place(life, 40, &total));
        size_t clashes = 0;
        for (size_t i = 0; i < 40; i++) {
            CU_ASSERT(life[i].offset % 64 == 0 && life[i].offset + life[i].bytes <= total);
            for (size_t j = 0; j < i; j++)
                clashes += life[i].first <= life[j].last && life[j].first <= life[i].last &&
                           life[i].offset < life[j].offset + life[j].bytes &&
                           life[j].offset < life[i].offset + life[i].bytes;
        }
        CU_ASSERT_EQUAL(clashes, 0);
    }
    s2clr_life chain[10];
    for (int i = 0; i < 10; i++)
        chain[i] = (s2clr_life){.bytes = 640, .first = i, .last = i + 1, .shares = -1};
    size_t total = 0;
    TEST_OK(s2clr_arena_place(chain, 10, &total));
    CU_ASSERT_EQUAL(total, 2 * 640);
}

/* ---- plans and steps on every backend ---- */

static float *random_floats(size_t count, uint64_t stream)
{
    float *x = NULL;
    TEST_OK(s2clr_alloc(count, sizeof *x, "test", (void **)&x));
    for (size_t i = 0; x && i < count; i++) x[i] = 2.0f * s2clr_random_uniform(7, stream, i) - 1.0f;
    return x;
}

/* Weights with batch-norm statistics that are not the identity. */
static float *random_params(const s2clr_net *net)
{
    float *params = random_floats(s2clr_net_param_count(net), 99);
    if (!params) return NULL;
    TEST_OK(s2clr_net_init(net, 5, params));
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < list[i].count; j++) {
            const float u = s2clr_random_uniform(6, i, j);
            if (list[i].role == S2CLR_PARAM_GAMMA || list[i].role == S2CLR_PARAM_RUNNING_VAR)
                params[list[i].offset + j] = 0.5f + u;
            else if (list[i].role == S2CLR_PARAM_BETA || list[i].role == S2CLR_PARAM_RUNNING_MEAN)
                params[list[i].offset + j] = 0.4f * (u - 0.5f);
        }
    return params;
}

static void run_plan(const s2clr_net *net, const float *params, const s2clr_backend *backend, int n,
                     int size, const float *x, float *y)
{
    s2clr_device *device = NULL;
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    TEST_OK(backend->device_open("", S2CLR_F32, &device));
    TEST_OK(
        s2clr_plan_new(net, params, backend, device, S2CLR_OUTPUT_LOGITS, n, size, size, &plan));
    TEST_OK(s2clr_session_new(plan, &session));
    if (session) TEST_OK(s2clr_session_run(session, x, y));
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    backend->device_close(device);
}

/* Turns running statistics after one forward (0.9 old + 0.1 batch, unbiased variance) into those of
 * the batch itself. */
static void take_batch_statistics(const s2clr_net *net, const float *old, float *params, int n,
                                  int size)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    s2clr_shape shapes[400];
    TEST_OK(s2clr_net_shapes(net, n, size, size, shapes));
    for (size_t i = 0; i < count; i++) {
        const s2clr_shape s = shapes[list[i].node];
        const double m = (double)s.n * s.h * s.w;
        if (list[i].role != S2CLR_PARAM_RUNNING_MEAN && list[i].role != S2CLR_PARAM_RUNNING_VAR)
            continue;
        for (size_t j = list[i].offset; j < list[i].offset + list[i].count; j++) {
            const double batch = ((double)params[j] - 0.9 * (double)old[j]) / 0.1;
            params[j] =
                (float)(list[i].role == S2CLR_PARAM_RUNNING_VAR ? batch * (m - 1) / m : batch);
        }
    }
}

/* Fused, folded inference equals the training forward, which fuses nothing, when the running
 * statistics are those of the batch. */
static void check_folding(const char *arch, const s2clr_backend *backend)
{
    s2clr_net *net = make(arch, 5, 8, 0);
    float *params = random_params(net), *old = random_params(net);
    float *x = random_floats(4 * 5 * 64 * 64, 1);
    float train[4] = {0}, infer[4] = {0};
    s2clr_device *device = NULL;
    s2clr_pool *pool = NULL;
    s2clr_step *step = NULL;
    TEST_OK(backend->device_open("", S2CLR_F32, &device));
    TEST_OK(s2clr_pool_new(1, &pool));
    TEST_OK(s2clr_step_new(net, backend, device, pool,
                           &(s2clr_step_options){.batch = 4, .micro = 2, .h = 64, .w = 64}, &step));
    TEST_OK(s2clr_step_forward(step, params, x, train));
    take_batch_statistics(net, old, params, 4, 64);
    run_plan(net, params, backend, 4, 64, x, infer);
    for (int i = 0; i < 4; i++) TEST_NEAR(infer[i], train[i], 1e-3 * (1 + fabsf(train[i])));
    s2clr_step_free(step);
    s2clr_pool_free(pool);
    backend->device_close(device);
    s2clr_free(params);
    s2clr_free(old);
    s2clr_free(x);
    s2clr_net_free(net);
}

static void folded_plan_equals_unfused_forward(void)
{
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    for (size_t b = 0; b < count; b++) {
        if (!list[b].backend) continue;
        check_folding("resnet18", list[b].backend);
        check_folding("resnet50", list[b].backend);
        check_folding("dense", list[b].backend);
        check_folding("pixel", list[b].backend);
    }
}

static void plans_agree_between_backends(void)
{
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    static const char *const archs[] = {"resnet18", "resnet50", "dense", "pixel"};
    for (size_t a = 0; a < 4; a++) {
        s2clr_net *net = make(archs[a], 12, 16, 0);
        float *params = random_params(net), *x = random_floats(3 * 12 * 72 * 72, 3);
        const s2clr_backend *portable = NULL;
        float want[3] = {0};
        TEST_OK(s2clr_backend_find("portable", &portable));
        run_plan(net, params, portable, 3, 72, x, want);
        for (size_t b = 0; b < count; b++) {
            float y[3] = {0};
            if (!list[b].backend) continue;
            run_plan(net, params, list[b].backend, 3, 72, x, y);
            for (int i = 0; i < 3; i++) TEST_NEAR(y[i], want[i], 1e-4 * (1 + fabsf(want[i])));
        }
        s2clr_free(params);
        s2clr_free(x);
        s2clr_net_free(net);
    }
}

/* One forward and backward; the logits and gradients land in `out`. */
static void one_step(const s2clr_net *net, const s2clr_backend *backend, int threads, int micro,
                     const float *x, float *params, float *logits, float *dparams)
{
    s2clr_device *device = NULL;
    s2clr_pool *pool = NULL;
    s2clr_step *step = NULL;
    float dlogits[8];
    TEST_OK(backend->device_open("", S2CLR_F32, &device));
    TEST_OK(s2clr_pool_new(threads, &pool));
    TEST_OK(s2clr_step_new(net, backend, device, pool,
                           &(s2clr_step_options){.batch = 8, .micro = micro, .h = 64, .w = 64},
                           &step));
    if (step) {
        TEST_OK(s2clr_step_forward(step, params, x, logits));
        for (int i = 0; i < 8; i++) dlogits[i] = 0.1f * (float)(i - 3);
        TEST_OK(s2clr_step_backward(step, params, dlogits, dparams));
    }
    s2clr_step_free(step);
    s2clr_pool_free(pool);
    backend->device_close(device);
}

static void threads_do_not_change_a_step(void)
{
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    for (size_t b = 0; b < count; b++) {
        if (!list[b].backend) continue;
        s2clr_net *net = make("resnet18", 3, 8, 0);
        const size_t all = s2clr_net_param_count(net), trainable = s2clr_net_trainable_count(net);
        float *x = random_floats(8 * 3 * 64 * 64, 4), *g[3], *p[3], z[3][8];
        for (int t = 0; t < 3; t++) {
            p[t] = random_params(net);
            g[t] = random_floats(trainable, 5);
            one_step(net, list[b].backend, t + 1, 2, x, p[t], z[t], g[t]);
            CU_ASSERT_EQUAL(memcmp(z[t], z[0], sizeof z[0]), 0);
            CU_ASSERT_EQUAL(memcmp(g[t], g[0], trainable * sizeof(float)), 0);
            CU_ASSERT_EQUAL(memcmp(p[t], p[0], all * sizeof(float)), 0);
        }
        for (int t = 0; t < 3; t++) s2clr_free(p[t]), s2clr_free(g[t]);
        s2clr_free(x);
        s2clr_net_free(net);
    }
}

/* The micro-batch is a matter of memory, not of meaning: gradients agree to rounding. */
static void micro_batches_do_not_change_the_meaning(void)
{
    const s2clr_backend *backend = NULL;
    TEST_OK(s2clr_backend_find("auto", &backend));
    s2clr_net *net = make("resnet18", 3, 8, 0);
    const size_t trainable = s2clr_net_trainable_count(net);
    float *x = random_floats(8 * 3 * 64 * 64, 4), *g[2], *p[2], z[2][8];
    for (int t = 0; t < 2; t++) {
        p[t] = random_params(net);
        g[t] = random_floats(trainable, 5);
        one_step(net, backend, 1, t == 0 ? 1 : 8, x, p[t], z[t], g[t]);
    }
    double difference = 0, norm = 0;
    for (size_t i = 0; i < trainable; i++) {
        const double d = (double)g[0][i] - (double)g[1][i];
        difference += d * d;
        norm += (double)g[0][i] * (double)g[0][i];
    }
    CU_ASSERT(norm > 0);
    TEST_NEAR(sqrt(difference / norm), 0.0, 1e-4);
    for (int t = 0; t < 2; t++) s2clr_free(p[t]), s2clr_free(g[t]);
    s2clr_free(x);
    s2clr_net_free(net);
}

static const test_case cases[] = {
    {"resnets_have_torchvisions_parameters", resnets_have_torchvisions_parameters},
    {"shapes_of_resnet50_at_120", shapes_of_resnet50_at_120},
    {"dense_field_is_the_smallest_input", dense_field_is_the_smallest_input},
    {"bad_architectures_are_refused", bad_architectures_are_refused},
    {"arena_never_overlaps", arena_never_overlaps},
    {"plans_agree_between_backends", plans_agree_between_backends},
    {"folded_plan_equals_unfused_forward", folded_plan_equals_unfused_forward},
    {"threads_do_not_change_a_step", threads_do_not_change_a_step},
    {"micro_batches_do_not_change_the_meaning", micro_batches_do_not_change_the_meaning},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("net", cases, argc, argv);
}
