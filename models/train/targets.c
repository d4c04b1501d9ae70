/* What a sample should be: its label, a teacher's opinion, or both. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/distill_loss.h"
#include "train/ptrainer.h"

/* The class that a row of logits is for; of one logit: p > 1/2. */
static int decision(const float *logits, size_t k)
{
    if (k == 1) return logits[0] > 0;
    size_t best = 0;
    for (size_t j = 1; j < k; j++)
        if (logits[j] > logits[best]) best = j;
    return (int)best;
}

static s2clr_status decide_all(trainer *t, int classes)
{
    const size_t count = t->train->count;
    size_t found[S2CLR_SAMPLER_LABELS_MAX] = {0};
    S2CLR_TRY(s2clr_alloc(count, sizeof(int), "the teacher's labels", (void **)&t->decided));
    for (size_t i = 0; i < count; i++) {
        t->decided[i] = decision(t->settings->soft + i * t->k, t->k);
        found[t->decided[i]]++;
    }
    for (int c = 0; c < classes; c++) {
        if (found[c] > 0) continue;
        const char *name = classes > 2 ? t->card->class_name[c] : t->card->positive;
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "the teacher takes %zu of the %zu training samples for \"%s\": nothing "
            "to balance; a balance of 0 takes them as they come",
            classes > 2 ? 0 : found[1], count, name);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_trainer_deck(trainer *t, const int **labels, int *classes)
{
    const int all = t->k == 1 ? 2 : (int)t->k;
    *labels = t->train->labels;
    *classes = all;
    if (t->labelled) return S2CLR_OK;
    *labels = NULL;
    *classes = 1;
    if (!(t->settings->balance > 0)) return S2CLR_OK;
    S2CLR_TRY(decide_all(t, all));
    *labels = t->decided;
    *classes = all;
    return S2CLR_OK;
}

/* Adds `share` of a label to a row of targets; smoothing moves it towards all labels alike. */
static void add_label(float *target, size_t k, int label, double smoothing, double share)
{
    if (k == 1) {
        target[0] += (float)(share * (label * (1 - smoothing) + smoothing / 2));
        return;
    }
    for (size_t j = 0; j < k; j++) {
        const double hit = (size_t)label == j;
        target[j] += (float)(share * (hit * (1 - smoothing) + smoothing / (double)k));
    }
}

void s2clr_trainer_targets(trainer *t, const size_t *index, size_t batch)
{
    const s2clr_supervised_settings *s = t->settings;
    const size_t k = t->k;
    const bool hard = s->soft && s->distill_hard;
    memset(t->target, 0, batch * k * sizeof *t->target);
    for (size_t i = 0; i < batch; i++) {
        const int label = t->train->labels ? t->train->labels[index[i]] : -1;
        float *target = t->target + i * k;
        if (label >= 0)
            add_label(target, k, label, s->label_smoothing, hard ? 1 - s->distill_share : 1);
        if (s->class_weight) t->weight[i] = label < 0 ? 1 : (float)s->class_weight[label];
        if (!s->soft) continue;
        const float *opinion = s->soft + index[i] * k;
        memcpy(t->teacher + i * k, opinion, k * sizeof *opinion);
        if (hard) add_label(target, k, decision(opinion, k), 0, s->distill_share);
    }
}

s2clr_status s2clr_trainer_loss(trainer *t, size_t batch, double *loss)
{
    const s2clr_supervised_settings *s = t->settings;
    const float *weight = s->class_weight ? t->weight : NULL;
    const double share = s->soft && !s->distill_hard ? s->distill_share : 0;
    double soft = 0, hard = 0;
    if (share < 1)
        S2CLR_TRY(t->loss->run(t->logits, t->target, weight, batch, t->k, &hard, t->dlogits));
    if (share > 0) {
        S2CLR_TRY(s2clr_distill_loss(t->logits, t->teacher, weight, batch, t->k,
                                     s->distill_temperature, &soft, t->dsoft));
        for (size_t i = 0; i < batch * t->k; i++) {
            const double rest = share < 1 ? (1 - share) * (double)t->dlogits[i] : 0;
            t->dlogits[i] = (float)(rest + share * (double)t->dsoft[i]);
        }
    }
    *loss = share > 0 ? share * soft + (share < 1 ? (1 - share) * hard : 0) : hard;
    return S2CLR_OK;
}

double s2clr_trainer_prevalence(const trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    if (!s->soft) return s2clr_sampler_share(t->sampler, 1);
    const size_t *order = s2clr_sampler_order(t->sampler, 0);
    const size_t slots = s2clr_sampler_steps(t->sampler) * (size_t)s->common.batch;
    double sum = 0;
    for (size_t i = 0; i < slots; i++) {
        const float z = s->soft[order[i]];
        const double p = s->distill_hard ? decision(&z, 1) : 1 / (1 + exp(-(double)z));
        const int label = t->train->labels ? t->train->labels[order[i]] : -1;
        sum += s->distill_share * p + (1 - s->distill_share) * (label > 0);
    }
    return sum / (double)slots;
}
