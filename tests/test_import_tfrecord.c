#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dataset/pimport.h"
#include "store_rig.h"
#include "tf_rig.h"

#define IRRIGATED "Permanently irrigated land"

static tf_rig_message message;

static s2clr_tfrecord_writer *create(const char *name)
{
    s2clr_tfrecord_writer *writer = NULL;
    TEST_OK(s2clr_tfrecord_create(store_rig_path(name), &writer));
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    return writer;
}

static void close_writer(s2clr_tfrecord_writer *writer)
{
    TEST_OK(s2clr_tfrecord_finish(writer, true));
}

/* ---- what a reader gives ---- */

typedef struct taken {
    char name[60], split[12], labels[100], source[60], date[12];
    s2clr_label label;
    s2clr_dtype dtype; /* of B04 */
    int bands;
    bool equal; /* pixels are the rig's, of the patch whose number is in `number` */
} taken;

typedef struct outcome {
    s2clr_status status;
    int count, skips;
    taken patch[20];
    char reason[20][400], skipped[20][200];
} outcome;

static void note_skip(void *context, const char *name, const char *reason)
{
    outcome *out = context;
    if (out->skips < 20) {
        snprintf(out->skipped[out->skips], sizeof out->skipped[0], "%s", name);
        snprintf(out->reason[out->skips++], sizeof out->reason[0], "%s", reason);
    }
}

static bool has_rig_pixels(const s2clr_patch_record *record, int number)
{
    for (int b = 0; b < record->bands; b++) {
        const s2clr_patch_band *band = &record->band[b];
        const uint16_t *dn = band->data;
        int index = 0;
        while (strcmp(tf_rig_band[index], band->name) != 0) index++;
        for (size_t i = 0; i < (size_t)(band->width * band->height); i++)
            if (dn[i] != tf_rig_dn(number, index, i)) return false;
    }
    return true;
}

static void note_patch(outcome *out, const s2clr_patch_record *record)
{
    taken *patch = &out->patch[out->count++];
    int number = 0;
    const char *from = strstr(record->name, "101031_");
    if (from) number = atoi(from + 7);
    snprintf(patch->name, sizeof patch->name, "%.59s", record->name);
    snprintf(patch->split, sizeof patch->split, "%s", record->split);
    snprintf(patch->source, sizeof patch->source, "%.59s", record->source);
    snprintf(patch->date, sizeof patch->date, "%s", record->date);
    for (int i = 0; i < record->label_count; i++)
        snprintf(patch->labels + strlen(patch->labels),
                 sizeof patch->labels - strlen(patch->labels), "%s%s", i ? "|" : "",
                 record->labels[i]);
    patch->label = record->label;
    patch->dtype = record->band[3].dtype;
    patch->bands = record->bands;
    patch->equal = has_rig_pixels(record, number);
    CU_ASSERT_STRING_EQUAL(record->level, "L2A");
    CU_ASSERT_EQUAL(record->metres, 10);
    CU_ASSERT_EQUAL(record->cover, -1);
    CU_ASSERT_FALSE(record->has_footprint);
}

static void import_into(outcome *out, const char *path, s2clr_import_options options)
{
    const s2clr_import_kind *kind = &s2clr_import_tfrecord;
    s2clr_import *import;
    memset(out, 0, sizeof *out);
    options.skipped = note_skip;
    options.context = out;
    out->status = kind->open(&path, 1, &options, &import);
    if (out->status != S2CLR_OK) return;
    for (bool end = false; !end && out->count < 20;) {
        s2clr_patch_record record;
        const double before = kind->done(import);
        out->status = kind->next(import, &record, &end);
        if (out->status != S2CLR_OK) break;
        CU_ASSERT(kind->done(import) >= before && kind->done(import) <= 1);
        if (!end) note_patch(out, &record);
        if (end) CU_ASSERT_EQUAL(kind->done(import), 1);
    }
    kind->close(import);
}

static outcome got;

static void import(const char *path, s2clr_import_options options)
{
    import_into(&got, path, options);
}

/* ---- both variants ---- */

