/* ONNX export: every architecture through an interpreter of its own, and what stands in the file.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export_rig.h"
#include "file/onnx.h"
#include "onnx_rig.h"

static const char *path_of(const char *name)
{
    static char path[2][1024];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", test_folder(), name);
    return path[turn];
}

static s2clr_model *make(const export_model *kind)
{
    s2clr_model *model = NULL;
    TEST_OK(export_model_make(path_of("m.safetensors"), kind, &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    return model;
}

static void compare(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++) TEST_NEAR(a[i], b[i], 1e-4 * fmax(1, fabs((double)b[i])));
}

/* One output of the model against the same of the file. */
static void check_output(const s2clr_model *model, onnx_file *file, const char *name,
                         s2clr_output output, int n, const float *x)
{
    const onnx_tensor *found = onnx_rig_find(file, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    float *y = calloc(found->count, sizeof *y);
    export_model_run(model, output, n, x, y);
    CU_ASSERT_EQUAL(found->rank, 2);
    CU_ASSERT_EQUAL(found->dims[0], n);
    compare(found->values, y, found->count);
    free(y);
}

/* Returns the file, run on `n` patches of noise. */
static onnx_file run_exported(const s2clr_model *model, int n, const float *x)
{
    onnx_file file;
    TEST_OK(s2clr_onnx_write(path_of("m.onnx"), model, NULL));
    onnx_rig_open(path_of("m.onnx"), &file);
    onnx_rig_run(&file, n, x);
    return file;
}

static float *noise(const s2clr_model *model, int n)
{
    const s2clr_card *card = s2clr_model_card(model);
    const size_t count =
        (size_t)n * (size_t)card->bands * (size_t)card->patch * (size_t)card->patch;
    float *x = calloc(count, sizeof *x);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    export_noise(x, count, 9);
    return x;
}

/* Narrow enough for an interpreter; Inception wants 75 pixels. */
static export_model narrow(const char *arch)
{
    export_model kind = {.arch = arch, .channels = 2, .outputs = 1, .width = 2, .patch = 41};
    if (strcmp(arch, "dense") == 0) kind.patch = 48;
    if (strncmp(arch, "inception", strlen("inception")) == 0) kind.patch = 79;
    return kind;
}

static void every_architecture_computes_the_same(void)
{
    const s2clr_arch_entry *list;
    const size_t count = s2clr_arch_list(&list);
    for (size_t i = 0; i < count; i++) {
        if (strstr(list[i].name, "152")) continue; /* resnet50's blocks once more */
        const export_model kind = narrow(list[i].name);
        s2clr_model *model = make(&kind);
        float *x = noise(model, 1);
        onnx_file file = run_exported(model, 1, x);
        check_output(model, &file, "logits", S2CLR_OUTPUT_LOGITS, 1, x);
        onnx_rig_close(&file);
        s2clr_model_close(model);
        free(x);
    }
}

static void heads_and_encoders(void)
{
    const export_model encoder = {.arch = "resnet18",
                                  .channels = 3,
                                  .outputs = 0,
                                  .width = 4,
                                  .patch = 33,
                                  .heads = {.projections = 3, .projection = {12, 9, 5}}};
    const export_model tapped = {
        .arch = "dense",
        .channels = 2,
        .outputs = 3,
        .width = 4,
        .depth = 2,
        .patch = 44,
        .heads = {.projections = 2, .projection = {8, 6}, .tap = 2, .hiddens = 1, .hidden = {7}}};
    s2clr_model *model = make(&encoder);
    float *x = noise(model, 2);
    onnx_file file = run_exported(model, 2, x);
    CU_ASSERT_EQUAL(file.outputs, 2);
    check_output(model, &file, "features", S2CLR_OUTPUT_FEATURES, 2, x);
    check_output(model, &file, "projection", S2CLR_OUTPUT_PROJECTION, 2, x);
    onnx_rig_close(&file), s2clr_model_close(model), free(x);
    model = make(&tapped);
    x = noise(model, 2);
    file = run_exported(model, 2, x);
    CU_ASSERT_EQUAL(file.outputs, 1);
    check_output(model, &file, "logits", S2CLR_OUTPUT_LOGITS, 2, x);
    onnx_rig_close(&file), s2clr_model_close(model), free(x);
}

/* The whole chain by hand, from DN to probabilities. */
static void check_scaled(int outputs)
{
    const export_model kind = {
        .arch = "dense", .channels = 3, .outputs = outputs, .width = 4, .depth = 1, .patch = 32};
    s2clr_model *model = make(&kind);
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_card_level *level = &card->level[0];
    const size_t area = 32 * 32, count = 3 * area;
    float *dn = calloc(count, sizeof *dn), *x = calloc(count, sizeof *x), y[3] = {0};
    export_noise(dn, count, 12);
    for (size_t i = 0; i < count; i++) {
        const size_t b = i / area;
        dn[i] = 3000 + 3000 * dn[i];
        const double v = level->gain[b] * (double)dn[i] + level->bias[b];
        x[i] = (float)((fmin(fmax(v, level->low), level->high) - (double)card->mean[b]) /
                       (double)card->std[b]);
    }
    export_model_run(model, S2CLR_OUTPUT_LOGITS, 1, x, y);
    onnx_file file;
    TEST_OK(s2clr_onnx_write(path_of("dn.onnx"), model, level));
    onnx_rig_open(path_of("dn.onnx"), &file);
    CU_ASSERT_STRING_EQUAL(file.input, "dn");
    CU_ASSERT_STRING_EQUAL(file.output[0], "probability");
    CU_ASSERT_STRING_EQUAL(file.output[1], "logits");
    onnx_rig_run(&file, 1, dn);
    const onnx_tensor *p = onnx_rig_find(&file, "probability");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    double sum = 0;
    for (int k = 0; k < outputs; k++) sum += exp((double)y[k] / 1.5);
    for (int k = 0; k < outputs; k++) {
        const double odds = exp((double)y[k] / 1.5);
        TEST_NEAR(p->values[k], outputs == 1 ? odds / (1 + odds) : odds / sum, 1e-4);
    }
    onnx_rig_close(&file), s2clr_model_close(model), free(dn), free(x);
}

static void preprocessing_and_probabilities(void)
{
    check_scaled(1);
    check_scaled(3);
}

static void weights_lie_in_the_file_under_their_names(void)
{
    const export_model kind = {
        .arch = "resnet18", .channels = 4, .outputs = 1, .width = 4, .patch = 40};
    s2clr_model *model = make(&kind);
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(s2clr_model_net(model), &list);
    onnx_file file;
    TEST_OK(s2clr_onnx_write(path_of("w.onnx"), model, NULL));
    onnx_rig_open(path_of("w.onnx"), &file);
    CU_ASSERT_EQUAL(file.initializers, (int)count);
    for (size_t i = 0; i < count; i++) {
        const onnx_tensor *t = onnx_rig_find(&file, list[i].name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t);
        CU_ASSERT_TRUE(t->rank == list[i].rank && t->count == list[i].count);
        for (int k = 0; k < t->rank; k++) CU_ASSERT_EQUAL(t->dims[k], list[i].dims[k]);
        CU_ASSERT_EQUAL(memcmp(t->raw, s2clr_model_params(model) + list[i].offset, 4 * t->count),
                        0);
    }
    CU_ASSERT_EQUAL(onnx_rig_count(&file, "Conv"), 20);
    CU_ASSERT_EQUAL(onnx_rig_count(&file, "BatchNormalization"), 20);
    CU_ASSERT_EQUAL(onnx_rig_count(&file, "Add"), 8);
    CU_ASSERT_EQUAL(onnx_rig_count(&file, "Relu"), 17);
    CU_ASSERT_EQUAL(onnx_rig_count(&file, "MaxPool"), 1);
    CU_ASSERT_EQUAL(onnx_rig_count(&file, "Gemm"), 1);
    CU_ASSERT_EQUAL(file.nodes, 20 + 20 + 8 + 17 + 1 + 1 + 2);
    onnx_rig_close(&file), s2clr_model_close(model);
}

static void the_head_of_the_file(void)
{
    const export_model kind = {
        .arch = "pixel", .channels = 2, .outputs = 1, .width = 3, .depth = 1, .patch = 5};
    s2clr_model *model = make(&kind);
    s2clr_card *card = NULL;
    onnx_file file;
    TEST_OK(s2clr_onnx_write(path_of("h.onnx"), model, NULL));
    onnx_rig_open(path_of("h.onnx"), &file);
    CU_ASSERT_EQUAL(file.ir, 8);
    CU_ASSERT_EQUAL(file.opset, 17);
    CU_ASSERT_STRING_EQUAL(file.producer, "s2clr");
    CU_ASSERT_STRING_EQUAL(file.input, "input");
    CU_ASSERT_EQUAL(file.input_dims[0], 0); /* free */
    CU_ASSERT_TRUE(file.input_dims[1] == 2 && file.input_dims[2] == 5 && file.input_dims[3] == 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file.card);
    TEST_OK(s2clr_card_parse(file.card, "h.onnx", &card));
    if (card) CU_ASSERT_STRING_EQUAL(card->id, s2clr_model_card(model)->id);
    s2clr_card_free(card);
    onnx_rig_close(&file);
    CU_ASSERT_EQUAL(s2clr_onnx_write("/nowhere/x.onnx", model, NULL), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("/nowhere/x.onnx: cannot create the file");
    s2clr_model_close(model);
}

static const test_case cases[] = {
    {"every architecture computes the same", every_architecture_computes_the_same},
    {"heads and encoders", heads_and_encoders},
    {"preprocessing and probabilities", preprocessing_and_probabilities},
    {"weights lie in the file under their names", weights_lie_in_the_file_under_their_names},
    {"the head of the file", the_head_of_the_file},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("onnx", cases, argc, argv);
}
