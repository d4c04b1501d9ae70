/* Teachers' opinions of the patches that a student learns from, and of those it is judged by. */
#include <stdio.h>

#include "base/memory.h"
#include "commands/labelled_run.h"
#include "train/run_folder.h"
#include "train/run_loop.h"
#include "train/teach.h"

enum { TIMED = 64 /* patches that a dry run asks about */ };

static const s2clr_model *const *teachers(const s2clr_labelled *job)
{
    return (const s2clr_model *const *)job->teacher;
}

static s2clr_status ask(const s2clr_labelled *job, const s2clr_samples *samples, const char *cache,
                        const s2clr_progress *progress, float *logits)
{
    return s2clr_teach(teachers(job), job->teachers, job->card, job->settings.common.level, samples,
                       cache, &job->on, progress, logits);
}

/* "RUN_DIR/teacher.safetensors"; of an earlier run that is not resumed, away with it. */
static s2clr_status cache_path(const s2clr_labelled *job, const char *name, char *out)
{
    const int length = snprintf(out, RUN_PATH_MAX, "%s/%s", job->settings.common.run_dir, name);
    if (length >= RUN_PATH_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "run folder %.200s...: the path is too long",
                               job->settings.common.run_dir);
    return job->settings.common.resume ? S2CLR_OK : s2clr_teach_forget(out);
}

static s2clr_status decide(s2clr_labelled *job, const float *logits, size_t k)
{
    s2clr_samples *val = &job->parts.validation;
    bool differ = false;
    for (size_t i = 0; i < val->count; i++) {
        job->teacher_says[i] = s2clr_teach_decision(logits + i * k, k, job->settings.distill_least);
        differ |= job->teacher_says[i] != job->teacher_says[0];
    }
    val->labels = job->teacher_says;
    if (differ) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "the teacher takes all %zu validation patches for the same class: there "
                           "is nothing to judge the student by; use other patches or another "
                           "teacher",
                           val->count);
}

/* Without labels the student is judged by how well it agrees. */
static s2clr_status judge(s2clr_labelled *job, const s2clr_progress *progress, size_t k)
{
    char cache[RUN_PATH_MAX];
    size_t values;
    float *logits;
    if (!job->teacher_says) return S2CLR_OK;
    S2CLR_TRY(cache_path(job, S2CLR_RUN_TEACHER_VALIDATION, cache));
    S2CLR_TRY(s2clr_size_mul(job->parts.validation.count, k, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof *logits, "the teachers' logits", (void **)&logits));
    s2clr_status status = ask(job, &job->parts.validation, cache, progress, logits);
    if (status == S2CLR_OK) status = decide(job, logits, k);
    s2clr_free(logits);
    return status;
}

/* Twice a few patches: the first time compiles. Labels are made up, for nothing is learned. */
static s2clr_status time_teachers(s2clr_labelled *job, size_t k)
{
    s2clr_samples few = job->parts.train;
    s2clr_samples *val = &job->parts.validation;
    if (few.count > TIMED) few.count = TIMED;
    S2CLR_TRY(ask(job, &few, NULL, NULL, job->soft));
    const double start = s2clr_run_loop_now();
    S2CLR_TRY(ask(job, &few, NULL, NULL, job->soft));
    const double each = (s2clr_run_loop_now() - start) / (double)few.count;
    const size_t asked = job->parts.train.count + (job->teacher_says ? val->count : 0);
    job->teaching_seconds = each * (double)asked;
    if (!job->teacher_says) return S2CLR_OK;
    for (size_t i = 0; i < val->count; i++) job->teacher_says[i] = (int)(i % (k == 1 ? 2 : k));
    val->labels = job->teacher_says;
    return S2CLR_OK;
}

s2clr_status s2clr_labelled_teach(s2clr_labelled *job, const s2clr_progress *progress)
{
    const size_t k = (size_t)job->card->arch.outputs;
    s2clr_run_folder folder;
    char cache[RUN_PATH_MAX];
    size_t values;
    if (job->teachers == 0) return S2CLR_OK;
    const double prevalence = s2clr_model_card(job->teacher[0])->prevalence;
    S2CLR_TRY(
        s2clr_teach_check(teachers(job), job->teachers, job->card, job->settings.common.level));
    S2CLR_TRY(s2clr_size_mul(job->parts.train.count, k, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof *job->soft, "the teachers' logits", (void **)&job->soft));
    job->settings.soft = job->soft;
    job->settings.distill_share = job->teacher_share;
    job->settings.distill_temperature = job->teacher_temperature;
    job->settings.distill_hard = job->teacher_hard;
    job->settings.distill_least = s2clr_teach_least(teachers(job), job->teachers);
    if (prevalence < 1) job->settings.distill_prevalence = prevalence;
    if (s2clr_args_flag(job->args, "dry-run")) return time_teachers(job, k);
    S2CLR_TRY(
        s2clr_run_folder_open(job->settings.common.run_dir, job->settings.common.resume, &folder));
    S2CLR_TRY(cache_path(job, S2CLR_RUN_TEACHER, cache));
    S2CLR_TRY(ask(job, &job->parts.train, cache, progress, job->soft));
    return judge(job, progress, k);
}
