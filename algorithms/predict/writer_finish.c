/* Ends an output: overviews, statistics, the final format, the name. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <string.h>

#include "predict/overviews.h"
#include "predict/pwriter.h"
#include "sentinel2/gdal_watch.h"

static s2clr_status close_dataset(s2clr_writer *writer)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALClose(writer->dataset);
    s2clr_gdal_watch_end(&watch);
    writer->dataset = NULL;
    if (watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", writer->options.path,
                               watch.text);
    return S2CLR_OK;
}

static s2clr_status reopen(s2clr_writer *writer)
{
    s2clr_gdal_watch watch;
    const char *const drivers[] = {"GTiff", NULL};
    s2clr_gdal_watch_begin(&watch);
    writer->dataset =
        GDALOpenEx(writer->part, GDAL_OF_RASTER | GDAL_OF_UPDATE, drivers, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!writer->dataset)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be completed: %s", writer->options.path,
                               watch.text);
    return S2CLR_OK;
}

static void set_statistics(const s2clr_writer *writer, int index)
{
    s2clr_writer_plane *plane = &writer->plane[index];
    GDALRasterBandH band = GDALGetRasterBand(writer->dataset, index + 1);
    const double pixels = (double)writer->options.columns * writer->options.rows;
    char percent[32];
    for (int i = 0; i < writer->options.rows; i++) s2clr_moments_merge(&plane->all, &plane->row[i]);
    if (plane->all.count == 0) return;
    GDALSetRasterStatistics(band, plane->all.minimum, plane->all.maximum, plane->all.mean,
                            s2clr_moments_deviation(&plane->all));
    CPLsnprintf(percent, sizeof percent, "%.4g", 100.0 * (double)plane->all.count / pixels);
    GDALSetMetadataItem(band, "STATISTICS_VALID_PERCENT", percent, NULL);
}

static s2clr_status complete(s2clr_writer *writer, const s2clr_progress *progress, double from,
                             double to)
{
    s2clr_gdal_watch watch;
    S2CLR_TRY(close_dataset(writer));
    S2CLR_TRY(reopen(writer));
    s2clr_gdal_watch_begin(&watch);
    for (int i = 0; i < writer->options.bands; i++) set_statistics(writer, i);
    const s2clr_status status =
        s2clr_overviews_build(writer->dataset, writer->options.path, progress, from, to);
    s2clr_gdal_watch_end(&watch);
    S2CLR_TRY(status);
    return close_dataset(writer);
}

typedef struct scaled {
    const s2clr_progress *progress;
    double from, to;
    bool cancelled;
} scaled;

static int CPL_STDCALL pass_on(double done, const char *message, void *context)
{
    scaled *range = context;
    const double fraction = range->from + (range->to - range->from) * done;
    (void)message;
    if (!s2clr_progress_report(range->progress, fraction, "writing COG")) range->cancelled = true;
    return !range->cancelled;
}

static s2clr_status make_cog(s2clr_writer *writer, const s2clr_progress *progress, double from)
{
    scaled range = {.progress = progress, .from = from, .to = 1.0};
    s2clr_gdal_watch watch;
    char **list = s2clr_writer_cog_options(writer);
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH source = GDALOpen(writer->part, GA_ReadOnly);
    GDALDatasetH cog = source ? GDALCreateCopy(GDALGetDriverByName("COG"), writer->final, source,
                                               FALSE, list, pass_on, &range)
                              : NULL;
    const bool made = cog != NULL;
    if (cog) GDALClose(cog);
    if (source) GDALClose(source);
    s2clr_gdal_watch_end(&watch);
    CSLDestroy(list);
    if (range.cancelled) return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
    if (!made || watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: the COG cannot be written: %s",
                               writer->options.path, watch.text);
    return S2CLR_OK;
}

s2clr_status s2clr_writer_finish(s2clr_writer *writer, const s2clr_progress *progress, double from)
{
    const double middle = writer->cog ? from + (1.0 - from) / 2 : 1.0;
    S2CLR_TRY(complete(writer, progress, from, middle));
    return writer->cog ? make_cog(writer, progress, middle) : S2CLR_OK;
}

const char *s2clr_writer_finished(const s2clr_writer *writer)
{
    return writer->final;
}

s2clr_status s2clr_writer_publish(const s2clr_writer *writer)
{
    return s2clr_output_publish(writer->final, writer->target, writer->options.path);
}

void s2clr_writer_statistics(const s2clr_writer *writer, int band, s2clr_moments *moments,
                             uint64_t histogram[10])
{
    const s2clr_writer_plane *plane = &writer->plane[band];
    const double scale = writer->options.byte_output ? 1.0 / S2CLR_BYTE_STEPS : 1.0;
    *moments = plane->all;
    moments->mean *= scale;
    moments->minimum *= scale;
    moments->maximum *= scale;
    moments->squares *= scale * scale;
    memcpy(histogram, plane->histogram, sizeof plane->histogram);
}
