/*
 * Batches whose views are made on the learner's device, on the pretended CUDA of this process
 * (cuda_fake.h): the bits of those of the host, whatever was read ahead; recipes that learn the
 * same either way; and nothing lost when a call fails.
 */
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cudap.h"
#include "base/philox.h"
#include "cuda_fake.h"
#include "cuda_training_rig.h"
#include "recipe_rig.h"
#include "train/batch_feed.h"

const s2clr_backend *s2clr_backend_module(void); /* the module's table */

enum { BANDS = 3, SIDE = 13, VALUES = BANDS * SIDE * SIDE, SAMPLES = 30, COUNT = 6, PARTS = 4 };
enum { BATCH_VALUES = 2 * COUNT * VALUES };

/* ---- samples ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int reads;                 /* of any sample, under the lock */
static size_t unreadable;         /* this one; SAMPLES: none */
static s2clr_learner_place place; /* of the learner that is made next */

static s2clr_status read_patch(void *self, size_t index, float *dn)
{
    (void)self;
    pthread_mutex_lock(&lock);
    reads++;
    pthread_mutex_unlock(&lock);
    if (index == unreadable) return s2clr_error_set(S2CLR_ERR_IO, "patch %zu is torn", index);
    for (size_t i = 0; i < VALUES; i++) dn[i] = 100 * s2clr_random_uniform(index, 1, i);
    if (index % 3 == 0) dn[index] = 255; /* nodata */
    return S2CLR_OK;
}

/* ---- a feed, and a learner that it may join ---- */

typedef struct rig {
    s2clr_machine on;
    s2clr_card *card;
    s2clr_samples samples;
    s2clr_net *net;
    float *params, *moments;
    s2clr_learner *learner;
    s2clr_feed *feed;
    size_t order[PARTS * COUNT];
    int partner[SAMPLES];
} rig;

static void make_data(rig *r)
{
    TEST_OK(s2clr_card_new(&r->card));
    r->card->bands = BANDS;
    r->card->levels = 1;
    r->card->level[0] =
        (s2clr_card_level){.low = -1e6, .high = 1e6, .has_nodata = true, .nodata = 255};
    for (int b = 0; b < BANDS; b++) {
        r->card->level[0].gain[b] = 0.01;
        r->card->mean[b] = 0.4f + 0.1f * (float)b;
        r->card->std[b] = 0.3f;
    }
    r->samples =
        (s2clr_samples){.count = SAMPLES, .channels = BANDS, .size = SIDE, .read = read_patch};
    for (size_t i = 0; i < PARTS * COUNT; i++) r->order[i] = i * 7 % SAMPLES;
    for (int i = 0; i < SAMPLES; i++) r->partner[i] = i % 5 == 4 ? -1 : (i + 1) % SAMPLES;
}

static s2clr_status make_learner(rig *r)
{
    const s2clr_arch arch = {.name = "resnet18",
                             .channels = BANDS,
                             .outputs = 1,
                             .width = 4,
                             .hiddens = 1,
                             .hidden = {5}};
    s2clr_learner_options options = {
        .step = {.batch = 2 * COUNT, .micro = 2 * COUNT, .h = SIDE, .w = SIDE},
        .parts = 1,
        .numbers = s2clr_optimiser_defaults(),
        .place = place};
    TEST_OK(s2clr_net_new(&arch, &r->net));
    TEST_OK(s2clr_optimiser_find("sgd", &options.optimiser));
    r->params = malloc(s2clr_net_param_count(r->net) * sizeof(float));
    r->moments = calloc(2 * s2clr_net_trainable_count(r->net), sizeof(float));
    TEST_OK(s2clr_net_init(r->net, 1, r->params));
    options.net = r->net;
    options.params = r->params;
    options.moments = r->moments;
    S2CLR_TRY(s2clr_learner_new(&options, &r->on, &r->learner));
    return s2clr_learner_load(r->learner);
}

/* natural: share of second dates. */
static s2clr_status open_rig(const char *words, double natural, rig *r)
{
    s2clr_augment_recipe recipe;
    *r = (rig){.on = {.backend = s2clr_backend_module()}};
    unreadable = SAMPLES;
    make_data(r);
    TEST_OK(s2clr_augment_parse(words, &recipe));
    TEST_OK(s2clr_pool_new(2, &r->on.pool));
    TEST_OK(
        s2clr_feed_new(&r->samples, r->card, &r->card->level[0], &recipe, 5, r->on.pool, &r->feed));
    if (natural > 0) s2clr_feed_pair(r->feed, r->partner, natural);
    S2CLR_TRY(r->on.backend->device_open("", S2CLR_F32, &r->on.device));
    return make_learner(r);
}

