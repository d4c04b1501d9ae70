#include "predict_rig.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "file/model.h"
#include "harness.h"
#include "predict/model_share.h"

static bool holes(int x, int y)
{
    return !((x % 37 < 11 && y % 29 < 13) || (x > 90 && x < 160 && y > 70 && y < 150));
}

const rig_model rig_dense = {.arch = "dense", .width = 4, .depth = 1, .patch = 28, .stride = 4};
const rig_model rig_resnet = {
    .arch = "resnet18", .width = 4, .patch = 32, .stride = 16, .temperature = 1.7};

const rig_scene rig_scene_small = {.width = 612, .height = 349, .valid = holes};
const rig_scene rig_scene_wide = {.width = 2101, .height = 531, .valid = holes};

const char *predict_rig_path(const char *name)
{
    static char ring[16][600];
    static int next;
    char *path = ring[next++ % 16];
    snprintf(path, sizeof ring[0], "%s/%s", test_folder(), name);
    return path;
}

/* ---- models ---- */

static void fill_card(const rig_model *model, const s2clr_net *net, s2clr_card *card)
{
    static const char *const bands[RIG_BANDS] = {"B02", "B03", "B04"};
    snprintf(card->id, sizeof card->id, "rig-%s", model->arch);
    card->arch = *s2clr_net_arch(net);
    card->bands = RIG_BANDS;
    for (int i = 0; i < RIG_BANDS; i++) {
        snprintf(card->band[i], sizeof card->band[i], "%s", bands[i]);
        card->mean[i] = 0.15f;
        card->std[i] = 0.1f;
        card->level[0].gain[i] = 1e-4;
    }
    card->levels = 1;
    snprintf(card->level[0].name, sizeof card->level[0].name, "L2A");
    card->level[0].high = 1;
    card->patch = model->patch;
    card->metres = 10;
    card->stride = model->stride;
    snprintf(card->resampling, sizeof card->resampling, "bilinear");
    if (model->classes == 0) snprintf(card->positive, sizeof card->positive, "made_up_class");
    card->classes = model->classes;
    for (int k = 0; k < model->classes; k++)
        snprintf(card->class_name[k], sizeof card->class_name[k], "class %d", k + 1);
    if (model->positive)
        snprintf(card->positive, sizeof card->positive, "class %d", model->positive);
    if (model->temperature > 0) card->temperature = model->temperature;
    if (model->prevalence > 0) card->prevalence = model->prevalence;
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_TITLE, "A made-up model"));
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_WARNING, "For tests only"));
}

static void make_constant(const s2clr_net *net, double bias, float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++) {
        if (list[i].role != S2CLR_PARAM_WEIGHT && list[i].role != S2CLR_PARAM_BIAS) continue;
        const float value = list[i].role == S2CLR_PARAM_BIAS ? (float)bias : 0.0f;
        for (size_t k = 0; k < list[i].count; k++) params[list[i].offset + k] = value;
    }
}

const char *rig_model_make(const char *name, const rig_model *model)
{
    s2clr_arch arch = {.channels = RIG_BANDS,
                       .outputs = model->classes ? model->classes : 1,
                       .width = model->width,
                       .depth = model->depth};
    const char *path = predict_rig_path(name);
    s2clr_net *net = NULL;
    s2clr_card *card = NULL;
    float *params = NULL;
    snprintf(arch.name, sizeof arch.name, "%s", model->arch);
    TEST_OK(s2clr_net_new(&arch, &net));
    TEST_OK(s2clr_card_new(&card));
    if (!net || !card) exit(1);
    TEST_OK(s2clr_alloc(s2clr_net_param_count(net), sizeof *params, "weights", (void **)&params));
    TEST_OK(s2clr_net_init(net, 5, params));
    if (model->constant) make_constant(net, model->bias, params);
    fill_card(model, net, card);
    TEST_OK(s2clr_model_save(path, card, net, params));
    s2clr_free(params);
    s2clr_card_free(card);
    s2clr_net_free(net);
    return path;
}

/* ---- scenes ---- */

