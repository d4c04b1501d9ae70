#include "train/pretrain.h"

#include <math.h>
#include <string.h>

#include "file/model.h"
#include "train/ppretrain.h"

void s2clr_pretrain_defaults(s2clr_pretrain_settings *settings)
{
    *settings = (s2clr_pretrain_settings){
        .common = s2clr_training_defaults(), .temperature = 0.1, .chunk = 64, .probe_k = 20};
    settings->common.rate = 1e-3;
    settings->common.weight_decay = 1e-4;
    settings->common.epochs = 50;
    settings->common.batch = 256;
    if (s2clr_augment_parse("multispectral", &settings->common.augment) != S2CLR_OK)
        s2clr_error_clear();
}

static s2clr_status begin(pretrainer *t, const s2clr_samples *probe, const float *initial)
{
    char *identity;
    s2clr_contrast_options options;
    s2clr_step_options step;
    S2CLR_TRY(s2clr_probe_open(probe, &t->probe));
    S2CLR_TRY(s2clr_pretrainer_check(t));
    S2CLR_TRY(s2clr_run_loop_open(&t->loop, false));
    options = s2clr_pretrainer_options(t);
    step = s2clr_contrast_step(&options);
    S2CLR_TRY(s2clr_contrast_device_needs(&options, &t->on, &t->loop.beside));
    S2CLR_TRY(s2clr_run_loop_learn(&t->loop, &t->on, &step, s2clr_contrast_parts(&options)));
    S2CLR_TRY(s2clr_pretrainer_prepare(t));
    S2CLR_TRY(s2clr_probe_try(t));
    S2CLR_TRY(s2clr_pretrainer_identity(t, initial, &identity));
    return s2clr_run_loop_start(&t->loop, identity, initial);
}

/* The last batch again, now with the final weights, so that a run that was resumed after its last
 * epoch says the same. */
static s2clr_status look_back(pretrainer *t)
{
    s2clr_pretrainer_shuffle(t, t->loop.state.epoch - 1);
    S2CLR_TRY(s2clr_pretrainer_again(t, t->loop.steps - 1));
    S2CLR_TRY(s2clr_pretrainer_look(t));
    return t->probe.from && isnan(t->probe.accuracy) ? s2clr_probe_run(t, 1, 1) : S2CLR_OK;
}

static s2clr_status conclude(pretrainer *t)
{
    S2CLR_TRY(look_back(t));
    S2CLR_TRY(s2clr_pretrainer_describe(t));
    return s2clr_model_save(t->loop.folder.model, t->card, t->net, t->loop.state.params);
}

static s2clr_pretrain_result result_of(const pretrainer *t, double seconds)
{
    s2clr_pretrain_result result = {.epochs_run = (int)t->loop.state.epoch,
                                    .loss = t->loss,
                                    .spread = t->spread,
                                    .alignment = t->alignment,
                                    .uniformity = t->uniformity,
                                    .knn_accuracy = t->probe.accuracy,
                                    .knn_auc = t->probe.auc,
                                    .collapsed = t->collapsed,
                                    .seconds = seconds};
    memcpy(result.model_path, t->loop.folder.model, sizeof result.model_path);
    return result;
}

s2clr_status s2clr_pretrain_run(const s2clr_pretrain_settings *settings, s2clr_card *card,
                                const s2clr_samples *train, const s2clr_samples *probe,
                                const float *initial, const s2clr_machine *on,
                                const s2clr_progress *progress, s2clr_pretrain_result *result)
{
    const double start = s2clr_run_loop_now();
    pretrainer t = {.settings = settings,
                    .card = card,
                    .train = train,
                    .on = *on,
                    .loop = {.training = &settings->common,
                             .progress = progress,
                             .part_option = PRETRAINER_PART,
                             .part_unit = PRETRAINER_UNIT}};
    s2clr_status status = begin(&t, probe, initial);
    while (status == S2CLR_OK && t.loop.state.epoch < (uint64_t)settings->common.epochs)
        status = s2clr_pretrainer_epoch(&t);
    if (status == S2CLR_OK) status = conclude(&t);
    if (status == S2CLR_OK) *result = result_of(&t, s2clr_run_loop_now() - start);
    s2clr_pretrainer_close(&t);
    return status;
}
