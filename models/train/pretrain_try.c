#include "base/memory.h"
#include "train/ppretrain.h"

/* Weights with running statistics, their gradient and the optimiser's moments. */
static s2clr_status weight_bytes(const pretrainer *t, size_t *out)
{
    const s2clr_optimiser *optimiser;
    size_t moments;
    S2CLR_TRY(s2clr_optimiser_find(t->settings->common.optimiser, &optimiser));
    S2CLR_TRY(s2clr_size_mul(s2clr_net_trainable_count(t->net), 1 + (size_t)optimiser->moments,
                             &moments));
    S2CLR_TRY(s2clr_size_add(moments, s2clr_net_param_count(t->net), out));
    return s2clr_size_mul(*out, sizeof(float), out);
}

static s2clr_status measure(pretrainer *t, s2clr_pretrain_cost *cost)
{
    const s2clr_contrast_options options = s2clr_pretrainer_options(t);
    size_t weights;
    cost->steps = t->loop.steps;
    S2CLR_TRY(weight_bytes(t, &weights));
    S2CLR_TRY(
        s2clr_contrast_needs(&options, t->on.backend, t->on.device, t->on.pool, &cost->bytes));
    return s2clr_size_add(cost->bytes, weights, &cost->bytes);
}

static s2clr_status time_step(pretrainer *t, float *params, float *gradient, double *seconds)
{
    S2CLR_TRY(s2clr_net_init(t->net, t->settings->common.seed, params));
    s2clr_pretrainer_shuffle(t, 0);
    const double start = s2clr_run_loop_now();
    S2CLR_TRY(s2clr_pretrainer_gradient(t, 0, params, gradient));
    S2CLR_TRY(s2clr_pretrainer_look(t));
    *seconds = s2clr_run_loop_now() - start;
    return S2CLR_OK;
}

static s2clr_status try_step(pretrainer *t, s2clr_pretrain_cost *cost)
{
    float *params, *gradient;
    S2CLR_TRY(s2clr_pretrainer_prepare(t));
    S2CLR_TRY(
        s2clr_alloc(s2clr_net_param_count(t->net), sizeof *params, "weights", (void **)&params));
    s2clr_status status = s2clr_alloc(s2clr_net_trainable_count(t->net), sizeof *gradient,
                                      "gradient", (void **)&gradient);
    if (status == S2CLR_OK) {
        status = time_step(t, params, gradient, &cost->seconds);
        s2clr_free(gradient);
    }
    s2clr_free(params);
    return status;
}

s2clr_status s2clr_pretrain_try(const s2clr_pretrain_settings *settings, s2clr_card *card,
                                const s2clr_samples *train, const s2clr_machine *on,
                                s2clr_pretrain_cost *out)
{
    s2clr_pretrain_cost cost = {0};
    pretrainer t = {.settings = settings, .card = card, .train = train, .on = *on};
    s2clr_status status = s2clr_probe_open(NULL, &t.probe);
    if (status == S2CLR_OK) status = s2clr_pretrainer_check(&t);
    if (status == S2CLR_OK) status = measure(&t, &cost);
    const size_t free_bytes = s2clr_memory_available();
    if (status == S2CLR_OK && (free_bytes == 0 || cost.bytes < free_bytes))
        status = try_step(&t, &cost);
    s2clr_pretrainer_close(&t);
    if (status == S2CLR_OK) *out = cost;
    return status;
}
