#include "predict/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "predict/clock.h"
#include "predict/pjournal.h"

#define SYNC_SECONDS 5.0
#define TEXT_MAX ((size_t)16 << 20)

/* ---- opening ---- */

/* Opens the file that is there or a new one, and holds it against other processes. A file that was
 * deleted between the two steps is none. */
static s2clr_status open_locked(s2clr_journal *journal)
{
    struct stat found;
    for (;;) {
        journal->file = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (journal->file < 0)
            return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened: %s", journal->path,
                                   strerror(errno));
        if (flock(journal->file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            return s2clr_error_set(S2CLR_ERR_EXISTS,
                                   "%s: another process is making this output; wait for it",
                                   journal->path);
        if (fstat(journal->file, &found) == 0 && found.st_nlink > 0) return S2CLR_OK;
        close(journal->file);
        journal->file = -1;
    }
}

static s2clr_status write_failed(const s2clr_journal *journal)
{
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", journal->path,
                           strerror(errno));
}

static void sum_head(const s2clr_journal_head *head, const char *text,
                     uint8_t sum[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, sizeof *head, (const uint8_t *)head);
    sha256_update(&hash, (size_t)head->text_bytes, (const uint8_t *)text);
    sha256_digest(&hash, SHA256_DIGEST_SIZE, sum);
}

static s2clr_status begin(s2clr_journal *journal, const char *text)
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    s2clr_journal_head head = {.order = S2CLR_JOURNAL_ORDER,
                               .planes = (uint32_t)journal->planes,
                               .text_bytes = strlen(text)};
    const off_t bytes = (off_t)head.text_bytes;
    memcpy(head.magic, S2CLR_JOURNAL_MAGIC, sizeof head.magic);
    sum_head(&head, text, sum);
    if (ftruncate(journal->file, 0) != 0 || !s2clr_journal_write(journal, 0, &head, sizeof head) ||
        !s2clr_journal_write(journal, (off_t)sizeof head, text, (size_t)bytes) ||
        !s2clr_journal_write(journal, (off_t)sizeof head + bytes, sum, sizeof sum))
        return write_failed(journal);
    journal->end = (off_t)(sizeof head + sizeof sum) + bytes;
    return S2CLR_OK;
}

/* Value of `key` in lines of K=V (not terminated by 0 when *length counts), NULL if none. */
static const char *value_of(const char *text, const char *key, size_t key_length, size_t *length)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, key_length) != 0 || line[key_length] != '=') continue;
        *length = strcspn(line + key_length + 1, "\n");
        return line + key_length + 1;
    }
    return NULL;
}

/* The first line of `a` that `b` has otherwise or not at all. */
static bool first_difference(const char *a, const char *b, const char **key, size_t *key_length)
{
    for (const char *line = a; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t length, other;
        *key = line;
        *key_length = strcspn(line, "=\n");
        length = strcspn(line, "\n") - *key_length - (line[*key_length] == '=');
        const char *value = value_of(b, *key, *key_length, &other);
        if (!value || other != length || strncmp(value, *key + *key_length + 1, length) != 0)
            return true;
    }
    return false;
}

/* "stride was 16 and is 32 now": the first of the settings that are not the same. */
static void say_difference(const char *old, const char *now, char *out, size_t size)
{
    const char *key = "";
    size_t key_length = 0, before_length = 4, now_length = 4;
    if (!first_difference(now, old, &key, &key_length))
        first_difference(old, now, &key, &key_length);
    const char *before = value_of(old, key, key_length, &before_length);
    const char *value = value_of(now, key, key_length, &now_length);
    snprintf(out, size, "%.*s was %.*s and is %.*s now", (int)key_length, key,
             (int)(before_length > 200 ? 200 : before_length), before ? before : "none",
             (int)(now_length > 200 ? 200 : now_length), value ? value : "none");
}

static s2clr_status other_settings(s2clr_journal *journal, const char *old, const char *now,
                                   char *told)
{
    char difference[600];
    say_difference(old, now, difference, sizeof difference);
    if (!told)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: belongs to a run with other settings: %s; repeat the run with "
                               "what it had, or begin anew with --overwrite",
                               journal->path, difference);
    S2CLR_TRY(begin(journal, now));
    snprintf(told, S2CLR_JOURNAL_TOLD_MAX,
             "%s: what an interrupted run with other settings had left was thrown away, and all is "
             "computed anew: %s",
             journal->path, difference);
    return S2CLR_OK;
}

static s2clr_status no_journal(const s2clr_journal *journal)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: is no journal of a run that can be resumed; delete it or choose "
                           "another output",
                           journal->path);
}

