/*
 * Spectral indices over a store: distributions per label and class, and their correlation. Pixels
 * of coarser bands are repeated, as in the stacks of "s2clr vrt", so that values are those a GIS
 * shows for the same pixels.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pstats.h"

/* Beyond these ranges the denominator is about 0, or the reflectance negative: shadow and water. */
const s2clr_index_about s2clr_stats_index[S2CLR_STATS_INDICES] = {
    {S2CLR_POINTWISE_EVI2, "EVI2", "B08 B04", -1, 1.5},
    {S2CLR_POINTWISE_SAVI, "SAVI", "B08 B04", -1, 1.5},
    {S2CLR_POINTWISE_MSI, "MSI", "B08 B11", 0, 5},
    {S2CLR_POINTWISE_NDII, "NDII", "B08 B11", -1, 1},
    {S2CLR_POINTWISE_NMDI, "NMDI", "B08 B11 B12", -1, 3},
};

enum { BANDS = 4, LABELS = 3, PLANES = BANDS + S2CLR_STATS_INDICES };
static const char *const bands[BANDS] = {"B04", "B08", "B11", "B12"};
static const double quantiles[5] = {.05, .25, .5, .75, .95};

struct s2clr_index_sums {
    size_t patches[S2CLR_STATS_GROUPS_MAX];
    s2clr_stats_moments moments[S2CLR_STATS_GROUPS_MAX][S2CLR_STATS_INDICES];
    uint64_t bin[S2CLR_STATS_GROUPS_MAX][S2CLR_STATS_INDICES][S2CLR_INDEX_BINS];
    s2clr_index_products products;
};

/* Numbers in `bands` of the sources of an index, from the table of pointwise functions. */
static int sources_of(s2clr_pointwise_id id, int source[3])
{
    int count = 0;
    for (const char *at = s2clr_pointwise_row(id)->sources; *at;) {
        const size_t length = strcspn(at, ",");
        for (int b = 0; b < BANDS; b++)
            if (strlen(bands[b]) == length && strncmp(bands[b], at, length) == 0 && count < 3)
                source[count++] = b;
        at += length + (at[length] == ',');
    }
    return count;
}

s2clr_status s2clr_stats_indices_new(const s2clr_store_about *about, s2clr_stats *stats,
                                     s2clr_index_sums **out)
{
    bool there[BANDS] = {false};
    for (int b = 0; b < BANDS; b++)
        for (int k = 0; k < about->bands; k++)
            there[b] |= strcmp(about->band[k].name, bands[b]) == 0;
    for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
        int source[3];
        const int count = sources_of(s2clr_stats_index[i].id, source);
        stats->indices.there[i] = true;
        for (int k = 0; k < count; k++) stats->indices.there[i] &= there[source[k]];
    }
    return s2clr_alloc(1, sizeof **out, "spectral indices", (void **)out);
}

void s2clr_stats_indices_free(s2clr_index_sums *sums)
{
    s2clr_free(sums);
}

/* ---- planes of one patch ---- */

#define REFLECT(type)                                                                              \
    for (int y = 0; y < height; y++) {                                                             \
        const int row = (int)((int64_t)y * band->height / height);                                 \
        for (int x = 0; x < width; x++) {                                                          \
            const int column = (int)((int64_t)x * band->width / width);                            \
            type dn;                                                                               \
            memcpy(&dn, from + ((size_t)row * (size_t)band->width + (size_t)column) * sizeof dn,   \
                   sizeof dn);                                                                     \
            const double value = (double)dn;                                                       \
            *to++ = options->has_nodata && value == options->nodata                                \
                        ? NAN                                                                      \
                        : (float)((value + offset) * options->scale);                              \
        }                                                                                          \
    }

static void reflect(const s2clr_stats_options *options, const s2clr_patch_band *band, double offset,
                    int height, int width, float *to)
{
    const unsigned char *from = band->data;
    if (band->dtype == S2CLR_DTYPE_U16) {
        REFLECT(uint16_t)
    } else if (band->dtype == S2CLR_DTYPE_I16) {
        REFLECT(int16_t)
    } else {
        REFLECT(float)
    }
}

