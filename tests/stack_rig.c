#include "stack_rig.h"

#include <cpl_string.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

s2clr_card rig_card(const char *bands)
{
    static const char *const levels[] = {"L2A", "L1C"};
    s2clr_card card = {.version = S2CLR_CARD_VERSION, .patch = 64, .metres = 10, .stride = 32};
    snprintf(card.id, sizeof card.id, "rig");
    snprintf(card.resampling, sizeof card.resampling, "bilinear");
    char **names = CSLTokenizeString2(bands, ",", 0);
    card.bands = CSLCount(names);
    card.levels = 2;
    for (int i = 0; i < card.bands; i++) {
        snprintf(card.band[i], sizeof card.band[i], "%s", names[i]);
        card.std[i] = 1;
        card.level[0].gain[i] = card.level[1].gain[i] = 1;
    }
    for (int l = 0; l < 2; l++) {
        snprintf(card.level[l].name, sizeof card.level[l].name, "%s", levels[l]);
        card.level[l].low = -1e9, card.level[l].high = 1e9;
        card.level[l].has_nodata = true;
    }
    CSLDestroy(names);
    return card;
}

const char *rig_path(const char *name)
{
    static char ring[8][1024];
    static int next;
    char *path = ring[next++ % 8];
    snprintf(path, sizeof ring[0], "%s/%s", test_folder(), name);
    return path;
}

static void set_place(GDALDatasetH dataset, const rig_raster *spec)
{
    double t[6] = {600000 + spec->shift_x, spec->metres, 0, 4200000 + spec->shift_y, 0,
                   -spec->metres};
    if (!spec->transform && spec->metres == 0) return;
    if (spec->transform) memcpy(t, spec->transform, sizeof t);
    GDALSetGeoTransform(dataset, t);
    if (spec->epsg < 0) return;
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(crs, spec->epsg ? spec->epsg : 32630);
    OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    GDALSetSpatialRef(dataset, crs);
    OSRDestroySpatialReference(crs);
}

static void fill_band(GDALRasterBandH band, int number, const rig_raster *spec)
{
    double *row = malloc((size_t)spec->width * sizeof *row);
    for (int y = 0; y < spec->height; y++) {
        for (int x = 0; x < spec->width; x++) row[x] = spec->fill(number, x, y);
        CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Write, 0, y, spec->width, 1, row, spec->width, 1,
                                     GDT_Float64, 0, 0),
                        CE_None);
    }
    free(row);
}

const char *rig_write(const rig_raster *spec)
{
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    const char *path = rig_path(spec->name);
    const GDALDataType type = spec->type == GDT_Unknown ? GDT_UInt16 : spec->type;
    GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), path, spec->width, spec->height,
                                      spec->bands, type, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    char **names = CSLTokenizeString2(spec->names ? spec->names : "", ",", CSLT_HONOURSTRINGS);
    set_place(dataset, spec);
    for (int i = 1; i <= spec->bands; i++) {
        GDALRasterBandH band = GDALGetRasterBand(dataset, i);
        if (i <= CSLCount(names)) GDALSetDescription(band, names[i - 1]);
        if (spec->nodata) GDALSetRasterNoDataValue(band, *spec->nodata);
        if (spec->fill) fill_band(band, i, spec);
    }
    CSLDestroy(names);
    GDALClose(dataset);
    return path;
}

s2clr_stack *rig_open(const char *input, const s2clr_card *card, const s2clr_stack_options *options)
{
    s2clr_stack *stack = NULL;
    TEST_OK(s2clr_stack_open(&input, 1, card, options, &stack));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stack);
    return stack;
}

void rig_refused(const char *const *inputs, const s2clr_card *card,
                 const s2clr_stack_options *options, s2clr_status status, const char *text)
{
    s2clr_stack *stack = NULL;
    size_t count = 0;
    while (inputs[count]) count++;
    CU_ASSERT_EQUAL(s2clr_stack_open(inputs, count, card, options, &stack), status);
    CU_ASSERT_PTR_NULL(stack);
    TEST_ERROR_SAYS(text);
    s2clr_stack_close(stack);
}

void rig_read_all(s2clr_stack *stack, float **values, uint8_t **valid)
{
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    const size_t plane = (size_t)info->width * (size_t)info->height;
    *values = malloc(plane * (size_t)info->bands * sizeof **values);
    *valid = malloc(plane);
    CU_ASSERT_FATAL(*values && *valid);
    TEST_OK(s2clr_stack_read(stack, 0, 0, info->width, info->height, *values, *valid));
}

bool rig_warned(const s2clr_stack *stack, const char *text)
{
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    for (int i = 0; i < info->warnings; i++)
        if (strstr(info->warning[i], text)) return true;
    return false;
}

const s2clr_stack_info *rig_opens_as(const char *input, const char *bands, const char *kind,
                                     s2clr_stack **out)
{
    const s2clr_card card = rig_card(bands);
    *out = rig_open(input, &card, NULL);
    const s2clr_stack_info *info = s2clr_stack_describe(*out);
    CU_ASSERT_STRING_EQUAL(info->opened_as, kind);
    return info;
}

/* One window against the whole read, bit by bit; what lies outside is invalid and 0. */
static bool window_agrees(s2clr_stack *stack, const float *whole, const uint8_t *whole_valid,
                          const int window[4])
{
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    const int w = window[2], h = window[3];
    const size_t plane = (size_t)w * (size_t)h;
    float *values = malloc(plane * (size_t)info->bands * sizeof *values);
    uint8_t *valid = malloc(plane);
    bool same = true;
    memset(values, 0x7f, plane * (size_t)info->bands * sizeof *values);
    TEST_OK(s2clr_stack_read(stack, window[0], window[1], w, h, values, valid));
    for (int b = 0; b < info->bands; b++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const int gx = window[0] + x, gy = window[1] + y;
                const bool in = gx >= 0 && gy >= 0 && gx < info->width && gy < info->height;
                const size_t g = in ? (size_t)gy * (size_t)info->width + (size_t)gx : 0;
                const size_t total = (size_t)info->width * (size_t)info->height;
                const float wanted = in ? whole[(size_t)b * total + g] : 0;
                const size_t at = (size_t)y * (size_t)w + (size_t)x;
                same = same && memcmp(&values[(size_t)b * plane + at], &wanted, 4) == 0;
                same = same && valid[at] == (in ? whole_valid[g] : 0);
            }
    free(values), free(valid);
    return same;
}

void rig_check_windows(s2clr_stack *stack)
{
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    const int w = info->width, h = info->height;
    const int fixed[][4] = {{0, 0, 1, 1},     {w - 1, h - 1, 1, 1},   {-5, -7, 13, 11},
                            {w - 3, 2, 9, 5}, {3, h - 2, 6, 8},       {1, 1, w - 2, 1},
                            {7, 0, 1, h},     {-3, -3, w + 6, h + 6}, {w, 0, 4, 4},
                            {0, -9, 5, 9}};
    float *whole;
    uint8_t *valid;
    unsigned seed = 12345;
    rig_read_all(stack, &whole, &valid);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        CU_ASSERT_TRUE(window_agrees(stack, whole, valid, fixed[i]));
    for (int i = 0; i < 60; i++) {
        int window[4];
        for (int k = 0; k < 4; k++) {
            seed = seed * 1664525u + 1013904223u;
            const int range = k % 2 ? h : w;
            window[k] =
                (int)((seed >> 8) % (unsigned)(k < 2 ? range + 10 : range / 2)) - (k < 2 ? 5 : -1);
        }
        CU_ASSERT_TRUE(window_agrees(stack, whole, valid, window));
    }
    free(whole), free(valid);
}
