/* Test patches whose footprint meets that of a training patch (GEOS). */
#define GEOS_USE_ONLY_R_API
#include <geos_c.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "base/memory.h"
#include "dataset/psplit.h"

enum { NODE = 10 };

/* Degrees, about a millimetre: neighbours share an edge that two geotransforms may round apart. */
#define CLOSE 1e-8

typedef struct search {
    GEOSContextHandle_t geos;
    GEOSSTRtree *tree;
    const s2clr_store *store;
    const GEOSGeometry *test; /* the one asked about */
    bool meets, failed;
    char reason[256];
} search;

static void complain(const char *message, void *context)
{
    search *s = context;
    snprintf(s->reason, sizeof s->reason, "%s", message);
}

/* A closed line of five points as a polygon. */
static GEOSGeometry *ring(GEOSContextHandle_t geos, const double x[5], const double y[5])
{
    GEOSCoordSequence *points = GEOSCoordSeq_create_r(geos, 5, 2);
    for (unsigned i = 0; points && i < 5; i++) GEOSCoordSeq_setXY_r(geos, points, i, x[i], y[i]);
    GEOSGeometry *shell = points ? GEOSGeom_createLinearRing_r(geos, points) : NULL;
    return shell ? GEOSGeom_createPolygon_r(geos, shell, NULL, 0) : NULL;
}

static GEOSGeometry *footprint(GEOSContextHandle_t geos, const s2clr_store_row *row, double shift)
{
    double x[5], y[5];
    for (int i = 0; i < 5; i++) {
        x[i] = row->longitude[i % 4] + shift;
        y[i] = row->latitude[i % 4];
    }
    return ring(geos, x, y);
}

static GEOSGeometry *box(GEOSContextHandle_t geos, const s2clr_store_row *row, double shift)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < 4; i++) {
        low[0] = fmin(low[0], row->longitude[i] + shift);
        low[1] = fmin(low[1], row->latitude[i]);
        high[0] = fmax(high[0], row->longitude[i] + shift);
        high[1] = fmax(high[1], row->latitude[i]);
    }
    for (int i = 0; i < 2; i++) low[i] -= CLOSE, high[i] += CLOSE;
    const double x[5] = {low[0], high[0], high[0], low[0], low[0]};
    const double y[5] = {low[1], low[1], high[1], high[1], low[1]};
    return ring(geos, x, y);
}

/* Since GEOS 3.9 the tree keeps a copy of the box: the geometry may go. */
static bool plant(search *s, const char *const *split)
{
    s->tree = GEOSSTRtree_create_r(s->geos, NODE);
    for (size_t i = 0; s->tree && i < s2clr_store_count(s->store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(s->store, i);
        if (!row->has_footprint || s2clr_part_of_name(split[i]) != S2CLR_PART_TRAIN) continue;
        GEOSGeometry *extent = box(s->geos, row, 0);
        if (!extent) return false;
        GEOSSTRtree_insert_r(s->geos, s->tree, extent, (void *)(uintptr_t)(i + 1));
        GEOSGeom_destroy_r(s->geos, extent);
    }
    return s->tree != NULL;
}

static void ask(void *item, void *context)
{
    search *s = context;
    if (s->meets || s->failed) return;
    const s2clr_store_row *row = s2clr_store_row_at(s->store, (size_t)(uintptr_t)item - 1);
    GEOSGeometry *train = footprint(s->geos, row, 0);
    const char answer = train ? GEOSDistanceWithin_r(s->geos, s->test, train, CLOSE) : 2;
    if (train) GEOSGeom_destroy_r(s->geos, train);
    s->meets = answer == 1;
    s->failed = answer > 1;
}

/* Footprints go on beyond 180 degrees: the images 360 degrees away are asked as well. */
static bool touches(search *s, const s2clr_store_row *row)
{
    s->meets = false;
    for (int image = -1; image <= 1 && !s->meets && !s->failed; image++) {
        GEOSGeometry *test = footprint(s->geos, row, 360.0 * image);
        GEOSGeometry *extent = box(s->geos, row, 360.0 * image);
        s->test = test;
        s->failed = !test || !extent;
        if (!s->failed) GEOSSTRtree_query_r(s->geos, s->tree, extent, ask, s);
        if (test) GEOSGeom_destroy_r(s->geos, test);
        if (extent) GEOSGeom_destroy_r(s->geos, extent);
    }
    return s->meets;
}

s2clr_status s2clr_split_touching(const s2clr_store *store, const char *const *split, size_t *out)
{
    search s = {.store = store, .geos = GEOS_init_r()};
    size_t touching = 0;
    if (!s.geos) return s2clr_error_set(S2CLR_ERR_MEMORY, "split: GEOS cannot be started");
    GEOSContext_setErrorMessageHandler_r(s.geos, complain, &s);
    s.failed = !plant(&s, split);
    for (size_t i = 0; i < s2clr_store_count(store) && !s.failed; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        if (row->has_footprint && s2clr_part_of_name(split[i]) == S2CLR_PART_TEST)
            touching += touches(&s, row);
    }
    if (s.tree) GEOSSTRtree_destroy_r(s.geos, s.tree);
    GEOS_finish_r(s.geos);
    if (s.failed)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "split: footprints cannot be compared: %s",
                               s.reason[0] ? s.reason : "GEOS gives no reason");
    *out = touching;
    return S2CLR_OK;
}
