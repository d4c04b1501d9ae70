/* s2clr topk: the most certain patches as a page on which a person marks which of them are right.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/stack_rows.h"
#include "commands/topk_job.h"
#include "dataset/store.h"
#include "predict/model_share.h"
#include "predict/output_file.h"
#include "predict/output_guard.h"

#define SHOW_FROM 0.9 /* share of the progress after which pictures are read */

static const s2clr_param_row rows[] = {
    {"input", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .repeat = true,
     .label = "Data set, product or raster", .group = "Input",
     .help = "A data set (a store, or a folder or zip of images, one folder per class), or a scene "
             "as s2clr-predict(1) takes it: several inputs are the bands of one scene."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FILE, .required = true, .meta = "SHEET.html",
     .label = "Contact sheet", .suffixes = "html", .group = "Output",
     .help = "The page to make: one file that needs no other and no network."},
    {"map", NULL, S2CLR_TYPE_INPUT, .meta = "MAP", .takes = "layer,file", .group = "Input",
     .help = "A probability map of the scene, made before: its pixels say which patches to show, "
             "and no model is run."},
    S2CLR_ROW_MODEL,
    {"count", "k", S2CLR_TYPE_INT, .meta = "N", .standard = "100", .minimum = 1,
     .maximum = S2CLR_TOPK_MAX, .group = "Choice", .help = "Patches on the sheet, at most."},
    {"above", NULL, S2CLR_TYPE_REAL, .meta = "P", .standard = "0.99", .minimum = 0, .maximum = 1,
     .group = "Choice", .help = "Only patches with at least this probability."},
    {"choose", NULL, S2CLR_TYPE_CHOICE, .standard = "top", .choices = "top,random",
     .group = "Choice",
     .help = "top: the most certain ones, in that order. random: drawn from all at or above the "
             "probability with the same chance for each, so that their precision is that of all of "
             "those; they may overlap."},
    {"distance", NULL, S2CLR_TYPE_INT, .meta = "PX", .minimum = 0, .maximum = 1000000,
     .group = "Choice",
     .help = "Of the most certain ones of a scene: centres of patches are at least so many pixels "
             "apart along one axis; without it, the side of a patch, so that none overlap."},
    {"part", NULL, S2CLR_TYPE_CHOICE, .standard = "test", .choices = "test,validation,train,all",
     .group = "Data set", .help = "The part of the data set to look at."},
    S2CLR_ROWS_PARTS,
    {"stride", NULL, S2CLR_TYPE_INT, .meta = "PX", .minimum = 1, .maximum = 4096, .group = "Scene",
     .help = "Input pixels from one patch to the next; without it, the side of a patch. Smaller "
             "ones find patches that lie better, and take longer."},
    {"min-valid", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.5", .minimum = 0,
     .maximum = 1, .group = "Scene",
     .help = "Smallest share of valid pixels with which a patch gets a probability."},
    {"patch", NULL, S2CLR_TYPE_INT, .meta = "PX", .minimum = 1, .maximum = 4096, .group = "Scene",
     .help = "Side of a patch under a map; without it, what the map says."},
    S2CLR_ROWS_STACK,
};

/* ---- what makes sense with what ---- */

static const struct {
    const char *option;
    int kinds;
} uses[] = {
    {"part", S2CLR_TOPK_DATASET},
    {"image-bands", S2CLR_TOPK_DATASET},
    {"test-share", S2CLR_TOPK_DATASET},
    {"validation-share", S2CLR_TOPK_DATASET},
    {"model", S2CLR_TOPK_DATASET | S2CLR_TOPK_SCENE},
    {"stride", S2CLR_TOPK_SCENE},
    {"min-valid", S2CLR_TOPK_SCENE},
    {"input-bands", S2CLR_TOPK_SCENE},
    {"scl", S2CLR_TOPK_SCENE},
    {"boa-offset", S2CLR_TOPK_SCENE | S2CLR_TOPK_MAP},
    {"distance", S2CLR_TOPK_SCENE | S2CLR_TOPK_MAP},
    {"patch", S2CLR_TOPK_MAP},
};

static const char *kind_name(s2clr_topk_kind kind)
{
    return kind == S2CLR_TOPK_DATASET ? "a data set"
           : kind == S2CLR_TOPK_SCENE ? "a scene"
                                      : "a scene under a map (--map)";
}

static s2clr_topk_kind kind_of(const s2clr_topk_job *job)
{
    const char *first = job->inputs[0];
    if (s2clr_args_given(job->args, "map")) return S2CLR_TOPK_MAP;
    if (job->input_count == 1 && (s2clr_store_identify(first) || s2clr_images_identify(first)))
        return S2CLR_TOPK_DATASET;
    return S2CLR_TOPK_SCENE;
}

static bool is_random(const s2clr_topk_job *job)
{
    return strcmp(s2clr_args_text(job->args, "choose"), "random") == 0;
}

