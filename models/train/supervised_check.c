/* What a supervised run is given, judged before anything is made of it. */
#include <math.h>
#include <stdio.h>

#include "train/ptrainer.h"
#include "train/recipe_check.h"

static s2clr_status check_distillation(const s2clr_supervised_settings *s)
{
    if (!s->soft) return S2CLR_OK;
    S2CLR_TRY(
        s2clr_training_check_range("distillation temperature", s->distill_temperature, 0.01, 1000));
    return s2clr_training_check_range("share of the teacher", s->distill_share, 0, 1);
}

static s2clr_status check_weights(const s2clr_supervised_settings *s, size_t labels)
{
    double sum = 0;
    for (size_t c = 0; s->class_weight && c < labels; c++) {
        char name[48];
        snprintf(name, sizeof name, "weight of class %zu", c);
        S2CLR_TRY(s2clr_training_check_range(name, s->class_weight[c], 0, 1e6));
        sum += s->class_weight[c];
    }
    if (!s->class_weight || sum > 0) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "the weights of all %zu classes are 0, so that nothing would be learned; "
        "at least one must be larger",
        labels);
}

static s2clr_status check_settings(const s2clr_supervised_settings *s, size_t labels)
{
    S2CLR_TRY(s2clr_training_check(&s->common));
    S2CLR_TRY(s2clr_training_check_range("balance", s->balance, 0, 1));
    S2CLR_TRY(s2clr_training_check_range("label smoothing", s->label_smoothing, 0, 1));
    S2CLR_TRY(s2clr_training_check_range("patience", s->patience, 0, 1000000));
    S2CLR_TRY(s2clr_training_check_range("decay of the rate per group", s->group_decay, 1e-6, 1));
    S2CLR_TRY(check_weights(s, labels));
    return check_distillation(s);
}

static const char *label_name(const s2clr_card *card, size_t labels, size_t label)
{
    if (card->arch.outputs == 1) return label ? card->positive : card->negative;
    return labels == (size_t)card->classes ? card->class_name[label] : "";
}

static s2clr_status check_binary(const s2clr_card *card, size_t positives, size_t total,
                                 const char *what)
{
    if (positives > 0 && positives < total) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%zu of the %zu %s samples are \"%s\": both labels are needed",
                           positives, total, what, card->positive);
}

/* Training needs a sample of every class, validation of any two. */
static s2clr_status check_classes(const s2clr_card *card, const size_t *count, size_t labels,
                                  size_t total, const char *what, bool every)
{
    size_t present = 0, absent = 0, last = 0;
    for (size_t c = 0; c < labels; c++) {
        present += count[c] > 0;
        if (count[c] > 0) last = c;
    }
    while (absent < labels && count[absent] > 0) absent++;
    if (every && absent < labels)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "none of the %zu %s samples is of class %zu \"%s\": every class is "
                               "needed",
                               total, what, absent, label_name(card, labels, absent));
    if (present >= 2) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "all %zu %s samples are of class %zu \"%s\": at least two classes are "
                           "needed",
                           total, what, last, label_name(card, labels, last));
}

static s2clr_status check_labels(const s2clr_card *card, const s2clr_samples *samples,
                                 size_t labels, const char *what, bool every)
{
    size_t count[S2CLR_SAMPLER_LABELS_MAX] = {0};
    for (size_t i = 0; i < samples->count; i++) {
        const int label = samples->labels ? samples->labels[i] : -1;
        if (label < 0)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s sample %s has no label; only distillation that leaves all "
                                   "to the teacher trains without",
                                   what, samples->names[i]);
        if ((size_t)label >= labels)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "label of %s sample %s is %d, must be 0 to %zu", what,
                                   samples->names[i], label, labels - 1);
        count[label]++;
    }
    return card->arch.outputs == 1
               ? check_binary(card, count[1], samples->count, what)
               : check_classes(card, count, labels, samples->count, what, every);
}

static s2clr_status check_network(const s2clr_card *card)
{
    if (card->arch.outputs == 0)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "the card's network is an encoder without a classifier; give it 1 "
                               "output, or one per class");
    if (card->arch.channels == card->bands && card->arch.outputs >= 1 &&
        card->arch.outputs <= S2CLR_SAMPLER_LABELS_MAX)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "the card's network has %d inputs and %d outputs, must have %d (one "
                           "per band) and 1, or one per class up to %d",
                           card->arch.channels, card->arch.outputs, card->bands,
                           S2CLR_SAMPLER_LABELS_MAX);
}

/* All given, or all to be measured; weights of another model only mean something with its own. */
static s2clr_status check_statistics(const s2clr_card *card, bool needed)
{
    int given = 0;
    for (int b = 0; b < card->bands; b++) given += card->std[b] > 0 && isfinite(card->mean[b]);
    if (given == card->bands || (given == 0 && !needed)) return S2CLR_OK;
    for (int b = 0; b < card->bands; b++)
        if (!(card->std[b] > 0 && isfinite(card->mean[b])))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "band %s has no mean and standard deviation in the card (%g, "
                                   "%g); %s",
                                   card->band[b], (double)card->mean[b], (double)card->std[b],
                                   needed ? "the weights to start from were made with some: take "
                                            "them from the parent's card"
                                          : "give all bands theirs, or none to have them measured");
    return S2CLR_OK;
}

static bool has_all_labels(const s2clr_samples *samples)
{
    for (size_t i = 0; samples->labels && i < samples->count; i++)
        if (samples->labels[i] < 0) return false;
    return samples->labels != NULL;
}

s2clr_status s2clr_trainer_check(trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    S2CLR_TRY(check_network(t->card));
    const size_t labels = t->card->arch.outputs == 1 ? 2 : (size_t)t->card->arch.outputs;
    t->k = (size_t)t->card->arch.outputs;
    S2CLR_TRY(check_settings(s, labels));
    t->labelled = has_all_labels(t->train);
    if (t->labelled || !s->soft || s->distill_share < 1)
        S2CLR_TRY(check_labels(t->card, t->train, labels, "training", true));
    S2CLR_TRY(s2clr_recipe_check_shape(t->card, t->train, "training"));
    if (t->val->count > 0) {
        S2CLR_TRY(check_labels(t->card, t->val, labels, "validation", false));
        S2CLR_TRY(s2clr_recipe_check_shape(t->card, t->val, "validation"));
    }
    S2CLR_TRY(s2clr_recipe_find_level(t->card, s->common.level, &t->level));
    return check_statistics(t->card, s->initial != NULL);
}
