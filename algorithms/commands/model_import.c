/* s2clr model import: weights of PyTorch, timm or Keras and a card, joined to a model. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/card_build.h"
#include "commands/edge.h"
#include "commands/model_actions.h"
#include "file/inflate.h"
#include "file/model.h"
#include "file/safetensors.h"
#include "import_weights/keras_weights.h"
#include "report/json_words.h"

enum { RGB = 3 };

/* ---- how many bands ---- */

static int count_names(const char *list)
{
    int count = *list != '\0';
    for (; *list; list++) count += *list == ',';
    return count;
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

/* What the card or the user names, else what the weights take. */
static s2clr_status choose_channels(const s2clr_args *args, const char *input, int *out)
{
    char bands[S2CLR_CARD_BANDS_MAX * (S2CLR_CARD_WORD + 1)];
    const char *names = s2clr_args_text(args, "bands-names");
    S2CLR_TRY(s2clr_card_bands(args, bands, sizeof bands));
    const int named = count_names(names ? names : bands);
    if (named > S2CLR_CARD_BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%d bands are named, a model takes at most %d",
                               named, S2CLR_CARD_BANDS_MAX);
    if (named) {
        *out = named;
        return S2CLR_OK;
    }
    if (!s2clr_keras_identify(input)) return weight_channels(input, out);
    *out = RGB;
    return S2CLR_OK;
}

/* ---- weights ---- */

static s2clr_status load(const char *input, const s2clr_net *net, float *params)
{
    return s2clr_keras_identify(input) ? s2clr_keras_load(input, net, params)
                                       : s2clr_model_load_weights(input, net, params);
}

static s2clr_status new_params(const s2clr_net *net, float **out)
{
    return s2clr_alloc(s2clr_net_param_count(net), sizeof **out, "weights", (void **)out);
}

static s2clr_status load_inflated(const char *input, const s2clr_card *card, const s2clr_net *net,
                                  const char *order, float *params)
{
    s2clr_arch arch = card->arch;
    s2clr_net *rgb;
    float *from = NULL;
    arch.channels = RGB;
    S2CLR_TRY(s2clr_net_new(&arch, &rgb));
    s2clr_status status = new_params(rgb, &from);
    if (status == S2CLR_OK) status = load(input, rgb, from);
    if (status == S2CLR_OK) status = s2clr_inflate(rgb, from, net, card, order, params);
    s2clr_free(from);
    s2clr_net_free(rgb);
    return status;
}

static s2clr_status note_inflation(s2clr_card *card)
{
    char text[S2CLR_CARD_WORD * 8 + 65536];
    const char *before = card->text[S2CLR_CARD_TRAINED_ON];
    snprintf(text, sizeof text,
             "%s%sFirst layer inflated from RGB weights: the kernels for red, green and blue at "
             "B04, B03 and B02, their mean at every other band, all times 3/%d.",
             before, before[0] ? " " : "", card->bands);
    return s2clr_card_set_text(card, S2CLR_CARD_TRAINED_ON, text);
}

static s2clr_status write_model(const s2clr_args *args, const s2clr_card *card,
                                const s2clr_net *net, const float *params)
{
    const char *output = s2clr_args_text(args, "output");
    if (strcmp(s2clr_args_text(args, "weights"), "bf16") == 0)
        return s2clr_model_save_bf16(output, card, net, params);
    return s2clr_model_save(output, card, net, params);
}

static s2clr_status save(const s2clr_args *args, const char *input, s2clr_card *card)
{
    const char *order = s2clr_args_text(args, "inflate");
    s2clr_net *net;
    float *params = NULL;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    s2clr_status status = new_params(net, &params);
    if (status == S2CLR_OK)
        status = order ? load_inflated(input, card, net, order, params) : load(input, net, params);
    if (status == S2CLR_OK && order) status = note_inflation(card);
    if (status == S2CLR_OK) status = write_model(args, card, net, params);
    s2clr_free(params);
    s2clr_net_free(net);
    return status;
}

static s2clr_status with_card(const s2clr_args *args, const char *input)
{
    s2clr_card *card;
    s2clr_card_facts facts = {.level = "DN"};
    bool measured;
    S2CLR_TRY(choose_channels(args, input, &facts.channels));
    S2CLR_TRY(s2clr_card_build(args, &facts, &card, &measured));
    s2clr_status status = S2CLR_OK;
    if (!measured)
        status = s2clr_error_set(S2CLR_ERR_FORMAT,
                                 "%s: 'mean' and 'std' are missing: without them the network's "
                                 "input cannot be made",
                                 s2clr_args_text(args, "card"));
    if (status == S2CLR_OK) status = save(args, input, card);
    s2clr_card_free(card);
    return status;
}

/* A model file brings its own. */
static s2clr_status without_card(const s2clr_args *args, const char *input)
{
    s2clr_model *model;
    if (!input || s2clr_model_open(input, &model) != S2CLR_OK)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "\"model import\" wants the weights' file and --card JSON, or a "
                               "model file: weights alone do not say what their input is");
    const s2clr_status status = write_model(args, s2clr_model_card(model), s2clr_model_net(model),
                                            s2clr_model_params(model));
    s2clr_model_close(model);
    return status;
}

s2clr_status s2clr_model_import(const s2clr_args *args)
{
    const char *input = s2clr_args_text(args, "file");
    const bool carded = input && s2clr_args_given(args, "card");
    if (input) S2CLR_TRY(s2clr_model_check_output(args, input));
    S2CLR_TRY(carded ? with_card(args, input) : without_card(args, input));
    const char *output = s2clr_args_text(args, "output");
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(json_pack("{s:o, s:o*}", "model", s2clr_json_words(output), "from",
                                         input ? s2clr_json_words(input) : NULL));
    if (!s2clr_args_flag(args, "quiet")) printf("model       %s\n", output);
    return s2clr_edge_flush();
}
