/*
 * The pointwise functions as GDAL calls them: derived bands of VRT files, read by any window, type
 * and decimation, against the formulas in plain loops; and one error per mistake.
 */
#include "../gdal_plugin/pixel_functions.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "harness.h"
#include "pointwise/pointwise.h"
#include "pointwise/student.h"
#include "predict_rig.h"

enum { WIDTH = 173, HEIGHT = 119, BANDS = 4 };

static const char input[] = "/vsimem/input.tif"; /* B04 B08 B11 SCL */
static uint16_t scene[BANDS][HEIGHT][WIDTH];

static void make_input(void)
{
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("GTiff"), input, WIDTH, HEIGHT, BANDS, GDT_UInt16, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    for (size_t b = 0; b < BANDS; b++) {
        for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
            const uint32_t limit = b == 3 ? 12 : 9000;
            const bool hole = b < 3 && s2clr_random_below(4, b, i, 20) == 0;
            scene[b][i / WIDTH][i % WIDTH] =
                (uint16_t)(hole ? 0 : s2clr_random_below(5, b, i, limit) + (b < 3));
        }
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(dataset, (int)b + 1), GF_Write, 0, 0, WIDTH,
                                     HEIGHT, scene[b], WIDTH, HEIGHT, GDT_UInt16, 0, 0),
                        CE_None);
    }
    GDALClose(dataset);
}

/* A VRT with one derived band; bands: "21" makes bands 2 and 1 the sources. */
static GDALDatasetH open_vrt(const char *function, const char *arguments, const char *bands,
                             const char *type, const char *transfer)
{
    char xml[8000];
    make_input();
    int used = snprintf(xml, sizeof xml,
                        "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\">"
                        "<VRTRasterBand dataType=\"%s\" band=\"1\" "
                        "subClass=\"VRTDerivedRasterBand\"><PixelFunctionType>%s"
                        "</PixelFunctionType><PixelFunctionArguments %s/>"
                        "<SourceTransferType>%s</SourceTransferType>",
                        WIDTH, HEIGHT, type, function, arguments, transfer);
    for (const char *band = bands; *band; band++)
        used += snprintf(xml + used, sizeof xml - (size_t)used,
                         "<SimpleSource><SourceFilename>%s</SourceFilename><SourceBand>%c"
                         "</SourceBand></SimpleSource>",
                         input, *band);
    snprintf(xml + used, sizeof xml - (size_t)used, "</VRTRasterBand></VRTDataset>");
    GDALDatasetH dataset = GDALOpen(xml, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    return dataset;
}

/* ---- the formulas again, in plain loops ---- */

static double reflectance(int band, int x, int y)
{
    return scene[band][y][x] ? (scene[band][y][x] - 1000.0) * 1e-4 : NAN;
}

static double evi2(int x, int y)
{
    const double red = reflectance(0, x, y), nir = reflectance(1, x, y);
    return 2.5 * (nir - red) / (nir + 2.4 * red + 1);
}

static double masked(int x, int y)
{
    const int class = scene[3][y][x];
    return class == 4 || class == 5 ? scene[1][y][x] : 255;
}

static double fraction(int x, int y)
{
    double sum = 0;
    int count = 0;
    for (int b = 0; b < 3; b++) {
        sum += scene[b][y][x];
        count += scene[b][y][x] != 0;
    }
    return count ? sum / count : NAN;
}

typedef struct derived {
    const char *function, *arguments, *bands;
    double (*want)(int x, int y);
} derived;

static const derived list[] = {
    {"s2clr_evi2", "scale=\"0.0001\" offset=\"-1000\" nodata=\"0\"", "21", evi2},
    {"s2clr_mask", "classes=\"4,5\" fill=\"255\"", "24", masked},
    {"s2clr_combine", "op=\"mean\" nodata=\"0\"", "123", fraction},
};
enum { LIST = sizeof list / sizeof list[0] };

static bool agrees(double got, double want)
{
    return isnan(want) ? isnan(got) : fabs(got - want) <= 1e-6 * (1 + fabs(want));
}

static void any_window_is_the_formula(void)
{
    static float out[WIDTH * HEIGHT];
    for (size_t f = 0; f < LIST; f++) {
        GDALDatasetH vrt = open_vrt(list[f].function, list[f].arguments, list[f].bands, "Float32",
                                    f == 1 ? "UInt16" : "Float32");
        GDALRasterBandH band = GDALGetRasterBand(vrt, 1);
        int other = 0;
        for (uint64_t i = 0; i < 200; i++) {
            const int x0 = i ? (int)s2clr_random_below(6, f, 4 * i, WIDTH) : 0;
            const int y0 = i ? (int)s2clr_random_below(6, f, 4 * i + 1, HEIGHT) : 0;
            const int w =
                i ? 1 + (int)s2clr_random_below(6, f, 4 * i + 2, (uint32_t)(WIDTH - x0)) : WIDTH;
            const int h =
                i ? 1 + (int)s2clr_random_below(6, f, 4 * i + 3, (uint32_t)(HEIGHT - y0)) : HEIGHT;
            CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Read, x0, y0, w, h, out, w, h, GDT_Float32, 0, 0),
                            CE_None);
            for (int k = 0; k < w * h; k++)
                other += !agrees((double)out[k], list[f].want(x0 + k % w, y0 + k / w));
        }
        CU_ASSERT_EQUAL(other, 0);
        GDALClose(vrt);
    }
}

