/* The picture of a map in a report. */
#include "harness.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <stdlib.h>
#include <string.h>

#include "report/quicklook.h"

enum { SIDE = 2 * S2CLR_QUICKLOOK_SIDE };

/* Every other pixel 1, and overviews that hold single pixels, as maps of s2clr have. */
static const char *make_board(bool overviews)
{
    static char path[4096];
    static float row[SIDE];
    snprintf(path, sizeof path, "%s/board.tif", test_folder());
    GDALDriverH driver = GDALGetDriverByName("GTiff");
    GDALDatasetH map = GDALCreate(driver, path, SIDE, SIDE, 1, GDT_Float32, NULL);
    double place[6] = {500000, 10, 0, 4600000, 0, -10};
    GDALSetGeoTransform(map, place);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) row[x] = (float)((x + y) % 2);
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(map, 1), GF_Write, 0, y, SIDE, 1, row, SIDE,
                                     1, GDT_Float32, 0, 0),
                        CE_None);
    }
    int levels[] = {2, 4};
    if (overviews)
        CU_ASSERT_EQUAL(GDALBuildOverviews(map, "NEAREST", 2, levels, 0, NULL, NULL, NULL),
                        CE_None);
    GDALClose(map);
    return path;
}

/* Red, green and blue of pixel (7, 5) of a data URI, read by GDAL's own PNG driver. */
static void decode(const char *uri, int *width, uint8_t rgb[3])
{
    const char *start = strstr(uri, "base64,");
    CU_ASSERT_PTR_NOT_NULL_FATAL(start);
    char *bytes = strdup(start + strlen("base64,"));
    const vsi_l_offset size = (vsi_l_offset)CPLBase64DecodeInPlace((GByte *)bytes);
    VSIFCloseL(VSIFileFromMemBuffer("/vsimem/picture.png", (GByte *)bytes, size, FALSE));
    GDALDatasetH picture = GDALOpen("/vsimem/picture.png", GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(picture);
    *width = GDALGetRasterXSize(picture);
    for (int c = 0; c < 3; c++)
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(picture, c + 1), GF_Read, 7, 5, 1, 1,
                                     &rgb[c], 1, 1, GDT_Byte, 0, 0),
                        CE_None);
    GDALClose(picture);
    VSIUnlink("/vsimem/picture.png");
    free(bytes);
}

static void a_pixel_is_the_mean_of_the_maps(void)
{
    const s2clr_ramp *ramp = s2clr_ramp_of("probability");
    for (int overviews = 0; overviews < 2; overviews++) {
        uint8_t rgb[3], half[3];
        int width;
        s2clr_map map;
        s2clr_quicklook picture;
        TEST_OK(s2clr_map_open_anywhere(make_board(overviews), 1, &map));
        TEST_OK(s2clr_quicklook_map(&map, ramp, 0, 1, &picture));
        decode(picture.uri, &width, rgb);
        CU_ASSERT_EQUAL(width, S2CLR_QUICKLOOK_SIDE);
        s2clr_ramp_colour(ramp, 0.5, half);
        CU_ASSERT_EQUAL(memcmp(rgb, half, sizeof half), 0);
        s2clr_quicklook_free(&picture);
        s2clr_map_close(&map);
    }
}

static const test_case cases[] = {
    {"a pixel is the mean of the map's", a_pixel_is_the_mean_of_the_maps},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("quicklook", cases, argc, argv);
}
