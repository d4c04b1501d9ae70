/*
 * Networks of single pixels: against a reference in double, as a bag of pixels, and s2clr_pixel
 * against a map by prediction, whatever the window, thread or place in a row.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "base/pool.h"
#include "harness.h"
#include "net/infer.h"
#include "pointwise/pointwise.h"
#include "pointwise/student.h"
#include "predict_rig.h"

static const rig_model pixel = {
    .arch = "pixel", .width = 8, .depth = 2, .patch = 1, .stride = 1, .temperature = 1.3};

/* ---- the network ---- */

enum { BANDS = 5, WIDTH = 6, DEPTH = 2, SIDE = 9 };

static s2clr_net *make_net(float **params)
{
    const s2clr_arch arch = {
        .name = "pixel", .channels = BANDS, .outputs = 1, .width = WIDTH, .depth = DEPTH};
    const s2clr_param *list;
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&arch, &net));
    if (!net) exit(1);
    TEST_OK(s2clr_alloc(s2clr_net_param_count(net), sizeof **params, "test", (void **)params));
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < list[i].count; k++) {
            const float u = s2clr_random_uniform(3, i, k);
            const bool scale =
                list[i].role == S2CLR_PARAM_GAMMA || list[i].role == S2CLR_PARAM_RUNNING_VAR;
            (*params)[list[i].offset + k] = scale ? 0.5f + u : u - 0.5f;
        }
    return net;
}

static const float *tensor(const s2clr_net *net, const float *params, const char *format, int layer)
{
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, format, layer);
    const s2clr_param *param = s2clr_net_param_named(net, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(param);
    return params + param->offset;
}

/* Local logit of one pixel, x[band * step], straight from the definition. */
static double reference(const s2clr_net *net, const float *params, const float *x, size_t step)
{
    double in[WIDTH], out[WIDTH];
    for (int layer = 0; layer < DEPTH; layer++) {
        const int inputs = layer ? WIDTH : BANDS;
        const float *weight = tensor(net, params, "hidden.%d.conv.weight", layer);
        const float *gamma = tensor(net, params, "hidden.%d.bn.weight", layer);
        const float *beta = tensor(net, params, "hidden.%d.bn.bias", layer);
        const float *mean = tensor(net, params, "hidden.%d.bn.running_mean", layer);
        const float *var = tensor(net, params, "hidden.%d.bn.running_var", layer);
        for (int o = 0; o < WIDTH; o++) {
            double sum = 0;
            for (int i = 0; i < inputs; i++)
                sum +=
                    (double)weight[o * inputs + i] * (layer ? in[i] : (double)x[(size_t)i * step]);
            sum = (sum - (double)mean[o]) / sqrt((double)var[o] + 1e-5);
            out[o] = fmax(0, (double)gamma[o] * sum + (double)beta[o]);
        }
        memcpy(in, out, sizeof in);
    }
    double logit = (double)tensor(net, params, "local.bias", 0)[0];
    for (int i = 0; i < WIDTH; i++)
        logit += (double)tensor(net, params, "local.weight", 0)[i] * in[i];
    return logit;
}

static void run_net(const s2clr_net *net, const float *params, const s2clr_backend *backend,
                    s2clr_output output, const float *x, float *y)
{
    s2clr_device *device = NULL;
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    TEST_OK(backend->device_open("", S2CLR_F32, &device));
    TEST_OK(s2clr_plan_new(net, params, backend, device, output, 2, SIDE, SIDE, &plan));
    TEST_OK(s2clr_session_new(plan, &session));
    if (session) TEST_OK(s2clr_session_run(session, x, y));
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    backend->device_close(device);
}

