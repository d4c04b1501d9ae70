#include "grid_raster.h"

#include <cpl_conv.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "plugin.h"

#include "logic.h"

#define PREFIX "S2CLR_GRID:"

/* Far above any output grid, far below where GDAL's block numbers overflow. */
constexpr long SIZE_MAX_AXIS = 10000000;
constexpr int BLOCK = 256;

/* Views that wait for the next call of s2clr_patch hold rasters of their own. They are closed with
 * the last coordinate raster, or when GDAL at its end asks for what depends on other rasters. */
class GridDataset final : public GDALDataset
{
  public:
    GridDataset(int columns, int rows)
    {
        nRasterXSize = columns;
        nRasterYSize = rows;
        s2clr_view_pool_hold();
    }
    ~GridDataset() override
    {
        if (!plugin_is_leaving()) s2clr_view_pool_release();
    }
    int CloseDependentDatasets() override
    {
        return !plugin_is_leaving() && s2clr_view_pool_drop() > 0;
    }
    bool add_bands();
};

class GridBand final : public GDALRasterBand
{
  public:
    GridBand(GDALDataset *dataset, int band)
    {
        poDS = dataset;
        nBand = band;
        eDataType = GDT_Float64;
        nBlockXSize = std::min(BLOCK, dataset->GetRasterXSize());
        nBlockYSize = std::min(BLOCK, dataset->GetRasterYSize());
        SetDescription(band == 1 ? "column" : "row");
    }

  protected:
    CPLErr IReadBlock(int block_x, int block_y, void *image) override;
    CPLErr IRasterIO(GDALRWFlag flag, int x, int y, int width, int height, void *data,
                     int buffer_width, int buffer_height, GDALDataType type, GSpacing pixel_space,
                     GSpacing line_space, GDALRasterIOExtraArg *extra) override;
};

bool GridDataset::add_bands()
{
    for (int band = 1; band <= 2; band++) {
        auto *made = new (std::nothrow) GridBand(this, band);
        if (!made) return false;
        SetBand(band, made);
    }
    return true;
}

CPLErr GridBand::IReadBlock(int block_x, int block_y, void *image)
{
    auto *value = static_cast<double *>(image);
    for (int y = 0; y < nBlockYSize; y++)
        for (int x = 0; x < nBlockXSize; x++)
            *value++ =
                nBand == 1 ? double(block_x) * nBlockXSize + x : double(block_y) * nBlockYSize + y;
    return CE_None;
}

/* Pixel that nearest resampling takes for buffer position `at`, as GDAL's own reading does it. */
static double nearest(int at, double from, double size, int buffer, int raster)
{
    constexpr double EPSILON = 1e-10;
    const double position = std::floor((at + 0.5) * size / buffer + from + EPSILON);
    return std::min(std::max(position, 0.0), raster - 1.0);
}

/* Decimated reads would fill every block of the cache with numbers nobody wants. */
CPLErr GridBand::IRasterIO(GDALRWFlag flag, int x, int y, int width, int height, void *data,
                           int buffer_width, int buffer_height, GDALDataType type,
                           GSpacing pixel_space, GSpacing line_space, GDALRasterIOExtraArg *extra)
{
    const bool as_it_is = width == buffer_width && height == buffer_height;
    if (flag != GF_Read || (!as_it_is && extra && extra->eResampleAlg != GRIORA_NearestNeighbour))
        return GDALRasterBand::IRasterIO(flag, x, y, width, height, data, buffer_width,
                                         buffer_height, type, pixel_space, line_space, extra);
    const bool exact = !as_it_is && extra && extra->bFloatingPointWindowValidity;
    for (int j = 0; j < buffer_height; j++) {
        GByte *line = static_cast<GByte *>(data) + j * line_space;
        for (int i = 0; i < buffer_width; i++) {
            const double value =
                nBand == 1 ? nearest(i, exact ? extra->dfXOff : x, exact ? extra->dfXSize : width,
                                     buffer_width, nRasterXSize)
                           : nearest(j, exact ? extra->dfYOff : y, exact ? extra->dfYSize : height,
                                     buffer_height, nRasterYSize);
            GDALCopyWords(&value, GDT_Float64, 0, line + i * pixel_space, type, 0, 1);
        }
    }
    return CE_None;
}

bool grid_raster_identify(const char *name)
{
    return STARTS_WITH_CI(name, PREFIX);
}

/* Digits up to `end`: a size, or 0. */
static int size_parse(const char *text, char end, const char **rest)
{
    if (*text < '0' || *text > '9') return 0;
    char *stop;
    const long value = strtol(text, &stop, 10);
    if (*stop != end || value < 1 || value > SIZE_MAX_AXIS) return 0;
    *rest = stop;
    return static_cast<int>(value);
}

GDALDataset *grid_raster_open(const char *name)
{
    const char *rest = nullptr;
    const int columns = size_parse(name + strlen(PREFIX), ':', &rest);
    const int rows = columns ? size_parse(rest + 1, '\0', &rest) : 0;
    if (!rows) {
        CPLError(CE_Failure, CPLE_OpenFailed,
                 "%.100s: a coordinate raster is named " PREFIX
                 "COLUMNS:ROWS with sizes from 1 to %ld, as in " PREFIX "1098:1098",
                 name, SIZE_MAX_AXIS);
        return nullptr;
    }
    auto *dataset = new (std::nothrow) GridDataset(columns, rows);
    if (!dataset || !dataset->add_bands()) {
        delete dataset;
        CPLError(CE_Failure, CPLE_OutOfMemory, "%.100s: no memory for its bands", name);
        return nullptr;
    }
    dataset->SetDescription(name);
    return dataset;
}
