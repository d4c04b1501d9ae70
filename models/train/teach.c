#include "train/teach.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/card_probability.h"
#include "file/probability.h"
#include "file/safetensors.h"
#include "train/run_identity.h"
#include "train/run_state.h"
#include "train/scorer.h"

/* A part is the same number of samples in every run: where a run is killed must not matter. */
enum { PART_MIN = 1024, PARTS_MAX = 64 };

static const char cache_key[] = "s2clr.teacher";

typedef struct lesson {
    const s2clr_model *const *models;
    size_t count;
    const s2clr_card *card;
    const char *level, *cache;
    const s2clr_samples *samples;
    const s2clr_progress *progress;
    size_t k, part;
    char *identity;
    s2clr_scorer **scorers; // (count)
    int *bands;             // (count, S2CLR_CARD_BANDS_MAX) the student's channel of each band
    float *rows;            // (part, K) of one teacher
    double *sums;           // (part, K) log probabilities, reduced over the teachers so far
    float *logits;          // (samples, K)
    size_t first, taken;    /* the part under way */
    size_t teacher;
} lesson;

static s2clr_status find_bands(const s2clr_model *model, const s2clr_card *card, int *channel)
{
    const s2clr_card *own = s2clr_model_card(model);
    for (int b = 0; b < own->bands; b++) {
        channel[b] = -1;
        for (int c = 0; c < card->bands; c++)
            if (strcmp(own->band[b], card->band[c]) == 0) channel[b] = c;
        if (channel[b] < 0)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "teacher %s needs band %s, which the samples do not have; use "
                                   "samples with all its bands, or another teacher",
                                   s2clr_model_path(model), own->band[b]);
    }
    return S2CLR_OK;
}

static s2clr_status check_teacher(const s2clr_model *model, const s2clr_card *card,
                                  const char *level)
{
    const s2clr_card *own = s2clr_model_card(model);
    const char *path = s2clr_model_path(model);
    int channel[S2CLR_CARD_BANDS_MAX];
    if (own->arch.outputs != card->arch.outputs || own->arch.outputs < 1 ||
        own->arch.outputs > S2CLR_CARD_CLASSES_MAX)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "teacher %s has %d outputs, the student %d: they must decide the "
                               "same thing%s",
                               path, own->arch.outputs, card->arch.outputs,
                               own->arch.outputs == 0 ? "; fine-tune the encoder first" : "");
    for (int c = 0; c < own->classes && c < card->classes; c++)
        if (strcmp(own->class_name[c], card->class_name[c]) != 0)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "teacher %s: class %d is \"%s\", the student's is \"%s\"", path,
                                   c, own->class_name[c], card->class_name[c]);
    if (own->patch != card->patch)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "teacher %s takes patches of %d pixels, the samples have %d", path,
                               own->patch, card->patch);
    if (!level || !s2clr_card_find_level(own, level))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "teacher %s has no level \"%s\"; the first of the %d it has is "
                               "\"%s\"",
                               path, level ? level : "", own->levels, own->level[0].name);
    return find_bands(model, card, channel);
}

s2clr_status s2clr_teach_check(const s2clr_model *const *models, size_t count,
                               const s2clr_card *card, const char *level)
{
    if (count == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no teacher was given; name at least one model");
    for (size_t i = 0; i < count; i++) S2CLR_TRY(check_teacher(models[i], card, level));
    return S2CLR_OK;
}

/* ---- one share of positives ---- */

static bool is_share(double x)
{
    return x > 0 && x < 1;
}

/* A probability of teacher i as it is where positives are as frequent as the first one expects. */
static double moved(const s2clr_model *const *models, size_t i, double p)
{
    const double from = s2clr_model_card(models[i])->prevalence;
    const double to = s2clr_model_card(models[0])->prevalence;
    return is_share(from) && is_share(to) ? s2clr_probability_shift(p, from, to) : p;
}

static double log_odds(double p)
{
    return log(p / (1 - p));
}

/* What that move adds to the log odds, whatever they are. */
static double shift_of(const s2clr_model *const *models, size_t i)
{
    return log_odds(moved(models, i, 0.5));
}

double s2clr_teach_least(const s2clr_model *const *models, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += moved(models, i, s2clr_model_card(models[i])->threshold);
    return log_odds(sum / (double)count);
}

int s2clr_teach_decision(const float *logits, size_t k, double least)
{
    size_t best = 0;
    /* A threshold is the probability of some sample, whose logit must not lose by rounding. */
    if (k == 1) return logits[0] >= (float)least;
    for (size_t j = 1; j < k; j++)
        if (logits[j] > logits[best]) best = j;
    return (int)best;
}

/* ---- what was computed before ---- */

static s2clr_status identify(lesson *l, const s2clr_machine *on)
{
    json_t *root = json_object(), *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < l->count; i++)
        failed |= json_array_append_new(list, json_string(s2clr_model_sha256(l->models[i])));
    failed |= json_object_set_new(root, "teachers", list);
    bool moves = false;
    for (size_t i = 1; l->k == 1 && i < l->count; i++) moves |= shift_of(l->models, i) != 0;
    if (moves) failed |= json_object_set_new(root, "moved to one prevalence", json_true());
    failed |= json_object_set_new(root, "level", json_string(l->level));
    for (int b = 0; b < l->card->bands && !failed; b++) {
        char key[32];
        snprintf(key, sizeof key, "band %d", b);
        failed |= json_object_set_new(root, key, json_string(l->card->band[b]));
    }
    failed |= s2clr_run_identity_add_machine(root, on);
    failed |= s2clr_run_identity_add_samples(root, "samples", l->samples);
    return s2clr_run_identity_text(root, failed, &l->identity);
}

