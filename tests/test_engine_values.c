/*
 * What the engine tells besides the probability: evidence against a slow reference, embeddings
 * against one patch alone, the shift of prevalence against Bayes' rule, and the count of units.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alone_rig.h"
#include "harness.h"

static bool holes(int x, int y)
{
    return !((x % 37 < 11 && y % 29 < 13) || (x > 40 && x < 60 && y > 20));
}

static const rig_scene scene = {.width = 331, .height = 203, .valid = holes};

/* ---- evidence ---- */

/* Mean of the local logits whose centres lie in [-s/2, s/2) of the patch's centre. */
static double slow_evidence(const rig_alone *a, int step, int stride, double temperature)
{
    double total = 0;
    int count = 0;
    for (int y = 0; y < a->shape.h; y++)
        for (int x = 0; x < a->shape.w; x++) {
            const double dx = step * (x - (a->shape.w - 1) / 2.0);
            const double dy = step * (y - (a->shape.h - 1) / 2.0);
            if (dx < -stride / 2.0 || dx >= stride / 2.0) continue;
            if (dy < -stride / 2.0 || dy >= stride / 2.0) continue;
            total += a->output[y * a->shape.w + x];
            count++;
        }
    return total / count / temperature;
}

static void evidence_of(const rig_model *model, int stride, int pick)
{
    rig_bench b;
    rig_alone a;
    char name[600];
    snprintf(name, sizeof name, "%s", rig_model_make("evidence.safetensors", model));
    TEST_OK(rig_bench_open(name, rig_scene_make("evidence.tif", &scene), "auto", 2,
                           S2CLR_AIM_PROBABILITY, stride, (s2clr_engine_options){.min_valid = 0.5},
                           &b));
    const int step = s2clr_net_step(s2clr_model_net(b.model));
    const size_t outputs = (size_t)b.grid.columns * (size_t)b.grid.rows;
    float *map = calloc(outputs, sizeof *map), *evidence = calloc(outputs, sizeof *evidence);
    const s2clr_values values = {.probability = map, .evidence = evidence};
    TEST_OK(rig_bench_run(&b, 0, 0, b.grid.columns, b.grid.rows, NULL, &values));
    rig_alone_open(&b, S2CLR_OUTPUT_LOCAL, &a);
    int compared = 0;
    for (int i = 0; i < (int)outputs; i++) {
        CU_ASSERT_EQUAL(isnan(map[i]), isnan(evidence[i]));
        if (i % pick || isnan(map[i])) continue;
        rig_alone_run(&a, &b, i % b.grid.columns, i / b.grid.columns);
        TEST_NEAR(evidence[i], slow_evidence(&a, step, stride, model->temperature), 2e-5);
        compared++;
    }
    CU_ASSERT(compared > 20);
    rig_alone_close(&a);
    free(map);
    free(evidence);
    rig_bench_close(&b);
}

static void evidence(void)
{
    rig_model odd = rig_dense, even = rig_dense, pixel = {.arch = "pixel", .width = 6, .depth = 2};
    odd.temperature = even.temperature = pixel.temperature = 1.6;
    even.patch = 32; /* 4 logits per axis instead of 3 */
    pixel.patch = 16;
    pixel.stride = 8;
    evidence_of(&odd, 4, 53);
    evidence_of(&odd, 8, 13);
    evidence_of(&odd, 32, 1); /* the output pixel is larger than its patch */
    evidence_of(&even, 4, 53);
    evidence_of(&even, 8, 13);
    evidence_of(&even, 12, 7);
    evidence_of(&pixel, 1, 601);
    evidence_of(&pixel, 7, 17);
}

/* ---- embedding ---- */