static void a_patch_is_the_mean_of_its_pixels(void)
{
    enum { PIXELS = SIDE * SIDE };
    static float x[2 * BANDS * PIXELS], local[2 * PIXELS], logit[2];
    const s2clr_backend_entry *list;
    const size_t backends = s2clr_backend_list(&list);
    float *params = NULL;
    s2clr_net *net = make_net(&params);
    CU_ASSERT_EQUAL(s2clr_net_step(net), 1);
    CU_ASSERT_EQUAL(s2clr_net_field(net), 1);
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++) x[i] = s2clr_random_normal(3, 77, i);
    for (size_t b = 0; b < backends; b++) {
        if (!list[b].backend) continue;
        run_net(net, params, list[b].backend, S2CLR_OUTPUT_LOCAL, x, local);
        run_net(net, params, list[b].backend, S2CLR_OUTPUT_LOGITS, x, logit);
        for (size_t n = 0; n < 2; n++) {
            double mean = 0;
            for (size_t i = 0; i < PIXELS; i++) {
                const double want = reference(net, params, x + n * BANDS * PIXELS + i, PIXELS);
                TEST_NEAR(local[n * PIXELS + i], want, 1e-5);
                mean += want / PIXELS;
            }
            TEST_NEAR(logit[n], mean, 1e-5);
        }
    }
    s2clr_free(params);
    s2clr_net_free(net);
}

/* ---- s2clr_pixel ---- */

/* The scene's bands as planes; the caller frees. */
static float *read_scene(const char *path, int *columns, int *rows)
{
    float *planes = NULL;
    for (int band = 0; band < RIG_BANDS; band++) {
        char single[700];
        snprintf(single, sizeof single, "vrt://%s?bands=%d", path, band + 1);
        float *one = rig_raster_read(single, columns, rows);
        const size_t pixels = (size_t)*columns * (size_t)*rows;
        if (!planes) planes = calloc(RIG_BANDS * pixels, sizeof *planes);
        if (one && planes) memcpy(planes + (size_t)band * pixels, one, pixels * sizeof *one);
        free(one);
    }
    return planes;
}

static s2clr_status bind_pixel(const char *model, const char *const *more, int sources,
                               s2clr_pointwise_call *out)
{
    static _Thread_local char name[8][700]; /* the call borrows it */
    static _Thread_local size_t next;
    char *text = name[next++ % 8];
    const char *list[8] = {text};
    snprintf(text, sizeof name[0], "model=%s", model);
    for (size_t i = 0; more && more[i] && i < 6; i++) list[i + 1] = more[i];
    return s2clr_pointwise_bind(s2clr_pointwise_row(S2CLR_POINTWISE_PIXEL), list, sources, out);
}

static s2clr_status run_pixel(const char *model, const char *const *more, const float *planes,
                              size_t pixels, float *out)
{
    const float *const source[RIG_BANDS] = {planes, planes + pixels, planes + 2 * pixels};
    s2clr_pointwise_call call;
    S2CLR_TRY(bind_pixel(model, more, RIG_BANDS, &call));
    return s2clr_pointwise_run(&call, source, pixels, out);
}

static void compare_with_prediction(const char *device, double tolerance)
{
    char word[40];
    const char *const more[] = {word, "level=L2A", "nodata=0", NULL};
    rig_job job;
    int columns = 0, rows = 0, other = 0, valid = 0;
    const char *model = rig_model_make("pixel.safetensors", &pixel);
    const char *scene = rig_scene_make("pixel.tif", &rig_scene_small);
    const char *output = predict_rig_path("pixel-map.tif");
    snprintf(word, sizeof word, "device=%s", device);
    rig_job_make(model, scene, output, &job);
    job.settings.device = device;
    TEST_OK(rig_job_run(&job));
    float *map = rig_raster_read(output, &columns, &rows);
    float *planes = read_scene(scene, &columns, &rows);
    const size_t pixels = (size_t)columns * (size_t)rows;
    float *out = calloc(pixels, sizeof *out);
    CU_ASSERT_EQUAL(columns, rig_scene_small.width);
    TEST_OK(run_pixel(model, more, planes, pixels, out));
    for (size_t i = 0; i < pixels; i++) {
        valid += !isnan(map[i]);
        other += isnan(map[i]) ? !isnan(out[i]) : !(fabsf(map[i] - out[i]) <= (float)tolerance);
    }
    CU_ASSERT_EQUAL(other, 0);
    CU_ASSERT_TRUE(valid > 100000 && (size_t)valid < pixels);
    free(map);
    free(planes);
    free(out);
}

