#include "train/sampler.h"

#include <math.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/pstreams.h"

struct s2clr_sampler {
    uint64_t seed;
    int classes;
    size_t steps, slots;
    size_t count[S2CLR_SAMPLER_LABELS_MAX]; /* samples of each label */
    size_t take[S2CLR_SAMPLER_LABELS_MAX];  /* slots of each label in an epoch */
    size_t *index;                          // (samples) sample indices, label after label
    size_t *deck;                           // (max(count)) one label being dealt
    size_t *order;                          // (slots)
};

static s2clr_status check(const int *labels, int classes, size_t count, size_t batch,
                          double balance)
{
    if (count == 0 || count > UINT32_MAX || batch == 0 || batch > UINT32_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "training set of %zu samples in batches of %zu: both must be 1 to "
                               "4294967295",
                               count, batch);
    if (!(balance >= 0 && balance <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "balance is %g, must be 0 to 1", balance);
    if (classes < (labels ? 2 : 1) || classes > (labels ? S2CLR_SAMPLER_LABELS_MAX : 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%d labels to draw from, must be 2 to %d",
                               classes, S2CLR_SAMPLER_LABELS_MAX);
    for (size_t i = 0; labels && i < count; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "label of training sample %zu is %d, must be 0 to %d", i,
                                   labels[i], classes - 1);
    return S2CLR_OK;
}

static s2clr_status count_labels(s2clr_sampler *sampler, const int *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) sampler->count[labels ? labels[i] : 0]++;
    for (int c = 0; c < sampler->classes; c++) {
        if (sampler->count[c] > 0) continue;
        if (sampler->classes > 2)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "none of the %zu training samples has label %d of 0 to %d: "
                                   "every class is needed",
                                   count, c, sampler->classes - 1);
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the training set has %zu positive and %zu negative samples: both "
                               "labels are needed",
                               sampler->count[1], sampler->count[0]);
    }
    return S2CLR_OK;
}

/* From the last label down, so that shares of slots are rounded where they add up, and two labels
 * are a positive share and the rest. */
static void divide_slots(s2clr_sampler *sampler, size_t count, double balance)
{
    double share = 0;
    size_t taken = 0;
    for (int c = sampler->classes - 1; c >= 0; c--) {
        const double natural = (double)sampler->count[c] / (double)count;
        share += (1 - balance) * natural + balance / sampler->classes;
        size_t past = c > 0 ? (size_t)llround(share * (double)sampler->slots) : sampler->slots;
        if (past > sampler->slots) past = sampler->slots;
        sampler->take[c] = past - taken;
        taken = past;
    }
}

static void sort_by_label(s2clr_sampler *sampler, const int *labels, size_t count)
{
    size_t next[S2CLR_SAMPLER_LABELS_MAX] = {0};
    for (int c = 1; c < sampler->classes; c++) next[c] = next[c - 1] + sampler->count[c - 1];
    for (size_t i = 0; i < count; i++) sampler->index[next[labels ? labels[i] : 0]++] = i;
}

static s2clr_status fill(s2clr_sampler *sampler, const int *labels, size_t count, size_t batch,
                         double balance)
{
    S2CLR_TRY(count_labels(sampler, labels, count));
    sampler->steps = count < batch ? 1 : count / batch;
    S2CLR_TRY(s2clr_size_mul(sampler->steps, batch, &sampler->slots));
    divide_slots(sampler, count, balance);
    size_t largest = 0;
    for (int c = 0; c < sampler->classes; c++)
        if (sampler->count[c] > largest) largest = sampler->count[c];
    S2CLR_TRY(s2clr_alloc(count, sizeof(size_t), "sample indices", (void **)&sampler->index));
    S2CLR_TRY(s2clr_alloc(largest, sizeof(size_t), "sample deck", (void **)&sampler->deck));
    S2CLR_TRY(
        s2clr_alloc(sampler->slots, sizeof(size_t), "sample order", (void **)&sampler->order));
    sort_by_label(sampler, labels, count);
    return S2CLR_OK;
}

s2clr_status s2clr_sampler_new(const int *labels, int classes, size_t count, size_t batch,
                               double balance, uint64_t seed, s2clr_sampler **out)
{
    S2CLR_TRY(check(labels, classes, count, batch, balance));
    s2clr_sampler *sampler;
    S2CLR_TRY(s2clr_alloc(1, sizeof *sampler, "sampler", (void **)&sampler));
    sampler->seed = seed;
    sampler->classes = classes;
    const s2clr_status status = fill(sampler, labels, count, batch, balance);
    if (status != S2CLR_OK) {
        s2clr_sampler_free(sampler);
        return status;
    }
    *out = sampler;
    return S2CLR_OK;
}

void s2clr_sampler_free(s2clr_sampler *sampler)
{
    if (!sampler) return;
    s2clr_free(sampler->index);
    s2clr_free(sampler->deck);
    s2clr_free(sampler->order);
    s2clr_free(sampler);
}

size_t s2clr_sampler_steps(const s2clr_sampler *sampler)
{
    return sampler->steps;
}

double s2clr_sampler_share(const s2clr_sampler *sampler, int label)
{
    return (double)sampler->take[label] / (double)sampler->slots;
}

void s2clr_sampler_shuffle(uint64_t seed, uint64_t stream, uint64_t first, size_t count,
                           size_t *items)
{
    for (size_t i = count; i > 1; i--) {
        const size_t j = s2clr_random_below(seed, stream, first + (count - i), (uint32_t)i);
        const size_t swapped = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swapped;
    }
}

/* Writes take[label] picks to `slot`, reshuffling the label's deck whenever it runs out. */
static void deal(s2clr_sampler *sampler, int label, uint64_t stream, const size_t *mine,
                 size_t *slot)
{
    const size_t count = sampler->count[label];
    for (size_t i = 0; i < count; i++) sampler->deck[i] = mine[i];
    for (size_t done = 0; done < sampler->take[label]; done++) {
        if (done % count == 0)
            s2clr_sampler_shuffle(sampler->seed, stream, done, count, sampler->deck);
        slot[done] = sampler->deck[done % count];
    }
}

static unsigned purpose_of(int label)
{
    return label == 0   ? STREAM_ORDER_NEGATIVE
           : label == 1 ? STREAM_ORDER_POSITIVE
                        : STREAM_ORDER_CLASS + (unsigned)label - 2;
}

const size_t *s2clr_sampler_order(s2clr_sampler *sampler, uint64_t epoch)
{
    size_t first = 0, slot = 0;
    for (int c = 0; c < sampler->classes; c++) first += sampler->count[c];
    for (int c = sampler->classes - 1; c >= 0; c--) {
        first -= sampler->count[c];
        deal(sampler, c, stream_of(purpose_of(c), epoch), sampler->index + first,
             sampler->order + slot);
        slot += sampler->take[c];
    }
    s2clr_sampler_shuffle(sampler->seed, stream_of(STREAM_ORDER_MIX, epoch), 0, sampler->slots,
                          sampler->order);
    return sampler->order;
}
