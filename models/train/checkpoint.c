#include "train/checkpoint.h"

#include <limits.h>

#include "train/run_state.h"

static const char metadata_key[] = "s2clr.checkpoint";

enum { ARRAYS = 3 };

/* Returns their number: without best weights there are two. */
static size_t list_arrays(const s2clr_checkpoint *state, s2clr_run_array list[ARRAYS])
{
    size_t count = 0;
    list[count++] = (s2clr_run_array){"params", state->params, state->param_count};
    if (state->best) list[count++] = (s2clr_run_array){"best", state->best, state->param_count};
    list[count++] = (s2clr_run_array){"moments", state->moments, state->moment_count};
    return count;
}

s2clr_status s2clr_checkpoint_save(const char *path, const char *identity,
                                   const s2clr_checkpoint *state)
{
    s2clr_run_array arrays[ARRAYS];
    json_t *counters = json_pack("{s:I, s:I, s:i, s:f}", "epoch", (json_int_t)state->epoch, "step",
                                 (json_int_t)state->step, "best_epoch", state->best_epoch,
                                 "best_auc", state->best_auc);
    return s2clr_run_state_save(path, metadata_key, identity, counters, arrays,
                                list_arrays(state, arrays));
}

static s2clr_status read_counters(const char *path, const json_t *counters, s2clr_checkpoint *state)
{
    const json_t *auc = json_object_get(counters, "best_auc");
    json_int_t epoch, step, best;
    S2CLR_TRY(s2clr_run_state_counter(path, counters, "epoch", INT_MAX, &epoch));
    S2CLR_TRY(s2clr_run_state_counter(path, counters, "step", LLONG_MAX, &step));
    S2CLR_TRY(s2clr_run_state_counter(path, counters, "best_epoch", epoch, &best));
    if (!json_is_number(auc))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: \"best_auc\" is not a number; remove the file to start afresh",
                               path);
    state->epoch = (uint64_t)epoch;
    state->step = (uint64_t)step;
    state->best_epoch = (int)best;
    state->best_auc = json_number_value(auc);
    return S2CLR_OK;
}

s2clr_status s2clr_checkpoint_load(const char *path, const char *identity, s2clr_checkpoint *state)
{
    s2clr_run_array arrays[ARRAYS];
    json_t *counters;
    S2CLR_TRY(s2clr_run_state_load(path, metadata_key, identity, arrays, list_arrays(state, arrays),
                                   &counters));
    const s2clr_status status = read_counters(path, counters, state);
    json_decref(counters);
    return status;
}
