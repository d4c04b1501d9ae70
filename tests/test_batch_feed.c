/* Batches: the same bytes for any number of threads and any cut, two views, second dates. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/philox.h"
#include "train/batch_feed.h"

enum { CHANNELS = 2, SIZE = 16, VALUES = CHANNELS * SIZE * SIZE, SAMPLES = 40, BATCH = 300 };

static s2clr_status read_patch(void *self, size_t index, float *dn)
{
    (void)self;
    for (size_t i = 0; i < VALUES; i++) dn[i] = 100 * s2clr_random_uniform(index, 1, i);
    if (index % 5 == 0) dn[index] = 255; /* nodata */
    return S2CLR_OK;
}

static s2clr_status read_number(void *self, size_t index, float *dn)
{
    (void)self;
    for (size_t i = 0; i < VALUES; i++) dn[i] = (float)index;
    return S2CLR_OK;
}

static s2clr_status read_failing(void *self, size_t index, float *dn)
{
    if (index == 7) return s2clr_error_set(S2CLR_ERR_IO, "patch 7 cannot be read");
    return read_number(self, index, dn);
}

static s2clr_card *card;
static s2clr_samples samples;
static size_t order[BATCH];

static void set_up(s2clr_status (*read)(void *, size_t, float *))
{
    TEST_OK(s2clr_card_new(&card));
    card->bands = CHANNELS;
    card->levels = 1;
    card->level[0] =
        (s2clr_card_level){.low = -1e6, .high = 1e6, .has_nodata = true, .nodata = 255};
    for (int b = 0; b < CHANNELS; b++) {
        card->level[0].gain[b] = 1;
        card->mean[b] = 0;
        card->std[b] = 1;
    }
    samples = (s2clr_samples){.count = SAMPLES, .channels = CHANNELS, .size = SIZE, .read = read};
    for (size_t i = 0; i < BATCH; i++) order[i] = i * 7 % SAMPLES;
}

/* A feed of `threads` fills a batch in two pieces; the caller frees nothing. */
static void fill(const char *words, int threads, size_t cut, int view, const int *partner,
                 double natural, float *x)
{
    s2clr_pool *pool;
    s2clr_feed *feed;
    s2clr_augment_recipe recipe;
    TEST_OK(s2clr_augment_parse(words, &recipe));
    TEST_OK(s2clr_pool_new(threads, &pool));
    TEST_OK(s2clr_feed_new(&samples, card, &card->level[0], &recipe, 5, pool, &feed));
    s2clr_feed_pair(feed, partner, natural);
    const s2clr_feed_part first = {
        .epoch = 3, .slot = 1000, .view = view, .views = 1, .index = order, .count = cut};
    s2clr_feed_part second = first;
    second.slot += cut, second.index += cut, second.count = BATCH - cut;
    TEST_OK(s2clr_feed_fill(feed, &first, x));
    TEST_OK(s2clr_feed_fill(feed, &second, x + cut * VALUES));
    s2clr_feed_free(feed);
    s2clr_pool_free(pool);
}

static float once[BATCH * VALUES], again[BATCH * VALUES];

static void threads_do_not_matter(void)
{
    static const char *const words[] = {"multispectral", "simclr-s2"};
    set_up(read_patch);
    for (int w = 0; w < 2; w++) {
        fill(words[w], 1, BATCH, 1, NULL, 0, once);
        for (int threads = 2; threads <= 3; threads++) {
            memset(again, 0, sizeof again);
            fill(words[w], threads, (size_t)(30 * threads), 1, NULL, 0, again);
            CU_ASSERT_EQUAL(memcmp(once, again, sizeof once), 0);
        }
    }
    s2clr_card_free(card);
}

/* Neither two of the same sample in one epoch. */
static void no_two_views_are_alike(void)
{
    int alike = 0, invalid = 0;
    set_up(read_patch);
    fill("multispectral", 1, BATCH, 0, NULL, 0, once);
    fill("multispectral", 1, BATCH, 1, NULL, 0, again);
    for (size_t i = 0; i < BATCH; i++) {
        alike += memcmp(once + i * VALUES, again + i * VALUES, VALUES * sizeof *once) == 0;
        if (i + SAMPLES < BATCH)
            alike += memcmp(once + i * VALUES, once + (i + SAMPLES) * VALUES,
                            VALUES * sizeof *once) == 0;
    }
    for (size_t i = 0; i < BATCH * VALUES; i++) {
        CU_ASSERT_TRUE(once[i] == once[i]);
        invalid += once[i] == 0;
    }
    CU_ASSERT_EQUAL(alike, 0);
    CU_ASSERT_TRUE(invalid > 0);
    s2clr_card_free(card);
}

/* Samples hold their own number, so that a view tells what it was made of. */
static void second_dates(void)
{
    int partner[SAMPLES], natural = 0, possible = 0;
    set_up(read_number);
    for (int i = 0; i < SAMPLES; i++) partner[i] = i % 4 == 3 ? -1 : i / 4 * 4 + (i % 4 + 1) % 3;
    fill("none", 2, BATCH, 0, partner, 0.5, once);
    for (size_t i = 0; i < BATCH; i++) CU_ASSERT_EQUAL(once[i * VALUES], (float)order[i]);
    fill("none", 2, BATCH, 1, partner, 0.5, once);
    for (size_t i = 0; i < BATCH; i++) {
        const int own = (int)order[i], seen = (int)once[i * VALUES];
        CU_ASSERT_TRUE(seen == own || seen == partner[own]);
        possible += partner[own] >= 0;
        natural += seen != own;
    }
    CU_ASSERT_TRUE(possible > 200);
    TEST_NEAR((double)natural / possible, 0.5, 0.13); /* four deviations */
    fill("none", 1, 77, 1, partner, 0.5, again);
    CU_ASSERT_EQUAL(memcmp(once, again, sizeof once), 0);
    fill("none", 1, BATCH, 1, partner, 1, once);
    for (size_t i = 0; i < BATCH; i++) {
        const int own = (int)order[i];
        CU_ASSERT_EQUAL((int)once[i * VALUES], partner[own] >= 0 ? partner[own] : own);
    }
    fill("none", 1, BATCH, 1, partner, 0, once);
    for (size_t i = 0; i < BATCH; i++) CU_ASSERT_EQUAL((int)once[i * VALUES], (int)order[i]);
    s2clr_card_free(card);
}

static void failures_are_told(void)
{
    s2clr_pool *pool;
    s2clr_feed *feed;
    const s2clr_augment_recipe recipe = {.flags = S2CLR_AUGMENT_FLIP};
    set_up(read_failing);
    TEST_OK(s2clr_pool_new(2, &pool));
    TEST_OK(s2clr_feed_new(&samples, card, &card->level[0], &recipe, 5, pool, &feed));
    const s2clr_feed_part part = {.views = 1, .index = order, .count = BATCH};
    CU_ASSERT_EQUAL(s2clr_feed_fill(feed, &part, once), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("patch 7 cannot be read");
    s2clr_feed_free(feed);
    s2clr_pool_free(pool);
    s2clr_card_free(card);
}

static const test_case cases[] = {
    {"threads do not matter", threads_do_not_matter},
    {"no two views are alike", no_two_views_are_alike},
    {"second dates", second_dates},
    {"failures are told", failures_are_told},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("batch_feed", cases, argc, argv);
}
