/* Pixel shape, ground size, rotation, missing georeference; product XML that lies. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "sentinel2/pstack.h"
#include "stack_rig.h"

static double ground(int band, int x, int y)
{
    return 1000 * band + 7 * x + y;
}

static rig_raster with_transform(const double *transform, int epsg)
{
    return (rig_raster){.name = "shape.tif",
                        .width = 20,
                        .height = 10,
                        .bands = 1,
                        .transform = transform,
                        .epsg = epsg,
                        .names = "B4",
                        .fill = ground};
}

static void refused(const double *transform, int epsg, const char *text)
{
    const rig_raster spec = with_transform(transform, epsg);
    const char *const inputs[] = {rig_write(&spec), NULL};
    const s2clr_card card = rig_card("B04");
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, text);
}

/* Opens; the ground size must be x by y metres; `warning` NULL: none. */
static void accepted(const double *transform, int epsg, double x, double y, const char *warning)
{
    const rig_raster spec = with_transform(transform, epsg);
    const s2clr_card card = rig_card("B04");
    s2clr_stack_options options = {.level = "L2A"};
    s2clr_stack *stack = rig_open(rig_write(&spec), &card, &options);
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    TEST_NEAR(info->metres_x, x, 0.005 * x);
    TEST_NEAR(info->metres_y, y, 0.005 * y);
    CU_ASSERT_EQUAL(info->warnings, warning ? 1 : 0);
    if (warning) CU_ASSERT_TRUE(rig_warned(stack, warning));
    if (transform) CU_ASSERT_EQUAL(memcmp(info->transform, transform, sizeof info->transform), 0);
    s2clr_stack_close(stack);
}

static void aspect(void)
{
    const double one_percent[6] = {6e5, 10, 0, 4.2e6, 0, -10.09};
    const double two_percent[6] = {6e5, 10, 0, 4.2e6, 0, -10.2};
    const double sheared[6] = {6e5, 10, 3, 4.2e6, 0, -10};
    accepted(one_percent, 32630, 10, 10.09, NULL);
    refused(two_percent, 32630, "gdalwarp -tr 10 10");
    refused(sheared, 32630, "gdalwarp -tr 10 10");
    refused(two_percent, -1, "10 x 10.2 CRS units");
}

static void ground_size(void)
{
    const double fourteen[6] = {6e5, 14, 0, 4.2e6, 0, -14}, seven[6] = {6e5, 7, 0, 4.2e6, 0, -7};
    const double sixteen[6] = {6e5, 16, 0, 4.2e6, 0, -16}, six[6] = {6e5, 6, 0, 4.2e6, 0, -6};
    accepted(fourteen, 32630, 14, 14, "wants 10 m");
    accepted(seven, 32630, 7, 7, "wants 10 m");
    refused(sixteen, 32630, "16 x 16 m on the ground");
    refused(six, 32630, "gdalwarp -tr 10 10");
}

/* Metres per degree at 45 N on WGS 84: 78847 along the parallel, 111132 along the meridian. */
static void degrees(void)
{
    const double at45[6] = {10, 1e-4, 0, 45, 0, -1e-4};
    const double at75[6] = {10, 1e-4, 0, 75, 0, -1e-4};
    const double coarse[6] = {10, 3e-4, 0, 45, 0, -3e-4};
    const double nowhere[6] = {10, 1e-4, 0, 95, 0, -1e-4};
    accepted(at45, 4326, 7.8847, 11.1132, "geographic CRS");
    const double south[6] = {-179.9999, 1e-4, 0, -45, 0, -1e-4};
    const double polar[6] = {10, 6e-4, 0, 85, 0, -6e-4};
    refused(at75, 4326, "gdalwarp -t_srs EPSG:32632 -tr 10 10");
    accepted(south, 4326, 7.8847, 11.1132, "gdalwarp -t_srs EPSG:32701 -tr 10 10");
    refused(polar, 4326, "gdalwarp -tr 10 10"); /* UTM ends at 84 N */
    refused(coarse, 4326, "on the ground");
    const rig_raster spec = with_transform(nowhere, 4326);
    const char *const inputs[] = {rig_write(&spec), NULL};
    const s2clr_card card = rig_card("B04");
    rig_refused(inputs, &card, NULL, S2CLR_ERR_FORMAT, "does not lie on the Earth");
}

