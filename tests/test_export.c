#define _GNU_SOURCE
#include "harness.h"

#include <gdal.h>
#include <jansson.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/export.h"
#include "dataset/import.h"
#include "store_rig.h"
#include "tf_rig.h"

#define IRRIGATED "Permanently irrigated land"

/* ---- stores ---- */

/* Five patches: each split and none, a positive one, a negative one without names, an unknown one
 * with a name. */
static const char *make_store(const char *name, int side)
{
    static const char *const splits[] = {"train", "validation", "test", "", "train"};
    const char *path = store_rig_path(name);
    const s2clr_store_options options = {.title = "t", .command = "c"};
    s2clr_store_writer *writer;
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    for (int i = 0; i < 5; i++) {
        s2clr_patch_record record;
        tf_rig_record(&record, i, side);
        record.split = splits[i];
        record.label = i == 4 ? S2CLR_LABEL_UNKNOWN : (s2clr_label)(i % 2);
        if (i == 1) record.labels[record.label_count++] = IRRIGATED;
        if (i == 1 || i == 4) record.labels[record.label_count++] = "Pastures";
        record.has_footprint = true;
        record.crs = "EPSG:32633";
        record.width = record.height = 120;
        const double transform[6] = {404400 + 1200.0 * i, 10, 0, 5342400, 0, -10};
        memcpy(record.transform, transform, sizeof transform);
        record.date = "2017-06-13";
        record.source = "S2A \"quoted\", and more";
        record.dn_offset = i == 2 ? -1000 : 0;
        TEST_OK(s2clr_store_writer_put(writer, &record));
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
    return path;
}

static s2clr_status export(const char *store_path, const char *kind_name, const char *out,
                           const s2clr_export_options *options, s2clr_export_report *report)
{
    const s2clr_export_kind *kind;
    s2clr_store *store;
    TEST_OK(s2clr_export_find(kind_name, &kind));
    TEST_OK(s2clr_store_open(store_path, &store));
    *report = (s2clr_export_report){.patches = 77};
    const s2clr_status status = kind->run(store, out, options, report);
    s2clr_store_close(store);
    return status;
}

static bool exists(const char *name)
{
    return access(store_rig_path(name), F_OK) == 0;
}

static void count_skip(void *context, const char *name, const char *reason)
{
    CU_ASSERT(strlen(name) > 0 && strlen(reason) > 0);
    ++*(int *)context;
}

/* ---- TFRecords ---- */

typedef struct read_back {
    int count, wrong;
    char labels[8][80], split[8][12];
    s2clr_label label[8];
} read_back;

static size_t wrong_pixels(const s2clr_patch_record *record, int number)
{
    size_t wrong = 0;
    for (int b = 0; b < record->bands; b++) {
        const s2clr_patch_band *band = &record->band[b];
        const int offset = number == 2 ? -1000 : 0;
        for (size_t i = 0; i < (size_t)(band->width * band->height); i++) {
            const int wanted = tf_rig_dn(number, b, i) + offset;
            const bool is_signed = band->dtype == S2CLR_DTYPE_I16;
            const void *at = (const uint16_t *)band->data + i;
            wrong += wanted != (is_signed ? *(const int16_t *)at : *(const uint16_t *)at);
        }
    }
    return wrong;
}

/* By number of the patch. */
static void import_all(const char *path, const char *kind_name, const char *positive,
                       read_back *out)
{
    const s2clr_import_kind *kind = s2clr_import_find(kind_name);
    const s2clr_import_options options = {.positive = positive, .strict = true};
    s2clr_import *import;
    s2clr_patch_record record;
    bool end = false;
    memset(out, 0, sizeof *out);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kind);
    TEST_OK(kind->open(&path, 1, &options, &import));
    for (;;) {
        const s2clr_status status = kind->next(import, &record, &end);
        TEST_OK(status);
        if (status != S2CLR_OK || end) break;
        const int n = record.name[27] - '0';
        CU_ASSERT_EQUAL(strncmp(record.name, tf_rig_name(n), strlen(tf_rig_name(n))), 0);
        out->wrong += wrong_pixels(&record, n) != 0;
        out->count++;
        out->label[n] = record.label;
        snprintf(out->split[n], sizeof out->split[n], "%s", record.split ? record.split : "");
        for (int i = 0; i < record.label_count; i++) {
            strcat(out->labels[n], record.labels[i]);
            strcat(out->labels[n], "|");
        }
    }
    kind->close(import);
}

