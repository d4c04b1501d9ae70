#include "train/run_loop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

double s2clr_run_loop_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static s2clr_status floats(size_t count, const char *what, float **out)
{
    return s2clr_alloc(count, sizeof(float), what, (void **)out);
}

s2clr_status s2clr_run_loop_open(s2clr_run_loop *loop, bool keep_best)
{
    const s2clr_training *training = loop->training;
    s2clr_checkpoint *state = &loop->state;
    S2CLR_TRY(s2clr_training_check(training));
    S2CLR_TRY(s2clr_optimiser_find(training->optimiser, &loop->optimiser));
    S2CLR_TRY(s2clr_run_folder_open(training->run_dir, training->resume, &loop->folder));
    const size_t trainable = s2clr_net_trainable_count(loop->net);
    state->param_count = s2clr_net_param_count(loop->net);
    S2CLR_TRY(s2clr_size_mul(trainable, (size_t)loop->optimiser->moments, &state->moment_count));
    S2CLR_TRY(floats(state->param_count, "weights", &state->params));
    if (keep_best) S2CLR_TRY(floats(state->param_count, "best weights", &state->best));
    return floats(state->moment_count, "optimiser moments", &state->moments);
}

s2clr_status s2clr_run_loop_learn(s2clr_run_loop *loop, const s2clr_machine *on,
                                  const s2clr_step_options *step, size_t parts)
{
    s2clr_learner_options options = {.net = loop->net,
                                     .step = *step,
                                     .parts = parts,
                                     .optimiser = loop->optimiser,
                                     .numbers = s2clr_optimiser_defaults(),
                                     .params = loop->state.params,
                                     .moments = loop->state.moments,
                                     .part_option = loop->part_option,
                                     .part_unit = loop->part_unit,
                                     .beside = loop->beside};
    options.numbers.weight_decay = loop->training->weight_decay;
    options.numbers.factor = loop->factor;
    S2CLR_TRY(s2clr_learner_new(&options, on, &loop->learner));
    const char *const note = s2clr_learner_note(loop->learner);
    if (note[0]) s2clr_progress_warn(loop->progress, note);
    return S2CLR_OK;
}

void s2clr_run_loop_close(s2clr_run_loop *loop)
{
    s2clr_learner_free(loop->learner);
    s2clr_free(loop->identity);
    s2clr_free(loop->state.params);
    s2clr_free(loop->state.best);
    s2clr_free(loop->state.moments);
}

s2clr_status s2clr_run_loop_start(s2clr_run_loop *loop, char *identity, const float *initial)
{
    s2clr_checkpoint *state = &loop->state;
    loop->identity = identity;
    if (loop->folder.has_checkpoint)
        S2CLR_TRY(s2clr_checkpoint_load(loop->folder.checkpoint, identity, state));
    else if (initial)
        memcpy(state->params, initial, state->param_count * sizeof *initial);
    else
        S2CLR_TRY(s2clr_net_init(loop->net, loop->training->seed, state->params));
    S2CLR_TRY(s2clr_learner_load(loop->learner));
    return s2clr_run_folder_cut_log(&loop->folder, state->epoch);
}

void s2clr_run_loop_begin_epoch(s2clr_run_loop *loop)
{
    loop->started = s2clr_run_loop_now();
    loop->loss_sum = loop->loss = loop->rate = loop->views_per_second = 0;
}

s2clr_status s2clr_run_loop_check_loss(const s2clr_run_loop *loop, double loss)
{
    if (isfinite(loss)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND,
                           "training diverged: the loss of step %llu is %g; use a lower rate than "
                           "%g",
                           (unsigned long long)(loop->state.step + 1), loss, loop->training->rate);
}

static s2clr_status update(s2clr_run_loop *loop)
{
    const s2clr_training *training = loop->training;
    s2clr_checkpoint *state = &loop->state;
    const uint64_t total = (uint64_t)training->epochs * loop->steps;
    const uint64_t warmup = (uint64_t)llround(training->warmup * (double)total);
    /* The cosine reaches 0 one step after the last: every step learns, also that of a run of one.
     */
    loop->rate = s2clr_schedule_cosine(training->rate, warmup, total + 1, state->step + 1);
    S2CLR_TRY(s2clr_learner_update(loop->learner, loop->rate, state->step + 1));
    state->step++;
    return S2CLR_OK;
}

void s2clr_run_loop_describe(const s2clr_run_loop *loop, char *text, size_t size)
{
    snprintf(text, size, "epoch %d/%d loss %.4f%s%s %.0f views/s", (int)loop->state.epoch + 1,
             loop->training->epochs, loop->loss, loop->note[0] ? " " : "", loop->note,
             loop->views_per_second);
}

s2clr_status s2clr_run_loop_step(s2clr_run_loop *loop, size_t index, double loss)
{
    S2CLR_TRY(s2clr_run_loop_check_loss(loop, loss));
    S2CLR_TRY(update(loop));
    const double done = (double)(index + 1), epochs = loop->training->epochs;
    const unsigned long long finished = (unsigned long long)loop->state.epoch;
    loop->loss_sum += loss;
    loop->loss = loop->loss_sum / done;
    loop->views_per_second = done * (double)loop->views / (s2clr_run_loop_now() - loop->started);
    char text[192];
    s2clr_run_loop_describe(loop, text, sizeof text);
    const double within = loop->train_share * done / (double)loop->steps;
    if (s2clr_progress_report(loop->progress, ((double)finished + within) / epochs, text))
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_CANCELLED,
                           "training stopped in epoch %llu of %d; %llu finished epochs are kept in "
                           "%s",
                           finished + 1, loop->training->epochs, finished, loop->folder.checkpoint);
}

/* A finite loss does not prove finite weights: the last update of an epoch has had none yet. */
static s2clr_status check_weights(const s2clr_run_loop *loop)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(loop->net, &list);
    for (size_t i = 0; i < count; i++) {
        const float *values = loop->state.params + list[i].offset;
        for (size_t j = 0; j < list[i].count; j++)
            if (!isfinite(values[j]))
                return s2clr_error_set(S2CLR_ERR_BACKEND,
                                       "training diverged: %s is %g after step %llu; use a lower "
                                       "rate than %g",
                                       list[i].name, (double)values[j],
                                       (unsigned long long)loop->state.step, loop->training->rate);
    }
    return S2CLR_OK;
}

static s2clr_status log_epoch(const s2clr_run_loop *loop, json_t *extra)
{
    json_t *root = json_pack(
        "{s:I, s:I, s:f, s:f, s:f, s:f}", "epoch", (json_int_t)loop->state.epoch, "step",
        (json_int_t)loop->state.step, "loss", loop->loss, "rate", loop->rate, "views_per_second",
        loop->views_per_second, "seconds", s2clr_run_loop_now() - loop->started);
    const int failed = extra && json_object_update(root, extra) != 0;
    char *line = failed || !root ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    if (!line) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for a line of the log");
    const s2clr_status status = s2clr_run_folder_log(&loop->folder, line);
    free(line);
    return status;
}

s2clr_status s2clr_run_loop_end_epoch(s2clr_run_loop *loop, json_t *extra)
{
    s2clr_status status = s2clr_learner_fetch(loop->learner);
    if (status == S2CLR_OK) status = check_weights(loop);
    if (status == S2CLR_OK) {
        loop->state.epoch++;
        /* The log goes first: on resume a line too many is cut off, a missing one could not be
         * made. */
        status = log_epoch(loop, extra);
    }
    json_decref(extra);
    S2CLR_TRY(status);
    return s2clr_checkpoint_save(loop->folder.checkpoint, loop->identity, &loop->state);
}
