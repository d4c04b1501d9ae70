/* Windows that are known to be empty without being read. */
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "stack_rig.h"

static double ground(int band, int x, int y)
{
    return 1000 * band + 7 * x + y;
}

/* A tiled file with blocks that were never written. */
static const char *write_sparse(const char *name, const double *nodata)
{
    const char *const options[] = {"TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64", "SPARSE_OK=TRUE",
                                   NULL};
    const char *path = rig_path(name);
    uint16_t block[64 * 64];
    double t[6] = {600000, 10, 0, 4200000, 0, -10};
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("GTiff"), path, 256, 192, 1, GDT_UInt16, (char **)options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    GDALSetGeoTransform(dataset, t);
    GDALRasterBandH band = GDALGetRasterBand(dataset, 1);
    GDALSetDescription(band, "B4");
    if (nodata) GDALSetRasterNoDataValue(band, *nodata);
    for (int i = 0; i < 64 * 64; i++) block[i] = (uint16_t)(1 + i);
    CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Write, 64, 128, 64, 64, block, 64, 64, GDT_UInt16, 0, 0),
                    CE_None);
    GDALClose(dataset);
    return path;
}

static void empty_windows(void)
{
    const s2clr_card card = rig_card("B04");
    s2clr_stack *stack = rig_open(write_sparse("sparse.tif", NULL), &card, NULL);
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, 0, 0, 64, 128));
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, -100, 0, 164, 192));
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, 256, 0, 10, 10));
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, 0, -10, 10, 10));
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, INT64_MIN, INT64_MIN, 10, 10));
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, INT64_MAX, INT64_MAX, 10, 10));
    CU_ASSERT_FALSE(s2clr_stack_is_empty(stack, 0, 0, 256, 192));
    CU_ASSERT_FALSE(s2clr_stack_is_empty(stack, 127, 191, 1, 1));
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, 128, 191, 1, 1));
    s2clr_stack_close(stack);
}

/* "Empty" must never contradict a read, whatever the nodata is. */
static void empty_means_invalid(void)
{
    static const double values[] = {0, 5};
    for (int i = 0; i < 4; i++) {
        s2clr_card card = rig_card("B04");
        int empties = 0;
        card.level[0].nodata = i == 3 ? 5 : 0; /* 3: empty blocks read as 0, which is data */
        s2clr_stack *stack = rig_open(
            write_sparse("kinds.tif", i == 1 || i == 2 ? &values[i - 1] : NULL), &card, NULL);
        for (int y = 0; y < 192; y += 32)
            for (int x = 0; x < 256; x += 32) {
                float read[32 * 32];
                uint8_t valid[32 * 32];
                TEST_OK(s2clr_stack_read(stack, x, y, 32, 32, read, valid));
                const bool any = memchr(valid, 1, sizeof valid) != NULL;
                if (s2clr_stack_is_empty(stack, x, y, 32, 32)) {
                    CU_ASSERT_FALSE(any);
                    empties++;
                }
            }
        CU_ASSERT_EQUAL(empties, i == 3 ? 0 : 44);
        s2clr_stack_close(stack);
    }
}

/* 100,000 x 100,000 pixels, 10 bands, one small picture in it: opened, asked and read at the spot
 * without touching the rest. */
static void huge_sparse_vrt(void)
{
    const rig_raster tile = {
        .name = "tile.tif", .width = 64, .height = 64, .bands = 10, .metres = 10, .fill = ground};
    static const char *const names[] = {"B2", "B3", "B4",  "B5",  "B6",
                                        "B7", "B8", "B8A", "B11", "B12"};
    const char *source = rig_write(&tile), *path = rig_path("huge.vrt");
    FILE *file = fopen(path, "w");
    fprintf(file, "<VRTDataset rasterXSize=\"100000\" rasterYSize=\"100000\"><SRS>EPSG:32630</SRS>"
                  "<GeoTransform>600000,10,0,4200000,0,-10</GeoTransform>");
    for (int b = 0; b < 10; b++)
        fprintf(file,
                "<VRTRasterBand dataType=\"UInt16\" band=\"%d\"><Description>%s</Description>"
                "<SimpleSource><SourceFilename>%s</SourceFilename><SourceBand>%d</SourceBand>"
                "<SrcRect xOff=\"0\" yOff=\"0\" xSize=\"64\" ySize=\"64\"/>"
                "<DstRect xOff=\"50000\" yOff=\"70000\" xSize=\"64\" ySize=\"64\"/></SimpleSource>"
                "</VRTRasterBand>",
                b + 1, names[b], source, b + 1);
    fprintf(file, "</VRTDataset>");
    fclose(file);
    const s2clr_card card = rig_card("B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12");
    float values[10 * 4];
    uint8_t valid[4];
    s2clr_stack *stack = rig_open(path, &card, NULL);
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, 0, 0, 100000, 70000));
    CU_ASSERT_TRUE(s2clr_stack_is_empty(stack, 50064, 0, 4096, 100000));
    CU_ASSERT_FALSE(s2clr_stack_is_empty(stack, 49152, 69632, 4096, 4096));
    TEST_OK(s2clr_stack_read(stack, 49999, 69999, 2, 2, values, valid));
    static const uint8_t wanted[4] = {0, 0, 0, 1};
    CU_ASSERT_EQUAL(memcmp(valid, wanted, 4), 0);
    for (int b = 0; b < 10; b++) CU_ASSERT_EQUAL(values[4 * b + 3], (float)ground(b + 1, 0, 0));
    s2clr_stack_close(stack);
}

/* A source that is gone makes GDAL call the window empty: it must be read, which tells. */
static void missing_source(void)
{
    const rig_raster tile = {.name = "tile.tif",
                             .width = 64,
                             .height = 64,
                             .bands = 1,
                             .metres = 10,
                             .names = "B4",
                             .fill = ground};
    char source[600];
    snprintf(source, sizeof source, "%s", rig_write(&tile));
    const char *path = rig_path("gone.vrt");
    GDALDatasetH from = GDALOpen(source, GA_ReadOnly);
    GDALClose(GDALCreateCopy(GDALGetDriverByName("VRT"), path, from, 0, NULL, NULL, NULL));
    GDALClose(from);
    CU_ASSERT_EQUAL(remove(source), 0);
    const s2clr_card card = rig_card("B04");
    float values[4];
    uint8_t valid[4];
    s2clr_stack *stack = rig_open(path, &card, NULL);
    CU_ASSERT_FALSE(s2clr_stack_is_empty(stack, 0, 0, 64, 64));
    CU_ASSERT_FALSE(s2clr_stack_is_empty(stack, 0, 0, 64, 64));
    CU_ASSERT_EQUAL(s2clr_stack_read(stack, 0, 0, 2, 2, values, valid), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("tile.tif");
    s2clr_stack_close(stack);
}

static const test_case cases[] = {
    {"empty_windows", empty_windows},
    {"empty_means_invalid", empty_means_invalid},
    {"huge_sparse_vrt", huge_sparse_vrt},
    {"missing_source", missing_source},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("stack_empty", cases, argc, argv);
}