/* Web Mercator stretches by 1 / cos(latitude): 14.2 units are 10 m at 45.2 N. Feet are feet. */
static void stretched_units(void)
{
    const double mercator[6] = {1e6, 14.2, 0, 5.65e6, 0, -14.2};
    const double feet[6] = {2e6, 33, 0, 7e5, 0, -33};
    accepted(mercator, 3857, 10.03, 10.03, NULL);
    accepted(feet, 2263, 33 * 0.3048006096, 33 * 0.3048006096, NULL); /* NAD83 / New York, ft */
}

static void rotated(void)
{
    const double c = 10 * cos(0.5), s = 10 * sin(0.5);
    const double turned[6] = {6e5, c, s, 4.2e6, s, -c};
    float values[200];
    uint8_t valid[200];
    accepted(turned, 32630, 10, 10, NULL);
    const rig_raster spec = with_transform(turned, 32630);
    const s2clr_card card = rig_card("B04");
    s2clr_stack *stack = rig_open(rig_write(&spec), &card, NULL);
    TEST_OK(s2clr_stack_read(stack, 0, 0, 20, 10, values, valid));
    for (int i = 1; i < 200; i++) CU_ASSERT_EQUAL(values[i], (float)ground(1, i % 20, i / 20));
    s2clr_stack_close(stack);
}

/* A coarse band that is rotated like the fine one is aligned; one that is not is refused. */
static void rotated_pair(void)
{
    const double c = 10 * cos(0.5), s = 10 * sin(0.5);
    const double turned[6] = {6e5, c, s, 4.2e6, s, -c};
    const double twice[6] = {6e5, 2 * c, 2 * s, 4.2e6, 2 * s, -2 * c};
    const double straight[6] = {6e5, 20, 0, 4.2e6, 0, -20};
    rig_raster fine = with_transform(turned, 32630), coarse = with_transform(twice, 32630);
    fine.name = "r_B04.tif", fine.names = NULL;
    coarse.name = "r_B05.tif", coarse.names = NULL, coarse.width = 10, coarse.height = 5;
    s2clr_card card = rig_card("B04,B05");
    snprintf(card.resampling, sizeof card.resampling, "nearest");
    const char *inputs[] = {rig_write(&fine), rig_write(&coarse), NULL};
    s2clr_stack *stack = NULL;
    float values[400];
    uint8_t valid[200];
    TEST_OK(s2clr_stack_open(inputs, 2, &card, NULL, &stack));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stack);
    TEST_OK(s2clr_stack_read(stack, 0, 0, 20, 10, values, valid));
    for (int i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(values[200 + i], (float)ground(1, i % 20 / 2, i / 20 / 2));
    s2clr_stack_close(stack);
    coarse.transform = straight;
    inputs[1] = rig_write(&coarse);
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "turned, mirrored or stretched");
}

static void no_georeference(void)
{
    const double units[6] = {0, 10, 0, 0, 0, -10};
    const rig_raster bare = {
        .name = "bare.tif", .width = 20, .height = 10, .bands = 1, .names = "B4", .fill = ground};
    const s2clr_card card = rig_card("B04");
    s2clr_stack *stack = rig_open(rig_write(&bare), &card, NULL);
    CU_ASSERT_FALSE(s2clr_stack_describe(stack)->has_transform);
    CU_ASSERT_STRING_EQUAL(s2clr_stack_describe(stack)->wkt, "");
    CU_ASSERT_TRUE(rig_warned(stack, "no georeference"));
    s2clr_stack_close(stack);
    accepted(units, -1, 0, 0, "no coordinate reference system");
}

/* Without georeference grids share their extent; with and without do not mix. */
static void mixed_georeference(void)
{
    rig_raster fine = {.name = "n_B04.tif", .width = 20, .height = 10, .bands = 1, .fill = ground};
    rig_raster coarse = {.name = "n_B05.tif", .width = 10, .height = 5, .bands = 1, .fill = ground};
    s2clr_card card = rig_card("B04,B05");
    snprintf(card.resampling, sizeof card.resampling, "nearest");
    const char *inputs[] = {rig_write(&fine), rig_write(&coarse), NULL};
    s2clr_stack *stack = NULL;
    float values[2];
    uint8_t valid;
    TEST_OK(s2clr_stack_open(inputs, 2, &card, NULL, &stack));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stack);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->width, 20);
    TEST_OK(s2clr_stack_read(stack, 13, 9, 1, 1, values, &valid));
    CU_ASSERT_EQUAL(values[1], (float)ground(1, 6, 4));
    s2clr_stack_close(stack);
    coarse.height = 6;
    inputs[1] = rig_write(&coarse);
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "stretched");
    coarse.metres = 20;
    inputs[1] = rig_write(&coarse);
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "georeference");
}

