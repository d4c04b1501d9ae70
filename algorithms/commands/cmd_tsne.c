/* s2clr tsne: what a network sees in a data set, as a map. */
#include <stdio.h>

#include "commands/cmd_list.h"
#include "commands/dataset_rows.h"
#include "commands/edge.h"
#include "commands/tsne_data.h"
#include "predict/output_file.h"
#include "predict/output_guard.h"
#include "predict/zoo.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"model", "m", S2CLR_TYPE_MODEL, .meta = "FILE", .group = "Data",
     .help = "Model file or encoder, or the name of a model in the zoo; without it, the default "
             "one."},
    {"part", NULL, S2CLR_TYPE_CHOICE, .standard = "test", .choices = "test,validation,train,all",
     .group = "Data", .help = "The part of the data set to map."},
    {"max-samples", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "5000", .minimum = 100,
     .maximum = 1000000, .group = "Data",
     .help = "Maps at most so many patches, the same share of every class, chosen by a hash of "
             "their names."},
    {"by", NULL, S2CLR_TYPE_CHOICE, .choices = "class,label,country,tile", .group = "Data",
     .help = "What colours and heat maps tell apart; without it, the class, or the label where "
             "patches of a store have several classes."},
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help = "With --by label, the class that is label 1, or several, separated by commas; without "
             "it, the card's, or the labels of a store."},
    {"level", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Data",
     .help = "Level of the card that the patches' numbers are in; without it, the store's or the "
             "one the model was trained on."},
    {"layer", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "features", .group = "Map",
     .help = "What is mapped: features, the end of the trunk, or projection.0, projection.1 ..., "
             "the layers of a projection head."},
    {"perplexity", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "30", .minimum = 1,
     .maximum = 1000, .group = "Map",
     .help = "About how many neighbours of each patch count; three times as many must exist."},
    {"iterations", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "1000", .minimum = 1,
     .maximum = 100000, .group = "Map",
     .help = "Steps of the arrangement; in the first quarter of them, at most 250, attraction is "
             "12 times as strong."},
    {"start", NULL, S2CLR_TYPE_CHOICE, .standard = "pca", .choices = "pca,random", .group = "Map",
     .help = "Where points begin: at their first two principal components, which keeps far groups "
             "in place, or at random."},
    {"theta", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.5", .minimum = 0, .maximum = 1,
     .advanced = true, .group = "Map",
     .help = "How coarsely far points are taken together; 0 is exact, and slow."},
    {"neighbours", NULL, S2CLR_TYPE_INT, .meta = "K", .standard = "10", .minimum = 1,
     .maximum = 1000, .group = "Map",
     .help = "Neighbours that trustworthiness and accuracy are measured with."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FILE, .required = true, .meta = "PAGE.html", .label = "Page",
     .suffixes = "html", .group = "Output",
     .help = "One page of HTML with the map, a heat map per class and the numbers, which needs no "
             "other file and no script."},
    {"csv", NULL, S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .label = "Table of points",
     .suffixes = "csv", .group = "Output",
     .help = "Also writes name, class and place of every point as a table."},
};

static s2clr_status tell(const s2clr_args *args, s2clr_terminal *terminal,
                         const s2clr_tsne_map *map)
{
    const char *csv = s2clr_args_text(args, "csv"), *page = s2clr_args_text(args, "output");
    if (csv) S2CLR_TRY(s2clr_tsne_csv(csv, map));
    S2CLR_TRY(s2clr_tsne_page(page, map));
    s2clr_terminal_end(terminal);
    if (s2clr_args_flag(args, "json")) return s2clr_edge_json(s2clr_tsne_json(map));
    if (!s2clr_args_flag(args, "quiet")) {
        s2clr_tsne_print(stdout, map);
        printf("page        %s\n", page);
    }
    return s2clr_edge_flush();
}

