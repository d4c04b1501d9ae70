/* Which records of a journal count: the unbroken row of whole ones from the beginning. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "predict/pjournal.h"

bool s2clr_journal_read(const s2clr_journal *journal, off_t at, void *to, size_t bytes)
{
    char *next = to;
    while (bytes > 0) {
        const ssize_t got = pread(journal->file, next, bytes, at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        next += got;
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

bool s2clr_journal_write(const s2clr_journal *journal, off_t at, const void *from, size_t bytes)
{
    const char *next = from;
    while (bytes > 0) {
        const ssize_t put = pwrite(journal->file, next, bytes, at);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        next += put;
        at += put;
        bytes -= (size_t)put;
    }
    return true;
}

s2clr_status s2clr_journal_note(s2clr_journal *journal, const s2clr_journal_entry *entry, off_t at)
{
    if (journal->pieces == journal->piece_room) {
        const size_t room = journal->piece_room ? 2 * journal->piece_room : 64;
        s2clr_journal_piece *piece;
        S2CLR_TRY(s2clr_alloc(room, sizeof *piece, "list of pieces", (void **)&piece));
        if (journal->pieces) memcpy(piece, journal->piece, journal->pieces * sizeof *piece);
        s2clr_free(journal->piece);
        journal->piece = piece;
        journal->piece_room = room;
    }
    journal->piece[journal->pieces++] = (s2clr_journal_piece){*entry, at};
    return S2CLR_OK;
}

/* Row by row, each from left to right, without overlap. */
static bool follows(const s2clr_journal *journal, const s2clr_journal_entry *entry)
{
    if (journal->pieces == 0) return true;
    const s2clr_journal_entry *last = &journal->piece[journal->pieces - 1].entry;
    if (entry->row == last->row)
        return entry->rows == last->rows && entry->column >= (int64_t)last->column + last->columns;
    return entry->row >= (int64_t)last->row + last->rows;
}

static bool makes_sense(const s2clr_journal *journal, const s2clr_journal_entry *entry)
{
    size_t bytes = sizeof(float);
    if (entry->magic != S2CLR_JOURNAL_RECORD) return false;
    if (entry->kind == S2CLR_JOURNAL_FINISH) return entry->bytes == sizeof journal->finished_file;
    if (entry->kind != S2CLR_JOURNAL_PIECE || entry->columns < 1 || entry->rows < 1 ||
        entry->column < 0 || entry->row < 0 || entry->column > INT_MAX - entry->columns ||
        entry->row > INT_MAX - entry->rows)
        return false;
    if (s2clr_size_mul(bytes, (size_t)entry->columns, &bytes) != S2CLR_OK ||
        s2clr_size_mul(bytes, (size_t)entry->rows, &bytes) != S2CLR_OK ||
        s2clr_size_mul(bytes, (size_t)journal->planes, &bytes) != S2CLR_OK)
        return false;
    return entry->bytes == bytes && follows(journal, entry);
}

/* *whole: what the entry at `at` announces is there and has its checksum. */
static bool is_whole(const s2clr_journal *journal, const s2clr_journal_entry *entry, off_t at)
{
    enum { CHUNK = 1 << 14 };
    uint8_t chunk[CHUNK], sum[SHA256_DIGEST_SIZE], stored[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, sizeof *entry, (const uint8_t *)entry);
    at += (off_t)sizeof *entry;
    for (uint64_t left = entry->bytes; left > 0;) {
        const size_t bytes = left < CHUNK ? (size_t)left : CHUNK;
        if (!s2clr_journal_read(journal, at, chunk, bytes)) return false;
        sha256_update(&hash, bytes, chunk);
        at += (off_t)bytes;
        left -= bytes;
    }
    sha256_digest(&hash, sizeof sum, sum);
    return s2clr_journal_read(journal, at, stored, sizeof stored) &&
           memcmp(sum, stored, sizeof sum) == 0;
}

s2clr_status s2clr_journal_scan(s2clr_journal *journal)
{
    struct stat found;
    s2clr_journal_entry entry;
    const off_t frame = (off_t)(sizeof entry + SHA256_DIGEST_SIZE);
    if (fstat(journal->file, &found) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read: %s", journal->path,
                               strerror(errno));
    for (;;) {
        const off_t at = journal->end;
        if (found.st_size - at < frame || !s2clr_journal_read(journal, at, &entry, sizeof entry) ||
            !makes_sense(journal, &entry) || entry.bytes > (uint64_t)(found.st_size - at - frame) ||
            !is_whole(journal, &entry, at))
            return S2CLR_OK;
        if (entry.kind == S2CLR_JOURNAL_FINISH) { /* the next record takes its place */
            journal->finished =
                s2clr_journal_read(journal, at + (off_t)sizeof entry, journal->finished_file,
                                   sizeof journal->finished_file);
            return S2CLR_OK;
        }
        S2CLR_TRY(s2clr_journal_note(journal, &entry, at));
        journal->end = at + frame + (off_t)entry.bytes;
    }
}
