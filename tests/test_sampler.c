#include "harness.h"

#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "train/sampler.h"

enum { COUNT = 100, POSITIVES = 20 };

static int labels[COUNT];

static s2clr_sampler *make(size_t batch, double balance, uint64_t seed)
{
    for (int i = 0; i < COUNT; i++) labels[i] = i % (COUNT / POSITIVES) == 0;
    s2clr_sampler *sampler = NULL;
    TEST_OK(s2clr_sampler_new(labels, 2, COUNT, batch, balance, seed, &sampler));
    return sampler;
}

/* How often each sample is taken in an epoch; returns the number of positives. */
static size_t tally(const size_t *order, size_t slots, int times[COUNT])
{
    size_t positives = 0;
    memset(times, 0, COUNT * sizeof *times);
    for (size_t i = 0; i < slots; i++) {
        CU_ASSERT_FATAL(order[i] < COUNT);
        times[order[i]]++;
        positives += (size_t)labels[order[i]];
    }
    return positives;
}

static void natural_order_is_a_permutation(void)
{
    int times[COUNT];
    s2clr_sampler *sampler = make(10, 0, 1);
    CU_ASSERT_EQUAL(s2clr_sampler_steps(sampler), 10);
    for (uint64_t epoch = 0; epoch < 5; epoch++) {
        tally(s2clr_sampler_order(sampler, epoch), COUNT, times);
        for (int i = 0; i < COUNT; i++) CU_ASSERT_EQUAL(times[i], 1);
    }
    TEST_NEAR(s2clr_sampler_share(sampler, 1), 0.2, 0);
    s2clr_sampler_free(sampler);
}

static void incomplete_batch_is_dropped(void)
{
    int times[COUNT], ever[COUNT] = {0};
    s2clr_sampler *sampler = make(32, 0, 1);
    CU_ASSERT_EQUAL(s2clr_sampler_steps(sampler), 3);
    for (uint64_t epoch = 0; epoch < 40; epoch++) {
        tally(s2clr_sampler_order(sampler, epoch), 96, times);
        for (int i = 0; i < COUNT; i++) {
            CU_ASSERT_TRUE(times[i] <= 1);
            ever[i] += times[i];
        }
    }
    for (int i = 0; i < COUNT; i++) CU_ASSERT_TRUE(ever[i] > 25); /* of 40: nobody is left out */
    s2clr_sampler_free(sampler);
}

static void small_set_fills_its_batch(void)
{
    int times[COUNT];
    s2clr_sampler *sampler = make(256, 0, 1);
    CU_ASSERT_EQUAL(s2clr_sampler_steps(sampler), 1);
    tally(s2clr_sampler_order(sampler, 0), 256, times);
    for (int i = 0; i < COUNT; i++) CU_ASSERT_TRUE(times[i] == 2 || times[i] == 3);
    s2clr_sampler_free(sampler);
}

static void shares(void)
{
    int times[COUNT];
    const double balance[] = {0, 0.5, 1}, share[] = {0.2, 0.35, 0.5};
    for (int b = 0; b < 3; b++) {
        s2clr_sampler *sampler = make(20, balance[b], 7);
        TEST_NEAR(s2clr_sampler_share(sampler, 1), share[b], 0.005);
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            const size_t positives = tally(s2clr_sampler_order(sampler, epoch), COUNT, times);
            CU_ASSERT_EQUAL((double)positives, round(COUNT * share[b]));
            const int least = (int)positives / POSITIVES;
            for (int i = 0; i < COUNT; i++)
                CU_ASSERT_TRUE(labels[i] ? times[i] >= least && times[i] <= least + 1
                                         : times[i] <= 1);
        }
        s2clr_sampler_free(sampler);
    }
}

/* Positives are spread: no half of the epoch holds nearly all of them, and places differ. */
static void order_is_mixed(void)
{
    s2clr_sampler *sampler = make(10, 1, 3);
    double mean = 0;
    for (uint64_t epoch = 0; epoch < 200; epoch++) {
        const size_t *order = s2clr_sampler_order(sampler, epoch);
        int front = 0;
        for (int i = 0; i < COUNT / 2; i++) front += labels[order[i]];
        CU_ASSERT_TRUE(front > 8 && front < 42);
        mean += front / 200.0;
    }
    TEST_NEAR(mean, 25, 1);
    s2clr_sampler_free(sampler);
}

static void order_depends_on_counters_only(void)
{
    size_t first[COUNT];
    s2clr_sampler *a = make(10, 0.5, 3), *b = make(10, 0.5, 3), *c = make(10, 0.5, 4);
    memcpy(first, s2clr_sampler_order(a, 6), sizeof first);
    CU_ASSERT_NOT_EQUAL(memcmp(first, s2clr_sampler_order(a, 7), sizeof first), 0);
    CU_ASSERT_EQUAL(memcmp(first, s2clr_sampler_order(a, 6), sizeof first), 0);
    CU_ASSERT_EQUAL(memcmp(first, s2clr_sampler_order(b, 6), sizeof first), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first, s2clr_sampler_order(c, 6), sizeof first), 0);
    s2clr_sampler_free(a), s2clr_sampler_free(b), s2clr_sampler_free(c);
}

