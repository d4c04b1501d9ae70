/*
 * s2clr_patch: GDAL hands a pixel function neither a window nor its neighbourhood. Two coordinate
 * sources (S2CLR_GRID) say which pixels are meant; the values come from a view.
 */
#include "pixel_patch.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <gdal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "predict/connection.h"
#include "predict/patch_lookup.h"

#define NAME "s2clr_patch"

static CPLErr failed(void)
{
    CPLError(CE_Failure, CPLE_AppDefined, NAME ": %s", s2clr_error_text());
    return CE_Failure;
}

/* `source` and `band` are ours, the rest are open options; *options is a CSL of the caller. */
static s2clr_status split_arguments(CSLConstList arguments, s2clr_patch_request *request,
                                    char ***options)
{
    for (; arguments && *arguments; arguments++) {
        char *key = NULL;
        const char *value = CPLParseNameValue(*arguments, &key);
        if (key && EQUAL(key, "source"))
            request->name = value;
        else if (key && EQUAL(key, "band"))
            request->band = value;
        else
            *options = CSLAddString(*options, *arguments);
        CPLFree(key);
    }
    request->options = (const char *const *)*options;
    if (request->name && request->name[0]) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "argument source is missing: write "
                           "<PixelFunctionArguments source='S2CLR:\"MODEL\":\"RASTER\"' "
                           "band=\"probability\"/>");
}

static s2clr_status take_coordinates(void **sources, GDALDataType type, size_t pixels, double *to)
{
    const int bytes = GDALGetDataTypeSizeBytes(type);
    if (GDALDataTypeIsComplex(type) || bytes < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the coordinate sources arrive as %s; write "
                               "<SourceTransferType>Float64</SourceTransferType>",
                               GDALGetDataTypeName(type));
    for (size_t k = 0; k < 2; k++)
        GDALCopyWords64(sources[k], type, bytes, to + k * pixels, GDT_Float64, sizeof *to,
                        (GPtrDiff_t)pixels);
    return S2CLR_OK;
}

static s2clr_status look_up(void **sources, int count, int columns, int rows, GDALDataType type,
                            s2clr_patch_request *request, float **out)
{
    const size_t pixels = (size_t)columns * (size_t)rows;
    double *coordinates;
    float *values;
    if (count != 2)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%d sources, expected 2: the bands 1 (x) and 2 (y) of "
                               "S2CLR_GRID:COLUMNS:ROWS",
                               count);
    S2CLR_TRY(s2clr_alloc(2 * pixels, sizeof *coordinates, "coordinates", (void **)&coordinates));
    s2clr_status status = take_coordinates(sources, type, pixels, coordinates);
    if (status == S2CLR_OK) status = s2clr_alloc(pixels, sizeof *values, "map", (void **)&values);
    if (status == S2CLR_OK) {
        request->columns = columns, request->rows = rows;
        request->x = coordinates, request->y = coordinates + pixels;
        status = s2clr_patch_lookup(request, values);
        if (status == S2CLR_OK)
            *out = values;
        else
            s2clr_free(values);
    }
    s2clr_free(coordinates);
    return status;
}

static CPLErr run(void **sources, int count, void *data, int columns, int rows,
                  GDALDataType source_type, GDALDataType type, int pixel_space, int line_space,
                  CSLConstList arguments)
{
    s2clr_patch_request request = {0};
    char **options = NULL;
    float *values = NULL;
    s2clr_status status = split_arguments(arguments, &request, &options);
    if (status == S2CLR_OK)
        status = look_up(sources, count, columns, rows, source_type, &request, &values);
    CSLDestroy(options);
    if (status != S2CLR_OK) return failed();
    for (int row = 0; row < rows; row++)
        GDALCopyWords64(values + (size_t)row * (size_t)columns, GDT_Float32, sizeof *values,
                        (GByte *)data + (GPtrDiff_t)row * line_space, type, pixel_space, columns);
    s2clr_free(values);
    return CE_None;
}

static void add_argument(CPLXMLNode *list, const char *name, const char *type, const char *help)
{
    CPLXMLNode *row = CPLCreateXMLNode(list, CXT_Element, "Argument");
    CPLAddXMLAttributeAndValue(row, "name", name);
    CPLAddXMLAttributeAndValue(row, "type", type);
    CPLAddXMLAttributeAndValue(row, "description", help);
    CPLAddXMLAttributeAndValue(row, "optional", EQUAL(name, "source") ? "false" : "true");
}

/* Open option types in the words that pixel functions use for theirs. */
static const char *argument_type(const s2clr_open_option *option)
{
    if (EQUAL(option->type, "int")) return "integer";
    return EQUAL(option->type, "float") ? "double" : "string";
}

/* Free with CPLFree(). */
static char *describe_arguments(void)
{
    const s2clr_open_option *option;
    const size_t count = s2clr_open_option_list(&option);
    CPLXMLNode *list = CPLCreateXMLNode(NULL, CXT_Element, "PixelFunctionArgumentsList");
    add_argument(list, "source", "string", "Connection string S2CLR:... or sidecar file");
    add_argument(list, "band", "string", "Name of an output band");
    for (size_t i = 0; i < count; i++)
        add_argument(list, option[i].name, argument_type(&option[i]), option[i].help);
    char *text = CPLSerializeXMLTree(list);
    CPLDestroyXMLNode(list);
    return text;
}

void s2clr_patch_function_register(void)
{
    char *metadata = describe_arguments();
    GDALAddDerivedBandPixelFuncWithArgs(NAME, run, metadata);
    CPLFree(metadata);
}
