#include "file/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bf16.h"
#include "base/memory.h"
#include "file/psafetensors.h"

static const char card_key[] = "s2clr.card";
static const char ignored_suffix[] = ".num_batches_tracked"; /* a counter that PyTorch stores */

struct s2clr_model {
    s2clr_card *card;
    s2clr_net *net;
    float *params; // (param_count)
    char *path;
    char sha256[65];
};

static bool same_shape(const s2clr_tensor *tensor, const s2clr_param *param)
{
    if (tensor->rank != param->rank) return false;
    for (int i = 0; i < param->rank; i++)
        if (tensor->dims[i] != param->dims[i]) return false;
    return true;
}

static s2clr_status check_tensor(const char *path, const s2clr_net *net, const s2clr_param *param,
                                 const s2clr_tensor *tensor)
{
    const s2clr_arch *arch = s2clr_net_arch(net);
    char found[S2CLR_DIMS_ROOM], wanted[S2CLR_DIMS_ROOM];
    int64_t dims[4] = {0};
    for (int i = 0; i < param->rank; i++) dims[i] = param->dims[i];
    s2clr_dims_shown(dims, param->rank, wanted);
    if (!tensor)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: tensor '%s' %s is missing: the file does not hold the weights "
                               "of %s with %d channels",
                               path, param->name, wanted, arch->name, arch->channels);
    if (!same_shape(tensor, param))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: tensor '%s' has shape %s, %s with %d channels and %d outputs "
                               "wants %s",
                               path, param->name,
                               s2clr_dims_shown(tensor->dims, tensor->rank, found), arch->name,
                               arch->channels, arch->outputs, wanted);
    return S2CLR_OK;
}

static bool is_ignored(const char *name)
{
    const size_t length = strlen(name), suffix = sizeof ignored_suffix - 1;
    return length >= suffix && strcmp(name + length - suffix, ignored_suffix) == 0;
}

/* A network of the card's name but another depth would leave tensors over: they are a mismatch. */
static s2clr_status check_left_over(const s2clr_tensors *file, const char *path,
                                    const s2clr_net *net)
{
    const s2clr_tensor *tensors;
    const size_t count = s2clr_tensors_list(file, &tensors);
    for (size_t i = 0; i < count; i++) {
        char shown[S2CLR_SHOWN_ROOM];
        const char *name = tensors[i].name;
        if (is_ignored(name) || s2clr_net_param_named(net, name)) continue;
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: tensor '%s' is no part of %s as the card describes it: card "
                               "and weights do not belong together",
                               path, s2clr_shown(name, shown), s2clr_net_arch(net)->name);
    }
    return S2CLR_OK;
}

static s2clr_status check_values(const char *path, const s2clr_net *net, const float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++) {
        const float *values = params + list[i].offset;
        const bool variance = list[i].role == S2CLR_PARAM_RUNNING_VAR;
        for (size_t j = 0; j < list[i].count; j++) {
            if (isfinite(values[j]) && !(variance && values[j] < 0)) continue;
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: tensor '%s' holds %g at element %zu, wanted %s: the "
                                   "weights are damaged or training diverged",
                                   path, list[i].name, (double)values[j], j,
                                   variance ? "finite variances >= 0" : "finite numbers only");
        }
    }
    return S2CLR_OK;
}

static s2clr_status copy_params(const s2clr_tensors *file, const char *path, const s2clr_net *net,
                                float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++)
        S2CLR_TRY(s2clr_tensor_floats(s2clr_tensors_find(file, list[i].name), path,
                                      params + list[i].offset));
    return check_values(path, net, params);
}

/* Allocates only after the file has proved to hold that much. */
static s2clr_status read_params(const s2clr_tensors *file, const char *path, const s2clr_net *net,
                                float **out)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    for (size_t i = 0; i < count; i++)
        S2CLR_TRY(check_tensor(path, net, &list[i], s2clr_tensors_find(file, list[i].name)));
    float *params;
    S2CLR_TRY(s2clr_alloc(s2clr_net_param_count(net), sizeof *params, path, (void **)&params));
    const s2clr_status status = copy_params(file, path, net, params);
    if (status != S2CLR_OK) {
        s2clr_free(params);
        return status;
    }
    *out = params;
    return S2CLR_OK;
}

