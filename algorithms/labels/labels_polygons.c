/* Polygons: the share of a patch that they cover, measured in the patch's own pixels. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "labels/plabels.h"

/* Pieces an edge as long as a patch's box is cut into before it goes to the patch's CRS. */
#define PIECES 64

static bool accepts(const s2clr_label_source *source)
{
    return source->layer && source->dimension == 2;
}

/* ---- reading ---- */

static s2clr_status failed(const s2clr_labels *labels, const char *doing)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %s failed: %s", labels->path, doing,
                           labels->set.reason);
}

/* The polygons in a geometry as one collection; NULL without memory. Takes it over. */
static GEOSGeometry *areas_only(GEOSContextHandle_t geos, GEOSGeometry *geometry)
{
    if (!geometry) return NULL;
    const int type = GEOSGeomTypeId_r(geos, geometry);
    if (type == GEOS_POLYGON || type == GEOS_MULTIPOLYGON) return geometry;
    GEOSGeometry *areas = GEOSGeom_createEmptyCollection_r(geos, GEOS_MULTIPOLYGON);
    const int parts = type == GEOS_GEOMETRYCOLLECTION ? GEOSGetNumGeometries_r(geos, geometry) : 0;
    for (int i = 0; areas && i < parts; i++) {
        const GEOSGeometry *part = GEOSGetGeometryN_r(geos, geometry, i);
        if (GEOSGeom_getDimensions_r(geos, part) < 2) continue;
        GEOSGeometry *more = GEOSUnion_r(geos, areas, part);
        GEOSGeom_destroy_r(geos, areas);
        areas = more;
    }
    GEOSGeom_destroy_r(geos, geometry);
    return areas;
}

/* Valid areas; NULL when nothing is left of it. Takes it over. */
static GEOSGeometry *make_valid(GEOSContextHandle_t geos, GEOSGeometry *geometry, bool *repaired)
{
    if (geometry && GEOSisValid_r(geos, geometry) != 1) {
        GEOSGeometry *mended = GEOSMakeValid_r(geos, geometry);
        GEOSGeom_destroy_r(geos, geometry);
        geometry = mended;
        *repaired = true;
    }
    geometry = areas_only(geos, geometry);
    if (geometry && GEOSisEmpty_r(geos, geometry) != 0) {
        GEOSGeom_destroy_r(geos, geometry);
        geometry = NULL;
    }
    return geometry;
}

static GEOSGeometry *to_geos(GEOSContextHandle_t geos, OGRGeometryH geometry)
{
    const size_t size = (size_t)OGR_G_WkbSize(geometry);
    unsigned char *wkb;
    GEOSGeometry *made = NULL;
    if (s2clr_alloc(size, 1, "polygon", (void **)&wkb) != S2CLR_OK) return NULL;
    if (OGR_G_ExportToIsoWkb(geometry, wkbNDR, wkb) == OGRERR_NONE)
        made = GEOSGeomFromWKB_buf_r(geos, wkb, size);
    s2clr_free(wkb);
    return made;
}

static bool box_of(GEOSContextHandle_t geos, const GEOSGeometry *geometry, double box[4])
{
    return GEOSGeom_getXMin_r(geos, geometry, &box[0]) &&
           GEOSGeom_getYMin_r(geos, geometry, &box[1]) &&
           GEOSGeom_getXMax_r(geos, geometry, &box[2]) &&
           GEOSGeom_getYMax_r(geos, geometry, &box[3]);
}

static s2clr_status add(s2clr_labels *labels, OGRGeometryH geometry, s2clr_label_entry *entry)
{
    s2clr_labels_counts *counts = &labels->counts;
    GEOSContextHandle_t geos = labels->set.geos;
    bool repaired = false;
    if (OGR_G_GetDimension(geometry) == 2)
        entry->geometry = make_valid(geos, to_geos(geos, geometry), &repaired);
    if (!entry->geometry || !box_of(geos, entry->geometry, entry->box)) {
        if (entry->geometry) GEOSGeom_destroy_r(geos, entry->geometry);
        counts->placeless++;
        return S2CLR_OK;
    }
    if (entry->label == S2CLR_LABEL_UNKNOWN) {
        GEOSGeom_destroy_r(geos, entry->geometry);
        counts->other++;
        return S2CLR_OK;
    }
    counts->repaired += repaired;
    if (entry->label == S2CLR_LABEL_POSITIVE)
        counts->positive++;
    else
        counts->negative++;
    return s2clr_label_set_add(&labels->set, entry);
}

static s2clr_status open_polygons(s2clr_labels *labels, const s2clr_label_source *source,
                                  const s2clr_labels_options *options)
{
    return s2clr_layer_read(labels, source, options, false, add);
}