static void embedding_of(const rig_model *model, int stride, int pick)
{
    rig_bench b;
    rig_alone a;
    char name[600];
    snprintf(name, sizeof name, "%s", rig_model_make("embed.safetensors", model));
    TEST_OK(rig_bench_open(name, rig_scene_make("embed.tif", &scene), "auto", 2,
                           S2CLR_AIM_EMBEDDING, stride, (s2clr_engine_options){.min_valid = 0.5},
                           &b));
    const size_t outputs = (size_t)b.grid.columns * (size_t)b.grid.rows;
    const int planes = s2clr_runtime_planes(b.runtime);
    float *map = calloc(outputs * (size_t)planes, sizeof *map);
    const s2clr_values values = {.embedding = map};
    TEST_OK(rig_bench_run(&b, 0, 0, b.grid.columns, b.grid.rows, NULL, &values));
    rig_alone_open(&b, S2CLR_OUTPUT_FEATURES, &a);
    CU_ASSERT_EQUAL_FATAL(planes, a.shape.c);
    int compared = 0;
    double largest = 0;
    for (size_t i = 0; i < outputs; i += (size_t)pick) {
        if (isnan(map[i])) continue;
        rig_alone_run(&a, &b, (int)i % b.grid.columns, (int)i / b.grid.columns);
        for (int f = 0; f < planes; f++) {
            TEST_NEAR(map[(size_t)f * outputs + i], a.output[f], 1e-5);
            largest = fmax(largest, fabs(a.output[f]));
        }
        compared++;
    }
    CU_ASSERT(compared > 20);
    CU_ASSERT(largest > 1e-2); /* or the comparison shows nothing */
    rig_alone_close(&a);
    free(map);
    rig_bench_close(&b);
}

static void embedding(void)
{
    const rig_model pixel = {.arch = "pixel", .width = 6, .depth = 2, .patch = 16, .stride = 8};
    embedding_of(&rig_dense, 4, 97);
    embedding_of(&rig_dense, 12, 11);
    embedding_of(&rig_resnet, 16, 5);
    embedding_of(&pixel, 8, 29);
}

/* Block by block in any order gives the bytes of the whole. */
static void embedding_in_blocks(void)
{
    rig_bench b;
    TEST_OK(rig_bench_open(rig_model_make("blocks.safetensors", &rig_dense),
                           rig_scene_make("blocks.tif", &scene), "auto", 2, S2CLR_AIM_EMBEDDING, 4,
                           (s2clr_engine_options){.min_valid = 0.5}, &b));
    const int columns = b.grid.columns, rows = b.grid.rows, w = 17, h = 13;
    const size_t outputs = (size_t)columns * (size_t)rows;
    const size_t planes = (size_t)s2clr_runtime_planes(b.runtime);
    float *all = calloc(outputs * planes, sizeof *all), *part = calloc(planes * 17 * 13, 4);
    const s2clr_values whole = {.embedding = all}, piece = {.embedding = part};
    TEST_OK(rig_bench_run(&b, 0, 0, columns, rows, NULL, &whole));
    for (int y = rows - h; y >= 0; y -= 11)
        for (int x = columns - w; x >= 0; x -= 29) {
            TEST_OK(rig_bench_run(&b, x, y, w, h, NULL, &piece));
            for (size_t f = 0; f < planes; f++)
                rig_same_bytes(all + f * outputs, columns, x, y, part + f * 17 * 13, w, h);
        }
    free(all);
    free(part);
    rig_bench_close(&b);
}

/* ---- prevalence ---- */

static float *map_at(const char *model, const char *input, double prevalence, size_t *count)
{
    rig_bench b;
    const s2clr_engine_options options = {.min_valid = 0.5, .prevalence = prevalence};
    TEST_OK(rig_bench_open(model, input, "auto", 2, S2CLR_AIM_PROBABILITY, 0, options, &b));
    *count = (size_t)b.grid.columns * (size_t)b.grid.rows;
    float *map = calloc(*count, sizeof *map);
    const s2clr_values values = {.probability = map};
    TEST_OK(rig_bench_run(&b, 0, 0, b.grid.columns, b.grid.rows, NULL, &values));
    rig_bench_close(&b);
    return map;
}

static void prevalence(void)
{
    static const double wanted[] = {0.02, 0.3, 0.9};
    rig_model model = rig_dense;
    char name[600], path[600];
    size_t count;
    model.prevalence = 0.3;
    snprintf(name, sizeof name, "%s", rig_model_make("share.safetensors", &model));
    snprintf(path, sizeof path, "%s", rig_scene_make("share.tif", &scene));
    float *plain = map_at(name, path, 0, &count);
    for (int k = 0; k < 3; k++) {
        float *shifted = map_at(name, path, wanted[k], &count);
        const double odds = wanted[k] / (1 - wanted[k]) / (0.3 / 0.7);
        for (size_t i = 0; i < count; i++) {
            const double p = (double)plain[i] / (1 - (double)plain[i]) * odds;
            CU_ASSERT_EQUAL(isnan(plain[i]), isnan(shifted[i]));
            if (!isnan(plain[i])) TEST_NEAR(shifted[i], p / (1 + p), 1e-6);
        }
        if (k == 1) CU_ASSERT_EQUAL(memcmp(plain, shifted, count * sizeof *plain), 0);
        free(shifted);
    }
    free(plain);
}