/* The bands the store's indices need, NULL for the others; false when the patch cannot serve. */
static bool find_bands(const s2clr_index_stats *stats, const s2clr_store_patch *patch,
                       const s2clr_patch_band *found[BANDS], int *height, int *width)
{
    bool needed[BANDS] = {false}, any = false;
    for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
        int source[3];
        const int count = sources_of(s2clr_stats_index[i].id, source);
        for (int k = 0; k < count && stats->there[i]; k++) needed[source[k]] = any = true;
    }
    *height = *width = 0;
    for (int b = 0; b < BANDS; b++) {
        found[b] = NULL;
        for (int k = 0; k < patch->bands && needed[b]; k++)
            if (strcmp(patch->band[k].name, bands[b]) == 0) found[b] = &patch->band[k];
        if (!needed[b]) continue;
        if (!found[b] || found[b]->dtype == S2CLR_DTYPE_U8) return false;
        if (found[b]->height > *height) *height = found[b]->height;
        if (found[b]->width > *width) *width = found[b]->width;
    }
    return any;
}

static s2clr_status reserve(s2clr_index_planes *planes, size_t pixels)
{
    size_t room;
    S2CLR_TRY(s2clr_size_mul(pixels, PLANES, &room));
    if (room <= planes->room) return S2CLR_OK;
    s2clr_free(planes->plane);
    planes->plane = NULL;
    planes->room = 0;
    S2CLR_TRY(s2clr_alloc(room, sizeof *planes->plane, "indices", (void **)&planes->plane));
    planes->room = room;
    return S2CLR_OK;
}

/* ---- sums of one patch ---- */

static void spread(const s2clr_index_about *about, float *values, size_t pixels,
                   s2clr_stats_moments *moments, uint32_t *bin)
{
    const double width = (about->high - about->low) / S2CLR_INDEX_BINS;
    for (size_t i = 0; i < pixels; i++) {
        const double value = (double)values[i];
        if (!(value >= about->low && value <= about->high)) {
            values[i] = NAN;
            continue;
        }
        const int at = (int)((value - about->low) / width);
        bin[at < S2CLR_INDEX_BINS ? at : S2CLR_INDEX_BINS - 1]++;
    }
    *moments = s2clr_stats_moments_of(values, pixels);
}

static bool all_there(const bool *there, const float *const *index, size_t i)
{
    for (int k = 0; k < S2CLR_STATS_INDICES; k++)
        if (there[k] && isnan(index[k][i])) return false;
    return true;
}

static void multiply(const bool *there, const float *const *index, size_t pixels,
                     s2clr_index_products *out)
{
    const int n = S2CLR_STATS_INDICES;
    for (size_t i = 0; i < pixels; i++) {
        if (!all_there(there, index, i)) continue;
        out->count++;
        for (int k = 0; k < n; k++)
            if (there[k]) out->mean[k] += (double)index[k][i];
    }
    for (int k = 0; k < n && out->count; k++) out->mean[k] /= (double)out->count;
    for (size_t i = 0; i < pixels; i++) {
        double apart[S2CLR_STATS_INDICES] = {0};
        if (!all_there(there, index, i)) continue;
        for (int k = 0; k < n; k++)
            if (there[k]) apart[k] = (double)index[k][i] - out->mean[k];
        for (int a = 0; a < n; a++)
            for (int b = a; b < n; b++) out->product[a * n + b] += apart[a] * apart[b];
    }
}

s2clr_status s2clr_stats_indices_measure(const s2clr_stats *stats, const s2clr_store_row *row,
                                         const s2clr_store_patch *patch, s2clr_index_planes *planes,
                                         s2clr_index_slot *slot)
{
    const s2clr_patch_band *found[BANDS];
    const float *band[BANDS] = {NULL}, *index[S2CLR_STATS_INDICES];
    int height, width;
    memset(slot, 0, sizeof *slot);
    slot->left_out = !find_bands(&stats->indices, patch, found, &height, &width);
    if (slot->left_out) return S2CLR_OK;
    const size_t pixels = (size_t)height * (size_t)width;
    S2CLR_TRY(reserve(planes, pixels));
    for (int b = 0; b < BANDS; b++) {
        float *to = planes->plane + (size_t)b * pixels;
        if (found[b]) reflect(&stats->options, found[b], row->dn_offset, height, width, to);
        band[b] = to;
    }
    for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
        float *values = planes->plane + (size_t)(BANDS + i) * pixels;
        int source[3];
        index[i] = values;
        if (!stats->indices.there[i]) continue;
        const s2clr_pointwise *function = s2clr_pointwise_row(s2clr_stats_index[i].id);
        const int count = sources_of(s2clr_stats_index[i].id, source);
        const float *const from[3] = {band[source[0]], band[source[1]],
                                      band[source[count > 2 ? 2 : 0]]};
        s2clr_pointwise_call call;
        S2CLR_TRY(s2clr_pointwise_bind(function, NULL, count, &call));
        S2CLR_TRY(s2clr_pointwise_run(&call, from, pixels, values));
        spread(&s2clr_stats_index[i], values, pixels, &slot->moments[i], slot->bin[i]);
    }
    multiply(stats->indices.there, index, pixels, &slot->products);
    return S2CLR_OK;
}