static void fill(const s2clr_args *args, const s2clr_model *model, s2clr_tsne_data *data,
                 s2clr_tsne_map *map)
{
    const int iterations = (int)s2clr_args_int(args, "iterations");
    *map = (s2clr_tsne_map){.model = model,
                            .dataset = s2clr_args_text(args, "dataset"),
                            .part = data->part_name,
                            .level = data->level,
                            .layer = s2clr_args_text(args, "layer"),
                            .by = data->by,
                            .part_count = data->part_count,
                            .names = data->chosen.names,
                            .class_of = data->class_of,
                            .class = data->class,
                            .classes = data->classes,
                            .neighbours = (size_t)s2clr_args_int(args, "neighbours")};
    s2clr_tsne_defaults(&map->options);
    map->options.perplexity = s2clr_args_real(args, "perplexity");
    map->options.iterations = iterations;
    if (iterations / 4 < map->options.exaggerated) map->options.exaggerated = iterations / 4;
    map->options.theta = s2clr_args_real(args, "theta");
    map->options.random_start = s2clr_args_text(args, "start")[0] == 'r';
    map->options.seed = (uint64_t)s2clr_args_int(args, "seed");
}

static s2clr_status with_data(const s2clr_args *args, const s2clr_model *model,
                              s2clr_tsne_data *data, s2clr_pool *pool,
                              const s2clr_progress *progress, s2clr_terminal *terminal)
{
    const s2clr_tsne_source source = {.model = model,
                                      .level = data->level,
                                      .samples = &data->chosen,
                                      .device = s2clr_args_text(args, "device")};
    s2clr_tsne_rows embedded;
    s2clr_tsne_map map;
    fill(args, model, data, &map);
    S2CLR_TRY(s2clr_tsne_map_check(&map, data->chosen.count));
    S2CLR_TRY(s2clr_tsne_layer_run(&source, map.layer, pool, progress, &embedded));
    s2clr_status status = s2clr_tsne_map_make(&embedded, pool, progress, &map);
    if (status == S2CLR_OK) {
        status = tell(args, terminal, &map);
        s2clr_tsne_map_free(&map);
    }
    s2clr_tsne_rows_free(&embedded);
    return status;
}

static s2clr_status with_model(const s2clr_args *args, const s2clr_model *model)
{
    s2clr_terminal terminal;
    s2clr_tsne_data data;
    s2clr_pool *pool;
    S2CLR_TRY(s2clr_edge_pool(args, &pool));
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    s2clr_status status =
        s2clr_tsne_data_open(args, s2clr_model_card(model), pool, &progress, &data);
    if (status == S2CLR_OK) {
        status = with_data(args, model, &data, pool, &progress, &terminal);
        s2clr_tsne_data_close(&data);
    }
    s2clr_terminal_end(&terminal);
    s2clr_pool_free(pool);
    return status;
}

/* Before any patch is read, which may take minutes. */
static s2clr_status check_outputs(const s2clr_args *args, const char *model)
{
    const char *page = s2clr_args_text(args, "output"), *csv = s2clr_args_text(args, "csv");
    const char *const read[] = {s2clr_args_text(args, "dataset"), model};
    const char *const written[] = {page, csv};
    for (int i = 0; i < 2 && written[i]; i++) {
        S2CLR_TRY(s2clr_output_guard(written[i], read, sizeof read / sizeof read[0]));
        S2CLR_TRY(s2clr_output_check(written[i], true));
    }
    if (!csv || !s2clr_output_same(csv, page)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: is the page (--output) and the table (--csv); wanted: two names",
                           csv);
}

static int run(const s2clr_args *args)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_model *model;
    s2clr_edge_gdal(args);
    s2clr_status status = s2clr_zoo_resolve(s2clr_args_text(args, "model"), path);
    if (status == S2CLR_OK) status = check_outputs(args, path);
    if (status == S2CLR_OK) status = s2clr_model_open(path, &model);
    if (status == S2CLR_OK) {
        status = with_model(args, model);
        s2clr_model_close(model);
    }
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_tsne = {
    .name = "tsne",
    .summary = "a map of what a network sees in a data set",
    .description =
        "Runs a model or an encoder over the patches of a data set and lays them out in two "
        "dimensions by t-SNE, so that patches that are alike to the network lie side by side. The "
        "page shows every patch as a point and where each class lies, and says how many "
        "neighbourhoods the map keeps and how well neighbours tell the class.",
    .example = "s2clr tsne -m run/model.safetensors eurosat.store -o map.html",
    .title = "See what a network sees (t-SNE)",
    .section = "Judge",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,device,seed,config",
    .run = run,
};