static s2clr_status make_net(const s2clr_card *card, const char *path, s2clr_net **out)
{
    const s2clr_status status = s2clr_net_new(&card->arch, out);
    if (status == S2CLR_OK) return status;
    return s2clr_error_set(status, "%s: card: %s", path, s2clr_error_text());
}

static s2clr_status read_model(const s2clr_tensors *file, const char *path, s2clr_model *model)
{
    const char *json = s2clr_tensors_metadata(file, card_key);
    if (!json)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: these are weights without a card (no metadata '%s'): not a "
                               "model file of s2clr, see s2clr-model(5)",
                               path, card_key);
    S2CLR_TRY(s2clr_strdup(path, &model->path));
    S2CLR_TRY(s2clr_card_parse(json, path, &model->card));
    S2CLR_TRY(make_net(model->card, path, &model->net));
    S2CLR_TRY(read_params(file, path, model->net, &model->params));
    S2CLR_TRY(check_left_over(file, path, model->net));
    s2clr_tensors_sha256(file, model->sha256);
    return S2CLR_OK;
}

s2clr_status s2clr_model_open(const char *path, s2clr_model **out)
{
    s2clr_tensors *file;
    S2CLR_TRY(s2clr_tensors_open(path, &file));
    s2clr_model *model = NULL;
    s2clr_status status = s2clr_alloc(1, sizeof *model, path, (void **)&model);
    if (status == S2CLR_OK) status = read_model(file, path, model);
    s2clr_tensors_close(file);
    if (status != S2CLR_OK) {
        s2clr_model_close(model);
        return status;
    }
    *out = model;
    return S2CLR_OK;
}

void s2clr_model_close(s2clr_model *model)
{
    if (!model) return;
    s2clr_free(model->params);
    s2clr_net_free(model->net);
    s2clr_card_free(model->card);
    s2clr_free(model->path);
    s2clr_free(model);
}

const s2clr_card *s2clr_model_card(const s2clr_model *model)
{
    return model->card;
}

const s2clr_net *s2clr_model_net(const s2clr_model *model)
{
    return model->net;
}

const float *s2clr_model_params(const s2clr_model *model)
{
    return model->params;
}

const char *s2clr_model_path(const s2clr_model *model)
{
    return model->path;
}

const char *s2clr_model_sha256(const s2clr_model *model)
{
    return model->sha256;
}

s2clr_status s2clr_model_load_weights(const char *path, const s2clr_net *net, float *params)
{
    s2clr_tensors *file;
    S2CLR_TRY(s2clr_tensors_open(path, &file));
    float *read = NULL;
    const s2clr_status status = read_params(file, path, net, &read);
    s2clr_tensors_close(file);
    if (status != S2CLR_OK) return status;
    memcpy(params, read, s2clr_net_param_count(net) * sizeof *params);
    s2clr_free(read);
    return S2CLR_OK;
}

s2clr_status s2clr_model_check_binary(const s2clr_model *model)
{
    const s2clr_card *card = model->card;
    if (card->arch.outputs == 1) return S2CLR_OK;
    if (card->arch.outputs == 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: an encoder, which gives features and no probability: finetune "
                               "it on labelled patches first (s2clr finetune), or take its "
                               "features (s2clr embed)",
                               model->path);
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: tells %d classes apart; wanted: a model with 1 output, the "
                           "probability of one class (s2clr finetune makes one, s2clr embed takes "
                           "this model's features)",
                           model->path, card->arch.outputs);
}

s2clr_status s2clr_model_check_prevalence(const s2clr_model *model)
{
    const double trained = model->card->prevalence;
    if (trained > 0 && trained < 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: the card says a training prevalence of %g, from which no other "
                           "one can be reached: leave the prevalence away",
                           model->path, trained);
}

/* ---- writing ---- */

static bool same_layers(int count, const int *layer, int other_count, const int *other)
{
    for (int i = 0; i < count && i < other_count; i++)
        if (layer[i] != other[i]) return false;
    return count == other_count;
}

