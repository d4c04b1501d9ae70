#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/philox.h"
#include "dataset/crc32c.h"
#include "dataset/tfrecord.h"
#include "golden/golden_tfrecord.h"
#include "store_rig.h"

enum { GOLDEN_RECORDS = 3 };

/* ---- CRC-32C ---- */

static uint32_t slow_crc(const unsigned char *bytes, size_t size)
{
    uint32_t value = 0xFFFFFFFFu;
    for (size_t i = 0; i < 8 * size; i++) {
        const uint32_t bit = ((uint32_t)bytes[i / 8] >> i % 8 & 1u) ^ (value & 1u);
        value = value >> 1 ^ (bit ? 0x82F63B78u : 0);
    }
    return ~value;
}

static void crc_agrees_with_rfc_3720(void)
{
    unsigned char zeros[32] = {0}, ones[32], up[32], down[32];
    /* An iSCSI SCSI Read (10) Command PDU. */
    static const unsigned char command[48] = {
        [0] = 0x01,  [1] = 0xc0,  [16] = 0x14, [22] = 0x04,
        [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
    };
    s2clr_crc32c crc;
    s2clr_crc32c_init(&crc);
    memset(ones, 255, sizeof ones);
    for (int i = 0; i < 32; i++) up[i] = (unsigned char)i, down[31 - i] = (unsigned char)i;
    CU_ASSERT_EQUAL(s2clr_crc32c_of(&crc, zeros, 32), 0x8a9136aa);
    CU_ASSERT_EQUAL(s2clr_crc32c_of(&crc, ones, 32), 0x62a8ab43);
    CU_ASSERT_EQUAL(s2clr_crc32c_of(&crc, up, 32), 0x46dd794e);
    CU_ASSERT_EQUAL(s2clr_crc32c_of(&crc, down, 32), 0x113fdb5c);
    CU_ASSERT_EQUAL(s2clr_crc32c_of(&crc, command, 48), 0xd9963a56);
}

static void crc_agrees_bit_by_bit(void)
{
    unsigned char bytes[300];
    s2clr_crc32c crc;
    s2clr_crc32c_init(&crc);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)s2clr_random_below(3, 1, i, 256);
    for (size_t start = 0; start < 9; start++)
        for (size_t size = 0; start + size < 200; size++)
            CU_ASSERT_EQUAL(s2clr_crc32c_of(&crc, bytes + start, size),
                            slow_crc(bytes + start, size));
}

/* ---- reading ---- */

static const char *write_bytes(const char *name, const void *bytes, size_t size)
{
    const char *path = store_rig_path(name);
    rig_file_write(path, bytes, size);
    return path;
}

/* Reads to the end or the first error; *records and *damaged count. */
static s2clr_status read_all(const char *path, size_t *records, size_t *damaged)
{
    s2clr_tfrecord_file *file;
    s2clr_tfrecord record = {.data = NULL};
    s2clr_status status = s2clr_tfrecord_open(path, &file);
    *records = *damaged = 0;
    if (status != S2CLR_OK) return status;
    while ((status = s2clr_tfrecord_next(file, &record)) == S2CLR_OK && record.data) {
        CU_ASSERT_EQUAL(record.number, *records);
        ++*records;
        *damaged += record.damaged;
    }
    if (status == S2CLR_OK) CU_ASSERT_EQUAL(s2clr_tfrecord_done(file), 1);
    s2clr_tfrecord_close(file);
    return status;
}

/* Where records of the golden file begin; the last one is its end. */
static void golden_starts(size_t start[GOLDEN_RECORDS + 1])
{
    start[0] = 0;
    for (int i = 0; i < GOLDEN_RECORDS; i++) {
        const unsigned char *at = golden_tfrecord + start[i];
        start[i + 1] = start[i] + 16 + at[0] + 256u * at[1];
    }
}

static void golden_file_is_read(void)
{
    size_t records, damaged, start[GOLDEN_RECORDS + 1];
    const char *path = write_bytes("golden.tfrecord", golden_tfrecord, sizeof golden_tfrecord);
    golden_starts(start);
    CU_ASSERT_EQUAL_FATAL(start[GOLDEN_RECORDS], sizeof golden_tfrecord);
    TEST_OK(read_all(path, &records, &damaged));
    CU_ASSERT_EQUAL(records, GOLDEN_RECORDS);
    CU_ASSERT_EQUAL(damaged, 0);
    CU_ASSERT_TRUE(s2clr_tfrecord_identify(path));
}