/* Types of the buffer, gaps between its pixels and lines, upside down; nothing beside is touched.
 */
static void any_buffer_is_filled(void)
{
    static const GDALDataType types[] = {GDT_Byte,    GDT_Int16,   GDT_UInt16,  GDT_Int32,
                                         GDT_Float32, GDT_Float64, GDT_CFloat32};
    enum { W = 31, H = 17, GAP = 24 };
    static unsigned char buffer[H * (W + 3) * GAP];
    GDALDatasetH vrt = open_vrt("s2clr_threshold", "threshold=\"4000\" fill=\"7\" nodata=\"0\"",
                                "2", "Byte", "UInt16");
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        const int bytes = GDALGetDataTypeSizeBytes(types[t]), line = (W + 3) * GAP;
        memset(buffer, 0xa5, sizeof buffer);
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(vrt, 1), GF_Read, 5, 9, W, H,
                                     buffer + (H - 1) * line, W, H, types[t], GAP, -line),
                        CE_None);
        int other = 0;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W + 3; x++) {
                unsigned char *at = buffer + (H - 1 - y) * line + x * GAP;
                double value = -1;
                for (int k = x < W ? bytes : 0; k < GAP; k++) other += at[k] != 0xa5;
                if (x >= W) continue;
                GDALCopyWords(at, types[t], 0, &value, GDT_Float64, 0, 1);
                const int dn = scene[1][y + 9][x + 5];
                other += value != (dn == 0 ? 7 : dn >= 4000);
            }
        CU_ASSERT_EQUAL(other, 0);
    }
    GDALClose(vrt);
}

/* A decimated read by nearest neighbour: the function of the sources' decimated pixels. */
static void decimated_reads_are_of_decimated_sources(void)
{
    enum { W = 40, H = 30 };
    static float out[H][W];
    static uint16_t source[2][H][W];
    GDALDatasetH vrt = open_vrt(list[0].function, list[0].arguments, "21", "Float32", "Float32");
    GDALDatasetH plain = GDALOpen(input, GA_ReadOnly);
    CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(vrt, 1), GF_Read, 0, 0, WIDTH, HEIGHT, out, W, H,
                                 GDT_Float32, 0, 0),
                    CE_None);
    for (int b = 0; b < 2; b++)
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(plain, b + 1), GF_Read, 0, 0, WIDTH, HEIGHT,
                                     source[b], W, H, GDT_UInt16, 0, 0),
                        CE_None);
    int other = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const double red = (source[0][y][x] - 1000) * 1e-4;
            const double nir = (source[1][y][x] - 1000) * 1e-4;
            const bool hole = source[0][y][x] == 0 || source[1][y][x] == 0;
            other +=
                !agrees((double)out[y][x], hole ? NAN : 2.5 * (nir - red) / (nir + 2.4 * red + 1));
        }
    CU_ASSERT_EQUAL(other, 0);
    GDALClose(plain);
    GDALClose(vrt);
}

