/* The nearest of many places, against looking at all of them with geodesics. */
#include "harness.h"

#include <geodesic.h>
#include <math.h>

#include "base/philox.h"
#include "dataset/psplit.h"

static void the_nearest_place_is_found_anywhere(void)
{
    enum { PLACES = 3000 };
    static double lon[PLACES], lat[PLACES];
    struct geod_geodesic wgs84;
    s2clr_places *places;
    geod_init(&wgs84, 6378137, 1 / 298.257223563);
    for (uint64_t i = 0; i < PLACES; i++) {
        lon[i] = 400 * (double)s2clr_random_uniform(9, i, 0) - 200;
        lat[i] = asin(2 * (double)s2clr_random_uniform(9, i, 1) - 1) * 180 / acos(-1);
        if (i % 10 == 0) lat[i] = 89.9, lon[i] = (double)i; /* and many of the same height */
        if (i % 11 == 0 && i > 0) lat[i] = lat[i - 1], lon[i] = lon[i - 1];
    }
    TEST_OK(s2clr_places_new(lon, lat, PLACES, &places));
    for (uint64_t i = 0; i < 300; i++) {
        const double x = 360 * (double)s2clr_random_uniform(10, i, 0) - 180;
        const double y = 180 * (double)s2clr_random_uniform(10, i, 1) - 90;
        double best = INFINITY;
        for (int k = 0; k < PLACES; k++) {
            double s, azimuth;
            geod_inverse(&wgs84, y, x, lat[k], lon[k], &s, &azimuth, &azimuth);
            best = fmin(best, s);
        }
        TEST_NEAR(s2clr_places_nearest(places, x, y) / best, 1, 1e-4);
    }
    s2clr_places_free(places);
    TEST_OK(s2clr_places_new(lon, lat, 0, &places));
    CU_ASSERT_TRUE(isinf(s2clr_places_nearest(places, 0, 0)));
    s2clr_places_free(places);
}

static const test_case cases[] = {
    {"the_nearest_place_is_found_anywhere", the_nearest_place_is_found_anywhere},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("split_nearest", cases, argc, argv);
}
