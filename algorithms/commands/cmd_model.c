/* s2clr model: the zoo, and weights in and out. */
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "commands/card_build.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "predict/zoo.h"
#include "file/model.h"
#include "file/safetensors.h"

static const s2clr_param_row rows[] = {
    {"action", NULL, S2CLR_TYPE_CHOICE, .positional = true, .required = true,
     .choices = "list,import,export", .group = "Input",
     .help = "list: the models of the zoo; import: weights to a model file; export: the weights of "
             "a model alone."},
    {"file", NULL, S2CLR_TYPE_MODEL, .positional = true, .group = "Input",
     .help = "import: a safetensors file with torchvision's tensor names; export: a model file or "
             "a name in the zoo."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .group = "Output",
     .help = "The file to write (import, export)."},
    {"overwrite", NULL, S2CLR_TYPE_FLAG, .group = "Output", .help = "Replaces an existing file."},
    {"card", NULL, S2CLR_TYPE_INPUT, .meta = "JSON", .group = "Import",
     .help = "The card of the new model: bands, mean, std, levels, patch, positive, texts; see "
             "s2clr-model(5)."},
    {"arch", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "resnet50", .group = "Import",
     .help = "Architecture of the weights, unless the card names it; \"s2clr info\" lists them."},
    {"width", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 4096, .group = "Import",
     .help = "Channels of the first stage; without it, the card's or the architecture's."},
    {"depth", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 64, .group = "Import",
     .help = "Number of layers, where the architecture lets it be chosen."},
    {"bands-names", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Import",
     .help = "Names of the input bands in the order of the weights, unless the card has them."},
};

/* ---- list ---- */

static json_t *entry_json(const char *name, const char *path, const s2clr_model *model)
{
    const s2clr_card *card = model ? s2clr_model_card(model) : NULL;
    if (!card)
        return json_pack("{s:s, s:s, s:s}", "name", name, "path", path, "error",
                         s2clr_error_text());
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", name, "path", path, "id", card->id,
                     "title", card->text[S2CLR_CARD_TITLE], "positive", card->positive,
                     "architecture", card->arch.name);
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

/* ---- import ---- */

static s2clr_status check_output(const s2clr_args *args, const char *input)
{
    const char *output = s2clr_args_text(args, "output");
    if (!output)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--output is missing: name the file to write");
    if (strcmp(output, input) == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: output and input are the same file",
                               output);
    if (access(output, F_OK) == 0 && !s2clr_args_flag(args, "overwrite"))
        return s2clr_error_set(S2CLR_ERR_EXISTS, "%s: exists; --overwrite replaces it", output);
    return S2CLR_OK;
}

/* Input channels of the weights: the second dimension of the first convolution. */
static s2clr_status weight_channels(const char *path, int *out)
{
    s2clr_tensors *file;
    const s2clr_tensor *tensor;
    S2CLR_TRY(s2clr_tensors_open(path, &file));
    const size_t count = s2clr_tensors_list(file, &tensor);
    int64_t channels = 0;
    const s2clr_tensor *first = s2clr_tensors_find(file, "conv1.weight");
    for (size_t i = 0; !first && i < count; i++)
        if (tensor[i].rank == 4) first = &tensor[i];
    if (first && first->rank == 4) channels = first->dims[1];
    s2clr_tensors_close(file);
    if (channels < 1 || channels > S2CLR_CARD_BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: the first convolution takes %lld channels, wanted 1 to %d",
                               path, (long long)channels, S2CLR_CARD_BANDS_MAX);
    *out = (int)channels;
    return S2CLR_OK;
}

static s2clr_status save(const char *input, const char *output, const s2clr_card *card)
{
    s2clr_net *net;
    float *params = NULL;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    s2clr_status status =
        s2clr_alloc(s2clr_net_param_count(net), sizeof *params, "weights", (void **)&params);
    if (status == S2CLR_OK) status = s2clr_model_load_weights(input, net, params);
    if (status == S2CLR_OK) status = s2clr_model_save(output, card, net, params);
    s2clr_free(params);
    s2clr_net_free(net);
    return status;
}

