/*
 * Our networks against PyTorch in float64: tests/golden/nets.json, made by tests/golden/nets.py
 * from weights that both sides generate from counters (the rules stand there).
 */
#include <jansson.h>
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
#include "train/loss.h"
#include "train/optimiser.h"

enum { SEED = 2021, INPUT_STREAM = 1, SAMPLES = 4 };

typedef struct rig {
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_pool *pool;
    s2clr_net *net;
    float *params;
} rig;

static const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    CU_ASSERT_PTR_NOT_NULL(value);
    return value;
}

static const json_t *golden(const char *arch)
{
    static json_t *root;
    json_error_t error;
    if (!root)
        root = json_load_file(test_source("golden/nets.json"), JSON_REJECT_DUPLICATES, &error);
    CU_ASSERT_PTR_NOT_NULL(root);
    return get(root, arch);
}

/* FNV-1a: a tensor's values hang on its name alone. */
static uint64_t stream_of(const char *name)
{
    uint32_t h = 0x811C9DC5u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x01000193u;
    return h;
}

static double negative_factor(const char *name)
{
    static const struct {
        const char *part;
        double factor;
    } list[] = {{"bn1.", -1}, {"norm2.", -1}, {"_1.bn.", -1}, {".rep.2.", -1}, {"skipbn.", -12}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (strstr(name, list[i].part)) return list[i].factor;
    return 1;
}

static void fill_param(const s2clr_param *p, float *x)
{
    const uint64_t stream = stream_of(p->name);
    const double bound = p->rank > 1 ? sqrt(6.0 * p->dims[0] / (double)p->count) : 0;
    for (size_t j = 0; j < p->count; j++) {
        const double u = (double)s2clr_random_uniform(SEED, stream, j);
        double value = (u - 0.5) / 5;
        if (p->rank > 1) value = (2 * u - 1) * bound;
        if (p->role == S2CLR_PARAM_GAMMA) value = (0.5 + u) / 4;
        if (p->role == S2CLR_PARAM_BETA)
            value = (u < 0.25 ? negative_factor(p->name) : 1) * (1.5 + (u - 0.5) / 5);
        if (p->role == S2CLR_PARAM_RUNNING_VAR) value = 0.5 + u;
        x[j] = (float)value;
    }
}

static s2clr_net *make(const char *arch, int bands)
{
    s2clr_arch a = {.channels = bands, .outputs = 1};
    s2clr_net *net = NULL;
    snprintf(a.name, sizeof a.name, "%s", arch);
    TEST_OK(s2clr_net_new(&a, &net));
    return net;
}

static bool open_rig(const char *arch, int bands, rig *r)
{
    memset(r, 0, sizeof *r);
    TEST_OK(s2clr_backend_find("auto", &r->backend));
    if (!r->backend) return false;
    if (strcmp(r->backend->name, "portable") == 0 && strcmp(arch, "resnet18") != 0) {
        test_skip("only the portable backend is here, too slow for this network");
        return false;
    }
    r->net = make(arch, bands);
    TEST_OK(r->backend->device_open("", S2CLR_F32, &r->device));
    TEST_OK(s2clr_pool_new(2, &r->pool));
    if (!r->net || !r->device || !r->pool) return false;
    TEST_OK(s2clr_alloc(s2clr_net_param_count(r->net), sizeof(float), "w", (void **)&r->params));
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(r->net, &list);
    for (size_t i = 0; i < count; i++) fill_param(&list[i], r->params + list[i].offset);
    return true;
}

static void close_rig(rig *r)
{
    s2clr_free(r->params);
    s2clr_net_free(r->net);
    s2clr_pool_free(r->pool);
    r->backend->device_close(r->device);
}

static float *batch(int n, int bands, int size)
{
    float *x = NULL;
    const size_t count = (size_t)n * (size_t)bands * (size_t)size * (size_t)size;
    TEST_OK(s2clr_alloc(count, sizeof *x, "x", (void **)&x));
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(2 * (double)s2clr_random_uniform(SEED, INPUT_STREAM, i) - 1);
    return x;
}

static void check_values(const json_t *want, const float *y, double tolerance)
{
    double norm = 0, difference = 0;
    CU_ASSERT(json_array_size(want) > 0);
    for (size_t i = 0; i < json_array_size(want); i++) {
        const double w = json_number_value(json_array_get(want, i));
        norm += w * w;
        difference += (w - (double)y[i]) * (w - (double)y[i]);
    }
    CU_ASSERT(norm > 0);
    TEST_NEAR(sqrt(difference / norm), 0, tolerance);
}

static void check_logits(const rig *r, const json_t *want, int bands, int size)
{
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    float y[2] = {0}, *x = batch(2, bands, size);
    TEST_OK(s2clr_plan_new(r->net, r->params, r->backend, r->device, S2CLR_OUTPUT_LOGITS, 2, size,
                           size, &plan));
    TEST_OK(s2clr_session_new(plan, &session));
    TEST_OK(s2clr_session_run(session, x, y));
    check_values(want, y, 1e-4);
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    s2clr_free(x);
}

/* Loss of alternating labels, and its gradient. */
static double loss_of(const float *logits, size_t n, float *dlogits)
{
    const s2clr_loss *bce = NULL;
    float target[16];
    double loss = NAN;
    TEST_OK(s2clr_loss_find("bce", &bce));
    for (size_t i = 0; i < n; i++) target[i] = (float)(i % 2);
    TEST_OK(bce->run(logits, target, NULL, n, 1, &loss, dlogits));
    return loss;
}

static double norm_of(const float *x, size_t count)
{
    double sum = 0;
    for (size_t j = 0; j < count; j++) sum += (double)x[j] * (double)x[j];
    return sqrt(sum);
}

/* Gradients that are zero but for rounding (of a bias in front of a batch norm) are below 1e-6 of
 * all together. Of others the norm of the error, as estimated from the samples, is within
 * `error_most`, and the norm itself within 5e-3 (differences of single samples cancel in it) and
 * `error_most`; what is below 1e-5 of all together counts as that. */
static void check_gradient(const json_t *numbers, const s2clr_param *p, double total,
                           double error_most, const float *g)
{
    const double norm = json_number_value(json_array_get(numbers, 0));
    const double scale = fmax(norm, 1e-5 * total);
    const uint64_t stream = stream_of(p->name) + ((uint64_t)1 << 32);
    double error = 0;
    if (norm < 1e-9 * total) {
        test_near(norm_of(g, p->count) / total, 0, 1e-6, p->name, __FILE__, __LINE__);
        return;
    }
    for (size_t k = 0; k < SAMPLES; k++) {
        const double u = (double)s2clr_random_uniform(SEED, stream, k);
        const double d = json_number_value(json_array_get(numbers, k + 1)) -
                         (double)g[(size_t)(u * (double)p->count)];
        error += d * d / SAMPLES * (double)p->count;
    }
    test_near((norm_of(g, p->count) - norm) / scale, 0, fmin(error_most, 5e-3), p->name, __FILE__,
              __LINE__);
    test_near(sqrt(error) / scale, 0, error_most, p->name, __FILE__, __LINE__);
}

/* In Xception and Inception PyTorch's own float32 is up to 5.6e-3 off the float64 goldens as well,
 * and ours stays below 1e-2 with AVX2 and reaches 1.1e-2 with AVX-512, which adds in another order.
 * Maxima over nearly equal values are the likely cause (up to a million windows, and a change of
 * places moves a share of the gradient); that was not counted. */
static double error_most(const rig *r)
{
    const char *const name = s2clr_net_arch(r->net)->name;
    return strstr(name, "ception") ? 2e-2 : 1e-3;
}

static void check_tensors(const rig *r, const json_t *want, const float *g)
{
    const json_t *rows = get(want, "tensors");
    const double total = json_number_value(get(want, "norm"));
    TEST_NEAR(norm_of(g, s2clr_net_trainable_count(r->net)) / total, 1, 1e-3);
    CU_ASSERT(json_array_size(rows) > 0);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *numbers = json_array_get(row, 2);
        const s2clr_param *p =
            s2clr_net_param_named(r->net, json_string_value(json_array_get(row, 0)));
        CU_ASSERT_PTR_NOT_NULL(p);
        if (!p) continue;
        if (p->role == S2CLR_PARAM_RUNNING_MEAN || p->role == S2CLR_PARAM_RUNNING_VAR)
            test_near(norm_of(r->params + p->offset, p->count) /
                          json_number_value(json_array_get(numbers, 0)),
                      1, 1e-4, p->name, __FILE__, __LINE__);
        else
            check_gradient(numbers, p, total, error_most(r), g + p->offset);
    }
}

