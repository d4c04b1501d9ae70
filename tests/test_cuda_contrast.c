/*
 * The CUDA module's contrastive loss in this process, on the pretended CUDA (cuda_fake.h): blocks
 * of any size give the same bits, so does any precision of the device, its memory is bounded, and
 * nothing is left behind when a call fails. test_backend_contrast.c tells whether it is right.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cudap.h"
#include "base/philox.h"
#include "cuda_fake.h"
#include "cuda_rig.h"

enum { N = 50, D = 7, VALUES = 2 * N * D };

static const s2clr_backend_contrast *contrast(void)
{
    return s2clr_cuda_training.contrast;
}

typedef struct outcome {
    double loss;
    float dz[VALUES];
} outcome;

static s2clr_status run_on(s2clr_device *device, const float *z, const int *place, outcome *out)
{
    s2clr_stream *stream;
    s2clr_contrast_loss *loss = NULL;
    S2CLR_TRY(s2clr_cuda_stream_new(device, 0, &stream));
    s2clr_status status = contrast()->open(device, N, D, &loss);
    if (status == S2CLR_OK)
        status = contrast()->run(loss, stream, z, place, 0.1, &out->loss, out->dz);
    s2clr_cuda_stream_free(stream); /* first: what is queued reads the memory of the loss */
    contrast()->close(loss);
    return status;
}

/* limit: of workspaces, as if the device had no more. */
static outcome run(const char *words, s2clr_precision precision, size_t limit)
{
    static float z[VALUES];
    int place[N];
    outcome out = {.loss = NAN};
    s2clr_device *const device = cuda_open(words, "", precision);
    for (size_t i = 0; i < VALUES; i++) z[i] = s2clr_random_normal(3, 1, i);
    for (int i = 0; i < N; i++) place[i] = i % 40;
    if (limit) device->workspace_limit = limit;
    TEST_OK(run_on(device, z, place, &out));
    s2clr_cuda_device_close(device);
    return out;
}

static void check_same(const outcome *a, const outcome *b)
{
    CU_ASSERT_TRUE(isfinite(a->loss));
    CU_ASSERT_EQUAL(a->loss, b->loss);
    CU_ASSERT_EQUAL(memcmp(a->dz, b->dz, sizeof a->dz), 0);
}

/* Of 100 views: 1 block; 64 and 36; 16, six times, and 4. */
static void blocks_do_not_matter(void)
{
    static const struct {
        size_t rows;
        long blocks;
    } cuts[] = {{64, 2}, {48, 3}, {16, 7}, {1, 7}};
    const outcome whole = run("", S2CLR_F32, 0);
    CU_ASSERT_EQUAL(fake_calls("cublasLtMatmul"), 3);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        const outcome cut = run("", S2CLR_F32, cuts[i].rows * 2 * N * sizeof(float) * 4);
        CU_ASSERT_EQUAL(fake_calls("cublasLtMatmul"), 3 * cuts[i].blocks);
        check_same(&cut, &whole);
    }
}

static void precisions_do_not_matter(void)
{
    const outcome wanted = run("", S2CLR_F32, 0);
    static const s2clr_precision others[] = {S2CLR_TF32, S2CLR_BF16};
    for (size_t i = 0; i < 2; i++) {
        const outcome got = run("", others[i], 0);
        check_same(&got, &wanted);
    }
}

/* 16384 views in less than what their cosines alone would take, 1 GiB. */
static void memory_is_bounded(void)
{
    size_t bytes = 0, small = 0;
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    TEST_OK(contrast()->bytes(device, 8192, 128, &bytes));
    CU_ASSERT_TRUE(bytes < (size_t)512 << 20);
    TEST_OK(contrast()->bytes(device, 16, 128, &small));
    CU_ASSERT_TRUE(small < (size_t)34 << 20); /* room for a product, and little else */
    CU_ASSERT_EQUAL(contrast()->bytes(device, SIZE_MAX / 2, 128, &bytes), S2CLR_ERR_MEMORY);

    s2clr_stream *stream = NULL;
    s2clr_contrast_loss *loss = NULL;
    const size_t before = fake_memory_free(0);
    TEST_OK(s2clr_cuda_stream_new(device, 0, &stream));
    const size_t between = fake_memory_free(0);
    TEST_OK(contrast()->bytes(device, N, D, &bytes));
    TEST_OK(contrast()->open(device, N, D, &loss));
    CU_ASSERT_TRUE(between - fake_memory_free(0) <= bytes);
    contrast()->close(loss);
    s2clr_cuda_stream_free(stream);
    CU_ASSERT_EQUAL(fake_memory_free(0), before);
    s2clr_cuda_device_close(device);
}

static s2clr_status attempt(const char *words, outcome *out)
{
    static float z[VALUES];
    s2clr_device *device;
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
    for (size_t i = 0; i < VALUES; i++) z[i] = s2clr_random_normal(3, 1, i);
    S2CLR_TRY(s2clr_cuda_device_open("", S2CLR_F32, &device));
    device->workspace_limit = 64 * 2 * N * sizeof(float) * 4; /* two blocks */
    const s2clr_status status = run_on(device, z, NULL, out);
    s2clr_cuda_device_close(device);
    return status;
}

/* A call that fails: the message is there, results are not, unless it only gave something back. */
static void check_failure(const char *words)
{
    outcome out = {.loss = 7};
    const s2clr_status status = attempt(words, &out);
    const bool clean = out.loss == 7 && s2clr_error_text()[0] != '\0';
    if ((status == S2CLR_OK || clean) && fake_object_count() == 0) return;
    char text[800];
    snprintf(text, sizeof text, "%s: status %d, '%s', %zu things left", words, (int)status,
             s2clr_error_text(), fake_object_count());
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void every_call_may_fail(void)
{
    enum { ENTRIES = 100 };
    static char names[ENTRIES][64];
    long calls[ENTRIES] = {0};
    size_t entries = 0;
    outcome out;
    TEST_OK(attempt("", &out));
    for (const char *name; entries < ENTRIES && (name = fake_entry(entries, &calls[entries]));
         entries++)
        snprintf(names[entries], sizeof names[entries], "%s", name);
    CU_ASSERT_TRUE(entries > 20);
    for (size_t i = 0; i < entries; i++)
        for (long k = 1; k <= calls[i]; k++) {
            char words[100];
            snprintf(words, sizeof words, "fail=%.60s:%ld", names[i], k);
            check_failure(words);
        }
    check_failure("memory=1");
}

static const test_case cases[] = {
    {"blocks do not matter", blocks_do_not_matter},
    {"precisions do not matter", precisions_do_not_matter},
    {"memory is bounded", memory_is_bounded},
    {"every call may fail", every_call_may_fail},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_contrast", cases, argc, argv);
}