static s2clr_run_array array_of(const lesson *l)
{
    return (s2clr_run_array){"logits", l->logits, l->samples->count * l->k};
}

static s2clr_status recall(lesson *l)
{
    json_t *counters;
    json_int_t done;
    if (!l->cache || access(l->cache, F_OK) != 0) return S2CLR_OK;
    const s2clr_run_array array = array_of(l);
    S2CLR_TRY(s2clr_run_state_load(l->cache, cache_key, l->identity, &array, 1, &counters));
    const s2clr_status status =
        s2clr_run_state_counter(l->cache, counters, "done", (json_int_t)l->samples->count, &done);
    json_decref(counters);
    if (status == S2CLR_OK) l->first = (size_t)done;
    return status;
}

static s2clr_status remember(const lesson *l)
{
    if (!l->cache) return S2CLR_OK;
    const s2clr_run_array array = array_of(l);
    return s2clr_run_state_save(l->cache, cache_key, l->identity,
                                json_pack("{s:I}", "done", (json_int_t)l->first), &array, 1);
}

s2clr_status s2clr_teach_forget(const char *cache)
{
    s2clr_tensors *file;
    if (access(cache, F_OK) != 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_tensors_open(cache, &file));
    const bool own = s2clr_tensors_metadata(file, cache_key) != NULL;
    s2clr_tensors_close(file);
    if (!own)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%s: is not what teachers said, which is kept under this name; move "
                               "the file away, or take another run folder",
                               cache);
    if (unlink(cache) == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be removed: %s", cache, strerror(errno));
}

/* ---- the teachers ---- */

