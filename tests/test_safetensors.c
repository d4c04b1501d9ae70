#define _POSIX_C_SOURCE 200809L
#include "harness.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/philox.h"
#include "file/safetensors.h"

#define PATH_ROOM 4200

static const char *in_folder(const char *name)
{
    static char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return path;
}

/* A file as another program would write it: length, header, data; on the heap at its exact size,
 * so that the sanitizers see every step outside. */
static unsigned char *make_bytes(uint64_t length, const char *header, size_t header_bytes,
                                 size_t data_bytes, size_t *size)
{
    *size = 8 + header_bytes + data_bytes;
    unsigned char *bytes = malloc(*size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(length >> (8 * i));
    memcpy(bytes + 8, header, header_bytes);
    for (size_t i = 0; i < data_bytes; i++) bytes[8 + header_bytes + i] = (unsigned char)i;
    return bytes;
}

static s2clr_status parse_header(const char *header, size_t data_bytes)
{
    size_t size;
    unsigned char *bytes = make_bytes(strlen(header), header, strlen(header), data_bytes, &size);
    s2clr_tensors *file = NULL;
    s2clr_error_clear();
    const s2clr_status status = s2clr_tensors_parse(bytes, size, "hostile.safetensors", &file);
    CU_ASSERT_EQUAL(file == NULL, status != S2CLR_OK);
    s2clr_tensors_close(file);
    free(bytes);
    return status;
}

/* ---- reading ---- */

static void a_file_written_by_hand_is_read(void)
{
    const char header[] = "{\"b\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[24,28]},"
                          "\"__metadata__\":{\"who\":\"somebody\",\"\":\"empty key\"},"
                          "\"a.weight\":{\"extra\":[1],\"dtype\":\"F32\",\"shape\":[2,3],"
                          "\"data_offsets\":[0,24]},"
                          "\"none\":{\"dtype\":\"F64\",\"shape\":[4,0],\"data_offsets\":[24,24]}} ";
    size_t size;
    unsigned char *bytes = make_bytes(strlen(header), header, strlen(header), 28, &size);
    s2clr_tensors *file = NULL;
    TEST_OK(s2clr_tensors_parse(bytes, size, "hand.safetensors", &file));
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);

    const s2clr_tensor *list;
    CU_ASSERT_EQUAL_FATAL(s2clr_tensors_list(file, &list), 3);
    CU_ASSERT_STRING_EQUAL(list[0].name, "a.weight");
    CU_ASSERT_STRING_EQUAL(list[1].name, "none");
    CU_ASSERT_STRING_EQUAL(list[2].name, "b");

    const s2clr_tensor *a = s2clr_tensors_find(file, "a.weight");
    CU_ASSERT_PTR_EQUAL_FATAL(a, &list[0]);
    CU_ASSERT_EQUAL(a->dtype, S2CLR_DTYPE_F32);
    CU_ASSERT_EQUAL(a->rank, 2);
    CU_ASSERT_EQUAL(a->dims[0], 2);
    CU_ASSERT_EQUAL(a->dims[1], 3);
    CU_ASSERT_EQUAL(a->count, 6);
    CU_ASSERT_EQUAL(a->bytes, 24);
    CU_ASSERT_PTR_EQUAL(a->data, bytes + 8 + strlen(header));
    CU_ASSERT_EQUAL(s2clr_tensors_find(file, "b")->count, 1);
    CU_ASSERT_EQUAL(s2clr_tensors_find(file, "none")->count, 0);
    CU_ASSERT_PTR_NULL(s2clr_tensors_find(file, "a"));
    CU_ASSERT_PTR_NULL(s2clr_tensors_find(file, "__metadata__"));
    CU_ASSERT_STRING_EQUAL(s2clr_tensors_metadata(file, "who"), "somebody");
    CU_ASSERT_STRING_EQUAL(s2clr_tensors_metadata(file, ""), "empty key");
    CU_ASSERT_PTR_NULL(s2clr_tensors_metadata(file, "whom"));
    s2clr_tensors_close(file);
    free(bytes);
}

