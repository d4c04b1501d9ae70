/* s2clr model export: the weights alone, ONNX, or a STAC item, by the name of the output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "commands/edge.h"
#include "commands/model_actions.h"
#include "file/model.h"
#include "file/onnx.h"
#include "file/safetensors.h"
#include "file/stac_mlm.h"
#include "predict/zoo.h"
#include "report/json_words.h"

typedef s2clr_status (*write_fn)(const s2clr_args *args, const s2clr_model *model,
                                 const char *output);

static s2clr_status write_weights(const s2clr_args *args, const s2clr_model *model,
                                  const char *output)
{
    const s2clr_param *param;
    const float *values = s2clr_model_params(model);
    const size_t count = s2clr_net_param_list(s2clr_model_net(model), &param);
    const s2clr_metadata format = {"format", "pt"}; /* what PyTorch's readers look for */
    s2clr_tensor *tensors;
    (void)args;
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

/* The level of --level, of the training, or the only one. */
static s2clr_status choose_level(const s2clr_args *args, const s2clr_model *model,
                                 const s2clr_card_level **out)
{
    const s2clr_card *card = s2clr_model_card(model);
    const char *name = s2clr_args_text(args, "level");
    char known[S2CLR_CARD_LEVELS_MAX * (S2CLR_CARD_WORD + 2)] = "";
    if (!name && card->trained_level[0]) name = card->trained_level;
    if (!name && card->levels == 1) name = card->level[0].name;
    *out = name ? s2clr_card_find_level(card, name) : NULL;
    if (*out) return S2CLR_OK;
    for (int i = 0; i < card->levels; i++) {
        strcat(known, i ? ", " : "");
        strcat(known, card->level[i].name);
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: %s%s%s: choose the DN that the graph takes with --level: %s",
                           s2clr_model_path(model), name ? "the card has no level '" : "",
                           name ? name : "the card has several levels", name ? "'" : "", known);
}

static s2clr_status write_onnx(const s2clr_args *args, const s2clr_model *model, const char *output)
{
    const s2clr_card_level *level = NULL;
    if (s2clr_args_flag(args, "with-preprocessing")) S2CLR_TRY(choose_level(args, model, &level));
    return s2clr_onnx_write(output, model, level);
}

/* Beside the item the model's name is enough, else its whole path. */
static s2clr_status write_item(const s2clr_args *args, const s2clr_model *model, const char *output)
{
    const char *path = s2clr_model_path(model);
    const char *slash = strrchr(path, '/'), *output_slash = strrchr(output, '/');
    const size_t folder = slash ? (size_t)(slash - path) : 0;
    const size_t output_folder = output_slash ? (size_t)(output_slash - output) : 0;
    (void)args;
    if (folder == output_folder && strncmp(path, output, folder) == 0)
        return s2clr_stac_mlm_write(output, model, slash ? slash + 1 : path);
    char *whole = realpath(path, NULL);
    if (!whole)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: its whole path cannot be told, so no item can "
                               "name it",
                               path);
    const s2clr_status status = s2clr_stac_mlm_write(output, model, whole);
    free(whole);
    return status;
}

static const struct format {
    const char *extension, *what;
    write_fn write;
} formats[] = {{".onnx", "ONNX graph", write_onnx},
               {".json", "STAC item", write_item},
               {"", "weights", write_weights}};

static const struct format *find_format(const char *output)
{
    const struct format *format = formats;
    const size_t length = strlen(output);
    for (;; format++) {
        const size_t part = strlen(format->extension);
        if (length >= part && strcasecmp(output + length - part, format->extension) == 0)
            return format;
    }
}

static s2clr_status check_options(const s2clr_args *args, const struct format *format)
{
    const bool scaled = s2clr_args_flag(args, "with-preprocessing");
    if (scaled && format->write != write_onnx)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--with-preprocessing belongs to ONNX: name the output *.onnx");
    if (s2clr_args_given(args, "level") && !scaled)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--level says which DN --with-preprocessing takes; alone it does "
                               "nothing");
    return S2CLR_OK;
}

s2clr_status s2clr_model_export(const s2clr_args *args)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_model *model;
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(args, "file"), path));
    S2CLR_TRY(s2clr_model_check_output(args, path));
    const char *output = s2clr_args_text(args, "output");
    const struct format *format = find_format(output);
    S2CLR_TRY(check_options(args, format));
    S2CLR_TRY(s2clr_model_open(path, &model));
    const s2clr_status status = format->write(args, model, output);
    s2clr_model_close(model);
    S2CLR_TRY(status);
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(json_pack("{s:s, s:o, s:o}", "what", format->what, "output",
                                         s2clr_json_words(output), "model",
                                         s2clr_json_words(path)));
    if (!s2clr_args_flag(args, "quiet")) printf("%-11s %s\n", format->what, output);
    return s2clr_edge_flush();
}