static void set_georeference(GDALDatasetH dataset, const rig_scene *scene)
{
    double transform[6] = {600000, 10, 0, 4400000, 0, -10};
    char *wkt = NULL;
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    if (scene->transform[1] != 0 || scene->transform[2] != 0)
        memcpy(transform, scene->transform, sizeof transform);
    if (!scene->crs || scene->crs[0]) {
        OSRSetFromUserInput(crs, scene->crs ? scene->crs : "EPSG:32633");
        OSRExportToWkt(crs, &wkt);
        GDALSetProjection(dataset, wkt);
        GDALSetGeoTransform(dataset, transform);
    }
    CPLFree(wkt);
    OSRDestroySpatialReference(crs);
}

static void write_rows(GDALDatasetH dataset, const rig_scene *scene)
{
    const size_t width = (size_t)scene->width;
    uint16_t *row = malloc(width * sizeof *row);
    for (int band = 0; row && band < RIG_BANDS; band++)
        for (int y = 0; y < scene->height; y++) {
            for (int x = 0; x < scene->width; x++) {
                const uint64_t index = (uint64_t)y * width + (uint64_t)x;
                const uint32_t noise = s2clr_random_below(9, (uint64_t)band, index, 600);
                const bool valid = !scene->valid || scene->valid(x, y);
                /* Broad waves under the noise, so that neighbouring outputs differ. */
                const uint32_t wave = 7 * (uint32_t)((x / 9 + y / 5 + band) % 100);
                row[x] = (uint16_t)(valid ? 600 + noise + wave : 0);
            }
            CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(dataset, band + 1), GF_Write, 0, y,
                                         scene->width, 1, row, scene->width, 1, GDT_UInt16, 0, 0),
                            CE_None);
        }
    free(row);
}

const char *rig_scene_make(const char *name, const rig_scene *scene)
{
    static const char *const bands[RIG_BANDS] = {"B02", "B03", "B04"};
    const char *path = predict_rig_path(name);
    char **options = CSLSetNameValue(NULL, "TILED", "YES");
    options = CSLSetNameValue(options, "BLOCKXSIZE", "64");
    options = CSLSetNameValue(options, "BLOCKYSIZE", "32");
    GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), path, scene->width,
                                      scene->height, RIG_BANDS, GDT_UInt16, options);
    CSLDestroy(options);
    CU_ASSERT_PTR_NOT_NULL(dataset);
    if (!dataset) exit(1);
    set_georeference(dataset, scene);
    for (int i = 0; i < RIG_BANDS; i++) {
        GDALRasterBandH band = GDALGetRasterBand(dataset, i + 1);
        GDALSetRasterNoDataValue(band, 0);
        GDALSetDescription(band, bands[i]);
    }
    write_rows(dataset, scene);
    GDALClose(dataset);
    return path;
}

const char *rig_sparse_vrt(const char *source, int side, int x, int y)
{
    const char *path = predict_rig_path("sparse.vrt");
    VSILFILE *file = VSIFOpenL(path, "w");
    static const char *const bands[] = {"B02", "B03", "B04"};
    VSIFPrintfL(file,
                "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\"><SRS>EPSG:32633</SRS>"
                "<GeoTransform>300000, 10, 0, 5000000, 0, -10</GeoTransform>",
                side, side);
    for (int i = 0; i < RIG_BANDS; i++)
        VSIFPrintfL(file,
                    "<VRTRasterBand dataType=\"UInt16\" band=\"%d\"><Description>%s</Description>"
                    "<NoDataValue>0</NoDataValue><SimpleSource><SourceFilename>%s</SourceFilename>"
                    "<SourceBand>%d</SourceBand><SrcRect xOff=\"0\" yOff=\"0\" xSize=\"%d\" "
                    "ySize=\"%d\"/><DstRect xOff=\"%d\" yOff=\"%d\" xSize=\"%d\" ySize=\"%d\"/>"
                    "</SimpleSource></VRTRasterBand>",
                    i + 1, bands[i], source, i + 1, rig_scene_small.width, rig_scene_small.height,
                    x, y, rig_scene_small.width, rig_scene_small.height);
    VSIFPrintfL(file, "</VRTDataset>");
    VSIFCloseL(file);
    return path;
}

unsigned rig_valid_count(const rig_scene *scene, int patch, int stride, int column, int row)
{
    unsigned count = 0;
    const int left = stride * column + stride / 2 - patch / 2;
    const int top = stride * row + stride / 2 - patch / 2;
    for (int y = top; y < top + patch; y++)
        for (int x = left; x < left + patch; x++) {
            if (x < 0 || y < 0 || x >= scene->width || y >= scene->height) continue;
            count += !scene->valid || scene->valid(x, y);
        }
    return count;
}