/* *torn: killed before the identity was written, so that nothing is lost. */
static s2clr_status read_identity(s2clr_journal *journal, char **text, bool *torn)
{
    s2clr_journal_head head;
    struct stat found;
    uint8_t sum[SHA256_DIGEST_SIZE], stored[SHA256_DIGEST_SIZE];
    memset(&head, 0, sizeof head);
    if (fstat(journal->file, &found) != 0) return write_failed(journal);
    const size_t there = (size_t)found.st_size < sizeof head ? (size_t)found.st_size : sizeof head;
    *torn = true;
    if (!s2clr_journal_read(journal, 0, &head, there) ||
        memcmp(head.magic, S2CLR_JOURNAL_MAGIC,
               there < sizeof head.magic ? there : sizeof head.magic) != 0)
        return no_journal(journal);
    if (there < sizeof head) return S2CLR_OK;
    if (head.order != S2CLR_JOURNAL_ORDER || head.text_bytes > TEXT_MAX) return no_journal(journal);
    S2CLR_TRY(s2clr_alloc((size_t)head.text_bytes + 1, 1, "journal", (void **)text));
    const off_t after = (off_t)sizeof head + (off_t)head.text_bytes;
    if (found.st_size < after + (off_t)sizeof stored) return S2CLR_OK;
    if (!s2clr_journal_read(journal, (off_t)sizeof head, *text, (size_t)head.text_bytes) ||
        !s2clr_journal_read(journal, after, stored, sizeof stored))
        return no_journal(journal);
    sum_head(&head, *text, sum);
    if (memcmp(sum, stored, sizeof sum) != 0) return no_journal(journal);
    *torn = false;
    journal->end = after + (off_t)sizeof stored;
    return S2CLR_OK;
}

static s2clr_status continue_or_begin(s2clr_journal *journal, const char *text, char *told)
{
    char *old = NULL;
    bool torn;
    s2clr_status status = read_identity(journal, &old, &torn);
    if (status == S2CLR_OK && torn)
        status = begin(journal, text);
    else if (status == S2CLR_OK && strcmp(old, text) != 0)
        status = other_settings(journal, old, text, told);
    else if (status == S2CLR_OK)
        status = s2clr_journal_scan(journal);
    s2clr_free(old);
    return status;
}

/* One line per pair; line ends inside become blanks. */
static s2clr_status join(const char *const *identity, char **out)
{
    size_t bytes = 1;
    char *text;
    for (size_t i = 0; identity[i]; i++) bytes += strlen(identity[i]) + 1;
    if (bytes > TEXT_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "resuming: the settings take %zu bytes", bytes);
    S2CLR_TRY(s2clr_alloc(bytes, 1, "journal", (void **)&text));
    char *to = text;
    for (size_t i = 0; identity[i]; i++) {
        for (const char *c = identity[i]; *c; c++) *to++ = *c == '\n' ? ' ' : *c;
        *to++ = '\n';
    }
    *out = text;
    return S2CLR_OK;
}

s2clr_status s2clr_journal_open(const char *path, const char *const *identity, int planes,
                                char *told, s2clr_journal **out)
{
    s2clr_journal *journal;
    char *text = NULL;
    if (told) told[0] = '\0';
    S2CLR_TRY(s2clr_alloc(1, sizeof *journal, "journal", (void **)&journal));
    journal->file = -1;
    journal->planes = planes;
    journal->synced = s2clr_clock_seconds();
    s2clr_status status = s2clr_strdup(path, &journal->path);
    if (status == S2CLR_OK) status = join(identity, &text);
    if (status == S2CLR_OK) status = open_locked(journal);
    if (status == S2CLR_OK) status = continue_or_begin(journal, text, told);
    s2clr_free(text);
    if (status != S2CLR_OK) {
        s2clr_journal_close(journal);
        return status;
    }
    journal->ours = true;
    *out = journal;
    return S2CLR_OK;
}

/* ---- records ---- */

int s2clr_journal_next_row(s2clr_journal *journal, int right, int first)
{
    if (journal->pieces == 0) return first;
    const s2clr_journal_entry last = journal->piece[journal->pieces - 1].entry;
    if (last.column + last.columns >= right) return last.row + last.rows;
    while (journal->pieces > 0 && journal->piece[journal->pieces - 1].entry.row == last.row)
        journal->end = journal->piece[--journal->pieces].at;
    journal->finished = false;
    return last.row;
}

