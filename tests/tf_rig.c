#include "tf_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "harness.h"

const char *const tf_rig_band[TF_RIG_BANDS] = {"B01", "B02", "B03", "B04", "B05", "B06",
                                               "B07", "B08", "B8A", "B09", "B11", "B12"};
const int tf_rig_side[TF_RIG_BANDS] = {20, 120, 120, 120, 60, 60, 60, 120, 60, 20, 60, 60};

uint16_t tf_rig_dn(int number, int band, size_t pixel)
{
    const uint32_t mixed = ((uint32_t)number * 31 + (uint32_t)band) * 7919 + (uint32_t)pixel * 13;
    return (uint16_t)(1 + mixed % 65535);
}

const char *tf_rig_name(int number)
{
    static char name[8][60];
    static int next;
    next = (next + 1) % 8;
    snprintf(name[next], sizeof name[next], "S2A_MSIL2A_20170613T101031_%d_48", number);
    return name[next];
}

static s2clr_bytes bytes_of(const char *text)
{
    return (s2clr_bytes){(const unsigned char *)text, strlen(text)};
}

static int side_of(int band, int side)
{
    return side ? side : tf_rig_side[band];
}

static void fill_bands(tf_rig_message *message, int number, int side)
{
    int64_t *value = message->value;
    for (int b = 0; b < TF_RIG_BANDS; b++) {
        const size_t count = (size_t)side_of(b, side) * (size_t)side_of(b, side);
        for (size_t i = 0; i < count; i++) value[i] = tf_rig_dn(number, b, i);
        message->feature[b] = (s2clr_feature_source){
            .name = tf_rig_band[b], .kind = S2CLR_FEATURE_INTS, .count = count, .ints = value};
        value += count;
    }
}

void tf_rig_fill(tf_rig_message *message, int number, int side, int classes, int first,
                 const char *first_name, int second, const char *second_name)
{
    size_t labels = 0;
    message->count = TF_RIG_BANDS + 3;
    fill_bands(message, number, side);
    memset(message->hot, 0, sizeof message->hot);
    if (first >= 0) message->hot[first] = 1;
    if (second >= 0) message->hot[second] = 1;
    if (first >= 0) message->label[labels++] = bytes_of(first_name);
    if (second >= 0) message->label[labels++] = bytes_of(second_name);
    message->name = bytes_of(tf_rig_name(number));
    message->feature[TF_RIG_LABELS] = (s2clr_feature_source){.name = "original_labels",
                                                             .kind = S2CLR_FEATURE_BYTES,
                                                             .count = labels,
                                                             .bytes = message->label};
    message->feature[TF_RIG_HOT] = (s2clr_feature_source){.name = "original_labels_multi_hot",
                                                          .kind = S2CLR_FEATURE_INTS,
                                                          .count = (size_t)classes,
                                                          .ints = message->hot};
    message->feature[TF_RIG_NAME] = (s2clr_feature_source){
        .name = "patch_name", .kind = S2CLR_FEATURE_BYTES, .count = 1, .bytes = &message->name};
}

void tf_rig_write(s2clr_tfrecord_writer *writer, const tf_rig_message *message)
{
    void *bytes;
    size_t size;
    TEST_OK(s2clr_tfexample_encode(message->feature, (size_t)message->count, &bytes, &size));
    TEST_OK(s2clr_tfrecord_write(writer, bytes, size));
    s2clr_free(bytes);
}

void tf_rig_record(s2clr_patch_record *record, int number, int side)
{
    static uint16_t pixels[TF_RIG_VALUES];
    uint16_t *at = pixels;
    *record = (s2clr_patch_record){.name = tf_rig_name(number),
                                   .bands = TF_RIG_BANDS,
                                   .label = S2CLR_LABEL_UNKNOWN,
                                   .cover = -1,
                                   .level = "L2A",
                                   .metres = 10};
    for (int b = 0; b < TF_RIG_BANDS; b++) {
        const int size = side_of(b, side);
        s2clr_patch_band *band = &record->band[b];
        snprintf(band->name, sizeof band->name, "%s", tf_rig_band[b]);
        band->dtype = S2CLR_DTYPE_U16;
        band->height = band->width = size;
        band->data = at;
        for (size_t i = 0; i < (size_t)(size * size); i++) *at++ = tf_rig_dn(number, b, i);
    }
}