/* Values beyond 65535 - 1000 do not occur, those below 1000 become negative: then 16 bits are too
 * few for large ones, which the reader refuses; so patch 2 is checked by its message. */
static void records_go_both_ways(void)
{
    s2clr_export_report report;
    read_back back;
    const s2clr_export_options options = {.records = 1, .split = "train"};
    const char *store = make_store("both", 0), *out = store_rig_path("both-records");
    TEST_OK(export(store, "tfrecord", out, &options, &report));
    CU_ASSERT_EQUAL(report.patches, 2);
    CU_ASSERT_EQUAL(report.skipped, 0);
    CU_ASSERT_EQUAL(report.files, 2);
    CU_ASSERT_TRUE(exists("both-records/train/part-00000.tfrecord"));
    CU_ASSERT_TRUE(exists("both-records/train/part-00001.tfrecord"));
    CU_ASSERT_FALSE(exists("both-records/val"));
    import_all(out, "tfrecord", "regular", &back);
    CU_ASSERT_EQUAL(back.count, 2);
    CU_ASSERT_EQUAL(back.wrong, 0);
    CU_ASSERT_STRING_EQUAL(back.split[0], "train");
    CU_ASSERT_STRING_EQUAL(back.labels[0], "");
    CU_ASSERT_EQUAL(back.label[0], S2CLR_LABEL_NEGATIVE);
    CU_ASSERT_STRING_EQUAL(back.labels[4], "Pastures|");
    CU_ASSERT_EQUAL(back.label[4], S2CLR_LABEL_NEGATIVE);
    const s2clr_export_options validation = {.split = "validation"};
    out = store_rig_path("val-records");
    TEST_OK(export(store, "tfrecord", out, &validation, &report));
    CU_ASSERT_TRUE(exists("val-records/val/part-00000.tfrecord"));
    import_all(out, "tfrecord", "regular", &back);
    CU_ASSERT_STRING_EQUAL(back.labels[1], IRRIGATED "|Pastures|");
    CU_ASSERT_EQUAL(back.label[1], S2CLR_LABEL_POSITIVE);
    CU_ASSERT_STRING_EQUAL(back.split[1], "validation");
    CU_ASSERT_EQUAL(back.wrong, 0);
}

/* The records know no offset: it has been added. */
static void an_offset_is_added(void)
{
    static int64_t value[14400];
    static s2clr_tfexample example;
    s2clr_export_report report;
    const s2clr_export_options options = {.split = "test"};
    s2clr_tfrecord_file *file;
    s2clr_tfrecord record;
    TEST_OK(export(make_store("offset", 0), "tfrecord", store_rig_path("offset-records"), &options,
                   &report));
    TEST_OK(s2clr_tfrecord_open(store_rig_path("offset-records/test/part-00000.tfrecord"), &file));
    TEST_OK(s2clr_tfrecord_next(file, &record));
    TEST_OK(s2clr_tfexample_parse(record.data, record.size, "test", &example));
    TEST_OK(s2clr_feature_ints(&example, s2clr_tfexample_find(&example, "B02"), value, 14400));
    for (size_t i = 0; i < 14400; i++) CU_ASSERT_EQUAL(value[i], tf_rig_dn(2, 1, i) - 1000);
    s2clr_tfrecord_close(file);
}

static void one_size_makes_cropland_records(void)
{
    s2clr_export_report report;
    read_back back;
    const s2clr_export_options options = {.split = "validation"};
    const char *out = store_rig_path("crop-records");
    TEST_OK(export(make_store("crop", 120), "tfrecord", out, &options, &report));
    import_all(out, "tfrecord", "Irrigated", &back);
    CU_ASSERT_EQUAL(back.count, 1);
    CU_ASSERT_EQUAL(back.wrong, 0);
    CU_ASSERT_STRING_EQUAL(back.labels[1], "Irrigated|");
    CU_ASSERT_EQUAL(back.label[1], S2CLR_LABEL_POSITIVE);
}