static s2clr_status import(const s2clr_args *args)
{
    const char *input = s2clr_args_text(args, "file");
    const char *output = s2clr_args_text(args, "output");
    s2clr_card *card;
    s2clr_card_facts facts = {.level = "DN"};
    bool measured;
    if (!input || !s2clr_args_given(args, "card"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "\"model import\" wants the weights' file and "
                               "--card JSON: weights alone do not say what their input is");
    S2CLR_TRY(check_output(args, input));
    S2CLR_TRY(weight_channels(input, &facts.channels));
    S2CLR_TRY(s2clr_card_build(args, &facts, &card, &measured));
    s2clr_status status = S2CLR_OK;
    if (!measured)
        status = s2clr_error_set(S2CLR_ERR_FORMAT,
                                 "%s: 'mean' and 'std' are missing: without them the network's "
                                 "input cannot be made",
                                 s2clr_args_text(args, "card"));
    if (status == S2CLR_OK) status = save(input, output, card);
    s2clr_card_free(card);
    S2CLR_TRY(status);
    if (!s2clr_args_flag(args, "quiet")) printf("model       %s\n", output);
    return s2clr_edge_flush();
}

/* ---- export ---- */

static s2clr_status write_weights(const s2clr_model *model, const char *output)
{
    const s2clr_param *param;
    const float *values = s2clr_model_params(model);
    const size_t count = s2clr_net_param_list(s2clr_model_net(model), &param);
    const s2clr_metadata format = {"format", "pt"}; /* what PyTorch's readers look for */
    s2clr_tensor *tensors;
    S2CLR_TRY(s2clr_alloc(count, sizeof *tensors, "tensors", (void **)&tensors));
    for (size_t i = 0; i < count; i++) {
        tensors[i] = (s2clr_tensor){.name = param[i].name,
                                    .dtype = S2CLR_DTYPE_F32,
                                    .rank = param[i].rank,
                                    .count = param[i].count,
                                    .bytes = param[i].count * sizeof *values,
                                    .data = values + param[i].offset};
        for (int k = 0; k < param[i].rank; k++) tensors[i].dims[k] = param[i].dims[k];
    }
    const s2clr_status status = s2clr_tensors_write(output, tensors, count, &format, 1);
    s2clr_free(tensors);
    return status;
}

static s2clr_status export(const s2clr_args *args)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_model *model;
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(args, "file"), path));
    S2CLR_TRY(check_output(args, path));
    S2CLR_TRY(s2clr_model_open(path, &model));
    const s2clr_status status = write_weights(model, s2clr_args_text(args, "output"));
    s2clr_model_close(model);
    S2CLR_TRY(status);
    if (!s2clr_args_flag(args, "quiet"))
        printf("weights     %s\n", s2clr_args_text(args, "output"));
    return s2clr_edge_flush();
}

static int run(const s2clr_args *args)
{
    const char *action = s2clr_args_text(args, "action");
    s2clr_status status;
    if (strcmp(action, "list") == 0)
        status = list(args);
    else if (strcmp(action, "import") == 0)
        status = import(args);
    else
        status = export(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_model = {
    .name = "model",
    .summary = "lists the zoo, imports and exports weights",
    .description =
        "\"model list\" shows the models that a name alone finds ($S2CLR_ZOO, the folder beside "
        "the "
        "program, the installed one). \"model import\" joins weights with torchvision's tensor "
        "names and a card to a model file. \"model export\" writes the weights alone, as PyTorch's "
        "safetensors reader takes them. With --quiet, list prints names only.",
    .example = "s2clr model import resnet50.safetensors --card card.json -o model.safetensors",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json",
    .run = run,
};