s2clr_status s2clr_journal_replay(s2clr_journal *journal, s2clr_journal_take take, void *context)
{
    for (size_t i = 0; i < journal->pieces; i++) {
        const s2clr_journal_piece *piece = &journal->piece[i];
        const s2clr_journal_entry *e = &piece->entry;
        float *values;
        S2CLR_TRY(s2clr_alloc((size_t)e->bytes, 1, "recorded piece", (void **)&values));
        s2clr_status status = S2CLR_OK;
        if (s2clr_journal_read(journal, piece->at + (off_t)sizeof *e, values, (size_t)e->bytes))
            status = take(context, e->column, e->row, e->columns, e->rows, values);
        else
            status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read: %s", journal->path,
                                     strerror(errno));
        s2clr_free(values);
        S2CLR_TRY(status);
    }
    return S2CLR_OK;
}

/* Writes entry, parts of equal size and checksum; a record that does not fit is cut off again. */
static s2clr_status put(s2clr_journal *journal, const s2clr_journal_entry *entry,
                        const void *const *part, size_t parts)
{
    const size_t each = (size_t)entry->bytes / parts;
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    off_t at = journal->end;
    sha256_init(&hash);
    sha256_update(&hash, sizeof *entry, (const uint8_t *)entry);
    bool good = ftruncate(journal->file, at) == 0 && /* what does not count goes */
                s2clr_journal_write(journal, at, entry, sizeof *entry);
    at += (off_t)sizeof *entry;
    for (size_t i = 0; good && i < parts; i++, at += (off_t)each) {
        sha256_update(&hash, each, part[i]);
        good = s2clr_journal_write(journal, at, part[i], each);
    }
    sha256_digest(&hash, sizeof sum, sum);
    good = good && s2clr_journal_write(journal, at, sum, sizeof sum);
    const double now = s2clr_clock_seconds();
    if (good && now - journal->synced > SYNC_SECONDS) {
        good = fsync(journal->file) == 0;
        journal->synced = now;
    }
    if (!good) {
        const s2clr_status status = write_failed(journal);
        if (ftruncate(journal->file, journal->end) != 0) return status; /* the checksum tells */
        return status;
    }
    journal->end = at + (off_t)sizeof sum;
    return S2CLR_OK;
}

s2clr_status s2clr_journal_append(s2clr_journal *journal, int column, int row, int columns,
                                  int rows, const float *const *plane)
{
    const off_t at = journal->end;
    const size_t planes = (size_t)journal->planes;
    size_t bytes;
    S2CLR_TRY(s2clr_size_mul((size_t)columns * sizeof(float), (size_t)rows, &bytes));
    S2CLR_TRY(s2clr_size_mul(bytes, planes, &bytes));
    const s2clr_journal_entry entry = {
        S2CLR_JOURNAL_RECORD, S2CLR_JOURNAL_PIECE, column, row, columns, rows, bytes};
    S2CLR_TRY(put(journal, &entry, (const void *const *)plane, planes));
    return s2clr_journal_note(journal, &entry, at);
}

/* ---- the end of a run ---- */

static bool file_number(const char *path, uint64_t number[2])
{
    struct stat found;
    if (stat(path, &found) != 0) return false;
    number[0] = (uint64_t)found.st_dev;
    number[1] = (uint64_t)found.st_ino;
    return true;
}

s2clr_status s2clr_journal_finish(s2clr_journal *journal, const char *finished)
{
    const s2clr_journal_entry entry = {.magic = S2CLR_JOURNAL_RECORD,
                                       .kind = S2CLR_JOURNAL_FINISH,
                                       .bytes = sizeof journal->finished_file};
    const void *part = journal->finished_file;
    if (!file_number(finished, journal->finished_file))
        return s2clr_error_set(S2CLR_ERR_IO, "%s: has gone: %s", finished, strerror(errno));
    S2CLR_TRY(put(journal, &entry, &part, 1));
    journal->finished = true;
    return S2CLR_OK;
}

bool s2clr_journal_published(const s2clr_journal *journal, const char *output)
{
    uint64_t number[2];
    return journal->finished && file_number(output, number) &&
           memcmp(number, journal->finished_file, sizeof number) == 0;
}

void s2clr_journal_remove(s2clr_journal *journal)
{
    unlink(journal->path);
    journal->removed = true;
}

void s2clr_journal_close(s2clr_journal *journal)
{
    if (!journal) return;
    if (journal->file >= 0) {
        if (journal->ours && journal->pieces == 0 && !journal->finished)
            unlink(journal->path);
        else if (!journal->removed)
            fsync(journal->file);
        close(journal->file);
    }
    s2clr_free(journal->path);
    s2clr_free(journal->piece);
    s2clr_free(journal);
}
