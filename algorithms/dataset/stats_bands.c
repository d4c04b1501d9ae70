/* Moments and percentiles of bands, from exact counts where values are whole numbers. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/ppixels.h"
#include "dataset/pstats.h"

const double s2clr_stats_percentile[S2CLR_STATS_PERCENTILES] = {1, 2, 5, 25, 50, 75, 95, 98, 99};

enum { OFFSET_MAX = 32768 };

void s2clr_band_bins_clear(s2clr_band_bins *bins)
{
    for (int b = 0; b < S2CLR_STORE_BANDS_MAX; b++) s2clr_free(bins->count[b]);
    s2clr_free(bins->values);
    *bins = (s2clr_band_bins){.room = 0};
}

static int number_of(const s2clr_store_about *about, const char *name)
{
    for (int b = 0; b < about->bands; b++)
        if (strcmp(about->band[b].name, name) == 0) return b;
    return -1;
}

/* ---- one patch ---- */

/* Values may lie at any address; a DN that is nodata goes nowhere. */
#define COUNT(type)                                                                                \
    for (size_t i = 0; i < pixels; i++) {                                                          \
        type dn;                                                                                   \
        memcpy(&dn, from + i * sizeof dn, sizeof dn);                                              \
        if (has_nodata && dn == nodata)                                                            \
            left_out++;                                                                            \
        else                                                                                       \
            at_offset[dn]++;                                                                       \
    }

static uint64_t count_whole(const s2clr_stats_options *options, const s2clr_patch_band *band,
                            int offset, uint64_t *bin)
{
    const unsigned char *from = band->data;
    const size_t pixels = (size_t)band->height * (size_t)band->width;
    const bool has_nodata = options->has_nodata;
    const double nodata = options->nodata;
    uint64_t *at_offset = bin + S2CLR_BINS_BELOW + offset, left_out = 0;
    if (band->dtype == S2CLR_DTYPE_U8) {
        COUNT(uint8_t)
    } else if (band->dtype == S2CLR_DTYPE_U16) {
        COUNT(uint16_t)
    } else {
        COUNT(int16_t)
    }
    return left_out;
}

static uint64_t convert(const s2clr_stats_options *options, const s2clr_patch_band *band,
                        double offset, float *to)
{
    const size_t pixels = (size_t)band->height * (size_t)band->width;
    uint64_t left_out = 0;
    s2clr_patch_band_floats(band, to);
    for (size_t i = 0; i < pixels; i++) {
        const double value = (double)to[i];
        const bool none = (options->has_nodata && value == options->nodata) || !isfinite(value);
        to[i] = none ? NAN : (float)(value + offset);
        left_out += none;
    }
    return left_out;
}

static s2clr_status measure_real(const s2clr_stats *stats, const s2clr_patch_band *band,
                                 double offset, s2clr_band_bins *bins, s2clr_stats_moments *moments,
                                 uint64_t *left_out)
{
    const size_t pixels = (size_t)band->height * (size_t)band->width;
    if (pixels > bins->room) {
        s2clr_free(bins->values);
        bins->values = NULL;
        bins->room = 0;
        S2CLR_TRY(s2clr_alloc(pixels, sizeof(float), "band", (void **)&bins->values));
        bins->room = pixels;
    }
    *left_out = convert(&stats->options, band, offset, bins->values);
    *moments = s2clr_stats_moments_of(bins->values, pixels);
    return S2CLR_OK;
}

