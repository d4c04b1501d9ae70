#include "train/sampler.h"

#include <math.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/pstreams.h"

struct s2clr_sampler {
    uint64_t seed;
    size_t steps, slots;
    size_t count[2]; /* samples of each label */
    size_t take[2];  /* slots of each label in an epoch */
    size_t *index;   // (count[0] + count[1]) sample indices, label 0 first
    size_t *deck;    // (max(count)) one label being dealt
    size_t *order;   // (slots)
};

static s2clr_status check(const int *labels, size_t count, size_t batch, double balance)
{
    if (count == 0 || count > UINT32_MAX || batch == 0 || batch > UINT32_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "training set of %zu samples in batches of %zu: both must be 1 to "
                               "4294967295",
                               count, batch);
    if (!(balance >= 0 && balance <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "balance is %g, must be 0 to 1", balance);
    for (size_t i = 0; i < count; i++)
        if (labels[i] != 0 && labels[i] != 1)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "label of training sample %zu is %d, must be 0 or 1", i,
                                   labels[i]);
    return S2CLR_OK;
}

static s2clr_status count_labels(s2clr_sampler *sampler, const int *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) sampler->count[labels[i]]++;
    if (sampler->count[0] == 0 || sampler->count[1] == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the training set has %zu positive and %zu negative samples: both "
                               "labels are needed",
                               sampler->count[1], sampler->count[0]);
    return S2CLR_OK;
}

static s2clr_status fill(s2clr_sampler *sampler, const int *labels, size_t count, size_t batch,
                         double balance)
{
    S2CLR_TRY(count_labels(sampler, labels, count));
    sampler->steps = count < batch ? 1 : count / batch;
    S2CLR_TRY(s2clr_size_mul(sampler->steps, batch, &sampler->slots));

    const double natural = (double)sampler->count[1] / (double)count;
    const double share = (1 - balance) * natural + balance / 2;
    sampler->take[1] = (size_t)llround(share * (double)sampler->slots);
    if (sampler->take[1] > sampler->slots) sampler->take[1] = sampler->slots;
    sampler->take[0] = sampler->slots - sampler->take[1];

    const size_t larger =
        sampler->count[0] > sampler->count[1] ? sampler->count[0] : sampler->count[1];
    S2CLR_TRY(s2clr_alloc(count, sizeof(size_t), "sample indices", (void **)&sampler->index));
    S2CLR_TRY(s2clr_alloc(larger, sizeof(size_t), "sample deck", (void **)&sampler->deck));
    S2CLR_TRY(
        s2clr_alloc(sampler->slots, sizeof(size_t), "sample order", (void **)&sampler->order));

    size_t next[2] = {0, sampler->count[0]};
    for (size_t i = 0; i < count; i++) sampler->index[next[labels[i]]++] = i;
    return S2CLR_OK;
}

s2clr_status s2clr_sampler_new(const int *labels, size_t count, size_t batch, double balance,
                               uint64_t seed, s2clr_sampler **out)
{
    S2CLR_TRY(check(labels, count, batch, balance));
    s2clr_sampler *sampler;
    S2CLR_TRY(s2clr_alloc(1, sizeof *sampler, "sampler", (void **)&sampler));
    sampler->seed = seed;
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

double s2clr_sampler_share(const s2clr_sampler *sampler)
{
    return (double)sampler->take[1] / (double)sampler->slots;
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
static void deal(s2clr_sampler *sampler, int label, uint64_t stream, size_t *slot)
{
    const size_t count = sampler->count[label];
    const size_t *mine = sampler->index + (label ? sampler->count[0] : 0);
    for (size_t i = 0; i < count; i++) sampler->deck[i] = mine[i];
    for (size_t done = 0; done < sampler->take[label]; done++) {
        if (done % count == 0)
            s2clr_sampler_shuffle(sampler->seed, stream, done, count, sampler->deck);
        slot[done] = sampler->deck[done % count];
    }
}

const size_t *s2clr_sampler_order(s2clr_sampler *sampler, uint64_t epoch)
{
    deal(sampler, 1, stream_of(STREAM_ORDER_POSITIVE, epoch), sampler->order);
    deal(sampler, 0, stream_of(STREAM_ORDER_NEGATIVE, epoch), sampler->order + sampler->take[1]);
    s2clr_sampler_shuffle(sampler->seed, stream_of(STREAM_ORDER_MIX, epoch), 0, sampler->slots,
                          sampler->order);
    return sampler->order;
}