static bool same_heads(const s2clr_arch *a, const s2clr_arch *b)
{
    return a->tap == b->tap &&
           same_layers(a->projections, a->projection, b->projections, b->projection) &&
           same_layers(a->hiddens, a->hidden, b->hiddens, b->hidden);
}

/* Zero fields of the card's architecture stand for defaults, which the network has filled in. */
static s2clr_status check_arch(const char *path, const s2clr_arch *card, const s2clr_arch *net)
{
    if (!same_heads(card, net))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: the card's projection, tap or hidden layers are not those of "
                               "the network",
                               path);
    if (strcmp(card->name, net->name) == 0 && card->channels == net->channels &&
        card->outputs == net->outputs && (card->width == 0 || card->width == net->width) &&
        (card->depth == 0 || card->depth == net->depth))
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: the card says %s (channels %d, outputs %d, width %d, depth %d), "
                           "the network is %s (%d, %d, %d, %d)",
                           path, card->name, card->channels, card->outputs, card->width,
                           card->depth, net->name, net->channels, net->outputs, net->width,
                           net->depth);
}

static s2clr_tensor describe_param(const s2clr_param *param, const float *params)
{
    s2clr_tensor tensor = {.name = param->name,
                           .dtype = S2CLR_DTYPE_F32,
                           .rank = param->rank,
                           .count = param->count,
                           .bytes = param->count * sizeof *params,
                           .data = params + param->offset};
    for (int i = 0; i < param->rank; i++) tensor.dims[i] = param->dims[i];
    return tensor;
}

/* Numbers of single channels (biases, what batch norm knows) are few and stay as they are. */
static void halve(s2clr_tensor *tensor, uint16_t *room)
{
    if (tensor->rank < 2) return;
    const float *values = tensor->data;
    for (size_t i = 0; i < tensor->count; i++) room[i] = s2clr_bf16_narrow(values[i]);
    tensor->dtype = S2CLR_DTYPE_BF16;
    tensor->bytes = tensor->count * sizeof *room;
    tensor->data = room;
}

/* "format": "pt" is what PyTorch's tools look for. halves: (param_count), or NULL for float32. */
static s2clr_status write_model(const char *path, const char *json, const s2clr_net *net,
                                const float *params, uint16_t *halves)
{
    const s2clr_metadata metadata[] = {{"format", "pt"}, {card_key, json}};
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    s2clr_tensor *tensors;
    S2CLR_TRY(s2clr_alloc(count, sizeof *tensors, path, (void **)&tensors));
    for (size_t i = 0; i < count; i++) {
        tensors[i] = describe_param(&list[i], params);
        if (halves) halve(&tensors[i], halves + list[i].offset);
    }
    const s2clr_status status =
        s2clr_tensors_write(path, tensors, count, metadata, sizeof metadata / sizeof *metadata);
    s2clr_free(tensors);
    return status;
}

static s2clr_status save(const char *path, const s2clr_card *card, const s2clr_net *net,
                         const float *params, uint16_t *halves)
{
    S2CLR_TRY(s2clr_card_check(card, path));
    S2CLR_TRY(check_arch(path, &card->arch, s2clr_net_arch(net)));
    S2CLR_TRY(check_values(path, net, params));
    s2clr_card *complete;
    S2CLR_TRY(s2clr_card_copy(card, &complete));
    complete->arch = *s2clr_net_arch(net);
    char *json = NULL;
    s2clr_status status = s2clr_card_format(complete, &json);
    if (status == S2CLR_OK) status = write_model(path, json, net, params, halves);
    s2clr_free(json);
    s2clr_card_free(complete);
    return status;
}

s2clr_status s2clr_model_save(const char *path, const s2clr_card *card, const s2clr_net *net,
                              const float *params)
{
    return save(path, card, net, params, NULL);
}

s2clr_status s2clr_model_save_bf16(const char *path, const s2clr_card *card, const s2clr_net *net,
                                   const float *params)
{
    uint16_t *halves;
    S2CLR_TRY(s2clr_alloc(s2clr_net_param_count(net), sizeof *halves, path, (void **)&halves));
    const s2clr_status status = save(path, card, net, params, halves);
    s2clr_free(halves);
    return status;
}
