/*
 * Archives that TensorFlow wrote, and ours that TensorFlow read: tests/golden/tfrecord_archive.py
 * makes the first and prints the SHA-256 of the second after it compared every value.
 */
#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/export.h"
#include "dataset/pstore.h"
#include "harness.h"
#include "import_rig.h"
#include "store_rig.h"

typedef struct archive {
    const char *folder, *positive, *golden[2], *file[2];
    const char *back[2], *sha256[2]; /* of what is exported again */
    int patches;
} archive;

static const archive bigearthnet = {
    "bigearthnet",
    "regular",
    {"golden/tf_bigearthnet_train_1.tfrecord.gz", "golden/tf_bigearthnet_val_1.tfrecord.gz"},
    {"train_1.tfrecord", "val_1.tfrecord"},
    {"train/part-00000.tfrecord", "val/part-00000.tfrecord"},
    {"2b6a26161f0e4fb28e90e1077a8284564345307494990fc2d4199a370672a2da",
     "9be51ba4505acc675436dc5c333691e916762f6799ef0a23e32e8e623a0c89e4"},
    3,
};
static const archive cropland = {
    "cropland",
    "Irrigated",
    {"golden/tf_cropland_test_1.tfrecord.gz", NULL},
    {"test_1.tfrecord", NULL},
    {"test/part-00000.tfrecord", NULL},
    {"591560b0db384b4b298e76f5d36c3c3d9206a3106ec089cc074f863a0ea50384", NULL},
    2,
};

static const struct {
    const char *labels, *split;
    s2clr_label label;
} wanted[] = {{"Permanently irrigated land|Pastures", "train", S2CLR_LABEL_POSITIVE},
              {"Rice fields", "train", S2CLR_LABEL_NEGATIVE},
              {"Sea and ocean", "validation", S2CLR_LABEL_NEGATIVE},
              {"Irrigated", "test", S2CLR_LABEL_POSITIVE},
              {"Rainfed", "test", S2CLR_LABEL_NEGATIVE}};

/* As the script has it. */
static int dn_of(int number, int band, int row, int column)
{
    return (number * 14001 + band * 997 + row % 7 * 211 + column / 10 * 13) % 65536;
}