static s2clr_step *new_step(const rig *r, int n, int size)
{
    s2clr_step *step = NULL;
    const s2clr_step_options options = {
        .output = S2CLR_OUTPUT_LOGITS, .batch = n, .micro = n / 2, .h = size, .w = size};
    TEST_OK(s2clr_step_new(r->net, r->backend, r->device, r->pool, &options, &step));
    return step;
}

static void check_step(const rig *r, const json_t *want, int bands, int n, int size)
{
    float logits[16] = {0}, dlogits[16] = {0}, *g = NULL, *x = batch(n, bands, size);
    s2clr_step *step = new_step(r, n, size);
    TEST_OK(s2clr_alloc(s2clr_net_trainable_count(r->net), sizeof *g, "g", (void **)&g));
    TEST_OK(s2clr_step_forward(step, r->params, x, logits));
    check_values(get(want, "logits"), logits, 1e-4);
    const double loss = loss_of(logits, (size_t)n, dlogits);
    TEST_NEAR(loss, json_number_value(get(want, "loss")), 1e-4 * loss);
    TEST_OK(s2clr_step_backward(step, r->params, dlogits, g));
    check_tensors(r, want, g);
    s2clr_step_free(step);
    s2clr_free(g);
    s2clr_free(x);
}

/* Names and shapes are those of the module's state_dict: PyTorch loads a model file as it is. */
static void check_names(const char *arch)
{
    const json_t *rows = get(get(get(golden(arch), "12"), "step"), "tensors");
    s2clr_net *net = make(arch, 12);
    const s2clr_param *list;
    if (!net) return;
    CU_ASSERT_EQUAL(json_array_size(rows), s2clr_net_param_list(net, &list));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *shape = json_array_get(row, 1);
        const s2clr_param *p =
            s2clr_net_param_named(net, json_string_value(json_array_get(row, 0)));
        CU_ASSERT_PTR_NOT_NULL(p);
        if (!p) continue;
        CU_ASSERT_EQUAL((int)json_array_size(shape), p->rank);
        for (int k = 0; k < p->rank; k++)
            CU_ASSERT_EQUAL(json_integer_value(json_array_get(shape, (size_t)k)), p->dims[k]);
    }
    s2clr_net_free(net);
}

