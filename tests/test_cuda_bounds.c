/*
 * Training within the memory of a device, on the pretended CUDA (cuda_fake.h): what is foretold is
 * what is held, and what does not fit is refused with what would, or kept on the host.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_rig.h"
#include "train/learner.h"

enum { BANDS = 3, SIDE = 16, MEGA = 1 << 20, DEVICES = 2 };

typedef struct rig {
    s2clr_net *net;
    s2clr_machine on;
    s2clr_device *device[DEVICES];
    s2clr_learner_options options;
} rig;

/* What every device has from now on beside what it keeps for its libraries. */
static void set_memory(const rig *r, size_t bytes)
{
    char words[64];
    const size_t kept = r->device[0] ? r->device[0]->workspace_limit : 0;
    snprintf(words, sizeof words, "devices=%d,memory=%zu", DEVICES, (kept + bytes) / MEGA);
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
}

static rig open_rig(int width, int batch)
{
    const s2clr_arch arch = {.name = "resnet18", .channels = BANDS, .outputs = 1, .width = width};
    rig r = {.on = {.backend = s2clr_backend_module()}};
    s2clr_learner_options *const o = &r.options;
    set_memory(&r, (size_t)1 << 33);
    TEST_OK(s2clr_net_new(&arch, &r.net));
    *o = (s2clr_learner_options){.net = r.net,
                                 .step = {.batch = batch, .micro = 2, .h = SIDE, .w = SIDE},
                                 .parts = 1,
                                 .numbers = s2clr_optimiser_defaults(),
                                 .part_option = "--batch"};
    TEST_OK(s2clr_optimiser_find("adam", &o->optimiser));
    TEST_OK(s2clr_pool_new(1, &r.on.pool));
    o->params = calloc(s2clr_net_param_count(r.net), sizeof(float));
    o->moments = calloc(2 * s2clr_net_trainable_count(r.net), sizeof(float));
    TEST_OK(s2clr_net_init(r.net, 1, o->params));
    TEST_OK(r.on.backend->device_open("cuda:0", S2CLR_F32, &r.device[0]));
    TEST_OK(r.on.backend->device_open("cuda:1", S2CLR_F32, &r.device[1]));
    r.on.device = r.device[0];
    return r;
}

static void close_rig(rig *r)
{
    for (int i = 0; i < DEVICES; i++) r->on.backend->device_close(r->device[i]);
    s2clr_pool_free(r->on.pool);
    s2clr_net_free(r->net);
    free(r->options.params), free(r->options.moments);
}

static size_t device_bytes(const rig *r)
{
    s2clr_learner_bytes bytes = {0};
    TEST_OK(s2clr_learner_needs(&r->options, &r->on, &bytes));
    return bytes.device;
}

/* One step, and what the device holds then. */
static size_t held_by(const rig *r)
{
    const size_t before = fake_memory_free(0), batch = (size_t)r->options.step.batch;
    float *const x = calloc(batch * BANDS * SIDE * SIDE, sizeof *x);
    float *const out = calloc(batch, sizeof *out);
    s2clr_learner *learner = NULL;
    size_t held = 0;
    TEST_OK(s2clr_learner_new(&r->options, &r->on, &learner));
    if (learner) {
        TEST_OK(s2clr_learner_load(learner));
        TEST_OK(s2clr_learner_forward(learner, 0, x, out));
        TEST_OK(s2clr_learner_backward(learner, 0, out));
        TEST_OK(s2clr_learner_update(learner, 0.1, 1));
        TEST_OK(s2clr_learner_fetch(learner));
        held = before - fake_memory_free(0);
    }
    s2clr_learner_free(learner);
    free(x), free(out);
    return held;
}

/* A thread that computes has arrays of its own on the device. */
static void so_is_what_threads_hold(void)
{
    double needed[2], held[2];
    for (int i = 0; i < 2; i++) {
        rig r = open_rig(4, 192);
        r.options.place = S2CLR_LEARNER_HOST;
        r.options.step.micro = 64;
        s2clr_pool_free(r.on.pool);
        TEST_OK(s2clr_pool_new(i == 0 ? 1 : 3, &r.on.pool));
        needed[i] = (double)device_bytes(&r);
        held[i] = (double)held_by(&r);
        close_rig(&r);
    }
    CU_ASSERT_TRUE(needed[1] > needed[0]);
    TEST_NEAR((held[1] - held[0]) / (needed[1] - needed[0]), 1, 0.005);
}