static void check_patch(const s2clr_patch_record *record)
{
    static const char *const order[] = {"B01", "B02", "B03", "B04", "B05", "B06",
                                        "B07", "B08", "B8A", "B09", "B11", "B12"};
    static const int sides[] = {20, 120, 120, 120, 60, 60, 60, 120, 60, 20, 60, 60};
    const int number = atoi(record->name + strlen("S2A_MSIL2A_20170613T101031_"));
    char labels[200] = "";
    CU_ASSERT_FATAL(number >= 0 && number < 5);
    CU_ASSERT_EQUAL_FATAL(record->bands, 12);
    for (int b = 0; b < 12; b++) {
        const s2clr_patch_band *band = &record->band[b];
        const uint16_t *dn = band->data;
        const int side = number < 3 ? sides[b] : 120;
        int wrong = 0;
        CU_ASSERT_STRING_EQUAL(band->name, order[b]);
        CU_ASSERT_EQUAL(band->dtype, S2CLR_DTYPE_U16);
        CU_ASSERT_FATAL(band->height == side && band->width == side);
        for (int i = 0; i < side * side; i++)
            wrong += dn[i] != dn_of(number, b, i / side, i % side);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    for (int i = 0; i < record->label_count; i++)
        snprintf(labels + strlen(labels), sizeof labels - strlen(labels), "%s%s", i ? "|" : "",
                 record->labels[i]);
    CU_ASSERT_STRING_EQUAL(labels, wanted[number].labels);
    CU_ASSERT_EQUAL(record->label, wanted[number].label);
    CU_ASSERT_STRING_EQUAL(record->split, wanted[number].split);
}

/* The packed archives into a folder. */
static const char *unpack(const archive *from)
{
    const char *folder = rig_import_folder(from->folder);
    for (int i = 0; i < 2 && from->golden[i]; i++) {
        char path[1200];
        GByte *bytes = NULL;
        vsi_l_offset size = 0;
        snprintf(path, sizeof path, "/vsigzip/%s", test_source(from->golden[i]));
        CU_ASSERT_TRUE_FATAL(VSIIngestFile(NULL, path, &bytes, &size, -1));
        rig_file_write(rig_import_join(folder, from->file[i]), bytes, (size_t)size);
        VSIFree(bytes);
    }
    return folder;
}

static rig_import run;

static void is_read(const archive *from)
{
    memset(&run, 0, sizeof run);
    run.options.positive = from->positive;
    run.options.strict = true;
    run.check = check_patch;
    TEST_OK(rig_import_run(&run, unpack(from), NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "tfrecord");
    CU_ASSERT_EQUAL(run.patches, from->patches);
    CU_ASSERT_EQUAL(run.positives, 1);
}

static void bigearthnet_is_read(void)
{
    is_read(&bigearthnet);
}

static void cropland_is_read(void)
{
    is_read(&cropland);
}

/* ---- back ---- */

static const char *store_of(const archive *from)
{
    char name[40];
    snprintf(name, sizeof name, "%s.store", from->folder);
    const char *path = store_rig_path(name), *folder = unpack(from);
    const s2clr_import_kind *kind = s2clr_import_find("tfrecord");
    const s2clr_import_options options = {.positive = from->positive, .strict = true};
    const s2clr_store_options none = {.append = false};
    s2clr_store_writer *writer;
    s2clr_import *import;
    TEST_OK(s2clr_store_writer_open(path, &none, &writer));
    TEST_OK(kind->open(&folder, 1, &options, &import));
    for (bool end = false; !end;) {
        s2clr_patch_record record = {.cover = -1};
        const s2clr_status status = kind->next(import, &record, &end);
        TEST_OK(status);
        if (status != S2CLR_OK) break;
        if (!end) TEST_OK(s2clr_store_writer_put(writer, &record));
    }
    kind->close(import);
    TEST_OK(s2clr_store_writer_close(writer, true));
    return path;
}

static void is_written(const archive *to)
{
    const s2clr_export_kind *kind;
    const s2clr_export_options options = {.strict = true};
    s2clr_export_report report;
    s2clr_store *store;
    char name[40];
    snprintf(name, sizeof name, "%s.back", to->folder);
    const char *back = store_rig_path(name);
    TEST_OK(s2clr_export_find("tfrecord", &kind));
    TEST_OK(s2clr_store_open(store_of(to), &store));
    TEST_OK(kind->run(store, back, &options, &report));
    s2clr_store_close(store);
    CU_ASSERT_EQUAL(report.patches, (size_t)to->patches);
    for (int i = 0; i < 2 && to->back[i]; i++) {
        char hex[65];
        size_t size;
        unsigned char *bytes = rig_file_read(rig_import_join(back, to->back[i]), &size);
        s2clr_store_digest(bytes, size, hex);
        CU_ASSERT_STRING_EQUAL(hex, to->sha256[i]);
        free(bytes);
    }
}

static void what_tensorflow_read_is_written(void)
{
    is_written(&bigearthnet);
    is_written(&cropland);
}

static const test_case cases[] = {
    {"BigEarthNet by TensorFlow is read", bigearthnet_is_read},
    {"cropland by TensorFlow is read", cropland_is_read},
    {"what TensorFlow read is written", what_tensorflow_read_is_written},
};

int main(int argc, char **argv)
{
    /* else GDAL writes a file beside what it unpacks */
    CPLSetConfigOption("CPL_VSIL_GZIP_WRITE_PROPERTIES", "NO");
    return TEST_MAIN("tfrecord_archive", cases, argc, argv);
}
