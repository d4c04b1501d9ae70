#define _POSIX_C_SOURCE 200809L
#include "harness.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/safetensors.h"

#define PATH_ROOM 4200

static const char *in_folder(const char *name)
{
    static char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return path;
}

static size_t entries_in(const char *folder)
{
    DIR *open = opendir(folder);
    size_t count = 0;
    for (struct dirent *entry; open && (entry = readdir(open));) count += entry->d_name[0] != '.';
    if (open) closedir(open);
    return count;
}

/* ---- number formats ---- */

static s2clr_status to_floats(s2clr_dtype dtype, const void *data, size_t count, size_t size,
                              float *out)
{
    /* One byte off any alignment. */
    unsigned char *shifted = malloc(count * size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shifted);
    memcpy(shifted + 1, data, count * size);
    const s2clr_tensor tensor = {.name = "t",
                                 .dtype = dtype,
                                 .rank = 1,
                                 .dims = {(int64_t)count},
                                 .count = count,
                                 .bytes = count * size,
                                 .data = shifted + 1};
    const s2clr_status status = s2clr_tensor_floats(&tensor, "x", out);
    free(shifted);
    return status;
}

/* All 65,536 halves against the definition of binary16 in arithmetic. */
static void every_half_converts(void)
{
    static uint16_t half[65536];
    static float value[65536];
    for (int i = 0; i < 65536; i++) half[i] = (uint16_t)i;
    TEST_OK(to_floats(S2CLR_DTYPE_F16, half, 65536, 2, value));
    int wrong = 0;
    for (int i = 0; i < 65536; i++) {
        const int exponent = i >> 10 & 31, fraction = i & 1023;
        const double sign = i & 0x8000 ? -1 : 1;
        const double finite =
            exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
        if (exponent == 31 && fraction)
            wrong += !isnan(value[i]);
        else if (exponent == 31)
            wrong += (double)value[i] != sign * (double)INFINITY;
        else
            wrong += (double)value[i] != sign * finite || !signbit(value[i]) != (sign > 0);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void bfloat_and_double_convert(void)
{
    const uint16_t bf16[] = {0x3f80, 0xc049, 0x0000, 0x7f80, 0x0001};
    float value[5];
    TEST_OK(to_floats(S2CLR_DTYPE_BF16, bf16, 5, 2, value));
    CU_ASSERT_EQUAL(value[0], 1.0f);
    CU_ASSERT_EQUAL(value[1], -3.140625f);
    CU_ASSERT_EQUAL(value[2], 0.0f);
    CU_ASSERT_TRUE(isinf(value[3]));
    CU_ASSERT_EQUAL(value[4], 0x1p-133f);
    const double f64[] = {0.1, -1e-3, 1.5, NAN, 3e38};
    TEST_OK(to_floats(S2CLR_DTYPE_F64, f64, 5, 8, value));
    CU_ASSERT_EQUAL(value[0], 0.1f);
    CU_ASSERT_EQUAL(value[1], -1e-3f);
    CU_ASSERT_EQUAL(value[2], 1.5f);
    CU_ASSERT_TRUE(isnan(value[3]));
    CU_ASSERT_EQUAL(value[4], 3e38f);
    const int64_t whole = 1;
    CU_ASSERT_EQUAL(to_floats(S2CLR_DTYPE_I64, &whole, 1, 8, value), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("tensor 't' holds I64, wanted floating point");
}

/* ---- writing ---- */

static const float written[] = {1.5f, -2.0f, 0.0f, 3e-39f, 7.0f, 8.0f};
static const uint8_t written_bytes[] = {9, 8, 7};

static s2clr_tensor float_tensor(const char *name)
{
    return (s2clr_tensor){.name = name,
                          .dtype = S2CLR_DTYPE_F32,
                          .rank = 3,
                          .dims = {3, 1, 2},
                          .count = 6,
                          .bytes = 24,
                          .data = written};
}

static s2clr_tensor byte_tensor(const char *name)
{
    return (s2clr_tensor){.name = name,
                          .dtype = S2CLR_DTYPE_U8,
                          .rank = 1,
                          .dims = {3},
                          .count = 3,
                          .bytes = 3,
                          .data = written_bytes};
}

static void what_is_written_is_read_back(void)
{
    const char *path = in_folder("round.safetensors");
    const s2clr_tensor tensors[] = {float_tensor("z.weight"), byte_tensor("a \"quoted\" \xc3\xa9"),
                                    float_tensor("m")};
    const s2clr_metadata metadata[] = {{"format", "pt"}, {"text", "line\nline \xe2\x82\xac"}};
    TEST_OK(s2clr_tensors_write(path, tensors, 3, metadata, 2));
    TEST_OK(s2clr_tensors_write(path, tensors, 3, metadata, 2)); /* replaces */
    s2clr_tensors *file = NULL;
    TEST_OK(s2clr_tensors_open(path, &file));
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    const s2clr_tensor *list;
    CU_ASSERT_EQUAL_FATAL(s2clr_tensors_list(file, &list), 3);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(list[i].name, tensors[i].name);
        CU_ASSERT_EQUAL(list[i].dtype, tensors[i].dtype);
        CU_ASSERT_EQUAL(list[i].rank, tensors[i].rank);
        for (int d = 0; d < list[i].rank; d++) CU_ASSERT_EQUAL(list[i].dims[d], tensors[i].dims[d]);
        CU_ASSERT_EQUAL_FATAL(list[i].bytes, tensors[i].bytes);
        CU_ASSERT_EQUAL(memcmp(list[i].data, tensors[i].data, list[i].bytes), 0);
    }
    CU_ASSERT_EQUAL((uintptr_t)list[0].data % 64, 0);
    CU_ASSERT_STRING_EQUAL(s2clr_tensors_metadata(file, "text"), "line\nline \xe2\x82\xac");
    s2clr_tensors_close(file);
    CU_ASSERT_EQUAL(entries_in(test_folder()), 1);
    unlink(path);
}

static void memory_gets_the_bytes_of_the_file(void)
{
    const char *path = in_folder("encoded.safetensors");
    const s2clr_tensor tensors[] = {byte_tensor("odd"), float_tensor("m"), float_tensor("n")};
    const s2clr_metadata metadata[] = {{"format", "pt"}};
    for (size_t count = 0; count <= 3; count++) {
        void *bytes = NULL;
        size_t size = 0;
        static unsigned char file[4096];
        TEST_OK(s2clr_tensors_encode("memory", tensors, count, metadata, 1, &bytes, &size));
        TEST_OK(s2clr_tensors_write(path, tensors, count, metadata, 1));
        FILE *open = fopen(path, "rb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(open);
        CU_ASSERT_EQUAL(fread(file, 1, sizeof file, open), size);
        CU_ASSERT_EQUAL(memcmp(file, bytes, size), 0);
        fclose(open);
        s2clr_free(bytes);
    }
    remove(path);
    const s2clr_tensor twice[] = {tensors[0], tensors[0]};
    void *bytes;
    size_t size;
    CU_ASSERT_EQUAL(s2clr_tensors_encode("memory", twice, 2, NULL, 0, &bytes, &size),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("memory: tensor name 'odd' is taken");
}

static void the_writer_refuses_nonsense(void)
{
    const char *path = in_folder("nonsense.safetensors");
    s2clr_tensor t = float_tensor("w");
    t.count = 5;
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("'w' is not consistent");
    t = float_tensor("w");
    t.dims[0] = -3;
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_ARGUMENT);
    t = float_tensor("w");
    t.data = NULL;
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_ARGUMENT);
    t = float_tensor("w");
    t.rank = 9;
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_ARGUMENT);
    const s2clr_tensor twice[] = {float_tensor("w"), byte_tensor("w")};
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, twice, 2, NULL, 0), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("'w' is taken");
    t = float_tensor("__metadata__");
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_ARGUMENT);
    t = float_tensor("latin \xe9");
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("UTF-8");
    const s2clr_metadata metadata = {"key", "latin \xe9"};
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, NULL, 0, &metadata, 1), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("metadata 'key'");
    CU_ASSERT_EQUAL(entries_in(test_folder()), 0);
}

