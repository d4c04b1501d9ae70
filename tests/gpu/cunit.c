#include <CUnit/CUnit.h>
#include <pthread.h>
#include <setjmp.h>

enum { SHOWN_MAX = 30, TEXT_MAX = 1000 };

struct CU_Suite {
    const char *name;
};

struct CU_Test {
    void (*run)(void);
};

static struct CU_Suite only_suite;
static struct CU_Test current;
static char failures[SHOWN_MAX][TEXT_MAX];
static unsigned count;
static jmp_buf out_of_test;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* tests assert on threads as well */

CU_ErrorCode CU_initialize_registry(void)
{
    return CUE_SUCCESS;
}

void CU_cleanup_registry(void)
{
}

CU_pSuite CU_add_suite(const char *name, int (*begin)(void), int (*end)(void))
{
    (void)begin, (void)end;
    only_suite.name = name;
    return &only_suite;
}

CU_pTest CU_add_test(CU_pSuite suite, const char *name, void (*run)(void))
{
    (void)suite, (void)name;
    current.run = run;
    return &current;
}

CU_ErrorCode CU_run_test(CU_pSuite suite, CU_pTest test)
{
    (void)suite;
    count = 0;
    if (setjmp(out_of_test) == 0) test->run();
    return CUE_SUCCESS;
}

unsigned CU_get_number_of_failures(void)
{
    return count;
}

CU_pFailureRecord CU_get_failure_list(void)
{
    return NULL;
}

void CU_basic_show_failures(CU_pFailureRecord records)
{
    (void)records;
    for (unsigned i = 0; i < count && i < SHOWN_MAX; i++) printf("  %u. %s\n", i + 1, failures[i]);
}

CU_BOOL CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition,
                                const char *file, const char *function, CU_BOOL fatal)
{
    (void)function;
    if (value) return value;
    pthread_mutex_lock(&lock);
    if (count < SHOWN_MAX) snprintf(failures[count], TEXT_MAX, "%s:%u - %s", file, line, condition);
    count++;
    pthread_mutex_unlock(&lock);
    if (fatal) longjmp(out_of_test, 1);
    return value;
}
