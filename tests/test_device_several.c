/* Words that name several devices. That those are opened: test_learner_group.c, and with the
 * command test_cuda_together.sh. */
#include "harness.h"

#include "backend/device_select.h"
#include "backend/device_several.h"

static void wrong_words_are_refused(void)
{
    static const char *const wrong[] = {"cuda:0+0", "cuda:0+",        "cuda:+1",
                                        "cuda:1+x", "cuda:0+1x,fast", "cuda:00000+1"};
    const s2clr_backend *backend = NULL;
    s2clr_device **devices = NULL;
    int count = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CU_ASSERT_TRUE(s2clr_device_names_several(wrong[i]));
        CU_ASSERT_EQUAL(
            s2clr_device_select_several(wrong[i], S2CLR_F32, &backend, &devices, &count),
            S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS("names no devices: write their numbers, each once");
    }
}

static void one_is_one(void)
{
    const s2clr_backend *backend = NULL;
    s2clr_device **devices = NULL;
    int count = 0;
    CU_ASSERT_TRUE(s2clr_device_names_several("cuda:all,fast"));
    CU_ASSERT_FALSE(s2clr_device_names_several("cuda:0,fast"));
    CU_ASSERT_FALSE(s2clr_device_names_several("auto"));
    TEST_OK(s2clr_device_select_several("portable", S2CLR_F32, &backend, &devices, &count));
    CU_ASSERT_EQUAL(count, 1);
    s2clr_device_close_several(backend, devices, count);
}

static void who_takes_one_says_so(void)
{
    const s2clr_backend *backend = NULL;
    s2clr_device *device = NULL;
    CU_ASSERT_EQUAL(s2clr_device_select("cuda:0+1", S2CLR_F32, &backend, &device),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("'cuda:0+1' names several devices");
    CU_ASSERT_PTR_NULL(device);
}

static const test_case cases[] = {
    {"wrong words are refused", wrong_words_are_refused},
    {"one is one", one_is_one},
    {"who takes one says so", who_takes_one_says_so},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("device_several", cases, argc, argv);
}