static void portable_gives_the_bits_of_prediction(void)
{
    compare_with_prediction("portable", 0);
}

static void cpu_gives_the_values_of_prediction(void)
{
    compare_with_prediction("cpu", 1e-6);
}

/* Random numbers that look like DN. (RIG_BANDS, pixels) */
static float *make_planes(size_t pixels)
{
    float *planes = calloc(RIG_BANDS * pixels, sizeof *planes);
    for (size_t i = 0; i < RIG_BANDS * pixels; i++)
        planes[i] = (float)(200 + s2clr_random_below(8, 1, i, 4000));
    return planes;
}

/* The same pixels cut in other windows: other lengths, other places in a row of the network. */
static void the_window_does_not_matter(void)
{
    enum { PIXELS = 3000 };
    const s2clr_backend_entry *list;
    const size_t backends = s2clr_backend_list(&list);
    const char *model = rig_model_make("window.safetensors", &pixel);
    float *planes = make_planes(PIXELS);
    static float whole[PIXELS], part[PIXELS];
    for (size_t b = 0; b < backends; b++) {
        char device[40];
        const char *const more[] = {device, NULL};
        s2clr_pointwise_call call;
        if (!list[b].backend) continue;
        snprintf(device, sizeof device, "device=%s", list[b].name);
        TEST_OK(run_pixel(model, more, planes, PIXELS, whole));
        TEST_OK(bind_pixel(model, more, RIG_BANDS, &call));
        for (uint64_t i = 0; i < 300; i++) {
            const size_t first = s2clr_random_below(9, 0, i, PIXELS);
            const size_t count = 1 + s2clr_random_below(9, 1, i, (uint32_t)(PIXELS - first));
            const float *const source[RIG_BANDS] = {planes + first, planes + PIXELS + first,
                                                    planes + 2 * PIXELS + first};
            TEST_OK(s2clr_pointwise_run(&call, source, count, part));
            CU_ASSERT_EQUAL(memcmp(part, whole + first, count * sizeof *part), 0);
        }
    }
    free(planes);
}

typedef struct crowd {
    const char *model;
    const float *planes;
    float *out; // (ITEMS, CROWD)
} crowd;

enum { CROWD = 2000, ITEMS = 24 };

static s2clr_status one_of_many(void *context, size_t item, int worker)
{
    const crowd *c = context;
    (void)worker;
    return run_pixel(c->model, NULL, c->planes, CROWD, c->out + item * CROWD);
}

static void threads_share_one_network(void)
{
    static float out[ITEMS * CROWD];
    crowd c = {.planes = make_planes(CROWD), .out = out};
    s2clr_pool *pool = NULL;
    c.model = rig_model_make("crowd.safetensors", &pixel);
    s2clr_student_drop_idle();
    CU_ASSERT_EQUAL(s2clr_student_count(), 0);
    TEST_OK(s2clr_pool_new(8, &pool));
    TEST_OK(s2clr_pool_run(pool, one_of_many, &c, ITEMS));
    CU_ASSERT_EQUAL(s2clr_student_count(), 1);
    for (size_t i = 1; i < ITEMS; i++)
        CU_ASSERT_EQUAL(memcmp(out + i * CROWD, out, CROWD * sizeof *out), 0);
    s2clr_student_drop_idle();
    CU_ASSERT_EQUAL(s2clr_student_count(), 0);
    s2clr_pool_free(pool);
    free((void *)(uintptr_t)c.planes);
}

