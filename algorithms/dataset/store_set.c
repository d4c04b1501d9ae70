/* New values for a column of the index, all rows in one transaction. */
#define _GNU_SOURCE
#include <cpl_conv.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/pstore.h"

enum { ROWS_PER_STATEMENT = 400, FID_ROOM = 21, TEXT_MAX = 4096 };

typedef struct change {
    const char *value;
    int64_t fid;
} change;

/* ---- values ---- */

static bool is_split(const char *value)
{
    return s2clr_split_name_known(value);
}

static bool is_label(const char *value)
{
    return !*value || strcmp(value, "-1") == 0 || strcmp(value, "0") == 0 ||
           strcmp(value, "1") == 0;
}

static bool is_cover(const char *value)
{
    char *end;
    const double share = CPLStrtod(value, &end);
    return !*value || strcmp(value, "-1") == 0 || (!*end && share >= 0 && share <= 1);
}

static bool is_text(const char *value)
{
    if (strlen(value) > TEXT_MAX) return false;
    for (; *value; value++)
        if ((unsigned char)*value < ' ' || *value == 127) return false;
    return true;
}

static const struct {
    const char *name, *wanted;
    bool (*check)(const char *value);
    bool number; /* "" and "-1": unknown */
} settable[] = {
    {"split", "train, validation, test or nothing", is_split, false},
    {"label", "1, 0, or -1 for unknown", is_label, true},
    {"cover", "a share from 0 to 1, or -1 for unknown", is_cover, true},
    {"country", "a text of at most 4096 bytes without control characters", is_text, false},
};
enum { SETTABLE = sizeof settable / sizeof settable[0] };

static s2clr_status find_column(const char *path, const char *column, size_t *out)
{
    for (size_t i = 0; i < SETTABLE; i++) {
        if (strcmp(settable[i].name, column) != 0) continue;
        *out = i;
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: column '%.60s' cannot be set; wanted: split, label, cover or "
                           "country",
                           path, column);
}

/* ---- statements ---- */

static int by_value(const void *a, const void *b)
{
    const change *x = a, *y = b;
    const int order = strcmp(x->value, y->value);
    return order ? order : x->fid < y->fid ? -1 : x->fid > y->fid;
}

/* 'text' with quotes doubled, or NULL. */
static void quote(const char *value, bool number, char *to)
{
    if (!*value || (number && strcmp(value, "-1") == 0)) {
        memcpy(to, "NULL", 5);
        return;
    }
    if (!number) *to++ = '\'';
    for (; *value; value++) {
        if (*value == '\'') *to++ = '\'';
        *to++ = *value;
    }
    if (!number) *to++ = '\'';
    *to = 0;
}

/* UPDATE for up to ROWS_PER_STATEMENT rows that get one value. */
static s2clr_status update(s2clr_index *index, size_t column, const change *changes, size_t count,
                           char *sql, size_t room)
{
    char value[2 * TEXT_MAX + 3];
    quote(changes[0].value, settable[column].number, value);
    int at = snprintf(sql, room, "UPDATE " S2CLR_STORE_LAYER " SET %s = %s WHERE fid IN (",
                      settable[column].name, value);
    for (size_t i = 0; i < count; i++)
        at += snprintf(sql + at, room - (size_t)at, "%s%" PRId64, i ? "," : "", changes[i].fid);
    snprintf(sql + at, room - (size_t)at, ")");
    return s2clr_index_sql(index, sql, "change rows");
}

static s2clr_status update_all(s2clr_index *index, size_t column, const change *changes,
                               size_t count)
{
    enum { ROOM = 2 * TEXT_MAX + 200 + ROWS_PER_STATEMENT * FID_ROOM };
    char *sql;
    S2CLR_TRY(s2clr_alloc(ROOM, 1, "statement", (void **)&sql));
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; i < count && status == S2CLR_OK;) {
        size_t n = 1;
        while (i + n < count && n < ROWS_PER_STATEMENT &&
               strcmp(changes[i].value, changes[i + n].value) == 0)
            n++;
        status = update(index, column, changes + i, n, sql, ROOM);
        i += n;
    }
    s2clr_free(sql);
    return status;
}

/* ---- the whole ---- */

static s2clr_status collect(const s2clr_index *index, const s2clr_rows *rows, size_t column,
                            const char *const *values, change *changes, size_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (!values[i]) continue;
        if (!settable[column].check(values[i]))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s: %s of patch '%s' cannot become '%.60s'; wanted: %s",
                                   index->path, settable[column].name, rows->row[i].name, values[i],
                                   settable[column].wanted);
        changes[count++] = (change){values[i], rows->fid[i]};
    }
    qsort(changes, count, sizeof *changes, by_value);
    *out = count;
    return S2CLR_OK;
}

static s2clr_status apply(s2clr_index *index, const s2clr_rows *rows, size_t column,
                          const char *const *values)
{
    change *changes;
    size_t count;
    S2CLR_TRY(s2clr_alloc(rows->count, sizeof *changes, "changes", (void **)&changes));
    s2clr_status status = collect(index, rows, column, values, changes, &count);
    if (status == S2CLR_OK) status = s2clr_index_begin(index);
    if (status == S2CLR_OK) status = update_all(index, column, changes, count);
    if (status == S2CLR_OK) status = s2clr_index_commit(index);
    s2clr_free(changes);
    return status;
}

static s2clr_status set_locked(const char *path, size_t column, const char *const *values,
                               size_t count)
{
    s2clr_index index;
    s2clr_rows rows;
    S2CLR_TRY(s2clr_index_open(path, true, &index));
    s2clr_status status = s2clr_rows_read(&index, &rows);
    if (status == S2CLR_OK) {
        if (rows.count == count)
            status = apply(&index, &rows, column, values);
        else
            status = s2clr_error_set(S2CLR_ERR_MISMATCH,
                                     "%s: %zu values for %zu patches; the index was changed since "
                                     "it was read: run the same command again",
                                     index.path, count, rows.count);
        s2clr_rows_clear(&rows);
    }
    s2clr_index_close(&index);
    return status;
}

s2clr_status s2clr_store_set(const char *path, const char *column, const char *const *values,
                             size_t count)
{
    size_t which;
    int lock;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(find_column(path, column, &which));
    S2CLR_TRY(s2clr_store_lock(path, &lock));
    const s2clr_status status = set_locked(path, which, values, count);
    close(lock);
    return status;
}
