#include <math.h>

#include "base/memory.h"
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

static s2clr_status score(const s2clr_scorer_options *options, const s2clr_backend *backend,
                          s2clr_device *device, s2clr_pool *pool, const s2clr_progress *progress,
                          float *logits)
{
    s2clr_scorer *scorer;
    S2CLR_TRY(s2clr_scorer_new(options, backend, device, pool, &scorer));
    const s2clr_status status =
        s2clr_scorer_run(scorer, 0, options->samples->count, progress, logits);
    s2clr_scorer_free(scorer);
    return status;
}

static void sigmoids(const float *logits, size_t count, double temperature, double *p)
{
    for (size_t i = 0; i < count; i++) p[i] = 1 / (1 + exp(-(double)logits[i] / temperature));
}

static void softmaxes(const float *logits, size_t count, size_t k, double temperature, double *p)
{
    for (size_t i = 0; i < count; i++, logits += k, p += k) {
        double largest = (double)logits[0], sum = 0;
        for (size_t j = 1; j < k; j++) largest = fmax(largest, (double)logits[j]);
        for (size_t j = 0; j < k; j++)
            sum += p[j] = exp(((double)logits[j] - largest) / temperature);
        for (size_t j = 0; j < k; j++) p[j] /= sum;
    }
}

s2clr_status s2clr_predict_classes(const s2clr_net *net, const float *params,
                                   const s2clr_card *card, const char *level,
                                   const s2clr_samples *samples, const s2clr_backend *backend,
                                   s2clr_device *device, s2clr_pool *pool,
                                   const s2clr_progress *progress, double *p)
{
    const s2clr_scorer_options options = {.net = net,
                                          .params = params,
                                          .card = card,
                                          .level = level,
                                          .samples = samples,
                                          .output = S2CLR_OUTPUT_LOGITS};
    const size_t k = (size_t)s2clr_net_arch(net)->outputs;
    size_t total;
    float *logits;
    S2CLR_TRY(s2clr_size_mul(samples->count, k, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *logits, "logits", (void **)&logits));
    const s2clr_status status = score(&options, backend, device, pool, progress, logits);
    if (status == S2CLR_OK && k == 1) sigmoids(logits, samples->count, card->temperature, p);
    if (status == S2CLR_OK && k > 1) softmaxes(logits, samples->count, k, card->temperature, p);
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