static void bigearthnet_records_are_read(void)
{
    s2clr_tfrecord_writer *writer = create("train_1.tfrecord");
    tf_rig_fill(&message, 7, 0, 43, 12, IRRIGATED, 22, "Broad-leaved forest");
    tf_rig_write(writer, &message);
    tf_rig_fill(&message, 8, 0, 43, 13, "Rice fields", -1, NULL);
    tf_rig_write(writer, &message);
    tf_rig_fill(&message, 9, 0, 43, 42, "Sea and ocean", -1, NULL);
    tf_rig_write(writer, &message);
    close_writer(writer);
    import(store_rig_path("train_1.tfrecord"), (s2clr_import_options){.positive = "regular"});
    TEST_OK(got.status);
    CU_ASSERT_EQUAL_FATAL(got.count, 3);
    CU_ASSERT_EQUAL(got.skips, 0);
    CU_ASSERT_STRING_EQUAL(got.patch[0].name, tf_rig_name(7));
    CU_ASSERT_STRING_EQUAL(got.patch[0].labels, IRRIGATED "|Broad-leaved forest");
    CU_ASSERT_STRING_EQUAL(got.patch[0].date, "2017-06-13");
    CU_ASSERT_STRING_EQUAL(got.patch[0].split, "train");
    CU_ASSERT_STRING_EQUAL(got.patch[0].source, "train_1.tfrecord");
    CU_ASSERT_EQUAL(got.patch[0].dtype, S2CLR_DTYPE_U16);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(got.patch[i].label, i == 0);
        CU_ASSERT_EQUAL(got.patch[i].bands, 12);
        CU_ASSERT_TRUE(got.patch[i].equal);
    }
    import(store_rig_path("train_1.tfrecord"), (s2clr_import_options){.positive = "expanded"});
    for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(got.patch[i].label, i < 2);
    import(store_rig_path("train_1.tfrecord"), (s2clr_import_options){.positive = NULL});
    for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(got.patch[i].label, S2CLR_LABEL_UNKNOWN);
    import(store_rig_path("train_1.tfrecord"), (s2clr_import_options){.positive = "Irrigated"});
    CU_ASSERT_EQUAL(got.status, S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("one of the 43");
}

static s2clr_bytes text_of(const char *text)
{
    return (s2clr_bytes){(const unsigned char *)text, strlen(text)};
}