static void close_rig(rig *r)
{
    s2clr_learner_free(r->learner);
    s2clr_feed_free(r->feed);
    s2clr_pool_free(r->on.pool);
    if (r->on.device) r->on.backend->device_close(r->on.device);
    s2clr_net_free(r->net);
    s2clr_card_free(r->card);
    free(r->params), free(r->moments);
}

static s2clr_feed_part part_of(const rig *r, size_t number)
{
    return (s2clr_feed_part){.epoch = 2,
                             .slot = number * COUNT,
                             .views = 2,
                             .index = r->order + number * COUNT,
                             .count = COUNT};
}

/* ---- what batches are ---- */

typedef enum ahead { NOTHING, NEXT, ANOTHER, AHEADS } ahead;

/* All parts, and what a learner says of each; joined: made on its device. */
static s2clr_status run_parts(rig *r, ahead reads_ahead, float *batches, float *outs)
{
    static float host[BATCH_VALUES];
    float *const there = s2clr_feed_batch(r->feed);
    s2clr_stream *const stream = there ? s2clr_learner_take_resident(r->learner) : NULL;
    for (size_t p = 0; p < PARTS; p++) {
        const s2clr_feed_part part = part_of(r, p);
        const s2clr_feed_part next = part_of(r, reads_ahead == NEXT ? (p + 1) % PARTS : p);
        S2CLR_TRY(s2clr_feed_fill(r->feed, &part, there ? there : host));
        if (reads_ahead != NOTHING) s2clr_feed_expect(r->feed, &next);
        if (there) S2CLR_TRY(s2clr_cuda_training.copy_out(stream, there, sizeof host, host));
        memcpy(batches + p * BATCH_VALUES, host, sizeof host);
        S2CLR_TRY(s2clr_learner_forward(r->learner, 0, there ? there : host, outs));
        outs += 2 * COUNT;
    }
    return S2CLR_OK;
}

static s2clr_status join(rig *r)
{
    const s2clr_feed_joining joining = {.views = 2, .count = COUNT};
    return s2clr_feed_join(r->feed, &r->on, r->learner, &joining);
}

