#define _GNU_SOURCE
#include "file/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define WRITE_MOST ((size_t)1 << 30) /* Linux writes less than 2 GiB per call */

typedef struct writer {
    const char *path; /* final name */
    char *part;       /* name while writing */
    int descriptor;
    size_t written, total; /* bytes */
} writer;

static s2clr_status write_failed(const writer *w, int error)
{
    if (error == ENOSPC || error == EDQUOT)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: disk full: %zu of %zu bytes written; free some space or write "
                               "to another disk (what was there before is as it was)",
                               w->path, w->written, w->total);
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot write: %s (%zu of %zu bytes; what was there before is as it "
                           "was)",
                           w->path, strerror(error), w->written, w->total);
}

static s2clr_status write_bytes(writer *w, const void *data, size_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        const ssize_t done = write(w->descriptor, at, bytes < WRITE_MOST ? bytes : WRITE_MOST);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return write_failed(w, errno);
        at += done;
        bytes -= (size_t)done;
        w->written += (size_t)done;
    }
    return S2CLR_OK;
}

static s2clr_status write_all(writer *w, const s2clr_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) S2CLR_TRY(write_bytes(w, pieces[i].at, pieces[i].size));
    return fsync(w->descriptor) == 0 ? S2CLR_OK : write_failed(w, errno);
}

static s2clr_status write_part(writer *w, const s2clr_piece *pieces, size_t count)
{
    w->descriptor = open(w->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (w->descriptor < 0)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot create the file: %s; choose a folder that exists and "
                               "can be written to",
                               w->path, strerror(errno));
    s2clr_status status = write_all(w, pieces, count);
    /* Network file systems report a full disk as late as here. */
    if (close(w->descriptor) != 0 && status == S2CLR_OK) status = write_failed(w, errno);
    if (status == S2CLR_OK && rename(w->part, w->path) != 0)
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot put the finished file in place: %s",
                                 w->path, strerror(errno));
    if (status != S2CLR_OK) unlink(w->part);
    return status;
}

s2clr_status s2clr_file_replace(const char *path, const s2clr_piece *pieces, size_t count)
{
    writer w = {.path = path};
    const size_t room = strlen(path) + 32;
    for (size_t i = 0; i < count; i++) S2CLR_TRY(s2clr_size_add(w.total, pieces[i].size, &w.total));
    S2CLR_TRY(s2clr_alloc(room, 1, "file name", (void **)&w.part));
    snprintf(w.part, room, "%s.part-%ld", path, (long)getpid());
    const s2clr_status status = write_part(&w, pieces, count);
    s2clr_free(w.part);
    return status;
}
