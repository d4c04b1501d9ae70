#include <math.h>
#include <ogr_srs_api.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/pstack.h"

/* Grids that differ by less than this many pixels anywhere are the same. */
#define SAME 0.01
#define RATIO_MAX 64.0 /* coarsest to finest pixel */

/* The grid of one dataset. */
typedef struct grid {
    int width, height;
    bool has_transform;
    double transform[6];
} grid;

static s2clr_status grid_of(GDALDatasetH dataset, const char *path, grid *out)
{
    static const double none[6] = {0, 1, 0, 0, 0, 1};
    grid g = {GDALGetRasterXSize(dataset), GDALGetRasterYSize(dataset), false, {0, 1, 0, 0, 0, 1}};
    double t[6];
    if (GDALGetGeoTransform(dataset, t) == CE_None && memcmp(t, none, sizeof t) != 0) {
        const double area = t[1] * t[5] - t[2] * t[4];
        bool good = isnormal(area);
        for (int i = 0; i < 6; i++) good = good && isfinite(t[i]);
        if (!good)
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: its geotransform has no pixel area or is not finite; "
                                   "correct it: gdal_edit.py -a_ullr",
                                   path);
        memcpy(g.transform, t, sizeof t);
        g.has_transform = true;
    }
    if (g.width < 1 || g.height < 1)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: has no pixels", path);
    *out = g;
    return S2CLR_OK;
}

/* Comparable pixel size: CRS units, or parts of the picture when there is no transform. */
static double pixel_size(const grid *g)
{
    const double *t = g->transform;
    return g->has_transform ? sqrt(fabs(t[1] * t[5] - t[2] * t[4])) : 1.0 / g->width;
}

/* s = inverse(source) * target: pixel position in the source of a position in the target. */
static void compose(const double source[6], const double target[6], double s[6])
{
    const double det = source[1] * source[5] - source[2] * source[4];
    const double ox = target[0] - source[0], oy = target[3] - source[3];
    for (int i = 0; i < 3; i++) {
        const double x = i == 0 ? ox : target[i], y = i == 0 ? oy : target[3 + i];
        s[i] = (source[5] * x - source[2] * y) / det;
        s[3 + i] = (source[1] * y - source[4] * x) / det;
    }
}

/* True when an axis needs no resampling: *shift whole pixels and equal pixel size. */
static bool is_direct(s2clr_axis axis, int length, int64_t *shift)
{
    const double whole = nearbyint(axis.shift);
    if (fabs(axis.scale - 1) * length > SAME || fabs(axis.shift - whole) > SAME) return false;
    *shift = (int64_t)whole;
    return true;
}

static s2clr_status map_grid(const char *path, const char *input, const grid *from,
                             const s2clr_stack_info *to, s2clr_plane *plane)
{
    double s[6] = {0, (double)from->width / to->width, 0, 0, 0, (double)from->height / to->height};
    if (from->has_transform != to->has_transform)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: has %s georeference, %s has %s; bands of one stack need the "
                               "same: gdal_edit.py -a_srs, -a_ullr",
                               path, from->has_transform ? "a" : "no", input,
                               to->has_transform ? "one" : "none");
    if (from->has_transform) compose(from->transform, to->transform, s);
    const double turn = fmax(fabs(s[2]) * to->height, fabs(s[4]) * to->width);
    if (!(turn <= SAME) || !(s[1] > 1 / RATIO_MAX && s[1] < RATIO_MAX) ||
        !(s[5] > 1 / RATIO_MAX && s[5] < RATIO_MAX) || fabs(s[1] / s[5] - 1) > 0.05)
        return s2clr_error_set(
            S2CLR_ERR_MISMATCH,
            "%s: its pixel grid is turned, mirrored or stretched against that of "
            "the other bands (%g x %g pixels per pixel of %s); bring it there: "
            "gdalwarp -tr, -te",
            path, s[1], s[5], input);
    if (!(s[0] < from->width && s[0] + s[1] * to->width > 0 && s[3] < from->height &&
          s[3] + s[5] * to->height > 0))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: does not overlap the other bands; several inputs are the bands "
                               "of one picture, never a mosaic: gdalbuildvrt",
                               path);
    plane->x = (s2clr_axis){s[1], s[0], from->width};
    plane->y = (s2clr_axis){s[5], s[3], from->height};
    plane->direct =
        is_direct(plane->x, to->width, &plane->dx) && is_direct(plane->y, to->height, &plane->dy);
    if (plane->direct) {
        plane->x.scale = plane->y.scale = 1;
        plane->x.shift = (double)plane->dx, plane->y.shift = (double)plane->dy;
    }
    return S2CLR_OK;
}

