#include "commands/predict_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands/edge.h"
#include "commands/predict_page.h"
#include "commands/predict_plan_report.h"
#include "commands/predict_report.h"
#include "predict/zoo.h"

enum { CREATION_MAX = 256, SHARDS_MAX = 99999 };

/* What settings borrow and args do not hold. */
typedef struct storage {
    char model[S2CLR_ZOO_PATH];
    int srcwin[4];
    const char *creation[CREATION_MAX + 1];
} storage;

static s2clr_status set_window(const s2clr_args *args, storage *own, s2clr_predict_settings *out)
{
    const double *window = s2clr_args_window(args, "srcwin");
    if (window && s2clr_args_given(args, "projwin"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--srcwin and --projwin exclude each other");
    for (int i = 0; window && i < 4; i++) {
        if (fabs(window[i]) > 2e9)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--srcwin: %.0f is beyond any raster",
                                   window[i]);
        own->srcwin[i] = (int)window[i];
    }
    out->srcwin = window ? own->srcwin : NULL;
    out->projwin = s2clr_args_window(args, "projwin");
    return S2CLR_OK;
}

static s2clr_status set_creation(const s2clr_args *args, storage *own, s2clr_predict_settings *out)
{
    const char *const *given;
    const size_t count = s2clr_args_list(args, "co", &given);
    if (count > CREATION_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--co is given %zu times, at most %d are possible", count,
                               CREATION_MAX);
    for (size_t i = 0; i < count; i++) own->creation[i] = given[i];
    own->creation[count] = NULL;
    out->creation = own->creation;
    return S2CLR_OK;
}

static s2clr_status set_shard(const s2clr_args *args, s2clr_predict_settings *out)
{
    const char *text = s2clr_args_text(args, "shard");
    int end = 0;
    if (!text) return S2CLR_OK;
    if (sscanf(text, "%5d/%5d%n", &out->shard, &out->shards, &end) == 2 && text[end] == '\0' &&
        text[0] >= '0' && text[0] <= '9' && out->shard >= 1 && out->shard <= out->shards &&
        out->shards <= SHARDS_MAX)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--shard %.40s: write I/N with I from 1 to N, as in --shard 2/3", text);
}

static s2clr_status fill(const s2clr_args *args, storage *own, s2clr_predict_settings *out)
{
    out->input_count = s2clr_args_list(args, "input", &out->inputs);
    out->output = s2clr_args_text(args, "output");
    out->stack = s2clr_stack_options_of(args);
    out->device = s2clr_args_text(args, "device");
    S2CLR_TRY(s2clr_precision_parse(s2clr_args_text(args, "precision"), &out->precision));
    out->threads = (int)s2clr_args_int(args, "threads");
    out->memory_mb = (size_t)s2clr_args_int(args, "memory");
    out->stride = (int)s2clr_args_int(args, "stride");
    out->min_valid = s2clr_args_real(args, "min-valid");
    out->aoi = s2clr_args_text(args, "aoi");
    out->format = s2clr_args_text(args, "of");
    out->overwrite = s2clr_args_flag(args, "overwrite");
    out->resume = s2clr_args_flag(args, "resume");
    out->command_line = s2clr_args_line(args);
    S2CLR_TRY(set_window(args, own, out));
    S2CLR_TRY(set_creation(args, own, out));
    S2CLR_TRY(set_shard(args, out));
    out->model_path = own->model;
    return s2clr_zoo_resolve(s2clr_args_text(args, "model"), own->model);
}

/* The samples take a second or two: nothing to show, but Ctrl-C works. */
static s2clr_status plan(const s2clr_args *args, const s2clr_predict_settings *settings)
{
    s2clr_terminal terminal;
    s2clr_predict_plan plan;
    const s2clr_progress progress = s2clr_terminal_start(&terminal, s2clr_edge_name(args), "none");
    S2CLR_TRY(s2clr_predict_plan_make(settings, &progress, &plan));
    s2clr_stack_warn(args, &plan.stack);
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(s2clr_predict_plan_json(settings, &plan));
    s2clr_predict_plan_print(stdout, settings, &plan);
    return s2clr_edge_flush();
}

static s2clr_status run(const s2clr_args *args, s2clr_predict_settings *settings)
{
    storage own;
    s2clr_terminal terminal;
    s2clr_predict_result result;
    S2CLR_TRY(fill(args, &own, settings));
    S2CLR_TRY(s2clr_predict_page_check(settings));
    if (s2clr_args_flag(args, "dry-run")) return plan(args, settings);
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    const s2clr_status status = s2clr_predict_run(settings, &progress, &result);
    s2clr_terminal_end(&terminal);
    if (result.thrown_away[0]) s2clr_edge_warn(args, result.thrown_away);
    S2CLR_TRY(status);
    s2clr_predict_warn(args, &result);
    S2CLR_TRY(s2clr_predict_page_write(args, settings, &result));
    if (s2clr_edge_wants_json(args))
        S2CLR_TRY(s2clr_edge_result(args, s2clr_predict_json(settings, &result)));
    if (s2clr_args_flag(args, "json")) return S2CLR_OK;
    if (!s2clr_args_flag(args, "quiet")) s2clr_predict_print(stdout, settings, &result);
    return s2clr_edge_flush();
}

int s2clr_predict_rows_run(const s2clr_args *args, const s2clr_predict_settings *settings)
{
    s2clr_predict_settings own = *settings;
    s2clr_edge_gdal(args);
    const s2clr_status status = run(args, &own);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}