static rig_model constant(double bias)
{
    rig_model model = pixel;
    model.constant = true;
    model.bias = bias;
    return model;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* A file that was replaced is not answered from the cache, and the cache does not grow. */
static void a_replaced_model_is_read_again(void)
{
    const float planes[RIG_BANDS] = {1000, 1000, 1000};
    for (int i = 0; i < 20; i++) {
        const rig_model model = constant(0.1 * i);
        float p = NAN;
        const char *path = rig_model_make("replaced.safetensors", &model);
        TEST_OK(run_pixel(path, NULL, planes, 1, &p));
        TEST_NEAR(p, sigmoid((double)(0.1f * (float)i) / 1.3), 1e-6);
        CU_ASSERT_TRUE(s2clr_student_count() <= 5);
    }
}

static void prevalence_and_no_data(void)
{
    const rig_model model = constant(0);
    const char *path = rig_model_make("prevalence.safetensors", &model);
    const char *const more[] = {"prevalence=0.1", NULL};
    const float planes[RIG_BANDS * 4] = {1, NAN, 3, 0, 1, 2, INFINITY, 0, 1, 2, 3, 0};
    float p[4];
    TEST_OK(run_pixel(path, more, planes, 4, p)); /* the card says it was trained at 0.5 */
    TEST_NEAR(p[0], 0.1, 1e-7);
    CU_ASSERT_TRUE(isnan(p[1]) && isnan(p[2]));
    TEST_NEAR(p[3], 0.1, 1e-7); /* the card names no value for no data */
    rig_model certain = constant(0);
    certain.prevalence = 1; /* from which no other share can be reached */
    path = rig_model_make("certain.safetensors", &certain);
    TEST_OK(run_pixel(path, NULL, planes, 4, p));
    TEST_NEAR(p[0], 0.5, 1e-7);
    CU_ASSERT_EQUAL(run_pixel(path, more, planes, 4, p), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("training prevalence of 1");
}

static void wrong_models_are_refused(void)
{
    const float planes[RIG_BANDS] = {1, 2, 3};
    const char *model = rig_model_make("good.safetensors", &pixel);
    const char *dense = rig_model_make("dense.safetensors", &rig_dense);
    const char *const level[] = {"level=L3X", NULL};
    const char *const device[] = {"device=abacus", NULL};
    const float *source[4] = {planes, planes, planes, planes};
    s2clr_pointwise_call call;
    float p = -1;
    CU_ASSERT_EQUAL(run_pixel(dense, NULL, planes, 1, &p), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("architecture dense sees more than one pixel; take a model of");
    CU_ASSERT_NOT_EQUAL(run_pixel("/nowhere/none.safetensors", NULL, planes, 1, &p), S2CLR_OK);
    TEST_ERROR_SAYS("/nowhere/none.safetensors");
    CU_ASSERT_NOT_EQUAL(run_pixel(test_source("test_pixel_network.c"), NULL, planes, 1, &p),
                        S2CLR_OK);
    CU_ASSERT_EQUAL(run_pixel(model, level, planes, 1, &p), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("argument level is L3X, wanted a level of");
    TEST_ERROR_SAYS("L2A");
    CU_ASSERT_NOT_EQUAL(run_pixel(model, device, planes, 1, &p), S2CLR_OK);
    TEST_ERROR_SAYS("abacus");
    TEST_OK(bind_pixel(model, NULL, 4, &call));
    CU_ASSERT_EQUAL(s2clr_pointwise_run(&call, source, 1, &p), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("wants 3, in this order: B02,B03,B04");
}

static const test_case cases[] = {
    {"a_patch_is_the_mean_of_its_pixels", a_patch_is_the_mean_of_its_pixels},
    {"portable_gives_the_bits_of_prediction", portable_gives_the_bits_of_prediction},
    {"cpu_gives_the_values_of_prediction", cpu_gives_the_values_of_prediction},
    {"the_window_does_not_matter", the_window_does_not_matter},
    {"threads_share_one_network", threads_share_one_network},
    {"a_replaced_model_is_read_again", a_replaced_model_is_read_again},
    {"prevalence_and_no_data", prevalence_and_no_data},
    {"wrong_models_are_refused", wrong_models_are_refused},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    const int code = TEST_MAIN("pixel_network", cases, argc, argv);
    s2clr_student_drop_idle();
    return code;
}