/* Two patches of one picture, and one without labels or B01. */
static void cropland_records_are_read(void)
{
    static const char folder[] = "/hdd/Sentinel2/Irrigated/S2A_MSIL2A_20170613T101031_7_x/";
    s2clr_tfrecord_writer *writer = create("cropland.tfrecord");
    tf_rig_fill(&message, 7, 120, 2, 0, "Irrigated", -1, NULL);
    message.name = text_of(folder);
    tf_rig_write(writer, &message);
    message.value[5] ^= 1;
    message.label[0] = text_of("Rainfed");
    message.hot[0] = 0, message.hot[1] = 1;
    tf_rig_write(writer, &message);
    tf_rig_fill(&message, 8, 120, 2, -1, NULL, -1, NULL);
    message.feature[0] = message.feature[TF_RIG_NAME];
    message.count = TF_RIG_BANDS;
    tf_rig_write(writer, &message);
    close_writer(writer);
    const char *path = store_rig_path("cropland.tfrecord");
    import(path, (s2clr_import_options){.positive = "Irrigated"});
    TEST_OK(got.status);
    CU_ASSERT_EQUAL_FATAL(got.count, 3);
    CU_ASSERT_EQUAL(got.skips, 0);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(strncmp(got.patch[i].name, "S2A_MSIL2A_20170613T101031_7_x_", 31), 0);
        CU_ASSERT_EQUAL(strlen(got.patch[i].name), 30 + 13);
        CU_ASSERT_STRING_EQUAL(got.patch[i].source, "S2A_MSIL2A_20170613T101031_7_x");
        CU_ASSERT_EQUAL(got.patch[i].label, i == 0);
        CU_ASSERT_EQUAL(got.patch[i].equal, i == 0);
    }
    CU_ASSERT_STRING_NOT_EQUAL(got.patch[0].name, got.patch[1].name);
    CU_ASSERT_STRING_EQUAL(got.patch[0].labels, "Irrigated");
    CU_ASSERT_STRING_EQUAL(got.patch[0].split, "");
    CU_ASSERT_EQUAL(got.patch[2].label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_EQUAL(got.patch[2].bands, 11);
    CU_ASSERT_TRUE(got.patch[2].equal);
    import(path, (s2clr_import_options){.positive = "Rainfed"});
    CU_ASSERT_EQUAL(got.patch[0].label, 0);
    CU_ASSERT_EQUAL(got.patch[1].label, 1);
    import(path, (s2clr_import_options){.positive = "Rice fields"});
    CU_ASSERT_EQUAL(got.status, S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("Irrigated or Rainfed");
}

/* A name depends on the pixels, not on the order; a patch with it keeps it. */
static void cropland_names_are_stable(void)
{
    char name[60];
    s2clr_tfrecord_writer *writer = create("named.tfrecord");
    tf_rig_fill(&message, 5, 120, 2, 0, "Irrigated", -1, NULL);
    tf_rig_write(writer, &message);
    close_writer(writer);
    import(store_rig_path("named.tfrecord"), (s2clr_import_options){0});
    CU_ASSERT_EQUAL_FATAL(got.count, 1);
    snprintf(name, sizeof name, "%s", got.patch[0].name);
    writer = create("named.tfrecord");
    tf_rig_fill(&message, 6, 120, 2, 0, "Irrigated", -1, NULL);
    tf_rig_write(writer, &message);
    tf_rig_fill(&message, 5, 120, 2, -1, NULL, -1, NULL);
    message.name = text_of(name);
    tf_rig_write(writer, &message);
    close_writer(writer);
    import(store_rig_path("named.tfrecord"), (s2clr_import_options){0});
    CU_ASSERT_EQUAL_FATAL(got.count, 2);
    CU_ASSERT_STRING_EQUAL(got.patch[1].name, name);
}

/* ---- what is wrong with a patch ---- */

static int64_t odd_values[14400];

/* What is 0 stays as the rig made it. */
typedef struct spoiled {
    const char *says;
    int feature;
    const char *rename;
    size_t count;
    bool empty, rehot, named;
    int64_t odd[2], hot; /* of the feature; of class 12 */
    const char *label;
    s2clr_bytes name;
} spoiled;

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const unsigned char *)text, sizeof text - 1                                               \
    }

static const spoiled faults[] = {
    {.says = "band B08 is missing", .feature = 7, .rename = "B88"},
    {.says = "'B04' has 14399 values", .feature = 3, .count = 14399},
    {.says = "band B05 has 3000 values", .feature = 4, .count = 3000},
    {.says = "has no band B05", .feature = 4, .rename = "five"},
    {.says = "from 0 to 65536", .feature = 1, .odd = {65536, 0}},
    {.says = "from -1 to 40000", .feature = 1, .odd = {40000, -1}},
    {.says = "'B03' has 0 values of kind nothing", .feature = 2, .empty = true},
    {.says = "unknown label 'Arable land'", .label = "Arable land"},
    {.says = "say different things", .rehot = true, .hot = 0},
    {.says = "holds 2", .rehot = true, .hot = 2},
    {.says = "has 19 values", .feature = TF_RIG_HOT, .count = 19},
    {.says = "has no patch_name", .feature = TF_RIG_NAME, .rename = "x"},
    {.says = "has 0 bytes", .named = true},
    {.says = "has 3 bytes", .named = true, .name = TEXT("a\0b")},
    {.says = "no control characters", .named = true, .name = TEXT("a\nb")},
};

