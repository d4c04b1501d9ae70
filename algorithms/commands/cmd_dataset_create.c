/* s2clr dataset create: rasters and labels of one's own into a store. */
#include <stdio.h>
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/dataset_fill.h"
#include "commands/edge.h"
#include "labels/labels.h"

static const s2clr_param_row rows[] = {
    {"input", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .repeat = true,
     .label = "Products or rasters", .group = "Input",
     .help = "Products or rasters, each cut into patches of its own: SAFE, zip, multi-band file, "
             "folder of bands, VRT."},
    {"store", NULL, S2CLR_TYPE_OUTPUT_FOLDER, .positional = true, .required = true,
     .label = "Store", .group = "Output", .help = "The store to make."},
    {"labels", NULL, S2CLR_TYPE_VECTOR, .meta = "FILE", .required = true,
     .label = "Labels (points, polygons or a raster of classes)", .takes = "layer,file",
     .group = "Labels",
     .help = "Polygons or points of any format that GDAL reads, CSV with columns lat and lon or x "
             "and y, or a raster of classes."},
    {"layer", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Labels",
     .help = "Layer of the labels; without it, the only one."},
    {"field", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Labels",
     .help = "Attribute that says the class; without it, all polygons are positive."},
    {"positive-values", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Labels",
     .help = "Values of the attribute or of the raster that are label 1, separated by commas."},
    {"negative-values", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Labels",
     .help = "Values that are label 0; without it, all others."},
    {"keep", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.5", .minimum = 0, .maximum = 1,
     .group = "Labels", .help = "A patch is positive from this covered share on."},
    {"drop", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.05", .minimum = 0, .maximum = 1,
     .group = "Labels",
     .help = "A patch is negative up to this covered share; between the two it is ambiguous."},
    {"window-days", NULL, S2CLR_TYPE_INT, .meta = "DAYS", .minimum = 0, .maximum = 100000,
     .group = "Labels",
     .help = "Labels dated further than this from the picture do not count; without it, any do."},
    {"country-field", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .advanced = true, .group = "Labels",
     .help = "Attribute with the country; without it, \"country\" where there is one."},
    {"date-field", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .advanced = true, .group = "Labels",
     .help = "Attribute with the date; without it, \"date\", or \"year\" and \"month\"."},
    {"chips", NULL, S2CLR_TYPE_FLAG, .group = "What is taken",
     .help = "Cuts one patch around each label point instead of a grid; --stride has no meaning "
             "then."},
    {"labelled-only", NULL, S2CLR_TYPE_FLAG, .group = "What is taken",
     .help = "Leaves out patches whose label is unknown: out of reach of any label, or ambiguous."},
    S2CLR_ROWS_FILL,
    S2CLR_ROWS_CUT,
};

typedef struct job {
    s2clr_labels *labels;
    bool labelled_only;
    size_t ambiguous, unlabelled;
    s2clr_verdict verdict; /* of the last patch: the record borrows its country */
} job;

static s2clr_status judge(void *context, s2clr_patch_record *record, bool *keep)
{
    job *j = context;
    if (!record->has_footprint)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: it has no place on the ground, labels cannot be looked up; "
                               "give the raster a coordinate system (gdal_edit.py -a_srs)",
                               record->name);
    S2CLR_TRY(s2clr_labels_judge(j->labels, record->crs, record->transform, record->width,
                                 record->height, record->date ? record->date : "", &j->verdict));
    record->label = j->verdict.label;
    record->cover = j->verdict.cover;
    if (j->verdict.country[0]) record->country = j->verdict.country;
    j->ambiguous += j->verdict.ambiguous;
    j->unlabelled += j->verdict.label == S2CLR_LABEL_UNKNOWN && !j->verdict.ambiguous;
    *keep = !(j->labelled_only && j->verdict.label == S2CLR_LABEL_UNKNOWN);
    return S2CLR_OK;
}

static s2clr_status open_labels(const s2clr_args *args, s2clr_labels **out)
{
    const s2clr_labels_options options = {
        .path = s2clr_args_text(args, "labels"),
        .layer = s2clr_args_text(args, "layer"),
        .field = s2clr_args_text(args, "field"),
        .positive = s2clr_args_text(args, "positive-values"),
        .negative = s2clr_args_text(args, "negative-values"),
        .country_field = s2clr_args_text(args, "country-field"),
        .date_field = s2clr_args_text(args, "date-field"),
        .keep = s2clr_args_real(args, "keep"),
        .drop = s2clr_args_real(args, "drop"),
        .window_days =
            s2clr_args_given(args, "window-days") ? (int)s2clr_args_int(args, "window-days") : -1,
    };
    if (options.drop > options.keep)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--drop %g is larger than --keep %g: a patch would be both negative "
                               "and positive",
                               options.drop, options.keep);
    return s2clr_labels_open(&options, out);
}

static s2clr_status report(const s2clr_args *args, const s2clr_fill *fill, const job *j)
{
    const size_t unused = s2clr_labels_unused(j->labels);
    char text[160];
    if (unused) {
        snprintf(text, sizeof text,
                 "%zu labels touch no patch: they lie outside of the rasters, "
                 "or their patches were left out",
                 unused);
        s2clr_edge_warn(args, text);
    }
    S2CLR_TRY(s2clr_fill_report(
        fill, json_pack("{s:I, s:I, s:I}", "ambiguous", (json_int_t)j->ambiguous, "unlabelled",
                        (json_int_t)j->unlabelled, "labels_unused", (json_int_t)unused)));
    if (s2clr_args_flag(args, "json") || s2clr_args_flag(args, "quiet")) return S2CLR_OK;
    printf("labels      %zu patches ambiguous, %zu out of reach of any label%s\n", j->ambiguous,
           j->unlabelled, j->labelled_only ? ": not taken" : "");
    return s2clr_edge_flush();
}

static s2clr_status create(const s2clr_args *args)
{
    const bool chips = s2clr_args_flag(args, "chips");
    s2clr_import_options options = {0};
    job j = {.labelled_only = s2clr_args_flag(args, "labelled-only")};
    s2clr_fill fill = {.args = args,
                       .kind = chips ? &s2clr_chips_kind : s2clr_import_find("raster"),
                       .store = s2clr_args_text(args, "store"),
                       .options = &options,
                       .judge = judge,
                       .context = &j};
    if (!fill.kind)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "this build has no reader for rasters");
    fill.count = s2clr_args_list(args, "input", &fill.inputs);
    s2clr_fill_options(args, &options);
    if (chips && s2clr_args_given(args, "stride"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--stride is about a grid of patches, --chips cuts none");
    S2CLR_TRY(open_labels(args, &j.labels));
    if (chips) fill.chips = j.labels;
    s2clr_status status = s2clr_fill_run(&fill);
    if (status == S2CLR_OK) status = report(args, &fill, &j);
    s2clr_labels_close(j.labels);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = create(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_dataset_create = {
    .name = "dataset create",
    .summary = "rasters and labels of your own to a store",
    .description =
        "Cuts rasters into patches, looks up what points, polygons or a raster of classes say of "
        "each, and packs both into a store for training. A patch is positive from a covered share "
        "on and negative up to another; what lies between, or where no label reaches, is of "
        "unknown label and serves training without labels only.",
    .example = "s2clr dataset create S2B_MSIL2A_X.SAFE.zip fields.store --labels fields.gpkg",
    .title = "Create a data set from scenes and labels",
    .section = "Labels and data sets",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,config",
    .run = run,
};