static void batches_have_the_bits_of_the_host(void)
{
    static float wanted[PARTS * BATCH_VALUES], got[PARTS * BATCH_VALUES];
    static const char *const words[] = {"multispectral", "simclr-s2", "none"};
    float outs[2][PARTS * 2 * COUNT];
    for (size_t w = 0; w < 3; w++)
        for (ahead reads_ahead = NOTHING; reads_ahead < AHEADS; reads_ahead++) {
            rig here, there;
            cuda_words("");
            TEST_OK(open_rig(words[w], 0.5, &here));
            TEST_OK(open_rig(words[w], 0.5, &there));
            TEST_OK(join(&there));
            CU_ASSERT_PTR_NULL(s2clr_feed_batch(here.feed));
            CU_ASSERT_PTR_NOT_NULL_FATAL(s2clr_feed_batch(there.feed));
            TEST_OK(run_parts(&here, reads_ahead, wanted, outs[0]));
            CU_ASSERT_EQUAL(fake_calls("s2clr_cuda_launch_view_step"), 0);
            TEST_OK(run_parts(&there, reads_ahead, got, outs[1]));
            CU_ASSERT_TRUE(fake_calls("s2clr_cuda_launch_view_step") >= PARTS);
            CU_ASSERT_EQUAL(memcmp(got, wanted, sizeof got), 0);
            CU_ASSERT_EQUAL(memcmp(outs[0], outs[1], sizeof outs[0]), 0);
            close_rig(&here), close_rig(&there);
        }
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* Both views of a sample are made of one, that is read once and goes up once. */
static void a_patch_is_read_once(void)
{
    static float batches[PARTS * BATCH_VALUES];
    float outs[PARTS * 2 * COUNT];
    rig r;
    cuda_words("");
    TEST_OK(open_rig("multispectral", 0, &r));
    TEST_OK(join(&r));
    reads = 0;
    TEST_OK(run_parts(&r, NEXT, batches, outs));
    close_rig(&r); /* the part after the last is read as well: the reader has ended now */
    CU_ASSERT_EQUAL(reads, (PARTS + 1) * COUNT);
}

static void what_is_foretold_is_held(void)
{
    const s2clr_feed_joining joining = {.views = 2, .count = 500};
    s2clr_augment_recipe recipe;
    s2clr_learner_bytes bytes;
    rig r;
    cuda_words("");
    TEST_OK(s2clr_augment_parse("multispectral", &recipe));
    TEST_OK(open_rig("multispectral", 0.5, &r));
    const size_t before = fake_memory_free(0);
    TEST_OK(s2clr_feed_needs(&r.samples, &recipe, r.partner, &r.on, &joining, &bytes));
    TEST_OK(s2clr_feed_join(r.feed, &r.on, r.learner, &joining));
    TEST_NEAR((double)(before - fake_memory_free(0)) / (double)bytes.device, 1, 0.001);
    CU_ASSERT_TRUE(bytes.host > 2 * 2 * 500 * VALUES * sizeof(float));
    close_rig(&r);
}

/* Views are made of so many at a time as the device has memory for. */
static void groups_do_not_matter(void)
{
    static float wanted[PARTS * BATCH_VALUES], got[PARTS * BATCH_VALUES];
    float outs[PARTS * 2 * COUNT];
    for (size_t views = 0; views < 8; views++) {
        rig r;
        cuda_words("");
        TEST_OK(open_rig("multispectral", 0, &r));
        if (views > 0) r.on.device->workspace_limit = views * 2 * 4 * VALUES * sizeof(float) - 1;
        TEST_OK(join(&r));
        TEST_OK(run_parts(&r, NOTHING, views == 0 ? wanted : got, outs));
        if (views > 0) CU_ASSERT_EQUAL(memcmp(got, wanted, sizeof got), 0);
        close_rig(&r);
    }
}

static char warning[1400];

static void hear(void *context, const char *text)
{
    (void)context;
    snprintf(warning, sizeof warning, "%s", text);
}

static void the_host_makes_them_where_there_is_no_room(void)
{
    static float wanted[BATCH_VALUES], got[BATCH_VALUES];
    rig r;
    cuda_words("memory=3000");
    TEST_OK(open_rig("multispectral", 0, &r));
    const s2clr_feed_part part = part_of(&r, 1);
    TEST_OK(s2clr_feed_fill(r.feed, &part, wanted));
    const s2clr_progress progress = {.warn = hear};
    s2clr_feed_joining joining = {.views = 2, .count = 400000, .progress = &progress};
    TEST_OK(s2clr_feed_join(r.feed, &r.on, r.learner, &joining));
    CU_ASSERT_PTR_NULL(s2clr_feed_batch(r.feed));
    CU_ASSERT_PTR_NOT_NULL(strstr(warning, "views of 400000 samples need "));
    CU_ASSERT_PTR_NOT_NULL(strstr(warning, "the processor makes them, with the same result"));
    CU_ASSERT_STRING_EQUAL(s2clr_error_text(), "");
    /* There would be for this one, if nobody else wanted any. */
    joining.count = COUNT;
    joining.reserve = (size_t)3000 << 20;
    TEST_OK(s2clr_feed_join(r.feed, &r.on, r.learner, &joining));
    CU_ASSERT_PTR_NULL(s2clr_feed_batch(r.feed));
    TEST_OK(s2clr_feed_fill(r.feed, &part, got));
    CU_ASSERT_EQUAL(memcmp(got, wanted, sizeof got), 0);
    joining.reserve = 0;
    TEST_OK(s2clr_feed_join(r.feed, &r.on, r.learner, &joining));
    CU_ASSERT_PTR_NOT_NULL(s2clr_feed_batch(r.feed));
    close_rig(&r);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* Nothing is asked of the device for a learner that takes batches of the host. */
static void a_learner_of_the_host_is_not_joined(void)
{
    rig r;
    cuda_words("");
    r = (rig){0};
    place = S2CLR_LEARNER_HOST;
    TEST_OK(open_rig("multispectral", 0, &r));
    place = S2CLR_LEARNER_ANYWHERE;
    const long asked = fake_calls("cudaMalloc") + fake_calls("cudaMemGetInfo");
    TEST_OK(join(&r));
    CU_ASSERT_PTR_NULL(s2clr_feed_batch(r.feed));
    CU_ASSERT_EQUAL(fake_calls("cudaMalloc") + fake_calls("cudaMemGetInfo"), asked);
    close_rig(&r);
}

/* ---- failures ---- */

static void what_cannot_be_read_is_told(void)
{
    static float batches[PARTS * BATCH_VALUES];
    float outs[PARTS * 2 * COUNT];
    for (ahead reads_ahead = NOTHING; reads_ahead < AHEADS; reads_ahead++) {
        rig r;
        cuda_words("");
        TEST_OK(open_rig("multispectral", 0.5, &r));
        TEST_OK(join(&r));
        unreadable = r.order[2 * COUNT + 1];
        CU_ASSERT_EQUAL(run_parts(&r, reads_ahead, batches, outs), S2CLR_ERR_IO);
        TEST_ERROR_SAYS("is torn");
        close_rig(&r);
    }
    rig r;
    TEST_OK(open_rig("multispectral", 0, &r));
    TEST_OK(join(&r));
    s2clr_feed_part large = part_of(&r, 0);
    large.count = COUNT + 1;
    CU_ASSERT_EQUAL(s2clr_feed_fill(r.feed, &large, s2clr_feed_batch(r.feed)), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("14 views of 7 samples");
    close_rig(&r);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

static s2clr_status attempt(float *batches, float *outs)
{
    rig r;
    s2clr_status status = open_rig("multispectral", 0.5, &r);
    if (status == S2CLR_OK) status = join(&r);
    if (status == S2CLR_OK) status = run_parts(&r, NEXT, batches, outs);
    close_rig(&r);
    return status;
}

/* One call of every entry point, late among them: most are made again for every part. */
static void every_call_may_fail(void)
{
    enum { ENTRIES = 120, NAME = 64 };
    static char names[ENTRIES][NAME];
    static float wanted[PARTS * BATCH_VALUES], got[PARTS * BATCH_VALUES];
    float outs[2][PARTS * 2 * COUNT];
    long calls[ENTRIES];
    size_t entries = 0;
    cuda_words("");
    TEST_OK(attempt(wanted, outs[0]));
    for (const char *name; (name = fake_entry(entries, &calls[entries])); entries++)
        snprintf(names[entries], NAME, "%s", name);
    CU_ASSERT_TRUE(entries > 20);
    for (size_t e = 0; e < entries; e++) {
        char words[128];
        snprintf(words, sizeof words, "fail=%s:%ld", names[e], calls[e] * 3 / 4 + 1);
        cuda_words(words);
        s2clr_error_clear();
        const s2clr_status status = attempt(got, outs[1]);
        const bool told = status == S2CLR_OK ? memcmp(got, wanted, sizeof got) == 0 &&
                                                   memcmp(outs[0], outs[1], sizeof outs[0]) == 0
                                             : strlen(s2clr_error_text()) > 20;
        if (!told || fake_object_count() != 0) printf("  %s: %s\n", words, s2clr_error_text());
        CU_ASSERT_TRUE(told);
        CU_ASSERT_EQUAL(fake_object_count(), 0);
    }
    cuda_words("");
}

/* ---- recipes ---- */

static void recipes_learn_the_same(void)
{
    static const char *const names[2][2] = {{"there", "here"}, {"there-c", "here-c"}};
    for (int kind = 0; kind < 2; kind++) {
        for (int host = 0; host < 2; host++) {
            cuda_job j = {.folder = names[kind][host],
                          .contrastive = kind == 1,
                          .host_views = host == 1,
                          .precision = kind == 1 ? S2CLR_BF16 : S2CLR_F32,
                          .epochs = 2};
            cuda_words("");
            TEST_OK(cuda_job_run(&j));
            CU_ASSERT_EQUAL(fake_calls("s2clr_cuda_launch_view_step") > 0, host == 0);
        }
        recipe_rig_same(names[kind][0], names[kind][1]);
    }
}

/* What no batch of an epoch takes is not read: the next epoch is dealt while it would be. */
static void nothing_is_read_that_is_not_taken(void)
{
    static const char *const names[] = {"left-1", "left-2", "left-here"};
    long counts[3];
    for (int i = 0; i < 3; i++) {
        cuda_job j = {.folder = names[i],
                      .contrastive = true,
                      .host_views = i == 2,
                      .samples = 40,
                      .epochs = i == 0 ? 1 : 2};
        cuda_words("");
        TEST_OK(cuda_job_run(&j));
        CU_ASSERT_STRING_EQUAL(j.warning, "");
        counts[i] = j.reads;
    }
    /* Two batches of 16 in two chunks, which are gone through twice. */
    CU_ASSERT_EQUAL(counts[1] - counts[0], 2 * 16 * 2);
    recipe_rig_same(names[1], names[2]);
}

static const test_case cases[] = {
    {"batches have the bits of the host", batches_have_the_bits_of_the_host},
    {"a patch is read once", a_patch_is_read_once},
    {"what is foretold is held", what_is_foretold_is_held},
    {"groups do not matter", groups_do_not_matter},
    {"the host makes them where there is no room", the_host_makes_them_where_there_is_no_room},
    {"a learner of the host is not joined", a_learner_of_the_host_is_not_joined},
    {"what cannot be read is told", what_cannot_be_read_is_told},
    {"every call may fail", every_call_may_fail},
    {"recipes learn the same", recipes_learn_the_same},
    {"nothing is read that is not taken", nothing_is_read_that_is_not_taken},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_feed", cases, argc, argv);
}
