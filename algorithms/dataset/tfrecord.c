#define _GNU_SOURCE
#include "dataset/tfrecord.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/crc32c.h"

enum { HEAD = 12, TAIL = 4, BUFFER = 1 << 18 };

/* Records of patches have at most a few MB; a larger one is a mistake or an attack. */
#define RECORD_MAX ((uint64_t)256 << 20)

struct s2clr_tfrecord_file {
    char *path;
    FILE *stream;
    uint64_t size, at; /* bytes */
    size_t number;
    unsigned char *data; // (room)
    size_t room;
    s2clr_crc32c crc;
};

static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint32_t check_of(const s2clr_crc32c *crc, const void *bytes, size_t size)
{
    return masked(s2clr_crc32c_of(crc, bytes, size));
}

static uint64_t get_number(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

static void put_number(unsigned char *bytes, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) bytes[i] = (unsigned char)(value >> 8 * i);
}

/* ---- reading ---- */

static s2clr_status open_stream(s2clr_tfrecord_file *file)
{
    struct stat info;
    /* O_NONBLOCK: a pipe of that name must not hang. */
    const int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &info) != 0) {
        const int error = errno;
        if (descriptor >= 0) close(descriptor);
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot open: %s; wanted: a TFRecord file",
                               file->path, strerror(error));
    }
    if (!S_ISREG(info.st_mode)) {
        close(descriptor);
        return s2clr_error_set(S2CLR_ERR_IO, "%s: not a file; wanted: a TFRecord file", file->path);
    }
    file->size = (uint64_t)info.st_size;
    file->stream = fdopen(descriptor, "rb");
    if (!file->stream) {
        close(descriptor);
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for reading", file->path);
    }
    setvbuf(file->stream, NULL, _IOFBF, BUFFER);
    return S2CLR_OK;
}

s2clr_status s2clr_tfrecord_open(const char *path, s2clr_tfrecord_file **out)
{
    s2clr_tfrecord_file *file;
    S2CLR_TRY(s2clr_alloc(1, sizeof *file, path, (void **)&file));
    s2clr_crc32c_init(&file->crc);
    s2clr_status status = s2clr_strdup(path, &file->path);
    if (status == S2CLR_OK) status = open_stream(file);
    if (status == S2CLR_OK)
        *out = file;
    else
        s2clr_tfrecord_close(file);
    return status;
}

void s2clr_tfrecord_close(s2clr_tfrecord_file *file)
{
    if (!file) return;
    if (file->stream) fclose(file->stream);
    s2clr_free(file->data);
    s2clr_free(file->path);
    s2clr_free(file);
}

double s2clr_tfrecord_done(const s2clr_tfrecord_file *file)
{
    return file->size ? (double)file->at / (double)file->size : 1;
}

static s2clr_status truncated(const s2clr_tfrecord_file *file, uint64_t wanted)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: truncated: record %zu begins at byte %llu and needs %llu bytes, "
                           "the file has %llu; fetch it again",
                           file->path, file->number, (unsigned long long)file->at,
                           (unsigned long long)wanted, (unsigned long long)file->size);
}

static s2clr_status fetch(const s2clr_tfrecord_file *file, void *bytes, size_t size)
{
    if (fread(bytes, 1, size, file->stream) == size) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: record %zu cannot be read: %s", file->path,
                           file->number,
                           ferror(file->stream) ? strerror(errno) : "the file became shorter");
}

static s2clr_status read_length(const s2clr_tfrecord_file *file, uint64_t *out)
{
    const uint64_t left = file->size - file->at;
    unsigned char head[HEAD];
    if (left < HEAD) return truncated(file, HEAD + TAIL);
    S2CLR_TRY(fetch(file, head, sizeof head));
    const uint64_t length = get_number(head, 8);
    if (check_of(&file->crc, head, 8) != get_number(head + 8, 4))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: the length of record %zu (at byte %llu) has a wrong CRC; "
                               "wanted: an uncompressed TFRecord file; fetch it again%s",
                               file->path, file->number, (unsigned long long)file->at,
                               head[0] == 0x1f && head[1] == 0x8b ? " or unpack it with gunzip"
                                                                  : "");
    if (length > RECORD_MAX)
        return s2clr_error_set(
            S2CLR_ERR_FORMAT, "%s: record %zu is said to have %llu bytes; at most %llu are taken",
            file->path, file->number, (unsigned long long)length, (unsigned long long)RECORD_MAX);
    if (length > left - HEAD || left - HEAD - length < TAIL)
        return truncated(file, HEAD + length + TAIL);
    *out = length;
    return S2CLR_OK;
}

