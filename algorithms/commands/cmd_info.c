/* s2clr info: what a model is, how an input would be read, what this installation can do. */
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/info_report.h"
#include "commands/stack_rows.h"
#include "predict/zoo.h"
#include "file/model.h"

static const s2clr_param_row rows[] = {
    {"target", NULL, S2CLR_TYPE_INPUT, .positional = true, .repeat = true,
     .label = "Model, product or raster", .group = "Input",
     .help = "A model file or the name of a model in the zoo, or one or several inputs as for "
             "\"s2clr predict\". Without it: version, libraries and backends."},
    S2CLR_ROW_MODEL,
    S2CLR_ROWS_STACK,
};

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A safetensors file, or a name that only the zoo knows. */
static bool is_model(const char *target, char path[S2CLR_ZOO_PATH])
{
    const bool named = ends_with(target, ".safetensors");
    char found[S2CLR_ZOO_PATH];
    if (!named && strchr(target, '/')) return false;
    if (s2clr_zoo_resolve(target, found) != S2CLR_OK) {
        if (named) strcpy(path, ""); /* let opening it tell what is wrong */
        return named;
    }
    if (!named && strcmp(found, target) == 0) return false; /* an existing file: an input */
    memcpy(path, found, sizeof found);
    return true;
}

static s2clr_status info_installation(const s2clr_args *args)
{
    if (s2clr_args_flag(args, "json")) return s2clr_edge_json(s2clr_installation_json());
    s2clr_installation_print(stdout);
    return s2clr_edge_flush();
}

static s2clr_status info_model(const s2clr_args *args, const char *target, const char *path)
{
    s2clr_model *model;
    S2CLR_TRY(s2clr_model_open(path[0] ? path : target, &model));
    s2clr_status status;
    if (s2clr_args_flag(args, "json")) {
        status = s2clr_edge_json(s2clr_model_json(model));
    } else {
        s2clr_model_print(stdout, model);
        status = s2clr_edge_flush();
    }
    s2clr_model_close(model);
    return status;
}

static s2clr_status info_input(const s2clr_args *args, const char *const *inputs, size_t count)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_model *model;
    s2clr_stack *stack;
    const s2clr_stack_options options = s2clr_stack_options_of(args);
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(args, "model"), path));
    S2CLR_TRY(s2clr_model_open(path, &model));
    s2clr_status status =
        s2clr_stack_open(inputs, count, s2clr_model_card(model), &options, &stack);
    if (status == S2CLR_OK) {
        const s2clr_stack_info *info = s2clr_stack_describe(stack);
        s2clr_stack_warn(args, info);
        if (s2clr_args_flag(args, "json")) {
            status = s2clr_edge_json(s2clr_input_json(info, model));
        } else {
            s2clr_input_print(stdout, info, model);
            status = s2clr_edge_flush();
        }
        s2clr_stack_close(stack);
    }
    s2clr_model_close(model);
    return status;
}

static int run(const s2clr_args *args)
{
    const char *const *targets;
    char path[S2CLR_ZOO_PATH];
    const size_t count = s2clr_args_list(args, "target", &targets);
    s2clr_status status;
    s2clr_edge_gdal(args);
    if (count == 0)
        status = info_installation(args);
    else if (count == 1 && is_model(targets[0], path))
        status = info_model(args, targets[0], path);
    else
        status = info_input(args, targets, count);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_info = {
    .name = "info",
    .summary = "what a model or an input is, and what this installation can do",
    .description =
        "For a model: its card. For an input: size, reference system, level, offset, and which "
        "raster band is bound to which band of the model with which scaling. Without argument: "
        "version, libraries, backends found and why others are not.",
    .example = "s2clr info S2B_MSIL2A_X.SAFE.zip",
    .title = "What a model or an input is",
    .section = "Model",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,config",
    .run = run,
};
