/* s2clr bench: rates, each measured in several windows. */
#include <string.h>

#include "commands/bench_runs.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/stack_rows.h"

static const s2clr_param_row rows[] = {
    {"what", NULL, S2CLR_TYPE_CHOICE, .positional = true, .required = true,
     .choices = "infer,train,read,scene", .group = "Input",
     .help = "infer: patches/s of a network, one worker per thread; train: views/s of complete "
             "training steps; read: Mpix/s of reading an input as \"predict\" does; scene: reading "
             "alone, computing alone and the whole of \"predict\"."},
    {"input", NULL, S2CLR_TYPE_INPUT, .positional = true, .repeat = true,
     .label = "Sentinel-2 product or raster", .group = "Input",
     .help = "Input of read and scene, as for \"s2clr predict\"."},
    S2CLR_ROW_MODEL,
    S2CLR_ROWS_STACK,
    {"stride", NULL, S2CLR_TYPE_INT, .meta = "PX", .minimum = 1, .maximum = 4096, .group = "Input",
     .help = "Output stride of scene; without it, the model's."},
    {"arch", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "resnet50", .group = "Network",
     .help = "Architecture for infer and train, with random weights."},
    {"width", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 1024, .group = "Network",
     .help = "Channels of the first stage; without it, the architecture's."},
    {"depth", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 64, .group = "Network",
     .help = "Number of layers, where the architecture lets it be chosen."},
    {"channels", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "12", .minimum = 1, .maximum = 16,
     .group = "Network", .help = "Input bands for infer and train."},
    {"size", NULL, S2CLR_TYPE_INT, .meta = "PX", .standard = "120", .minimum = 1, .maximum = 4096,
     .group = "Network", .help = "Patch size for infer and train."},
    {"batch", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 4096, .group = "Network",
     .help = "Patches per call; without it, 4 for infer and 32 for train."},
    {"micro", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "16", .minimum = 1, .maximum = 4096,
     .group = "Network", .help = "Patches computed at once by one thread in train."},
    S2CLR_ROW_PRECISION("Network"),
    {"windows", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "5", .minimum = 1, .maximum = 1000,
     .group = "Measuring",
     .help = "Windows measured; of read and scene, whole passes. One more goes before, to warm "
             "up."},
    {"seconds", NULL, S2CLR_TYPE_REAL, .meta = "S", .standard = "2", .minimum = 0.01,
     .maximum = 3600, .group = "Measuring", .help = "Least length of a window of infer and train."},
};

static json_t *rate_json(const s2clr_rate *rate)
{
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:i}", "name", rate->name, "unit", rate->unit,
                     "minimum", rate->minimum, "median", rate->median, "maximum", rate->maximum,
                     "windows", rate->windows);
}

static s2clr_status report(const s2clr_args *args, const s2clr_bench *bench)
{
    json_t *rates = json_array();
    for (int i = 0; i < bench->rates; i++) {
        const s2clr_rate *rate = &bench->rate[i];
        json_array_append_new(rates, rate_json(rate));
        if (!s2clr_args_flag(args, "json"))
            printf("%-12s min %.4g  median %.4g  max %.4g %s (%d windows)\n", rate->name,
                   rate->minimum, rate->median, rate->maximum, rate->unit, rate->windows);
    }
    if (!s2clr_args_flag(args, "json")) {
        printf("device       %s, %d thread%s\n%s", bench->device, bench->threads,
               bench->threads == 1 ? "" : "s", bench->note);
        json_decref(rates);
        return s2clr_edge_flush();
    }
    return s2clr_edge_json(
        json_pack("{s:s, s:o, s:s, s:i, s:s}", "what", s2clr_args_text(args, "what"), "rates",
                  rates, "device", bench->device, "threads", bench->threads, "note", bench->note));
}

typedef struct bench_kind {
    const char *name;
    bool input;
    const char *idle; /* an option that the others of its sort take; NULL: none */
    s2clr_status (*run)(const s2clr_args *args, s2clr_bench *bench);
} bench_kind;

static bool does_nothing(const bench_kind *kind, const s2clr_param_row *row)
{
    if (row->positional) return false;
    if (kind->idle && strcmp(row->name, kind->idle) == 0) return true;
    if (!kind->input) return strcmp(row->group, "Input") == 0;
    return strcmp(row->name, "seconds") == 0 ||
           (strcmp(row->group, "Network") == 0 && strcmp(row->name, "precision") != 0);
}

static s2clr_status check_options(const s2clr_args *args, const bench_kind *kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (does_nothing(kind, &rows[i]) && s2clr_args_given(args, rows[i].name))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "--%s does nothing in \"bench %s\"; leave it out", rows[i].name,
                                   kind->name);
    return S2CLR_OK;
}

static s2clr_status measure(const s2clr_args *args, s2clr_bench *bench)
{
    static const bench_kind kinds[] = {
        {"infer", false, "micro", s2clr_bench_infer},
        {"train", false, NULL, s2clr_bench_train},
        {"read", true, "stride", s2clr_bench_read},
        {"scene", true, NULL, s2clr_bench_scene},
    };
    const char *what = s2clr_args_text(args, "what");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const bench_kind *const kind = &kinds[i];
        if (strcmp(what, kind->name) != 0) continue;
        if (kind->input != s2clr_args_given(args, "input"))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "\"bench %s\" %s", what,
                                   kind->input ? "wants an input: a product or a raster"
                                               : "takes no input: it measures a network alone");
        S2CLR_TRY(check_options(args, kind));
        return kind->run(args, bench);
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "nothing is called \"bench %s\"", what);
}

static int run(const s2clr_args *args)
{
    s2clr_bench bench = {0};
    s2clr_edge_gdal(args);
    s2clr_status status = measure(args, &bench);
    if (status == S2CLR_OK) status = report(args, &bench);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_bench = {
    .name = "bench",
    .summary = "how fast this machine infers, trains and reads",
    .description =
        "Measures rates in several windows and prints the smallest, the median and the largest: of "
        "a network on random patches, of complete training steps, of reading an input, or of a "
        "whole prediction beside its parts.",
    .example = "s2clr bench infer --arch resnet50 --batch 4",
    .title = "Measure the speed of this machine",
    .section = "Model",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "json,threads,memory,device,config,quiet",
    .run = run,
};