static s2clr_status make_room(s2clr_tfrecord_file *file, size_t bytes)
{
    if (bytes <= file->room) return S2CLR_OK;
    const size_t room = bytes + bytes / 4; /* records differ by a little */
    s2clr_free(file->data);
    file->data = NULL;
    file->room = 0;
    S2CLR_TRY(s2clr_alloc(room, 1, "a record", (void **)&file->data));
    file->room = room;
    return S2CLR_OK;
}

s2clr_status s2clr_tfrecord_next(s2clr_tfrecord_file *file, s2clr_tfrecord *out)
{
    uint64_t length;
    if (file->at == file->size) {
        *out = (s2clr_tfrecord){.number = file->number};
        return S2CLR_OK;
    }
    S2CLR_TRY(read_length(file, &length));
    const size_t size = (size_t)length;
    S2CLR_TRY(make_room(file, size + TAIL));
    S2CLR_TRY(fetch(file, file->data, size + TAIL));
    out->data = file->data;
    out->size = size;
    out->number = file->number++;
    out->damaged = check_of(&file->crc, file->data, size) != get_number(file->data + size, TAIL);
    file->at += HEAD + length + TAIL;
    return S2CLR_OK;
}

bool s2clr_tfrecord_identify(const char *path)
{
    s2clr_tfrecord_file *file;
    uint64_t length;
    bool found = s2clr_tfrecord_open(path, &file) == S2CLR_OK;
    if (found) {
        const char *suffix = strrchr(path, '.');
        if (file->size == 0)
            found = suffix && strcmp(suffix, ".tfrecord") == 0;
        else
            found = read_length(file, &length) == S2CLR_OK;
        s2clr_tfrecord_close(file);
    }
    s2clr_error_clear(); /* "no" is an answer, not an error */
    return found;
}

/* ---- writing ---- */

struct s2clr_tfrecord_writer {
    char *path;
    FILE *stream;
    bool failed;
    s2clr_crc32c crc;
};

static s2clr_status not_written(s2clr_tfrecord_writer *writer, int error)
{
    writer->failed = true;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", writer->path,
                           strerror(error));
}

s2clr_status s2clr_tfrecord_create(const char *path, s2clr_tfrecord_writer **out)
{
    s2clr_tfrecord_writer *writer;
    S2CLR_TRY(s2clr_alloc(1, sizeof *writer, path, (void **)&writer));
    s2clr_crc32c_init(&writer->crc);
    s2clr_status status = s2clr_strdup(path, &writer->path);
    if (status == S2CLR_OK) {
        writer->stream = fopen(path, "wbe");
        if (!writer->stream) status = not_written(writer, errno);
    }
    if (status == S2CLR_OK) {
        setvbuf(writer->stream, NULL, _IOFBF, BUFFER);
        *out = writer;
        return S2CLR_OK;
    }
    s2clr_free(writer->path);
    s2clr_free(writer);
    return status;
}

s2clr_status s2clr_tfrecord_write(s2clr_tfrecord_writer *writer, const void *data, size_t size)
{
    unsigned char head[HEAD], tail[TAIL];
    put_number(head, size, 8);
    put_number(head + 8, check_of(&writer->crc, head, 8), 4);
    put_number(tail, check_of(&writer->crc, data, size), TAIL);
    if (fwrite(head, 1, HEAD, writer->stream) != HEAD ||
        fwrite(data, 1, size, writer->stream) != size ||
        fwrite(tail, 1, TAIL, writer->stream) != TAIL)
        return not_written(writer, errno);
    return S2CLR_OK;
}

s2clr_status s2clr_tfrecord_finish(s2clr_tfrecord_writer *writer, bool keep)
{
    s2clr_status status = S2CLR_OK;
    keep = keep && !writer->failed;
    if (keep && (fflush(writer->stream) != 0 || fsync(fileno(writer->stream)) != 0))
        status = not_written(writer, errno);
    if (fclose(writer->stream) != 0 && keep && status == S2CLR_OK)
        status = not_written(writer, errno);
    if (!keep || status != S2CLR_OK) unlink(writer->path);
    s2clr_free(writer->path);
    s2clr_free(writer);
    return status;
}
