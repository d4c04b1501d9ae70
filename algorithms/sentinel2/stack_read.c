#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/pstack.h"

enum { VALUES, OK, WIDE, MASK, ROWS, CLASSES };
_Static_assert(CLASSES < S2CLR_SCRATCH_SLOTS, "every kind of scratch has a slot");

/* The part of a request that lies on the stack's grid, and where it goes. */
typedef struct target {
    int64_t x0, y0;
    int w, h;
    float *values;  // (bands, request h, request w), at this part's first pixel
    uint8_t *valid; // (request h, request w), likewise
    int64_t stride; /* request w */
    size_t plane;   /* request w * h */
} target;

/* A window of one raster band, in its own pixels. */
typedef struct source_window {
    int x, y, w, h;
} source_window;

static s2clr_status scratch(s2clr_stack *stack, int slot, size_t count, size_t size, void **out)
{
    size_t bytes;
    S2CLR_TRY(s2clr_size_mul(count, size, &bytes));
    if (bytes > stack->scratch_bytes[slot]) {
        void *bigger;
        S2CLR_TRY(s2clr_alloc(bytes, 1, "reading buffer", &bigger));
        s2clr_free(stack->scratch[slot]);
        stack->scratch[slot] = bigger;
        stack->scratch_bytes[slot] = bytes;
    }
    *out = stack->scratch[slot];
    return S2CLR_OK;
}

static const char *path_of(const s2clr_stack *stack, GDALDatasetH dataset)
{
    for (int i = 0; i < stack->opened; i++)
        if (stack->open[i].handle == dataset) return stack->open[i].path;
    return "raster";
}

static s2clr_status read_failed(const s2clr_stack *stack, const s2clr_plane *plane, source_window s,
                                const s2clr_gdal_watch *watch)
{
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: band %d cannot be read at %d,%d (%d x %d pixels): %s; is the file "
                           "complete?",
                           path_of(stack, plane->dataset), plane->number, s.x, s.y, s.w, s.h,
                           watch->text);
}

/* Reads `count` bands of one dataset, as floats, planes `gap` values apart. */
static s2clr_status read_floats(const s2clr_stack *stack, const s2clr_plane *plane, int count,
                                source_window s, float *out, int64_t stride, size_t gap)
{
    int numbers[S2CLR_CARD_BANDS_MAX];
    s2clr_gdal_watch watch;
    for (int i = 0; i < count; i++) numbers[i] = plane[i].number;
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error = GDALDatasetRasterIOEx(
        plane->dataset, GF_Read, s.x, s.y, s.w, s.h, out, s.w, s.h, GDT_Float32, count, numbers,
        sizeof(float), stride * (GSpacing)sizeof(float), (GSpacing)(gap * sizeof(float)), NULL);
    s2clr_gdal_watch_end(&watch);
    /* A VRT may leave out a source it cannot open, report that, and succeed. */
    return error == CE_None && !watch.failed ? S2CLR_OK : read_failed(stack, plane, s, &watch);
}

/* Clears ok where a value is nodata or not finite. */
static void scan(const s2clr_plane *plane, int w, int h, const float *values, uint8_t *ok,
                 int64_t stride)
{
    const float nodata = plane->has_nodata ? (float)plane->nodata : NAN;
    for (int y = 0; y < h; y++) {
        const float *v = values + y * stride;
        uint8_t *o = ok + y * stride;
        for (int x = 0; x < w; x++) o[x] = (uint8_t)(o[x] & (v[x] != nodata) & (v[x] - v[x] == 0));
    }
}

