/* What a calibration in the card changes, everywhere a logit becomes a probability: maps, evidence,
 * the pixel function, teachers, exports; and what it must not change: the weights. */
#include "harness.h"

#include <gdal.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/card_probability.h"
#include "file/model.h"
#include "file/onnx.h"
#include "file/safetensors.h"
#include "file/stac_mlm.h"
#include "onnx_rig.h"
#include "pointwise/pointwise.h"
#include "pointwise/student.h"
#include "predict_rig.h"
#include "train/supervised.h"
#include "train/teach.h"
#include "train_rig.h"

static const s2clr_calibration with_bias = {.bias = -0.8, .part = "test", .samples = 9};
static const s2clr_calibration with_knots = {.knots = 4,
                                             .knot_logit = {-0.4, -0.1, 0.05, 0.3},
                                             .knot_p = {0.1, 0.35, 0.4, 0.95},
                                             .part = "test",
                                             .samples = 9};

static s2clr_model *open_model(const char *path)
{
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(path, &model));
    if (!model) exit(1);
    return model;
}

/* The same weights with a calibrated card; the path lies in the ring of predict_rig.h. */
static const char *calibrate(const char *path, const s2clr_calibration *calibration)
{
    const char *to = predict_rig_path("calibrated.safetensors");
    s2clr_model *model = open_model(path);
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_copy(s2clr_model_card(model), &card));
    card->calibration = *calibration;
    card->threshold = 0.3;
    TEST_OK(s2clr_model_save_card(to, model, card));
    s2clr_card_free(card);
    s2clr_model_close(model);
    return to;
}

/* ---- the file ---- */

static void same_tensors(const char *a_path, const char *b_path)
{
    s2clr_tensors *a = NULL, *b = NULL;
    const s2clr_tensor *x, *y;
    TEST_OK(s2clr_tensors_open(a_path, &a));
    TEST_OK(s2clr_tensors_open(b_path, &b));
    const size_t count = s2clr_tensors_list(a, &x);
    CU_ASSERT_EQUAL_FATAL(s2clr_tensors_list(b, &y), count);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_STRING_EQUAL(x[i].name, y[i].name);
        CU_ASSERT_TRUE(x[i].dtype == y[i].dtype && x[i].bytes == y[i].bytes);
        CU_ASSERT_EQUAL(memcmp(x[i].data, y[i].data, x[i].bytes), 0);
    }
    CU_ASSERT_STRING_EQUAL(s2clr_tensors_metadata(b, "format"), "pt");
    s2clr_tensors_close(a), s2clr_tensors_close(b);
}

static void the_weights_stay(void)
{
    const char *plain = rig_model_make("plain.safetensors", &rig_dense);
    same_tensors(plain, calibrate(plain, &with_knots));
    s2clr_model *model = open_model(plain);
    const char *halves = predict_rig_path("halves.safetensors");
    TEST_OK(s2clr_model_save_bf16(halves, s2clr_model_card(model), s2clr_model_net(model),
                                  s2clr_model_params(model)));
    const char *path = calibrate(halves, &with_bias);
    same_tensors(halves, path);
    s2clr_model *calibrated = open_model(path);
    CU_ASSERT_EQUAL(s2clr_model_card(calibrated)->calibration.bias, -0.8);
    CU_ASSERT_EQUAL(s2clr_model_card(calibrated)->threshold, 0.3);
    CU_ASSERT_STRING_EQUAL(s2clr_model_card(calibrated)->text[S2CLR_CARD_TITLE], "A made-up model");
    s2clr_model_close(calibrated);
    s2clr_model_close(model);
}

static void another_file_or_network_is_refused(void)
{
    const char *path = rig_model_make("replaced.safetensors", &rig_dense);
    const char *to = predict_rig_path("never.safetensors");
    s2clr_model *model = open_model(path);
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_copy(s2clr_model_card(model), &card));
    card->arch.width++;
    CU_ASSERT_EQUAL(s2clr_model_save_card(to, model, card), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("architecture");
    card->arch.width--;
    card->calibration.knots = 1;
    CU_ASSERT_EQUAL(s2clr_model_save_card(to, model, card), S2CLR_ERR_FORMAT);
    card->calibration.knots = 0;
    rig_model other = rig_dense;
    other.temperature = 3;
    rig_model_make("replaced.safetensors", &other);
    CU_ASSERT_EQUAL(s2clr_model_save_card(to, model, card), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("has changed since");
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "never"), 0);
    s2clr_card_free(card);
    s2clr_model_close(model);
}

/* ---- maps ---- */

enum { COLUMNS = 9, ROWS = 7, OUTPUTS = COLUMNS * ROWS };

