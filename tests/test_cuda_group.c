/*
 * Recipes on several devices of the pretended CUDA (cuda_fake.h) that add up their gradients
 * through a pretended NCCL: they go on alike after they were stopped, and no device waits for one
 * that failed.
 */
#include "harness.h"

#include <dlfcn.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_training_rig.h"
#include "recipe_rig.h"

/* NCCL is this program itself, which is linked with -Wl,--wrap=dlopen. */
static bool without_nccl;

void *__wrap_dlopen(const char *file, int flags);
void *__real_dlopen(const char *file, int flags);

void *__wrap_dlopen(const char *file, int flags)
{
    const bool nccl = file && strcmp(file, "libnccl.so.2") == 0;
    if (nccl && without_nccl) return NULL;
    return __real_dlopen(nccl ? NULL : file, flags);
}

static cuda_job job(const char *folder, bool contrastive, int devices, int epochs)
{
    return (cuda_job){.folder = folder,
                      .contrastive = contrastive,
                      .devices = devices,
                      .batch = devices == 3 ? 12 : 16,
                      .epochs = epochs};
}

/* ---- what is learned ---- */

/* As often as there are devices, and all of it given back in order. What is learned is checked by
 * test_learner_group.c. */
static void devices_are_used(void)
{
    cuda_words("devices=3");
    for (int devices = 2; devices <= 3; devices++)
        for (int contrastive = 0; contrastive < 2; contrastive++) {
            char name[32];
            snprintf(name, sizeof name, "used-%d-%d", devices, contrastive);
            cuda_job j = job(name, contrastive, devices, 1);
            TEST_OK(cuda_job_run(&j));
            const long updates = fake_calls("s2clr_cuda_launch_update");
            CU_ASSERT_TRUE(updates > 0 && updates % devices == 0);
            CU_ASSERT_EQUAL(fake_calls("ncclAllReduce"), updates);
            CU_ASSERT_EQUAL(fake_calls("ncclCommInitRankConfig"), devices);
            CU_ASSERT_EQUAL(fake_calls("ncclCommDestroy"), devices);
            CU_ASSERT_EQUAL(fake_calls("ncclCommAbort"), 0);
            CU_ASSERT_EQUAL(fake_object_count(), 0);
            cuda_words("devices=3");
        }
}

static void it_goes_on_where_it_was_stopped(void)
{
    cuda_words("devices=2");
    for (int contrastive = 0; contrastive < 2; contrastive++) {
        cuda_job whole = job(contrastive ? "whole-c" : "whole", contrastive, 2, 3);
        cuda_job_goes_on(&whole);
    }
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

static void the_number_of_devices_is_part_of_a_run(void)
{
    cuda_words("devices=2");
    cuda_job j = job("two", false, 2, 2);
    j.stop_epoch = 2;
    CU_ASSERT_EQUAL(cuda_job_run(&j), S2CLR_ERR_CANCELLED);
    j.resume = true;
    j.stop_epoch = 0;
    j.devices = 0;
    CU_ASSERT_EQUAL(cuda_job_run(&j), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("devices");
}

/* ---- what fails ---- */

/* What ranks wait for each other in, what they come from, and how they end. */
static bool is_of_groups(const char *entry)
{
    static const char *const words[] = {
        "nccl",        "cudaMemcpyAsync", "cudaStreamQuery",    "launch_update",
        "launch_mean", "cudaMalloc",      "cudnnBackendExecute"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(entry, words[i])) return true;
    return false;
}

static bool is_of_nccl(const char *entry)
{
    return strstr(entry, "nccl") != NULL;
}

static void every_call_may_fail(void)
{
    cuda_job j = job("fails", false, 2, 2);
    j.small = true;
    cuda_job_fail_each(&j, "devices=2", is_of_groups);
}

static void what_three_do_together_may_fail(void)
{
    cuda_job j = job("fails-c", true, 3, 2);
    j.small = true;
    cuda_job_fail_each(&j, "devices=3", is_of_nccl);
}

static void what_cannot_be_shared_out(void)
{
    cuda_words("devices=3");
    cuda_job j = job("uneven", false, 3, 1);
    j.batch = 16;
    CU_ASSERT_EQUAL(cuda_job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("16 samples at once cannot be shared out equally over 3 devices: --batch must "
                    "be a multiple of 3");
    j.folder = "uneven-c";
    j.contrastive = true;
    CU_ASSERT_EQUAL(cuda_job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("chunks of 8 patches cannot be shared out equally over 3 devices");
}

static void without_the_library(void)
{
    cuda_words("devices=2");
    without_nccl = true;
    cuda_job j = job("alone", false, 2, 1);
    CU_ASSERT_EQUAL(cuda_job_run(&j), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("training on several devices needs NCCL, and libnccl.so.2 is not here");
    j.devices = 0;
    j.folder = "one";
    TEST_OK(cuda_job_run(&j));
    without_nccl = false;
}

static const test_case cases[] = {
    {"devices are used", devices_are_used},
    {"it goes on where it was stopped", it_goes_on_where_it_was_stopped},
    {"the number of devices is part of a run", the_number_of_devices_is_part_of_a_run},
    {"every call may fail", every_call_may_fail},
    {"what three do together may fail", what_three_do_together_may_fail},
    {"what cannot be shared out", what_cannot_be_shared_out},
    {"without the library", without_the_library},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_group", cases, argc, argv);
}
