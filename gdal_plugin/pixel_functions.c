/*
 * The pointwise functions as functions of derived VRT bands. GDAL hands over packed buffers of the
 * sources and wants its own type and spacing back; a window is worked off in strips of whole lines.
 */
#include "pixel_functions.h"

#include <cpl_conv.h>
#include <gdal.h>

#include "base/memory.h"
#include "pointwise_adapter.h"

typedef struct window {
    void **source;
    GDALDataType source_type, type;
    char *data;
    int columns, rows, pixel_space, line_space;
    int strip_rows;
    const float **plane; // (sources) of one strip
    float *floats;       // (sources, strip) when the sources are not float already
    float *out;          // (strip)
} window;

static size_t strip_pixels(const window *w)
{
    return (size_t)w->strip_rows * (size_t)w->columns;
}

static s2clr_status allocate(const s2clr_pointwise_call *call, window *w)
{
    const size_t sources = (size_t)call->sources;
    size_t floats;
    S2CLR_TRY(s2clr_size_mul(strip_pixels(w), sources, &floats));
    S2CLR_TRY(s2clr_alloc(sources, sizeof *w->plane, "sources", (void **)&w->plane));
    S2CLR_TRY(s2clr_alloc(strip_pixels(w), sizeof(float), "strip", (void **)&w->out));
    if (w->source_type == GDT_Float32) return S2CLR_OK;
    return s2clr_alloc(floats, sizeof(float), "strips of the sources", (void **)&w->floats);
}

static void read_strip(const s2clr_pointwise_call *call, const window *w, int row, int rows)
{
    const size_t first = (size_t)row * (size_t)w->columns;
    const int pixels = rows * w->columns, bytes = GDALGetDataTypeSizeBytes(w->source_type);
    for (int k = 0; k < call->sources; k++) {
        const char *from = (const char *)w->source[k] + first * (size_t)bytes;
        if (w->floats) {
            float *to = w->floats + (size_t)k * strip_pixels(w);
            GDALCopyWords(from, w->source_type, bytes, to, GDT_Float32, sizeof *to, pixels);
            w->plane[k] = to;
        } else {
            w->plane[k] = (const float *)(const void *)from;
        }
    }
}

static void write_strip(const window *w, int row, int rows)
{
    for (int r = 0; r < rows; r++)
        GDALCopyWords(w->out + (size_t)r * (size_t)w->columns, GDT_Float32, sizeof *w->out,
                      w->data + (ptrdiff_t)(row + r) * w->line_space, w->type, w->pixel_space,
                      w->columns);
}

static s2clr_status run_strips(const s2clr_pointwise_call *call, window *w)
{
    S2CLR_TRY(allocate(call, w));
    for (int row = 0; row < w->rows; row += w->strip_rows) {
        const int rows = w->rows - row < w->strip_rows ? w->rows - row : w->strip_rows;
        read_strip(call, w, row, rows);
        S2CLR_TRY(s2clr_pointwise_run(call, w->plane, (size_t)rows * (size_t)w->columns, w->out));
        write_strip(w, row, rows);
    }
    return S2CLR_OK;
}

static s2clr_status run_row(const s2clr_pointwise *row, int sources, const char *const *arguments,
                            window *w)
{
    s2clr_pointwise_call call;
    S2CLR_TRY(s2clr_pointwise_bind(row, arguments, sources, &call));
    if (GDALDataTypeIsComplex(w->source_type))
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "the sources are of type %s, wanted real numbers; write "
                               "<SourceTransferType>Float32</SourceTransferType>",
                               GDALGetDataTypeName(w->source_type));
    if (w->columns < 1 || w->rows < 1) return S2CLR_OK;
    w->strip_rows = S2CLR_STRIP_PIXELS / w->columns + 1;
    if (w->strip_rows > w->rows) w->strip_rows = w->rows;
    const s2clr_status status = run_strips(&call, w);
    s2clr_free(w->plane);
    s2clr_free(w->floats);
    s2clr_free(w->out);
    return status;
}

/* GDAL passes nothing that tells which function is meant, so every row needs one of its own. */
#define TRAMPOLINE(id)                                                                             \
    static CPLErr run_##id(void **source, int sources, void *data, int columns, int rows,          \
                           GDALDataType source_type, GDALDataType type, int pixel_space,           \
                           int line_space, CSLConstList arguments)                                 \
    {                                                                                              \
        window w = {source,      source_type, type, data, columns, rows,                           \
                    pixel_space, line_space,  0,    NULL, NULL,    NULL};                          \
        const s2clr_pointwise *row = s2clr_pointwise_row(S2CLR_POINTWISE_##id);                    \
        return s2clr_pointwise_report(row,                                                         \
                                      run_row(row, sources, (const char *const *)arguments, &w));  \
    }
S2CLR_POINTWISE_ROWS(TRAMPOLINE)

#define TRAMPOLINE_ENTRY(id) [S2CLR_POINTWISE_##id] = run_##id,
static const GDALDerivedPixelFuncWithArgs trampolines[S2CLR_POINTWISE_COUNT] = {
    S2CLR_POINTWISE_ROWS(TRAMPOLINE_ENTRY)};

void s2clr_pixel_functions_register(void)
{
    for (int id = 0; id < S2CLR_POINTWISE_COUNT; id++) {
        const s2clr_pointwise *row = s2clr_pointwise_row((s2clr_pointwise_id)id);
        char *xml = s2clr_pointwise_arguments_xml(row, "PixelFunctionArgumentsList");
        GDALAddDerivedBandPixelFuncWithArgs(row->name, trampolines[id], xml);
        CPLFree(xml);
    }
}
