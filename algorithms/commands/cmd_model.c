/* s2clr model: the zoo, and weights in and out. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/model_actions.h"
#include "file/model.h"
#include "predict/zoo.h"
#include "report/json_words.h"

static const s2clr_param_row rows[] = {
    {"action", NULL, S2CLR_TYPE_CHOICE, .positional = true, .required = true,
     .choices = "list,import,export", .group = "Input",
     .help = "list: the models of the zoo; import: weights to a model file; export: the weights of "
             "a model alone."},
    {"file", NULL, S2CLR_TYPE_MODEL, .positional = true, .takes = "file",
     .suffixes = "safetensors,h5,hdf5", .group = "Input",
     .help = "import: weights as safetensors with the tensor names of torchvision or timm, or as "
             "Keras' HDF5; export: a model file or a name in the zoo."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .suffixes = "safetensors,onnx,json",
     .group = "Output",
     .help = "The file to write. export: *.onnx is a graph for ONNX Runtime and others, *.json a "
             "STAC item with the machine learning model extension, anything else the weights as "
             "safetensors."},
    {"overwrite", NULL, S2CLR_TYPE_FLAG, .label = "Replace an existing output", .group = "Output",
     .help = "Replaces an existing file."},
    {"card", NULL, S2CLR_TYPE_INPUT, .meta = "JSON", .takes = "file", .suffixes = "json",
     .group = "Import",
     .help = "The card of the new model: bands, mean, std, levels, patch, positive, texts; see "
             "s2clr-model(5)."},
    {"arch", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "resnet50", .group = "Import",
     .help = "Architecture of the weights, unless the card names it; \"s2clr info\" lists them."},
    {"width", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 1024, .group = "Import",
     .help = "Channels of the first stage; without it, the card's or the architecture's."},
    {"depth", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 64, .group = "Import",
     .help = "Number of layers, where the architecture lets it be chosen."},
    {"bands-names", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Import",
     .help = "Names of the input bands in the order of the weights, unless the card has them."},
    {"inflate", NULL, S2CLR_TYPE_CHOICE, .meta = "ORDER", .choices = "rgb,bgr", .group = "Import",
     .help =
         "Weights for pictures of three colours, in this order of channels, are made to fit the "
         "card's bands: B04, B03 and B02 take the kernels for red, green and blue, every other "
         "band their mean, all times 3 / bands."},
    {"weights", NULL, S2CLR_TYPE_CHOICE, .standard = "f32", .choices = "f32,bf16",
     .group = "Import",
     .help =
         "How the new file stores them; bf16 halves it, and the model computes with the rounded "
         "weights."},
    {"with-preprocessing", NULL, S2CLR_TYPE_FLAG, .group = "Export",
     .help = "ONNX: the graph takes DN plus the product's offset and gives probabilities as well."},
    {"level", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Export",
     .help = "Processing level of the DN that --with-preprocessing takes; without it, the level of "
             "the training or the card's only one."},
};

/* ---- list ---- */

static json_t *entry_json(const char *name, const char *path, const s2clr_model *model)
{
    const s2clr_card *card = model ? s2clr_model_card(model) : NULL;
    if (!card)
        return json_pack("{s:o, s:o, s:o}", "name", s2clr_json_words(name), "path",
                         s2clr_json_words(path), "error", s2clr_json_words(s2clr_error_text()));
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s}", "name", s2clr_json_words(name), "path",
                     s2clr_json_words(path), "id", card->id, "title", card->text[S2CLR_CARD_TITLE],
                     "positive", card->positive, "architecture", card->arch.name);
}

static s2clr_status list_one(const s2clr_args *args, const char *name, json_t *json)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_model *model = NULL;
    if (s2clr_args_flag(args, "quiet") && !s2clr_args_flag(args, "json")) {
        puts(name);
        return S2CLR_OK;
    }
    char file[S2CLR_ZOO_PATH];
    snprintf(file, sizeof file, "%s.safetensors", name); /* never a file of the current folder */
    S2CLR_TRY(s2clr_zoo_find(file, path));
    const s2clr_status status = s2clr_model_open(path, &model);
    if (s2clr_args_flag(args, "json"))
        json_array_append_new(json, entry_json(name, path, model));
    else if (status == S2CLR_OK)
        printf("%-32s %-9s %s\n", name, s2clr_model_card(model)->arch.name,
               s2clr_model_card(model)->text[S2CLR_CARD_TITLE]);
    else
        printf("%-32s cannot be used: %s\n", name, s2clr_error_text());
    s2clr_model_close(model);
    return S2CLR_OK;
}

static s2clr_status list(const s2clr_args *args)
{
    s2clr_zoo_names names;
    if (s2clr_args_given(args, "file"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "\"model list\" takes no file; \"s2clr info "
                               "%.100s\" shows one model",
                               s2clr_args_text(args, "file"));
    json_t *json = json_array();
    s2clr_status status = s2clr_zoo_list(&names);
    if (status == S2CLR_OK) {
        for (size_t i = 0; status == S2CLR_OK && i < names.count; i++)
            status = list_one(args, names.name[i], json);
        s2clr_zoo_names_free(&names);
    }
    if (status == S2CLR_OK && s2clr_args_flag(args, "json")) return s2clr_edge_json(json);
    json_decref(json);
    S2CLR_TRY(status);
    return s2clr_edge_flush();
}

static bool same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

s2clr_status s2clr_model_check_output(const s2clr_args *args, const char *input)
{
    const char *output = s2clr_args_text(args, "output");
    if (!output)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--output is missing: name the file to write");
    const char *card = s2clr_args_text(args, "card");
    if (same_file(output, input) || (card && same_file(output, card)))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: output and %s are the same file; name another output", output,
                               same_file(output, input) ? "input" : "card");
    if (access(output, F_OK) == 0 && !s2clr_args_flag(args, "overwrite"))
        return s2clr_error_set(S2CLR_ERR_EXISTS, "%s: exists; --overwrite replaces it", output);
    return S2CLR_OK;
}

static int run(const s2clr_args *args)
{
    const char *action = s2clr_args_text(args, "action");
    s2clr_status status;
    if (strcmp(action, "list") == 0)
        status = list(args);
    else if (strcmp(action, "import") == 0)
        status = s2clr_model_import(args);
    else
        status = s2clr_model_export(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_model = {
    .name = "model",
    .summary = "lists the zoo, imports and exports weights",
    .description =
        "\"model list\" shows the models that a name alone finds ($S2CLR_ZOO, the folder beside "
        "the program, the installed one). \"model import\" joins weights of PyTorch, timm or Keras "
        "and a card to a model file. \"model export\" writes the weights alone, as PyTorch's "
        "safetensors reader takes them, an ONNX graph, or a STAC item. With --quiet, list prints "
        "names only.",
    .example = "s2clr model import resnet50.safetensors --card card.json -o model.safetensors",
    .title = "List, import and export models",
    .section = "Model",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json",
    .run = run,
};
