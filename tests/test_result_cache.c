/*
 * The cache of finished blocks: what was given comes back, the limit holds, and of many threads
 * that want one block exactly one computes it.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/philox.h"
#include "harness.h"
#include "predict/result_cache.h"

enum { FLOATS = 100, THREADS = 8, KEYS = 40 };

static s2clr_result_key key_of(int view, int block)
{
    s2clr_result_key key = {.factor = 1 + block % 3, .block_x = block, .block_y = -block};
    memset(key.view, view, sizeof key.view);
    return key;
}

/* The values of a block are its number. */
static void fill(int block, float values[FLOATS])
{
    for (int i = 0; i < FLOATS; i++) values[i] = (float)(block * 1000 + i);
}

static bool is_block(int block, const float values[FLOATS])
{
    float expected[FLOATS];
    fill(block, expected);
    return memcmp(values, expected, sizeof expected) == 0;
}

static void give(int block)
{
    const s2clr_result_key key = key_of(1, block);
    float values[FLOATS];
    fill(block, values);
    s2clr_result_cache_give(&key, FLOATS, values);
}

static bool look(int block)
{
    const s2clr_result_key key = key_of(1, block);
    float values[FLOATS];
    return s2clr_result_cache_take(&key, FLOATS, false, values) && is_block(block, values);
}

static void returns_what_was_given(void)
{
    float values[FLOATS];
    s2clr_result_cache_clear();
    for (int i = 0; i < KEYS; i++) give(i);
    for (int i = 0; i < KEYS; i++) CU_ASSERT(look(i));
    CU_ASSERT_FALSE(look(KEYS));
    const s2clr_result_key other = key_of(2, 3), same = key_of(1, 3);
    CU_ASSERT_FALSE(s2clr_result_cache_take(&other, FLOATS, false, values));
    /* Of another size: not the block asked for. */
    CU_ASSERT_FALSE(s2clr_result_cache_take(&same, FLOATS - 1, false, values));
    CU_ASSERT(s2clr_result_cache_bytes() >= KEYS * sizeof values);
    s2clr_result_cache_clear();
    CU_ASSERT_EQUAL(s2clr_result_cache_bytes(), 0);
    CU_ASSERT_FALSE(look(0));
}

static void drops_the_oldest(void)
{
    const size_t before = s2clr_result_cache_room();
    s2clr_result_cache_clear();
    give(0);
    const size_t one = s2clr_result_cache_bytes();
    s2clr_result_cache_limit(3 * one);
    give(1);
    give(2);
    CU_ASSERT(look(0)); /* used: now 1 is the oldest */
    give(3);
    CU_ASSERT_FALSE(look(1));
    CU_ASSERT(look(0));
    CU_ASSERT(look(2));
    CU_ASSERT(look(3));
    s2clr_result_cache_limit(one);
    CU_ASSERT_EQUAL(s2clr_result_cache_bytes(), one);
    CU_ASSERT(look(3));
    s2clr_result_cache_limit(one - 1);
    give(4);
    CU_ASSERT_EQUAL(s2clr_result_cache_bytes(), 0);
    CU_ASSERT_FALSE(look(4));
    s2clr_result_cache_limit(before);
}

static void reserves(void)
{
    const s2clr_result_key key = key_of(1, 7);
    float values[FLOATS];
    s2clr_result_cache_clear();
    CU_ASSERT_FALSE(s2clr_result_cache_take(&key, FLOATS, true, values));
    CU_ASSERT_FALSE(s2clr_result_cache_reserve(&key));
    CU_ASSERT_FALSE(look(7)); /* does not wait */
    s2clr_result_cache_fail(&key);
    CU_ASSERT(s2clr_result_cache_reserve(&key));
    s2clr_result_cache_clear(); /* reservations stay */
    CU_ASSERT_FALSE(s2clr_result_cache_reserve(&key));
    give(7);
    CU_ASSERT_FALSE(s2clr_result_cache_reserve(&key));
    CU_ASSERT(look(7));
    s2clr_result_cache_fail(&key); /* of what is finished: nothing */
    CU_ASSERT(look(7));
    CU_ASSERT_NOT_EQUAL(s2clr_result_cache_ticket(), s2clr_result_cache_ticket());
}

/* ---- threads ---- */

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static int computed[KEYS], computing[KEYS], wrong;

static void count(int *counter, int add, int limit)
{
    pthread_mutex_lock(&counting);
    *counter += add;
    if (*counter > limit) wrong++;
    pthread_mutex_unlock(&counting);
}

static void *work(void *context)
{
    const uint64_t seed = *(const uint64_t *)context;
    const struct timespec moment = {.tv_nsec = 20000};
    for (uint64_t i = 0; i < 600; i++) {
        const int block = (int)s2clr_random_below(seed, 0, i, KEYS);
        const s2clr_result_key key = key_of(3, block);
        float values[FLOATS];
        if (s2clr_result_cache_take(&key, FLOATS, true, values)) {
            count(&wrong, !is_block(block, values), 0);
            continue;
        }
        count(&computing[block], 1, 1); /* alone with it */
        nanosleep(&moment, NULL);
        count(&computing[block], -1, 1);
        /* Some fail the first times: a waiter takes over. */
        if (s2clr_random_below(seed, 1, i, 4) == 0) {
            s2clr_result_cache_fail(&key);
            continue;
        }
        count(&computed[block], 1, 1000);
        fill(block, values);
        s2clr_result_cache_give(&key, FLOATS, values);
    }
    return NULL;
}

static void run_threads(void)
{
    pthread_t thread[THREADS];
    uint64_t seed[THREADS];
    memset(computed, 0, sizeof computed);
    s2clr_result_cache_clear();
    for (int i = 0; i < THREADS; i++) {
        seed[i] = 50 + (uint64_t)i;
        CU_ASSERT_EQUAL(pthread_create(&thread[i], NULL, work, &seed[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    CU_ASSERT_EQUAL(wrong, 0);
}

static void one_computes(void)
{
    run_threads();
    for (int i = 0; i < KEYS; i++) CU_ASSERT_EQUAL(computed[i], 1);
}

/* With room for a few blocks only: dropped while others copy them. */
static void one_computes_in_little_room(void)
{
    const size_t before = s2clr_result_cache_room();
    s2clr_result_cache_limit(5 * FLOATS * sizeof(float));
    run_threads();
    CU_ASSERT(s2clr_result_cache_bytes() <= 5 * FLOATS * sizeof(float));
    s2clr_result_cache_limit(1);
    run_threads();
    CU_ASSERT_EQUAL(s2clr_result_cache_bytes(), 0);
    s2clr_result_cache_limit(before);
}

static const test_case cases[] = {
    {"what was given comes back", returns_what_was_given},
    {"the oldest goes first", drops_the_oldest},
    {"reservations", reserves},
    {"of many threads one computes", one_computes},
    {"the same in little room", one_computes_in_little_room},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("result_cache", cases, argc, argv);
}
