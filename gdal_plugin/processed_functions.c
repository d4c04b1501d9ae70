/*
 * The pointwise functions as steps of processed VRT datasets (GDAL >= 3.9): all bands of a dataset
 * in, one band out. Unlike a derived band GDAL says here what no data is, on both sides.
 */
#include "pixel_functions.h"

#include <cpl_conv.h>
#include <gdal.h>

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 9, 0)

#include <math.h>
#include <pthread.h>

#include "base/memory.h"
#include "pointwise_adapter.h"

/* Arguments are parsed here to refuse them when the dataset is opened, and again for every region:
 * that is cheap, and leaves nothing to free. */
static CPLErr init(const char *name, void *row, CSLConstList arguments, int in_bands,
                   GDALDataType in_type, double *in_nodata, int *out_bands, GDALDataType *out_type,
                   double **out_nodata, const char *vrt_path, VRTPDWorkingDataPtr *working_data)
{
    s2clr_pointwise_call call;
    (void)name, (void)in_type, (void)in_nodata, (void)out_nodata, (void)vrt_path;
    const s2clr_status status =
        s2clr_pointwise_bind(row, (const char *const *)arguments, in_bands, &call);
    if (status != S2CLR_OK) return s2clr_pointwise_report(row, status);
    *out_bands = 1;
    *out_type = GDT_Float32;
    *working_data = NULL;
    return CE_None;
}

/* from: (count, bands); to: (bands, count), NaN where the band's own value means no data. */
static void split_bands(const float *from, const double *nodata, size_t count, size_t bands,
                        float *to)
{
    for (size_t k = 0; k < bands; k++, to += count) {
        const float none = (float)nodata[k];
        for (size_t i = 0; i < count; i++) {
            const float v = from[i * bands + k];
            to[i] = v == none ? NAN : v;
        }
    }
}

static s2clr_status run_region(const s2clr_pointwise_call *call, const float *in,
                               const double *nodata, size_t pixels, float *out)
{
    const float *plane[S2CLR_POINTWISE_SOURCES_MAX];
    const size_t bands = (size_t)call->sources;
    const size_t strip = pixels < S2CLR_STRIP_PIXELS ? pixels : S2CLR_STRIP_PIXELS;
    s2clr_status status = S2CLR_OK;
    float *planes;
    S2CLR_TRY(s2clr_alloc(strip * bands, sizeof *planes, "bands", (void **)&planes));
    for (size_t first = 0; first < pixels && status == S2CLR_OK; first += strip) {
        const size_t count = pixels - first < strip ? pixels - first : strip;
        split_bands(in + first * bands, nodata, count, bands, planes);
        for (size_t k = 0; k < bands; k++) plane[k] = planes + k * count;
        status = s2clr_pointwise_run(call, plane, count, out + first);
    }
    s2clr_free(planes);
    return status;
}

static CPLErr process(const char *name, void *row, VRTPDWorkingDataPtr working_data,
                      CSLConstList arguments, int columns, int rows, const void *in, size_t in_size,
                      GDALDataType in_type, int in_bands, const double *in_nodata, void *out,
                      size_t out_size, GDALDataType out_type, int out_bands,
                      const double *out_nodata, double x, double y, double width, double height,
                      const double transform[], const char *vrt_path, CSLConstList extra)
{
    s2clr_pointwise_call call;
    (void)name, (void)working_data, (void)in_size, (void)in_type, (void)out_size, (void)out_type;
    (void)out_bands, (void)x, (void)y, (void)width, (void)height, (void)transform;
    (void)vrt_path, (void)extra;
    s2clr_status status =
        s2clr_pointwise_bind(row, (const char *const *)arguments, in_bands, &call);
    if (status == S2CLR_OK) {
        if (isnan(call.nodata)) call.nodata = in_nodata[0];
        if (isnan(call.fill)) call.fill = out_nodata[0];
        status = run_region(&call, in, in_nodata, (size_t)columns * (size_t)rows, out);
    }
    return s2clr_pointwise_report(row, status);
}

/* Band counts that a row takes, when they are few: then GDAL itself refuses others. */
static size_t band_counts(const s2clr_pointwise *row, int counts[S2CLR_POINTWISE_SOURCES_MAX])
{
    size_t n = 0;
    for (int bands = row->least; bands <= row->most; bands++) counts[n++] = bands;
    return n;
}

/* GDAL calls a second registration an error. */
static void register_all(void)
{
    for (int id = 0; id < S2CLR_POINTWISE_COUNT; id++) {
        const s2clr_pointwise *row = s2clr_pointwise_row((s2clr_pointwise_id)id);
        int counts[S2CLR_POINTWISE_SOURCES_MAX];
        const size_t n = band_counts(row, counts);
        char *xml = s2clr_pointwise_arguments_xml(row, "ProcessedDatasetFunctionArgumentsList");
        GDALVRTRegisterProcessedDatasetFunc(row->name, (void *)row, xml, GDT_Float32, NULL, 0,
                                            n ? counts : NULL, n, init, NULL, process, NULL);
        CPLFree(xml);
    }
}

void s2clr_processed_functions_register(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_all);
}

#else

void s2clr_processed_functions_register(void)
{
}

#endif
