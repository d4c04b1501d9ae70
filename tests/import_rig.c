#include "import_rig.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "stack_rig.h"

enum { RING = 16, ZONE = 33 };

static void on_skip(void *context, const char *name, const char *reason)
{
    rig_import *run = context;
    if (run->skips < RIG_IMPORT_MAX) {
        snprintf(run->skip[run->skips].name, sizeof run->skip[0].name, "%s", name);
        snprintf(run->skip[run->skips].reason, sizeof run->skip[0].reason, "%s", reason);
    }
    run->skips++;
}

static void take(rig_import *run, const s2clr_patch_record *record)
{
    TEST_OK(s2clr_patch_record_check(record));
    if (run->patches < RIG_IMPORT_MAX)
        snprintf(run->name[run->patches], sizeof run->name[0], "%s", record->name);
    if (run->patches > 0 && run->patches < RIG_IMPORT_MAX)
        CU_ASSERT(strcmp(run->name[run->patches - 1], run->name[run->patches]) < 0);
    run->patches++;
    run->positives += record->label == S2CLR_LABEL_POSITIVE;
    run->negatives += record->label == S2CLR_LABEL_NEGATIVE;
    if (run->check) run->check(record);
}

s2clr_status rig_import_run(rig_import *run, const char *a, const char *b)
{
    const char *inputs[] = {a, b};
    const size_t count = b ? 2 : 1;
    const s2clr_import_kind *kind;
    s2clr_import *import;
    s2clr_patch_record record;
    bool end = false;
    run->patches = run->positives = run->negatives = run->skips = 0;
    run->options.skipped = on_skip;
    run->options.context = run;
    S2CLR_TRY(s2clr_import_identify(inputs, count, &kind));
    snprintf(run->kind, sizeof run->kind, "%s", kind->name);
    S2CLR_TRY(kind->open(inputs, count, &run->options, &import));
    s2clr_status status = S2CLR_OK;
    double before = 0;
    while (status == S2CLR_OK) {
        status = kind->next(import, &record, &end);
        if (status != S2CLR_OK || end) break;
        take(run, &record);
        const double done = kind->done(import);
        CU_ASSERT(done >= before && done <= 1);
        before = done;
        if (run->stop_after && run->patches == run->stop_after) break;
    }
    if (status == S2CLR_OK && end) TEST_NEAR(kind->done(import), 1, 1e-12);
    kind->close(import);
    return status;
}

bool rig_import_skipped(const rig_import *run, const char *name, const char *text)
{
    for (int i = 0; i < run->skips && i < RIG_IMPORT_MAX; i++)
        if (strcmp(run->skip[i].name, name) == 0 && strstr(run->skip[i].reason, text)) return true;
    for (int i = 0; i < run->skips && i < 5; i++)
        printf("skipped: %s: %s\n", run->skip[i].name, run->skip[i].reason);
    return false;
}

static char *ring(void)
{
    static char paths[RING][1024];
    static int next;
    return paths[next++ % RING];
}

const char *rig_import_join(const char *folder, const char *name)
{
    char *path = ring();
    snprintf(path, 1024, "%s/%s", folder, name);
    return path;
}

const char *rig_import_folder(const char *name)
{
    const char *path = rig_import_join(test_folder(), name);
    mkdir(path, 0777);
    return path;
}

void rig_import_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

void rig_import_truncate(const char *path, long bytes)
{
    struct stat info;
    CU_ASSERT_EQUAL_FATAL(stat(path, &info), 0);
    CU_ASSERT_EQUAL_FATAL(truncate(path, bytes < 0 ? info.st_size / 2 : bytes), 0);
}

static int side_of(const char *band, const rig_ben *patch)
{
    if (strcmp(band, "B05") == 0 && patch->b05_side) return patch->b05_side;
    if (strcmp(band, "B01") == 0 || strcmp(band, "B09") == 0) return 20;
    return strchr("234", band[2]) || strcmp(band, "B08") == 0
               ? (strcmp(band, "B12") == 0 ? 60 : 120)
               : 60;
}

