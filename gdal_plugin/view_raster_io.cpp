#include "view_raster_io.h"

#include <algorithm>

#include "report.h"

/* A read that needs another type or order goes through a buffer of about this many bytes. */
constexpr size_t STRIP_BYTES = size_t{32} << 20;

/* Whole blocks of one axis inside [from, from + size); the last block may be cut by the raster. */
static int whole_blocks(int from, int size, int raster_size, int block)
{
    const int end = from + size;
    const int first = from / block + (from % block ? 1 : 0);
    const int last = end == raster_size ? (end - 1) / block + 1 : end / block;
    return std::max(0, last - first);
}

bool view_io_suits(ViewDataset *dataset, const view_io &io)
{
    if (io.flag != GF_Read || io.width != io.buffer_width || io.height != io.buffer_height ||
        io.bands != dataset->GetRasterCount())
        return false;
    int block_width, block_height;
    dataset->GetRasterBand(1)->GetBlockSize(&block_width, &block_height);
    const int across = whole_blocks(io.x, io.width, dataset->GetRasterXSize(), block_width);
    const int down = whole_blocks(io.y, io.height, dataset->GetRasterYSize(), block_height);
    return across > 0 && down > 0 && across + down > 2;
}

/* ---- progress: a strip's share of GDAL's ---- */

struct strip_progress {
    const GDALRasterIOExtraArg *extra;
    double from, span;
};

static bool strip_report(void *context, double fraction, const char *message)
{
    const auto *strip = static_cast<const strip_progress *>(context);
    return strip->extra->pfnProgress(strip->from + fraction * strip->span, message ? message : "",
                                     strip->extra->pProgressData) != FALSE;
}

static CPLErr read_rows(ViewDataset *dataset, const view_io &io, int row, int rows, float *values)
{
    strip_progress strip{io.extra, static_cast<double>(row) / io.height,
                         static_cast<double>(rows) / io.height};
    s2clr_progress progress{strip_report, &strip, nullptr};
    const bool shown = io.extra && io.extra->pfnProgress;
    const s2clr_status status =
        s2clr_view_read(dataset->view(), dataset->factor(), io.x, io.y + row, io.width, rows,
                        values, shown ? &progress : nullptr);
    return status == S2CLR_OK ? report_done() : report_failure(status, CPLE_FileIO);
}

/* ---- into the caller's buffer ---- */

static bool same_layout(const view_io &io)
{
    constexpr GSpacing bytes = sizeof(float);
    if (io.type != GDT_Float32 || io.pixel_space != bytes || io.line_space != bytes * io.width ||
        (io.bands > 1 && io.band_space != io.line_space * io.height) ||
        reinterpret_cast<uintptr_t>(io.data) % alignof(float) != 0)
        return false;
    for (int i = 0; i < io.bands; i++)
        if (io.band_map[i] != i + 1) return false;
    return true;
}

// values: (bands, rows, width)
static void copy_rows(const view_io &io, int row, int rows, const float *values)
{
    for (int i = 0; i < io.bands; i++) {
        const float *plane = values + static_cast<size_t>(io.band_map[i] - 1) *
                                          static_cast<size_t>(rows) * static_cast<size_t>(io.width);
        for (int line = 0; line < rows; line++)
            GDALCopyWords64(plane + static_cast<size_t>(line) * static_cast<size_t>(io.width),
                            GDT_Float32, sizeof(float),
                            static_cast<GByte *>(io.data) + i * io.band_space +
                                (row + line) * io.line_space,
                            io.type, static_cast<int>(io.pixel_space), io.width);
    }
}

/* Rows of a strip, so that strips end where blocks do. */
static int strip_rows(const view_io &io, int row, int block_height)
{
    const size_t row_bytes =
        static_cast<size_t>(io.bands) * static_cast<size_t>(io.width) * sizeof(float);
    const size_t blocks =
        std::max<size_t>(1, STRIP_BYTES / (row_bytes * static_cast<size_t>(block_height)));
    const size_t wanted = std::min(blocks * static_cast<size_t>(block_height),
                                   static_cast<size_t>(io.height) + block_height);
    const int to_boundary = (io.y + row) % block_height;
    return std::min(io.height - row, static_cast<int>(wanted) - to_boundary);
}

CPLErr view_io_read(ViewDataset *dataset, const view_io &io)
{
    if (same_layout(io)) return read_rows(dataset, io, 0, io.height, static_cast<float *>(io.data));
    int block_width, block_height;
    dataset->GetRasterBand(1)->GetBlockSize(&block_width, &block_height);
    int largest = 0;
    for (int row = 0; row < io.height;) {
        const int rows = strip_rows(io, row, block_height);
        largest = std::max(largest, rows);
        row += rows;
    }
    std::unique_ptr<float, void (*)(void *)> strip(
        static_cast<float *>(VSI_MALLOC3_VERBOSE(static_cast<size_t>(largest),
                                                 static_cast<size_t>(io.width),
                                                 static_cast<size_t>(io.bands) * sizeof(float))),
        VSIFree);
    if (!strip) return CE_Failure;
    for (int row = 0; row < io.height;) {
        const int rows = strip_rows(io, row, block_height);
        if (read_rows(dataset, io, row, rows, strip.get()) != CE_None) return CE_Failure;
        copy_rows(io, row, rows, strip.get());
        row += rows;
    }
    return CE_None;
}