typedef struct outputs {
    float probability[OUTPUTS], evidence[OUTPUTS];
} outputs;

static void run_map(const char *model, const char *scene, bool evidence, double prevalence,
                    outputs *out)
{
    rig_bench b;
    const s2clr_engine_options options = {.min_valid = 0.5, .prevalence = prevalence};
    const s2clr_values values = {.probability = out->probability,
                                 .evidence = evidence ? out->evidence : NULL};
    TEST_OK(rig_bench_open(model, scene, "portable", 1, S2CLR_AIM_PROBABILITY, 0, options, &b));
    TEST_OK(rig_bench_run(&b, 3, 3, COLUMNS, ROWS, NULL, &values));
    rig_bench_close(&b);
}

/* The plain map's probability as the calibrated card has it. */
static double expect(const s2clr_card *plain, const s2clr_card *calibrated, float p)
{
    return s2clr_card_probability(calibrated, s2clr_card_logit(plain, (double)p));
}

static void compare_maps(const rig_model *kind, const s2clr_calibration *calibration)
{
    static outputs plain, calibrated, shifted;
    const bool evidence = strcmp(kind->arch, "dense") == 0;
    const char *scene = rig_scene_make("scene.tif", &rig_scene_small);
    const char *path = rig_model_make("plain.safetensors", kind);
    const char *other = calibrate(path, calibration);
    s2clr_model *a = open_model(path), *b = open_model(other);
    size_t seen = 0;
    double spread[2] = {1, 0};
    run_map(path, scene, evidence, 0, &plain);
    run_map(other, scene, evidence, 0, &calibrated);
    run_map(other, scene, evidence, 0.1, &shifted);
    for (size_t i = 0; i < OUTPUTS; i++) {
        if (isnan(plain.probability[i])) continue;
        const double p = expect(s2clr_model_card(a), s2clr_model_card(b), plain.probability[i]);
        TEST_NEAR(calibrated.probability[i], p, 2e-6);
        TEST_NEAR(shifted.probability[i], 0.1 * p / (0.1 * p + 0.9 * (1 - p)), 2e-6);
        if (evidence)
            TEST_NEAR(calibrated.evidence[i], plain.evidence[i] + (float)calibration->bias, 1e-6);
        spread[0] = fmin(spread[0], p), spread[1] = fmax(spread[1], p);
        seen++;
    }
    CU_ASSERT_TRUE(seen > OUTPUTS / 2);
    CU_ASSERT_TRUE(spread[1] > spread[0]);
    s2clr_model_close(a), s2clr_model_close(b);
}

static void maps_are_calibrated(void)
{
    compare_maps(&rig_dense, &with_bias);
    compare_maps(&rig_dense, &with_knots);
    compare_maps(&rig_resnet, &with_bias);
    compare_maps(&rig_resnet, &with_knots);
}

/* ---- the pixel function ---- */

static void run_pixel(const char *model, const float *planes, size_t count, float *out)
{
    char argument[700];
    const char *const given[] = {argument, NULL};
    const float *source[RIG_BANDS];
    s2clr_pointwise_call call;
    snprintf(argument, sizeof argument, "model=%s", model);
    for (size_t b = 0; b < RIG_BANDS; b++) source[b] = planes + b * count;
    TEST_OK(
        s2clr_pointwise_bind(s2clr_pointwise_row(S2CLR_POINTWISE_PIXEL), given, RIG_BANDS, &call));
    TEST_OK(s2clr_pointwise_run(&call, source, count, out));
}

static void the_pixel_function_is_calibrated(void)
{
    enum { PIXELS = 40 };
    const rig_model pixel = {.arch = "pixel", .width = 8, .depth = 2, .patch = 1, .stride = 1};
    const s2clr_calibration *const each[] = {&with_bias, &with_knots};
    const char *path = rig_model_make("pixel.safetensors", &pixel);
    float planes[RIG_BANDS * PIXELS], plain[PIXELS], calibrated[PIXELS];
    for (int i = 0; i < RIG_BANDS * PIXELS; i++) planes[i] = (float)(500 + i * 977 % 3000);
    run_pixel(path, planes, PIXELS, plain);
    for (int k = 0; k < 2; k++) {
        const char *other = calibrate(path, each[k]);
        s2clr_model *a = open_model(path), *b = open_model(other);
        run_pixel(other, planes, PIXELS, calibrated);
        for (int i = 0; i < PIXELS; i++)
            TEST_NEAR(calibrated[i], expect(s2clr_model_card(a), s2clr_model_card(b), plain[i]),
                      2e-6);
        s2clr_model_close(a), s2clr_model_close(b);
    }
}

