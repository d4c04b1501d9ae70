/* s2clr dataset import: published archives, folders and rasters into a store. */
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "commands/cmd_list.h"
#include "commands/dataset_fill.h"
#include "commands/edge.h"
#include "commands/store_parts.h"

static const s2clr_param_row rows[] = {
    {"input", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .repeat = true,
     .label = "Archives", .takes = "folder,file", .group = "Input",
     .help = "Archives of one kind: folders of BigEarthNet patches, TFRecord files, folders or "
             "zips of images by class, products and rasters."},
    {"store", NULL, S2CLR_TYPE_OUTPUT_FOLDER, .positional = true, .required = true,
     .label = "Store", .group = "Output", .help = "The store to make."},
    {"from", NULL, S2CLR_TYPE_TEXT, .meta = "KIND", .standard = "auto", .label = "Kind of archive",
     .words = "auto,bigearthnet-v1,bigearthnet-v2,tfrecord,pairs,images,raster", .group = "Input",
     .help = "What the inputs are; auto finds out. s2clr-dataset(1) lists the kinds."},
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASSES", .group = "Labels",
     .help = "What label 1 is: regular (permanently irrigated land), expanded (also rice, "
             "vineyards, fruit trees and berries, olive groves), or names of classes, separated by "
             "commas. Without it, labels stay unknown; the classes are kept anyway."},
    {"list", NULL, S2CLR_TYPE_TEXT, .meta = "[PART=]FILE", .repeat = true,
     .label = "Lists of patches to take", .group = "What is taken",
     .help = "Takes only the patches named in this file, one name per line; train=FILE, "
             "validation=FILE and test=FILE also say which part they belong to."},
    {"exclude", NULL, S2CLR_TYPE_TEXT, .meta = "FILE", .repeat = true,
     .label = "Lists of patches to leave out", .takes = "file", .group = "What is taken",
     .help = "Leaves out the patches named in this file, as the lists of snow and cloud."},
    {"balance", NULL, S2CLR_TYPE_FLAG, .group = "What is taken",
     .help = "When all is read, takes the surplus of the more frequent label out of each part that "
             "--list gave, chosen by a hash of the names and --seed; the patches stay."},
    S2CLR_ROWS_FILL,
    S2CLR_ROWS_CUT,
};

static s2clr_status find_kind(const s2clr_args *args, const char *const *inputs, size_t count,
                              const s2clr_import_kind **out)
{
    const s2clr_import_kind *const *list;
    const char *names[32], *name = s2clr_args_text(args, "from");
    if (strcmp(name, "auto") == 0) return s2clr_import_identify(inputs, count, out);
    *out = s2clr_import_find(name);
    if (*out) return S2CLR_OK;
    size_t kinds = s2clr_import_list(&list);
    if (kinds > 32) kinds = 32;
    for (size_t i = 0; i < kinds; i++) names[i] = list[i]->name;
    const char *near = s2clr_suggest(name, names, kinds);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--from: found \"%.60s\"%s%s; wanted: auto or a kind that "
                           "s2clr-dataset(1) lists, such as %s",
                           name, near ? ", did you mean " : "", near ? near : "", names[0]);
}

/* Given values of a repeated option, ended by NULL; NULL when none is. */
static s2clr_status words_of(const s2clr_args *args, const char *name, const char ***out)
{
    const char *const *given;
    const size_t count = s2clr_args_list(args, name, &given);
    *out = NULL;
    if (count == 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(count + 1, sizeof **out, "names of files", (void **)out));
    memcpy(*out, given, count * sizeof **out);
    return S2CLR_OK;
}

static s2clr_status import(const s2clr_args *args)
{
    const char **lists = NULL, **exclude = NULL;
    s2clr_import_options options = {.positive = s2clr_args_text(args, "positive")};
    s2clr_fill fill = {.args = args, .store = s2clr_args_text(args, "store"), .options = &options};
    fill.count = s2clr_args_list(args, "input", &fill.inputs);
    s2clr_fill_options(args, &options);
    s2clr_status status = find_kind(args, fill.inputs, fill.count, &fill.kind);
    if (status == S2CLR_OK) status = words_of(args, "list", &lists);
    if (status == S2CLR_OK) status = words_of(args, "exclude", &exclude);
    options.lists = lists;
    options.exclude = exclude;
    if (status == S2CLR_OK) status = s2clr_fill_run(&fill);
    s2clr_free(lists);
    s2clr_free(exclude);
    S2CLR_TRY(status);
    if (s2clr_args_flag(args, "balance"))
        S2CLR_TRY(s2clr_store_balance(fill.store, (uint64_t)s2clr_args_int(args, "seed")));
    return s2clr_fill_report(&fill, NULL);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = import(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_dataset_import = {
    .name = "dataset import",
    .summary = "an archive of labelled patches to a store",
    .description =
        "Reads BigEarthNet folders, the TFRecords of SimCLR-S2, images in folders or zips by class "
        "and rasters, and packs their patches, pixels unchanged, into a store for training: pixels "
        "in LMDB, everything else in a GeoPackage that GIS programs open. Order and result are the "
        "same on every run. A patch that cannot be used is left out, counted and listed.",
    .example = "s2clr dataset import eurosat_rgb.zip eurosat.store --positive PermanentCrop",
    .title = "Import an archive of patches",
    .section = "Labels and data sets",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,seed,config",
    .run = run,
};
