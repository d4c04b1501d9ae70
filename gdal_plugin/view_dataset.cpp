#include "view_dataset.h"

#include <cpl_string.h>

#include <new>

#include "plugin.h"
#include "report.h"
#include "view_raster_io.h"

ViewDataset::ViewDataset(std::shared_ptr<s2clr_view> view, int factor)
    : m_view(std::move(view)), m_factor(factor)
{
    const s2clr_view_info *info = s2clr_view_describe(m_view.get());
    s2clr_view_level_size(m_view.get(), factor, &nRasterXSize, &nRasterYSize);
    eAccess = GA_ReadOnly;
    m_srs.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
    if (info->wkt[0]) m_srs.importFromWkt(info->wkt);
}

ViewDataset::~ViewDataset()
{
    FlushCache(true);
}

bool ViewDataset::add_bands()
{
    const int bands = s2clr_view_describe(m_view.get())->bands->count;
    for (int band = 1; band <= bands; band++) {
        auto *made = new (std::nothrow) ViewBand(this, band);
        if (!made) return false;
        SetBand(band, made);
    }
    if (bands > 1) GDALMajorObject::SetMetadataItem("INTERLEAVE", "PIXEL", "IMAGE_STRUCTURE");
    return true;
}

bool ViewDataset::add_levels()
{
    const s2clr_view_info *info = s2clr_view_describe(m_view.get());
    for (int i = 0; i < info->levels; i++) {
        std::unique_ptr<ViewDataset> level(new (std::nothrow) ViewDataset(m_view, info->level[i]));
        if (!level) return false;
        level->nPamFlags |= GPF_NOSAVE;
        if (!level->add_bands()) return false;
        m_levels.push_back(std::move(level));
    }
    return true;
}

/* Set past the class's own setters, which would mark the .aux.xml file as changed. */
void ViewDataset::describe()
{
    const s2clr_view_info *info = s2clr_view_describe(m_view.get());
    CPLStringList tags(CSLDuplicate(const_cast<char **>(info->tags)));
    GDALMajorObject::SetMetadata(tags.List(), "S2CLR");
    CPLStringList card;
    card.AddString(info->card_json);
    GDALMajorObject::SetMetadata(card.List(), "json:S2CLR");
    GDALMajorObject::SetMetadataItem(GDALMD_AREA_OR_POINT, GDALMD_AOP_AREA);
    for (const char *const *name = s2clr_provenance_shown(); *name; name++) {
        const char *value = tags.FetchNameValue(*name);
        if (value) GDALMajorObject::SetMetadataItem(CPLSPrintf("S2CLR_%s", *name), value);
    }
}

static void warn(const s2clr_view_info *info, const char *name)
{
    for (int i = 0; i < info->stack->warnings; i++)
        CPLError(CE_Warning, CPLE_AppDefined, "%s", info->stack->warning[i]);
    if (info->warning && info->warning[0]) CPLDebug("S2CLR", "%.200s: %s", name, info->warning);
}

static void close_view(s2clr_view *view)
{
    /* While the process ends, what the model computes with may be gone already. */
    if (!plugin_is_leaving()) s2clr_view_close(view);
}

GDALDataset *ViewDataset::create(const s2clr_connection *connection, const char *name)
{
    s2clr_view *opened;
    const s2clr_status status = s2clr_view_open(s2clr_connection_settings(connection), &opened);
    if (status != S2CLR_OK) {
        report_failure(status, CPLE_OpenFailed);
        return nullptr;
    }
    std::shared_ptr<s2clr_view> view(opened, close_view);
    std::unique_ptr<ViewDataset> dataset(new ViewDataset(view, 1));
    if (!dataset->add_bands() || !dataset->add_levels()) {
        CPLError(CE_Failure, CPLE_OutOfMemory, "%.200s: no memory for its bands", name);
        return nullptr;
    }
    dataset->SetDescription(name);
    dataset->describe();
    if (s2clr_connection_is_sidecar(connection)) {
        dataset->TryLoadXML();
        dataset->oOvManager.Initialize(dataset.get(), name);
    } else {
        /* There is no file beside which statistics could be kept. */
        dataset->nPamFlags |= GPF_NOSAVE;
    }
    warn(s2clr_view_describe(opened), name);
    return dataset.release();
}

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 12, 0)
CPLErr ViewDataset::GetGeoTransform(GDALGeoTransform &transform) const
#else
CPLErr ViewDataset::GetGeoTransform(double *transform)
#endif
{
    const s2clr_view_info *info = s2clr_view_describe(m_view.get());
    const double scale[6] = {1, double(m_factor), double(m_factor),
                             1, double(m_factor), double(m_factor)};
    for (int i = 0; i < 6; i++) transform[i] = info->transform[i] * scale[i];
    return info->has_transform ? CE_None : CE_Failure;
}

const OGRSpatialReference *ViewDataset::GetSpatialRef() const
{
    return m_srs.IsEmpty() ? nullptr : &m_srs;
}

/* The file itself and its .aux.xml and .ovr (GDAL knows them), then what the view reads. */
char **ViewDataset::GetFileList()
{
    CPLStringList files(GDALPamDataset::GetFileList());
    for (const char *const *file = s2clr_view_describe(m_view.get())->files; file && *file; file++)
        if (files.FindString(*file) < 0) files.AddString(*file);
    return files.StealList();
}

int ViewDataset::level_count() const
{
    return m_levels_hidden || !AreOverviewsEnabled() ? 0 : static_cast<int>(m_levels.size());
}

ViewDataset *ViewDataset::level(int index) const
{
    return m_levels[static_cast<size_t>(index)].get();
}

CPLErr ViewDataset::IRasterIO(GDALRWFlag flag, int x, int y, int width, int height, void *data,
                              int buffer_width, int buffer_height, GDALDataType type, int bands,
                              BANDMAP_TYPE band_map, GSpacing pixel_space, GSpacing line_space,
                              GSpacing band_space, GDALRasterIOExtraArg *extra)
{
    const view_io io{flag,          x,    y,     width,    height,      data,       buffer_width,
                     buffer_height, type, bands, band_map, pixel_space, line_space, band_space,
                     extra};
    if (view_io_suits(this, io)) return view_io_read(this, io);
    return GDALPamDataset::IRasterIO(flag, x, y, width, height, data, buffer_width, buffer_height,
                                     type, bands, band_map, pixel_space, line_space, band_space,
                                     extra);
}

/* GDAL would take our levels for overviews that exist already and try to write into them. */
CPLErr ViewDataset::IBuildOverviews(const char *resampling, int overviews, const int *list,
                                    int bands, const int *band_list, GDALProgressFunc progress,
                                    void *progress_data, CSLConstList options)
{
    m_levels_hidden = true;
    const CPLErr result = GDALPamDataset::IBuildOverviews(
        resampling, overviews, list, bands, band_list, progress, progress_data, options);
    m_levels_hidden = false;
    return result;
}