/* ---- teachers ---- */

enum { FEW = 17 };

static s2clr_model *teacher_new(const char *name, uint64_t seed,
                                const s2clr_calibration *calibration)
{
    s2clr_card *card = textures_card("pixel", 4, 16, 2);
    for (int b = 0; b < RECIPE_BANDS; b++) card->mean[b] = 100, card->std[b] = 30;
    card->calibration = *calibration;
    return recipe_rig_model(name, card, seed);
}

static void teachers_say_what_they_are_calibrated_to(void)
{
    static textures set;
    const s2clr_samples samples = textures_make(&set, 1, FEW, 16, 2);
    const s2clr_machine on = recipe_rig_machine(NULL, S2CLR_F32, 1);
    s2clr_model *a = teacher_new("a", 1, &with_knots), *b = teacher_new("b", 2, &with_bias);
    const s2clr_model *const both[] = {a, b};
    s2clr_card *card = textures_card("resnet18", 8, 16, 2);
    float logits[2][FEW], one[FEW], two[FEW];
    for (int m = 0; m < 2; m++)
        TEST_OK(s2clr_predict_logits(s2clr_model_net(both[m]), s2clr_model_params(both[m]),
                                     s2clr_model_card(both[m]), "NOISE", &samples, on.backend,
                                     on.device, on.pool, NULL, logits[m]));
    TEST_OK(s2clr_teach(both, 1, card, "NOISE", &samples, NULL, &on, NULL, one));
    TEST_OK(s2clr_teach(both, 2, card, "NOISE", &samples, NULL, &on, NULL, two));
    for (int i = 0; i < FEW; i++) {
        const double p = s2clr_card_probability(s2clr_model_card(a), (double)logits[0][i]);
        const double q = s2clr_card_probability(s2clr_model_card(b), (double)logits[1][i]);
        TEST_NEAR(one[i], log(p / (1 - p)), 1e-5);
        TEST_NEAR(1 / (1 + exp(-(double)two[i])), (p + q) / 2, 1e-6);
    }
    recipe_rig_release(&on);
    s2clr_card_free(card);
    s2clr_model_close(a), s2clr_model_close(b);
}

/* ---- exports ---- */

static void exports_say_it(void)
{
    const rig_model kind = rig_resnet;
    const char *path = rig_model_make("export.safetensors", &kind);
    const char *onnx = predict_rig_path("model.onnx"), *item = predict_rig_path("item.json");
    s2clr_model *model = open_model(calibrate(path, &with_bias));
    const s2clr_card *card = s2clr_model_card(model);
    onnx_file file;
    float *dn = calloc(RIG_BANDS * 32 * 32, sizeof *dn);
    for (size_t i = 0; i < RIG_BANDS * 32 * 32; i++) dn[i] = (float)(500 + i * 977 % 3000);
    TEST_OK(s2clr_onnx_write(onnx, model, &card->level[0]));
    onnx_rig_open(onnx, &file);
    onnx_rig_run(&file, 1, dn);
    const onnx_tensor *p = onnx_rig_find(&file, "probability");
    const onnx_tensor *logits = onnx_rig_find(&file, "logits");
    CU_ASSERT_FATAL(p && logits);
    TEST_NEAR(p->values[0], s2clr_card_probability(card, (double)logits->values[0]), 1e-6);
    onnx_rig_close(&file);
    free(dn);
    TEST_OK(s2clr_stac_mlm_write(item, model, "model.safetensors"));
    s2clr_model_close(model);
    model = open_model(calibrate(path, &with_knots));
    CU_ASSERT_EQUAL(s2clr_onnx_write(onnx, model, &s2clr_model_card(model)->level[0]),
                    S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("4 knots");
    TEST_OK(s2clr_onnx_write(onnx, model, NULL));
    TEST_OK(s2clr_stac_mlm_write(item, model, "model.safetensors"));
    json_t *root = json_load_file(item, 0, NULL);
    char *text = json_dumps(root, JSON_COMPACT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"knots\":[[-0.4"));
    free(text);
    json_decref(root);
    s2clr_model_close(model);
}

static const test_case cases[] = {
    {"the weights stay", the_weights_stay},
    {"another file or network is refused", another_file_or_network_is_refused},
    {"maps are calibrated", maps_are_calibrated},
    {"the pixel function is calibrated", the_pixel_function_is_calibrated},
    {"teachers say what they are calibrated to", teachers_say_what_they_are_calibrated_to},
    {"exports say it", exports_say_it},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    const int code = TEST_MAIN("calibrated", cases, argc, argv);
    s2clr_student_drop_idle();
    return code;
}