uint16_t rig_ben_dn(const char *band, int x, int y)
{
    return (uint16_t)(1000 + band[1] * 100 + band[2] * 7 + 3 * x + 5 * y);
}

static char *wkt_of(int zone)
{
    char *wkt = NULL;
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(crs, 32600 + zone);
    OSRExportToWkt(crs, &wkt);
    OSRDestroySpatialReference(crs);
    return wkt;
}

static void write_band(const char *folder, const rig_ben *patch, const char *band)
{
    char path[1400];
    uint16_t dn[120 * 120];
    const int side = side_of(band, patch);
    double t[6] = {404400, 1200.0 / side, 0, 5342400, 0, -1200.0 / side};
    for (int i = 0; i < side * side; i++) dn[i] = rig_ben_dn(band, i % side, i / side);
    snprintf(path, sizeof path, "%s/%s_%s.tif", folder, patch->name, band);
    GDALDatasetH file =
        GDALCreate(GDALGetDriverByName("GTiff"), path, side, side, 1, GDT_UInt16, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    char *wkt = wkt_of(ZONE);
    GDALSetProjection(file, wkt);
    CPLFree(wkt);
    GDALSetGeoTransform(file, t);
    CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(file, 1), GF_Write, 0, 0, side, side, dn, side,
                                 side, GDT_UInt16, 0, 0),
                    CE_None);
    GDALClose(file);
}

static void write_json(const char *folder, const rig_ben *patch)
{
    char path[1400], *wkt = wkt_of(patch->json_zone ? patch->json_zone : ZONE);
    snprintf(path, sizeof path, "%s/%s_labels_metadata.json", folder, patch->name);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file,
            "{\"labels\": %s, \"coordinates\": {\"ulx\": %.1f, \"uly\": 5342400, \"lrx\": %.1f, "
            "\"lry\": 5341200}, \"projection\": \"",
            patch->labels, 404400 + patch->shift, 405600 + patch->shift);
    for (const char *p = wkt; *p; p++) fprintf(file, *p == '"' ? "\\\"" : "%c", *p);
    fprintf(file, "\", \"tile_source\": "
                  "\"S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE\", "
                  "\"acquisition_date\": \"2017-06-13 10:10:31\"}");
    fclose(file);
    CPLFree(wkt);
}

const char *rig_ben_write(const char *root, const rig_ben *patch)
{
    static const char *const bands[] = {"B01", "B02", "B03", "B04", "B05", "B06",
                                        "B07", "B08", "B8A", "B09", "B11", "B12"};
    const char *folder = rig_import_join(root, patch->name);
    GDALAllRegister();
    mkdir(folder, 0777);
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++)
        if (!patch->omit || strcmp(patch->omit, bands[i]) != 0) write_band(folder, patch, bands[i]);
    if (patch->labels) write_json(folder, patch);
    return folder;
}

double rig_import_ramp(int band, int x, int y)
{
    return 1000 + 100 * band + x + 3 * y;
}

const char *rig_import_bands(const char *name)
{
    static const struct {
        const char *band;
        int factor;
    } bands[] = {{"B02", 1}, {"B05", 2}, {"B01", 6}};
    const char *folder = rig_import_folder(name);
    for (size_t i = 0; i < 3; i++) {
        char file[200];
        snprintf(file, sizeof file, "%s/%s.tif", name, bands[i].band);
        rig_write(&(rig_raster){.name = file,
                                .width = 300 / bands[i].factor,
                                .height = 240 / bands[i].factor,
                                .bands = 1,
                                .metres = 10 * bands[i].factor,
                                .fill = rig_import_ramp});
    }
    return folder;
}

void rig_import_place(const s2clr_patch_record *record, int *row, int *column)
{
    const char *end = strstr(record->name, "_r0");
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    CU_ASSERT_EQUAL_FATAL(sscanf(end, "_r%d_c%d", row, column), 2);
}
