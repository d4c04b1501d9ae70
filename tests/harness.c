#define _XOPEN_SOURCE 700
#include "harness.h"

#include <CUnit/Basic.h>
#include <CUnit/TestRun.h>
#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/status.h"

static const char *skip_reason;
static char folder[PATH_MAX];

void test_skip(const char *reason)
{
    skip_reason = reason;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

const char *test_folder(void)
{
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/s2clr-test-XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(folder)) {
            perror(folder);
            exit(1);
        }
    }
    return folder;
}

static const char *source_folder(void)
{
    const char *given = getenv("srcdir");
    return given && given[0] ? given : ".";
}

const char *test_data(const char *name)
{
    static char path[PATH_MAX];
    const char *base = getenv("S2CLR_TEST_DATA");
    if (base)
        snprintf(path, sizeof path, "%s/%s", base, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source_folder(), name);
    return access(path, R_OK) == 0 ? path : NULL;
}

const char *test_source(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/tests/%s", source_folder(), name);
    return path;
}

void test_status(int status, const char *expression, const char *file, int line)
{
    char text[1400] = "";
    if (status != S2CLR_OK)
        snprintf(text, sizeof text, "%s: %s: %s", expression,
                 s2clr_status_name((s2clr_status)status), s2clr_error_text());
    CU_assertImplementation(status == S2CLR_OK, (unsigned)line, text, file, "", CU_FALSE);
}

void test_near(double a, double b, double tolerance, const char *what, const char *file, int line)
{
    char text[300];
    snprintf(text, sizeof text, "%.120s: %.9g is not within %.3g of %.9g", what, a, tolerance, b);
    CU_assertImplementation(fabs(a - b) <= tolerance, (unsigned)line, text, file, "", CU_FALSE);
}

void test_error_says(const char *text, const char *file, int line)
{
    char message[1400];
    snprintf(message, sizeof message, "error text \"%s\" should contain \"%s\"", s2clr_error_text(),
             text);
    CU_assertImplementation(strstr(s2clr_error_text(), text) != NULL, (unsigned)line, message, file,
                            "", CU_FALSE);
}

static unsigned run_case(CU_pSuite suite, const test_case *one, size_t *skipped)
{
    CU_pTest test = CU_add_test(suite, one->name, one->run);
    if (!test) return 1;
    skip_reason = NULL;
    s2clr_error_clear();
    CU_run_test(suite, test);
    if (skip_reason) {
        printf("SKIP %s: %s\n", one->name, skip_reason);
        ++*skipped;
    }
    return CU_get_number_of_failures() ? 1 : 0;
}

int test_main(const char *suite_name, const test_case *cases, size_t count, int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    size_t run = 0, failed = 0, skipped = 0;
    if (CU_initialize_registry() != CUE_SUCCESS) return 1;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite && i < count; i++) {
        if (!strstr(cases[i].name, only)) continue;
        unsigned bad = run_case(suite, &cases[i], &skipped);
        if (bad) {
            printf("FAIL %s\n", cases[i].name);
            CU_basic_show_failures(CU_get_failure_list());
            printf("\n");
        }
        failed += bad;
        run++;
        fflush(stdout);
    }
    CU_cleanup_registry();
    if (folder[0]) nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    run -= skipped;
    printf("%s: %zu run, %zu failed, %zu skipped\n", suite_name, run, failed, skipped);
    if (!suite || failed) return 1;
    return run == 0 && skipped ? 77 : 0;
}

const char *test_text(const char *path)
{
    static char text[400000];
    FILE *file = fopen(path, "r");
    const size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[size] = '\0';
    return text;
}

/* The state in "1234 (name) S ...", where the name may hold anything. */
static char thread_state(const char *id)
{
    char path[PATH_MAX], line[400] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/stat", id);
    FILE *file = fopen(path, "r");
    if (!file) return 'X';
    if (!fgets(line, sizeof line, file)) line[0] = '\0';
    fclose(file);
    const char *const end = strrchr(line, ')');
    return end && end[1] ? end[2] : 'X';
}

static int awake_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int awake = -1; /* this one */
    if (!tasks) return 0;
    for (const struct dirent *e = readdir(tasks); e; e = readdir(tasks))
        if (e->d_name[0] != '.' && thread_state(e->d_name) != 'S') awake++;
    closedir(tasks);
    return awake;
}

pid_t test_fork(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    fflush(NULL);
    for (int i = 0; i < 10000 && awake_threads() > 0; i++) nanosleep(&moment, NULL);
    return fork();
}

int test_occurrences(const char *text, const char *word)
{
    int found = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word)) found++;
    return found;
}
