/* s2clr dataset stats: labels, bands and spectral indices of a store in numbers and pictures. */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "dataset/stats_card.h"
#include "report/stats_report.h"

static const s2clr_param_row rows[] = {
    {"store", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .takes = "folder",
     .group = "Input", .help = "A store, as \"s2clr dataset import\" and \"create\" make them."},
    {"split", NULL, S2CLR_TYPE_CHOICE, .choices = "all,train,validation,test", .standard = "all",
     .group = "Input",
     .help = "The part whose pixels are measured: for a card, train, so that nothing of the test "
             "gets into training. Labels are always counted over all."},
    {"nodata", NULL, S2CLR_TYPE_REAL, .meta = "DN", .group = "Input",
     .help = "A DN, before the product's offset, that is no value; without it, every finite one "
             "counts."},
    {"scale", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.0001", .minimum = 1e-9,
     .maximum = 1, .advanced = true, .group = "Input",
     .help = "Reflectance of one DN, for the spectral indices and the card."},
    {"class", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Output",
     .help = "Lists only the pairs of classes with this one, as \"images with Rice fields that are "
             "also ...\"."},
    {"html", NULL, S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .label = "Report", .suffixes = "html",
     .group = "Output",
     .help = "Also writes one page of HTML with charts, which needs no other file and no script."},
    {"card", NULL, S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .suffixes = "json", .group = "Output",
     .help = "Also writes bands, means, standard deviations and level as the partial card that "
             "\"s2clr supervised --card\" takes."},
    {"card-bands", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Output",
     .help = "Bands of that card in their order, \"B04,B03,B02\"; without it, all of the store."},
};

static s2clr_status check_class(const s2clr_stats *stats, const char *name)
{
    const char *names[S2CLR_STATS_CLASSES_MAX];
    size_t count = 0;
    for (; count < stats->labels.paired; count++) {
        names[count] = stats->labels.class_[count].name;
        if (strcmp(names[count], name) == 0) return S2CLR_OK;
    }
    const char *near = s2clr_suggest(name, names, count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--class: no patch has the class \"%.100s\"%s%s%s",
                           name, near ? "; did you mean \"" : "", near ? near : "",
                           near ? "\"" : "");
}

static s2clr_status report(const s2clr_args *args, const s2clr_stats *stats)
{
    const char *store = s2clr_args_text(args, "store"), *only = s2clr_args_text(args, "class");
    const char *html = s2clr_args_text(args, "html"), *card = s2clr_args_text(args, "card");
    if (only) S2CLR_TRY(check_class(stats, only));
    if (html) S2CLR_TRY(s2clr_stats_html(html, store, stats));
    if (card) S2CLR_TRY(s2clr_stats_card(stats, store, s2clr_args_text(args, "card-bands"), card));
    if (s2clr_args_flag(args, "json")) return s2clr_edge_json(s2clr_stats_json(stats));
    if (!s2clr_args_flag(args, "quiet")) s2clr_stats_print(stdout, stats, only);
    return s2clr_edge_flush();
}

static s2clr_status measure(const s2clr_args *args, const s2clr_store *store, s2clr_stats **out)
{
    const char *split = s2clr_args_text(args, "split");
    const s2clr_stats_options options = {.split = strcmp(split, "all") == 0 ? NULL : split,
                                         .has_nodata = s2clr_args_given(args, "nodata"),
                                         .nodata = s2clr_args_real(args, "nodata"),
                                         .scale = s2clr_args_real(args, "scale")};
    s2clr_terminal terminal;
    s2clr_pool *pool;
    S2CLR_TRY(s2clr_edge_pool(args, &pool));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    const s2clr_status status = s2clr_stats_make(store, &options, pool, &progress, out);
    s2clr_terminal_end(&terminal);
    s2clr_pool_free(pool);
    return status;
}

static s2clr_status stats(const s2clr_args *args)
{
    s2clr_store *store;
    s2clr_stats *made;
    if (s2clr_args_given(args, "card-bands") && !s2clr_args_given(args, "card"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--card-bands is about the card: --card FILE is missing");
    S2CLR_TRY(s2clr_store_open(s2clr_args_text(args, "store"), &store));
    s2clr_status status = measure(args, store, &made);
    if (status == S2CLR_OK) {
        status = report(args, made);
        s2clr_stats_free(made);
    }
    s2clr_store_close(store);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = stats(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_dataset_stats = {
    .name = "dataset stats",
    .summary = "labels, bands and spectral indices of a store",
    .description =
        "Counts labels, classes and pairs of classes per part, country and season; measures every "
        "band (mean, standard deviation, extremes, exact percentiles) and EVI2, SAVI, MSI, NDII "
        "and NMDI per label and class with their correlation. Reads every pixel once, in memory "
        "that does not grow with the store; the numbers do not depend on the threads.",
    .example = "s2clr dataset stats eurosat.store --html eurosat.html",
    .title = "Statistics of a data set",
    .section = "Labels and data sets",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,config",
    .run = run,
};
