#include <string.h>

#include "dataset/pexport.h"

static bool is_meant(const s2clr_store_row *row, const s2clr_export_options *options)
{
    return !options->split || strcmp(row->split, options->split) == 0;
}

static s2clr_status put_one(s2clr_store_cursor *cursor, size_t index, const s2clr_store_row *row,
                            s2clr_export_put put, void *self)
{
    s2clr_store_patch patch;
    const size_t next[] = {index + 1, index + 2, index + 3};
    if (!cursor) return put(self, row, NULL);
    s2clr_store_expect(cursor, next, sizeof next / sizeof next[0]);
    S2CLR_TRY(s2clr_store_read(cursor, index, &patch));
    return put(self, row, &patch);
}

static s2clr_status go_through(const s2clr_store *store, s2clr_store_cursor *cursor,
                               const s2clr_export_options *options, s2clr_export_put put,
                               void *self, s2clr_export_report *report)
{
    const size_t count = s2clr_store_count(store);
    for (size_t i = 0; i < count; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        if (!is_meant(row, options)) continue;
        if (!s2clr_progress_report(options->progress, (double)i / (double)count, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "the export was cancelled");
        const s2clr_status status = put_one(cursor, i, row, put, self);
        const bool unfit = status == S2CLR_ERR_MISMATCH || status == S2CLR_ERR_FORMAT;
        if (status != S2CLR_OK && (!unfit || options->strict)) return status;
        if (unfit && options->skipped)
            options->skipped(options->context, row->name, s2clr_error_text());
        if (unfit)
            report->skipped++;
        else
            report->patches++;
    }
    s2clr_progress_report(options->progress, 1, NULL);
    return S2CLR_OK;
}

static s2clr_status complain(const s2clr_store *store, const s2clr_export_options *options,
                             const s2clr_export_report *report)
{
    if (report->patches) return S2CLR_OK;
    if (report->skipped)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "none of %zu patches fits the format; the last one: %.700s",
                               report->skipped, s2clr_error_text());
    if (!options->split || s2clr_store_count(store) == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "the store has no patches to export");
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT, "none of the store's %zu patches %s%s%s; choose another split",
        s2clr_store_count(store), *options->split ? "is in split '" : "is ",
        *options->split ? options->split : "undecided", *options->split ? "'" : "");
}

s2clr_status s2clr_export_each(const s2clr_store *store, const s2clr_export_options *options,
                               bool pixels, s2clr_export_put put, void *self,
                               s2clr_export_report *report)
{
    s2clr_store_cursor *cursor = NULL;
    if (!s2clr_split_name_known(options->split))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "split '%.60s' is unknown; wanted: train, validation or test",
                               options->split);
    if (pixels) S2CLR_TRY(s2clr_store_cursor_new(store, &cursor));
    const s2clr_status status = go_through(store, cursor, options, put, self, report);
    s2clr_store_cursor_free(cursor);
    S2CLR_TRY(status);
    return complain(store, options, report);
}