static void spoil(const spoiled *fault)
{
    s2clr_feature_source *feature = &message.feature[fault->feature];
    if (fault->rename) feature->name = fault->rename;
    if (fault->count) feature->count = fault->count;
    if (fault->empty) feature->kind = S2CLR_FEATURE_EMPTY;
    if (fault->odd[0]) feature->ints = memcpy(odd_values, fault->odd, sizeof fault->odd);
    if (fault->rehot) message.hot[12] = fault->hot;
    if (fault->label) message.label[0] = text_of(fault->label);
    if (fault->named) message.name = fault->name;
}

static void a_wrong_patch_is_a_skip(void)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        s2clr_tfrecord_writer *writer = create("wrong.tfrecord");
        memset(odd_values, 0, sizeof odd_values);
        tf_rig_fill(&message, 1, 0, 43, 12, IRRIGATED, -1, NULL);
        spoil(&faults[i]);
        tf_rig_write(writer, &message);
        tf_rig_fill(&message, 2, 0, 43, 12, IRRIGATED, -1, NULL);
        tf_rig_write(writer, &message);
        close_writer(writer);
        import(store_rig_path("wrong.tfrecord"), (s2clr_import_options){.positive = "regular"});
        TEST_OK(got.status);
        CU_ASSERT_EQUAL(got.count, 1);
        CU_ASSERT_EQUAL_FATAL(got.skips, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.reason[0], faults[i].says));
        CU_ASSERT_PTR_NOT_NULL(strstr(got.skipped[0], "wrong.tfrecord record 0"));
        import(store_rig_path("wrong.tfrecord"), (s2clr_import_options){.strict = true});
        CU_ASSERT_EQUAL(got.status, S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS(faults[i].says);
    }
}

static void negative_values_stay(void)
{
    s2clr_tfrecord_writer *writer = create("negative.tfrecord");
    memset(odd_values, 0, sizeof odd_values);
    odd_values[3] = -32768;
    odd_values[4] = 32767;
    tf_rig_fill(&message, 1, 0, 43, 12, IRRIGATED, -1, NULL);
    message.feature[3].ints = odd_values;
    tf_rig_write(writer, &message);
    close_writer(writer);
    import(store_rig_path("negative.tfrecord"), (s2clr_import_options){0});
    CU_ASSERT_EQUAL_FATAL(got.count, 1);
    CU_ASSERT_EQUAL(got.patch[0].dtype, S2CLR_DTYPE_I16);
}

/* ---- what is wrong with a file ---- */

static void write_three(const char *name)
{
    s2clr_tfrecord_writer *writer = create(name);
    for (int i = 1; i <= 3; i++) {
        tf_rig_fill(&message, i, 0, 43, 12, IRRIGATED, -1, NULL);
        tf_rig_write(writer, &message);
    }
    close_writer(writer);
}

static void a_wrong_crc_is_a_skip(void)
{
    size_t size;
    write_three("crc.tfrecord");
    const char *path = store_rig_path("crc.tfrecord");
    unsigned char *bytes = rig_file_read(path, &size);
    bytes[size / 2] ^= 4;
    rig_file_write(path, bytes, size);
    import(path, (s2clr_import_options){0});
    TEST_OK(got.status);
    CU_ASSERT_EQUAL(got.count, 2);
    CU_ASSERT_EQUAL(got.skips, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.reason[0], "wrong CRC"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.skipped[0], "record 1"));
    import(path, (s2clr_import_options){.strict = true});
    CU_ASSERT_EQUAL(got.status, S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("record 1");
    rig_file_write(path, bytes, size - 9);
    import(path, (s2clr_import_options){0});
    CU_ASSERT_EQUAL(got.status, S2CLR_ERR_FORMAT);
    CU_ASSERT_EQUAL(got.count, 1);
    TEST_ERROR_SAYS("truncated");
    free(bytes);
}

static void a_patch_comes_once(void)
{
    char folder[4200];
    snprintf(folder, sizeof folder, "%s", store_rig_path("twice"));
    mkdir(folder, 0777);
    write_three("twice/b.tfrecord");
    write_three("twice/a.tfrecord");
    rig_file_write(store_rig_path("twice/notes.txt"), "x", 1);
    import(folder, (s2clr_import_options){0});
    TEST_OK(got.status);
    CU_ASSERT_EQUAL_FATAL(got.count, 3);
    CU_ASSERT_EQUAL_FATAL(got.skips, 3);
    CU_ASSERT_STRING_EQUAL(got.patch[0].source, "a.tfrecord");
    CU_ASSERT_STRING_EQUAL(got.skipped[0], tf_rig_name(1));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.reason[0], "b.tfrecord"));
}

