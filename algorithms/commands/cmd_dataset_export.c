/* s2clr dataset export: a store for programs that cannot read it. */
#include <stdio.h>
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/skip_list.h"
#include "dataset/export.h"
#include "report/json_words.h"

static const s2clr_param_row rows[] = {
    {"store", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .takes = "folder",
     .group = "Input", .help = "A store, as \"s2clr dataset import\" and \"create\" make them."},
    {"output", NULL, S2CLR_TYPE_OUTPUT_FOLDER, .positional = true, .required = true,
     .group = "Output", .help = "The folder or file to write; it must not exist."},
    {"to", NULL, S2CLR_TYPE_TEXT, .meta = "KIND", .required = true, .label = "Form",
     .words = "tfrecord,geotiff,csv", .group = "Output",
     .help = "tfrecord: files of tf.train.Example as SimCLR-S2 reads them; geotiff: a folder per "
             "patch as BigEarthNet has them; csv: the index as a table."},
    {"split", NULL, S2CLR_TYPE_CHOICE, .choices = "all,train,validation,test,none",
     .standard = "all", .group = "What is taken",
     .help = "Only patches of this part; none: those of no part."},
    {"records", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "1000", .minimum = 1,
     .maximum = 10000000, .group = "Output", .help = "tfrecord: patches per file."},
    S2CLR_ROW_STRICT,
    S2CLR_ROW_SKIPS,
};

static s2clr_status report(const s2clr_args *args, const s2clr_export_kind *kind,
                           const s2clr_export_report *r)
{
    const char *output = s2clr_args_text(args, "output");
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(json_pack("{s:o, s:s, s:I, s:I, s:I}", "output",
                                         s2clr_json_words(output), "kind", kind->name, "patches",
                                         (json_int_t)r->patches, "left_out", (json_int_t)r->skipped,
                                         "files", (json_int_t)r->files));
    if (!s2clr_args_flag(args, "quiet"))
        printf("%-11s %s, %zu patches in %zu file%s%s\n", kind->name, output, r->patches, r->files,
               r->files == 1 ? "" : "s", r->skipped ? ", some were left out" : "");
    return s2clr_edge_flush();
}

static s2clr_status with_store(const s2clr_args *args, const s2clr_export_kind *kind,
                               const s2clr_store *store, s2clr_export_report *out)
{
    const char *split = s2clr_args_text(args, "split");
    s2clr_skip_list skips;
    s2clr_terminal terminal;
    S2CLR_TRY(s2clr_skip_list_open(args, &skips));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    const s2clr_export_options options = {.split = strcmp(split, "all") == 0    ? NULL
                                                   : strcmp(split, "none") == 0 ? ""
                                                                                : split,
                                          .records = (size_t)s2clr_args_int(args, "records"),
                                          .strict = s2clr_args_flag(args, "strict"),
                                          .progress = &progress,
                                          .skipped = s2clr_skip_list_add,
                                          .context = &skips};
    const s2clr_status status = kind->run(store, s2clr_args_text(args, "output"), &options, out);
    s2clr_terminal_end(&terminal);
    return s2clr_skip_list_close(&skips, status);
}

static s2clr_status export(const s2clr_args *args)
{
    const s2clr_export_kind *kind;
    s2clr_export_report result;
    s2clr_store *store;
    S2CLR_TRY(s2clr_export_find(s2clr_args_text(args, "to"), &kind));
    S2CLR_TRY(s2clr_store_open(s2clr_args_text(args, "store"), &store));
    const s2clr_status status = with_store(args, kind, store, &result);
    s2clr_store_close(store);
    S2CLR_TRY(status);
    return report(args, kind, &result);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = export(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_dataset_export = {
    .name = "dataset export",
    .summary = "a store as TFRecords, GeoTIFFs or CSV",
    .description =
        "Writes the patches of a store in a form that other programs read: TFRecords for the "
        "published notebooks, folders of GeoTIFFs with their labels, or the index as CSV. The same "
        "store gives the same bytes; nothing that exists is touched.",
    .example = "s2clr dataset export fields.store records --to tfrecord --split train",
    .title = "Export a data set",
    .section = "Labels and data sets",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,config",
    .run = run,
};
