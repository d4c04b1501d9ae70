#include "train/normalise.h"

#include <math.h>

#include "backend/view_steps.h"
#include "base/memory.h"
#include "train/pstreams.h"
#include "train/sampler.h"

enum { TILE = 1024, MEASURED_SAMPLES = 4096 };

/* keep[i] = 1 for pixels `first`.. of which every band can be used. */
static void judge(int bands, float nodata, const uint8_t *valid, size_t pixels, size_t first,
                  size_t count, const float *dn, uint8_t *keep)
{
    for (size_t i = 0; i < count; i++) keep[i] = valid ? valid[first + i] != 0 : 1;
    for (int b = 0; b < bands; b++) {
        const float *band = dn + (size_t)b * pixels + first;
        for (size_t i = 0; i < count; i++)
            keep[i] = (uint8_t)(keep[i] & (fabsf(band[i]) < INFINITY) & (band[i] != nodata));
    }
}

void s2clr_normalise_unit(const s2clr_card *card, const s2clr_card_level *level,
                          const double *offset, const uint8_t *valid, size_t pixels,
                          const float *dn, float *v)
{
    /* A caller with a mask has already judged: the raster's own nodata goes before the level's. */
    const float nodata = level->has_nodata && !valid ? (float)level->nodata : NAN;
    const float low = (float)level->low, high = (float)level->high;
    uint8_t keep[TILE];
    for (size_t first = 0; first < pixels; first += TILE) {
        const size_t count = pixels - first < TILE ? pixels - first : TILE;
        judge(card->bands, nodata, valid, pixels, first, count, dn, keep);
        for (int b = 0; b < card->bands; b++) {
            const float gain = (float)level->gain[b], bias = (float)level->bias[b];
            const float shift = offset ? (float)offset[b] : 0.0f;
            const float *from = dn + (size_t)b * pixels + first;
            float *to = v + (size_t)b * pixels + first;
            for (size_t i = 0; i < count; i++) {
                float value = gain * (from[i] + shift) + bias;
                value = value < low ? low : value;
                value = value > high ? high : value;
                to[i] = keep[i] ? value : NAN;
            }
        }
    }
}

void s2clr_normalise_standard(const s2clr_card *card, size_t pixels, const float *v, float *x)
{
    for (int b = 0; b < card->bands; b++)
        s2clr_view_standard(card->mean[b], card->std[b], pixels, v + (size_t)b * pixels,
                            x + (size_t)b * pixels);
}

/* Count, mean and sum of squared deviations of one band. */
typedef struct moments {
    double n, mean, m2;
} moments;

typedef struct measure_job {
    const s2clr_card *card;
    const s2clr_card_level *level;
    const s2clr_samples *samples;
    const size_t *subset; // (count)
    float *patches;       // (threads, bands, size, size)
    moments *found;       // (count, bands)
} measure_job;

static moments moments_of(const float *values, size_t count)
{
    moments m = {0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) continue;
        m.n += 1;
        m.mean += (double)values[i];
    }
    if (m.n > 0) m.mean /= m.n;
    for (size_t i = 0; i < count; i++) {
        const double d = (double)values[i] - m.mean;
        if (!isnan(d)) m.m2 += d * d;
    }
    return m;
}

/* Chan, Golub and LeVeque (1979): moments of the union of two sets. */
static void moments_merge(moments *sum, const moments *part)
{
    const double n = sum->n + part->n;
    if (part->n <= 0) return;
    const double d = part->mean - sum->mean;
    sum->m2 += part->m2 + d * d * sum->n * part->n / n;
    sum->mean += d * part->n / n;
    sum->n = n;
}

static s2clr_status measure_one(void *context, size_t item, int worker)
{
    measure_job *job = context;
    const int bands = job->card->bands;
    const size_t pixels = (size_t)job->samples->size * (size_t)job->samples->size;
    float *v = job->patches + (size_t)worker * (size_t)bands * pixels;
    S2CLR_TRY(job->samples->read(job->samples->self, job->subset[item], v));
    s2clr_normalise_unit(job->card, job->level, NULL, NULL, pixels, v, v);
    for (int b = 0; b < bands; b++)
        job->found[item * (size_t)bands + (size_t)b] = moments_of(v + (size_t)b * pixels, pixels);
    return S2CLR_OK;
}

static s2clr_status conclude(const measure_job *job, size_t count, s2clr_card *card)
{
    float mean[S2CLR_CARD_BANDS_MAX], std[S2CLR_CARD_BANDS_MAX];
    for (int b = 0; b < card->bands; b++) {
        moments sum = {0, 0, 0};
        for (size_t i = 0; i < count; i++)
            moments_merge(&sum, &job->found[i * (size_t)card->bands + (size_t)b]);
        mean[b] = (float)sum.mean;
        std[b] = (float)sqrt(sum.m2 / sum.n);
        if (!(std[b] > 0) || !isfinite(std[b]))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "band %s: standard deviation %g over %zu training patches (%.0f "
                                   "valid pixels), must be positive; leave the band out or check "
                                   "level %s of the card",
                                   card->band[b], (double)std[b], count, sum.n, job->level->name);
    }
    for (int b = 0; b < card->bands; b++) {
        card->mean[b] = mean[b];
        card->std[b] = std[b];
    }
    return S2CLR_OK;
}

static s2clr_status measure(measure_job *job, size_t *subset, uint64_t seed, s2clr_pool *pool,
                            s2clr_card *card)
{
    const size_t total = job->samples->count;
    const size_t count = total < MEASURED_SAMPLES ? total : MEASURED_SAMPLES;
    for (size_t i = 0; i < total; i++) subset[i] = i;
    if (count < total) s2clr_sampler_shuffle(seed, stream_of(STREAM_SUBSET, 0), 0, total, subset);
    job->subset = subset;

    size_t values = (size_t)s2clr_pool_threads(pool);
    S2CLR_TRY(s2clr_size_mul(values, (size_t)card->bands, &values));
    S2CLR_TRY(s2clr_size_mul(values, (size_t)job->samples->size, &values));
    S2CLR_TRY(s2clr_size_mul(values, (size_t)job->samples->size, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof(float), "patches to measure", (void **)&job->patches));
    S2CLR_TRY(s2clr_alloc(count * (size_t)card->bands, sizeof(moments), "band statistics",
                          (void **)&job->found));
    S2CLR_TRY(s2clr_pool_run(pool, measure_one, job, count));
    return conclude(job, count, card);
}

s2clr_status s2clr_normalise_measure(s2clr_card *card, const s2clr_card_level *level,
                                     const s2clr_samples *samples, uint64_t seed, s2clr_pool *pool)
{
    if (samples->count == 0 || samples->count > UINT32_MAX || samples->channels != card->bands)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "cannot measure mean and std: %zu samples of %d bands for a card of "
                               "%d bands",
                               samples->count, samples->channels, card->bands);
    measure_job job = {.card = card, .level = level, .samples = samples};
    size_t *subset;
    S2CLR_TRY(s2clr_alloc(samples->count, sizeof *subset, "sample subset", (void **)&subset));
    const s2clr_status status = measure(&job, subset, seed, pool, card);
    s2clr_free(job.patches);
    s2clr_free(job.found);
    s2clr_free(subset);
    return status;
}
