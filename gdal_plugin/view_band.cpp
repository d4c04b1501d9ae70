#include <limits>

#include "report.h"
#include "view_dataset.h"
#include "view_raster_io.h"

ViewBand::ViewBand(ViewDataset *dataset, int band)
{
    const s2clr_view_info *info = s2clr_view_describe(dataset->view());
    poDS = dataset;
    nBand = band;
    eDataType = GDT_Float32;
    nRasterXSize = dataset->GetRasterXSize();
    nRasterYSize = dataset->GetRasterYSize();
    nBlockXSize = info->block_columns;
    nBlockYSize = info->block_rows;
    /* Not through this class's own setters: those would mark the .aux.xml file as changed. */
    GDALMajorObject::SetDescription(row().name);
    GDALMajorObject::SetMetadataItem("QUANTITY", row().row->name);
    GDALMajorObject::SetMetadataItem("HELP", row().row->help);
}

const s2clr_output_band &ViewBand::row() const
{
    return s2clr_view_describe(owner()->view())->bands->band[nBand - 1];
}

double ViewBand::GetNoDataValue(int *success)
{
    if (success) *success = TRUE;
    return std::numeric_limits<double>::quiet_NaN();
}

/* What a colour ramp should span; statistics that were computed are closer. */
double ViewBand::GetMinimum(int *success)
{
    if (!row().row->has_range || GetMetadataItem("STATISTICS_MINIMUM"))
        return GDALPamRasterBand::GetMinimum(success);
    if (success) *success = TRUE;
    return row().row->minimum;
}

double ViewBand::GetMaximum(int *success)
{
    if (!row().row->has_range || GetMetadataItem("STATISTICS_MAXIMUM"))
        return GDALPamRasterBand::GetMaximum(success);
    if (success) *success = TRUE;
    return row().maximum;
}

const char *ViewBand::GetUnitType()
{
    return row().row->unit ? row().row->unit : "";
}

GDALColorInterp ViewBand::GetColorInterpretation()
{
    return nBand == 1 ? GCI_GrayIndex : GCI_Undefined;
}

/* An .ovr file that somebody made beside a sidecar is what they want to see. */
int ViewBand::GetOverviewCount()
{
    const int external = GDALPamRasterBand::GetOverviewCount();
    return external > 0 ? external : owner()->level_count();
}

GDALRasterBand *ViewBand::GetOverview(int index)
{
    if (GDALPamRasterBand::GetOverviewCount() > 0) return GDALPamRasterBand::GetOverview(index);
    if (index < 0 || index >= owner()->level_count()) return nullptr;
    return owner()->level(index)->GetRasterBand(nBand);
}

/* All bands come out of one computation: what was not asked for goes into GDAL's cache. */
// values: (bands, block rows, block columns)
void ViewBand::keep_other_bands(int block_x, int block_y, const float *values)
{
    const size_t pixels = static_cast<size_t>(nBlockXSize) * static_cast<size_t>(nBlockYSize);
    for (int band = 1; band <= poDS->GetRasterCount(); band++) {
        GDALRasterBand *other = poDS->GetRasterBand(band);
        if (band == nBand || !other) continue;
        GDALRasterBlock *block = other->TryGetLockedBlockRef(block_x, block_y);
        if (!block) {
            block = other->GetLockedBlockRef(block_x, block_y, TRUE);
            if (!block) return;
            memcpy(block->GetDataRef(), values + static_cast<size_t>(band - 1) * pixels,
                   pixels * sizeof(float));
        }
        block->DropLock();
    }
}

CPLErr ViewBand::IReadBlock(int block_x, int block_y, void *image)
{
    const size_t pixels = static_cast<size_t>(nBlockXSize) * static_cast<size_t>(nBlockYSize);
    const int bands = poDS->GetRasterCount();
    if (bands == 1) {
        const s2clr_status status = s2clr_view_block(owner()->view(), owner()->factor(), block_x,
                                                     block_y, static_cast<float *>(image));
        return status == S2CLR_OK ? report_done() : report_failure(status, CPLE_FileIO);
    }
    std::unique_ptr<float, void (*)(void *)> values(
        static_cast<float *>(
            VSI_MALLOC2_VERBOSE(pixels, static_cast<size_t>(bands) * sizeof(float))),
        VSIFree);
    if (!values) return CE_Failure;
    const s2clr_status status =
        s2clr_view_block(owner()->view(), owner()->factor(), block_x, block_y, values.get());
    if (status != S2CLR_OK) return report_failure(status, CPLE_FileIO);
    memcpy(image, values.get() + static_cast<size_t>(nBand - 1) * pixels, pixels * sizeof(float));
    keep_other_bands(block_x, block_y, values.get());
    return report_done();
}

CPLErr ViewBand::IRasterIO(GDALRWFlag flag, int x, int y, int width, int height, void *data,
                           int buffer_width, int buffer_height, GDALDataType type,
                           GSpacing pixel_space, GSpacing line_space, GDALRasterIOExtraArg *extra)
{
    const view_io io{flag, x, y,      width,       height,     data, buffer_width, buffer_height,
                     type, 1, &nBand, pixel_space, line_space, 0,    extra};
    if (view_io_suits(owner(), io)) return view_io_read(owner(), io);
    return GDALPamRasterBand::IRasterIO(flag, x, y, width, height, data, buffer_width,
                                        buffer_height, type, pixel_space, line_space, extra);
}
