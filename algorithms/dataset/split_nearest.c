/* The nearest of many places: a k-d tree (Bentley, CACM 18, 1975) of points in space. */
#include <geodesic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/psplit.h"

#define MAJOR 6378137.0
#define FLATTENING (1 / 298.257223563)

typedef struct place {
    double at[3]; /* metres from the Earth's centre */
    double longitude, latitude;
} place;

struct s2clr_places {
    place *place; // (count) a node is the middle of its range, its children those of both halves
    size_t count;
};

/* Height 0 on the ellipsoid. */
static place place_of(double longitude, double latitude)
{
    const double radians = acos(-1) / 180, e2 = FLATTENING * (2 - FLATTENING);
    const double x = longitude * radians, y = latitude * radians;
    const double n = MAJOR / sqrt(1 - e2 * sin(y) * sin(y));
    return (place){.at = {n * cos(y) * cos(x), n * cos(y) * sin(x), n * (1 - e2) * sin(y)},
                   .longitude = longitude,
                   .latitude = latitude};
}

static void swap(place *a, place *b)
{
    const place c = *a;
    *a = *b;
    *b = c;
}

/* Puts the place of rank `middle` along an axis where it belongs, smaller ones before it (Hoare's
 * selection, with the middle one as pivot). */
static void select_rank(place *list, size_t count, size_t middle, int axis)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        const double pivot = list[low + (high - low) / 2].at[axis];
        size_t i = low, j = high;
        for (;;) {
            while (list[i].at[axis] < pivot) i++;
            while (list[j].at[axis] > pivot) j--;
            if (i >= j) break;
            swap(&list[i++], &list[j--]);
        }
        /* Everything up to j is at most the pivot, everything behind it at least. */
        if (middle <= j)
            high = j;
        else
            low = j + 1;
    }
}

static void build(place *list, size_t count, int axis)
{
    while (count > 1) {
        const size_t middle = count / 2;
        select_rank(list, count, middle, axis);
        axis = (axis + 1) % 3;
        build(list, middle, axis);
        list += middle + 1;
        count -= middle + 1;
    }
}

s2clr_status s2clr_places_new(const double *longitude, const double *latitude, size_t count,
                              s2clr_places **out)
{
    s2clr_places *places;
    S2CLR_TRY(s2clr_alloc(1, sizeof *places, "places", (void **)&places));
    const s2clr_status status =
        s2clr_alloc(count, sizeof *places->place, "places", (void **)&places->place);
    if (status != S2CLR_OK) {
        s2clr_free(places);
        return status;
    }
    places->count = count;
    for (size_t i = 0; i < count; i++) places->place[i] = place_of(longitude[i], latitude[i]);
    build(places->place, count, 0);
    *out = places;
    return S2CLR_OK;
}

void s2clr_places_free(s2clr_places *places)
{
    if (!places) return;
    s2clr_free(places->place);
    s2clr_free(places);
}

static void search(const place *list, size_t count, int axis, const place *from, double *best,
                   const place **found)
{
    while (count > 0) {
        const size_t middle = count / 2;
        const place *node = &list[middle];
        double square = 0;
        for (int i = 0; i < 3; i++)
            square += (node->at[i] - from->at[i]) * (node->at[i] - from->at[i]);
        if (square < *best) {
            *best = square;
            *found = node;
        }
        const double side = from->at[axis] - node->at[axis];
        const size_t rest = count - middle - 1;
        const place *far = side < 0 ? node + 1 : list;
        const size_t far_count = side < 0 ? rest : middle;
        axis = (axis + 1) % 3;
        search(side < 0 ? list : node + 1, side < 0 ? middle : rest, axis, from, best, found);
        if (side * side >= *best) return;
        list = far;
        count = far_count;
    }
}

double s2clr_places_nearest(const s2clr_places *places, double longitude, double latitude)
{
    const place from = place_of(longitude, latitude), *found = NULL;
    struct geod_geodesic ellipsoid;
    double best = INFINITY, metres = INFINITY, azimuth;
    search(places->place, places->count, 0, &from, &best, &found);
    if (!found) return INFINITY;
    geod_init(&ellipsoid, MAJOR, FLATTENING);
    geod_inverse(&ellipsoid, latitude, longitude, found->latitude, found->longitude, &metres,
                 &azimuth, &azimuth);
    return metres;
}
