#include "commands/dataset_fill.h"

#include <string.h>

#include "commands/edge.h"
#include "dataset/store.h"
#include "report/json_words.h"

typedef struct job {
    s2clr_fill *fill;
    s2clr_import *import;
    s2clr_store_writer *writer; /* NULL until the first patch */
    s2clr_skip_list skips;
    const s2clr_progress *progress;
} job;

void s2clr_fill_options(const s2clr_args *args, s2clr_import_options *out)
{
    out->strict = s2clr_args_flag(args, "strict");
    out->patch = (int)s2clr_args_int(args, "patch");
    out->stride = (int)s2clr_args_int(args, "stride");
    out->scl = s2clr_args_text(args, "scl");
    out->min_valid = s2clr_args_real(args, "min-valid");
    out->max_water = s2clr_args_real(args, "max-water");
    out->drop_negative = s2clr_args_flag(args, "drop-negative");
}

static s2clr_status open_writer(job *j)
{
    const s2clr_args *args = j->fill->args;
    const s2clr_store_options options = {.append = s2clr_args_flag(args, "append"),
                                         .title = s2clr_args_text(args, "title"),
                                         .command = s2clr_args_line(args)};
    return s2clr_store_writer_open(j->fill->store, &options, &j->writer);
}

static bool is_fault_of_patch(s2clr_status status)
{
    return status == S2CLR_ERR_FORMAT || status == S2CLR_ERR_MISMATCH ||
           status == S2CLR_ERR_ARGUMENT || status == S2CLR_ERR_UNSUPPORTED;
}

static s2clr_status put(job *j, s2clr_patch_record *record)
{
    s2clr_fill *fill = j->fill;
    bool keep = true;
    if (!j->writer) S2CLR_TRY(open_writer(j));
    if (s2clr_store_writer_has(j->writer, record->name)) {
        if (!s2clr_args_flag(fill->args, "append"))
            return s2clr_import_skip(fill->options, record->name,
                                     "a patch of that name came before; wanted: each name once");
        fill->present++;
        return S2CLR_OK;
    }
    if (fill->judge) {
        const s2clr_status status = fill->judge(fill->context, record, &keep);
        if (is_fault_of_patch(status))
            return s2clr_import_skip(fill->options, record->name, "%s", s2clr_error_text());
        S2CLR_TRY(status);
    }
    if (!keep) return S2CLR_OK;
    const s2clr_status checked = s2clr_patch_record_check(record);
    if (is_fault_of_patch(checked))
        return s2clr_import_skip(fill->options, record->name, "%s", s2clr_error_text());
    S2CLR_TRY(s2clr_store_writer_put(j->writer, record));
    fill->added++;
    fill->label[record->label + 1]++;
    return S2CLR_OK;
}

static s2clr_status put_all(job *j)
{
    bool end = false;
    for (;;) {
        s2clr_patch_record record = {.label = S2CLR_LABEL_UNKNOWN, .cover = -1};
        if (!s2clr_progress_report(j->progress, j->fill->kind->done(j->import), NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "interrupted");
        S2CLR_TRY(j->fill->kind->next(j->import, &record, &end));
        if (end) break;
        S2CLR_TRY(put(j, &record));
    }
    if (j->writer) return S2CLR_OK;
    if (j->fill->chips && j->skips.count == 0)
        return s2clr_error_set(
            S2CLR_ERR_FORMAT,
            "%s: none of its points lies in %s%s, so that there is no chip; look "
            "at both in a GIS: one may have another CRS than it says",
            s2clr_args_text(j->fill->args, "labels"), j->fill->inputs[0],
            j->fill->count > 1 ? " or in the others" : "");
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: no patch could be taken from it, %zu were left out; no store is "
                           "made",
                           j->fill->inputs[0], j->skips.count);
}

/* What is committed stays: the same command with --append goes on. */
static s2clr_status close_writer(job *j, s2clr_status status)
{
    if (!j->writer) return status;
    if (status == S2CLR_ERR_CANCELLED)
        s2clr_edge_warn(j->fill->args, "the store is not complete; the same command with --append "
                                       "goes on from here");
    const s2clr_status closed = s2clr_store_writer_close(j->writer, status == S2CLR_OK);
    return status == S2CLR_OK ? closed : status;
}

s2clr_status s2clr_fill_run(s2clr_fill *fill)
{
    s2clr_terminal terminal;
    job j = {.fill = fill};
    S2CLR_TRY(s2clr_skip_list_open(fill->args, &j.skips));
    fill->options->skipped = s2clr_skip_list_add;
    fill->options->context = &j.skips;
    s2clr_status status =
        fill->chips
            ? s2clr_chips_open(fill->inputs, fill->count, fill->chips, fill->options, &j.import)
            : fill->kind->open(fill->inputs, fill->count, fill->options, &j.import);
    if (status == S2CLR_OK) {
        const s2clr_progress progress = s2clr_edge_progress(fill->args, &terminal);
        j.progress = &progress;
        status = put_all(&j);
        s2clr_terminal_end(&terminal);
        fill->kind->close(j.import);
    }
    status = close_writer(&j, status);
    status = s2clr_skip_list_close(&j.skips, status);
    fill->skipped = j.skips.count;
    return status;
}

s2clr_status s2clr_fill_report(const s2clr_fill *fill, json_t *more)
{
    if (s2clr_args_flag(fill->args, "json")) {
        json_t *json =
            json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "store",
                      s2clr_json_words(fill->store), "kind", fill->kind->name, "added",
                      (json_int_t)fill->added, "present", (json_int_t)fill->present, "left_out",
                      (json_int_t)fill->skipped, "positive", (json_int_t)fill->label[2], "negative",
                      (json_int_t)fill->label[1], "unknown", (json_int_t)fill->label[0]);
        if (json && more) json_object_update(json, more);
        json_decref(more);
        return s2clr_edge_json(json);
    }
    json_decref(more);
    if (s2clr_args_flag(fill->args, "quiet")) return s2clr_edge_flush();
    printf("store       %s\n", fill->store);
    printf("patches     %zu added (%zu positive, %zu negative, %zu of unknown label)\n",
           fill->added, fill->label[2], fill->label[1], fill->label[0]);
    if (fill->present) printf("            %zu were there already\n", fill->present);
    if (fill->skipped) printf("            %zu left out\n", fill->skipped);
    return s2clr_edge_flush();
}