static void a_place_that_cannot_be_written_is_named(void)
{
    const s2clr_tensor t = float_tensor("w");
    const char *path = in_folder("no/such/folder.safetensors");
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("folder.safetensors: cannot create the file");
    path = in_folder("taken");
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0777), 0);
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("cannot put the finished file in place");
    CU_ASSERT_EQUAL(entries_in(test_folder()), 1);
    rmdir(path);
}

static void a_read_only_folder_is_named(void)
{
    if (geteuid() == 0) {
        test_skip("root may write everywhere");
        return;
    }
    char folder[PATH_ROOM], path[PATH_ROOM + 8];
    snprintf(folder, sizeof folder, "%s/locked", test_folder());
    snprintf(path, sizeof path, "%s/w", folder);
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0555), 0);
    const s2clr_tensor t = float_tensor("w");
    CU_ASSERT_EQUAL(s2clr_tensors_write(path, &t, 1, NULL, 0), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("can be written to");
    CU_ASSERT_EQUAL(entries_in(folder), 0);
    rmdir(folder);
}

/* A file size limit stops the writing in the middle, as a full disk would. */
static void a_write_that_stops_leaves_the_old_file(void)
{
    const char *path = in_folder("old.safetensors");
    const s2clr_tensor small = byte_tensor("small");
    TEST_OK(s2clr_tensors_write(path, &small, 1, NULL, 0));
    const size_t count = 100000;
    float *many = calloc(count, sizeof *many);
    CU_ASSERT_PTR_NOT_NULL_FATAL(many);
    const s2clr_tensor big = {.name = "big",
                              .dtype = S2CLR_DTYPE_F32,
                              .rank = 1,
                              .dims = {(int64_t)count},
                              .count = count,
                              .bytes = count * sizeof *many,
                              .data = many};
    struct rlimit before, limit;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 65536;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    sigaction(SIGXFSZ, &ignore, &old);
    setrlimit(RLIMIT_FSIZE, &limit);
    const s2clr_status status = s2clr_tensors_write(path, &big, 1, NULL, 0);
    setrlimit(RLIMIT_FSIZE, &before);
    sigaction(SIGXFSZ, &old, NULL);
    free(many);
    CU_ASSERT_EQUAL(status, S2CLR_ERR_IO);
    TEST_ERROR_SAYS("65536 of 400128 bytes");
    CU_ASSERT_EQUAL(entries_in(test_folder()), 1);
    s2clr_tensors *file = NULL;
    TEST_OK(s2clr_tensors_open(path, &file));
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(s2clr_tensors_find(file, "small"));
    s2clr_tensors_close(file);
    unlink(path);
}

static const test_case cases[] = {
    {"every half converts", every_half_converts},
    {"bfloat and double convert", bfloat_and_double_convert},
    {"what is written is read back", what_is_written_is_read_back},
    {"memory gets the bytes of the file", memory_gets_the_bytes_of_the_file},
    {"the writer refuses nonsense", the_writer_refuses_nonsense},
    {"a place that cannot be written", a_place_that_cannot_be_written_is_named},
    {"a read-only folder is named", a_read_only_folder_is_named},
    {"a write that stops leaves the old file", a_write_that_stops_leaves_the_old_file},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("safetensors_write", cases, argc, argv);
}