static void check(const char *arch)
{
    const int size = (int)json_integer_value(golden("size"));
    const int n = (int)json_integer_value(golden("batch"));
    check_names(arch);
    for (int bands = 12; bands >= 10; bands -= 2) {
        rig r;
        const json_t *want = get(golden(arch), bands == 12 ? "12" : "10");
        if (!open_rig(arch, bands, &r)) return;
        check_logits(&r, get(want, "logits"), bands, size);
        check_step(&r, get(want, "step"), bands, n, size);
        close_rig(&r);
    }
}

static void check_losses(const char *arch)
{
    rig r;
    if (!open_rig(arch, 12, &r)) return;
    const json_t *want = get(golden(arch), "losses");
    const int n = (int)json_integer_value(get(want, "batch"));
    const int size = (int)json_integer_value(get(want, "size"));
    const s2clr_optimiser *adamw = NULL;
    const s2clr_optimiser_settings settings = {.beta1 = 0.9,
                                               .beta2 = 0.999,
                                               .epsilon = 1e-8,
                                               .weight_decay =
                                                   json_number_value(get(want, "weight_decay"))};
    const size_t trainable = s2clr_net_trainable_count(r.net);
    s2clr_step *step = new_step(&r, n, size);
    float logits[16] = {0}, dlogits[16] = {0}, *g = NULL, *moments = NULL, *x = batch(n, 12, size);
    TEST_OK(s2clr_optimiser_find("adamw", &adamw));
    TEST_OK(s2clr_alloc(trainable, sizeof *g, "g", (void **)&g));
    TEST_OK(s2clr_alloc(2 * trainable, sizeof *moments, "m", (void **)&moments));
    for (size_t k = 0; k < 10; k++) {
        const double w = json_number_value(json_array_get(get(want, "values"), k));
        TEST_OK(s2clr_step_forward(step, r.params, x, logits));
        TEST_NEAR(loss_of(logits, (size_t)n, dlogits) / w, 1, k == 0 ? 1e-4 : 2e-2);
        TEST_OK(s2clr_step_backward(step, r.params, dlogits, g));
        TEST_OK(s2clr_optimiser_step(adamw, &settings, r.net, r.pool,
                                     json_number_value(get(want, "rate")), k + 1, g, moments,
                                     r.params));
    }
    s2clr_step_free(step);
    s2clr_free(g);
    s2clr_free(moments);
    s2clr_free(x);
    close_rig(&r);
}

static void losses_resnet18(void)
{
    check_losses("resnet18");
}

static void losses_resnet50(void)
{
    check_losses("resnet50");
}

#define CHECK(function, arch)                                                                      \
    static void function(void)                                                                     \
    {                                                                                              \
        check(arch);                                                                               \
    }
CHECK(resnet18, "resnet18")
CHECK(resnet50, "resnet50")
CHECK(resnet152, "resnet152")
CHECK(resnet50_keras, "resnet50-keras")
CHECK(resnet152_keras, "resnet152-keras")
CHECK(resnetv2_101, "resnetv2-101")
CHECK(resnet101v2, "resnet101v2")
CHECK(xception, "xception")
CHECK(xception_keras, "xception-keras")
CHECK(inceptionv3, "inceptionv3")
CHECK(inceptionv3_keras, "inceptionv3-keras")

static const test_case cases[] = {
    {"resnet18", resnet18},
    {"resnet50", resnet50},
    {"resnet152", resnet152},
    {"resnet50_keras", resnet50_keras},
    {"resnet152_keras", resnet152_keras},
    {"resnetv2_101", resnetv2_101},
    {"resnet101v2", resnet101v2},
    {"xception", xception},
    {"xception_keras", xception_keras},
    {"inceptionv3", inceptionv3},
    {"inceptionv3_keras", inceptionv3_keras},
    {"losses_resnet18", losses_resnet18},
    {"losses_resnet50", losses_resnet50},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("golden", cases, argc, argv);
}
