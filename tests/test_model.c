#define _POSIX_C_SOURCE 200809L
#include "harness.h"

#include <dirent.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/philox.h"
#include "file/model.h"
#include "file/safetensors.h"

#define PATH_ROOM 4200

static const char *model_path(void)
{
    static char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/model.safetensors", test_folder());
    return path;
}

static size_t entries_in(const char *folder)
{
    DIR *open = opendir(folder);
    size_t count = 0;
    for (struct dirent *entry; open && (entry = readdir(open));) count += entry->d_name[0] != '.';
    if (open) closedir(open);
    return count;
}

/* A small ResNet with random weights and the card that belongs to it. */
typedef struct fixture {
    s2clr_net *net;
    float *params;
    s2clr_card *card;
} fixture;

static void make(fixture *f)
{
    const s2clr_arch arch = {.name = "resnet18", .channels = 3, .outputs = 1, .width = 4};
    *f = (fixture){0};
    TEST_OK(s2clr_net_new(&arch, &f->net));
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->net);
    TEST_OK(
        s2clr_alloc(s2clr_net_param_count(f->net), sizeof(float), "weights", (void **)&f->params));
    TEST_OK(s2clr_net_init(f->net, 11, f->params));
    TEST_OK(s2clr_card_new(&f->card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->card);
    s2clr_card *c = f->card;
    strcpy(c->id, "resnet-test");
    strcpy(c->positive, "irrigated");
    c->arch = arch;
    c->bands = 3, c->levels = 1, c->patch = 64, c->stride = 32;
    strcpy(c->level[0].name, "L2A");
    c->level[0].high = 1;
    for (int b = 0; b < 3; b++) {
        snprintf(c->band[b], sizeof c->band[b], "B%02d", b + 2);
        c->mean[b] = 0.1f, c->std[b] = 0.2f;
        c->level[0].gain[b] = 1e-4;
    }
}

static void drop(fixture *f)
{
    s2clr_net_free(f->net);
    s2clr_free(f->params);
    s2clr_card_free(f->card);
    unlink(model_path());
}

/* Opening must fail with that status, say that, and leave `out` alone. */
static void opening_fails(s2clr_status wanted, const char *says)
{
    s2clr_model *model = NULL;
    s2clr_error_clear();
    CU_ASSERT_EQUAL(s2clr_model_open(model_path(), &model), wanted);
    CU_ASSERT_PTR_NULL(model);
    TEST_ERROR_SAYS("model.safetensors: ");
    TEST_ERROR_SAYS(says);
    s2clr_model_close(model);
}

