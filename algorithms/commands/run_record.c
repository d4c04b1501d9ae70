#define _GNU_SOURCE /* open_memstream */
#include "commands/run_record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "commands/edge.h"
#include "commands/pargs.h"
#include "file/file_replace.h"
#include "report/curves.h"
#include "train/run_folder.h"

static s2clr_status join(const s2clr_run_record *record, const char *name, char *out)
{
    const int length = snprintf(out, RUN_PATH_MAX, "%s/%s", record->folder, name);
    if (length > 0 && length < RUN_PATH_MAX) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "run folder %.200s...: the path is too long",
                           record->folder);
}

/* Bytes of a file of the folder, -1: it is not there. */
static long size_of(const s2clr_run_record *record, const char *name)
{
    char path[RUN_PATH_MAX];
    struct stat found;
    if (join(record, name, path) != S2CLR_OK) return -1;
    return stat(path, &found) == 0 ? (long)found.st_size : -1;
}

static s2clr_status replace(const s2clr_run_record *record, const char *name, const char *text,
                            size_t size)
{
    char path[RUN_PATH_MAX];
    const s2clr_piece piece = {.at = text, .size = size};
    S2CLR_TRY(join(record, name, path));
    return s2clr_file_replace(path, &piece, 1);
}

static s2clr_status no_memory(const s2clr_run_record *record)
{
    return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the description of the run",
                           record->folder);
}

/* ---- settings.json ---- */

/* How a run is shown or shared out does not make it another one. */
static bool is_setting(const char *name)
{
    static const char *const passing[] = {"help",    "version", "quiet",  "json",    "progress",
                                          "threads", "memory",  "resume", "dry-run", "results"};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (strcmp(name, passing[i]) == 0) return false;
    return true;
}

/* A path may be no UTF-8. */
static json_t *shown(const char *text)
{
    char readable[4 * RUN_PATH_MAX];
    s2clr_utf8_show(text, readable, sizeof readable);
    return json_string(readable);
}

static json_t *value_of(const s2clr_args *args, const s2clr_param_row *row)
{
    const char *text = s2clr_args_text(args, row->name);
    const char *const *list;
    if (row->type == S2CLR_TYPE_FLAG) return json_boolean(s2clr_args_flag(args, row->name));
    if (row->repeat) {
        json_t *all = json_array();
        const size_t count = s2clr_args_list(args, row->name, &list);
        for (size_t i = 0; i < count; i++) json_array_append_new(all, shown(list[i]));
        return all;
    }
    if (!text) return json_null();
    if (row->type == S2CLR_TYPE_INT) return json_integer(s2clr_args_int(args, row->name));
    if (row->type == S2CLR_TYPE_REAL) return json_real(s2clr_args_real(args, row->name));
    return shown(text);
}

static s2clr_status write_settings(const s2clr_run_record *record)
{
    const s2clr_args *args = record->args;
    const s2clr_param_row *row;
    json_t *options = json_object(), *given = json_array();
    for (size_t i = 0; (row = s2clr_command_row(args->command, i)); i++) {
        if (!is_setting(row->name)) continue;
        json_object_set_new(options, row->name, value_of(args, row));
        if (s2clr_args_given(args, row->name)) json_array_append_new(given, json_string(row->name));
    }
    json_t *root = json_pack("{s:s, s:s, s:s, s:o, s:o}", "program", "s2clr " S2CLR_VERSION,
                             "command", args->command->name, "line", s2clr_args_line(args),
                             "options", options, "given", given);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(root);
    if (!text) return no_memory(record);
    const s2clr_status status = replace(record, S2CLR_RUN_SETTINGS, text, strlen(text));
    free(text);
    return status;
}

/* ---- run.txt ---- */

static const struct {
    const char *name, *what;
    bool always; /* or only of some recipes */
} files[] = {
    {S2CLR_RUN_MODEL, "the model with its card, when the run is complete: s2clr info", true},
    {S2CLR_RUN_SETTINGS, "every option of the command as it was used", true},
    {S2CLR_RUN_CURVES, "loss, rate and what was watched, by epoch", true},
    {S2CLR_RUN_LOG, "the same as numbers, one JSON object per epoch", true},
    {S2CLR_RUN_CHECKPOINT, "what --resume goes on from", true},
    {S2CLR_RUN_TEACHER, "what the teachers say of the training patches", false},
    {S2CLR_RUN_TEACHER_VALIDATION, "and of those for validation", false},
};