/* ---- what is taken ---- */

static void lists_and_folders_say_the_split(void)
{
    char list[4300], exclude[4300];
    const char *lists[] = {list, NULL}, *excludes[] = {exclude, NULL};
    mkdir(store_rig_path("tree"), 0777);
    mkdir(store_rig_path("tree/val"), 0777);
    write_three("tree/val/part-0.tfrecord");
    import(store_rig_path("tree"), (s2clr_import_options){0});
    CU_ASSERT_EQUAL_FATAL(got.count, 3);
    CU_ASSERT_STRING_EQUAL(got.patch[0].split, "validation");
    snprintf(list, sizeof list, "test=%s", store_rig_path("names"));
    snprintf(exclude, sizeof exclude, "%s", store_rig_path("not"));
    rig_file_write(store_rig_path("names"),
                   "S2A_MSIL2A_20170613T101031_1_48\nS2A_MSIL2A_20170613T101031_3_48\nother\n", 70);
    rig_file_write(store_rig_path("not"), "S2A_MSIL2A_20170613T101031_1_48\n", 32);
    import(store_rig_path("tree"), (s2clr_import_options){.lists = lists, .exclude = excludes});
    TEST_OK(got.status);
    CU_ASSERT_EQUAL_FATAL(got.count, 1);
    CU_ASSERT_STRING_EQUAL(got.patch[0].name, tf_rig_name(3));
    CU_ASSERT_STRING_EQUAL(got.patch[0].split, "test");
    CU_ASSERT_EQUAL(got.skips, 1);
    CU_ASSERT_STRING_EQUAL(got.skipped[0], "other");
}

static void archives_are_told(void)
{
    const s2clr_import_kind *kind = NULL;
    char path[4300];
    const char *inputs[] = {path};
    write_three("plain.tfrecord");
    snprintf(path, sizeof path, "%s", store_rig_path("plain.tfrecord"));
    TEST_OK(s2clr_import_identify(inputs, 1, &kind));
    CU_ASSERT_PTR_EQUAL(kind, &s2clr_import_tfrecord);
    mkdir(store_rig_path("told"), 0777);
    CU_ASSERT_FALSE(s2clr_import_tfrecord.identify(store_rig_path("told")));
    write_three("told/x.tfrecord-00000-of-00001");
    snprintf(path, sizeof path, "%s", store_rig_path("told"));
    TEST_OK(s2clr_import_identify(inputs, 1, &kind));
    CU_ASSERT_PTR_EQUAL(kind, &s2clr_import_tfrecord);
    rig_file_write(store_rig_path("text"), "not a record at all", 19);
    CU_ASSERT_FALSE(s2clr_import_tfrecord.identify(store_rig_path("text")));
    import(store_rig_path("nothing"), (s2clr_import_options){0});
    CU_ASSERT_EQUAL(got.status, S2CLR_ERR_IO);
    import(path, (s2clr_import_options){.positive = "Rice"});
    CU_ASSERT_EQUAL(got.status, S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("Rice fields");
}

static const test_case cases[] = {
    {"BigEarthNet records are read", bigearthnet_records_are_read},
    {"cropland records are read", cropland_records_are_read},
    {"cropland names are stable", cropland_names_are_stable},
    {"a wrong patch is a skip", a_wrong_patch_is_a_skip},
    {"negative values stay", negative_values_stay},
    {"a wrong CRC is a skip", a_wrong_crc_is_a_skip},
    {"a patch comes once", a_patch_comes_once},
    {"lists and folders say the split", lists_and_folders_say_the_split},
    {"archives are told", archives_are_told},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("import_tfrecord", cases, argc, argv);
}
