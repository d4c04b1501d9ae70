#include "base/memory.h"
#include "file/card_probability.h"
#include "train/scorer.h"
#include "train/supervised.h"

static s2clr_status check_outputs(const s2clr_net *net, const s2clr_card *card)
{
    const int outputs = s2clr_net_arch(net)->outputs;
    if (outputs == 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "the model \"%s\" has %d outputs; probabilities of two classes need "
                           "exactly 1",
                           card->id, outputs);
}

s2clr_status s2clr_predict_logits(const s2clr_net *net, const float *params, const s2clr_card *card,
                                  const char *level, const s2clr_samples *samples,
                                  const s2clr_backend *backend, s2clr_device *device,
                                  s2clr_pool *pool, const s2clr_progress *progress, float *logits)
{
    const s2clr_scorer_options options = {.net = net,
                                          .params = params,
                                          .card = card,
                                          .level = level,
                                          .samples = samples,
                                          .output = S2CLR_OUTPUT_LOGITS};
    s2clr_scorer *scorer;
    S2CLR_TRY(s2clr_scorer_new(&options, backend, device, pool, &scorer));
    const s2clr_status status = s2clr_scorer_run(scorer, 0, samples->count, progress, logits);
    s2clr_scorer_free(scorer);
    return status;
}

s2clr_status s2clr_predict_classes(const s2clr_net *net, const float *params,
                                   const s2clr_card *card, const char *level,
                                   const s2clr_samples *samples, const s2clr_backend *backend,
                                   s2clr_device *device, s2clr_pool *pool,
                                   const s2clr_progress *progress, double *p)
{
    const size_t k = (size_t)s2clr_net_arch(net)->outputs;
    size_t total;
    float *logits;
    S2CLR_TRY(s2clr_size_mul(samples->count, k, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *logits, "logits", (void **)&logits));
    const s2clr_status status = s2clr_predict_logits(net, params, card, level, samples, backend,
                                                     device, pool, progress, logits);
    for (size_t i = 0; status == S2CLR_OK && i < samples->count; i++)
        s2clr_card_probabilities(card, logits + i * k, k, p + i * k);
    s2clr_free(logits);
    return status;
}

s2clr_status s2clr_predict_samples(const s2clr_net *net, const float *params,
                                   const s2clr_card *card, const char *level,
                                   const s2clr_samples *samples, const s2clr_backend *backend,
                                   s2clr_device *device, s2clr_pool *pool,
                                   const s2clr_progress *progress, double *p)
{
    S2CLR_TRY(check_outputs(net, card));
    return s2clr_predict_classes(net, params, card, level, samples, backend, device, pool, progress,
                                 p);
}
