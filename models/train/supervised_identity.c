#include "train/ptrainer.h"
#include "train/run_identity.h"

static json_t *weights_value(const s2clr_supervised_settings *s, int labels)
{
    if (!s->class_weight) return json_null();
    json_t *list = json_array();
    for (int c = 0; c < labels; c++) json_array_append_new(list, json_real(s->class_weight[c]));
    return list;
}

/* The threshold of decisions, where any are asked for; one half is what runs always had that do not
 * say it. */
static int add_least(json_t *root, const trainer *t)
{
    if (!t->decided || t->k > 1 || t->settings->distill_least == 0) return 0;
    return json_object_set_new(root, "teacher's least logit",
                               json_real(t->settings->distill_least));
}

static int add_distillation(json_t *root, const trainer *t, size_t count)
{
    const s2clr_supervised_settings *s = t->settings;
    int failed = s2clr_run_identity_add_floats(root, "teacher's logits", s->soft, count);
    if (!s->soft) return failed;
    failed |= json_object_set_new(root, "teacher's share", json_real(s->distill_share));
    failed |= json_object_set_new(root, "teacher", json_string(s->distill_hard ? "hard" : "soft"));
    failed |= add_least(root, t);
    if (!s->distill_hard)
        failed |= json_object_set_new(root, "temperature", json_real(s->distill_temperature));
    return failed;
}

s2clr_status s2clr_trainer_identity(const trainer *t, char **out)
{
    const s2clr_supervised_settings *s = t->settings;
    const int outputs = s2clr_net_arch(t->net)->outputs;
    int failed;
    json_t *root = s2clr_run_identity_new(&s->common, t->card, t->level, t->net, &failed);
    failed |= s2clr_run_identity_add_machine(root, &t->on);
    failed |= s2clr_run_identity_add_learner(root, t->loop.learner);
    failed |= json_object_set_new(root, "balance", json_real(s->balance));
    failed |= json_object_set_new(root, "label smoothing", json_real(s->label_smoothing));
    failed |= json_object_set_new(root, "patience", json_integer(s->patience));
    failed |=
        json_object_set_new(root, "class weights", weights_value(s, outputs == 1 ? 2 : outputs));
    failed |= json_object_set_new(root, "frozen nodes", json_integer((json_int_t)s->frozen));
    failed |= json_object_set_new(root, "decay per group", json_real(s->group_decay));
    failed |= s2clr_run_identity_add_floats(root, "first weights", s->initial,
                                            s2clr_net_param_count(t->net));
    failed |= add_distillation(root, t, t->train->count * (size_t)outputs);
    failed |= s2clr_run_identity_add_samples(root, "training samples", t->train);
    failed |= s2clr_run_identity_add_samples(root, "validation samples", t->val);
    return s2clr_run_identity_text(root, failed, out);
}
