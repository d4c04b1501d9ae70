/* What a sample should be: its label, a teacher's opinion, or both. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/distill_loss.h"
#include "train/ptrainer.h"
#include "train/teach.h"

bool s2clr_trainer_hard(const trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    return s->soft && s->distill_hard && s->distill_share > 0;
}

/* found: how many samples the teacher takes for each label. */
static s2clr_status decide_all(trainer *t, size_t found[S2CLR_SAMPLER_LABELS_MAX])
{
    const s2clr_supervised_settings *s = t->settings;
    const size_t count = t->train->count;
    S2CLR_TRY(s2clr_alloc(count, sizeof(int), "the teacher's labels", (void **)&t->decided));
    for (size_t i = 0; i < count; i++) {
        t->decided[i] = s2clr_teach_decision(s->soft + i * t->k, t->k, s->distill_least);
        found[t->decided[i]]++;
    }
    return S2CLR_OK;
}

/* Decisions that are all alike teach nothing but to repeat them. */
static s2clr_status check_hard(const trainer *t, int classes, const size_t *found)
{
    const size_t count = t->train->count;
    for (int c = 0; c < classes; c++) {
        if (found[c] < count) continue;
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "the teacher takes %zu of the %zu training samples for \"%s\": its decisions are all "
            "alike and teach nothing; learn its probabilities instead, or take other samples or "
            "another teacher",
            t->k > 1 ? count : found[1], count,
            t->k > 1 ? t->card->class_name[c] : t->card->positive);
    }
    return S2CLR_OK;
}

static s2clr_status check_balance(const trainer *t, int classes, const size_t *found)
{
    const size_t count = t->train->count;
    for (int c = 0; c < classes; c++) {
        if (found[c] > 0) continue;
        const char *name = t->k > 1 ? t->card->class_name[c] : t->card->positive;
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "the teacher takes %zu of the %zu training samples for \"%s\": nothing "
            "to balance; a balance of 0 takes them as they come",
            t->k > 1 ? 0 : found[1], count, name);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_trainer_deck(trainer *t, const int **labels, int *classes)
{
    const int all = t->k == 1 ? 2 : (int)t->k;
    const bool hard = s2clr_trainer_hard(t), deal = !t->labelled && t->settings->balance > 0;
    size_t found[S2CLR_SAMPLER_LABELS_MAX] = {0};
    if (hard || deal) S2CLR_TRY(decide_all(t, found));
    if (deal) S2CLR_TRY(check_balance(t, all, found));
    if (hard) S2CLR_TRY(check_hard(t, all, found));
    *labels = t->labelled ? t->train->labels : deal ? t->decided : NULL;
    *classes = t->labelled || deal ? all : 1;
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

static double weight_of(const s2clr_supervised_settings *s, int label)
{
    return s->class_weight && label >= 0 ? s->class_weight[label] : 1;
}

void s2clr_trainer_targets(trainer *t, const size_t *index, size_t batch)
{
    const s2clr_supervised_settings *s = t->settings;
    const size_t k = t->k;
    const bool hard = s2clr_trainer_hard(t);
    memset(t->target, 0, batch * k * sizeof *t->target);
    for (size_t i = 0; i < batch; i++) {
        const int label = t->train->labels ? t->train->labels[index[i]] : -1;
        float *target = t->target + i * k;
        if (label >= 0)
            add_label(target, k, label, s->label_smoothing, hard ? 1 - s->distill_share : 1);
        t->weight[i] = (float)weight_of(s, label);
        if (!s->soft) continue;
        const float *opinion = s->soft + index[i] * k;
        memcpy(t->teacher + i * k, opinion, k * sizeof *opinion);
        if (hard) add_label(target, k, t->decided[index[i]], 0, s->distill_share);
    }
}

s2clr_status s2clr_trainer_loss(trainer *t, size_t batch, double *loss)
{
    const s2clr_supervised_settings *s = t->settings;
    const float *weight = s->class_weight ? t->weight : NULL;
    const double share = s->soft && !s2clr_trainer_hard(t) ? s->distill_share : 0;
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

/* What one output is to say of a sample, smoothing aside. */
static double expected(const trainer *t, size_t sample)
{
    const s2clr_supervised_settings *s = t->settings;
    const double label = t->train->labels && t->train->labels[sample] > 0;
    if (!s->soft) return label;
    const double p =
        s2clr_trainer_hard(t) ? t->decided[sample] : 1 / (1 + exp(-(double)s->soft[sample]));
    return s->distill_share * p + (1 - s->distill_share) * label;
}

double s2clr_trainer_prevalence(const trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    /* Who copies probabilities copies the share that they hold for, however samples are drawn. */
    if (s->soft && s->distill_share >= 1 && !s->distill_hard && s->distill_prevalence > 0)
        return s->distill_prevalence;
    const size_t *order = s2clr_sampler_order(t->sampler, 0);
    const size_t slots = s2clr_sampler_steps(t->sampler) * (size_t)s->common.batch;
    double sum = 0, all = 0;
    for (size_t i = 0; i < slots; i++) {
        const int label = t->train->labels ? t->train->labels[order[i]] : -1;
        const double weight = weight_of(s, label);
        sum += weight * expected(t, order[i]);
        all += weight;
    }
    return all > 0 ? sum / all : 0;
}