static double log_of_sum(double a, double b)
{
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

/* Log probabilities of a row of the teacher's logits: (k), or of "yes" and "no" when k is 1. */
static void log_probabilities(const lesson *l, const float *z, double *out)
{
    const s2clr_card *teacher = s2clr_model_card(l->models[l->teacher]);
    const double temperature = teacher->temperature;
    const size_t k = l->k;
    if (k == 1) {
        const double odds =
            s2clr_card_log_odds(teacher, (double)z[0]) + shift_of(l->models, l->teacher);
        out[0] = -log_of_sum(0, -odds);
        out[1] = -log_of_sum(0, odds);
        return;
    }
    double total = (double)z[0] / temperature;
    for (size_t j = 1; j < k; j++) total = log_of_sum(total, (double)z[j] / temperature);
    for (size_t j = 0; j < k; j++) out[j] = (double)z[j] / temperature - total;
}

static void add_rows(lesson *l)
{
    const size_t wide = l->k == 1 ? 2 : l->k;
    double row[S2CLR_CARD_CLASSES_MAX];
    for (size_t i = 0; i < l->taken; i++) {
        double *sum = l->sums + i * wide;
        log_probabilities(l, l->rows + i * l->k, row);
        for (size_t j = 0; j < wide; j++)
            sum[j] = l->teacher == 0 ? row[j] : log_of_sum(sum[j], row[j]);
    }
}

/* A single teacher's logits stay as they are but for its calibration. */
static void conclude(lesson *l)
{
    float *out = l->logits + l->first * l->k;
    const s2clr_card *teacher = s2clr_model_card(l->models[0]);
    const size_t values = l->taken * l->k;
    for (size_t i = 0; i < values; i++) {
        if (l->count == 1 && l->k == 1)
            out[i] = (float)s2clr_card_log_odds(teacher, (double)l->rows[i]);
        else if (l->count == 1)
            out[i] = (float)((double)l->rows[i] / teacher->temperature);
        else if (l->k == 1)
            out[i] = (float)(l->sums[2 * i] - l->sums[2 * i + 1]);
        else
            out[i] = (float)(l->sums[i] - log((double)l->count));
    }
}

static bool report_part(void *context, double fraction, const char *message)
{
    (void)message;
    const lesson *l = context;
    const double within = ((double)l->teacher + fraction) / (double)l->count;
    const double done = ((double)l->first + within * (double)l->taken) / (double)l->samples->count;
    char text[96];
    snprintf(text, sizeof text, "asking %zu teacher%s about %zu patches", l->count,
             l->count == 1 ? "" : "s", l->samples->count);
    return s2clr_progress_report(l->progress, done, text);
}

static s2clr_status teach_part(lesson *l)
{
    const s2clr_progress progress = {.call = report_part, .context = l};
    const size_t left = l->samples->count - l->first;
    l->taken = left < l->part ? left : l->part;
    for (l->teacher = 0; l->teacher < l->count; l->teacher++) {
        S2CLR_TRY(s2clr_scorer_run(l->scorers[l->teacher], l->first, l->taken, &progress, l->rows));
        add_rows(l);
    }
    conclude(l);
    l->first += l->taken;
    return remember(l);
}

static s2clr_status open_scorers(lesson *l, const s2clr_machine *on)
{
    for (size_t i = 0; i < l->count; i++) {
        int *channel = l->bands + i * S2CLR_CARD_BANDS_MAX;
        S2CLR_TRY(find_bands(l->models[i], l->card, channel));
        const s2clr_scorer_options options = {.net = s2clr_model_net(l->models[i]),
                                              .params = s2clr_model_params(l->models[i]),
                                              .card = s2clr_model_card(l->models[i]),
                                              .level = l->level,
                                              .samples = l->samples,
                                              .band = channel,
                                              .output = S2CLR_OUTPUT_LOGITS};
        S2CLR_TRY(s2clr_scorer_new(&options, on->backend, on->device, on->pool, &l->scorers[i]));
    }
    return S2CLR_OK;
}

static s2clr_status prepare(lesson *l)
{
    const size_t wide = l->k == 1 ? 2 : l->k, spread = l->samples->count / PARTS_MAX;
    size_t rows, sums, bands;
    l->part = spread > PART_MIN ? spread : PART_MIN;
    S2CLR_TRY(s2clr_size_mul(l->part, l->k, &rows));
    S2CLR_TRY(s2clr_size_mul(l->part, wide, &sums));
    S2CLR_TRY(s2clr_size_mul(l->count, S2CLR_CARD_BANDS_MAX, &bands));
    S2CLR_TRY(s2clr_alloc(l->count, sizeof *l->scorers, "teachers", (void **)&l->scorers));
    S2CLR_TRY(s2clr_alloc(bands, sizeof *l->bands, "teachers' bands", (void **)&l->bands));
    S2CLR_TRY(s2clr_alloc(rows, sizeof *l->rows, "a teacher's logits", (void **)&l->rows));
    return s2clr_alloc(sums, sizeof *l->sums, "teachers' probabilities", (void **)&l->sums);
}

static s2clr_status teach(lesson *l, const s2clr_machine *on)
{
    S2CLR_TRY(identify(l, on));
    memset(l->logits, 0, l->samples->count * l->k * sizeof *l->logits);
    S2CLR_TRY(recall(l));
    if (l->first == l->samples->count) return S2CLR_OK;
    S2CLR_TRY(prepare(l));
    S2CLR_TRY(open_scorers(l, on));
    while (l->first < l->samples->count) S2CLR_TRY(teach_part(l));
    return S2CLR_OK;
}

s2clr_status s2clr_teach(const s2clr_model *const *models, size_t count, const s2clr_card *card,
                         const char *level, const s2clr_samples *samples, const char *cache,
                         const s2clr_machine *on, const s2clr_progress *progress, float *logits)
{
    S2CLR_TRY(s2clr_teach_check(models, count, card, level));
    lesson l = {.models = models,
                .count = count,
                .card = card,
                .level = level,
                .cache = cache,
                .samples = samples,
                .progress = progress,
                .k = (size_t)card->arch.outputs,
                .logits = logits};
    const s2clr_status status = teach(&l, on);
    for (size_t i = 0; l.scorers && i < count; i++) s2clr_scorer_free(l.scorers[i]);
    s2clr_free(l.scorers);
    s2clr_free(l.bands);
    s2clr_free(l.rows);
    s2clr_free(l.sums);
    s2clr_free(l.identity);
    return status;
}