static void what_is_saved_opens_again(void)
{
    fixture f;
    make(&f);
    TEST_OK(s2clr_model_save(model_path(), f.card, f.net, f.params));
    CU_ASSERT_EQUAL(entries_in(test_folder()), 1);
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(model_path(), &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    const size_t count = s2clr_net_param_count(f.net);
    CU_ASSERT_EQUAL_FATAL(s2clr_net_param_count(s2clr_model_net(model)), count);
    CU_ASSERT_EQUAL(memcmp(s2clr_model_params(model), f.params, count * sizeof(float)), 0);
    CU_ASSERT_STRING_EQUAL(s2clr_model_card(model)->id, "resnet-test");
    CU_ASSERT_EQUAL(s2clr_model_card(model)->arch.width, 4);
    CU_ASSERT_STRING_EQUAL(s2clr_model_path(model), model_path());
    CU_ASSERT_EQUAL(strlen(s2clr_model_sha256(model)), 64);

    s2clr_tensors *file = NULL;
    TEST_OK(s2clr_tensors_open(model_path(), &file));
    char hex[65];
    s2clr_tensors_sha256(file, hex);
    CU_ASSERT_STRING_EQUAL(hex, s2clr_model_sha256(model));
    CU_ASSERT_STRING_EQUAL(s2clr_tensors_metadata(file, "format"), "pt");
    s2clr_tensors_close(file);
    s2clr_model_close(model);
    s2clr_model_close(NULL);
    drop(&f);
}

/* 8 bits of precision: a rounded weight is at most half of 2^-7 off; the others are not touched. */
static void halves_are_rounded_weights(void)
{
    fixture f;
    make(&f);
    TEST_OK(s2clr_model_save_bf16(model_path(), f.card, f.net, f.params));
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(model_path(), &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(f.net, &list);
    size_t rounded = 0;
    for (size_t i = 0; i < count; i++) {
        const float *was = f.params + list[i].offset;
        const float *is = s2clr_model_params(model) + list[i].offset;
        for (size_t v = 0; v < list[i].count; v++) {
            const float wrong = fabsf(is[v] - was[v]);
            CU_ASSERT(list[i].rank < 2 ? wrong == 0 : wrong <= fabsf(was[v]) / 256);
            rounded += wrong > 0;
        }
    }
    CU_ASSERT(rounded > s2clr_net_param_count(f.net) / 2);
    s2clr_model_close(model);
    drop(&f);
}

static void the_same_model_has_the_same_bytes(void)
{
    fixture f;
    make(&f);
    char first[65];
    s2clr_model *model = NULL;
    for (int round = 0; round < 2; round++) {
        TEST_OK(s2clr_model_save(model_path(), f.card, f.net, f.params));
        TEST_OK(s2clr_model_open(model_path(), &model));
        CU_ASSERT_PTR_NOT_NULL_FATAL(model);
        if (round == 0)
            strcpy(first, s2clr_model_sha256(model));
        else
            CU_ASSERT_STRING_EQUAL(first, s2clr_model_sha256(model));
        s2clr_model_close(model);
    }
    drop(&f);
}

/* The example's tensors as a list that a case changes before it is written. */
static s2clr_tensor *list_tensors(const fixture *f, size_t extra, size_t *count)
{
    const s2clr_param *list;
    *count = s2clr_net_param_list(f->net, &list);
    s2clr_tensor *tensors = calloc(*count + extra, sizeof *tensors);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tensors);
    for (size_t i = 0; i < *count; i++) {
        tensors[i] = (s2clr_tensor){.name = list[i].name,
                                    .dtype = S2CLR_DTYPE_F32,
                                    .rank = list[i].rank,
                                    .count = list[i].count,
                                    .bytes = list[i].count * sizeof(float),
                                    .data = f->params + list[i].offset};
        for (int d = 0; d < list[i].rank; d++) tensors[i].dims[d] = list[i].dims[d];
    }
    return tensors;
}

static s2clr_tensor *find_tensor(s2clr_tensor *tensors, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(tensors[i].name, name) == 0) return &tensors[i];
    CU_FAIL_FATAL("no such tensor");
    return NULL;
}

static void write_tensors(const fixture *f, const s2clr_tensor *tensors, size_t count)
{
    char *json = NULL;
    TEST_OK(s2clr_card_format(f->card, &json));
    const s2clr_metadata metadata = {"s2clr.card", json};
    TEST_OK(s2clr_tensors_write(model_path(), tensors, count, &metadata, 1));
    s2clr_free(json);
}

static void a_missing_tensor_is_named(void)
{
    fixture f;
    make(&f);
    size_t count;
    s2clr_tensor *tensors = list_tensors(&f, 0, &count);
    *find_tensor(tensors, count, "layer2.0.conv1.weight") = tensors[count - 1];
    write_tensors(&f, tensors, count - 1);
    opening_fails(S2CLR_ERR_MISMATCH, "tensor 'layer2.0.conv1.weight' [8, 4, 3, 3] is missing");
    float first = f.params[0];
    CU_ASSERT_EQUAL(s2clr_model_load_weights(model_path(), f.net, f.params), S2CLR_ERR_MISMATCH);
    CU_ASSERT_EQUAL(f.params[0], first);
    free(tensors);
    drop(&f);
}

static void a_wrong_shape_is_named(void)
{
    fixture f;
    make(&f);
    size_t count;
    s2clr_tensor *tensors = list_tensors(&f, 0, &count);
    s2clr_tensor *t = find_tensor(tensors, count, "layer2.0.conv1.weight");
    t->dims[0] = 4, t->dims[1] = 8; /* as many numbers, transposed */
    write_tensors(&f, tensors, count);
    opening_fails(S2CLR_ERR_MISMATCH,
                  "tensor 'layer2.0.conv1.weight' has shape [4, 8, 3, 3], resnet18 with 3 channels "
                  "and 1 outputs wants [8, 4, 3, 3]");
    free(tensors);
    drop(&f);
}