static s2clr_status check_options(const s2clr_topk_job *job)
{
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if (s2clr_args_given(job->args, uses[i].option) && !(uses[i].kinds & (int)job->kind))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "--%s says nothing about %.200s, which is %s: leave it away",
                                   uses[i].option, job->inputs[0], kind_name(job->kind));
    if (is_random(job) && s2clr_args_given(job->args, "distance"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--distance: does not go with --choose random: at a distance, lone "
                               "pixels are drawn more often than those of large fields, and the "
                               "precision is no more that of all; leave it away");
    return S2CLR_OK;
}

/* Before any patch is read, which may take minutes. */
static s2clr_status guard_output(const s2clr_topk_job *job)
{
    const char *output = s2clr_args_text(job->args, "output");
    const char *const others[] = {s2clr_args_text(job->args, "map"),
                                  job->model ? job->model_path : NULL};
    S2CLR_TRY(s2clr_output_guard(output, job->inputs, job->input_count));
    S2CLR_TRY(s2clr_output_guard(output, others, sizeof others / sizeof others[0]));
    return s2clr_output_check(output, true);
}

/* ---- the parts of a run ---- */

typedef struct share {
    const s2clr_progress *whole;
    double from, to;
} share;

static bool report_share(void *context, double fraction, const char *message)
{
    const share *s = context;
    return s2clr_progress_report(s->whole, s->from + (s->to - s->from) * fraction, message);
}

static s2clr_status find_in_scene(s2clr_topk_job *job)
{
    const s2clr_topk_scene_options options = {.model = job->model,
                                              .inputs = job->inputs,
                                              .count = job->input_count,
                                              .stack = job->stack,
                                              .device = s2clr_args_text(job->args, "device"),
                                              .threads = (int)s2clr_args_int(job->args, "threads"),
                                              .memory_mb =
                                                  (size_t)s2clr_args_int(job->args, "memory"),
                                              .stride = (int)s2clr_args_int(job->args, "stride"),
                                              .min_valid = s2clr_args_real(job->args, "min-valid")};
    return s2clr_topk_scene_find(&options, &job->progress, &job->list, &job->raster);
}

static s2clr_topk_look look_of(const s2clr_topk_job *job)
{
    return (s2clr_topk_look){.inputs = job->inputs,
                             .count = job->input_count,
                             .stack = &job->stack,
                             .card = job->model ? s2clr_model_card(job->model) : NULL};
}

static s2clr_status find_in_map(s2clr_topk_job *job)
{
    const char *path = s2clr_args_text(job->args, "map");
    const s2clr_topk_look look = look_of(job);
    S2CLR_TRY(s2clr_topk_map_describe(path, &job->map));
    if (s2clr_args_given(job->args, "patch"))
        job->map.patch = (int)s2clr_args_int(job->args, "patch");
    if (job->map.patch == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: does not say how large its patches are, as maps of \"s2clr "
                               "predict\" do; --patch PX does",
                               path);
    S2CLR_TRY(s2clr_topk_windows_raster(&look, job->map.patch, &job->raster));
    return s2clr_topk_map_find(path, &job->raster, &job->progress, &job->list, &job->outside);
}

static s2clr_status find(s2clr_topk_job *job)
{
    s2clr_topk_list_start(&job->list, s2clr_args_real(job->args, "above"));
    if (job->kind == S2CLR_TOPK_DATASET) return s2clr_topk_samples_find(job);
    return job->kind == S2CLR_TOPK_SCENE ? find_in_scene(job) : find_in_map(job);
}

static s2clr_status nothing_found(const s2clr_topk_job *job)
{
    const s2clr_topk_list *list = &job->list;
    if (list->undefined == list->seen)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: none of %zu patches has a probability%s; wanted: patches with "
                               "enough valid pixels (--min-valid), and a map that covers them",
                               job->inputs[0], list->seen,
                               job->outside ? ", the others of the map lie beside it" : "");
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: none of %zu patches reaches a probability of %g (the highest is "
                           "%g, and %zu have none); --above asks for less",
                           job->inputs[0], list->seen, list->above, list->highest, list->undefined);
}

static s2clr_status choose(s2clr_topk_job *job)
{
    const s2clr_args *args = job->args;
    job->rule = (s2clr_topk_rule){.count = (size_t)s2clr_args_int(args, "count"),
                                  .random = is_random(job),
                                  .seed = (uint64_t)s2clr_args_int(args, "seed")};
    if (job->kind != S2CLR_TOPK_DATASET && !job->rule.random)
        job->rule.distance = s2clr_args_given(args, "distance")
                                 ? (double)s2clr_args_int(args, "distance")
                                 : job->raster.patch;
    if (job->list.count == 0) return nothing_found(job);
    S2CLR_TRY(s2clr_alloc(job->rule.count, sizeof *job->chosen, "patches of the sheet",
                          (void **)&job->chosen));
    return s2clr_topk_choose(&job->list, &job->rule, job->chosen, &job->counts);
}