static void no_tensors_and_no_metadata_are_a_file_too(void)
{
    CU_ASSERT_EQUAL(parse_header("{}", 0), S2CLR_OK);
}

#define ENTRY(type, shape, offsets)                                                                \
    "{\"w\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(first, second)                                                                         \
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" first "},"                          \
    "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" second "}}"

static const struct {
    const char *header;
    size_t data_bytes;
    const char *says;
} hostile[] = {
    {"", 0, "does not start with '{'"},
    {"[]", 0, "does not start with '{'"},
    {" {}", 0, "does not start with '{'"},
    {"{", 0, "not valid JSON"},
    {"{} {}", 0, "not valid JSON"},
    {"{\"a\":}", 0, "not valid JSON"},
    {"{\"a\\u0000b\":1}", 0, "not valid JSON"},
    {"{\"a\xff\":1}", 0, "not valid JSON"},
    {"{\"w\":{},\"w\":{}}", 0, "duplicate"},
    {"{\"w\":1}", 0, "not a JSON object"},
    {"{\"w\":null}", 0, "not a JSON object"},
    {"{\"w\":{\"shape\":[],\"data_offsets\":[0,4]}}", 4, "'dtype' is missing"},
    {"{\"w\":{\"dtype\":7,\"shape\":[],\"data_offsets\":[0,4]}}", 4, "'dtype' is missing"},
    {ENTRY("F8_E4M3", "[4]", "[0,4]"), 4, "unknown dtype 'F8_E4M3'"},
    {ENTRY("f32", "[1]", "[0,4]"), 4, "unknown dtype 'f32'"},
    {"{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "'shape' is missing"},
    {ENTRY("F32", "4", "[0,4]"), 4, "'shape' is missing or not an array"},
    {ENTRY("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "more than 8 dimensions"},
    {ENTRY("F32", "[-1]", "[0,4]"), 4, "whole numbers >= 0"},
    {ENTRY("F32", "[1.0]", "[0,4]"), 4, "whole numbers >= 0"},
    {ENTRY("F32", "[\"1\"]", "[0,4]"), 4, "whole numbers >= 0"},
    {ENTRY("F32", "[4294967296,4294967296]", "[0,4]"), 4, "overflows"},
    {ENTRY("F64", "[2305843009213693952]", "[0,4]"), 4, "overflows"},
    {ENTRY("F32", "[9223372036854775807,9223372036854775807,0]", "[0,4]"), 4, "span 4 bytes"},
    {ENTRY("F32", "[99999999999999999999]", "[0,4]"), 4, "not valid JSON"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "'data_offsets' is not an array of two"},
    {ENTRY("F32", "[1]", "[0]"), 4, "'data_offsets' is not an array of two"},
    {ENTRY("F32", "[1]", "[0,4,8]"), 4, "'data_offsets' is not an array of two"},
    {ENTRY("F32", "[1]", "[0,4.0]"), 4, "'data_offsets' is not an array of two"},
    {ENTRY("F32", "[1]", "[-4,0]"), 4, "negative or end before they begin"},
    {ENTRY("F32", "[1]", "[4,0]"), 4, "negative or end before they begin"},
    {ENTRY("F32", "[1]", "[0,8]"), 8, "span 8 bytes, F32 of shape [1] needs 4"},
    {ENTRY("F32", "[2,2]", "[0,16]"), 15, "truncated"},
    {ENTRY("F32", "[2,2]", "[0,16]"), 0, "truncated"},
    {ENTRY("U8", "[4611686018427387904]", "[0,4611686018427387904]"), 4, "truncated"},
    {ENTRY("U8", "[1]", "[9223372036854775806,9223372036854775807]"), 4, "truncated"},
    {ENTRY("F32", "[1]", "[0,4]"), 5, "end after 4 bytes of data, the file has 5"},
    {ENTRY("F32", "[1]", "[4,8]"), 8, "gap before its data"},
    {TWO("[0,4]", "[3,7]"), 7, "overlap"},
    {TWO("[0,4]", "[0,4]"), 4, "overlap"},
    {TWO("[0,4]", "[5,9]"), 9, "gap before its data"},
    {"{}", 1, "end after 0 bytes of data, the file has 1"},
    {"{\"__metadata__\":[]}", 0, "not a JSON object of strings"},
    {"{\"__metadata__\":{\"version\":1}}", 0, "metadata 'version' is not a string"},
    {"{\"__metadata__\":{\"a\":null}}", 0, "metadata 'a' is not a string"},
};

static void hostile_headers_are_refused(void)
{
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        const s2clr_status status = parse_header(hostile[i].header, hostile[i].data_bytes);
        CU_ASSERT_TRUE(status == S2CLR_ERR_FORMAT || status == S2CLR_ERR_UNSUPPORTED);
        TEST_ERROR_SAYS("hostile.safetensors: ");
        TEST_ERROR_SAYS(hostile[i].says);
    }
}

static void lengths_are_not_trusted(void)
{
    static const struct {
        uint64_t length;
        const char *says;
    } lies[] = {
        {3, "truncated: the header says it has 3 bytes, the file has only 2"},
        {1000, "truncated"},
        {100000000, "truncated"},
        {100000001, "header length 100000001 is beyond"},
        {UINT64_MAX, "header length 18446744073709551615 is beyond"},
        {UINT64_MAX - 7, "is beyond"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        size_t size;
        unsigned char *bytes = make_bytes(lies[i].length, "{}", 2, 0, &size);
        s2clr_tensors *file = NULL;
        CU_ASSERT_EQUAL(s2clr_tensors_parse(bytes, size, "x", &file), S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS(lies[i].says);
        for (size_t n = 0; n < 8; n++) {
            unsigned char *few = malloc(n ? n : 1);
            CU_ASSERT_PTR_NOT_NULL_FATAL(few);
            memcpy(few, bytes, n);
            CU_ASSERT_EQUAL(s2clr_tensors_parse(few, n, "x", &file), S2CLR_ERR_FORMAT);
            TEST_ERROR_SAYS("too few");
            free(few);
        }
        CU_ASSERT_PTR_NULL(file);
        free(bytes);
    }
}

static void deep_nesting_and_long_names_are_harmless(void)
{
    const size_t deep = 100000;
    char *header = malloc(deep + 16);
    CU_ASSERT_PTR_NOT_NULL_FATAL(header);
    strcpy(header, "{\"w\":");
    memset(header + 5, '[', deep);
    header[5 + deep] = '\0';
    CU_ASSERT_EQUAL(parse_header(header, 0), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("not valid JSON");

    memset(header + 2, 'n', deep);
    strcpy(header + deep, "\":0}");
    CU_ASSERT_EQUAL(parse_header(header, 0), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("nnn...': its entry is not a JSON object");
    free(header);

    CU_ASSERT_EQUAL(parse_header("{\"a\\u001b[2Jb\\n\":0}", 0), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("tensor 'a?[2Jb?'");
}

static void files_that_cannot_be_mapped_are_named(void)
{
    s2clr_tensors *file = NULL;
    const char *absent = in_folder("absent.safetensors");
    CU_ASSERT_EQUAL(s2clr_tensors_open(absent, &file), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("absent.safetensors: cannot open");
    CU_ASSERT_EQUAL(s2clr_tensors_open(test_folder(), &file), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("not a regular file");
    const char *empty = in_folder("empty.safetensors");
    close(open(empty, O_CREAT | O_WRONLY, 0666));
    CU_ASSERT_EQUAL(s2clr_tensors_open(empty, &file), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("the file is empty");
    unlink(empty);
    const char *pipe_path = in_folder("pipe");
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe_path, 0666), 0);
    CU_ASSERT_EQUAL(s2clr_tensors_open(pipe_path, &file), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("not a regular file");
    unlink(pipe_path);
    CU_ASSERT_PTR_NULL(file);
}

/* From: printf '\2\0\0\0\0\0\0\0{}' | sha256sum (GNU coreutils 9.1) */
static void the_digest_is_that_of_the_whole_file(void)
{
    static const char wanted[] = "411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd";
    size_t size;
    unsigned char *bytes = make_bytes(2, "{}", 2, 0, &size);
    s2clr_tensors *file = NULL;
    TEST_OK(s2clr_tensors_parse(bytes, size, "x", &file));
    char hex[65];
    s2clr_tensors_sha256(file, hex);
    CU_ASSERT_STRING_EQUAL(hex, wanted);
    s2clr_tensors_close(file);
    free(bytes);
}

/* ---- fuzzing ---- */

static uint64_t drawn;

static uint32_t draw(uint32_t bound)
{
    return s2clr_random_below(2026, 7, drawn++, bound);
}

static void mutate(unsigned char *bytes, size_t size)
{
    static const char tokens[] = "{}[]\",:0123456789-.eE\\nulltrue \xff";
    const uint32_t edits = 1 + draw(4);
    for (uint32_t e = 0; e < edits; e++) {
        const size_t at = draw((uint32_t)size);
        switch (draw(4)) {
        case 0:
            bytes[at] = (unsigned char)tokens[draw(sizeof tokens - 1)];
            break;
        case 1:
            bytes[at] ^= (unsigned char)(1u << draw(8));
            break;
        case 2:
            bytes[draw(8)] = (unsigned char)draw(256);
            break;
        default: {
            const size_t room = size - at, span = room < 12 ? room : 12;
            memmove(bytes + at, bytes + draw((uint32_t)(size - span + 1)), span);
        }
        }
    }
}

/* Reads every byte that an accepted file claims to have. */
static unsigned touch(const s2clr_tensors *file)
{
    const s2clr_tensor *list;
    const size_t count = s2clr_tensors_list(file, &list);
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *data = list[i].data;
        for (size_t j = 0; j < list[i].bytes; j++) sum += data[j];
        float *floats = malloc(list[i].count * sizeof *floats + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(floats);
        sum += s2clr_tensor_floats(&list[i], "fuzz", floats) == S2CLR_OK;
        free(floats);
        CU_ASSERT_PTR_EQUAL(s2clr_tensors_find(file, list[i].name), &list[i]);
    }
    return sum;
}

static void mutated_files_never_hurt(void)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"h\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[24,32]},"
        "\"e\":{\"dtype\":\"I64\",\"shape\":[0,7],\"data_offsets\":[32,32]},"
        "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[32,33]}}";
    int accepted = 0, refused = 0, silent = 0;
    unsigned sum = 0;
    for (int i = 0; i < 6000; i++) {
        size_t size;
        unsigned char *bytes = make_bytes(sizeof header - 1, header, sizeof header - 1, 33, &size);
        mutate(bytes, size);
        if (draw(8) == 0) { /* cut off: a copy, so that its end is guarded too */
            size = draw((uint32_t)size);
            unsigned char *cut = malloc(size ? size : 1);
            CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
            memcpy(cut, bytes, size);
            free(bytes);
            bytes = cut;
        }
        s2clr_tensors *file = NULL;
        s2clr_error_clear();
        if (s2clr_tensors_parse(bytes, size, "fuzz", &file) == S2CLR_OK) {
            sum += touch(file);
            accepted++;
        } else {
            refused++;
            silent += s2clr_error_text()[0] == '\0';
        }
        s2clr_tensors_close(file);
        free(bytes);
    }
    CU_ASSERT_TRUE(accepted > 100); /* changes of data or metadata do no harm */
    CU_ASSERT_TRUE(refused > 3000);
    CU_ASSERT_EQUAL(silent, 0);
    CU_ASSERT_TRUE(sum > 0);
}

static const test_case cases[] = {
    {"a file written by hand is read", a_file_written_by_hand_is_read},
    {"no tensors and no metadata", no_tensors_and_no_metadata_are_a_file_too},
    {"hostile headers are refused", hostile_headers_are_refused},
    {"lengths are not trusted", lengths_are_not_trusted},
    {"deep nesting and long names", deep_nesting_and_long_names_are_harmless},
    {"files that cannot be mapped", files_that_cannot_be_mapped_are_named},
    {"the digest is that of the whole file", the_digest_is_that_of_the_whole_file},
    {"mutated files never hurt", mutated_files_never_hurt},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("safetensors", cases, argc, argv);
}
