/* What a contact sheet shows: pixels that come out of the page as they went in, one stretch for all
 * patches, a page that holds whatever a name holds. */
#include "harness.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/png_data.h"
#include "report/topk_pictures.h"

enum { SIDE = 10, PLANE = SIDE * SIDE };

/* The picture of a data URI, decoded by GDAL: (bands, side, side); how many bands. */
static int decode(const char *uri, int side, uint8_t *planes)
{
    static const char before[] = "data:image/png;base64,";
    CU_ASSERT_EQUAL_FATAL(strncmp(uri, before, sizeof before - 1), 0);
    GByte *bytes = (GByte *)CPLStrdup(uri + sizeof before - 1);
    const int size = CPLBase64DecodeInPlace(bytes);
    VSIFCloseL(VSIFileFromMemBuffer("/vsimem/decoded.png", bytes, (vsi_l_offset)size, TRUE));
    GDALDatasetH picture = GDALOpen("/vsimem/decoded.png", GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(picture);
    const int bands = GDALGetRasterCount(picture);
    CU_ASSERT_EQUAL(GDALGetRasterXSize(picture), side);
    CU_ASSERT_EQUAL(GDALGetRasterYSize(picture), side);
    CU_ASSERT_EQUAL(GDALDatasetRasterIO(picture, GF_Read, 0, 0, side, side, planes, side, side,
                                        GDT_Byte, bands, NULL, 0, 0, 0),
                    CE_None);
    GDALClose(picture);
    VSIUnlink("/vsimem/decoded.png");
    return bands;
}

static void a_picture_and_back(void)
{
    uint8_t planes[4 * 7 * 5], back[4 * 7 * 5] = {0};
    for (int i = 0; i < 4 * 35; i++) planes[i] = (uint8_t)(i * 37 + i / 35);
    for (int alpha = 0; alpha < 2; alpha++) {
        char *uri = NULL;
        TEST_OK(s2clr_png_data(planes, 7, 5, alpha == 1, &uri));
        GByte *bytes = (GByte *)CPLStrdup(strchr(uri, ',') + 1);
        const int size = CPLBase64DecodeInPlace(bytes);
        VSIFCloseL(VSIFileFromMemBuffer("/vsimem/back.png", bytes, (vsi_l_offset)size, TRUE));
        GDALDatasetH picture = GDALOpen("/vsimem/back.png", GA_ReadOnly);
        CU_ASSERT_PTR_NOT_NULL_FATAL(picture);
        CU_ASSERT_EQUAL(GDALGetRasterCount(picture), 3 + alpha);
        CU_ASSERT_EQUAL(GDALDatasetRasterIO(picture, GF_Read, 0, 0, 7, 5, back, 7, 5, GDT_Byte,
                                            3 + alpha, NULL, 0, 0, 0),
                        CE_None);
        CU_ASSERT_EQUAL(memcmp(planes, back, (size_t)(3 + alpha) * 35), 0);
        GDALClose(picture);
        VSIUnlink("/vsimem/back.png");
        s2clr_free(uri);
    }
    char **left = VSIReadDir("/vsimem/");
    CU_ASSERT_EQUAL(CSLCount(left), 0);
    CSLDestroy(left);
}

static s2clr_topk_pixels some_pixels(size_t count, const char *bands)
{
    s2clr_topk_pixels pixels = {0};
    char **names = CSLTokenizeString2(bands, ",", 0);
    TEST_OK(s2clr_topk_pixels_new(count, CSLCount(names), SIDE, &pixels));
    for (int b = 0; b < pixels.bands; b++)
        snprintf(pixels.band[b], sizeof pixels.band[b], "%s", names[b]);
    CSLDestroy(names);
    return pixels;
}

/* Two patches whose pixels together are 0 .. 199 in every band, times ten to the band: the 2nd
 * percentile of 200 values is the fifth (index round(.02 * 199) = 4), the 98th index 195. */
static void one_stretch_for_all(void)
{
    s2clr_topk_pixels pixels = some_pixels(2, "B08,B02,B03,B04");
    static const int order[2][3] = {{3, 2, 1}, {0, 3, 2}}; /* B04 B03 B02; B08 B04 B03 */
    s2clr_sheet sheet;
    uint8_t planes[4 * PLANE];
    TEST_OK(s2clr_sheet_new(2, &sheet));
    for (size_t patch = 0; patch < 2; patch++)
        for (int b = 0; b < 4; b++)
            for (int i = 0; i < PLANE; i++)
                s2clr_topk_pixels_of(&pixels, patch)[b * PLANE + i] =
                    (float)((2 * i + (int)patch) * pow(10, b));
    TEST_OK(s2clr_topk_pictures_make(&pixels, &sheet));
    CU_ASSERT_EQUAL_FATAL(sheet.pictures, 2);
    CU_ASSERT_STRING_EQUAL(sheet.picture[0].name, "true colour");
    CU_ASSERT_STRING_EQUAL(sheet.picture[0].rule,
                           "B04 4000 to 195000 as red, B03 400 to 19500 as green, B02 40 to 1950 "
                           "as blue");
    CU_ASSERT_STRING_EQUAL(sheet.picture[1].name, "false colour");
    for (size_t patch = 0; patch < 2; patch++)
        for (int k = 0; k < 2; k++) {
            CU_ASSERT_EQUAL(decode(sheet.patch[patch].picture[k], SIDE, planes), 3);
            for (int c = 0; c < 3; c++)
                for (int i = 0; i < PLANE; i++) {
                    const double scale = pow(10, order[k][c]);
                    const double part = (2 * i + (double)patch - 4) * scale / (191 * scale);
                    CU_ASSERT_EQUAL(planes[c * PLANE + i],
                                    (int)(255 * fmin(fmax(part, 0), 1) + 0.5));
                }
        }
    s2clr_sheet_clear(&sheet);
    s2clr_topk_pixels_free(&pixels);
}

static void holes_are_transparent(void)
{
    s2clr_topk_pixels pixels = some_pixels(2, "B04,B03,B02");
    s2clr_sheet sheet;
    uint8_t planes[4 * PLANE];
    TEST_OK(s2clr_sheet_new(2, &sheet));
    for (size_t patch = 0; patch < 2; patch++)
        for (int i = 0; i < 3 * PLANE; i++)
            s2clr_topk_pixels_of(&pixels, patch)[i] = 1000.5f + (float)i;
    s2clr_topk_pixels_of(&pixels, 1)[PLANE + 7] = NAN; /* of one band */
    TEST_OK(s2clr_topk_pictures_make(&pixels, &sheet));
    CU_ASSERT_EQUAL(sheet.pictures, 1);
    CU_ASSERT_EQUAL(decode(sheet.patch[0].picture[0], SIDE, planes), 3);
    CU_ASSERT_EQUAL(decode(sheet.patch[1].picture[0], SIDE, planes), 4);
    for (int i = 0; i < PLANE; i++) CU_ASSERT_EQUAL(planes[3 * PLANE + i], i == 7 ? 0 : 255);
    CU_ASSERT_PTR_NULL(sheet.patch[0].picture[1]);
    s2clr_sheet_clear(&sheet);
    s2clr_topk_pixels_free(&pixels);
}

static void make_and_read(const s2clr_topk_pixels *pixels, const char *name, const char *rule,
                          uint8_t *planes)
{
    s2clr_sheet sheet;
    TEST_OK(s2clr_sheet_new(1, &sheet));
    TEST_OK(s2clr_topk_pictures_make(pixels, &sheet));
    CU_ASSERT_STRING_EQUAL(sheet.picture[0].name, name);
    if (rule) CU_ASSERT_STRING_EQUAL(sheet.picture[0].rule, rule);
    decode(sheet.patch[0].picture[0], SIDE, planes);
    s2clr_sheet_clear(&sheet);
}

static void bytes_stay(void)
{
    s2clr_topk_pixels pixels = some_pixels(1, "B04,B03,B02");
    uint8_t planes[4 * PLANE];
    for (int i = 0; i < 3 * PLANE; i++) pixels.value[i] = (float)(i % 200);
    pixels.image = true;
    make_and_read(&pixels, "true colour",
                  "B04 as red, B03 as green, B02 as blue, bytes as they are", planes);
    for (int i = 0; i < 3 * PLANE; i++) CU_ASSERT_EQUAL(planes[i], i % 200);
    pixels.value[5] = 256; /* no byte: images of 16 bits are stretched */
    make_and_read(&pixels, "true colour", NULL, planes);
    CU_ASSERT_EQUAL(planes[5], 255);
    CU_ASSERT_EQUAL(planes[0], 0);
    s2clr_topk_pixels_free(&pixels);
}

static void bands_that_are_there(void)
{
    static const struct {
        const char *bands, *name, *rule;
    } cases[] = {
        {"B8A,B03,B04", "false colour",
         "B8A 5 to 6 as red, B04 5 to 6 as green, B03 5 to 6 as blue"},
        {"B11,B12,B05,B02", "first bands",
         "B11 5 to 6 as red, B12 5 to 6 as green, B05 5 to 6 as blue"},
        {"B11,B02", "first band", "B11 5 to 6 as grey"},
    };
    uint8_t planes[4 * PLANE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s2clr_topk_pixels pixels = some_pixels(1, cases[i].bands);
        for (int k = 0; k < pixels.bands * PLANE; k++) pixels.value[k] = 5; /* flat: no division */
        make_and_read(&pixels, cases[i].name, cases[i].rule, planes);
        CU_ASSERT_EQUAL(planes[0], 0);
        s2clr_topk_pixels_free(&pixels);
    }
    s2clr_topk_pixels pixels;
    CU_ASSERT_EQUAL(s2clr_topk_pixels_new(1, 17, SIDE, &pixels), S2CLR_ERR_ARGUMENT);
}

static char *read_page(const char *path)
{
    GByte *bytes = NULL;
    CU_ASSERT_TRUE_FATAL(VSIIngestFile(NULL, path, &bytes, NULL, -1));
    return (char *)bytes;
}

/* Everything a page could stumble over stands in a name; the page says it without being it. */
static void a_page(void)
{
    static const char evil[] = "\"><script>alert(1)</script>'&,\n,</li>";
    s2clr_topk_pixels pixels = some_pixels(2, "B04,B03,B02");
    char path[4200];
    s2clr_sheet sheet;
    TEST_OK(s2clr_sheet_new(2, &sheet));
    TEST_OK(s2clr_topk_pictures_make(&pixels, &sheet)); /* nothing valid at all */
    TEST_OK(s2clr_strdup(evil, &sheet.patch[0].name));
    TEST_OK(s2clr_strdup("plain", &sheet.patch[1].name));
    sheet.model = sheet.positive = sheet.source = sheet.choice = sheet.warning = sheet.command =
        evil;
    sheet.patch[0].probability = 0.999999;
    sheet.patch[1].probability = 0.5;
    sheet.patch[1].longitude = -0.5;
    sheet.patch[1].latitude = -33.25;
    snprintf(path, sizeof path, "%s/a sheet.html", test_folder());
    TEST_OK(s2clr_contact_sheet_write(path, &sheet));
    char *text = read_page(path);
    CU_ASSERT_PTR_NULL(strstr(text, "<script>alert"));
    CU_ASSERT_PTR_NULL(strstr(text, "'&,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "&lt;script&gt;alert(1)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "data-file=\"a sheet.csv\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "data-probability=\"0.999999\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "p &gt; 0.9999"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "data-longitude=\"-0.5000000\" data-latitude=\"-33.2500000\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "33.25000&deg; S, 0.50000&deg; W"));
    /* Nothing is fetched: the only addresses are links to click on. */
    for (const char *at = text; (at = strstr(at, "http")); at++)
        CU_ASSERT(strncmp(at, "http-equiv", 10) == 0 ||
                  strncmp(at - 6, "href=\"https://www.openstreetmap.org/", 36) == 0);
    CPLFree(text);
    s2clr_sheet_clear(&sheet);
    s2clr_topk_pixels_free(&pixels);
}

static const test_case cases[] = {
    {"a picture and back", a_picture_and_back},
    {"one stretch for all patches", one_stretch_for_all},
    {"holes are transparent", holes_are_transparent},
    {"bytes of images stay as they are", bytes_stay},
    {"the bands that are there", bands_that_are_there},
    {"a page holds any name", a_page},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("topk_pictures", cases, argc, argv);
}
