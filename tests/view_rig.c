#define _POSIX_C_SOURCE 200809L
#include "view_rig.h"

#include <cpl_vsi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/philox.h"
#include "harness.h"
#include "predict/result_cache.h"

s2clr_view_settings rig_view_settings(const char *model, const char *const *input)
{
    s2clr_view_settings settings;
    s2clr_view_defaults(&settings);
    settings.model = model;
    settings.inputs = input;
    settings.input_count = 1;
    settings.stack.level = "L2A";
    settings.threads = 2;
    return settings;
}

s2clr_view_settings rig_view_prepare(void)
{
    static char model[600], input[600];
    static const char *const inputs[] = {input};
    snprintf(model, sizeof model, "%s", rig_model_make("state.safetensors", &rig_dense));
    snprintf(input, sizeof input, "%s", rig_scene_make("state.tif", &rig_scene_small));
    s2clr_result_cache_clear();
    rig_settle();
    return rig_view_settings(model, inputs);
}

s2clr_view *rig_view_open(const s2clr_view_settings *settings)
{
    s2clr_view *view = NULL;
    TEST_OK(s2clr_view_open(settings, &view));
    if (!view) exit(1);
    return view;
}

float *rig_view_read(s2clr_view *view, int factor)
{
    int columns, rows;
    s2clr_view_level_size(view, factor, &columns, &rows);
    const size_t floats =
        (size_t)columns * (size_t)rows * (size_t)s2clr_view_describe(view)->bands->count;
    float *out = malloc(floats * sizeof *out);
    if (!out) exit(1);
    memset(out, 0x55, floats * sizeof *out);
    TEST_OK(s2clr_view_read(view, factor, 0, 0, columns, rows, out, NULL));
    return out;
}

float *rig_view_fresh(const s2clr_view_settings *settings, uint64_t *units)
{
    s2clr_view *view = rig_view_open(settings);
    float *map = rig_view_read(view, 1);
    *units = s2clr_view_units(view);
    s2clr_view_close(view);
    return map;
}

/* part: (bands, part_rows, part_columns), of which columns x rows are looked at. */
static bool same(const s2clr_view *view, int factor, const float *whole, int column, int row,
                 int columns, int rows, const float *part, int part_columns, int part_rows)
{
    int all_columns, all_rows;
    bool equal = true;
    s2clr_view_level_size(view, factor, &all_columns, &all_rows);
    for (int band = 0; band < s2clr_view_describe(view)->bands->count; band++)
        for (int r = 0; r < rows; r++) {
            const size_t from = (size_t)band * (size_t)all_rows + (size_t)(row + r);
            const size_t to = (size_t)band * (size_t)part_rows + (size_t)r;
            equal = equal &&
                    memcmp(whole + from * (size_t)all_columns + column,
                           part + to * (size_t)part_columns, (size_t)columns * sizeof *part) == 0;
        }
    return equal;
}

void rig_view_same(const s2clr_view *view, int factor, const float *whole, int column, int row,
                   int columns, int rows, const float *part)
{
    CU_ASSERT(same(view, factor, whole, column, row, columns, rows, part, columns, rows));
}

static void check_block(s2clr_view *view, int factor, const float *whole, int x, int y,
                        float *block)
{
    const s2clr_view_info *info = s2clr_view_describe(view);
    const int w = info->block_columns, h = info->block_rows;
    int columns, rows;
    bool nan = true;
    s2clr_view_level_size(view, factor, &columns, &rows);
    const int inner = columns - x * w < w ? columns - x * w : w;
    const int inner_rows = rows - y * h < h ? rows - y * h : h;
    TEST_OK(s2clr_view_block(view, factor, x, y, block));
    CU_ASSERT(same(view, factor, whole, x * w, y * h, inner, inner_rows, block, w, h));
    for (int band = 0; band < info->bands->count; band++)
        for (int r = 0; r < h; r++)
            for (int c = 0; c < w; c++)
                if (r >= inner_rows || c >= inner)
                    nan = nan && isnan(block[(band * h + r) * w + c]);
    CU_ASSERT(nan);
}

void rig_view_check(s2clr_view *view, int factor, const float *whole, uint64_t seed, int count)
{
    const s2clr_view_info *info = s2clr_view_describe(view);
    const int w = info->block_columns, h = info->block_rows;
    int columns, rows;
    s2clr_view_level_size(view, factor, &columns, &rows);
    const size_t bands = (size_t)info->bands->count;
    float *part =
        malloc(((size_t)columns * (size_t)rows + (size_t)w * (size_t)h) * bands * sizeof *part);
    for (int i = 0; i < count && part; i++) {
        const uint64_t at = 5 * (uint64_t)i;
        const int x = (int)s2clr_random_below(seed, 1, at, (uint32_t)columns);
        const int y = (int)s2clr_random_below(seed, 1, at + 1, (uint32_t)rows);
        /* Mostly small ones: a window costs its area. */
        const int most = i % 10 ? 40 : 300;
        const int room = columns - x < most ? columns - x : most;
        const int room_rows = rows - y < most ? rows - y : most;
        const int n = 1 + (int)s2clr_random_below(seed, 1, at + 2, (uint32_t)room);
        const int m = 1 + (int)s2clr_random_below(seed, 1, at + 3, (uint32_t)room_rows);
        if (s2clr_random_below(seed, 1, at + 4, 2)) {
            TEST_OK(s2clr_view_read(view, factor, x, y, n, m, part, NULL));
            rig_view_same(view, factor, whole, x, y, n, m, part);
        } else {
            check_block(view, factor, whole, x / w, y / h, part);
        }
    }
    free(part);
}

void rig_view_vrt(const char *path, const char *source)
{
    VSILFILE *file = VSIFOpenL(path, "wb");
    static const char *const bands[] = {"B02", "B03", "B04"};
    VSIFPrintfL(file, "<VRTDataset rasterXSize=\"612\" rasterYSize=\"349\"><SRS>EPSG:32633</SRS>"
                      "<GeoTransform>600000, 10, 0, 4400000, 0, -10</GeoTransform>");
    for (int i = 0; i < RIG_BANDS; i++)
        VSIFPrintfL(file,
                    "<VRTRasterBand dataType=\"UInt16\" band=\"%d\"><Description>%s"
                    "</Description><NoDataValue>0</NoDataValue><SimpleSource>"
                    "<SourceFilename relativeToVRT=\"0\">%s</SourceFilename><SourceBand>%d"
                    "</SourceBand><SourceProperties RasterXSize=\"612\" RasterYSize=\"349\" "
                    "DataType=\"UInt16\" BlockXSize=\"64\" BlockYSize=\"32\"/>"
                    "</SimpleSource></VRTRasterBand>",
                    i + 1, bands[i], source, i + 1);
    VSIFPrintfL(file, "</VRTDataset>");
    VSIFCloseL(file);
}

void rig_settle(void)
{
    const struct timespec tick = {.tv_nsec = 60000000};
    nanosleep(&tick, NULL);
}
