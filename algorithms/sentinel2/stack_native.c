#include "sentinel2/stack_native.h"

#include "sentinel2/pstack.h"

/* Pixel types that patches have, and GDAL's for them. */
static const struct {
    GDALDataType gdal;
    s2clr_dtype dtype;
    size_t bytes;
} types[] = {
    {GDT_Byte, S2CLR_DTYPE_U8, 1},
    {GDT_UInt16, S2CLR_DTYPE_U16, 2},
    {GDT_Int16, S2CLR_DTYPE_I16, 2},
    {GDT_Float32, S2CLR_DTYPE_F32, 4},
};
enum { TYPES = sizeof types / sizeof types[0] };

static const s2clr_plane *plane_of(const s2clr_stack *stack, int index)
{
    return index < stack->info.bands ? &stack->plane[index] : &stack->scl;
}

s2clr_status s2clr_stack_native(const s2clr_stack *stack, int index, s2clr_native *out)
{
    const s2clr_plane *plane = plane_of(stack, index);
    const bool scl = index >= stack->info.bands;
    const GDALDataType type = GDALGetRasterDataType(plane->band);
    const char *source = scl ? stack->scl_source : stack->info.band[index].source;
    size_t row = 0;
    while (row < TYPES && types[row].gdal != type) row++;
    if (row == TYPES)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: band %d holds %s values; patches hold Byte, UInt16, Int16 or "
                               "Float32: convert it first, gdal_translate -ot",
                               source, plane->number, GDALGetDataTypeName(type));
    *out = (s2clr_native){.name = scl ? "SCL" : stack->info.band[index].band,
                          .source = source,
                          .dtype = types[row].dtype,
                          .pixel_bytes = types[row].bytes,
                          .width = GDALGetRasterBandXSize(plane->band),
                          .height = GDALGetRasterBandYSize(plane->band),
                          .scale = plane->x.scale,
                          .shift_x = plane->x.shift,
                          .shift_y = plane->y.shift};
    return S2CLR_OK;
}

s2clr_status s2clr_stack_native_read(s2clr_stack *stack, int index, int x, int y, int w, int h,
                                     void *out)
{
    const s2clr_plane *plane = plane_of(stack, index);
    s2clr_native band;
    s2clr_gdal_watch watch;
    S2CLR_TRY(s2clr_stack_native(stack, index, &band));
    if (x < 0 || y < 0 || w < 1 || h < 1 || w > band.width - x || h > band.height - y)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: pixels %d,%d + %d x %d asked for; it has %d x %d", band.source,
                               x, y, w, h, band.width, band.height);
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error = GDALRasterIO(plane->band, GF_Read, x, y, w, h, out, w, h,
                                      GDALGetRasterDataType(plane->band), 0, 0);
    s2clr_gdal_watch_end(&watch);
    if (error == CE_None && !watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: band %d cannot be read at %d,%d: %s", band.source,
                           plane->number, x, y, watch.text);
}
