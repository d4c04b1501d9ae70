/*
 * Recipes whose weights stay on the device, on the pretended CUDA (cuda_fake.h): they learn what
 * the portable backend learns, go on alike after they were stopped, lose nothing when a call fails,
 * and stay within the memory of the device.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_training_rig.h"
#include "recipe_rig.h"

/* Twenty steps, small ones: see test_learner.c. */
static void it_learns_what_the_portable_backend_learns(void)
{
    cuda_words("");
    for (int contrastive = 0; contrastive < 2; contrastive++) {
        cuda_job here = {.folder = contrastive ? "here-c" : "here",
                         .contrastive = contrastive,
                         .portable = true,
                         .epochs = contrastive ? 7 : 5,
                         .rate = 2e-5};
        cuda_job there = here;
        there.folder = contrastive ? "there-c" : "there";
        there.portable = false;
        TEST_OK(cuda_job_run(&here));
        CU_ASSERT_EQUAL(fake_calls("s2clr_cuda_launch_update"), 0);
        TEST_OK(cuda_job_run(&there));
        CU_ASSERT_EQUAL(fake_calls("s2clr_cuda_launch_update"), contrastive ? 21 : 20);
        TEST_NEAR(cuda_job_apart(there.folder, here.folder), 0, 1e-4);
        cuda_words("");
    }
}

static void it_goes_on_where_it_was_stopped(void)
{
    cuda_words("");
    for (int kind = 0; kind < 2; kind++) {
        cuda_job whole = {.folder = kind ? "whole-c" : "whole",
                          .contrastive = kind == 1,
                          .precision = kind == 1 ? S2CLR_BF16 : S2CLR_F32,
                          .epochs = 3};
        cuda_job_goes_on(&whole);
    }
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* The least memory that a run gets along with is too little for its weights; with more of them it
 * would be another run. */
static void it_does_not_go_on_in_another_way(void)
{
    enum { MOST = 64 };
    char words[40], folder[20];
    cuda_job j = {.folder = folder, .small = true, .epochs = 2};
    s2clr_status status = S2CLR_ERR_MEMORY;
    int memory = 0; /* MiB */
    while (status != S2CLR_OK && memory < MOST) {
        snprintf(folder, sizeof folder, "short-%d", ++memory);
        snprintf(words, sizeof words, "memory=%d", memory);
        cuda_words(words);
        status = cuda_job_run(&j);
    }
    TEST_OK(status);
    CU_ASSERT_PTR_NOT_NULL(strstr(j.warning, "these stay on the host"));
    j.resume = true;
    TEST_OK(cuda_job_run(&j));
    cuda_words("");
    CU_ASSERT_EQUAL(cuda_job_run(&j), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("weights kept by");
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* ---- what fails ---- */

static bool is_any(const char *entry)
{
    (void)entry;
    return true;
}

/* What a contrastive run alone calls, and what tells it that something went wrong before. */
static bool is_contrastive(const char *entry)
{
    static const char *const words[] = {"accumulate", "launch_mean", "Memcpy", "Synchronize"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(entry, words[i])) return true;
    return false;
}

static void every_call_may_fail(void)
{
    const cuda_job j = {.folder = "fails", .small = true, .epochs = 2};
    cuda_job_fail_each(&j, "", is_any);
}

static void every_call_of_a_contrastive_run_may_fail(void)
{
    const cuda_job j = {.folder = "fails-c", .contrastive = true, .small = true, .epochs = 2};
    cuda_job_fail_each(&j, "", is_contrastive);
}

static const test_case cases[] = {
    {"it learns what the portable backend learns", it_learns_what_the_portable_backend_learns},
    {"it goes on where it was stopped", it_goes_on_where_it_was_stopped},
    {"it does not go on in another way", it_does_not_go_on_in_another_way},
    {"every call may fail", every_call_may_fail},
    {"every call of a contrastive run may fail", every_call_of_a_contrastive_run_may_fail},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_training", cases, argc, argv);
}
