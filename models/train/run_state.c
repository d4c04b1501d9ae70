#include "train/run_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/safetensors.h"

/* 1 did not say backend and precision; 2 had a rate of 0 in the last step. */
enum { VERSION = 3, ARRAYS_MAX = 4, DIFFERENCES_MAX = 768 };

static s2clr_tensor flat(const s2clr_run_array *array)
{
    return (s2clr_tensor){.name = array->name,
                          .dtype = S2CLR_DTYPE_F32,
                          .rank = 1,
                          .dims = {(int64_t)array->count},
                          .count = array->count,
                          .bytes = array->count * sizeof *array->values,
                          .data = array->values};
}

s2clr_status s2clr_run_state_save(const char *path, const char *key, const char *identity,
                                  json_t *counters, const s2clr_run_array *arrays, size_t count)
{
    int failed = json_object_set_new(counters, "version", json_integer(VERSION));
    failed |=
        json_object_set_new(counters, "run", json_loads(identity, JSON_REJECT_DUPLICATES, NULL));
    char *text = failed ? NULL : json_dumps(counters, JSON_COMPACT);
    json_decref(counters);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the counters", path);
    s2clr_tensor tensors[ARRAYS_MAX];
    for (size_t i = 0; i < count; i++) tensors[i] = flat(&arrays[i]);
    const s2clr_metadata metadata[] = {{key, text}};
    const s2clr_status status = s2clr_tensors_write(path, tensors, count, metadata, 1);
    free(text);
    return status;
}

/* Appends "rate (run: 0.1, now: 0.2)" for one entry. */
static void append_difference(const char *key, const json_t *was, const json_t *now, char *text)
{
    char *old = was ? json_dumps(was, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) : NULL;
    char *new = now ? json_dumps(now, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) : NULL;
    const size_t used = strlen(text);
    snprintf(text + used, DIFFERENCES_MAX - used, "%s%s (run: %.80s, now: %.80s)", used ? ", " : "",
             key, old ? old : "none", new ? new : "none");
    free(old);
    free(new);
}

static s2clr_status compare_identity(const char *path, const json_t *was, const char *identity)
{
    json_t *now = json_loads(identity, JSON_REJECT_DUPLICATES, NULL);
    char text[DIFFERENCES_MAX] = "";
    const char *key;
    json_t *value;
    json_object_foreach(now, key, value)
    {
        const json_t *old = json_object_get(was, key);
        if (!json_equal(old, value)) append_difference(key, old, value, text);
    }
    json_object_foreach((json_t *)was, key, value)
    {
        if (!json_object_get(now, key)) append_difference(key, value, NULL, text);
    }
    json_decref(now);
    if (!text[0]) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: cannot resume, this run differs in %s; use the same settings, "
                           "data, device and precision, or another run folder",
                           path, text);
}

s2clr_status s2clr_run_state_counter(const char *path, const json_t *counters, const char *name,
                                     json_int_t highest, json_int_t *out)
{
    const json_t *value = json_object_get(counters, name);
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || number > highest)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: its counter \"%s\" makes no sense; remove the file to start "
                               "afresh",
                               path, name);
    *out = number;
    return S2CLR_OK;
}

static s2clr_status read_floats(const s2clr_tensors *file, const char *path,
                                const s2clr_run_array *array)
{
    const s2clr_tensor *tensor = s2clr_tensors_find(file, array->name);
    if (!tensor || tensor->count != array->count)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: tensor \"%s\" has %zu elements, this run needs %zu", path,
                               array->name, tensor ? tensor->count : 0, array->count);
    S2CLR_TRY(s2clr_tensor_floats(tensor, path, array->values));
    for (size_t i = 0; i < array->count; i++)
        if (!isfinite(array->values[i]))
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: element %zu of \"%s\" is not a finite number", path, i,
                                   array->name);
    return S2CLR_OK;
}

static s2clr_status load(const s2clr_tensors *file, const char *path, const json_t *root,
                         const char *identity, const s2clr_run_array *arrays, size_t count)
{
    const json_t *run = json_object_get(root, "run");
    const json_int_t version = json_integer_value(json_object_get(root, "version"));
    if (version > 0 && version < VERSION)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: its version is %d, and this s2clr trains as version %d does, "
                               "with other weights: finish the run with the s2clr that began it, "
                               "or use another run folder",
                               path, (int)version, VERSION);
    if (version != VERSION || !json_is_object(run))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: not a file of a run of version %d; use another run folder or "
                               "remove the file",
                               path, VERSION);
    S2CLR_TRY(compare_identity(path, run, identity));
    for (size_t i = 0; i < count; i++) S2CLR_TRY(read_floats(file, path, &arrays[i]));
    return S2CLR_OK;
}

s2clr_status s2clr_run_state_load(const char *path, const char *key, const char *identity,
                                  const s2clr_run_array *arrays, size_t count, json_t **counters)
{
    s2clr_tensors *file;
    S2CLR_TRY(s2clr_tensors_open(path, &file));
    const char *text = s2clr_tensors_metadata(file, key);
    json_t *root = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const s2clr_status status = load(file, path, root, identity, arrays, count);
    s2clr_tensors_close(file);
    if (status != S2CLR_OK) {
        json_decref(root);
        return status;
    }
    *counters = root;
    return S2CLR_OK;
}