s2clr_status s2clr_stats_bands_measure(const s2clr_store_about *about, const s2clr_stats *stats,
                                       const s2clr_store_row *row, const s2clr_store_patch *patch,
                                       s2clr_band_bins *bins, s2clr_band_slot *slot)
{
    const double offset = row->dn_offset;
    const bool whole = fabs(offset) <= OFFSET_MAX && offset == floor(offset);
    *slot = (s2clr_band_slot){.left_out = {0}};
    for (int b = 0; b < patch->bands; b++) {
        const s2clr_patch_band *band = &patch->band[b];
        const int n = number_of(about, band->name);
        if (n < 0)
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "patch '%s': band %s is not one of the bands in store.json; "
                                   "fetch or make the store again",
                                   row->name, band->name);
        if (!whole || band->dtype == S2CLR_DTYPE_F32) {
            S2CLR_TRY(measure_real(stats, band, offset, bins, &slot->other[n], &slot->left_out[n]));
            continue;
        }
        if (!bins->count[n])
            S2CLR_TRY(s2clr_alloc(S2CLR_BINS, sizeof(uint64_t), "counts of a band",
                                  (void **)&bins->count[n]));
        slot->left_out[n] = count_whole(&stats->options, band, (int)offset, bins->count[n]);
    }
    return S2CLR_OK;
}

void s2clr_stats_bands_add(s2clr_stats *stats, const s2clr_band_slot *slot)
{
    for (size_t b = 0; b < stats->bands; b++) {
        s2clr_stats_moments_add(&stats->band[b].moments, &slot->other[b]);
        stats->band[b].left_out += slot->left_out[b];
    }
}

/* ---- all patches ---- */

static s2clr_stats_moments moments_of_counts(const uint64_t *count)
{
    s2clr_stats_moments m = {.count = 0};
    double sum = 0;
    for (int i = 0; i < S2CLR_BINS; i++) {
        const double value = i - S2CLR_BINS_BELOW;
        if (!count[i]) continue;
        if (!m.count) m.minimum = value;
        m.maximum = value;
        m.count += count[i];
        sum += value * (double)count[i]; /* whole numbers: exact below 2^53 */
    }
    if (m.count) m.mean = sum / (double)m.count;
    for (int i = 0; i < S2CLR_BINS; i++) {
        const double apart = i - S2CLR_BINS_BELOW - m.mean;
        if (count[i]) m.m2 += apart * apart * (double)count[i];
    }
    return m;
}

static void percentiles(s2clr_band_stats *band, const uint64_t *count)
{
    uint64_t below = 0;
    int p = 0;
    for (int i = 0; i < S2CLR_BINS && p < S2CLR_STATS_PERCENTILES; i++) {
        below += count[i];
        while (p < S2CLR_STATS_PERCENTILES && below > 0 &&
               (double)below >= s2clr_stats_percentile[p] / 100 * (double)band->moments.count)
            band->percentile[p++] = i - S2CLR_BINS_BELOW;
    }
}

/* From the smallest value to a little beyond the 99th percentile. */
static void chart(s2clr_band_stats *band, const uint64_t *count)
{
    const double low = band->moments.minimum, high = band->percentile[S2CLR_STATS_PERCENTILES - 1];
    const double step = ceil((high - low + 1) * 1.1 / S2CLR_STATS_CHART);
    band->chart_low = low;
    band->chart_step = step;
    for (int i = 0; i < S2CLR_BINS; i++) {
        if (!count[i]) continue;
        int at = (int)((i - S2CLR_BINS_BELOW - low) / step);
        if (at >= S2CLR_STATS_CHART) at = S2CLR_STATS_CHART - 1;
        band->chart[at] += count[i];
    }
}

s2clr_status s2clr_stats_bands_finish(s2clr_stats *stats, s2clr_band_bins *bins, int workers)
{
    uint64_t *sum;
    S2CLR_TRY(s2clr_alloc(S2CLR_BINS, sizeof *sum, "counts of a band", (void **)&sum));
    for (size_t b = 0; b < stats->bands; b++) {
        s2clr_band_stats *band = &stats->band[b];
        memset(sum, 0, S2CLR_BINS * sizeof *sum);
        for (int w = 0; w < workers; w++)
            for (int i = 0; bins[w].count[b] && i < S2CLR_BINS; i++) sum[i] += bins[w].count[b][i];
        const s2clr_stats_moments counted = moments_of_counts(sum);
        band->exact = band->moments.count == 0 && counted.count > 0;
        s2clr_stats_moments_add(&band->moments, &counted);
        if (!band->exact) continue;
        percentiles(band, sum);
        chart(band, sum);
    }
    s2clr_free(sum);
    return S2CLR_OK;
}