static s2clr_status same_crs(const char *path, GDALDatasetH dataset, const char *reference_path,
                             GDALDatasetH reference)
{
    OGRSpatialReferenceH a = GDALGetSpatialRef(dataset), b = GDALGetSpatialRef(reference);
    if (!a || !b || a == b) return S2CLR_OK;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const bool same = OSRIsSame(a, b) != 0;
    s2clr_gdal_watch_end(&watch);
    if (same) return S2CLR_OK;
    const char *name_a = OSRGetName(a), *name_b = OSRGetName(b);
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: its CRS is %s, that of %s is %s; bring one to the other: gdalwarp "
                           "-t_srs",
                           path, name_a ? name_a : "unnamed", reference_path,
                           name_b ? name_b : "unnamed");
}

static int scaled(int pixels, double factor)
{
    const int n = (int)floor(pixels / factor + SAME);
    return n < 1 ? 1 : n;
}

/* The grid of the finest band, or for products that grid at the card's pixel size. */
static void set_grid(const s2clr_found *found, const s2clr_card *card, const grid *finest,
                     s2clr_stack_info *info)
{
    info->width = finest->width;
    info->height = finest->height;
    info->has_transform = finest->has_transform;
    memcpy(info->transform, finest->transform, sizeof info->transform);
    if (!found->product || !finest->has_transform) return;
    const double factor = card->metres / pixel_size(finest);
    if (!(fabs(factor - 1) > 0.01 && factor < RATIO_MAX && factor > 1 / RATIO_MAX)) return;
    info->width = scaled(finest->width, factor);
    info->height = scaled(finest->height, factor);
    info->transform[1] *= factor, info->transform[2] *= factor;
    info->transform[4] *= factor, info->transform[5] *= factor;
}

static s2clr_status map_scl(int finest, s2clr_stack *stack)
{
    grid scl;
    GDALDatasetH dataset = stack->scl.dataset;
    const s2clr_stack_band *band = &stack->info.band[finest];
    S2CLR_TRY(grid_of(dataset, stack->scl_source, &scl));
    S2CLR_TRY(same_crs(stack->scl_source, dataset, band->source, stack->plane[finest].dataset));
    return map_grid(stack->scl_source, band->source, &scl, &stack->info, &stack->scl);
}

s2clr_status s2clr_stack_align(const s2clr_found *found, const s2clr_card *card, s2clr_stack *stack)
{
    s2clr_stack_info *info = &stack->info;
    grid grids[S2CLR_CARD_BANDS_MAX];
    int finest = 0;
    for (int i = 0; i < info->bands; i++) {
        S2CLR_TRY(grid_of(stack->plane[i].dataset, info->band[i].source, &grids[i]));
        info->band[i].metres = grids[i].has_transform ? pixel_size(&grids[i]) : 1;
        if (pixel_size(&grids[i]) < pixel_size(&grids[finest]) * 0.999) finest = i;
    }
    set_grid(found, card, &grids[finest], info);
    for (int i = 0; i < info->bands; i++) {
        const char *path = info->band[i].source, *reference = info->band[finest].source;
        S2CLR_TRY(same_crs(path, stack->plane[i].dataset, reference, stack->plane[finest].dataset));
        S2CLR_TRY(map_grid(path, reference, &grids[i], info, &stack->plane[i]));
    }
    if (info->has_scl) S2CLR_TRY(map_scl(finest, stack));
    const char *wkt = GDALGetProjectionRef(stack->plane[finest].dataset);
    return s2clr_strdup(wkt ? wkt : "", &info->wkt);
}