static void the_network_runs_in_a_vrt(void)
{
    static const rig_model pixel = {
        .arch = "pixel", .width = 8, .depth = 1, .patch = 1, .stride = 1};
    static float whole[WIDTH * HEIGHT], part[WIDTH * HEIGHT];
    char arguments[800];
    snprintf(arguments, sizeof arguments, "model=\"%s\" level=\"L2A\" nodata=\"0\"",
             rig_model_make("pixel.safetensors", &pixel));
    GDALDatasetH vrt = open_vrt("s2clr_pixel", arguments, "123", "Float32", "UInt16");
    GDALRasterBandH band = GDALGetRasterBand(vrt, 1);
    CU_ASSERT_EQUAL(
        GDALRasterIO(band, GF_Read, 0, 0, WIDTH, HEIGHT, whole, WIDTH, HEIGHT, GDT_Float32, 0, 0),
        CE_None);
    int holes = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++) holes += isnan(whole[i]);
    CU_ASSERT_TRUE(holes > 1000 && holes < WIDTH * HEIGHT / 2);
    for (uint64_t i = 0; i < 100; i++) {
        const int x0 = (int)s2clr_random_below(7, 0, i, WIDTH - 1);
        const int y0 = (int)s2clr_random_below(7, 1, i, HEIGHT - 1);
        const int w = 1 + (int)s2clr_random_below(7, 2, i, (uint32_t)(WIDTH - x0));
        const int h = 1 + (int)s2clr_random_below(7, 3, i, (uint32_t)(HEIGHT - y0));
        CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Read, x0, y0, w, h, part, w, h, GDT_Float32, 0, 0),
                        CE_None);
        for (int y = 0; y < h; y++)
            CU_ASSERT_EQUAL(memcmp(part + (size_t)(y * w), whole + (size_t)((y0 + y) * WIDTH + x0),
                                   (size_t)w * sizeof *part),
                            0);
    }
    GDALClose(vrt);
    s2clr_student_drop_idle();
}

/* ---- processed datasets ---- */

/* Bands of the input in the order of `list`, then one step; the same values as the derived band. */
static void a_processed_dataset_is_the_same(void)
{
    if (atoi(GDALVersionInfo("VERSION_NUM")) < 3090000) {
        test_skip("GDAL before 3.9 has no processed datasets");
        return;
    }
    static float got[HEIGHT][WIDTH];
    char xml[2000];
    make_input();
    snprintf(xml, sizeof xml,
             "<VRTDataset subClass=\"VRTProcessedDataset\"><VRTRasterBand dataType=\"Float32\" "
             "band=\"1\" subClass=\"VRTProcessedRasterBand\"><NoDataValue>-9</NoDataValue>"
             "</VRTRasterBand><Input><SourceFilename>vrt://%s?bands=2,1&amp;a_nodata=0"
             "</SourceFilename></Input><ProcessingSteps><Step><Algorithm>s2clr_evi2</Algorithm>"
             "<Argument name=\"scale\">0.0001</Argument><Argument name=\"offset\">-1000</Argument>"
             "</Step></ProcessingSteps></VRTDataset>",
             input);
    GDALDatasetH vrt = GDALOpen(xml, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(vrt);
    CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(vrt, 1), GF_Read, 0, 0, WIDTH, HEIGHT, got,
                                 WIDTH, HEIGHT, GDT_Float32, 0, 0),
                    CE_None);
    int other = 0;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const double want = evi2(x, y);
            other += !agrees((double)got[y][x], isnan(want) ? -9 : want);
        }
    CU_ASSERT_EQUAL(other, 0);
    GDALClose(vrt);
}

/* ---- the manual page ---- */

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 17);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fread(text, 1, (1 << 17) - 1, file) > 0);
    fclose(file);
    return text;
}

