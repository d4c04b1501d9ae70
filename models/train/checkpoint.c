#include "train/checkpoint.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/safetensors.h"

enum { VERSION = 1, DIFFERENCES_MAX = 768 };

static const char metadata_key[] = "s2clr.checkpoint";

static s2clr_tensor flat(const char *name, size_t count, const float *data)
{
    return (s2clr_tensor){.name = name,
                          .dtype = S2CLR_DTYPE_F32,
                          .rank = 1,
                          .dims = {(int64_t)count},
                          .count = count,
                          .bytes = count * sizeof *data,
                          .data = data};
}

s2clr_status s2clr_checkpoint_save(const char *path, const char *identity,
                                   const s2clr_checkpoint *state)
{
    json_t *run = json_loads(identity, JSON_REJECT_DUPLICATES, NULL);
    json_t *root =
        json_pack("{s:i, s:I, s:I, s:i, s:f, s:o}", "version", VERSION, "epoch",
                  (json_int_t)state->epoch, "step", (json_int_t)state->step, "best_epoch",
                  state->best_epoch, "best_auc", state->best_auc, "run", run);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the checkpoint's counters",
                               path);
    const s2clr_tensor tensors[] = {flat("params", state->param_count, state->params),
                                    flat("best", state->param_count, state->best),
                                    flat("moments", state->moment_count, state->moments)};
    const s2clr_metadata metadata[] = {{metadata_key, text}};
    const s2clr_status status = s2clr_tensors_write(path, tensors, 3, metadata, 1);
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
                           "%s: cannot resume, this run differs in %s; use the same settings and "
                           "data, or another run folder",
                           path, text);
}

static s2clr_status read_counters(const char *path, const json_t *root, s2clr_checkpoint *state)
{
    const json_t *epoch = json_object_get(root, "epoch"), *step = json_object_get(root, "step"),
                 *best = json_object_get(root, "best_epoch"),
                 *auc = json_object_get(root, "best_auc");
    const json_int_t best_epoch = json_integer_value(best);
    if (!json_is_integer(epoch) || !json_is_integer(step) || !json_is_integer(best) ||
        !json_is_number(auc) || json_integer_value(epoch) < 0 ||
        json_integer_value(epoch) > INT_MAX || json_integer_value(step) < 0 || best_epoch < 0 ||
        best_epoch > json_integer_value(epoch))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: the counters of the checkpoint make no sense; remove the file "
                               "to start afresh",
                               path);
    state->epoch = (uint64_t)json_integer_value(epoch);
    state->step = (uint64_t)json_integer_value(step);
    state->best_epoch = (int)best_epoch;
    state->best_auc = json_number_value(auc);
    return S2CLR_OK;
}

static s2clr_status read_floats(const s2clr_tensors *file, const char *path, const char *name,
                                size_t count, float *out)
{
    const s2clr_tensor *tensor = s2clr_tensors_find(file, name);
    if (!tensor || tensor->count != count)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: tensor \"%s\" has %zu elements, the network needs %zu", path,
                               name, tensor ? tensor->count : 0, count);
    S2CLR_TRY(s2clr_tensor_floats(tensor, path, out));
    for (size_t i = 0; i < count; i++)
        if (!isfinite(out[i]))
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: element %zu of \"%s\" is not a finite number", path, i,
                                   name);
    return S2CLR_OK;
}

static s2clr_status load(const s2clr_tensors *file, const char *path, const json_t *root,
                         const char *identity, s2clr_checkpoint *state)
{
    const json_t *run = json_object_get(root, "run");
    if (json_integer_value(json_object_get(root, "version")) != VERSION || !json_is_object(run))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: not a training checkpoint of version %d; use another run "
                               "folder or remove the file",
                               path, VERSION);
    S2CLR_TRY(compare_identity(path, run, identity));
    s2clr_checkpoint read = *state;
    S2CLR_TRY(read_counters(path, root, &read));
    S2CLR_TRY(read_floats(file, path, "params", read.param_count, read.params));
    S2CLR_TRY(read_floats(file, path, "best", read.param_count, read.best));
    S2CLR_TRY(read_floats(file, path, "moments", read.moment_count, read.moments));
    *state = read;
    return S2CLR_OK;
}

s2clr_status s2clr_checkpoint_load(const char *path, const char *identity, s2clr_checkpoint *state)
{
    s2clr_tensors *file;
    S2CLR_TRY(s2clr_tensors_open(path, &file));
    const char *text = s2clr_tensors_metadata(file, metadata_key);
    json_t *root = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const s2clr_status status = load(file, path, root, identity, state);
    json_decref(root);
    s2clr_tensors_close(file);
    return status;
}