static void put_text(FILE *to, const s2clr_run_record *record, s2clr_run_text result,
                     const void *context)
{
    fprintf(to, "Made with s2clr %s by\n\n    %s\n\n%s\n", S2CLR_VERSION,
            s2clr_args_line(record->args), record->plan);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i].always || size_of(record, files[i].name) >= 0)
            fprintf(to, "%-31s %s\n", files[i].name, files[i].what);
    fputc('\n', to);
    if (result)
        result(to, context);
    else
        fputs("No result yet: the run goes on, or it was stopped; the same command with --resume "
              "continues it.\n",
              to);
}

static s2clr_status write_text(const s2clr_run_record *record, s2clr_run_text result,
                               const void *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to) return no_memory(record);
    put_text(to, record, result, context);
    const bool failed = fclose(to) != 0;
    const s2clr_status status =
        failed ? no_memory(record) : replace(record, S2CLR_RUN_TEXT, text, size);
    free(text);
    return status;
}

/* ---- while it runs ---- */

/* What a run was that has a checkpoint stands there already. */
static s2clr_status begin(s2clr_run_record *record)
{
    if (record->begun || size_of(record, ".") < 0) return S2CLR_OK;
    record->begun = true; /* tried once: a full disk is told at the end */
    const bool resumed = size_of(record, S2CLR_RUN_CHECKPOINT) >= 0;
    if (!resumed || size_of(record, S2CLR_RUN_SETTINGS) < 0) S2CLR_TRY(write_settings(record));
    return resumed && size_of(record, S2CLR_RUN_TEXT) >= 0 ? S2CLR_OK
                                                           : write_text(record, NULL, NULL);
}

static s2clr_status draw(s2clr_run_record *record)
{
    char log[RUN_PATH_MAX], picture[RUN_PATH_MAX];
    const long bytes = size_of(record, S2CLR_RUN_LOG);
    if (bytes <= 0 || bytes == record->log_bytes) return S2CLR_OK;
    record->log_bytes = bytes;
    S2CLR_TRY(join(record, S2CLR_RUN_LOG, log));
    S2CLR_TRY(join(record, S2CLR_RUN_CURVES, picture));
    return s2clr_curves_write(log, picture, s2clr_edge_name(record->args));
}

static bool report(void *context, double fraction, const char *message)
{
    s2clr_run_record *record = context;
    if (begin(record) != S2CLR_OK || draw(record) != S2CLR_OK) s2clr_error_clear();
    return s2clr_progress_report(record->inner, fraction, message);
}

s2clr_status s2clr_run_record_open(const s2clr_args *args, s2clr_run_text print,
                                   const void *context, s2clr_run_record *out)
{
    s2clr_run_record record = {.args = args, .folder = s2clr_args_text(args, "output")};
    size_t size = 0;
    FILE *to = open_memstream(&record.plan, &size);
    if (!to) return no_memory(&record);
    print(to, context);
    if (fclose(to) != 0) {
        free(record.plan);
        return no_memory(&record);
    }
    *out = record;
    return S2CLR_OK;
}

static void warn(void *context, const char *text)
{
    const s2clr_run_record *record = context;
    s2clr_progress_warn(record->inner, text);
}

s2clr_progress s2clr_run_record_progress(s2clr_run_record *record, const s2clr_progress *inner)
{
    record->inner = inner;
    return (s2clr_progress){.call = report, .context = record, .warn = warn};
}

static s2clr_status finish(s2clr_run_record *record, s2clr_run_text print, const void *context)
{
    record->log_bytes = 0;
    S2CLR_TRY(begin(record));
    S2CLR_TRY(draw(record));
    return write_text(record, print, context);
}

s2clr_status s2clr_run_record_close(s2clr_run_record *record, s2clr_status status,
                                    s2clr_run_text print, const void *context)
{
    if (status == S2CLR_OK) status = finish(record, print, context);
    free(record->plan);
    record->plan = NULL;
    return status;
}
