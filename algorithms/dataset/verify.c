#include "dataset/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pstore.h"

/* Rows between two looks at the progress, and rows that a worker takes at once. */
enum { ROUND = 2048, GROUP = 16 };

typedef enum fault { NONE, MISSING, DAMAGED, UNREADABLE } fault;

typedef struct verify {
    s2clr_rows rows;
    s2clr_values *values;
    MDB_txn **txn; // (workers)
    int workers;
    size_t first, count; /* rows of this round */
    unsigned char fault[ROUND];
} verify;

static fault judge(const verify *v, MDB_txn *txn, size_t row, char hex[65])
{
    const s2clr_store_row *wanted = &v->rows.row[row];
    const void *bytes;
    size_t size;
    hex[0] = '\0';
    if (s2clr_values_get(v->values, txn, wanted->name, &bytes, &size) != S2CLR_OK)
        return UNREADABLE;
    if (!bytes) return MISSING;
    s2clr_store_digest(bytes, size, hex);
    return strcmp(hex, wanted->sha256) == 0 ? NONE : DAMAGED;
}

static s2clr_status judge_group(void *context, size_t item, int worker)
{
    verify *v = context;
    const size_t start = item * GROUP;
    const size_t end = start + GROUP < v->count ? start + GROUP : v->count;
    char hex[65];
    for (size_t i = start; i < end; i++)
        v->fault[i] = (unsigned char)judge(v, v->txn[worker], v->first + i, hex);
    return S2CLR_OK;
}

static void tell(const verify *v, const s2clr_verify_options *options, size_t row, fault found)
{
    char reason[400], hex[65];
    const s2clr_store_row *wanted = &v->rows.row[row];
    if (!options->found) return;
    if (found == MISSING) {
        snprintf(reason, sizeof reason, "has a row and no value");
    } else {
        found = judge(v, v->txn[0], row, hex);
        if (found == UNREADABLE)
            snprintf(reason, sizeof reason, "cannot be read: %.300s", s2clr_error_text());
        else
            snprintf(reason, sizeof reason, "the value has SHA-256 %s, the index says %.64s", hex,
                     wanted->sha256);
    }
    options->found(options->context, wanted->name, reason);
}

static void count_round(const verify *v, const s2clr_verify_options *options,
                        s2clr_verify_report *report)
{
    for (size_t i = 0; i < v->count; i++) {
        const fault found = (fault)v->fault[i];
        if (found == NONE) continue;
        if (found == MISSING)
            report->missing++;
        else
            report->damaged++;
        tell(v, options, v->first + i, found);
    }
}

static s2clr_status go_through(verify *v, const s2clr_verify_options *options, s2clr_pool *pool,
                               s2clr_verify_report *report)
{
    const double all = (double)v->rows.count;
    for (v->first = 0; v->first < v->rows.count; v->first += v->count) {
        const size_t left = v->rows.count - v->first;
        if (!s2clr_progress_report(options->progress, (double)v->first / all, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "the check was cancelled");
        v->count = left < ROUND ? left : ROUND;
        S2CLR_TRY(s2clr_pool_run(pool, judge_group, v, (v->count + GROUP - 1) / GROUP));
        count_round(v, options, report);
    }
    s2clr_progress_report(options->progress, 1, NULL);
    return S2CLR_OK;
}

static s2clr_status open_all(const char *path, s2clr_pool *pool, verify *v,
                             s2clr_verify_report *report)
{
    s2clr_store_text text;
    s2clr_index index = {0};
    S2CLR_TRY(s2clr_store_text_read(path, &text));
    report->complete = text.about.complete;
    s2clr_store_text_clear(&text);
    S2CLR_TRY(s2clr_index_open(path, false, &index));
    const s2clr_status status = s2clr_rows_read(&index, &v->rows);
    s2clr_index_close(&index);
    S2CLR_TRY(status);
    report->patches = v->rows.count;
    S2CLR_TRY(s2clr_values_open(path, false, &v->values));
    const int workers = s2clr_pool_threads(pool);
    S2CLR_TRY(s2clr_alloc((size_t)workers, sizeof(MDB_txn *), "readers", (void **)&v->txn));
    for (; v->workers < workers; v->workers++)
        S2CLR_TRY(s2clr_values_begin(v->values, false, &v->txn[v->workers]));
    return S2CLR_OK;
}

static void close_all(verify *v)
{
    for (int i = 0; i < v->workers; i++) mdb_txn_abort(v->txn[i]);
    s2clr_free(v->txn);
    s2clr_values_close(v->values);
    s2clr_rows_clear(&v->rows);
    s2clr_free(v);
}

s2clr_status s2clr_store_verify(const char *path, const s2clr_verify_options *options,
                                s2clr_pool *pool, s2clr_verify_report *out)
{
    s2clr_verify_report report = {.patches = 0};
    size_t values = 0;
    verify *v;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *v, path, (void **)&v));
    s2clr_status status = open_all(path, pool, v, &report);
    if (status == S2CLR_OK) status = s2clr_values_count(v->values, &values);
    if (status == S2CLR_OK) status = go_through(v, options, pool, &report);
    close_all(v);
    if (status != S2CLR_OK) return status;
    const size_t kept = report.patches - report.missing;
    report.orphans = values > kept ? values - kept : 0;
    *out = report;
    return S2CLR_OK;
}