/* As read_floats() and scan(), for types whose values do not fit a float. */
static s2clr_status read_wide(s2clr_stack *stack, const s2clr_plane *plane, source_window s,
                              float *values, uint8_t *ok, int64_t stride)
{
    double *wide;
    size_t count;
    s2clr_gdal_watch watch;
    const double nodata = plane->has_nodata ? plane->nodata : (double)NAN;
    S2CLR_TRY(s2clr_size_mul((size_t)s.w, (size_t)s.h, &count));
    S2CLR_TRY(scratch(stack, WIDE, count, sizeof *wide, (void **)&wide));
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error = GDALRasterIOEx(plane->band, GF_Read, s.x, s.y, s.w, s.h, wide, s.w, s.h,
                                        GDT_Float64, 0, 0, NULL);
    s2clr_gdal_watch_end(&watch);
    if (error != CE_None) return read_failed(stack, plane, s, &watch);
    for (int y = 0; y < s.h; y++)
        for (int x = 0; x < s.w; x++) {
            const double value = wide[(size_t)y * (size_t)s.w + (size_t)x];
            const bool good = value != nodata && fabs(value) < 1e30;
            values[y * stride + x] = good ? (float)value : 0;
            if (!good) ok[y * stride + x] = 0;
        }
    return S2CLR_OK;
}

static s2clr_status read_mask(s2clr_stack *stack, const s2clr_plane *plane, source_window s,
                              uint8_t *ok, int64_t stride)
{
    uint8_t *mask;
    size_t count;
    s2clr_gdal_watch watch;
    S2CLR_TRY(s2clr_size_mul((size_t)s.w, (size_t)s.h, &count));
    S2CLR_TRY(scratch(stack, MASK, count, 1, (void **)&mask));
    s2clr_gdal_watch_begin(&watch);
    GDALRasterBandH band = GDALGetMaskBand(plane->band);
    const CPLErr error = band ? GDALRasterIOEx(band, GF_Read, s.x, s.y, s.w, s.h, mask, s.w, s.h,
                                               GDT_Byte, 0, 0, NULL)
                              : CE_Failure;
    s2clr_gdal_watch_end(&watch);
    if (error != CE_None) return read_failed(stack, plane, s, &watch);
    for (int y = 0; y < s.h; y++)
        for (int x = 0; x < s.w; x++)
            if (!mask[(size_t)y * (size_t)s.w + (size_t)x]) ok[y * stride + x] = 0;
    return S2CLR_OK;
}

/* One axis of a direct plane: which part of target pixels first .. first + count - 1 exists in a
 * source of `size` pixels. */
static bool clip(int64_t first, int count, int64_t shift, int size, int *source, int *skip, int *n)
{
    const int64_t low = first + shift < 0 ? 0 : first + shift;
    const int64_t high = first + shift + count > size ? size : first + shift + count;
    if (high <= low) return false;
    *source = (int)low;
    *skip = (int)(low - first - shift);
    *n = (int)(high - low);
    return true;
}

static void clear_outside(const target *t, int skip_x, int skip_y, int w, int h)
{
    for (int y = 0; y < t->h; y++) {
        uint8_t *row = t->valid + y * t->stride;
        if (y < skip_y || y >= skip_y + h) {
            memset(row, 0, (size_t)t->w);
            continue;
        }
        memset(row, 0, (size_t)skip_x);
        memset(row + skip_x + w, 0, (size_t)(t->w - skip_x - w));
    }
}

/* Bands i .. i + count - 1: same dataset, same lattice, floats: one call, straight into place. */
static s2clr_status read_direct(s2clr_stack *stack, int i, int count, const target *t)
{
    const s2clr_plane *plane = &stack->plane[i];
    source_window s;
    int skip_x = 0, skip_y = 0;
    if (!clip(t->x0, t->w, plane->dx, plane->x.size, &s.x, &skip_x, &s.w) ||
        !clip(t->y0, t->h, plane->dy, plane->y.size, &s.y, &skip_y, &s.h)) {
        clear_outside(t, 0, 0, 0, 0);
        return S2CLR_OK;
    }
    clear_outside(t, skip_x, skip_y, s.w, s.h);
    const int64_t at = skip_y * t->stride + skip_x;
    float *values = t->values + (size_t)i * t->plane + at;
    if (!plane->wide) S2CLR_TRY(read_floats(stack, plane, count, s, values, t->stride, t->plane));
    for (int k = 0; k < count; k++, values += t->plane) {
        if (plane[k].wide)
            S2CLR_TRY(read_wide(stack, &plane[k], s, values, t->valid + at, t->stride));
        else
            scan(&plane[k], s.w, s.h, values, t->valid + at, t->stride);
        if (plane[k].has_mask) S2CLR_TRY(read_mask(stack, &plane[k], s, t->valid + at, t->stride));
    }
    return S2CLR_OK;
}

