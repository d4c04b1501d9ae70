/* The baselines of an evaluation, fitted on the training part as the first model reads it. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/evaluate_job.h"
#include "report/baseline.h"

#define BASELINE_L2 1.0 /* of band statistics: scikit-learn's default */

/* Of random features, whose fit costs the square of their number for each sample. */
enum { RANDOM_TRAINED_MAX = 20000 };

typedef struct fit {
    s2clr_evaluate *j;
    s2clr_samples train, validation; /* with the report's labels */
} fit;

/* What is missing for a fit; NULL: nothing. */
static const char *why_not(const fit *f, char *text, size_t size)
{
    const s2clr_samples *train = &f->train;
    size_t alike = 0;
    if (train->count == 0) return "there is no training part to fit it on";
    for (size_t i = 0; i < train->count; i++) alike += train->labels[i] == train->labels[0];
    if (alike < train->count) return NULL;
    if (f->j->classes)
        snprintf(text, size, "all %zu training samples are of one class", train->count);
    else
        snprintf(text, size,
                 "%zu of the %zu training samples are positive: it needs both labels to fit",
                 train->labels[0] ? train->count : (size_t)0, train->count);
    return text;
}

/* penalty: l2 was chosen on the validation part as well. */
static const char *doubt(const s2clr_evaluate *j, const s2clr_baseline_about *about, bool penalty)
{
    if (strcmp(j->e.part, "train") == 0 || strcmp(j->e.part, "all") == 0)
        return "; judged on samples it was fitted on: its numbers are too good";
    if (strcmp(j->e.part, "validation") != 0 || about->validated == 0) return "";
    if (j->classes)
        return penalty ? "; judged on the samples its penalty was chosen on: its numbers are too "
                         "good"
                       : "";
    return "; judged on the samples its threshold was chosen on: its numbers are too good";
}

static void describe(const fit *f, const s2clr_baseline_options *options,
                     const s2clr_baseline_about *about, s2clr_evaluation_row *row)
{
    const s2clr_evaluate *j = f->j;
    const char *const id = s2clr_model_card(j->model[0])->id;
    const bool bands = j->parts.store && j->models > 1;
    const bool penalty = options->l2 <= 0 && about->validated > 0;
    char chosen[120];
    if (about->validated == 0)
        snprintf(chosen, sizeof chosen, "threshold 0.5 for want of a validation part");
    else if (j->classes)
        snprintf(chosen, sizeof chosen, "each class against the rest");
    else
        snprintf(chosen, sizeof chosen, "threshold chosen on %zu validation samples",
                 about->validated);
    snprintf(row->how, sizeof row->how,
             "%zu features, fitted on %zu of %zu training samples, l2 %g%s, %s%s%.64s%s",
             about->features, about->trained, about->available, about->l2,
             penalty ? " (chosen on the validation part)" : "", chosen,
             bands ? "; on the bands of " : "", bands ? id : "", doubt(j, about, penalty));
}

static s2clr_status add_row(const fit *f, const s2clr_baseline_options *options,
                            const s2clr_baseline *baseline)
{
    s2clr_evaluate *j = f->j;
    const s2clr_baseline_about *about = s2clr_baseline_describe(baseline);
    s2clr_evaluation_row *row;
    size_t total;
    S2CLR_TRY(s2clr_size_mul(j->samples.count, (size_t)(j->classes ? j->e.classes : 1), &total));
    char name[S2CLR_CARD_WORD + 80];
    snprintf(name, sizeof name, "%s%s%s", s2clr_baseline_name(options->kind),
             options->card ? " of " : "", options->card ? options->card->id : "");
    S2CLR_TRY(s2clr_evaluation_add(&j->e, name, S2CLR_ROW_BASELINE, &row));
    S2CLR_TRY(s2clr_alloc(total, sizeof *row->p, "probabilities", (void **)&row->p));
    row->brief = s2clr_baseline_brief(options->kind);
    row->threshold = about->threshold;
    row->trained = j->classes ? 0 : about->share;
    describe(f, options, about, row);
    return s2clr_baseline_predict(baseline, &j->samples, j->pool, row->p);
}

static s2clr_status run(const fit *f, const s2clr_baseline_options *options)
{
    s2clr_baseline *baseline;
    S2CLR_TRY(s2clr_baseline_fit(options, &f->train, &f->validation, f->j->pool, &baseline));
    const s2clr_status status = add_row(f, options, baseline);
    s2clr_baseline_free(baseline);
    return status;
}

/* The linear probe of --probe. */
static s2clr_status run_probe(const fit *f, s2clr_baseline_options options)
{
    const s2clr_evaluate *j = f->j;
    if (!j->probe) return S2CLR_OK;
    options.kind = S2CLR_BASELINE_FEATURES;
    options.l2 = 0;
    options.most = RANDOM_TRAINED_MAX;
    options.net = s2clr_model_net(j->probe);
    options.params = s2clr_model_params(j->probe);
    options.card = s2clr_model_card(j->probe);
    options.progress = j->progress;
    S2CLR_TRY(s2clr_parts_level(&j->parts, options.card, s2clr_args_text(j->args, "level"),
                                options.card->trained_level[0] ? options.card->trained_level
                                                               : options.card->level[0].name,
                                &options.level));
    return run(f, &options);
}

s2clr_status s2clr_evaluate_baselines(s2clr_evaluate *j)
{
    const int filters = (int)s2clr_args_int(j->args, "filters");
    fit f = {.j = j, .train = j->parts.train, .validation = j->parts.validation};
    if (j->classes) f.train.labels = j->labels[0], f.validation.labels = j->labels[1];
    const char *reason = why_not(&f, j->e.no_baseline, sizeof j->e.no_baseline);
    if (reason) {
        if (reason != j->e.no_baseline)
            snprintf(j->e.no_baseline, sizeof j->e.no_baseline, "%s", reason);
        return S2CLR_OK;
    }
    s2clr_baseline_options options = {.kind = S2CLR_BASELINE_BANDS,
                                      .classes = j->e.classes,
                                      .l2 = BASELINE_L2,
                                      .filters = filters,
                                      .seed = (uint64_t)s2clr_args_int(j->args, "seed"),
                                      .backend = j->backend,
                                      .device = j->device};
    S2CLR_TRY(run_probe(&f, options));
    S2CLR_TRY(run(&f, &options));
    if (filters == 0) {
        snprintf(j->e.no_baseline, sizeof j->e.no_baseline,
                 "random convolutional features were left out (--filters 0)");
        return S2CLR_OK;
    }
    options.kind = S2CLR_BASELINE_RANDOM;
    options.l2 = 0;
    options.most = RANDOM_TRAINED_MAX;
    return run(&f, &options);
}
