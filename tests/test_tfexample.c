#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "dataset/tfexample.h"
#include "golden/golden_tfrecord.h"

/* ---- the messages of another program ---- */

static const s2clr_feature *feature_of(const s2clr_tfexample *example, const char *name,
                                       s2clr_feature_kind kind, size_t count)
{
    const s2clr_feature *feature = s2clr_tfexample_find(example, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(feature);
    CU_ASSERT_EQUAL_FATAL(feature->kind, kind);
    CU_ASSERT_EQUAL_FATAL(feature->count, count);
    return feature;
}

/* Record `number` of the golden file. */
static void parse_golden(int number, s2clr_tfexample *out)
{
    const unsigned char *at = golden_tfrecord;
    size_t size = at[0] + 256u * at[1];
    for (int i = 0; i < number; i++) {
        at += size + 16;
        size = at[0] + 256u * at[1];
    }
    TEST_OK(s2clr_tfexample_parse(at + 12, size, "golden", out));
}

static void golden_messages_are_read(void)
{
    static const int64_t ints[] = {0, 1, 127, 128, 16383, 16384, 65535, -1, INT64_MIN, INT64_MAX};
    static const float floats[] = {0, -1.5F, 3.25e7F, INFINITY};
    s2clr_tfexample example;
    int64_t value[10];
    float number[4];
    s2clr_bytes text[3];
    parse_golden(0, &example);
    CU_ASSERT_EQUAL(example.count, 3);
    TEST_OK(s2clr_feature_ints(&example, feature_of(&example, "B04", S2CLR_FEATURE_INTS, 10), value,
                               10));
    CU_ASSERT_EQUAL(memcmp(value, ints, sizeof ints), 0);
    TEST_OK(s2clr_feature_floats(&example, feature_of(&example, "share", S2CLR_FEATURE_FLOATS, 4),
                                 number, 4));
    CU_ASSERT_EQUAL(memcmp(number, floats, sizeof floats), 0);
    TEST_OK(s2clr_feature_bytes(
        &example, feature_of(&example, "patch_name", S2CLR_FEATURE_BYTES, 1), text, 1));
    CU_ASSERT(text[0].size == 32 &&
              memcmp(text[0].at, "S2A_MSIL2A_20170613T101031_87_48", 32) == 0);
    parse_golden(1, &example);
    TEST_OK(
        s2clr_feature_ints(&example, feature_of(&example, "one", S2CLR_FEATURE_INTS, 1), value, 1));
    CU_ASSERT_EQUAL(value[0], 7);
    parse_golden(2, &example);
    TEST_OK(s2clr_feature_bytes(&example, feature_of(&example, "labels", S2CLR_FEATURE_BYTES, 3),
                                text, 3));
    CU_ASSERT(text[0].size == 7 && memcmp(text[0].at, "Gr\xc3\xb6\xc3\x9f\x65", 7) == 0);
    CU_ASSERT_EQUAL(text[1].size, 0);
    CU_ASSERT(text[2].size == 2 && memcmp(text[2].at, "\0\xff", 2) == 0);
    feature_of(&example, "nothing", S2CLR_FEATURE_EMPTY, 0);
    feature_of(&example, "empty", S2CLR_FEATURE_INTS, 0);
}

/* ---- both ways ---- */

enum { SOURCES = 5 };

static const int64_t some_ints[] = {5, -5, 70000, 0, INT64_MIN};
static const float some_floats[] = {1, 2.5F};
static const s2clr_bytes some_bytes[] = {{(const unsigned char *)"ab", 2},
                                         {(const unsigned char *)"", 0}};
static const s2clr_feature_source sources[SOURCES] = {
    {.name = "i", .kind = S2CLR_FEATURE_INTS, .count = 5, .ints = some_ints},
    {.name = "f", .kind = S2CLR_FEATURE_FLOATS, .count = 2, .floats = some_floats},
    {.name = "b", .kind = S2CLR_FEATURE_BYTES, .count = 2, .bytes = some_bytes},
    {.name = "no", .kind = S2CLR_FEATURE_EMPTY},
    {.name = "", .kind = S2CLR_FEATURE_INTS, .count = 0},
};

static void what_is_written_is_read(void)
{
    s2clr_tfexample example;
    int64_t ints[5];
    float floats[2];
    s2clr_bytes bytes[2];
    void *message;
    size_t size;
    TEST_OK(s2clr_tfexample_encode(sources, SOURCES, &message, &size));
    TEST_OK(s2clr_tfexample_parse(message, size, "own", &example));
    CU_ASSERT_EQUAL(example.count, SOURCES);
    TEST_OK(
        s2clr_feature_ints(&example, feature_of(&example, "i", S2CLR_FEATURE_INTS, 5), ints, 5));
    CU_ASSERT_EQUAL(memcmp(ints, some_ints, sizeof ints), 0);
    TEST_OK(s2clr_feature_floats(&example, feature_of(&example, "f", S2CLR_FEATURE_FLOATS, 2),
                                 floats, 2));
    CU_ASSERT_EQUAL(memcmp(floats, some_floats, sizeof floats), 0);
    TEST_OK(
        s2clr_feature_bytes(&example, feature_of(&example, "b", S2CLR_FEATURE_BYTES, 2), bytes, 2));
    CU_ASSERT(bytes[0].size == 2 && memcmp(bytes[0].at, "ab", 2) == 0 && bytes[1].size == 0);
    feature_of(&example, "no", S2CLR_FEATURE_EMPTY, 0);
    feature_of(&example, "", S2CLR_FEATURE_INTS, 0);
    CU_ASSERT_PTR_NULL(s2clr_tfexample_find(&example, "none"));
    CU_ASSERT_EQUAL(s2clr_feature_ints(&example, &example.feature[1], ints, 2), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("kind floats");
    CU_ASSERT_EQUAL(s2clr_feature_ints(&example, &example.feature[0], ints, 4), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("5 values");
    s2clr_free(message);
    TEST_OK(s2clr_tfexample_encode(NULL, 0, &message, &size));
    TEST_OK(s2clr_tfexample_parse(message, size, "own", &example));
    CU_ASSERT_EQUAL(example.count, 0);
    s2clr_free(message);
}

/* The golden messages again, from what was read of them: same features in the same order give the
 * same bytes. */
static void golden_message_is_written(void)
{
    s2clr_tfexample example;
    s2clr_feature_source source[3];
    int64_t ints[10];
    float floats[4];
    s2clr_bytes name;
    char names[3][20];
    void *message;
    size_t size;
    parse_golden(0, &example);
    for (int i = 0; i < 3; i++) {
        const s2clr_feature *f = &example.feature[i];
        memcpy(names[i], f->name.at, f->name.size);
        names[i][f->name.size] = '\0';
        source[i] = (s2clr_feature_source){names[i], f->kind, f->count, ints, floats, &name};
        if (f->kind == S2CLR_FEATURE_INTS) TEST_OK(s2clr_feature_ints(&example, f, ints, 10));
        if (f->kind == S2CLR_FEATURE_FLOATS) TEST_OK(s2clr_feature_floats(&example, f, floats, 4));
        if (f->kind == S2CLR_FEATURE_BYTES) TEST_OK(s2clr_feature_bytes(&example, f, &name, 1));
    }
    TEST_OK(s2clr_tfexample_encode(source, 3, &message, &size));
    CU_ASSERT(size == golden_tfrecord[0] && memcmp(message, golden_tfrecord + 12, size) == 0);
    s2clr_free(message);
}

/* ---- by hand ---- */

/* {features {feature {key "x", value {LIST}}}} */
static size_t wrap(unsigned char *out, const void *list, size_t size, unsigned char kind)
{
    const unsigned char head[] = {0x0a,
                                  (unsigned char)(size + 9),
                                  0x0a,
                                  (unsigned char)(size + 7),
                                  0x0a,
                                  1,
                                  'x',
                                  0x12,
                                  (unsigned char)(size + 2),
                                  (unsigned char)(kind << 3 | 2),
                                  (unsigned char)size};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, list, size);
    return sizeof head + size;
}

static void packed_and_unpacked_values_are_read(void)
{
    /* 1, unpacked; 300 and -1, packed; an empty pack; 4, unpacked; unknown fields between. */
    static const unsigned char list[] = {0x08, 1,    0x0a, 12,   0xac, 2,    0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,    0x10, 9,
                                         0x0a, 0,    0x1d, 1,    2,    3,    4,    0x08, 4};
    static const unsigned char floats[] = {0x0d, 0, 0, 0x80, 0x3f, 0x0a, 4, 0, 0, 0, 0x40, 0x08, 3};
    unsigned char message[100];
    s2clr_tfexample example;
    int64_t value[4];
    float number[2];
    size_t size = wrap(message, list, sizeof list, S2CLR_FEATURE_INTS);
    TEST_OK(s2clr_tfexample_parse(message, size, "hand", &example));
    TEST_OK(
        s2clr_feature_ints(&example, feature_of(&example, "x", S2CLR_FEATURE_INTS, 4), value, 4));
    CU_ASSERT(value[0] == 1 && value[1] == 300 && value[2] == -1 && value[3] == 4);
    size = wrap(message, floats, sizeof floats, S2CLR_FEATURE_FLOATS);
    TEST_OK(s2clr_tfexample_parse(message, size, "hand", &example));
    TEST_OK(s2clr_feature_floats(&example, feature_of(&example, "x", S2CLR_FEATURE_FLOATS, 2),
                                 number, 2));
    CU_ASSERT(number[0] == 1 && number[1] == 2);
}

static void unknown_fields_are_passed_over(void)
{
    /* Field 7 of every wire type around {features {9: 1, feature {key "x", 5: "zz"}}}. */
    static const unsigned char message[] = {
        0x38, 0x96, 1, 0x39, 1,  2,    3, 4,    5, 6,    7, 8,   0x3a, 2, 'a', 'b', 0x3d, 1,
        2,    3,    4, 0x0a, 11, 0x48, 1, 0x0a, 7, 0x0a, 1, 'x', 0x2a, 2, 'z', 'z', 0x38, 0};
    s2clr_tfexample example;
    TEST_OK(s2clr_tfexample_parse(message, sizeof message, "hand", &example));
    CU_ASSERT_EQUAL(example.count, 1);
    feature_of(&example, "x", S2CLR_FEATURE_EMPTY, 0);
}

typedef struct bad_case {
    const char *bytes;
    size_t size;
    const char *says;
} bad_case;

#define BAD(text, says)                                                                            \
    {                                                                                              \
        text, sizeof text - 1, says                                                                \
    }

static const bad_case bad[] = {
    BAD("\x0a\x05\x0a", "a length beyond its end"),
    BAD("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a length beyond its end"),
    BAD("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "more than 64 bits"),
    BAD("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "more than 64 bits"),
    BAD("\x08\x80", "a number that ends too early"),
    BAD("\x02\x00", "a field number that cannot be"),
    BAD("\xfa\xff\xff\xff\xff\x7f\x00", "a field number that cannot be"),
    BAD("\x0b\x0c", "a field of unknown type"),
    BAD("\x0f", "a field of unknown type"),
    BAD("\x39\x01\x02", "a length beyond its end"),
    BAD("\x0a\x0a\x0a\x03\x0a\x01x\x0a\x03\x0a\x01x", "a twin of the same name"),
    BAD("\x0a\x09\x0a\x07\x0a\x01x\x12\x00\x12\x00", "two values"),
    BAD("\x0a\x0b\x0a\x09\x0a\x01x\x12\x04\x1a\x00\x12\x00", "two lists"),
    BAD("\x0a\x0e\x0a\x0c\x0a\x01x\x12\x07\x12\x05\x0a\x03\x01\x02\x03", "one is cut"),
    BAD("\x0a\x0d\x0a\x0b\x0a\x01x\x12\x06\x1a\x04\x0a\x02\x01\x80", "ends too early"),
};

static void hostile_messages_are_refused(void)
{
    static s2clr_tfexample example;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(s2clr_tfexample_parse(bad[i].bytes, bad[i].size, "file record 7", &example),
                        S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS("file record 7");
        TEST_ERROR_SAYS(bad[i].says);
    }
}

static void too_many_features_are_refused(void)
{
    unsigned char message[3 + 5 * 200] = {0x0a, (5 * 200 & 127) | 128, 5 * 200 >> 7};
    static s2clr_tfexample example;
    for (int i = 0; i < 200; i++) {
        const unsigned char entry[5] = {0x0a, 3, 0x0a, 1, (unsigned char)(i + 1)};
        memcpy(message + 3 + 5 * i, entry, 5);
    }
    CU_ASSERT_EQUAL(s2clr_tfexample_parse(message, sizeof message, "many", &example),
                    S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("more than 128");
}

/* ---- changed at random ---- */

static uint32_t draw(uint64_t round, uint64_t which, size_t below)
{
    return s2clr_random_below(11, round, which, (uint32_t)below);
}

/* Bytes flipped, overwritten with lengths' favourites, cut out or off. */
static size_t disturb(unsigned char *bytes, size_t size, uint64_t round)
{
    static const unsigned char favourites[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a};
    const uint64_t changes = 1 + draw(round, 0, 4);
    for (uint64_t c = 1; c <= changes && size > 1; c++) {
        const size_t at = (size_t)draw(round, 10 * c, size);
        switch (draw(round, 10 * c + 1, 4)) {
        case 0:
            bytes[at] = (unsigned char)(bytes[at] ^ 1u << draw(round, 10 * c + 2, 8));
            break;
        case 1:
            bytes[at] = favourites[draw(round, 10 * c + 2, sizeof favourites)];
            break;
        case 2:
            size = at ? at : 1;
            break;
        default:
            memmove(bytes + at, bytes + at + 1, size - at - 1);
            size--;
        }
    }
    return size;
}

/* Every value of every feature, into memory that is just large enough. */
static void read_everything(const s2clr_tfexample *example)
{
    for (int i = 0; i < example->count; i++) {
        const s2clr_feature *f = &example->feature[i];
        void *values = malloc(f->count * sizeof(s2clr_bytes) + 1);
        if (f->kind == S2CLR_FEATURE_INTS)
            TEST_OK(s2clr_feature_ints(example, f, values, f->count));
        if (f->kind == S2CLR_FEATURE_FLOATS)
            TEST_OK(s2clr_feature_floats(example, f, values, f->count));
        if (f->kind == S2CLR_FEATURE_BYTES)
            TEST_OK(s2clr_feature_bytes(example, f, values, f->count));
        free(values);
    }
}

static void changed_messages_do_no_harm(void)
{
    static s2clr_tfexample example;
    size_t size, refused = 0;
    void *message;
    enum { ROUNDS = 30000 };
    TEST_OK(s2clr_tfexample_encode(sources, SOURCES, &message, &size));
    for (uint64_t round = 0; round < ROUNDS; round++) {
        unsigned char *bytes = malloc(size);
        memcpy(bytes, message, size);
        const size_t left = disturb(bytes, size, round);
        unsigned char *exact = malloc(left); /* what lies behind it is out of bounds */
        memcpy(exact, bytes, left);
        if (s2clr_tfexample_parse(exact, left, "disturbed", &example) == S2CLR_OK)
            read_everything(&example);
        else
            refused++;
        free(exact);
        free(bytes);
    }
    CU_ASSERT(refused > ROUNDS / 4 && refused < ROUNDS);
    s2clr_free(message);
}

static const test_case cases[] = {
    {"golden messages are read", golden_messages_are_read},
    {"what is written is read", what_is_written_is_read},
    {"golden message is written", golden_message_is_written},
    {"packed and unpacked values are read", packed_and_unpacked_values_are_read},
    {"unknown fields are passed over", unknown_fields_are_passed_over},
    {"hostile messages are refused", hostile_messages_are_refused},
    {"too many features are refused", too_many_features_are_refused},
    {"changed messages do no harm", changed_messages_do_no_harm},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("tfexample", cases, argc, argv);
}
