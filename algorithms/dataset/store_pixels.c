#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/ppixels.h"

enum { SIZES = 4 /* different sizes of bands whose weights are kept: 10, 20, 60 m and one more */ };

struct s2clr_pixels {
    const s2clr_pixels_wish *wish;
    s2clr_store_cursor *cursor;
    s2clr_resampler resampler[SIZES];
    int side[SIZES]; /* source pixels, 0 unused */
    int oldest;
    float *values; // (room) a band as it is stored
    uint8_t *ok;   // (room)
    size_t room;
    uint8_t *valid; // (size, size)
    double *rows;   // (rows_room) scratch of the resampler
    size_t rows_room;
    s2clr_pixels *next;
};

s2clr_pixels **s2clr_pixels_next(s2clr_pixels *pixels)
{
    return &pixels->next;
}

s2clr_status s2clr_pixels_new(const s2clr_pixels_wish *wish, s2clr_pixels **out)
{
    s2clr_pixels *p;
    const size_t pixels = (size_t)wish->size * (size_t)wish->size;
    S2CLR_TRY(s2clr_alloc(1, sizeof *p, "patch reader", (void **)&p));
    p->wish = wish;
    s2clr_status status = s2clr_alloc(pixels, 1, "patch reader", (void **)&p->valid);
    if (status == S2CLR_OK) status = s2clr_store_cursor_new(wish->store, &p->cursor);
    if (status == S2CLR_OK)
        *out = p;
    else
        s2clr_pixels_free(p);
    return status;
}

void s2clr_pixels_free(s2clr_pixels *pixels)
{
    if (!pixels) return;
    for (int i = 0; i < SIZES; i++) s2clr_resampler_clear(&pixels->resampler[i]);
    s2clr_store_cursor_free(pixels->cursor);
    s2clr_free(pixels->values);
    s2clr_free(pixels->ok);
    s2clr_free(pixels->valid);
    s2clr_free(pixels->rows);
    s2clr_free(pixels);
}

static s2clr_status reserve(s2clr_pixels *p, size_t count)
{
    if (count <= p->room) return S2CLR_OK;
    s2clr_free(p->values);
    s2clr_free(p->ok);
    p->values = NULL;
    p->ok = NULL;
    p->room = 0;
    S2CLR_TRY(s2clr_alloc(count, sizeof *p->values, "band of a patch", (void **)&p->values));
    S2CLR_TRY(s2clr_alloc(count, 1, "band of a patch", (void **)&p->ok));
    p->room = count;
    return S2CLR_OK;
}

/* The stored values may lie at any address: they are copied one by one. */
#define CONVERT(type)                                                                              \
    for (size_t i = 0; i < count; i++) {                                                           \
        type value;                                                                                \
        memcpy(&value, from + i * sizeof value, sizeof value);                                     \
        to[i] = (float)value;                                                                      \
    }

void s2clr_patch_band_floats(const s2clr_patch_band *band, float *to)
{
    const size_t count = (size_t)band->height * (size_t)band->width;
    const unsigned char *from = band->data;
    if (band->dtype == S2CLR_DTYPE_U8) {
        CONVERT(uint8_t)
    } else if (band->dtype == S2CLR_DTYPE_U16) {
        CONVERT(uint16_t)
    } else if (band->dtype == S2CLR_DTYPE_I16) {
        CONVERT(int16_t)
    } else {
        CONVERT(float)
    }
}

/* True when all are. */
static bool judge(const s2clr_pixels_wish *wish, const float *values, size_t count, uint8_t *ok)
{
    const float nodata = wish->has_nodata ? wish->nodata : NAN;
    unsigned all = 1;
    for (size_t i = 0; i < count; i++) {
        ok[i] = (uint8_t)((fabsf(values[i]) < INFINITY) & (values[i] != nodata));
        all &= ok[i];
    }
    return all != 0;
}

/* ---- sizes ---- */

static s2clr_status weights_for(s2clr_pixels *p, int side, const s2clr_resampler **out)
{
    const int size = p->wish->size;
    for (int i = 0; i < SIZES; i++) {
        if (p->side[i] != side) continue;
        *out = &p->resampler[i];
        return S2CLR_OK;
    }
    const int slot = p->oldest;
    const s2clr_axis axis = {.scale = (double)side / size, .shift = 0, .size = side};
    const int64_t first[2] = {0, 0};
    const int count[2] = {size, size};
    p->side[slot] = 0;
    s2clr_resampler_clear(&p->resampler[slot]);
    S2CLR_TRY(s2clr_resampler_make(p->wish->method, axis, axis, first, count, &p->resampler[slot]));
    p->side[slot] = side;
    p->oldest = (slot + 1) % SIZES;
    *out = &p->resampler[slot];
    return S2CLR_OK;
}