static void other_place_or_crs(void)
{
    rig_raster a = {
        .name = "p_B04.tif", .width = 20, .height = 10, .bands = 1, .metres = 10, .fill = ground};
    rig_raster b = {.name = "p_B03.tif",
                    .width = 20,
                    .height = 10,
                    .bands = 1,
                    .metres = 10,
                    .shift_x = 200,
                    .fill = ground};
    const s2clr_card card = rig_card("B04,B03");
    const char *inputs[] = {rig_write(&a), rig_write(&b), NULL};
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "never a mosaic");
    b.shift_x = 0, b.epsg = 32631;
    inputs[1] = rig_write(&b);
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "gdalwarp -t_srs");
}

#define HEAD                                                                                       \
    "<p:X xmlns:p='u'><PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>"                               \
    "<PROCESSING_BASELINE>05.11</PROCESSING_BASELINE><BOA_ADD_OFFSET_VALUES_LIST>"
#define TAIL "</BOA_ADD_OFFSET_VALUES_LIST></p:X>"
#define OFFSET(id, value) "<BOA_ADD_OFFSET band_id=\"" id "\">" value "</BOA_ADD_OFFSET>"

static void product_xml(void)
{
    s2clr_product product;
    TEST_OK(
        s2clr_product_parse(HEAD OFFSET("3", "-1000") OFFSET("12", " 7.5 ") TAIL, "p", &product));
    CU_ASSERT_STRING_EQUAL(product.level, "L2A");
    CU_ASSERT_STRING_EQUAL(product.baseline, "05.11");
    CU_ASSERT_TRUE(product.has_offsets);
    CU_ASSERT_EQUAL(product.offset[3], -1000);
    CU_ASSERT_EQUAL(product.offset[12], 7.5);
    CU_ASSERT_TRUE(isnan(product.offset[0]));
    TEST_OK(s2clr_product_parse("<X/>", "p", &product));
    CU_ASSERT_FALSE(product.has_offsets);
    CU_ASSERT_STRING_EQUAL(product.level, "");
    static const char *const bad[] = {
        HEAD OFFSET("13", "-1000") TAIL,
        HEAD OFFSET("-1", "-1000") TAIL,
        HEAD OFFSET("1.5", "-1000") TAIL,
        HEAD OFFSET("", "-1000") TAIL,
        HEAD OFFSET("3", "nan") TAIL,
        HEAD OFFSET("3", "1e99") TAIL,
        HEAD OFFSET("3", "") TAIL,
        HEAD OFFSET("3", "-1000x") TAIL,
        HEAD "<BOA_ADD_OFFSET>1</BOA_ADD_OFFSET>" TAIL,
        HEAD "<BOA_ADD_OFFSET/>" TAIL,
        "",
        "<X",
        "no xml at all",
        HEAD OFFSET("3", "0") "<RADIO_ADD_OFFSET band_id='3'>0</RADIO_ADD_OFFSET>" TAIL,
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(s2clr_product_parse(bad[i], "product.xml", &product), S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS("product.xml");
    }
}

static void deep_xml(void)
{
    const size_t depth = 200000;
    s2clr_product product;
    char *xml = malloc(7 * depth + 1);
    for (size_t i = 0; i < depth; i++) memcpy(xml + 3 * i, "<a>", 3);
    for (size_t i = 0; i < depth; i++) memcpy(xml + 3 * depth + 4 * i, "</a>", 4);
    xml[7 * depth] = '\0';
    CU_ASSERT_EQUAL(s2clr_product_parse(xml, "deep.xml", &product), S2CLR_ERR_FORMAT);
    free(xml);
}

static const test_case cases[] = {
    {"aspect", aspect},
    {"ground_size", ground_size},
    {"degrees", degrees},
    {"stretched_units", stretched_units},
    {"rotated", rotated},
    {"rotated_pair", rotated_pair},
    {"no_georeference", no_georeference},
    {"mixed_georeference", mixed_georeference},
    {"other_place_or_crs", other_place_or_crs},
    {"product_xml", product_xml},
    {"deep_xml", deep_xml},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    CPLPushErrorHandler(CPLQuietErrorHandler); /* rasters made to be odd make GDAL talk */
    return TEST_MAIN("georef", cases, argc, argv);
}
