/* Labels of a layer in memory, and the tree that finds those near a patch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "labels/plabels.h"

enum { NODE = 10 };

static void complain(const char *message, void *context)
{
    s2clr_label_set *set = context;
    snprintf(set->reason, sizeof set->reason, "%s", message);
}

s2clr_status s2clr_label_set_start(s2clr_label_set *set)
{
    set->geos = GEOS_init_r();
    if (!set->geos) return s2clr_error_set(S2CLR_ERR_MEMORY, "labels: GEOS cannot be started");
    GEOSContext_setErrorMessageHandler_r(set->geos, complain, set);
    set->extent[0] = set->extent[1] = INFINITY;
    set->extent[2] = set->extent[3] = -INFINITY;
    return S2CLR_OK;
}

void s2clr_label_set_clear(s2clr_label_set *set)
{
    if (set->tree) GEOSSTRtree_destroy_r(set->geos, set->tree);
    for (size_t i = 0; i < set->count; i++)
        if (set->entry[i].geometry) GEOSGeom_destroy_r(set->geos, set->entry[i].geometry);
    s2clr_free(set->entry);
    s2clr_free(set->hit);
    s2clr_strings_clear(&set->strings);
    if (set->geos) GEOS_finish_r(set->geos);
    *set = (s2clr_label_set){0};
}

/* Doubles the room of an array. */
static s2clr_status grow(void **array, size_t count, size_t *room, size_t size, const char *what)
{
    void *larger;
    size_t wanted;
    if (count < *room) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul(*room ? *room : 32, 2, &wanted));
    S2CLR_TRY(s2clr_alloc(wanted, size, what, &larger));
    if (count) memcpy(larger, *array, count * size);
    s2clr_free(*array);
    *array = larger;
    *room = wanted;
    return S2CLR_OK;
}

s2clr_status s2clr_label_set_add(s2clr_label_set *set, const s2clr_label_entry *entry)
{
    const char *country = "";
    s2clr_status status =
        grow((void **)&set->entry, set->count, &set->room, sizeof *set->entry, "labels");
    if (status == S2CLR_OK) status = s2clr_strings_put(&set->strings, entry->country, &country);
    if (status != S2CLR_OK) {
        if (entry->geometry) GEOSGeom_destroy_r(set->geos, entry->geometry);
        return status;
    }
    set->entry[set->count] = *entry;
    set->entry[set->count++].country = country;
    for (int i = 0; i < 2; i++) {
        set->extent[i] = fmin(set->extent[i], entry->box[i]);
        set->extent[i + 2] = fmax(set->extent[i + 2], entry->box[i + 2]);
    }
    return S2CLR_OK;
}

/* ---- the tree ---- */

/* Since GEOS 3.9 the tree keeps a copy of the box: the geometry may go. */
static bool insert(s2clr_label_set *set, size_t index)
{
    const double *box = set->entry[index].box;
    GEOSGeometry *extent = box[0] < box[2] || box[1] < box[3]
                               ? s2clr_geos_rectangle(set->geos, box[0], box[1], box[2], box[3])
                               : GEOSGeom_createPointFromXY_r(set->geos, box[0], box[1]);
    if (!extent) return false;
    GEOSSTRtree_insert_r(set->geos, set->tree, extent, (void *)(uintptr_t)(index + 1));
    GEOSGeom_destroy_r(set->geos, extent);
    return true;
}

s2clr_status s2clr_label_set_index(s2clr_label_set *set)
{
    set->tree = GEOSSTRtree_create_r(set->geos, NODE);
    bool good = set->tree != NULL;
    for (size_t i = 0; good && i < set->count; i++) good = insert(set, i);
    return good ? S2CLR_OK
                : s2clr_error_set(S2CLR_ERR_MEMORY, "labels: the tree of %zu boxes cannot be made",
                                  set->count);
}

static void take_hit(void *item, void *context)
{
    s2clr_label_set *set = context;
    if (grow((void **)&set->hit, set->hits, &set->hit_room, sizeof *set->hit, "labels") != S2CLR_OK)
        set->out_of_memory = true;
    else
        set->hit[set->hits++] = (size_t)(uintptr_t)item - 1;
}

static int by_number(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

s2clr_status s2clr_label_set_find(s2clr_label_set *set, const double box[4])
{
    size_t unique = 0;
    set->hits = 0;
    set->out_of_memory = false;
    for (int image = -1; image <= 1; image++) {
        const double shift = 360.0 * image;
        GEOSGeometry *extent =
            s2clr_geos_rectangle(set->geos, box[0] + shift, box[1], box[2] + shift, box[3]);
        if (!extent)
            return s2clr_error_set(S2CLR_ERR_FORMAT, "labels near a patch: %s", set->reason);
        GEOSSTRtree_query_r(set->geos, set->tree, extent, take_hit, set);
        GEOSGeom_destroy_r(set->geos, extent);
    }
    if (set->out_of_memory)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "labels: no memory for the %zu near a patch",
                               set->hits);
    if (set->hits > 1) qsort(set->hit, set->hits, sizeof *set->hit, by_number);
    for (size_t i = 0; i < set->hits; i++)
        if (i == 0 || set->hit[i] != set->hit[i - 1]) set->hit[unique++] = set->hit[i];
    set->hits = unique;
    return S2CLR_OK;
}

bool s2clr_label_set_reaches(const s2clr_label_set *set, const double box[4])
{
    const double *extent = set->extent;
    for (int image = -1; image <= 1; image++) {
        const double shift = 360.0 * image;
        if (box[0] + shift <= extent[2] && box[2] + shift >= extent[0] && box[1] <= extent[3] &&
            box[3] >= extent[1])
            return true;
    }
    return false;
}