static void what_is_foretold_is_held(void)
{
    for (int place = S2CLR_LEARNER_HOST; place <= S2CLR_LEARNER_RESIDENT; place++) {
        rig r = open_rig(4, 8);
        r.options.place = (s2clr_learner_place)place;
        const double needed = (double)device_bytes(&r), held = (double)held_by(&r);
        CU_ASSERT_TRUE(held <= 1.02 * needed + MEGA / 8.0);
        CU_ASSERT_TRUE(held >= 0.9 * needed);
        close_rig(&r);
    }
}

/* The number behind a word of the message. */
static int number_behind(const char *word)
{
    const char *const at = strstr(s2clr_error_text(), word);
    return at ? atoi(at + strlen(word)) : 0;
}

static void refuse(rig *r, s2clr_status wanted)
{
    s2clr_learner *learner = NULL;
    CU_ASSERT_EQUAL(s2clr_learner_new(&r->options, &r->on, &learner), wanted);
    CU_ASSERT_PTR_NULL(learner);
    s2clr_learner_free(learner);
}

static void what_would_fit_is_said(void)
{
    rig r = open_rig(4, 256);
    s2clr_learner *learner = NULL;
    r.options.place = S2CLR_LEARNER_RESIDENT;
    set_memory(&r, device_bytes(&r) / 2);
    refuse(&r, S2CLR_ERR_MEMORY);
    TEST_ERROR_SAYS("of the device's own memory for 256 samples at once");
    const int fits = number_behind("--batch ");
    CU_ASSERT_TRUE(fits >= 16 && fits < 256);
    r.options.step.batch = fits;
    TEST_OK(s2clr_learner_new(&r.options, &r.on, &learner));
    s2clr_learner_free(learner);
    /* Parts of a batch stay equal, and count as the user counts them. */
    r.options.step.batch = 256;
    r.options.parts = 3;
    r.options.part_option = "--chunk";
    r.options.part_unit = 2;
    refuse(&r, S2CLR_ERR_MEMORY);
    CU_ASSERT_EQUAL(number_behind("--chunk "), fits / 2);
    set_memory(&r, MEGA);
    refuse(&r, S2CLR_ERR_MEMORY);
    TEST_ERROR_SAYS("no smaller --chunk would fit either; --device cpu");
    close_rig(&r);
}

/* What is said fits the other numbers of the run as well. */
static void what_is_said_is_taken(void)
{
    rig r = open_rig(4, 192);
    r.options.place = S2CLR_LEARNER_RESIDENT;
    const size_t half = device_bytes(&r);
    r.options.step.batch = 384;
    r.options.step.micro = 128;
    set_memory(&r, half + MEGA);
    refuse(&r, S2CLR_ERR_MEMORY);
    CU_ASSERT_EQUAL(number_behind("--batch "), 96);
    /* Chunks of 90 in two halves: 45 are no whole number for each device. */
    r.on.devices = r.device;
    r.on.device_count = DEVICES;
    r.options.parts = 2;
    r.options.part_option = "--chunk";
    r.options.part_unit = 2;
    r.options.step = (s2clr_step_options){.batch = 90, .micro = 1, .h = SIDE, .w = SIDE};
    set_memory(&r, device_bytes(&r) + MEGA);
    r.options.step.batch = 180;
    refuse(&r, S2CLR_ERR_MEMORY);
    CU_ASSERT_EQUAL(number_behind("--chunk "), 2);
    close_rig(&r);
}