/* ---- sums of all ---- */

static void add_products(s2clr_index_products *into, const s2clr_index_products *more)
{
    const int n = S2CLR_STATS_INDICES;
    double apart[S2CLR_STATS_INDICES];
    if (more->count == 0) return;
    const double a = (double)into->count, b = (double)more->count;
    for (int k = 0; k < n; k++) {
        apart[k] = more->mean[k] - into->mean[k];
        into->mean[k] += apart[k] * (b / (a + b));
    }
    for (int x = 0; x < n; x++)
        for (int y = x; y < n; y++)
            into->product[x * n + y] +=
                more->product[x * n + y] + apart[x] * apart[y] * (a * b / (a + b));
    into->count += more->count;
}

static void add_group(s2clr_index_sums *sums, size_t group, const s2clr_index_slot *slot)
{
    sums->patches[group]++;
    for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
        s2clr_stats_moments_add(&sums->moments[group][i], &slot->moments[i]);
        for (int k = 0; k < S2CLR_INDEX_BINS; k++) sums->bin[group][i][k] += slot->bin[i][k];
    }
}

void s2clr_stats_indices_add(s2clr_index_sums *sums, s2clr_stats *stats, const s2clr_store_row *row,
                             const s2clr_index_slot *slot)
{
    size_t number[S2CLR_PATCH_LABELS_MAX];
    if (slot->left_out) {
        stats->indices.left_out++;
        return;
    }
    add_products(&sums->products, &slot->products);
    add_group(sums,
              row->label == S2CLR_LABEL_POSITIVE   ? 0
              : row->label == S2CLR_LABEL_NEGATIVE ? 1
                                                   : 2,
              slot);
    const int classes = s2clr_stats_classes_of(&stats->labels, row->labels, number);
    for (int k = 0; k < classes; k++)
        if (LABELS + number[k] < S2CLR_STATS_GROUPS_MAX) add_group(sums, LABELS + number[k], slot);
}

static double quantile(const uint64_t *bin, uint64_t count, double share,
                       const s2clr_index_about *about)
{
    uint64_t below = 0;
    for (int i = 0; i < S2CLR_INDEX_BINS; i++) {
        below += bin[i];
        if (below > 0 && (double)below >= share * (double)count)
            return about->low + (i + 0.5) * (about->high - about->low) / S2CLR_INDEX_BINS;
    }
    return NAN;
}

static void correlate(const s2clr_index_products *sums, s2clr_index_stats *stats)
{
    const int n = S2CLR_STATS_INDICES;
    stats->pixels = sums->count;
    for (int a = 0; a < n; a++)
        for (int b = a; b < n; b++) {
            const double size = sqrt(sums->product[a * n + a] * sums->product[b * n + b]);
            const bool there = stats->there[a] && stats->there[b] && size > 0;
            const double r = there ? sums->product[a * n + b] / size : NAN;
            stats->correlation[a][b] = stats->correlation[b][a] = r;
        }
}

s2clr_status s2clr_stats_indices_finish(const s2clr_index_sums *sums, s2clr_stats *stats)
{
    static const char *const labels[LABELS] = {"positive", "negative", "unknown"};
    s2clr_index_stats *out = &stats->indices;
    S2CLR_TRY(
        s2clr_alloc(S2CLR_STATS_GROUPS_MAX, sizeof *out->group, "indices", (void **)&out->group));
    for (size_t g = 0; g < S2CLR_STATS_GROUPS_MAX; g++) {
        s2clr_index_group *group = &out->group[out->groups];
        if (!sums->patches[g]) continue;
        group->name = g < LABELS ? labels[g] : stats->labels.class_[g - LABELS].name;
        group->patches = sums->patches[g];
        for (int i = 0; i < S2CLR_STATS_INDICES; i++) {
            group->index[i].moments = sums->moments[g][i];
            for (int q = 0; q < 5; q++)
                group->index[i].quantile[q] = quantile(sums->bin[g][i], sums->moments[g][i].count,
                                                       quantiles[q], &s2clr_stats_index[i]);
        }
        out->groups++;
    }
    correlate(&sums->products, out);
    return S2CLR_OK;
}