/* ---- judging ---- */

typedef enum heap_name { POSITIVE, POSITIVE_OTHER_DATE, NEGATIVE, HEAPS } heap_name;

typedef struct heap {
    GEOSGeometry **piece; // (count) in pixels of the patch, owned
    size_t count, room;
    GEOSGeometry *united; /* NULL: nothing */
} heap;

typedef struct judgement {
    s2clr_labels *labels;
    const s2clr_frame *frame;
    GEOSGeometry *patch; /* (0, 0) to (width, height) */
    heap heap[HEAPS];
    bool touched; /* by a label that counts */
} judgement;

static int to_pixels(double *x, double *y, void *context)
{
    return s2clr_frame_to_pixels(context, 1, x, y);
}

/* The part of a polygon near the patch, for which the way to the patch's CRS is defined, in pixels.
 * *out = NULL when there is none. */
static s2clr_status bring(judgement *j, const s2clr_label_entry *entry, int image,
                          GEOSGeometry **out)
{
    GEOSContextHandle_t geos = j->labels->set.geos;
    const double shift = 360.0 * image, *box = j->frame->box;
    const double near[4] = {box[0] + shift, box[1], box[2] + shift, box[3]};
    bool repaired = false;
    *out = NULL;
    if (entry->box[0] > near[2] || entry->box[2] < near[0] || entry->box[1] > near[3] ||
        entry->box[3] < near[1])
        return S2CLR_OK;
    GEOSGeometry *window = s2clr_geos_rectangle(geos, near[0], near[1], near[2], near[3]);
    GEOSGeometry *clipped = window ? GEOSIntersection_r(geos, entry->geometry, window) : NULL;
    if (window) GEOSGeom_destroy_r(geos, window);
    if (!clipped) return failed(j->labels, "cutting a polygon near a patch");
    clipped = make_valid(geos, clipped, &repaired);
    if (!clipped) return S2CLR_OK;
    const double piece = fmax(near[2] - near[0], near[3] - near[1]) / PIECES;
    GEOSGeometry *dense = GEOSDensify_r(geos, clipped, piece);
    GEOSGeometry *moved =
        dense ? GEOSGeom_transformXY_r(geos, dense, to_pixels, (void *)(uintptr_t)j->frame) : NULL;
    GEOSGeom_destroy_r(geos, clipped);
    if (dense) GEOSGeom_destroy_r(geos, dense);
    if (!moved) return failed(j->labels, "bringing a polygon to a patch's CRS");
    moved = make_valid(geos, moved, &repaired);
    GEOSGeometry *inside = moved ? GEOSIntersection_r(geos, moved, j->patch) : NULL;
    if (moved) GEOSGeom_destroy_r(geos, moved);
    if (moved && !inside) return failed(j->labels, "cutting a polygon to a patch");
    *out = make_valid(geos, inside, &repaired);
    return S2CLR_OK;
}

/* Takes the piece over. */
static s2clr_status pile(judgement *j, heap_name name, GEOSGeometry *piece)
{
    heap *pieces = &j->heap[name];
    if (pieces->count == pieces->room) {
        const size_t room = pieces->room ? 2 * pieces->room : 16;
        GEOSGeometry **larger;
        const s2clr_status status = s2clr_alloc(room, sizeof *larger, "polygons", (void **)&larger);
        if (status != S2CLR_OK) {
            GEOSGeom_destroy_r(j->labels->set.geos, piece);
            return status;
        }
        if (pieces->count) memcpy(larger, pieces->piece, pieces->count * sizeof *larger);
        s2clr_free(pieces->piece);
        pieces->piece = larger;
        pieces->room = room;
    }
    pieces->piece[pieces->count++] = piece;
    return S2CLR_OK;
}

static s2clr_status consider(judgement *j, s2clr_label_entry *entry, const s2clr_days *date,
                             s2clr_verdict *verdict)
{
    const bool counts = s2clr_days_count(&entry->days, date, j->labels->window_days);
    for (int image = -1; image <= 1; image++) {
        GEOSGeometry *piece;
        S2CLR_TRY(bring(j, entry, image, &piece));
        if (!piece) continue;
        entry->touched = true;
        j->touched = j->touched || counts;
        if (counts && !verdict->country[0])
            snprintf(verdict->country, sizeof verdict->country, "%s", entry->country);
        if (entry->label == S2CLR_LABEL_POSITIVE)
            S2CLR_TRY(pile(j, counts ? POSITIVE : POSITIVE_OTHER_DATE, piece));
        else if (counts)
            S2CLR_TRY(pile(j, NEGATIVE, piece));
        else
            GEOSGeom_destroy_r(j->labels->set.geos, piece);
    }
    return S2CLR_OK;
}

