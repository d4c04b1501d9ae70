#define _POSIX_C_SOURCE 200809L
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/pcgroup.h"
#include "base/philox.h"
#include "base/pool.h"
#include "base/status.h"
#include "base/utf8.h"

/* ---- status ---- */

static void *other_thread(void *argument)
{
    const bool empty = s2clr_error_text()[0] == '\0';
    (void)s2clr_error_set(S2CLR_ERR_IO, "the other thread's");
    *(bool *)argument = empty;
    return NULL;
}

static void error_text_is_per_thread(void)
{
    CU_ASSERT_EQUAL(s2clr_error_set(S2CLR_ERR_FORMAT, "file %s: %d", "a.tif", 7), S2CLR_ERR_FORMAT);
    pthread_t thread;
    bool was_empty = false;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, other_thread, &was_empty), 0);
    pthread_join(thread, NULL);
    CU_ASSERT_TRUE(was_empty);
    CU_ASSERT_STRING_EQUAL(s2clr_error_text(), "file a.tif: 7");
    s2clr_error_clear();
    CU_ASSERT_STRING_EQUAL(s2clr_error_text(), "");
}

static void error_text_is_cut_and_may_quote_itself(void)
{
    char many[3000];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    (void)s2clr_error_set(S2CLR_ERR_IO, "%s", many);
    CU_ASSERT_EQUAL(strlen(s2clr_error_text()), 1023);
    (void)s2clr_error_set(S2CLR_ERR_IO, "cause");
    (void)s2clr_error_set(S2CLR_ERR_IO, "[%s] [%s]", s2clr_error_text(), s2clr_error_text());
    CU_ASSERT_STRING_EQUAL(s2clr_error_text(), "[cause] [cause]");
}

static void every_status_has_its_own_name(void)
{
    for (int i = 0; i <= S2CLR_ERR_BACKEND; i++)
        for (int j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(s2clr_status_name((s2clr_status)i),
                                       s2clr_status_name((s2clr_status)j));
    CU_ASSERT_STRING_EQUAL(s2clr_status_name(S2CLR_ERR_FORMAT), "format");
    CU_ASSERT_STRING_EQUAL(s2clr_status_name((s2clr_status)99), "unknown");
}

/* ---- memory ---- */

static void sizes_overflow_is_an_error(void)
{
    size_t out = 123;
    CU_ASSERT_EQUAL(s2clr_size_mul(SIZE_MAX / 2 + 1, 2, &out), S2CLR_ERR_MEMORY);
    CU_ASSERT_EQUAL(s2clr_size_add(SIZE_MAX, 1, &out), S2CLR_ERR_MEMORY);
    CU_ASSERT_EQUAL(out, 123);
    TEST_OK(s2clr_size_mul(SIZE_MAX, 0, &out));
    CU_ASSERT_EQUAL(out, 0);
    TEST_OK(s2clr_size_mul(0, SIZE_MAX, &out));
    CU_ASSERT_EQUAL(out, 0);
    TEST_OK(s2clr_size_mul(SIZE_MAX / 3, 3, &out));
    CU_ASSERT_EQUAL(out, SIZE_MAX / 3 * 3);
    TEST_OK(s2clr_size_add(SIZE_MAX - 1, 1, &out));
    CU_ASSERT_EQUAL(out, SIZE_MAX);
}

static void allocations_are_aligned_and_zero(void)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *bytes = NULL;
        TEST_OK(s2clr_alloc(sizes[i], 1, "test bytes", (void **)&bytes));
        CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
        CU_ASSERT_EQUAL((uintptr_t)bytes % 64, 0);
        size_t set = 0;
        for (size_t j = 0; j < sizes[i]; j++) set += bytes[j] != 0;
        CU_ASSERT_EQUAL(set, 0);
        s2clr_free(bytes);
    }
    s2clr_free(NULL);
}

static void an_impossible_allocation_names_itself(void)
{
    int mark;
    void *out = &mark;
    CU_ASSERT_EQUAL(s2clr_alloc(SIZE_MAX / 2, 3, "weights of x", &out), S2CLR_ERR_MEMORY);
    TEST_ERROR_SAYS("weights of x");
    CU_ASSERT_PTR_EQUAL(out, &mark);
}

