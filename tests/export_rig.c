#include "export_rig.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "harness.h"

static double uniform(uint64_t seed, uint64_t at)
{
    return s2clr_random_u32(seed, 31, at) * 0x1p-32;
}

void export_noise(float *values, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) values[i] = (float)(3.4 * (uniform(seed, i) - 0.5));
}

void export_weights(const s2clr_net *net, uint64_t seed, float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    TEST_OK(s2clr_net_init(net, seed, params));
    for (size_t i = 0; i < count; i++) {
        if (list[i].role == S2CLR_PARAM_WEIGHT) continue;
        for (size_t j = 0; j < list[i].count; j++) {
            const double u = uniform(seed + 1, list[i].offset + j);
            const bool factor =
                list[i].role == S2CLR_PARAM_GAMMA || list[i].role == S2CLR_PARAM_RUNNING_VAR;
            params[list[i].offset + j] = (float)(factor ? 0.6 + 0.8 * u : 0.4 * (u - 0.5));
        }
    }
}

static s2clr_status fill_card(s2clr_card *card, const export_model *kind)
{
    static const char *const names[] = {"B02", "B03", "B04", "B08", "B11", "B12"};
    s2clr_card_level *level = &card->level[0];
    card->arch = kind->heads;
    snprintf(card->arch.name, sizeof card->arch.name, "%s", kind->arch);
    card->arch.channels = card->bands = kind->channels;
    card->arch.outputs = kind->outputs;
    card->arch.width = kind->width;
    card->arch.depth = kind->depth;
    card->patch = kind->patch;
    card->stride = 4;
    card->temperature = 1.5;
    card->levels = 1;
    *level = (s2clr_card_level){.name = "L2A", .low = -0.1, .high = 1.2};
    strcpy(card->id, "export-test");
    if (kind->outputs == 1) strcpy(card->positive, "irrigated");
    for (int b = 0; b < kind->channels; b++) {
        strcpy(card->band[b], names[b]);
        card->mean[b] = 0.1f + 0.02f * (float)b;
        card->std[b] = 0.05f + 0.01f * (float)b;
        level->gain[b] = 1e-4 * (b + 1);
        level->bias[b] = 0.01 * b;
    }
    card->classes = kind->outputs > 1 ? kind->outputs : 0;
    for (int k = 0; k < card->classes; k++)
        snprintf(card->class_name[k], sizeof card->class_name[k], "crop %d", k);
    return s2clr_card_set_text(card, S2CLR_CARD_TITLE, "A test of export");
}

static s2clr_status save(const char *path, const s2clr_card *card)
{
    s2clr_net *net;
    float *params = NULL;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    s2clr_status status =
        s2clr_alloc(s2clr_net_param_count(net), sizeof *params, "weights", (void **)&params);
    if (status == S2CLR_OK) {
        export_weights(net, 5, params);
        status = s2clr_model_save(path, card, net, params);
    }
    s2clr_free(params);
    s2clr_net_free(net);
    return status;
}

s2clr_status export_model_make(const char *path, const export_model *kind, s2clr_model **out)
{
    s2clr_card *card;
    S2CLR_TRY(s2clr_card_new(&card));
    s2clr_status status = fill_card(card, kind);
    if (status == S2CLR_OK) status = save(path, card);
    if (status == S2CLR_OK) status = s2clr_model_open(path, out);
    s2clr_card_free(card);
    return status;
}

void export_model_run(const s2clr_model *model, s2clr_output output, int batch, const float *x,
                      float *y)
{
    const s2clr_backend *backend = NULL;
    s2clr_device *device = NULL;
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    const int side = s2clr_model_card(model)->patch;
    TEST_OK(s2clr_backend_find("portable", &backend));
    if (backend) TEST_OK(backend->device_open("cpu", S2CLR_F32, &device));
    if (!device) return;
    TEST_OK(s2clr_plan_new(s2clr_model_net(model), s2clr_model_params(model), backend, device,
                           output, batch, side, side, &plan));
    if (plan) TEST_OK(s2clr_session_new(plan, &session));
    if (session) TEST_OK(s2clr_session_run(session, x, y));
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    backend->device_close(device);
}
