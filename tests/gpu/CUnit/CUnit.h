/*
 * As much of CUnit as tests/harness.c and the tests of networks use, for machines on which it is
 * not installed: see tests/on-gpu.sh. An assertion that fails is noted; a fatal one ends its test.
 */
#ifndef S2CLR_TESTS_GPU_CUNIT_H
#define S2CLR_TESTS_GPU_CUNIT_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CU_FALSE 0
#define CUE_SUCCESS 0

typedef int CU_BOOL;
typedef int CU_ErrorCode;
typedef struct CU_Suite *CU_pSuite;
typedef struct CU_Test *CU_pTest;
typedef struct CU_FailureRecord *CU_pFailureRecord;

CU_ErrorCode CU_initialize_registry(void);
void CU_cleanup_registry(void);
CU_pSuite CU_add_suite(const char *name, int (*begin)(void), int (*end)(void));
CU_pTest CU_add_test(CU_pSuite suite, const char *name, void (*run)(void));
CU_ErrorCode CU_run_test(CU_pSuite suite, CU_pTest test);
unsigned CU_get_number_of_failures(void); /* of the last test run */
CU_pFailureRecord CU_get_failure_list(void);
void CU_basic_show_failures(CU_pFailureRecord failures);
CU_BOOL CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition,
                                const char *file, const char *function, CU_BOOL fatal);

#define CU_CHECK(value, text, fatal)                                                               \
    CU_assertImplementation((value) ? 1 : 0, __LINE__, text, __FILE__, "", fatal)

#define CU_FAIL(text) CU_CHECK(0, text, 0)
#define CU_ASSERT(value) CU_CHECK(value, #value, 0)
#define CU_ASSERT_FATAL(value) CU_CHECK(value, #value, 1)
#define CU_ASSERT_TRUE(value) CU_ASSERT(value)
#define CU_ASSERT_TRUE_FATAL(value) CU_ASSERT_FATAL(value)
#define CU_ASSERT_FALSE(value) CU_CHECK(!(value), "not " #value, 0)
#define CU_ASSERT_EQUAL(a, b) CU_CHECK((a) == (b), #a " == " #b, 0)
#define CU_ASSERT_EQUAL_FATAL(a, b) CU_CHECK((a) == (b), #a " == " #b, 1)
#define CU_ASSERT_NOT_EQUAL(a, b) CU_CHECK((a) != (b), #a " != " #b, 0)
#define CU_ASSERT_PTR_EQUAL(a, b) CU_ASSERT_EQUAL((const void *)(a), (const void *)(b))
#define CU_ASSERT_PTR_NULL(a) CU_CHECK((a) == NULL, #a " == NULL", 0)
#define CU_ASSERT_PTR_NOT_NULL(a) CU_CHECK((a) != NULL, #a " != NULL", 0)
#define CU_ASSERT_PTR_NOT_NULL_FATAL(a) CU_CHECK((a) != NULL, #a " != NULL", 1)
#define CU_ASSERT_STRING_EQUAL(a, b) CU_CHECK(strcmp(a, b) == 0, #a " is " #b, 0)
#define CU_ASSERT_STRING_NOT_EQUAL(a, b) CU_CHECK(strcmp(a, b) != 0, #a " is not " #b, 0)
#define CU_ASSERT_DOUBLE_EQUAL(a, b, limit) CU_CHECK(fabs((a) - (b)) <= (limit), #a " ~ " #b, 0)

#endif
