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
#include "file/model.h"
#include "file/safetensors.h"
#include "harness.h"
#include "net/infer.h"
#include "net/net.h"
#include "net/step.h"
#include "train/loss.h"
#include "train/optimiser.h"

enum { SEED = 2021, BANDS = 12, INPUT_STREAM = 1000000, SAMPLE_STREAM = 2000000 };

typedef struct rig {
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_pool *pool;
    s2clr_net *net;
    float *params;
} rig;

static json_t *golden(const char *arch)
{
    static json_t *root;
    json_error_t error;
    if (!root)
        root = json_load_file(test_source("golden/nets.json"), JSON_REJECT_DUPLICATES, &error);
    CU_ASSERT_PTR_NOT_NULL(root);
    return json_object_get(root, arch);
}

static void fill_params(const s2clr_net *net, float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++) {
        const s2clr_param *p = &list[i];
        const double bound = p->rank > 1 ? sqrt(6.0 * p->dims[0] / (double)p->count) : 0;
        for (size_t j = 0; j < p->count; j++) {
            const double u = (double)s2clr_random_uniform(SEED, i, j);
            double value = (u - 0.5) / 5;
            if (p->rank > 1) value = (2 * u - 1) * bound;
            if (p->role == S2CLR_PARAM_GAMMA) value = (0.5 + u) / 4;
            if (p->role == S2CLR_PARAM_BETA) {
                value = 1.5 + (u - 0.5) / 5;
                if (u < 0.25 && strstr(p->name, "bn1")) value = -value;
            }
            if (p->role == S2CLR_PARAM_RUNNING_VAR) value = 0.5 + u;
            params[p->offset + j] = (float)value;
        }
    }
}

static bool open_rig(const char *arch, rig *r)
{
    const s2clr_backend *best = NULL;
    TEST_OK(s2clr_backend_find("auto", &best));
    if (best && strcmp(best->name, "portable") == 0 && strcmp(arch, "resnet18") != 0) {
        test_skip("only the portable backend is here, too slow for this network");
        return false;
    }
    s2clr_arch a = {.channels = BANDS, .outputs = 1};
    snprintf(a.name, sizeof a.name, "%s", arch);
    memset(r, 0, sizeof *r);
    r->backend = best;
    TEST_OK(r->backend->device_open("", &r->device));
    TEST_OK(s2clr_pool_new(2, &r->pool));
    TEST_OK(s2clr_net_new(&a, &r->net));
    if (!r->net || !r->device || !r->pool) return false;
    TEST_OK(s2clr_alloc(s2clr_net_param_count(r->net), sizeof(float), "w", (void **)&r->params));
    fill_params(r->net, r->params);
    return true;
}

static void close_rig(rig *r)
{
    s2clr_free(r->params);
    s2clr_net_free(r->net);
    s2clr_pool_free(r->pool);
    r->backend->device_close(r->device);
}

static float *batch(int n, int size)
{
    float *x = NULL;
    const size_t count = (size_t)n * BANDS * (size_t)size * (size_t)size;
    TEST_OK(s2clr_alloc(count, sizeof *x, "x", (void **)&x));
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(2 * (double)s2clr_random_uniform(SEED, INPUT_STREAM, i) - 1);
    return x;
}

static void check_logits(const char *arch)
{
    rig r;
    if (!open_rig(arch, &r)) return;
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    float y[2] = {0}, *x = batch(2, 120);
    const json_t *want = json_object_get(golden(arch), "logits");
    TEST_OK(s2clr_plan_new(r.net, r.params, r.backend, r.device, S2CLR_OUTPUT_LOGITS, 2, 120, 120,
                           &plan));
    TEST_OK(s2clr_session_new(plan, &session));
    TEST_OK(s2clr_session_run(session, x, y));
    double norm = 0, difference = 0;
    for (size_t i = 0; i < 2; i++) {
        const double w = json_real_value(json_array_get(want, i));
        norm += w * w;
        difference += (w - (double)y[i]) * (w - (double)y[i]);
    }
    CU_ASSERT(norm > 0);
    TEST_NEAR(sqrt(difference / norm), 0, 1e-4);
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    s2clr_free(x);
    close_rig(&r);
}

static void logits_resnet18(void)
{
    check_logits("resnet18");
}

static void logits_resnet50(void)
{
    check_logits("resnet50");
}

static void logits_resnet152(void)
{
    check_logits("resnet152");
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

static double norm_of(const json_t *row)
{
    return json_real_value(json_object_get(row, "norm"));
}

/* Norm within 1e-3; the eight samples estimate the error's norm, which must be below 1e-3 too.
 * `least`: gradients that are zero but for rounding (a bias in front of a batch norm) are compared
 * with this instead of their own norm. */
static void check_gradient(const json_t *row, const s2clr_param *p, size_t index, double least,
                           const float *g)
{
    const double scale = fmax(norm_of(row), least);
    const json_t *samples = json_object_get(row, "samples");
    double norm = 0, error = 0;
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(row, "name")), p->name);
    for (size_t j = 0; j < p->count; j++) norm += (double)g[j] * (double)g[j];
    for (size_t k = 0; k < 8; k++) {
        const double u = (double)s2clr_random_uniform(SEED, SAMPLE_STREAM + index, k);
        const double d =
            json_real_value(json_array_get(samples, k)) - (double)g[(size_t)(u * (double)p->count)];
        error += d * d / 8 * (double)p->count;
    }
    test_near((sqrt(norm) - norm_of(row)) / scale, 0, 1e-3, p->name, __FILE__, __LINE__);
    test_near(sqrt(error) / scale, 0, 1e-3, p->name, __FILE__, __LINE__);
}