/* Its first example, word for word but for the size. */
static void the_example_of_the_page_works(void)
{
    char *page = read_text(test_source("../man/s2clr-pixel-functions.7"));
    char *xml = strstr(page, "\n.Bd -literal\n<"), *size;
    CU_ASSERT_PTR_NOT_NULL_FATAL(xml);
    xml += strlen("\n.Bd -literal\n");
    *strstr(xml, "\n.Ed\n") = '\0';
    while ((size = strstr(xml, "\"10980\"")) != NULL) memcpy(size, "\"00020\"", 7);
    FILE *file = fopen(predict_rig_path("evi2.vrt"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(xml, file);
    fclose(file);
    GDALDatasetH stack = GDALCreate(GDALGetDriverByName("GTiff"), predict_rig_path("stack.tif"), 20,
                                    20, 7, GDT_UInt16, NULL);
    for (int b = 1; b <= 7; b++) GDALFillRaster(GDALGetRasterBand(stack, b), 1000 + 500 * b, 0);
    GDALClose(stack);
    int columns, rows;
    float *evi = rig_raster_read(predict_rig_path("evi2.vrt"), &columns, &rows);
    CU_ASSERT_EQUAL(columns, 20);
    if (evi) TEST_NEAR(evi[399], 2.5 * (0.35 - 0.15) / (0.35 + 2.4 * 0.15 + 1), 1e-6);
    free(evi);
    free(page);
}

/* ---- mistakes ---- */

typedef struct mistake {
    const char *function, *arguments, *bands, *transfer, *says[2];
} mistake;

static const mistake mistakes[] = {
    {"s2clr_evi2",
     "",
     "1",
     "Float32",
     {"s2clr_evi2: the number of sources is 1, wanted 2", "B08,B04"}},
    {"s2clr_evi2", "", "123", "Float32", {"s2clr_evi2: the number of sources is 3", "B08,B04"}},
    {"s2clr_evi2", "scal=\"1\"", "21", "Float32", {"s2clr_evi2: ", "did you mean scale?"}},
    {"s2clr_evi2", "scale=\"x\"", "21", "Float32", {"s2clr_evi2: argument scale is \"x\"", ""}},
    {"s2clr_evi2", "", "21", "CFloat32", {"s2clr_evi2: ", "<SourceTransferType>Float32"}},
    {"s2clr_pixel", "", "123", "Float32", {"s2clr_pixel: argument model must be given", ""}},
    {"s2clr_pixel",
     "model=\"/nowhere/m.safetensors\"",
     "123",
     "Float32",
     {"s2clr_pixel: ", "/nowhere/m.safetensors"}},
    {"s2clr_combine", "op=\"least\"", "123", "Float32", {"s2clr_combine: ", "mean,max,agreement"}},
};

typedef struct messages {
    int count;
    CPLErr kind;
    char text[2000];
} messages;

static void CPL_STDCALL note(CPLErr kind, CPLErrorNum number, const char *text)
{
    messages *m = CPLGetErrorHandlerUserData();
    (void)number;
    m->count++;
    m->kind = kind;
    snprintf(m->text, sizeof m->text, "%s", text);
}

static void a_mistake_is_one_error(void)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const mistake *m = &mistakes[i];
        messages seen = {0};
        float out[4];
        GDALDatasetH vrt = open_vrt(m->function, m->arguments, m->bands, "Float32", m->transfer);
        CPLPushErrorHandlerEx(note, &seen);
        const CPLErr code = GDALRasterIO(GDALGetRasterBand(vrt, 1), GF_Read, 3, 3, 2, 2, out, 2, 2,
                                         GDT_Float32, 0, 0);
        CPLPopErrorHandler();
        CU_ASSERT_EQUAL(code, CE_Failure);
        CU_ASSERT_EQUAL(seen.count, 1);
        CU_ASSERT_EQUAL(seen.kind, CE_Failure);
        if (!strstr(seen.text, m->says[0]) || !strstr(seen.text, m->says[1])) {
            printf("    it said: %s\n", seen.text);
            CU_FAIL("another message");
        }
        GDALClose(vrt);
    }
}

static const test_case cases[] = {
    {"any_window_is_the_formula", any_window_is_the_formula},
    {"any_buffer_is_filled", any_buffer_is_filled},
    {"decimated_reads_are_of_decimated_sources", decimated_reads_are_of_decimated_sources},
    {"the_network_runs_in_a_vrt", the_network_runs_in_a_vrt},
    {"a_processed_dataset_is_the_same", a_processed_dataset_is_the_same},
    {"the_example_of_the_page_works", the_example_of_the_page_works},
    {"a_mistake_is_one_error", a_mistake_is_one_error},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    s2clr_pixel_functions_register();
    s2clr_pixel_functions_register(); /* again is allowed */
    s2clr_processed_functions_register();
    s2clr_processed_functions_register();
    const int code = TEST_MAIN("pixel_functions", cases, argc, argv);
    VSIUnlink(input);
    return code;
}