static void a_left_over_tensor_is_a_mismatch_unless_a_counter(void)
{
    fixture f;
    make(&f);
    size_t count;
    s2clr_tensor *tensors = list_tensors(&f, 1, &count);
    const int64_t batches = 77;
    tensors[count] = (s2clr_tensor){.name = "bn1.num_batches_tracked",
                                    .dtype = S2CLR_DTYPE_I64,
                                    .count = 1,
                                    .bytes = sizeof batches,
                                    .data = &batches};
    write_tensors(&f, tensors, count + 1);
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(model_path(), &model));
    s2clr_model_close(model);
    tensors[count].name = "layer5.0.conv1.weight";
    write_tensors(&f, tensors, count + 1);
    opening_fails(S2CLR_ERR_MISMATCH, "tensor 'layer5.0.conv1.weight' is no part of resnet18");
    TEST_OK(s2clr_model_load_weights(model_path(), f.net, f.params));
    free(tensors);
    drop(&f);
}

static void weights_of_integers_are_refused(void)
{
    fixture f;
    make(&f);
    size_t count;
    s2clr_tensor *tensors = list_tensors(&f, 0, &count);
    find_tensor(tensors, count, "conv1.weight")->dtype = S2CLR_DTYPE_I32;
    write_tensors(&f, tensors, count);
    opening_fails(S2CLR_ERR_UNSUPPORTED, "tensor 'conv1.weight' holds I32");
    free(tensors);
    drop(&f);
}

