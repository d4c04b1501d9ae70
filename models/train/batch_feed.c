#include "train/batch_feed.h"

#include "base/memory.h"
#include "base/philox.h"
#include "train/normalise.h"
#include "train/pstreams.h"

struct s2clr_feed {
    const s2clr_samples *samples;
    const s2clr_card *card;
    const s2clr_card_level *level;
    s2clr_pool *pool;
    s2clr_augment_recipe recipe;
    uint64_t seed;
    const int *partner; // (samples) or NULL
    double natural;
    size_t pixels, values; /* of a patch */
    float *patches;        // (threads, C, H, W)
    /* the batch being filled */
    uint64_t epoch, slot;
    int view;
    const size_t *index;
    float *x;
};

/* The sample that a view of `item` is made of. */
static size_t source_of(const s2clr_feed *feed, size_t item)
{
    const size_t index = feed->index[item];
    if (feed->view != 1 || !feed->partner || feed->partner[index] < 0) return index;
    const float u =
        s2clr_random_uniform(feed->seed, stream_of(STREAM_PARTNER, feed->epoch), feed->slot + item);
    return (double)u < feed->natural ? (size_t)feed->partner[index] : index;
}

static s2clr_status prepare_one(void *context, size_t item, int worker)
{
    s2clr_feed *feed = context;
    const s2clr_samples *samples = feed->samples;
    float *v = feed->patches + (size_t)worker * feed->values;
    float *x = feed->x + item * feed->values;
    S2CLR_TRY(samples->read(samples->self, source_of(feed, item), v));
    s2clr_normalise_unit(feed->card, feed->level, NULL, NULL, feed->pixels, v, v);
    S2CLR_TRY(s2clr_augment(&feed->recipe, feed->seed, feed->epoch, feed->slot + item, feed->view,
                            feed->card->mean, feed->card->std, samples->channels, samples->size, v,
                            x));
    s2clr_normalise_standard(feed->card, feed->pixels, x, x);
    return S2CLR_OK;
}

s2clr_status s2clr_feed_new(const s2clr_samples *samples, const s2clr_card *card,
                            const s2clr_card_level *level, const s2clr_augment_recipe *recipe,
                            uint64_t seed, s2clr_pool *pool, s2clr_feed **out)
{
    size_t pixels, values, total;
    S2CLR_TRY(s2clr_size_mul((size_t)samples->size, (size_t)samples->size, &pixels));
    S2CLR_TRY(s2clr_size_mul(pixels, (size_t)samples->channels, &values));
    S2CLR_TRY(s2clr_size_mul(values, (size_t)s2clr_pool_threads(pool), &total));
    float *patches;
    S2CLR_TRY(s2clr_alloc(total, sizeof(float), "patches being read", (void **)&patches));
    s2clr_feed *feed;
    const s2clr_status status = s2clr_alloc(1, sizeof *feed, "batch feed", (void **)&feed);
    if (status != S2CLR_OK) {
        s2clr_free(patches);
        return status;
    }
    *feed = (s2clr_feed){.samples = samples,
                         .card = card,
                         .level = level,
                         .pool = pool,
                         .recipe = *recipe,
                         .seed = seed,
                         .pixels = pixels,
                         .values = values,
                         .patches = patches};
    *out = feed;
    return S2CLR_OK;
}

void s2clr_feed_free(s2clr_feed *feed)
{
    if (!feed) return;
    s2clr_free(feed->patches);
    s2clr_free(feed);
}

void s2clr_feed_pair(s2clr_feed *feed, const int *partner, double natural)
{
    feed->partner = partner;
    feed->natural = natural;
}

s2clr_status s2clr_feed_fill(s2clr_feed *feed, uint64_t epoch, int view, uint64_t slot,
                             const size_t *index, size_t count, float *x)
{
    feed->epoch = epoch;
    feed->view = view;
    feed->slot = slot;
    feed->index = index;
    feed->x = x;
    return s2clr_pool_run(feed->pool, prepare_one, feed, count);
}
