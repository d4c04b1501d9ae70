/*
 * A made-up Sentinel-2 product that GDAL's SENTINEL2 driver accepts: JPEG 2000 bands at their
 * native 10, 20 and 60 m, SCL, product and tile XML, DN shifted by an offset. Fields, a river,
 * clouds and a corner without data. Every DN is a pure function, so tests know each pixel.
 *
 *     safe_fixture fixture = safe_fixture_default();
 *     char path[1024];
 *     if (safe_fixture_write(test_folder(), &fixture, path, sizeof path) != 0) ...
 *
 * Nothing here is real: it stands in where no product can be fetched, and in tests.
 */
#ifndef S2CLR_TESTS_SAFE_FIXTURE_H
#define S2CLR_TESTS_SAFE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct safe_fixture {
    bool l1c;              /* L1C (RADIO_ADD_OFFSET, no SCL) instead of L2A */
    int width, height;     /* metres, multiples of 60 */
    int offset;            /* what the XML says is to be added to a DN: -1000 */
    bool list_offsets;     /* false: a product from before baseline 04.00, offset must be 0 */
    const char *baseline;  /* "05.09" */
    int corner;            /* metres: DN 0 where x + y is less, from the upper left corner */
    const char *omit;      /* a band whose file is left out, or NULL */
} safe_fixture;

safe_fixture safe_fixture_default(void);

/* True when this GDAL can write JPEG 2000 and read products. */
bool safe_fixture_possible(void);

/* Writes FOLDER/S2A_....SAFE and gives its path; 0 on success. */
int safe_fixture_write(const char *folder, const safe_fixture *fixture, char *path, size_t size);

/* Packs a written product into a zip; 0 on success. */
int safe_fixture_zip(const char *safe, const char *zip);

/* The DN of a pixel of a band ("B04", "SCL") in its native grid. */
uint16_t safe_fixture_dn(const safe_fixture *fixture, const char *band, int x, int y);

#endif