static void unfit_patches_are_skipped(void)
{
    s2clr_export_report report;
    int skips = 0;
    s2clr_export_options options = {.skipped = count_skip, .context = &skips};
    const char *store = rig_store_make("unfit", 0, 6, 12);
    CU_ASSERT_EQUAL(export(store, "tfrecord", store_rig_path("unfit-records"), &options, &report),
                    S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("none of 6 patches fits");
    CU_ASSERT_EQUAL(report.patches, 77);
    CU_ASSERT_EQUAL(skips, 6);
    options.strict = true;
    CU_ASSERT_EQUAL(export(store, "tfrecord", store_rig_path("unfit-records"), &options, &report),
                    S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("band B01 has 2 x 2 pixels");
    CU_ASSERT_FALSE(exists("unfit-records"));
}

/* ---- GeoTIFF ---- */

static void tiff_is(const char *name, int number, int band, bool shifted)
{
    static uint16_t dn[14400];
    const int side = tf_rig_side[band];
    double t[6] = {0};
    GDALDatasetH tiff = GDALOpen(store_rig_path(name), GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tiff);
    CU_ASSERT_EQUAL_FATAL(GDALGetRasterXSize(tiff), side);
    CU_ASSERT_EQUAL(GDALGetRasterCount(tiff), 1);
    GDALGetGeoTransform(tiff, t);
    CU_ASSERT_EQUAL(t[0], 404400 + 1200.0 * number);
    CU_ASSERT_EQUAL(t[1], 1200.0 / side);
    CU_ASSERT_EQUAL(t[5], -1200.0 / side);
    CU_ASSERT_STRING_EQUAL(OSRGetAuthorityCode(GDALGetSpatialRef(tiff), NULL), "32633");
    const char *offset = GDALGetMetadataItem(tiff, "BOA_ADD_OFFSET", NULL);
    CU_ASSERT_STRING_EQUAL(offset, shifted ? "-1000" : "0");
    CU_ASSERT_STRING_EQUAL(GDALGetMetadataItem(tiff, "PROCESSING_LEVEL", NULL), "L2A");
    GDALRasterBandH raster = GDALGetRasterBand(tiff, 1);
    CU_ASSERT_EQUAL(GDALGetRasterDataType(raster), GDT_UInt16);
    CU_ASSERT_EQUAL(
        GDALRasterIO(raster, GF_Read, 0, 0, side, side, dn, side, side, GDT_UInt16, 0, 0), CE_None);
    for (size_t i = 0; i < (size_t)(side * side); i++)
        CU_ASSERT_EQUAL(dn[i], tf_rig_dn(number, band, i));
    GDALClose(tiff);
}

static void patch_folders_are_as_bigearthnet(void)
{
    s2clr_export_report report;
    const s2clr_export_options options = {.split = NULL};
    char name[200];
    TEST_OK(
        export(make_store("tiffs", 0), "geotiff", store_rig_path("out-tiffs"), &options, &report));
    CU_ASSERT_EQUAL(report.patches, 5);
    CU_ASSERT_EQUAL(report.files, 5 * 13);
    for (int number = 1; number <= 2; number++)
        for (int band = 0; band < TF_RIG_BANDS; band++) {
            const char *patch = tf_rig_name(number);
            snprintf(name, sizeof name, "out-tiffs/%s/%s_%s.tif", patch, patch, tf_rig_band[band]);
            tiff_is(name, number, band, number == 2);
        }
    snprintf(name, sizeof name, "out-tiffs/%s/%s_labels_metadata.json", tf_rig_name(1),
             tf_rig_name(1));
    json_t *root = json_load_file(store_rig_path(name), 0, NULL);
    const char *first = "", *second = "", *date = "", *source = "", *projection = "";
    double ulx = 0, uly = 0, lrx = 0, lry = 0;
    CU_ASSERT_EQUAL(json_unpack(root, "{s:[s,s], s:s, s:s, s:s, s:{s:F, s:F, s:F, s:F}}", "labels",
                                &first, &second, "acquisition_date", &date, "tile_source", &source,
                                "projection", &projection, "coordinates", "ulx", &ulx, "uly", &uly,
                                "lrx", &lrx, "lry", &lry),
                    0);
    CU_ASSERT_STRING_EQUAL(first, IRRIGATED);
    CU_ASSERT_STRING_EQUAL(date, "2017-06-13");
    CU_ASSERT_PTR_NOT_NULL(strstr(projection, "UTM zone 33N"));
    CU_ASSERT(ulx == 405600 && uly == 5342400 && lrx == 406800 && lry == 5341200);
    json_decref(root);
}

static void patch_folders_are_read_again(void)
{
    s2clr_export_report report;
    read_back back;
    const s2clr_export_options options = {.split = "validation"};
    const char *out = store_rig_path("again-tiffs");
    TEST_OK(export(make_store("again", 0), "geotiff", out, &options, &report));
    import_all(out, "bigearthnet-v1", "regular", &back);
    CU_ASSERT_EQUAL(back.count, 1);
    CU_ASSERT_EQUAL(back.wrong, 0);
    CU_ASSERT_STRING_EQUAL(back.labels[1], IRRIGATED "|Pastures|");
    CU_ASSERT_EQUAL(back.label[1], S2CLR_LABEL_POSITIVE);
}

/* Names that are no file names stay below the folder, and apart. */
static void odd_names_become_folders(void)
{
    static const char *const names[] = {"../../up", "a/b", "a_b", "a:b", ".hidden", "x y"};
    char long_name[500];
    s2clr_export_report report;
    const s2clr_export_options none = {.split = NULL};
    const s2clr_store_options options = {.title = "t", .command = "c"};
    const char *path = store_rig_path("odd");
    s2clr_store_writer *writer;
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    for (size_t i = 0; i < 7; i++) {
        rig_patch patch;
        rig_patch_make(&patch, (int)i, 6);
        patch.record.name = i < 6 ? names[i] : long_name;
        TEST_OK(s2clr_store_writer_put(writer, &patch.record));
        rig_patch_clear(&patch);
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
    TEST_OK(export(path, "geotiff", store_rig_path("odd-tiffs/"), &none, &report));
    CU_ASSERT_EQUAL(report.files, 7 * 4);
    CU_ASSERT_TRUE(exists("odd-tiffs/_._.._up/_._.._up_B02.tif"));
    CU_ASSERT_TRUE(exists("odd-tiffs/a_b/a_b_B05.tif"));
    CU_ASSERT_TRUE(exists("odd-tiffs/_hidden/_hidden_labels_metadata.json"));
    CU_ASSERT_TRUE(exists("odd-tiffs/x_y"));
    /* SHA-256 of "a_b", by sha256sum. */
    CU_ASSERT_TRUE(exists("odd-tiffs/a_b_648fa9b31bc7ff7e"));
}

/* ---- CSV ---- */

static void the_index_is_a_table(void)
{
    s2clr_export_report report;
    const s2clr_export_options options = {.split = NULL};
    const char *path = make_store("table", 0);
    TEST_OK(export(path, "csv", store_rig_path("table.csv"), &options, &report));
    CU_ASSERT_EQUAL(report.patches, 5);
    CU_ASSERT_EQUAL(report.files, 1);
    GDALDatasetH csv = GDALOpenEx(store_rig_path("table.csv"), GDAL_OF_VECTOR, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
    OGRLayerH layer = GDALDatasetGetLayer(csv, 0);
    s2clr_store *store;
    TEST_OK(s2clr_store_open(path, &store));
    CU_ASSERT_EQUAL(OGR_L_GetFeatureCount(layer, 1), 5);
    for (size_t i = 0; i < 5; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        OGRFeatureH f = OGR_L_GetNextFeature(layer);
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        const struct {
            const char *column, *wanted;
        } texts[] = {{"name", row->name},
                     {"labels", row->labels},
                     {"split", row->split},
                     {"source", row->source},
                     {"date", "2017-06-13"},
                     {"crs", "EPSG:32633"},
                     {"label", i == 4  ? ""
                               : i % 2 ? "1"
                                       : "0"},
                     {"cover", ""},
                     {"width", "120"},
                     {"sha256", row->sha256}};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            const int field = OGR_F_GetFieldIndex(f, texts[k].column);
            CU_ASSERT_STRING_EQUAL(OGR_F_GetFieldAsString(f, field), texts[k].wanted);
        }
        double mean = 0;
        for (int k = 0; k < 4; k++) mean += row->longitude[k] / 4;
        TEST_NEAR(OGR_F_GetFieldAsDouble(f, OGR_F_GetFieldIndex(f, "longitude")), mean, 1e-8);
        OGR_F_Destroy(f);
    }
    s2clr_store_close(store);
    GDALClose(csv);
}

/* ---- all kinds ---- */

static bool stop(void *context, double fraction, const char *text)
{
    (void)text;
    (void)context;
    return fraction < 0.5;
}

static void nothing_is_left_half_done(void)
{
    const s2clr_progress progress = {.call = stop};
    const s2clr_export_options options = {.progress = &progress};
    const s2clr_export_kind *const *kinds;
    const size_t count = s2clr_export_list(&kinds);
    const char *path = make_store("stopped", 0);
    s2clr_export_report report;
    mkdir(store_rig_path("stopping"), 0777);
    CU_ASSERT_EQUAL(count, 3);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(
            export(path, kinds[i]->name, store_rig_path("stopping/out"), &options, &report),
            S2CLR_ERR_CANCELLED);
        CU_ASSERT_EQUAL(report.patches, 77);
    }
    CU_ASSERT_EQUAL(rmdir(store_rig_path("stopping")), 0); /* nothing in it */
}

static void what_is_there_stays(void)
{
    const s2clr_export_options options = {.split = NULL};
    const s2clr_export_options train = {.split = "train"}, typo = {.split = "tran"};
    const s2clr_export_kind *const *kinds;
    const size_t count = s2clr_export_list(&kinds);
    const char *path = make_store("once", 0), *all_tests = rig_store_make("tests", 2, 1, 6);
    s2clr_export_report report;
    char out[60];
    for (size_t i = 0; i < count; i++) {
        snprintf(out, sizeof out, "there-%s", kinds[i]->name);
        TEST_OK(export(path, kinds[i]->name, store_rig_path(out), &options, &report));
        CU_ASSERT_EQUAL(export(path, kinds[i]->name, store_rig_path(out), &options, &report),
                        S2CLR_ERR_EXISTS);
        CU_ASSERT_TRUE(exists(out));
    }
    mkdir(store_rig_path("empty"), 0777);
    TEST_OK(export(path, "geotiff", store_rig_path("empty"), &train, &report));
    CU_ASSERT_EQUAL(report.patches, 2);
    CU_ASSERT_EQUAL(export(all_tests, "csv", store_rig_path("x"), &train, &report),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("is in split 'train'");
    CU_ASSERT_EQUAL(export(path, "csv", store_rig_path("x"), &typo, &report), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(export(path, "csv", store_rig_path("no/x"), &train, &report), S2CLR_ERR_IO);
    CU_ASSERT_FALSE(exists("x"));
}

static void kinds_are_found(void)
{
    const s2clr_export_kind *kind = NULL;
    TEST_OK(s2clr_export_find("csv", &kind));
    CU_ASSERT_FALSE(kind->folder);
    CU_ASSERT_EQUAL(s2clr_export_find("tfrecords", &kind), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("did you mean 'tfrecord'");
}

static const test_case cases[] = {
    {"records go both ways", records_go_both_ways},
    {"an offset is added", an_offset_is_added},
    {"one size makes cropland records", one_size_makes_cropland_records},
    {"unfit patches are skipped", unfit_patches_are_skipped},
    {"patch folders are as BigEarthNet's", patch_folders_are_as_bigearthnet},
    {"patch folders are read again", patch_folders_are_read_again},
    {"odd names become folders", odd_names_become_folders},
    {"the index is a table", the_index_is_a_table},
    {"nothing is left half done", nothing_is_left_half_done},
    {"what is there stays", what_is_there_stays},
    {"kinds are found", kinds_are_found},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("export", cases, argc, argv);
}