static void golden_file_is_written(void)
{
    size_t start[GOLDEN_RECORDS + 1], size;
    const char *path = store_rig_path("same.tfrecord");
    s2clr_tfrecord_writer *writer;
    golden_starts(start);
    TEST_OK(s2clr_tfrecord_create(path, &writer));
    for (int i = 0; i < GOLDEN_RECORDS; i++)
        TEST_OK(s2clr_tfrecord_write(writer, golden_tfrecord + start[i] + 12,
                                     start[i + 1] - start[i] - 16));
    TEST_OK(s2clr_tfrecord_finish(writer, true));
    unsigned char *bytes = rig_file_read(path, &size);
    CU_ASSERT(size == sizeof golden_tfrecord && memcmp(bytes, golden_tfrecord, size) == 0);
    free(bytes);
}

static void every_truncation_is_noticed(void)
{
    size_t start[GOLDEN_RECORDS + 1], records, damaged;
    golden_starts(start);
    for (size_t size = 0; size < sizeof golden_tfrecord; size++) {
        const char *path = write_bytes("cut.tfrecord", golden_tfrecord, size);
        size_t whole = 0;
        while (start[whole + 1] <= size) whole++;
        const s2clr_status status = read_all(path, &records, &damaged);
        CU_ASSERT_EQUAL(records, whole);
        CU_ASSERT_EQUAL(status, size == start[whole] ? S2CLR_OK : S2CLR_ERR_FORMAT);
        if (size != start[whole]) TEST_ERROR_SAYS("truncated");
    }
}

/* The length and its CRC break the file, data and theirs only the record. */
static void every_changed_byte_is_noticed(void)
{
    unsigned char bytes[sizeof golden_tfrecord];
    size_t start[GOLDEN_RECORDS + 1], records, damaged, record = 0;
    golden_starts(start);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == start[record + 1]) record++;
        memcpy(bytes, golden_tfrecord, sizeof bytes);
        bytes[i] = (unsigned char)(bytes[i] ^ 1u << i % 8);
        const char *path = write_bytes("changed.tfrecord", bytes, sizeof bytes);
        const s2clr_status status = read_all(path, &records, &damaged);
        if (i < start[record] + 12) {
            CU_ASSERT_EQUAL(status, S2CLR_ERR_FORMAT);
            CU_ASSERT_EQUAL(records, record);
            TEST_ERROR_SAYS("wrong CRC");
        } else {
            CU_ASSERT_EQUAL(status, S2CLR_OK);
            CU_ASSERT_EQUAL(records, GOLDEN_RECORDS);
            CU_ASSERT_EQUAL(damaged, 1);
        }
    }
}

static void put_length(unsigned char head[12], uint64_t length)
{
    for (int i = 0; i < 8; i++) head[i] = (unsigned char)(length >> 8 * i);
    const uint32_t crc = slow_crc(head, 8);
    const uint32_t masked = (crc >> 15 | crc << 17) + 0xa282ead8u;
    for (int i = 0; i < 4; i++) head[8 + i] = (unsigned char)(masked >> 8 * i);
}

/* Lengths with a right CRC that nothing stands behind: no memory is taken for them. */
static void oversized_lengths_are_refused(void)
{
    static const struct {
        uint64_t length;
        const char *says;
    } cases[] = {{100, "truncated"},        {(uint64_t)200 << 20, "truncated"},
                 {1u << 31, "at most"},     {(uint64_t)1 << 40, "at most"},
                 {UINT64_MAX, "at most"},   {UINT64_MAX - 15, "at most"},
                 {(uint64_t)-12, "at most"}};
    unsigned char bytes[64] = {0};
    size_t records, damaged;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_length(bytes, cases[i].length);
        const char *path = write_bytes("long.tfrecord", bytes, sizeof bytes);
        CU_ASSERT_EQUAL(read_all(path, &records, &damaged), S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS(cases[i].says);
    }
}

