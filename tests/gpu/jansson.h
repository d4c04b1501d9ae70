/*
 * As much of jansson as tests/test_golden.c uses, for machines on which it is not installed: reads
 * a file of JSON. See tests/on-gpu.sh. Texts have no escapes but \" and \\; nothing is ever freed.
 */
#ifndef S2CLR_TESTS_GPU_JANSSON_H
#define S2CLR_TESTS_GPU_JANSSON_H

#include <stddef.h>

#define JSON_REJECT_DUPLICATES 0

typedef struct json_t json_t;

typedef struct json_error_t {
    int line;
    char text[160];
} json_error_t;

/* NULL when it cannot be read. */
json_t *json_load_file(const char *path, size_t flags, json_error_t *error);

/* NULL, 0 or "" where there is no such thing. */
json_t *json_object_get(const json_t *object, const char *key);
json_t *json_array_get(const json_t *array, size_t index);
size_t json_array_size(const json_t *array);
const char *json_string_value(const json_t *string);
double json_number_value(const json_t *number);
long long json_integer_value(const json_t *number);

#endif