/* The source pixels a resampler needs, with 0 where they are not ok. */
static s2clr_status read_piece(s2clr_stack *stack, const s2clr_plane *plane, source_window s,
                               s2clr_piece *out)
{
    float *values;
    uint8_t *ok;
    size_t count;
    S2CLR_TRY(s2clr_size_mul((size_t)s.w, (size_t)s.h, &count));
    S2CLR_TRY(scratch(stack, VALUES, count, sizeof *values, (void **)&values));
    S2CLR_TRY(scratch(stack, OK, count, 1, (void **)&ok));
    memset(ok, 1, count);
    if (plane->wide) {
        S2CLR_TRY(read_wide(stack, plane, s, values, ok, s.w));
    } else {
        S2CLR_TRY(read_floats(stack, plane, 1, s, values, s.w, count));
        scan(plane, s.w, s.h, values, ok, s.w);
    }
    if (plane->has_mask) S2CLR_TRY(read_mask(stack, plane, s, ok, s.w));
    bool all_ok = true;
    for (size_t i = 0; i < count; i++) {
        if (ok[i]) continue;
        values[i] = 0;
        all_ok = false;
    }
    *out = (s2clr_piece){s.x, s.y, s.w, s.h, values, ok, all_ok};
    return S2CLR_OK;
}

static s2clr_status run_resampler(s2clr_stack *stack, const s2clr_plane *plane,
                                  const s2clr_resampler *resampler, const target *t, float *values,
                                  uint8_t *valid, int64_t stride)
{
    int x0, x1, y0, y1;
    size_t count;
    double *rows;
    s2clr_piece piece;
    if (!s2clr_taps_range(&resampler->x, &x0, &x1) || !s2clr_taps_range(&resampler->y, &y0, &y1)) {
        for (int y = 0; y < t->h; y++) memset(valid + y * stride, 0, (size_t)t->w);
        return S2CLR_OK;
    }
    const source_window s = {x0, y0, x1 - x0 + 1, y1 - y0 + 1};
    S2CLR_TRY(read_piece(stack, plane, s, &piece));
    S2CLR_TRY(s2clr_size_mul((size_t)t->w, (size_t)resampler->y.taps, &count));
    S2CLR_TRY(scratch(stack, ROWS, count, sizeof *rows, (void **)&rows));
    s2clr_resampler_run(resampler, &piece, rows, values, valid, stride);
    return S2CLR_OK;
}

static s2clr_status read_resampled(s2clr_stack *stack, const s2clr_plane *plane,
                                   s2clr_resampling method, const target *t, float *values,
                                   uint8_t *valid, int64_t stride)
{
    s2clr_resampler resampler;
    const int64_t first[2] = {t->x0, t->y0};
    const int count[2] = {t->w, t->h};
    S2CLR_TRY(s2clr_resampler_make(method, plane->x, plane->y, first, count, &resampler));
    const s2clr_status status = run_resampler(stack, plane, &resampler, t, values, valid, stride);
    s2clr_resampler_clear(&resampler);
    return status;
}

/* Classes by nearest neighbour; what SCL does not cover counts as class 0, "no data". */
static s2clr_status apply_scl(s2clr_stack *stack, const target *t)
{
    float *classes;
    size_t count;
    S2CLR_TRY(s2clr_size_mul((size_t)t->w, (size_t)t->h, &count));
    S2CLR_TRY(scratch(stack, CLASSES, count, sizeof *classes + 1, (void **)&classes));
    uint8_t *known = (uint8_t *)(classes + count);
    memset(known, 1, count);
    S2CLR_TRY(read_resampled(stack, &stack->scl, S2CLR_RESAMPLE_NEAREST, t, classes, known, t->w));
    for (int y = 0; y < t->h; y++)
        for (int x = 0; x < t->w; x++) {
            const size_t at = (size_t)y * (size_t)t->w + (size_t)x;
            const float value = known[at] ? classes[at] : 0;
            if (!(value >= 0 && value <= 255))
                return s2clr_error_set(S2CLR_ERR_FORMAT,
                                       "%s: band %d holds %g, a scene classification holds 0 to "
                                       "255 (SCL: 0 to 11); give the SCL raster, or none, "
                                       "with " S2CLR_SAY_SCL,
                                       stack->scl_source, stack->scl_number, (double)value);
            if (stack->scl_invalid[(int)value]) t->valid[y * t->stride + x] = 0;
        }
    return S2CLR_OK;
}

