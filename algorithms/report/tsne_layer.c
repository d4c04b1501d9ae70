#include "report/tsne_layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "train/scorer.h"

void s2clr_tsne_rows_free(s2clr_tsne_rows *rows)
{
    s2clr_free(rows->x);
    *rows = (s2clr_tsne_rows){0};
}

/* ---- which layer ---- */

/* The number behind "projection.", the last for "projection", -1 for "features"; -2: another
 * name. */
static int layer_number(const char *layer, int layers)
{
    static const char stem[] = "projection";
    const size_t length = sizeof stem - 1;
    if (strcmp(layer, "features") == 0) return -1;
    if (strncmp(layer, stem, length) != 0) return -2;
    if (!layer[length]) return layers - 1;
    const char *digits = layer + length + 1;
    const size_t count = strspn(digits, "0123456789");
    if (layer[length] != '.' || count < 1 || count > 3 || digits[count]) return -2;
    return atoi(digits);
}

static s2clr_status find_layer(const s2clr_model *model, const char *layer, int *number)
{
    const int layers = s2clr_model_card(model)->arch.projections;
    char there[80] = "";
    *number = layer_number(layer, layers);
    if (*number == -1 || (*number >= 0 && *number < layers)) return S2CLR_OK;
    if (layers > 0) snprintf(there, sizeof there, " or projection.0 to projection.%d", layers - 1);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--layer %.60s: %s has no such layer; wanted: features%s", layer,
                           s2clr_model_path(model), there);
}

/* ---- running it ---- */

/* The network up to the end of projection layer `number`, the weights taken over by name. */
static s2clr_status cut_network(const s2clr_model *model, int number, s2clr_net **net,
                                float **params)
{
    s2clr_arch arch = *s2clr_net_arch(s2clr_model_net(model));
    const s2clr_param *list;
    arch.outputs = arch.tap = arch.hiddens = 0;
    arch.projections = number + 1;
    S2CLR_TRY(s2clr_net_new(&arch, net));
    S2CLR_TRY(
        s2clr_alloc(s2clr_net_param_count(*net), sizeof **params, "weights", (void **)params));
    const size_t count = s2clr_net_param_list(*net, &list);
    for (size_t i = 0; i < count; i++) {
        const s2clr_param *from = s2clr_net_param_named(s2clr_model_net(model), list[i].name);
        if (!from || from->count != list[i].count)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: the layer's network needs %s of %zu "
                                   "numbers, which the model does not have",
                                   s2clr_model_path(model), list[i].name, list[i].count);
        memcpy(*params + list[i].offset, s2clr_model_params(model) + from->offset,
               from->count * sizeof **params);
    }
    return S2CLR_OK;
}

/* ReLU: what the next layer sees. */
static void take_over(const float *y, bool relu, s2clr_tsne_rows *rows)
{
    for (size_t i = 0; i < rows->count * rows->width; i++)
        rows->x[i] = relu && y[i] < 0 ? 0 : (double)y[i];
}

static s2clr_status run_scorer(s2clr_scorer *scorer, size_t count, bool relu,
                               const s2clr_progress *progress, s2clr_tsne_rows *out)
{
    s2clr_tsne_rows rows = {.count = count, .width = s2clr_scorer_width(scorer)};
    float *y;
    size_t total;
    S2CLR_TRY(s2clr_size_mul(count, rows.width, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *y, "embeddings", (void **)&y));
    s2clr_status status = s2clr_alloc(total, sizeof *rows.x, "embeddings", (void **)&rows.x);
    if (status == S2CLR_OK) status = s2clr_scorer_run(scorer, 0, count, progress, y);
    if (status == S2CLR_OK) {
        take_over(y, relu, &rows);
        *out = rows;
    } else {
        s2clr_tsne_rows_free(&rows);
    }
    s2clr_free(y);
    return status;
}

static s2clr_status run_network(const s2clr_tsne_source *source, const s2clr_net *net,
                                const float *params, int number, s2clr_pool *pool,
                                const s2clr_progress *progress, s2clr_tsne_rows *out)
{
    const s2clr_card *card = s2clr_model_card(source->model);
    const s2clr_scorer_options options = {.net = net,
                                          .params = params,
                                          .card = card,
                                          .level = source->level,
                                          .samples = source->samples,
                                          .output = number < 0 ? S2CLR_OUTPUT_FEATURES
                                                               : S2CLR_OUTPUT_PROJECTION};
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_scorer *scorer;
    S2CLR_TRY(s2clr_device_select(source->device, S2CLR_F32, &backend, &device));
    s2clr_status status = s2clr_scorer_new(&options, backend, device, pool, &scorer);
    if (status == S2CLR_OK) {
        status = run_scorer(scorer, source->samples->count,
                            number >= 0 && number + 1 < card->arch.projections, progress, out);
        s2clr_scorer_free(scorer);
    }
    backend->device_close(device);
    return status;
}

s2clr_status s2clr_tsne_layer_run(const s2clr_tsne_source *source, const char *layer,
                                  s2clr_pool *pool, const s2clr_progress *progress,
                                  s2clr_tsne_rows *out)
{
    s2clr_net *net = NULL;
    float *params = NULL;
    int number;
    S2CLR_TRY(find_layer(source->model, layer, &number));
    if (number < 0)
        return run_network(source, s2clr_model_net(source->model),
                           s2clr_model_params(source->model), number, pool, progress, out);
    s2clr_status status = cut_network(source->model, number, &net, &params);
    if (status == S2CLR_OK) status = run_network(source, net, params, number, pool, progress, out);
    s2clr_free(params);
    s2clr_net_free(net);
    return status;
}
