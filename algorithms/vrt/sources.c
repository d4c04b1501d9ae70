/* Bands of the scene and maps of models, as sources of VRT bands. */
#include <math.h>
#include <string.h>

#include "sentinel2/bands.h"
#include "vrt/pvrt.h"

/* Rectangles that are off by less are meant to be whole: grids of one product. */
#define SAME 0.01

static double snap(double value)
{
    const double whole = nearbyint(value);
    return fabs(value - whole) < SAME ? whole + 0.0 : value; /* + 0.0: no "-0" */
}

/* Where the whole of a dataset lies on the scene's grid, in its pixels. */
static void destination_of(GDALDatasetH dataset, const s2clr_stack_info *info, double box[4])
{
    double s[6];
    const double *t = info->transform;
    const double w = GDALGetRasterXSize(dataset), h = GDALGetRasterYSize(dataset);
    box[0] = box[1] = 0;
    box[2] = info->width, box[3] = info->height;
    if (!info->has_transform || GDALGetGeoTransform(dataset, s) != CE_None) return;
    const double det = t[1] * t[5] - t[2] * t[4];
    double corner[2][2];
    for (int i = 0; i < 2; i++) {
        const double x = s[0] + i * (w * s[1] + h * s[2]) - t[0];
        const double y = s[3] + i * (w * s[4] + h * s[5]) - t[3];
        corner[i][0] = snap((t[5] * x - t[2] * y) / det);
        corner[i][1] = snap((t[1] * y - t[4] * x) / det);
    }
    box[0] = corner[0][0], box[1] = corner[0][1];
    box[2] = corner[1][0] - corner[0][0], box[3] = corner[1][1] - corner[0][1];
}

static s2clr_status find_band(const s2clr_vrt_scene *scene, const char *band, const char **name,
                              int *number)
{
    if (strcmp(band, "SCL") == 0) {
        *name = s2clr_stack_scl(scene->stack, number);
        return S2CLR_OK;
    }
    for (int i = 0; i < scene->info->bands; i++) {
        if (strcmp(scene->info->band[i].band, band) != 0) continue;
        *name = scene->info->band[i].source;
        *number = scene->info->band[i].number;
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "template %s: takes band %s, which the model does not use",
                           scene->settings->recipe, band);
}

s2clr_status s2clr_vrt_put_band(s2clr_vrt_scene *scene, const char *band, const char *resampling,
                                FILE *to)
{
    const char *name, *relative;
    int number;
    GDALDatasetH dataset;
    S2CLR_TRY(find_band(scene, band, &name, &number));
    S2CLR_TRY(s2clr_vrt_scene_dataset(scene, name, &dataset));
    GDALRasterBandH raster = GDALGetRasterBand(dataset, number);
    s2clr_vrt_source source = {.name = name,
                               .band = number,
                               .width = GDALGetRasterXSize(dataset),
                               .height = GDALGetRasterYSize(dataset),
                               .type = GDALGetRasterDataType(raster)};
    GDALGetBlockSize(raster, &source.block_width, &source.block_height);
    destination_of(dataset, scene->info, source.destination);
    /* A band of the VRT's own pixel size is copied, whatever the resampling. */
    if (source.destination[2] != source.width || source.destination[3] != source.height)
        source.resampling = resampling;
    if (s2clr_vrt_relative(name, scene->settings->output, &relative)) {
        source.name = relative;
        source.relative = true;
    }
    return s2clr_vrt_put_source(to, &source);
}

s2clr_status s2clr_vrt_put_map(s2clr_vrt_scene *scene, size_t model, int band, bool on_input,
                               FILE *to)
{
    const s2clr_vrt_model *m = &scene->model[model];
    const s2clr_view_info *info = s2clr_view_describe(m->view);
    const double scale = on_input ? m->stride : 1;
    const s2clr_vrt_source source = {
        .name = m->connection,
        .band = band,
        .options = (const char *const *)scene->options,
        .width = info->columns,
        .height = info->rows,
        .block_width = info->block_columns,
        .block_height = info->block_rows,
        .type = GDT_Float32,
        .destination = {0, 0, scale * info->columns, scale * info->rows},
    };
    return s2clr_vrt_put_source(to, &source);
}

s2clr_status s2clr_vrt_put_map_bands(s2clr_vrt_scene *scene, FILE *to)
{
    const s2clr_output_bands *bands = s2clr_view_describe(scene->model[0].view)->bands;
    for (int i = 0; i < bands->count; i++) {
        const s2clr_output_band *band = &bands->band[i];
        fprintf(to, "%s<VRTRasterBand dataType=\"Float32\" band=\"%d\">\n    <Description>",
                i ? "\n  " : "", i + 1);
        S2CLR_TRY(s2clr_vrt_escape(to, band->name));
        fputs("</Description>\n    <NoDataValue>nan</NoDataValue>\n", to);
        if (band->row->unit && band->row->unit[0]) {
            fputs("    <UnitType>", to);
            S2CLR_TRY(s2clr_vrt_escape(to, band->row->unit));
            fputs("</UnitType>\n", to);
        }
        fputs("    <ColorInterp>Gray</ColorInterp>\n    ", to);
        S2CLR_TRY(s2clr_vrt_put_map(scene, 0, i + 1, false, to));
        fputs("\n  </VRTRasterBand>", to);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_vrt_common_type(s2clr_vrt_scene *scene, GDALDataType *out)
{
    GDALDataType type = GDT_Unknown;
    for (int i = 0; i < scene->info->bands; i++) {
        GDALDatasetH dataset;
        const s2clr_stack_band *band = &scene->info->band[i];
        S2CLR_TRY(s2clr_vrt_scene_dataset(scene, band->source, &dataset));
        const GDALDataType own = GDALGetRasterDataType(GDALGetRasterBand(dataset, band->number));
        type = type == GDT_Unknown ? own : GDALDataTypeUnion(type, own);
    }
    *out = type;
    return S2CLR_OK;
}