static void other_things_are_refused(void)
{
    static const unsigned char gzip[40] = {0x1f, 0x8b, 8};
    size_t records, damaged;
    const char *pipe = store_rig_path("pipe.tfrecord");
    CU_ASSERT_EQUAL(mkfifo(pipe, 0600), 0);
    CU_ASSERT_EQUAL(read_all(pipe, &records, &damaged), S2CLR_ERR_IO);
    CU_ASSERT_EQUAL(read_all(test_folder(), &records, &damaged), S2CLR_ERR_IO);
    CU_ASSERT_EQUAL(read_all(store_rig_path("none"), &records, &damaged), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("No such file");
    CU_ASSERT_EQUAL(read_all(write_bytes("z", gzip, sizeof gzip), &records, &damaged),
                    S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("gunzip");
    CU_ASSERT_FALSE(s2clr_tfrecord_identify(store_rig_path("z")));
    CU_ASSERT_FALSE(s2clr_tfrecord_identify(pipe));
    CU_ASSERT_TRUE(s2clr_tfrecord_identify(write_bytes("empty.tfrecord", "", 0)));
    CU_ASSERT_FALSE(s2clr_tfrecord_identify(write_bytes("empty", "", 0)));
    TEST_OK(read_all(store_rig_path("empty.tfrecord"), &records, &damaged));
    CU_ASSERT_EQUAL(records, 0);
}

/* ---- both ways ---- */

static void records_come_back(void)
{
    static const size_t sizes[] = {0, 1, 7, 8, 9, 300, 70000, 1 << 20, 3};
    const size_t count = sizeof sizes / sizeof sizes[0];
    const char *path = store_rig_path("both.tfrecord");
    unsigned char *bytes = malloc((1 << 20) + count);
    s2clr_tfrecord_writer *writer;
    s2clr_tfrecord_file *file;
    s2clr_tfrecord record;
    for (size_t i = 0; i < (1 << 20) + count; i++) bytes[i] = (unsigned char)(i * i >> 3);
    TEST_OK(s2clr_tfrecord_create(path, &writer));
    for (size_t i = 0; i < count; i++) TEST_OK(s2clr_tfrecord_write(writer, bytes + i, sizes[i]));
    TEST_OK(s2clr_tfrecord_finish(writer, true));
    TEST_OK(s2clr_tfrecord_open(path, &file));
    for (size_t i = 0; i < count; i++) {
        TEST_OK(s2clr_tfrecord_next(file, &record));
        CU_ASSERT_PTR_NOT_NULL_FATAL(record.data);
        CU_ASSERT_FALSE(record.damaged);
        CU_ASSERT_EQUAL_FATAL(record.size, sizes[i]);
        CU_ASSERT_EQUAL(memcmp(record.data, bytes + i, sizes[i]), 0);
    }
    TEST_OK(s2clr_tfrecord_next(file, &record));
    CU_ASSERT_PTR_NULL(record.data);
    TEST_OK(s2clr_tfrecord_next(file, &record));
    CU_ASSERT_PTR_NULL(record.data);
    s2clr_tfrecord_close(file);
    free(bytes);
}

static void what_is_not_kept_is_removed(void)
{
    const char *path = store_rig_path("dropped.tfrecord");
    s2clr_tfrecord_writer *writer;
    TEST_OK(s2clr_tfrecord_create(path, &writer));
    TEST_OK(s2clr_tfrecord_write(writer, "abc", 3));
    TEST_OK(s2clr_tfrecord_finish(writer, false));
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    CU_ASSERT_EQUAL(s2clr_tfrecord_create(store_rig_path("no/such/folder"), &writer), S2CLR_ERR_IO);
}

static void a_full_disk_is_an_error(void)
{
    static unsigned char bytes[100000];
    const char *path = store_rig_path("full.tfrecord");
    struct rlimit before;
    s2clr_tfrecord_writer *writer;
    s2clr_status status = S2CLR_OK;
    getrlimit(RLIMIT_FSIZE, &before);
    const struct rlimit limit = {.rlim_cur = 150000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    TEST_OK(s2clr_tfrecord_create(path, &writer));
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 8 && status == S2CLR_OK; i++)
        status = s2clr_tfrecord_write(writer, bytes, sizeof bytes);
    const s2clr_status finished = s2clr_tfrecord_finish(writer, true);
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_EQUAL(status == S2CLR_OK ? finished : status, S2CLR_ERR_IO);
    TEST_ERROR_SAYS("cannot be written");
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static const test_case cases[] = {
    {"CRC agrees with RFC 3720", crc_agrees_with_rfc_3720},
    {"CRC agrees bit by bit", crc_agrees_bit_by_bit},
    {"golden file is read", golden_file_is_read},
    {"golden file is written", golden_file_is_written},
    {"every truncation is noticed", every_truncation_is_noticed},
    {"every changed byte is noticed", every_changed_byte_is_noticed},
    {"oversized lengths are refused", oversized_lengths_are_refused},
    {"other things are refused", other_things_are_refused},
    {"records come back", records_come_back},
    {"what is not kept is removed", what_is_not_kept_is_removed},
    {"a full disk is an error", a_full_disk_is_an_error},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("tfrecord", cases, argc, argv);
}