static s2clr_status show(s2clr_topk_job *job)
{
    const s2clr_topk_look look = look_of(job);
    S2CLR_TRY(s2clr_sheet_new(job->counts.chosen, &job->sheet));
    for (size_t i = 0; i < job->counts.chosen; i++)
        job->sheet.patch[i].probability = job->chosen[i].p;
    if (job->kind == S2CLR_TOPK_DATASET)
        S2CLR_TRY(s2clr_topk_samples_show(job));
    else
        S2CLR_TRY(s2clr_topk_windows_read(&look, &job->raster, job->chosen, job->counts.chosen,
                                          &job->progress, &job->sheet, &job->pixels));
    return s2clr_topk_pictures_make(&job->pixels, &job->sheet);
}

static s2clr_status write_sheet(s2clr_topk_job *job)
{
    const s2clr_card *card = job->model ? s2clr_model_card(job->model) : NULL;
    s2clr_topk_say(job);
    job->sheet.model = card ? card->id : job->map.model;
    job->sheet.positive = card ? card->positive : job->map.positive;
    job->sheet.warning = card ? card->text[S2CLR_CARD_WARNING] : job->map.warning;
    job->sheet.source = job->source;
    job->sheet.choice = job->choice;
    job->sheet.command = s2clr_args_line(job->args);
    return s2clr_contact_sheet_write(s2clr_args_text(job->args, "output"), &job->sheet);
}

static s2clr_status make(s2clr_topk_job *job, const s2clr_progress *progress)
{
    share part = {.whole = progress, .from = 0, .to = SHOW_FROM};
    job->progress = (s2clr_progress){.call = report_share, .context = &part};
    S2CLR_TRY(check_options(job));
    S2CLR_TRY(guard_output(job));
    S2CLR_TRY(find(job));
    for (int i = 0; i < job->raster.warnings; i++)
        s2clr_edge_warn(job->args, job->raster.warning[i]);
    S2CLR_TRY(choose(job));
    part = (share){.whole = progress, .from = SHOW_FROM, .to = 1};
    S2CLR_TRY(show(job));
    return write_sheet(job);
}

/* ---- the edge ---- */

static s2clr_status open_model(s2clr_topk_job *job)
{
    if (job->kind == S2CLR_TOPK_MAP) return S2CLR_OK;
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(job->args, "model"), job->model_path));
    S2CLR_TRY(s2clr_model_acquire(job->model_path, &job->model));
    return s2clr_model_check_binary(job->model);
}

static s2clr_status report(const s2clr_topk_job *job)
{
    if (s2clr_edge_wants_json(job->args))
        S2CLR_TRY(s2clr_edge_result(job->args, s2clr_topk_json(job)));
    if (s2clr_args_flag(job->args, "json")) return S2CLR_OK;
    if (!s2clr_args_flag(job->args, "quiet")) s2clr_topk_print(stdout, job);
    return s2clr_edge_flush();
}

static void release(s2clr_topk_job *job)
{
    s2clr_topk_pixels_free(&job->pixels);
    s2clr_sheet_clear(&job->sheet);
    s2clr_free(job->chosen);
    s2clr_topk_list_clear(&job->list);
    s2clr_topk_raster_clear(&job->raster);
    s2clr_parts_close(&job->parts);
    s2clr_model_release(job->model);
    if (job->pool) s2clr_pool_free(job->pool);
}

static s2clr_status topk(const s2clr_args *args)
{
    s2clr_topk_job job = {.args = args, .stack = s2clr_stack_options_of(args)};
    s2clr_terminal terminal;
    job.input_count = s2clr_args_list(args, "input", &job.inputs);
    job.kind = kind_of(&job);
    s2clr_status status = open_model(&job);
    if (status == S2CLR_OK && job.kind == S2CLR_TOPK_DATASET)
        status = s2clr_edge_pool(args, &job.pool);
    if (status == S2CLR_OK) {
        const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
        status = make(&job, &progress);
        s2clr_terminal_end(&terminal);
    }
    if (status == S2CLR_OK) status = report(&job);
    release(&job);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = topk(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

static const s2clr_result_row results[] = {
    {"found", "candidates.reached", "Patches that reach the limit", false},
    {"highest", "candidates.highest", "Highest probability", false},
};

const s2clr_command s2clr_cmd_topk = {
    .name = "topk",
    .summary = "the most certain patches as a page to check by eye",
    .description =
        "Finds the patches of a data set or a scene that a model is most certain of, and writes a "
        "contact sheet: one page of HTML with each patch in true and false colour, its probability "
        "and its place, on which a person marks what is right and what is wrong. The page saves "
        "the marks as CSV, of which s2clr-evaluate(1) makes the precision and its interval.",
    .example = "s2clr topk -m dense-eurosat-permanentcrop eurosat_rgb.zip -o sheet.html",
    .title = "Contact sheet of the most certain patches",
    .section = "Judge",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,threads,memory,device,seed,config",
    .run = run,
};