/* Sets one element of a parameter, directly in the file's bytes too. */
static void values_are_judged(const char *name, float value, const char *says)
{
    fixture f;
    make(&f);
    size_t count;
    s2clr_tensor *tensors = list_tensors(&f, 0, &count);
    const s2clr_tensor *t = find_tensor(tensors, count, name);
    f.params[(const float *)t->data - f.params + 2] = value;
    write_tensors(&f, tensors, count);
    if (says) {
        opening_fails(S2CLR_ERR_FORMAT, says);
        CU_ASSERT_EQUAL(s2clr_model_load_weights(model_path(), f.net, f.params), S2CLR_ERR_FORMAT);
        unlink(model_path());
        CU_ASSERT_EQUAL(s2clr_model_save(model_path(), f.card, f.net, f.params), S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS(says);
        CU_ASSERT_EQUAL(entries_in(test_folder()), 0);
    } else {
        s2clr_model *model = NULL;
        TEST_OK(s2clr_model_open(model_path(), &model));
        s2clr_model_close(model);
    }
    free(tensors);
    drop(&f);
}

static void nan_weights_are_refused(void)
{
    values_are_judged("layer1.0.conv1.weight", NAN,
                      "'layer1.0.conv1.weight' holds nan at element 2");
    values_are_judged("layer1.0.conv1.weight", -INFINITY, "holds -inf");
    values_are_judged("bn1.running_var", INFINITY, "'bn1.running_var' holds inf");
}

static void negative_variances_are_refused(void)
{
    values_are_judged("bn1.running_var", -1e-3f, "'bn1.running_var' holds -0.001");
    values_are_judged("bn1.running_var", 0.0f, NULL);
    values_are_judged("bn1.running_mean", -1e-3f, NULL);
}

static void card_and_weights_must_fit(void)
{
    fixture f;
    make(&f);
    size_t count;
    s2clr_tensor *tensors = list_tensors(&f, 0, &count);
    f.card->arch.width = 8;
    write_tensors(&f, tensors, count);
    opening_fails(S2CLR_ERR_MISMATCH, "wants [8, 3, 7, 7]");
    f.card->arch.width = 4;
    strcpy(f.card->arch.name, "resnet50");
    write_tensors(&f, tensors, count);
    opening_fails(S2CLR_ERR_MISMATCH, "resnet50");
    strcpy(f.card->arch.name, "resnet999");
    write_tensors(&f, tensors, count);
    opening_fails(S2CLR_ERR_ARGUMENT, "resnet999");
    free(tensors);
    drop(&f);
}

static void saving_checks_card_against_network(void)
{
    fixture f;
    make(&f);
    f.card->arch.width = 5;
    CU_ASSERT_EQUAL(s2clr_model_save(model_path(), f.card, f.net, f.params), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("width 5");
    f.card->arch.width = 0;
    TEST_OK(s2clr_model_save(model_path(), f.card, f.net, f.params));
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(model_path(), &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_EQUAL(s2clr_model_card(model)->arch.width, 4);
    s2clr_model_close(model);
    unlink(model_path());
    f.card->std[1] = 0;
    CU_ASSERT_EQUAL(s2clr_model_save(model_path(), f.card, f.net, f.params), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("'std' is 0");
    CU_ASSERT_EQUAL(entries_in(test_folder()), 0);
    drop(&f);
}

static void weights_without_a_card_load_but_are_no_model(void)
{
    fixture f;
    make(&f);
    size_t count;
    s2clr_tensor *tensors = list_tensors(&f, 0, &count);
    TEST_OK(s2clr_tensors_write(model_path(), tensors, count, NULL, 0));
    opening_fails(S2CLR_ERR_FORMAT, "weights without a card");
    float *read;
    const size_t size = s2clr_net_param_count(f.net);
    TEST_OK(s2clr_alloc(size, sizeof *read, "weights", (void **)&read));
    TEST_OK(s2clr_model_load_weights(model_path(), f.net, read));
    CU_ASSERT_EQUAL(memcmp(read, f.params, size * sizeof *read), 0);
    s2clr_free(read);
    free(tensors);
    drop(&f);
}

static void places_that_cannot_be_used_are_named(void)
{
    fixture f;
    make(&f);
    char path[PATH_ROOM + 16];
    snprintf(path, sizeof path, "%s/no/model", test_folder());
    CU_ASSERT_EQUAL(s2clr_model_save(path, f.card, f.net, f.params), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("no/model: cannot create the file");
    CU_ASSERT_EQUAL(entries_in(test_folder()), 0);
    opening_fails(S2CLR_ERR_IO, "cannot open");
    drop(&f);
}

/* A model cut short anywhere, or with any byte of its header changed, opens or is refused; under
 * the sanitizers this shows that nothing is read or written outside. */
static void damaged_models_never_hurt(void)
{
    fixture f;
    make(&f);
    TEST_OK(s2clr_model_save(model_path(), f.card, f.net, f.params));
    FILE *file = fopen(model_path(), "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    static unsigned char whole[1 << 20], bytes[1 << 20];
    const size_t size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    CU_ASSERT_TRUE_FATAL(size > 4096 && size < sizeof whole);
    const uint32_t header = whole[0] | (uint32_t)whole[1] << 8 | (uint32_t)whole[2] << 16;
    int opened = 0, refused = 0;
    for (uint32_t i = 0; i < 300; i++) {
        memcpy(bytes, whole, size);
        const size_t keep = i % 10 == 0 ? s2clr_random_below(1, 1, i, (uint32_t)size) : size;
        bytes[s2clr_random_below(1, 2, i, header + 8)] ^=
            (unsigned char)(1u << s2clr_random_below(1, 3, i, 8));
        file = fopen(model_path(), "wb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_EQUAL(fwrite(bytes, 1, keep, file), keep);
        fclose(file);
        s2clr_model *model = NULL;
        if (s2clr_model_open(model_path(), &model) == S2CLR_OK)
            opened++;
        else
            refused++;
        s2clr_model_close(model);
    }
    CU_ASSERT_TRUE(refused > 200);
    CU_ASSERT_EQUAL(opened + refused, 300);
    drop(&f);
}

static const test_case cases[] = {
    {"what is saved opens again", what_is_saved_opens_again},
    {"halves are rounded weights", halves_are_rounded_weights},
    {"the same model has the same bytes", the_same_model_has_the_same_bytes},
    {"a missing tensor is named", a_missing_tensor_is_named},
    {"a wrong shape is named", a_wrong_shape_is_named},
    {"a left-over tensor is a mismatch", a_left_over_tensor_is_a_mismatch_unless_a_counter},
    {"weights of integers are refused", weights_of_integers_are_refused},
    {"NaN weights are refused", nan_weights_are_refused},
    {"negative variances are refused", negative_variances_are_refused},
    {"card and weights must fit", card_and_weights_must_fit},
    {"saving checks card against network", saving_checks_card_against_network},
    {"weights without a card", weights_without_a_card_load_but_are_no_model},
    {"places that cannot be used are named", places_that_cannot_be_used_are_named},
    {"damaged models never hurt", damaged_models_never_hurt},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("model", cases, argc, argv);
}