/* Overlaps count once. */
static s2clr_status unite(judgement *j)
{
    GEOSContextHandle_t geos = j->labels->set.geos;
    for (int i = 0; i < HEAPS; i++) {
        heap *pieces = &j->heap[i];
        if (pieces->count == 0) continue;
        GEOSGeometry *all = GEOSGeom_createCollection_r(geos, GEOS_GEOMETRYCOLLECTION,
                                                        pieces->piece, (unsigned)pieces->count);
        if (!all) return failed(j->labels, "collecting polygons");
        pieces->count = 0; /* the collection owns them now */
        pieces->united = GEOSUnaryUnion_r(geos, all);
        GEOSGeom_destroy_r(geos, all);
        if (!pieces->united) return failed(j->labels, "uniting polygons");
    }
    return S2CLR_OK;
}

static double share(const judgement *j, const GEOSGeometry *area)
{
    double size = 0;
    if (!area || !GEOSArea_r(j->labels->set.geos, area, &size)) return 0;
    return fmin(size / ((double)j->frame->width * j->frame->height), 1);
}

/* What is positive at this or another date. */
static s2clr_status share_ever(const judgement *j, double *out)
{
    const GEOSGeometry *now = j->heap[POSITIVE].united;
    const GEOSGeometry *then = j->heap[POSITIVE_OTHER_DATE].united;
    if (!now || !then) {
        *out = share(j, now ? now : then);
        return S2CLR_OK;
    }
    GEOSGeometry *both = GEOSUnion_r(j->labels->set.geos, now, then);
    if (!both) return failed(j->labels, "uniting polygons");
    *out = share(j, both);
    GEOSGeom_destroy_r(j->labels->set.geos, both);
    return S2CLR_OK;
}

/* Land that is positive at another date is neither positive nor known to be negative. Without a
 * list of negatives the layer is taken to be complete within its extent. */
static s2clr_status conclude(judgement *j, s2clr_verdict *verdict)
{
    const s2clr_labels *labels = j->labels;
    const bool listed = labels->negatives_listed;
    double ever = 0;
    if (listed ? !j->touched : !s2clr_label_set_reaches(&labels->set, j->frame->box))
        return S2CLR_OK;
    S2CLR_TRY(unite(j));
    S2CLR_TRY(share_ever(j, &ever));
    verdict->cover = share(j, j->heap[POSITIVE].united);
    const bool known = !listed || share(j, j->heap[NEGATIVE].united) >= labels->keep;
    if (verdict->cover >= labels->keep && verdict->cover > 0)
        verdict->label = S2CLR_LABEL_POSITIVE;
    else if (ever <= labels->drop && known)
        verdict->label = S2CLR_LABEL_NEGATIVE;
    else
        verdict->ambiguous = true;
    return S2CLR_OK;
}

static void clear(judgement *j)
{
    GEOSContextHandle_t geos = j->labels->set.geos;
    for (int i = 0; i < HEAPS; i++) {
        heap *pieces = &j->heap[i];
        for (size_t k = 0; k < pieces->count; k++) GEOSGeom_destroy_r(geos, pieces->piece[k]);
        if (pieces->united) GEOSGeom_destroy_r(geos, pieces->united);
        s2clr_free(pieces->piece);
    }
    if (j->patch) GEOSGeom_destroy_r(geos, j->patch);
}

static s2clr_status judge(s2clr_labels *labels, const s2clr_frame *frame, const s2clr_days *date,
                          s2clr_verdict *out)
{
    s2clr_verdict verdict = {.label = S2CLR_LABEL_UNKNOWN, .cover = -1};
    s2clr_label_set *set = &labels->set;
    judgement j = {.labels = labels, .frame = frame};
    S2CLR_TRY(s2clr_label_set_find(set, frame->box));
    j.patch = s2clr_geos_rectangle(set->geos, 0, 0, frame->width, frame->height);
    s2clr_status status = j.patch ? S2CLR_OK : failed(labels, "making a rectangle");
    for (size_t i = 0; i < set->hits && status == S2CLR_OK; i++)
        status = consider(&j, &set->entry[set->hit[i]], date, &verdict);
    if (status == S2CLR_OK) status = conclude(&j, &verdict);
    clear(&j);
    if (status == S2CLR_OK) *out = verdict;
    return status;
}

const s2clr_label_kind s2clr_labels_polygons = {
    .name = "polygons",
    .summary = "polygons of an OGR layer: the share of the patch they cover",
    .accepts = accepts,
    .open = open_polygons,
    .judge = judge,
};