static void normalise(const s2clr_plane *plane, const target *t, float *values)
{
    const s2clr_card_fold fold = plane->fold;
    for (int y = 0; y < t->h; y++) {
        float *v = values + y * t->stride;
        const uint8_t *ok = t->valid + y * t->stride;
        for (int x = 0; x < t->w; x++) {
            double n = fold.scale * (double)v[x] + fold.bias;
            n = n < fold.low ? fold.low : n > fold.high ? fold.high : n;
            v[x] = ok[x] ? (float)n : 0;
        }
    }
}

/* How many bands from i on one direct call can read. */
static int run_length(const s2clr_stack *stack, int i)
{
    const s2clr_plane *a = &stack->plane[i];
    int n = 1;
    for (; !a->wide && i + n < stack->info.bands; n++) {
        const s2clr_plane *b = a + n;
        if (!b->direct || b->wide || b->dataset != a->dataset || b->dx != a->dx || b->dy != a->dy)
            break;
    }
    return n;
}

static s2clr_status read_target(s2clr_stack *stack, const target *t)
{
    for (int i = 0; i < stack->info.bands;) {
        const s2clr_plane *plane = &stack->plane[i];
        const int n = plane->direct ? run_length(stack, i) : 1;
        if (plane->direct)
            S2CLR_TRY(read_direct(stack, i, n, t));
        else
            S2CLR_TRY(read_resampled(stack, plane, stack->resampling, t,
                                     t->values + (size_t)i * t->plane, t->valid, t->stride));
        i += n;
    }
    if (stack->info.has_scl) S2CLR_TRY(apply_scl(stack, t));
    for (int i = 0; i < stack->info.bands; i++)
        normalise(&stack->plane[i], t, t->values + (size_t)i * t->plane);
    return S2CLR_OK;
}

s2clr_status s2clr_stack_read(s2clr_stack *stack, int64_t x0, int64_t y0, int w, int h,
                              float *values, uint8_t *valid)
{
    const int64_t far = (int64_t)1 << 40; /* beyond any raster, far from overflow */
    const s2clr_stack_info *info = &stack->info;
    target t = {.stride = w};
    int x = 0, y = 0, skip_x = 0, skip_y = 0;
    size_t cells;
    if (w < 1 || h < 1 || x0 < -far || x0 > far || y0 < -far || y0 > far)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "window of %d x %d pixels at %lld,%lld makes no "
                               "sense",
                               w, h, (long long)x0, (long long)y0);
    if (stack->trouble[0]) return s2clr_error_set(S2CLR_ERR_IO, "%s", stack->trouble);
    S2CLR_TRY(s2clr_size_mul((size_t)w, (size_t)h, &t.plane));
    S2CLR_TRY(s2clr_size_mul(t.plane, (size_t)info->bands * sizeof *values, &cells));
    memset(valid, 0, t.plane);
    const bool inside = clip(x0, w, 0, info->width, &x, &skip_x, &t.w) &&
                        clip(y0, h, 0, info->height, &y, &skip_y, &t.h);
    if (!inside || t.w < w || t.h < h) memset(values, 0, cells);
    if (!inside) return S2CLR_OK;
    const int64_t at = skip_y * t.stride + skip_x;
    t.x0 = x, t.y0 = y;
    t.values = values + at;
    t.valid = valid + at;
    for (int row = 0; row < t.h; row++) memset(t.valid + row * t.stride, 1, (size_t)t.w);
    return read_target(stack, &t);
}
