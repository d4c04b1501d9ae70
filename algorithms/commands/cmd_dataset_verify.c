/* s2clr dataset verify: is every patch what was put in? */
#include <stdio.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "dataset/verify.h"
#include "report/json_words.h"

static const s2clr_param_row rows[] = {
    {"store", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .takes = "folder",
     .group = "Input", .help = "The store to check."},
};

/* Every one of them is what was asked for: to standard output. */
typedef struct listing {
    json_t *json; /* NULL: as text */
} listing;

static void found(void *context, const char *name, const char *reason)
{
    listing *list = context;
    if (list->json)
        json_array_append_new(list->json, json_pack("{s:o, s:o}", "name", s2clr_json_words(name),
                                                    "reason", s2clr_json_words(reason)));
    else
        printf("%s\t%s\n", name, reason);
}

static s2clr_status report(const s2clr_args *args, const s2clr_verify_report *r, json_t *list)
{
    if (list)
        return s2clr_edge_json(
            json_pack("{s:I, s:I, s:I, s:I, s:b, s:O}", "patches", (json_int_t)r->patches,
                      "missing", (json_int_t)r->missing, "damaged", (json_int_t)r->damaged,
                      "orphans", (json_int_t)r->orphans, "complete", r->complete, "found", list));
    if (!s2clr_args_flag(args, "quiet")) {
        printf("%zu patches, %zu missing, %zu damaged%s\n", r->patches, r->missing, r->damaged,
               r->complete ? "" : "; not complete: its making was interrupted");
        if (r->orphans)
            printf("%zu values without a row, which the next writer removes\n", r->orphans);
    }
    return s2clr_edge_flush();
}

static s2clr_status check(const s2clr_args *args, listing *list, s2clr_verify_report *out)
{
    s2clr_terminal terminal;
    s2clr_pool *pool;
    S2CLR_TRY(s2clr_edge_pool(args, &pool));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    const s2clr_verify_options options = {.found = found, .context = list, .progress = &progress};
    const s2clr_status status =
        s2clr_store_verify(s2clr_args_text(args, "store"), &options, pool, out);
    s2clr_terminal_end(&terminal);
    s2clr_pool_free(pool);
    return status;
}

static s2clr_status verify(const s2clr_args *args)
{
    const char *path = s2clr_args_text(args, "store");
    listing list = {.json = s2clr_args_flag(args, "json") ? json_array() : NULL};
    s2clr_verify_report result;
    s2clr_status status = check(args, &list, &result);
    if (status == S2CLR_OK) status = report(args, &result, list.json);
    json_decref(list.json);
    S2CLR_TRY(status);
    if (s2clr_verify_report_is_whole(&result)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: %zu of %zu patches are missing or damaged; fetch or make the store "
                           "again",
                           path, result.missing + result.damaged, result.patches);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = verify(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_dataset_verify = {
    .name = "dataset verify",
    .summary = "checks the hash of every patch of a store",
    .description =
        "Reads every patch of a store and compares its SHA-256 with the one that was recorded when "
        "it was put in. Names of missing and damaged patches go to standard output; the exit "
        "status "
        "is 1 when there is any.",
    .example = "s2clr dataset verify fields.store",
    .title = "Check a data set for damage",
    .section = "Labels and data sets",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,config",
    .run = run,
};