static void check_gradients(const char *arch)
{
    rig r;
    if (!open_rig(arch, &r)) return;
    const json_t *want = json_object_get(golden(arch), "gradients");
    const int n = (int)json_integer_value(json_object_get(want, "batch"));
    const int size = (int)json_integer_value(json_object_get(want, "size"));
    s2clr_step *step = NULL;
    float logits[16] = {0}, dlogits[16] = {0}, *g = NULL, *x = batch(n, size);
    TEST_OK(s2clr_alloc(s2clr_net_trainable_count(r.net), sizeof *g, "g", (void **)&g));
    TEST_OK(s2clr_step_new(r.net, r.backend, r.device, r.pool, n, 4, size, size, &step));
    TEST_OK(s2clr_step_forward(step, r.params, x, logits));
    const double loss = loss_of(logits, (size_t)n, dlogits);
    TEST_NEAR(loss, json_real_value(json_object_get(want, "loss")), 1e-4 * loss);
    TEST_OK(s2clr_step_backward(step, r.params, dlogits, g));
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(r.net, &list);
    const json_t *rows = json_object_get(want, "parameters");
    double total = 0;
    for (size_t i = 0; i < json_array_size(rows); i++)
        total += pow(norm_of(json_array_get(rows, i)), 2);
    for (size_t i = 0; i < json_array_size(rows); i++)
        check_gradient(json_array_get(rows, i), &list[i], i, 1e-5 * sqrt(total),
                       g + list[i].offset);
    double running = 0;
    for (size_t i = json_array_size(rows); i < count; i++) {
        double norm = 0;
        for (size_t j = 0; j < list[i].count; j++)
            norm += pow((double)r.params[list[i].offset + j], 2);
        running += sqrt(norm);
    }
    TEST_NEAR(running / json_real_value(json_object_get(want, "running_norm_sum")), 1, 1e-4);
    s2clr_step_free(step);
    s2clr_free(g);
    s2clr_free(x);
    close_rig(&r);
}

static void gradients_resnet18(void)
{
    check_gradients("resnet18");
}

static void gradients_resnet50(void)
{
    check_gradients("resnet50");
}

static void gradients_resnet152(void)
{
    check_gradients("resnet152");
}

static void check_losses(const char *arch)
{
    rig r;
    if (!open_rig(arch, &r)) return;
    const json_t *want = json_object_get(golden(arch), "losses");
    const int n = (int)json_integer_value(json_object_get(want, "batch"));
    const int size = (int)json_integer_value(json_object_get(want, "size"));
    const s2clr_optimiser *adamw = NULL;
    const s2clr_optimiser_settings settings = {
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
        .weight_decay = json_real_value(json_object_get(want, "weight_decay"))};
    const size_t trainable = s2clr_net_trainable_count(r.net);
    s2clr_step *step = NULL;
    float logits[16] = {0}, dlogits[16] = {0}, *g = NULL, *moments = NULL, *x = batch(n, size);
    TEST_OK(s2clr_optimiser_find("adamw", &adamw));
    TEST_OK(s2clr_alloc(trainable, sizeof *g, "g", (void **)&g));
    TEST_OK(s2clr_alloc(2 * trainable, sizeof *moments, "m", (void **)&moments));
    TEST_OK(s2clr_step_new(r.net, r.backend, r.device, r.pool, n, 4, size, size, &step));
    for (size_t k = 0; k < 10; k++) {
        const double w = json_real_value(json_array_get(json_object_get(want, "values"), k));
        TEST_OK(s2clr_step_forward(step, r.params, x, logits));
        TEST_NEAR(loss_of(logits, (size_t)n, dlogits) / w, 1, k == 0 ? 1e-4 : 2e-2);
        TEST_OK(s2clr_step_backward(step, r.params, dlogits, g));
        TEST_OK(s2clr_optimiser_step(adamw, &settings, r.net, r.pool,
                                     json_real_value(json_object_get(want, "rate")), k + 1, g,
                                     moments, r.params));
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

static const test_case cases[] = {
    {"logits_resnet18", logits_resnet18},       {"logits_resnet50", logits_resnet50},
    {"logits_resnet152", logits_resnet152},     {"gradients_resnet18", gradients_resnet18},
    {"gradients_resnet50", gradients_resnet50}, {"gradients_resnet152", gradients_resnet152},
    {"losses_resnet18", losses_resnet18},       {"losses_resnet50", losses_resnet50},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("golden", cases, argc, argv);
}
