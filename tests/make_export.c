/*
 * make_export FOLDER [ARCH...]: for each architecture a model with random weights, what it exports
 * to, an input and what the portable backend makes of it, for tests/golden/export_check.py:
 *
 *     ARCH.safetensors ARCH.onnx ARCH.dn.onnx ARCH.json ARCH.input ARCH.output
 *
 * The last two are float32, (2, 4, 80, 80) and (2, outputs).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/onnx.h"
#include "file/stac_mlm.h"
#include "export_rig.h"
#include "harness.h"

enum { BATCH = 2, SIDE = 80 };

static const char *folder;
static int wanted;
static char **arch;

static void write_floats(const char *name, const char *part, const float *values, size_t count)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, part);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(values, sizeof *values, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static const char *path_of(const char *name, const char *part, char path[1024])
{
    snprintf(path, 1024, "%s/%s.%s", folder, name, part);
    return path;
}

static void make_one(const char *name)
{
    char path[1024], link[1024];
    s2clr_model *model = NULL;
    const export_model kind = {.arch = name, .outputs = 1, .patch = SIDE, .channels = 4};
    TEST_OK(export_model_make(path_of(name, "safetensors", path), &kind, &model));
    if (!model) return;
    const size_t pixels = (size_t)BATCH * 4 * SIDE * SIDE;
    float *x = calloc(pixels, sizeof *x), y[BATCH] = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    export_noise(x, pixels, 77);
    export_model_run(model, S2CLR_OUTPUT_LOGITS, BATCH, x, y);
    write_floats(name, "input", x, pixels);
    write_floats(name, "output", y, BATCH);
    TEST_OK(s2clr_onnx_write(path_of(name, "onnx", path), model, NULL));
    TEST_OK(s2clr_onnx_write(path_of(name, "dn.onnx", path), model,
                             &s2clr_model_card(model)->level[0]));
    snprintf(link, sizeof link, "%.900s.safetensors", name);
    TEST_OK(s2clr_stac_mlm_write(path_of(name, "json", path), model, link));
    printf("%s\n", name);
    free(x);
    s2clr_model_close(model);
}

static void make(void)
{
    const s2clr_arch_entry *list;
    const size_t count = s2clr_arch_list(&list);
    for (int i = 0; i < wanted; i++) make_one(arch[i]);
    for (size_t i = 0; wanted == 0 && i < count; i++) make_one(list[i].name);
}

static const test_case cases[] = {{"make", make}};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: make_export FOLDER [ARCH...]\n");
        return 2;
    }
    folder = argv[1];
    wanted = argc - 2;
    arch = argv + 2;
    return TEST_MAIN("make_export", cases, 1, argv);
}