/* ---- the engine alone ---- */

s2clr_status rig_bench_open(const char *model, const char *scene, const char *device, int threads,
                            s2clr_aim aim, int stride, s2clr_engine_options options, rig_bench *out)
{
    const s2clr_stack_options stack = {.level = "L2A"};
    rig_bench *b = out;
    memset(b, 0, sizeof *b);
    S2CLR_TRY(s2clr_model_acquire(model, &b->model));
    const s2clr_card *card = s2clr_model_card(b->model);
    S2CLR_TRY(s2clr_stack_open(&scene, 1, card, &stack, &b->stack));
    S2CLR_TRY(s2clr_runtime_acquire(b->model, device, S2CLR_F32, threads, aim, &b->runtime));
    const s2clr_stack_info *info = s2clr_stack_describe(b->stack);
    S2CLR_TRY(s2clr_grid_new(info->width, info->height, card->patch, stride ? stride : card->stride,
                             s2clr_net_step(s2clr_model_net(b->model)), &b->grid));
    return s2clr_engine_new(b->runtime, &b->grid, &options, &b->engine);
}

void rig_bench_close(rig_bench *b)
{
    s2clr_engine_free(b->engine);
    s2clr_runtime_release(b->runtime);
    s2clr_stack_close(b->stack);
    s2clr_model_release(b->model);
}

s2clr_status rig_bench_run(rig_bench *b, int column, int row, int columns, int rows,
                           const uint8_t *wanted, const s2clr_values *values)
{
    s2clr_block block;
    s2clr_engine_window(b->engine, column, row, columns, rows, &block);
    block.wanted = wanted;
    block.empty = s2clr_stack_is_empty(b->stack, block.x0, block.y0, block.w, block.h);
    /* What lies wholly outside the raster is empty and has no size. */
    const size_t pixels = block.empty ? 0 : (size_t)block.w * (size_t)block.h;
    block.values = malloc(pixels * RIG_BANDS * sizeof *block.values);
    block.valid = malloc(pixels);
    s2clr_status status = S2CLR_OK;
    if (!block.empty)
        status = s2clr_stack_read(b->stack, block.x0, block.y0, block.w, block.h, block.values,
                                  block.valid);
    if (status == S2CLR_OK) status = s2clr_engine_compute(b->engine, &block, values);
    free(block.values);
    free(block.valid);
    return status;
}

/* ---- runs and results ---- */

void rig_job_make(const char *model, const char *input, const char *output, rig_job *out)
{
    memset(out, 0, sizeof *out);
    s2clr_predict_defaults(&out->settings);
    out->input = input;
    out->settings.model_path = model;
    out->settings.inputs = &out->input;
    out->settings.input_count = 1;
    out->settings.output = output;
    out->settings.stack.level = "L2A";
    out->settings.threads = 2;
    out->settings.overwrite = true;
}

s2clr_status rig_job_run(rig_job *job)
{
    job->settings.inputs = &job->input;
    return s2clr_predict_run(&job->settings, NULL, &job->result);
}

void rig_same_bytes(const float *whole, int whole_columns, int x, int y, const float *part,
                    int columns, int rows)
{
    for (int r = 0; r < rows; r++)
        CU_ASSERT_EQUAL(memcmp(whole + (size_t)(y + r) * (size_t)whole_columns + x,
                               part + (size_t)r * (size_t)columns, (size_t)columns * sizeof *part),
                        0);
}

float *rig_raster_read(const char *path, int *columns, int *rows)
{
    GDALDatasetH dataset = GDALOpen(path, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL(dataset);
    if (!dataset) return NULL;
    *columns = GDALGetRasterXSize(dataset);
    *rows = GDALGetRasterYSize(dataset);
    float *values = calloc((size_t)*columns * (size_t)*rows, sizeof *values);
    CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(dataset, 1), GF_Read, 0, 0, *columns, *rows,
                                 values, *columns, *rows, GDT_Float32, 0, 0),
                    CE_None);
    GDALClose(dataset);
    return values;
}

int rig_count_files(const char *folder, const char *start)
{
    char **names = VSIReadDir(folder);
    int count = 0;
    for (char **name = names; name && *name; name++)
        count += strncmp(*name, start, strlen(start)) == 0;
    CSLDestroy(names);
    return count;
}
