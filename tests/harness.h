/*
 * What every C test program shares: a table of CUnit tests, skipping with a reason, temporary
 * folders and the place of the optional real data.
 *
 *     static void adds(void) { CU_ASSERT_EQUAL(1 + 1, 2); }
 *     static const test_case cases[] = {{"adds", adds}};
 *     int main(int argc, char **argv) { return TEST_MAIN("sums", cases, argc, argv); }
 *
 * The program exits 0 when all that ran passed, 1 otherwise, 77 when everything was skipped. A name
 * as argument runs only the cases whose name contains it. The last line printed is
 * "SUITE: N run, N failed, N skipped", which tests/summary.sh adds up.
 */
#ifndef S2CLR_TESTS_HARNESS_H
#define S2CLR_TESTS_HARNESS_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct test_case {
    const char *name;
    void (*run)(void);
} test_case;

int test_main(const char *suite, const test_case *cases, size_t count, int argc, char **argv);
#define TEST_MAIN(suite, cases, argc, argv)                                                        \
    test_main(suite, cases, sizeof(cases) / sizeof((cases)[0]), argc, argv)

/* Marks the running case as skipped; `return` right after it. */
void test_skip(const char *reason);

/* A folder made for this program and removed at its end. Borrowed. */
const char *test_folder(void);

/* Path of `name` below the real data folder ($S2CLR_TEST_DATA, else shared/data beside the source
 * tree), or NULL when absent: then skip. Borrowed until the next call. */
const char *test_data(const char *name);

/* Path of `name` in the source tree's tests/ folder. Borrowed until the next call. */
const char *test_source(const char *name);

/* The text of a file of less than 400,000 bytes; "" when there is none. Borrowed until the next
 * call. */
const char *test_text(const char *path);

/* How often `word` stands in `text`, without overlaps. */
int test_occurrences(const char *text, const char *word);

/* fork(2), with what is printed flushed, once all other threads sleep: one that has just begun may be
 * inside an allocator, and that of AddressSanitizer then stays locked in the child. */
pid_t test_fork(void);

/* Fails the case with the thread's error text when a status is not S2CLR_OK. */
#define TEST_OK(expression)                                                                        \
    test_status((int)(expression), #expression, __FILE__, __LINE__)
void test_status(int status, const char *expression, const char *file, int line);

/* Fails unless |a - b| <= tolerance (NaN never passes); prints both. */
#define TEST_NEAR(a, b, tolerance) test_near((double)(a), (double)(b), (double)(tolerance), #a, \
                                             __FILE__, __LINE__)
void test_near(double a, double b, double tolerance, const char *what, const char *file, int line);

/* Fails unless the thread's error text contains `text`. */
#define TEST_ERROR_SAYS(text) test_error_says(text, __FILE__, __LINE__)
void test_error_says(const char *text, const char *file, int line);

#endif
