#include "train/ppretrain.h"
#include "train/run_identity.h"

/* Labels and the probe are not part of it: the weights do not depend on them. */
s2clr_status s2clr_pretrainer_identity(const pretrainer *t, const float *initial, char **out)
{
    const s2clr_pretrain_settings *s = t->settings;
    s2clr_samples unlabelled = *t->train;
    int failed;
    unlabelled.labels = NULL;
    json_t *root = s2clr_run_identity_new(&s->common, t->card, t->level, t->net, &failed);
    failed |= s2clr_run_identity_add_machine(root, &t->on);
    failed |= s2clr_run_identity_add_learner(root, t->loop.learner);
    failed |= json_object_set_new(root, "temperature", json_real(s->temperature));
    failed |= json_object_set_new(root, "chunk", json_integer(s->chunk));
    failed |= json_object_set_new(root, "share of second dates", json_real(s->natural));
    failed |= s2clr_run_identity_add_samples(root, "training samples", &unlabelled);
    /* Only hashed, so it does not matter that these are integers. */
    failed |= s2clr_run_identity_add_floats(root, "second dates", (const float *)s->partner,
                                            t->train->count);
    failed |= s2clr_run_identity_add_floats(root, "initial weights", initial,
                                            s2clr_net_param_count(t->net));
    return s2clr_run_identity_text(root, failed, out);
}