/* All 24 orders of four items, about equally often. */
static void shuffle_is_even(void)
{
    int seen[256] = {0}, orders = 0;
    for (uint64_t stream = 0; stream < 2400; stream++) {
        size_t items[4] = {0, 1, 2, 3};
        s2clr_sampler_shuffle(5, stream, 0, 4, items);
        seen[items[0] | items[1] << 2 | items[2] << 4 | items[3] << 6]++;
    }
    for (int i = 0; i < 256; i++) {
        orders += seen[i] > 0;
        CU_ASSERT_TRUE(seen[i] == 0 || (seen[i] > 60 && seen[i] < 145));
    }
    CU_ASSERT_EQUAL(orders, 24);
}

/* 60, 30 and 10 of three classes. */
static void shares_of_three_classes(void)
{
    int classes[COUNT];
    const double balance[] = {0, 0.5, 1};
    const double share[3][3] = {{0.6, 0.3, 0.1}, {28 / 60.0, 19 / 60.0, 13 / 60.0}, {1, 1, 1}};
    for (int i = 0; i < COUNT; i++) classes[i] = i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
    for (int b = 0; b < 3; b++) {
        s2clr_sampler *sampler = NULL;
        TEST_OK(s2clr_sampler_new(classes, 3, COUNT, 10, balance[b], 7, &sampler));
        size_t taken[3] = {0}, times[COUNT] = {0};
        const size_t *order = s2clr_sampler_order(sampler, 2);
        for (int i = 0; i < COUNT; i++) {
            taken[classes[order[i]]]++;
            times[order[i]]++;
        }
        for (int c = 0; c < 3; c++) {
            const double wanted = b == 2 ? 1 / 3.0 : share[b][c];
            TEST_NEAR((double)taken[c], COUNT * wanted, 1);
            TEST_NEAR(s2clr_sampler_share(sampler, c), (double)taken[c] / COUNT, 1e-15);
        }
        for (int i = 0; i < COUNT; i++) { /* all of a class k times before any k + 1 times */
            const size_t of = classes[i] == 0 ? 60 : classes[i] == 1 ? 30 : 10;
            const size_t least = taken[classes[i]] / of;
            CU_ASSERT_TRUE(times[i] == least || times[i] == least + 1);
        }
        s2clr_sampler_free(sampler);
    }
}

static void without_labels(void)
{
    int times[COUNT];
    s2clr_sampler *sampler = NULL;
    TEST_OK(s2clr_sampler_new(NULL, 1, COUNT, 10, 1, 7, &sampler));
    tally(s2clr_sampler_order(sampler, 3), COUNT, times);
    for (int i = 0; i < COUNT; i++) CU_ASSERT_EQUAL(times[i], 1);
    s2clr_sampler_free(sampler);
}

static void nonsense_is_refused(void)
{
    const int gap[] = {0, 2, 0};
    const int one_sided[] = {1, 1, 1}, wrong[] = {0, 1, -1}, fine[] = {0, 1, 1};
    s2clr_sampler *sampler = NULL;
    CU_ASSERT_EQUAL(s2clr_sampler_new(one_sided, 2, 3, 2, 0, 1, &sampler), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("3 positive and 0 negative");
    CU_ASSERT_EQUAL(s2clr_sampler_new(wrong, 2, 3, 2, 0, 1, &sampler), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_sampler_new(fine, 2, 0, 2, 0, 1, &sampler), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_sampler_new(fine, 2, 3, 0, 0, 1, &sampler), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_sampler_new(fine, 2, 3, 2, 1.5, 1, &sampler), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_sampler_new(fine, 2, 3, 2, NAN, 1, &sampler), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_sampler_new(gap, 3, 3, 2, 1, 1, &sampler), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("none of the 3 training samples has label 1");
    CU_ASSERT_EQUAL(s2clr_sampler_new(gap, 2, 3, 2, 1, 1, &sampler), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("is 2, must be 0 to 1");
    CU_ASSERT_EQUAL(s2clr_sampler_new(NULL, 2, 3, 2, 1, 1, &sampler), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_sampler_new(gap, 1000, 3, 2, 1, 1, &sampler), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_PTR_NULL(sampler);
}

static const test_case cases[] = {
    {"natural order is a permutation", natural_order_is_a_permutation},
    {"incomplete batch is dropped", incomplete_batch_is_dropped},
    {"small set fills its batch", small_set_fills_its_batch},
    {"shares of the labels", shares},
    {"order is mixed", order_is_mixed},
    {"order depends on counters only", order_depends_on_counters_only},
    {"shuffle is even", shuffle_is_even},
    {"shares of three classes", shares_of_three_classes},
    {"samples without labels", without_labels},
    {"nonsense is refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("sampler", cases, argc, argv);
}