/* So the weights may be kept on the host, where that is what fits. */
static void a_host_learner_is_a_remedy(void)
{
    rig r = open_rig(16, 32);
    s2clr_learner *learner = NULL;
    r.options.place = S2CLR_LEARNER_HOST;
    r.options.step.batch = r.options.step.micro = 16;
    const size_t host = device_bytes(&r);
    r.options.place = S2CLR_LEARNER_ANYWHERE;
    r.options.step.batch = r.options.step.micro = 1;
    CU_ASSERT_TRUE(device_bytes(&r) > host + 2 * MEGA);
    r.options.step.batch = r.options.step.micro = 256;
    set_memory(&r, host + MEGA);
    refuse(&r, S2CLR_ERR_MEMORY);
    CU_ASSERT_EQUAL(number_behind("--batch "), 16);
    r.options.step.batch = r.options.step.micro = 16;
    TEST_OK(s2clr_learner_new(&r.options, &r.on, &learner));
    s2clr_learner_free(learner);
    close_rig(&r);
}

/* What the caller will ask for is not given away. */
static void others_want_memory_as_well(void)
{
    rig r = open_rig(4, 256);
    s2clr_learner *learner = NULL;
    r.options.place = S2CLR_LEARNER_RESIDENT;
    set_memory(&r, device_bytes(&r) + 2 * MEGA);
    TEST_OK(s2clr_learner_new(&r.options, &r.on, &learner));
    s2clr_learner_free(learner);
    r.options.beside = 3 * MEGA;
    refuse(&r, S2CLR_ERR_MEMORY);
    CU_ASSERT_EQUAL(number_behind("--batch "), 128);
    close_rig(&r);
}

/* Small maps, many weights. */
static void weights_may_stay_on_the_host(void)
{
    rig r = open_rig(16, 2);
    r.options.place = S2CLR_LEARNER_HOST;
    const size_t host = device_bytes(&r);
    r.options.place = S2CLR_LEARNER_ANYWHERE;
    const size_t resident = device_bytes(&r);
    s2clr_learner *learner = NULL;
    CU_ASSERT_TRUE(resident > host + 4 * MEGA);
    TEST_OK(s2clr_learner_new(&r.options, &r.on, &learner));
    CU_ASSERT_STRING_EQUAL(s2clr_learner_note(learner), "");
    s2clr_learner_free(learner);
    set_memory(&r, resident - MEGA);
    CU_ASSERT_EQUAL(device_bytes(&r), host);
    TEST_OK(s2clr_learner_new(&r.options, &r.on, &learner));
    CU_ASSERT_PTR_NOT_NULL(strstr(s2clr_learner_note(learner), "these stay on the host"));
    CU_ASSERT_PTR_NULL(s2clr_learner_take_resident(learner));
    s2clr_learner_free(learner);
    CU_ASSERT_TRUE(held_by(&r) < resident - MEGA);
    r.options.place = S2CLR_LEARNER_RESIDENT;
    refuse(&r, S2CLR_ERR_MEMORY);
    close_rig(&r);
}

/* Each device has its slice, and all the weights. */
static void several_devices_need_less_each(void)
{
    rig r = open_rig(4, 32);
    const size_t one = device_bytes(&r);
    r.on.devices = r.device;
    r.on.device_count = DEVICES;
    const size_t each = device_bytes(&r);
    CU_ASSERT_TRUE(each < one && each > one / 2);
    set_memory(&r, each / 2);
    const size_t left = fake_memory_free(0) + fake_memory_free(1);
    refuse(&r, S2CLR_ERR_MEMORY);
    TEST_ERROR_SAYS("of the devices' own (each) memory for 32 samples at once");
    CU_ASSERT_EQUAL(fake_memory_free(0) + fake_memory_free(1), left);
    close_rig(&r);
}

static const test_case cases[] = {
    {"what is foretold is held", what_is_foretold_is_held},
    {"so is what threads hold", so_is_what_threads_hold},
    {"what would fit is said", what_would_fit_is_said},
    {"what is said is taken", what_is_said_is_taken},
    {"a host learner is a remedy", a_host_learner_is_a_remedy},
    {"others want memory as well", others_want_memory_as_well},
    {"weights may stay on the host", weights_may_stay_on_the_host},
    {"several devices need less each", several_devices_need_less_each},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_bounds", cases, argc, argv);
}
