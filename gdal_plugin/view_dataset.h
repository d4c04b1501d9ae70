/*
 * GDAL's classes around a view: one dataset per open name, one band per output band, and for each
 * overview level a dataset of the same class that shares the view.
 *
 *     GDALDataset *dataset = ViewDataset::create(connection, name);   // NULL: has reported why
 */
#ifndef S2CLR_GDAL_PLUGIN_VIEW_DATASET_H
#define S2CLR_GDAL_PLUGIN_VIEW_DATASET_H

#include <gdal_pam.h>
#include <ogr_spatialref.h>

#include <memory>
#include <vector>

#include "logic.h"

/* Renamed or retyped in GDAL: 3.10 (band lists), 3.12 (geotransforms). */
#ifndef BANDMAP_TYPE
#define BANDMAP_TYPE int *
#endif

class ViewDataset final : public GDALPamDataset
{
  public:
    static GDALDataset *create(const s2clr_connection *connection, const char *name);
    ~ViewDataset() override;

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 12, 0)
    CPLErr GetGeoTransform(GDALGeoTransform &transform) const override;
#else
    CPLErr GetGeoTransform(double *transform) override;
#endif
    const OGRSpatialReference *GetSpatialRef() const override;
    char **GetFileList() override;

    s2clr_view *view() const
    {
        return m_view.get();
    }
    int factor() const
    {
        return m_factor;
    }
    int level_count() const;
    ViewDataset *level(int index) const;

  protected:
    CPLErr IRasterIO(GDALRWFlag flag, int x, int y, int width, int height, void *data,
                     int buffer_width, int buffer_height, GDALDataType type, int bands,
                     BANDMAP_TYPE band_map, GSpacing pixel_space, GSpacing line_space,
                     GSpacing band_space, GDALRasterIOExtraArg *extra) override;
    CPLErr IBuildOverviews(const char *resampling, int overviews, const int *list, int bands,
                           const int *band_list, GDALProgressFunc progress, void *progress_data,
                           CSLConstList options) override;

  private:
    ViewDataset(std::shared_ptr<s2clr_view> view, int factor);
    bool add_bands();
    bool add_levels();
    void describe();

    std::shared_ptr<s2clr_view> m_view;
    const int m_factor;
    OGRSpatialReference m_srs{};
    std::vector<std::unique_ptr<ViewDataset>> m_levels{};
    bool m_levels_hidden = false; /* while GDAL builds an .ovr file beside a sidecar */
};

class ViewBand final : public GDALPamRasterBand
{
  public:
    ViewBand(ViewDataset *dataset, int band);

    double GetNoDataValue(int *success) override;
    double GetMinimum(int *success) override;
    double GetMaximum(int *success) override;
    const char *GetUnitType() override;
    GDALColorInterp GetColorInterpretation() override;
    int GetOverviewCount() override;
    GDALRasterBand *GetOverview(int index) override;

  protected:
    CPLErr IReadBlock(int block_x, int block_y, void *image) override;
    CPLErr IRasterIO(GDALRWFlag flag, int x, int y, int width, int height, void *data,
                     int buffer_width, int buffer_height, GDALDataType type, GSpacing pixel_space,
                     GSpacing line_space, GDALRasterIOExtraArg *extra) override;

  private:
    ViewDataset *owner() const
    {
        return static_cast<ViewDataset *>(poDS);
    }
    const s2clr_output_band &row() const;
    void keep_other_bands(int block_x, int block_y, const float *values);
};

#endif
