#include <math.h>

#include "base/memory.h"
#include "train/knn.h"
#include "train/ppretrain.h"
#include "train/scorer.h"

static s2clr_status read_chosen(void *self, size_t index, float *dn)
{
    const pretrain_probe *probe = self;
    return probe->from->read(probe->from->self, probe->index[index], dn);
}

/* Every so-many-th labelled sample: the same ones for every run over the same data. */
static void choose(pretrain_probe *probe, size_t labelled)
{
    const s2clr_samples *from = probe->from;
    const size_t count = probe->samples.count;
    size_t seen = 0, taken = 0;
    for (size_t i = 0; i < from->count && taken < count; i++) {
        if (from->labels[i] < 0) continue;
        if (seen++ < taken * labelled / count) continue;
        probe->index[taken] = i;
        probe->labels[taken] = from->labels[i];
        probe->names[taken] = from->names[i];
        if (from->labels[i] >= probe->classes) probe->classes = from->labels[i] + 1;
        taken++;
    }
}

static s2clr_status check_labels(const pretrain_probe *probe)
{
    for (size_t i = 1; i < probe->samples.count; i++)
        if (probe->labels[i] != probe->labels[0]) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "the probe has %zu labelled samples of %s: at least two classes are "
                           "needed to see whether neighbours share one",
                           probe->samples.count, probe->samples.count ? "one class" : "none");
}

s2clr_status s2clr_probe_open(const s2clr_samples *from, pretrain_probe *probe)
{
    size_t labelled = 0;
    *probe = (pretrain_probe){.from = from, .classes = 2, .accuracy = NAN, .auc = NAN};
    if (!from) return S2CLR_OK;
    for (size_t i = 0; from->labels && i < from->count; i++) labelled += from->labels[i] >= 0;
    const size_t count = labelled < S2CLR_PROBE_MOST ? labelled : S2CLR_PROBE_MOST;
    S2CLR_TRY(s2clr_alloc(count, sizeof(size_t), "probe", (void **)&probe->index));
    S2CLR_TRY(s2clr_alloc(count, sizeof(int), "probe", (void **)&probe->labels));
    S2CLR_TRY(s2clr_alloc(count, sizeof(char *), "probe", (void **)&probe->names));
    probe->samples = (s2clr_samples){.self = probe,
                                     .count = count,
                                     .channels = from->channels,
                                     .size = from->size,
                                     .names = probe->names,
                                     .labels = probe->labels,
                                     .read = read_chosen};
    choose(probe, labelled);
    return check_labels(probe);
}

void s2clr_probe_close(pretrain_probe *probe)
{
    s2clr_free(probe->index);
    s2clr_free(probe->labels);
    s2clr_free(probe->names);
}

typedef struct probe_progress {
    const pretrainer *t;
    double from, to;
} probe_progress;

static bool report(void *context, double fraction, const char *message)
{
    (void)message;
    const probe_progress *p = context;
    char text[192];
    s2clr_run_loop_describe(&p->t->loop, text, sizeof text);
    return s2clr_progress_report(p->t->loop.progress, p->from + fraction * (p->to - p->from), text);
}

static s2clr_status score(pretrainer *t, s2clr_scorer *scorer, const s2clr_progress *progress,
                          float *features, double *share)
{
    pretrain_probe *probe = &t->probe;
    const size_t count = probe->samples.count;
    s2clr_knn_result result;
    S2CLR_TRY(s2clr_scorer_run(scorer, 0, count, progress, features));
    S2CLR_TRY(s2clr_knn_shares(features, probe->labels, count, NULL, 0, s2clr_scorer_width(scorer),
                               probe->classes, t->settings->probe_k, t->on.pool, share));
    S2CLR_TRY(s2clr_knn_score(share, probe->labels, count, probe->classes, &result));
    probe->accuracy = result.accuracy;
    probe->auc = result.auc;
    return S2CLR_OK;
}

static s2clr_status with_scorer(pretrainer *t, s2clr_scorer *scorer, const s2clr_progress *progress)
{
    size_t values, shares;
    float *features;
    double *share;
    S2CLR_TRY(s2clr_size_mul(t->probe.samples.count, s2clr_scorer_width(scorer), &values));
    S2CLR_TRY(s2clr_size_mul(t->probe.samples.count, (size_t)t->probe.classes, &shares));
    S2CLR_TRY(s2clr_alloc(values, sizeof *features, "features", (void **)&features));
    s2clr_status status = s2clr_alloc(shares, sizeof *share, "neighbours", (void **)&share);
    if (status == S2CLR_OK) {
        status = score(t, scorer, progress, features, share);
        s2clr_free(share);
    }
    s2clr_free(features);
    return status;
}

static s2clr_scorer_options scorer_options(const pretrainer *t)
{
    return (s2clr_scorer_options){.net = t->net,
                                  .params = t->loop.state.params,
                                  .card = t->card,
                                  .level = t->level->name,
                                  .samples = &t->probe.samples,
                                  .output = S2CLR_OUTPUT_FEATURES};
}

s2clr_status s2clr_probe_try(const pretrainer *t)
{
    const s2clr_scorer_options options = scorer_options(t);
    if (!t->probe.from) return S2CLR_OK;
    return s2clr_scorer_try(&options, t->on.backend, t->on.device, t->on.pool);
}

s2clr_status s2clr_probe_run(pretrainer *t, double from, double to)
{
    s2clr_scorer *scorer;
    const s2clr_scorer_options options = scorer_options(t);
    probe_progress context = {.t = t, .from = from, .to = to};
    const s2clr_progress progress = {.call = report, .context = &context};
    S2CLR_TRY(s2clr_scorer_new(&options, t->on.backend, t->on.device, t->on.pool, &scorer));
    const s2clr_status status = with_scorer(t, scorer, &progress);
    s2clr_scorer_free(scorer);
    return status;
}