/* ---- random numbers ---- */

/* kat_vectors of the Random123 distribution, lines "philox4x32 10". */
static void philox_gives_the_published_words(void)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        s2clr_philox(known[i].key, known[i].counter, out);
        for (int j = 0; j < 4; j++) CU_ASSERT_EQUAL(out[j], known[i].out[j]);
    }
}

static void words_follow_the_definition(void)
{
    static const uint32_t zero[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    for (uint64_t i = 0; i < 4; i++) CU_ASSERT_EQUAL(s2clr_random_u32(0, 0, i), zero[i]);

    const uint64_t seed = 0x0123456789abcdefu, stream = 0xfedcba9876543210u;
    const uint64_t block = 0x2222222211111111u;
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    const uint32_t counter[4] = {0x11111111, 0x22222222, 0x76543210, 0xfedcba98};
    uint32_t out[4];
    s2clr_philox(key, counter, out);
    for (uint64_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(s2clr_random_u32(seed, stream, 4 * block + i), out[i]);

    for (uint64_t i = 0; i < 100; i++) {
        const uint32_t word = s2clr_random_u32(9, 8, i);
        CU_ASSERT_EQUAL((double)s2clr_random_uniform(9, 8, i), (double)(word >> 8) / 16777216.0);
        CU_ASSERT_EQUAL(s2clr_random_below(9, 8, i, 1), 0);
        CU_ASSERT_EQUAL(s2clr_random_below(9, 8, i, 0xffffffffu),
                        (uint32_t)((uint64_t)word * 0xffffffffu / 4294967296u));
    }
}

/* Moments and tail shares of the normal distribution; tolerances are about 5 standard errors of
 * n = 200,000 draws, and the draws are fixed. */
static void normals_have_the_right_moments(void)
{
    const int n = 200000;
    double sum = 0, squares = 0, cubes = 0, fourths = 0;
    int beyond_one = 0, beyond_two = 0, finite = 0;
    for (int i = 0; i < n; i++) {
        const double x = (double)s2clr_random_normal(42, 3, (uint64_t)i);
        sum += x, squares += x * x, cubes += x * x * x, fourths += x * x * x * x;
        beyond_one += fabs(x) > 1, beyond_two += fabs(x) > 2;
        finite += isfinite(x) != 0;
    }
    CU_ASSERT_EQUAL(finite, n);
    TEST_NEAR(sum / n, 0, 0.0112);
    TEST_NEAR(squares / n, 1, 0.0158);
    TEST_NEAR(cubes / n, 0, 0.0434);
    TEST_NEAR(fourths / n, 3, 0.11);
    TEST_NEAR((double)beyond_one / n, 0.317310508, 0.0052);
    TEST_NEAR((double)beyond_two / n, 0.045500264, 0.0024);
}

static void below_is_even(void)
{
    int hits[7] = {0};
    const int n = 70000;
    for (int i = 0; i < n; i++) {
        const uint32_t value = s2clr_random_below(1, 2, (uint64_t)i, 7);
        CU_ASSERT_TRUE_FATAL(value < 7);
        hits[value]++;
    }
    double chi = 0;
    for (int i = 0; i < 7; i++) chi += (hits[i] - 10000.0) * (hits[i] - 10000.0) / 10000.0;
    CU_ASSERT_TRUE(chi < 22.5); /* 99.9 % of chi-square with 6 degrees of freedom */
}

/* ---- pool ---- */

typedef struct job {
    int *count; /* (items): how often each ran */
    int threads;
    size_t fail_from; /* this item and every later one fail */
    bool slow_first;  /* the lowest failing item reports after higher ones */
    int bad_worker;
    s2clr_pool *inner;
} job;

static s2clr_status one_item(void *context, size_t item, int worker)
{
    job *j = context;
    if (worker < 0 || worker >= j->threads) j->bad_worker = 1;
    j->count[item]++;
    if (j->slow_first && item == j->fail_from) {
        const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
    if (item >= j->fail_from) return s2clr_error_set(S2CLR_ERR_FORMAT, "item %zu failed", item);
    return S2CLR_OK;
}

static void a_pool_runs_every_item_once(void)
{
    for (int threads = 1; threads <= 5; threads++) {
        s2clr_pool *pool;
        TEST_OK(s2clr_pool_new(threads, &pool));
        CU_ASSERT_EQUAL(s2clr_pool_threads(pool), threads);
        static const size_t items[] = {0, 1, 2, 3, 7, 1000};
        for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
            int count[1000] = {0};
            job j = {.count = count, .threads = threads, .fail_from = SIZE_MAX};
            TEST_OK(s2clr_pool_run(pool, one_item, &j, items[i]));
            for (size_t k = 0; k < 1000; k++) CU_ASSERT_EQUAL(count[k], k < items[i]);
            CU_ASSERT_FALSE(j.bad_worker);
        }
        s2clr_pool_free(pool);
    }
}

static void the_lowest_failure_is_reported_and_the_pool_lives_on(void)
{
    for (int threads = 1; threads <= 4; threads++) {
        s2clr_pool *pool;
        TEST_OK(s2clr_pool_new(threads, &pool));
        for (int round = 0; round < 5; round++) {
            int count[1000] = {0};
            job j = {.count = count, .threads = threads, .fail_from = 5, .slow_first = round == 0};
            s2clr_error_clear();
            CU_ASSERT_EQUAL(s2clr_pool_run(pool, one_item, &j, 1000), S2CLR_ERR_FORMAT);
            CU_ASSERT_STRING_EQUAL(s2clr_error_text(), "item 5 failed");
            int ran = 0;
            for (int k = 0; k < 1000; k++) ran += count[k];
            CU_ASSERT_TRUE(ran <= 5 + threads);

            j.fail_from = SIZE_MAX;
            memset(count, 0, sizeof count);
            TEST_OK(s2clr_pool_run(pool, one_item, &j, 100));
            for (int k = 0; k < 1000; k++) CU_ASSERT_EQUAL(count[k], k < 100);
        }
        s2clr_pool_free(pool);
    }
}

static s2clr_status nested(void *context, size_t item, int worker)
{
    (void)worker;
    job *j = context;
    return item == 0 ? s2clr_pool_run(j->inner, one_item, context, 1) : S2CLR_OK;
}

static void a_pool_inside_itself_is_refused(void)
{
    s2clr_pool *pool;
    TEST_OK(s2clr_pool_new(2, &pool));
    int count[1] = {0};
    job j = {.count = count, .threads = 2, .fail_from = SIZE_MAX, .inner = pool};
    CU_ASSERT_EQUAL(s2clr_pool_run(pool, nested, &j, 4), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("already running");
    CU_ASSERT_EQUAL(count[0], 0);
    s2clr_pool_free(pool);
}

static void thread_counts_are_checked(void)
{
    s2clr_pool *pool = NULL;
    CU_ASSERT_EQUAL(s2clr_pool_new(-1, &pool), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_pool_new(1000000, &pool), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_PTR_NULL(pool);
    TEST_OK(s2clr_pool_new(0, &pool));
    CU_ASSERT_EQUAL(s2clr_pool_threads(pool), s2clr_cpu_count());
    s2clr_pool_free(pool);
    s2clr_pool_free(NULL);
}

/* ---- limits of the process ---- */

static void put(const char *name, const char *text)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    for (char *slash = strchr(path + strlen(test_folder()) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static s2clr_cgroup_limits limits_of(const char *membership)
{
    char list[4200], mount[4200];
    put("membership", membership);
    snprintf(list, sizeof list, "%s/membership", test_folder());
    snprintf(mount, sizeof mount, "%s/mount", test_folder());
    s2clr_cgroup_limits limits;
    s2clr_cgroup_read(list, mount, &limits);
    return limits;
}

static void cgroup_v2_takes_the_tightest_ancestor(void)
{
    put("mount/a/cpu.max", "150000 100000\n");
    put("mount/a/b/cpu.max", "max 100000\n");
    put("mount/a/memory.max", "1000000\n");
    put("mount/a/memory.current", "700000\n");
    put("mount/a/memory.stat", "anon 1\nactive_file 7\ninactive_file 100000\nslab 5\n");
    put("mount/a/b/memory.max", "max\n");
    put("mount/a/b/memory.current", "1\n");
    s2clr_cgroup_limits limits = limits_of("0::/a/b\n");
    TEST_NEAR(limits.cpus, 1.5, 1e-12);
    CU_ASSERT_EQUAL(limits.memory_left, 400000);
    put("mount/a/b/cpu.max", "50000 100000\n");
    limits = limits_of("0::/a/b\n");
    TEST_NEAR(limits.cpus, 0.5, 1e-12);
    limits = limits_of("0::/somewhere/else\n");
    CU_ASSERT_EQUAL(limits.cpus, 0);
    CU_ASSERT_EQUAL(limits.memory_left, UINT64_MAX);
}

static void cgroup_v1_is_read_too(void)
{
    put("mount/cpu/x/cpu.cfs_quota_us", "200000\n");
    put("mount/cpu/x/cpu.cfs_period_us", "100000\n");
    put("mount/cpu/y/cpu.cfs_quota_us", "-1\n");
    put("mount/cpu/y/cpu.cfs_period_us", "100000\n");
    put("mount/memory/memory.limit_in_bytes", "5000\n");
    put("mount/memory/memory.usage_in_bytes", "6000\n");
    put("mount/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 2000\n");
    s2clr_cgroup_limits limits = limits_of("4:memory:/m\n3:cpuset:/\n2:cpuacct,cpu:/x\n");
    TEST_NEAR(limits.cpus, 2, 1e-12);
    CU_ASSERT_EQUAL(limits.memory_left, 1000);
    limits = limits_of("2:cpuacct,cpu:/y\nnonsense\n1:cpuset:/x\n");
    CU_ASSERT_EQUAL(limits.cpus, 0);
    CU_ASSERT_EQUAL(limits.memory_left, UINT64_MAX);
}

static void this_process_has_cpus_and_memory(void)
{
    CU_ASSERT_TRUE(s2clr_cpu_count() >= 1);
    CU_ASSERT_TRUE(s2clr_memory_available() > 1u << 20);
}

/* The borders of the Unicode Standard's table 3-7. */
static void utf8_is_told_from_other_bytes(void)
{
    static const char *const good[] = {"",
                                       "plain",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "caf\xe9",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80"};
    char text[16];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT_TRUE(s2clr_utf8_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(s2clr_utf8_valid(bad[i]));
    s2clr_utf8_show("caf\xe9 \xc3\xa9", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "caf\\xe9 \xc3\xa9");
    s2clr_utf8_show("caf\xe9", text, 7); /* the byte has no room */
    CU_ASSERT_STRING_EQUAL(text, "caf");
    s2clr_utf8_show("a\xc3\xa9", text, 3);
    CU_ASSERT_STRING_EQUAL(text, "a");
}

static const test_case cases[] = {
    {"error text is per thread", error_text_is_per_thread},
    {"error text is cut and may quote itself", error_text_is_cut_and_may_quote_itself},
    {"every status has its own name", every_status_has_its_own_name},
    {"sizes: overflow is an error", sizes_overflow_is_an_error},
    {"allocations are aligned and zero", allocations_are_aligned_and_zero},
    {"an impossible allocation names itself", an_impossible_allocation_names_itself},
    {"philox gives the published words", philox_gives_the_published_words},
    {"words follow the definition", words_follow_the_definition},
    {"normals have the right moments", normals_have_the_right_moments},
    {"below is even", below_is_even},
    {"a pool runs every item once", a_pool_runs_every_item_once},
    {"the lowest failure is reported", the_lowest_failure_is_reported_and_the_pool_lives_on},
    {"a pool inside itself is refused", a_pool_inside_itself_is_refused},
    {"thread counts are checked", thread_counts_are_checked},
    {"cgroup v2 takes the tightest ancestor", cgroup_v2_takes_the_tightest_ancestor},
    {"cgroup v1 is read too", cgroup_v1_is_read_too},
    {"this process has cpus and memory", this_process_has_cpus_and_memory},
    {"utf-8 is told from other bytes", utf8_is_told_from_other_bytes},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("base", cases, argc, argv);
}
