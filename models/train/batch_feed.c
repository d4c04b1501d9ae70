#include "train/batch_feed.h"

#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/normalise.h"
#include "train/pfeed.h"
#include "train/pstreams.h"

size_t s2clr_feed_source(const s2clr_feed *feed, const s2clr_feed_part *part, size_t item, int view)
{
    const size_t index = part->index[item];
    if (view != 1 || !feed->partner || feed->partner[index] < 0) return index;
    const float u =
        s2clr_random_uniform(feed->seed, stream_of(STREAM_PARTNER, part->epoch), part->slot + item);
    return (double)u < feed->natural ? (size_t)feed->partner[index] : index;
}

s2clr_status s2clr_feed_read(const s2clr_feed *feed, size_t sample, float *patch)
{
    S2CLR_TRY(feed->samples->read(feed->samples->self, sample, patch));
    s2clr_normalise_unit(feed->card, feed->level, NULL, NULL, feed->pixels, patch, patch);
    return S2CLR_OK;
}

size_t s2clr_feed_steps(const s2clr_feed *feed)
{
    return s2clr_augment_steps(&feed->recipe) + 1;
}

s2clr_status s2clr_feed_plan(const s2clr_feed *feed, const s2clr_feed_part *part, size_t item,
                             int view, size_t patch, s2clr_view_list *list)
{
    const size_t bands = (size_t)feed->samples->channels;
    s2clr_view_list_begin(list, patch);
    S2CLR_TRY(s2clr_augment_plan(&feed->recipe, feed->seed, part->epoch, part->slot + item, view,
                                 feed->card->mean, feed->card->std, list));
    s2clr_view_list_add(list, S2CLR_VIEW_STANDARD);
    float *numbers = s2clr_view_list_numbers(list, 2 * bands);
    memcpy(numbers, feed->card->mean, bands * sizeof *numbers);
    memcpy(numbers + bands, feed->card->std, bands * sizeof *numbers);
    return S2CLR_OK;
}

static s2clr_status prepare_one(void *context, size_t number, int worker)
{
    const s2clr_feed *feed = context;
    const s2clr_feed_part *part = feed->part;
    const feed_worker *w = &feed->worker[worker];
    const size_t item = number % part->count;
    const int view = part->view + (int)(number / part->count);
    S2CLR_TRY(s2clr_feed_read(feed, s2clr_feed_source(feed, part, item, view), w->patch));
    s2clr_view_list_clear(w->list);
    S2CLR_TRY(s2clr_feed_plan(feed, part, item, view, 0, w->list));
    s2clr_view_run(w->list, 0, w->patch, w->scratch, feed->x + number * feed->values);
    return S2CLR_OK;
}

static s2clr_status furnish(const s2clr_feed *feed, feed_worker *w)
{
    S2CLR_TRY(s2clr_alloc(feed->values, sizeof(float), "patches being read", (void **)&w->patch));
    S2CLR_TRY(s2clr_view_list_new(feed->samples->channels, feed->samples->size, 1,
                                  s2clr_feed_steps(feed), &w->list));
    return s2clr_alloc(s2clr_view_scratch(w->list), sizeof(float), "augmentation scratch",
                       (void **)&w->scratch);
}

static s2clr_status allocate(s2clr_feed *feed)
{
    const size_t threads = (size_t)s2clr_pool_threads(feed->pool);
    S2CLR_TRY(
        s2clr_size_mul((size_t)feed->samples->size, (size_t)feed->samples->size, &feed->pixels));
    S2CLR_TRY(s2clr_size_mul(feed->pixels, (size_t)feed->samples->channels, &feed->values));
    S2CLR_TRY(s2clr_alloc(threads, sizeof *feed->worker, "batch feed", (void **)&feed->worker));
    for (size_t i = 0; i < threads; i++) S2CLR_TRY(furnish(feed, &feed->worker[i]));
    return S2CLR_OK;
}

s2clr_status s2clr_feed_new(const s2clr_samples *samples, const s2clr_card *card,
                            const s2clr_card_level *level, const s2clr_augment_recipe *recipe,
                            uint64_t seed, s2clr_pool *pool, s2clr_feed **out)
{
    s2clr_feed *feed;
    S2CLR_TRY(s2clr_alloc(1, sizeof *feed, "batch feed", (void **)&feed));
    *feed = (s2clr_feed){.samples = samples,
                         .card = card,
                         .level = level,
                         .pool = pool,
                         .recipe = *recipe,
                         .seed = seed};
    const s2clr_status status = allocate(feed);
    if (status != S2CLR_OK) {
        s2clr_feed_free(feed);
        return status;
    }
    *out = feed;
    return S2CLR_OK;
}

void s2clr_feed_free(s2clr_feed *feed)
{
    if (!feed) return;
    s2clr_feed_device_free(feed->device);
    for (int i = 0; feed->worker && i < s2clr_pool_threads(feed->pool); i++) {
        s2clr_free(feed->worker[i].patch);
        s2clr_free(feed->worker[i].scratch);
        s2clr_view_list_free(feed->worker[i].list);
    }
    s2clr_free(feed->worker);
    s2clr_free(feed);
}

void s2clr_feed_pair(s2clr_feed *feed, const int *partner, double natural)
{
    feed->partner = partner;
    feed->natural = natural;
}

s2clr_status s2clr_feed_fill(s2clr_feed *feed, const s2clr_feed_part *part, float *x)
{
    if (feed->device) return s2clr_feed_device_fill(feed, part, x);
    feed->part = part;
    feed->x = x;
    return s2clr_pool_run(feed->pool, prepare_one, feed, (size_t)part->views * part->count);
}