static s2clr_status reserve_rows(s2clr_pixels *p, const s2clr_resampler *resampler)
{
    const size_t wanted = (size_t)p->wish->size * (size_t)resampler->y.taps;
    if (wanted <= p->rows_room) return S2CLR_OK;
    s2clr_free(p->rows);
    p->rows = NULL;
    p->rows_room = 0;
    S2CLR_TRY(s2clr_alloc(wanted, sizeof *p->rows, "resampling", (void **)&p->rows));
    p->rows_room = wanted;
    return S2CLR_OK;
}

/* A sum that happens to be the nodata value would be taken for one by who normalises: the next
 * float is not, and differs by nothing that counts. */
static void finish(const s2clr_pixels_wish *wish, const uint8_t *valid, float offset, float *dn)
{
    const size_t count = (size_t)wish->size * (size_t)wish->size;
    const float nodata = wish->has_nodata ? wish->nodata : NAN;
    const float beside = nextafterf(nodata, INFINITY);
    for (size_t i = 0; i < count; i++) {
        const float value = dn[i] + offset;
        dn[i] = !valid[i] ? NAN : value == nodata ? beside : value;
    }
}

static s2clr_status read_band(s2clr_pixels *p, const s2clr_patch_band *band, float offset,
                              float *dn)
{
    const int side = band->height, size = p->wish->size;
    const size_t count = (size_t)side * (size_t)side, wanted = (size_t)size * (size_t)size;
    const s2clr_resampler *resampler;
    if (side == size) {
        s2clr_patch_band_floats(band, dn);
        judge(p->wish, dn, wanted, p->valid);
        finish(p->wish, p->valid, offset, dn);
        return S2CLR_OK;
    }
    S2CLR_TRY(reserve(p, count));
    S2CLR_TRY(weights_for(p, side, &resampler));
    S2CLR_TRY(reserve_rows(p, resampler));
    s2clr_patch_band_floats(band, p->values);
    const bool all_ok = judge(p->wish, p->values, count, p->ok);
    for (size_t i = 0; !all_ok && i < count; i++)
        if (!p->ok[i]) p->values[i] = 0; /* as the resampler wants it: NaN times weight 0 is NaN */
    const s2clr_piece piece = {
        .width = side, .height = side, .values = p->values, .ok = p->ok, .all_ok = all_ok};
    memset(p->valid, 1, wanted);
    s2clr_resampler_run(resampler, &piece, p->rows, dn, p->valid, size);
    finish(p->wish, p->valid, offset, dn);
    return S2CLR_OK;
}

/* ---- patches ---- */

static s2clr_status find_band(const s2clr_store_patch *patch, const char *patch_name,
                              const char *wanted, const s2clr_patch_band **out)
{
    for (int b = 0; b < patch->bands; b++) {
        const s2clr_patch_band *band = &patch->band[b];
        if (strcmp(band->name, wanted) != 0) continue;
        if (band->height != band->width)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "patch '%s': band %s has %d rows and %d columns; wanted: a "
                                   "square one",
                                   patch_name, wanted, band->height, band->width);
        *out = band;
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "patch '%s' has no band %s, which the model needs; take another model, "
                           "or import with that band",
                           patch_name, wanted);
}

s2clr_status s2clr_pixels_read(s2clr_pixels *pixels, size_t row, float *dn)
{
    const s2clr_pixels_wish *wish = pixels->wish;
    const s2clr_store_row *known = s2clr_store_row_at(wish->store, row);
    const size_t plane = (size_t)wish->size * (size_t)wish->size;
    s2clr_store_patch patch;
    S2CLR_TRY(s2clr_store_read(pixels->cursor, row, &patch));
    for (int c = 0; c < wish->channels; c++) {
        const s2clr_patch_band *band;
        S2CLR_TRY(find_band(&patch, known->name, wish->band[c], &band));
        S2CLR_TRY(read_band(pixels, band, (float)known->dn_offset, dn + (size_t)c * plane));
    }
    return S2CLR_OK;
}