/* ---- refusals, units ---- */

static void refuse(const rig_model *model, double share, int expected, const char *text)
{
    rig_bench b;
    const s2clr_engine_options options = {.min_valid = 0.5, .prevalence = share};
    char name[600];
    snprintf(name, sizeof name, "%s", rig_model_make("refuse.safetensors", model));
    CU_ASSERT_EQUAL((int)rig_bench_open(name, rig_scene_make("refuse.tif", &scene), "portable", 1,
                                        S2CLR_AIM_PROBABILITY, 0, options, &b),
                    expected);
    TEST_ERROR_SAYS(text);
    rig_bench_close(&b);
}

static void refusals(void)
{
    rig_model certain = rig_dense;
    float value[64] = {0};
    rig_bench b;
    certain.prevalence = 1;
    refuse(&rig_dense, 1, S2CLR_ERR_ARGUMENT, "both excluded");
    refuse(&rig_dense, -0.1, S2CLR_ERR_ARGUMENT, "both excluded");
    refuse(&rig_dense, NAN, S2CLR_ERR_ARGUMENT, "both excluded");
    refuse(&certain, 0.2, S2CLR_ERR_MISMATCH, "training prevalence");
    const s2clr_values evidence_only = {.evidence = value}, embedding_only = {.embedding = value};
    TEST_OK(rig_bench_open(rig_model_make("none.safetensors", &rig_resnet),
                           rig_scene_make("none.tif", &scene), "portable", 1, S2CLR_AIM_PROBABILITY,
                           0, (s2clr_engine_options){.min_valid = 0.5}, &b));
    CU_ASSERT_EQUAL(rig_bench_run(&b, 0, 0, 1, 1, NULL, &evidence_only), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("dense");
    CU_ASSERT_EQUAL(rig_bench_run(&b, 0, 0, 1, 1, NULL, &embedding_only), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no embedding");
    rig_bench_close(&b);
}

/* All valid, so every unit counts; what the engine has kept is not computed again. */
static void units(void)
{
    const rig_scene full = {.width = 300, .height = 260};
    rig_bench b;
    float *map = calloc(75 * 65, sizeof *map);
    const s2clr_values values = {.probability = map};
    const s2clr_engine_options options = {.min_valid = 0};
    char path[600];
    snprintf(path, sizeof path, "%s", rig_scene_make("units.tif", &full));
    TEST_OK(rig_bench_open(rig_model_make("units.safetensors", &rig_dense), path, "portable", 1,
                           S2CLR_AIM_PROBABILITY, 4, options, &b));
    CU_ASSERT_EQUAL(s2clr_engine_units(b.engine), 0);
    TEST_OK(rig_bench_run(&b, 0, 0, 75, 65, NULL, &values)); /* 77 x 67 local logits */
    CU_ASSERT_EQUAL(s2clr_engine_units(b.engine), 4);
    TEST_OK(rig_bench_run(&b, 70, 60, 3, 3, NULL, &values));
    CU_ASSERT_EQUAL(s2clr_engine_units(b.engine), 4);
    CU_ASSERT_EQUAL(s2clr_engine_unit_columns(b.engine), 64);
    rig_bench_close(&b);
    TEST_OK(rig_bench_open(rig_model_make("units.safetensors", &rig_resnet), path, "portable", 1,
                           S2CLR_AIM_PROBABILITY, 16, options, &b));
    TEST_OK(rig_bench_run(&b, 0, 0, 19, 17, NULL, &values));
    CU_ASSERT_EQUAL(s2clr_engine_units(b.engine), 5 * 17);
    CU_ASSERT_EQUAL(s2clr_engine_unit_columns(b.engine), 4);
    CU_ASSERT_EQUAL(s2clr_engine_unit_rows(b.engine), 1);
    rig_bench_close(&b);
    free(map);
}

static const test_case cases[] = {
    {"evidence", evidence},
    {"embedding", embedding},
    {"embedding_in_blocks", embedding_in_blocks},
    {"prevalence", prevalence},
    {"refusals", refusals},
    {"units", units},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("engine_values", cases, argc, argv);
}
