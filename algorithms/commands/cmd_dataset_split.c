/* s2clr dataset split: which patches train, which choose, which test. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "dataset/balance.h"
#include "dataset/split_plan.h"

static const s2clr_param_row rows[] = {
    {"store", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .takes = "folder",
     .group = "Input", .help = "The store whose index is changed."},
    {"method", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "blocks",
     .words = "blocks,country,tile,year,random", .group = "Parts",
     .help = "blocks: squares on the ground, whole to one part; country, tile, year: whole groups "
             "to one part; random: patch by patch, as published, which lets neighbours leak."},
    {"test", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.2", .minimum = 0, .maximum = 1,
     .group = "Parts", .help = "Share of the test part."},
    {"validation", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.1", .minimum = 0,
     .maximum = 1, .group = "Parts", .help = "Share of the validation part."},
    {"block", NULL, S2CLR_TYPE_REAL, .meta = "METRES", .standard = "5000", .minimum = 1,
     .maximum = 1e7, .group = "Parts", .help = "Side of a block."},
    {"margin", NULL, S2CLR_TYPE_REAL, .meta = "METRES", .standard = "0", .minimum = 0,
     .maximum = 1e6, .group = "Parts",
     .help = "Patches of blocks that are nearer than this to another part belong to none."},
    {"folds", NULL, S2CLR_TYPE_INT, .meta = "K", .minimum = 2, .maximum = 1000, .group = "Parts",
     .help = "Instead of shares: K parts, of which one is the test part."},
    {"fold", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "0", .minimum = 0, .maximum = 999,
     .group = "Parts", .help = "The fold that is the test part, counted from 0."},
    {"balance", NULL, S2CLR_TYPE_FLAG, .group = "Parts",
     .help = "As many positive as negative patches in each part, as the published sets had; the "
             "others belong to none."},
    {"seed", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "0", .minimum = 0,
     .maximum = 2147483647, .group = "Parts",
     .help = "Another number, another choice. With 0, random gives the parts that supervised and "
             "evaluate make of a folder or zip by its file names."},
    {"dry-run", NULL, S2CLR_TYPE_FLAG, .group = "Output",
     .help = "Prints what it would be, and changes nothing."},
};

static s2clr_status plan_of(const s2clr_args *args, s2clr_split_plan *plan)
{
    *plan = (s2clr_split_plan){.method = s2clr_args_text(args, "method"),
                               .test = s2clr_args_real(args, "test"),
                               .validation = s2clr_args_real(args, "validation"),
                               .block_metres = s2clr_args_real(args, "block"),
                               .margin_metres = s2clr_args_real(args, "margin"),
                               .folds = (int)s2clr_args_int(args, "folds"),
                               .fold = (int)s2clr_args_int(args, "fold"),
                               .seed = (uint64_t)s2clr_args_int(args, "seed")};
    if (plan->folds && plan->fold >= plan->folds)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--fold: found %d, wanted 0 to %d for %d folds",
                               plan->fold, plan->folds - 1, plan->folds);
    if (s2clr_args_given(args, "fold") && !plan->folds)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--fold says which of --folds K: K is missing");
    if (!plan->folds && plan->test + plan->validation > 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--test %g and --validation %g are more than everything", plan->test,
                               plan->validation);
    return S2CLR_OK;
}

/* ---- report ---- */

static json_t *distance_json(double metres)
{
    return isfinite(metres) ? json_real(metres) : json_null();
}

static json_t *report_json(const s2clr_split_plan *plan, const s2clr_split_report *report)
{
    json_t *parts = json_array();
    for (int i = 0; i < 4; i++) {
        const s2clr_split_part_report *part = &report->part[i];
        json_array_append_new(parts, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", part->name,
                                               "patches", (json_int_t)part->patches, "positive",
                                               (json_int_t)part->positives, "negative",
                                               (json_int_t)part->negatives, "unknown",
                                               (json_int_t)part->unknown, "groups_shared",
                                               (json_int_t)part->groups_shared));
    }
    return json_pack("{s:s, s:o, s:{s:o, s:o, s:o}, s:I}", "method", plan->method, "parts", parts,
                     "distance", "minimum", distance_json(report->distance_minimum), "median",
                     distance_json(report->distance_median), "maximum",
                     distance_json(report->distance_maximum), "touching",
                     (json_int_t)report->touching);
}

static void report_print(const s2clr_split_report *report)
{
    printf("%-12s %9s %9s %9s %9s %9s  %s\n", "part", "patches", "positive", "negative", "unknown",
           "share", "countries and tiles of other parts");
    for (int i = 0; i < 4; i++) {
        const s2clr_split_part_report *part = &report->part[i];
        const size_t known = part->positives + part->negatives;
        printf("%-12s %9zu %9zu %9zu %9zu ", part->name, part->patches, part->positives,
               part->negatives, part->unknown);
        if (known)
            printf("%7.1f %%", 100 * (double)part->positives / (double)known);
        else
            printf("%9s", "-");
        printf("  %zu\n", part->groups_shared);
    }
    if (isfinite(report->distance_minimum))
        printf("from a test patch to the nearest training patch: %.0f m at least, median %.0f m, "
               "%.0f m at most\n",
               report->distance_minimum, report->distance_median, report->distance_maximum);
    if (report->touching)
        printf("%zu test patches touch a training patch: what they show leaks; --method blocks "
               "with --margin keeps them apart\n",
               report->touching);
}

static s2clr_status with_store(const s2clr_args *args, const s2clr_store *store,
                               const s2clr_split_plan *plan, const char **split)
{
    s2clr_split_report report;
    S2CLR_TRY(s2clr_split_assign(store, plan, split));
    if (s2clr_args_flag(args, "balance")) S2CLR_TRY(s2clr_split_balance(store, plan->seed, split));
    S2CLR_TRY(s2clr_split_report_make(store, split, &report));
    if (!s2clr_args_flag(args, "dry-run"))
        S2CLR_TRY(s2clr_store_set(s2clr_args_text(args, "store"), "split", split,
                                  s2clr_store_count(store)));
    if (s2clr_args_flag(args, "json")) return s2clr_edge_json(report_json(plan, &report));
    if (!s2clr_args_flag(args, "quiet")) report_print(&report);
    return s2clr_edge_flush();
}

static s2clr_status split(const s2clr_args *args)
{
    s2clr_split_plan plan;
    s2clr_store *store;
    const char **parts = NULL;
    S2CLR_TRY(plan_of(args, &plan));
    S2CLR_TRY(s2clr_store_open(s2clr_args_text(args, "store"), &store));
    s2clr_status status =
        s2clr_alloc(s2clr_store_count(store), sizeof *parts, "parts", (void **)&parts);
    if (status == S2CLR_OK) status = with_store(args, store, &plan, parts);
    s2clr_free(parts);
    s2clr_store_close(store);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = split(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_dataset_split = {
    .name = "dataset split",
    .summary = "decides which patches train and which test",
    .description =
        "Writes for every patch of a store whether it belongs to training, validation or test, and "
        "prints how the labels are shared out and how far test patches are from training ones. "
        "Decided by a hash of names and seed: the same every time, also when patches are added.",
    .example = "s2clr dataset split fields.store --method blocks --block 5000 --margin 1200",
    .title = "Split a data set into parts",
    .section = "Labels and data sets",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,config",
    .run = run,
};
