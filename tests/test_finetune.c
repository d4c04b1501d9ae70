/* Supervised runs that start from weights, hold layers still, weigh classes, or have many. */
#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/finetune.h"
#include "train_rig.h"

enum { WIDTH = 4 };

/* The network of every run here, and weights to start from. */
static s2clr_net *net_of(int classes)
{
    s2clr_card *card = textures_card("resnet18", WIDTH, 16, classes);
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&card->arch, &net));
    s2clr_card_free(card);
    return net;
}

static train_run new_run(const char *folder, int threads)
{
    train_run r = train_run_new(folder, threads);
    r.width = WIDTH;
    return r;
}

static float *weights_of(const s2clr_net *net, uint64_t seed)
{
    float *w = malloc(s2clr_net_param_count(net) * sizeof *w);
    TEST_OK(s2clr_net_init(net, seed, w));
    return w;
}

static void give_statistics(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    (void)train, (void)val;
    for (int b = 0; b < card->bands; b++) card->mean[b] = 120, card->std[b] = 45;
}

static s2clr_status read_flat(void *self, size_t index, float *dn)
{
    const textures *set = self;
    (void)index;
    for (int i = 0; i < RECIPE_BANDS * set->size * set->size; i++) dn[i] = 120;
    return S2CLR_OK;
}

static void see_nothing(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    give_statistics(card, train, val);
    train->read = val->read = read_flat;
}

static size_t node_of(const s2clr_net *net, const char *group)
{
    const s2clr_net_group *list;
    const size_t count = s2clr_net_depth_list(net, &list);
    for (size_t g = 0; g < count; g++)
        if (strcmp(list[g].name, group) == 0) return list[g].first_node;
    CU_FAIL_FATAL("no such group");
    return 0;
}

static train_run tuned(const char *folder, int threads, const float *initial, size_t frozen)
{
    train_run r = new_run(folder, threads);
    r.settings.common.epochs = 2;
    r.settings.initial = initial;
    r.settings.frozen = frozen;
    r.settings.group_decay = 0.5;
    r.change = give_statistics;
    return r;
}

static void frozen_layers_stay(void)
{
    static const char *const optimisers[] = {"adamw", "lars"};
    s2clr_net *net = net_of(2);
    float *initial = weights_of(net, 3);
    const size_t count = s2clr_net_param_count(net), frozen = node_of(net, "layer4");
    float *after = malloc(count * sizeof *after);
    const s2clr_param *list;
    const size_t listed = s2clr_net_param_list(net, &list);
    for (int o = 0; o < 2; o++) {
        train_run r = tuned(optimisers[o], 2, initial, frozen);
        r.settings.common.optimiser = optimisers[o];
        TEST_OK(train_run_start(&r));
        train_run_floats(&r, "params", count, after);
        for (size_t i = 0; i < listed; i++) {
            const bool same = memcmp(after + list[i].offset, initial + list[i].offset,
                                     list[i].count * sizeof *after) == 0;
            CU_ASSERT_EQUAL(same, (size_t)list[i].node < frozen); /* statistics as well */
        }
    }
    free(after), free(initial);
    s2clr_net_free(net);
}

/* One step of plain descent: every group's step is half of the next one's. */
static void groups_have_their_rates(void)
{
    s2clr_net *net = net_of(2);
    float *initial = weights_of(net, 3);
    const size_t count = s2clr_net_param_count(net), trained = s2clr_net_trainable_count(net);
    float *after[2] = {malloc(count * sizeof(float)), malloc(count * sizeof(float))};
    for (int i = 0; i < 2; i++) {
        train_run r = tuned(i ? "groups" : "one-rate", 1, initial, 0);
        r.settings.common.optimiser = "sgd";
        r.settings.common.epochs = 1;
        r.settings.common.batch = 64;
        r.settings.common.warmup = 1;
        r.settings.common.weight_decay = 0;
        r.settings.common.rate = 0.5;
        r.settings.group_decay = i ? 0.5 : 1;
        TEST_OK(train_run_start(&r));
        train_run_floats(&r, "params", count, after[i]);
    }
    const s2clr_net_group *group;
    const s2clr_param *list;
    const size_t groups = s2clr_net_depth_list(net, &group);
    s2clr_net_param_list(net, &list);
    CU_ASSERT_EQUAL(groups, 6);
    for (size_t i = 0; list[i].offset < trained; i++) {
        size_t g = 0;
        while (g + 1 < groups && group[g + 1].first_node <= (size_t)list[i].node) g++;
        const double factor = ldexp(1, (int)g - 5);
        double whole = 0, miss = 0;
        for (size_t j = list[i].offset; j < list[i].offset + list[i].count; j++) {
            const double w = (double)initial[j];
            const double step = (double)after[0][j] - w, slow = (double)after[1][j] - w;
            whole += step * step;
            miss += pow(slow - factor * step, 2);
        }
        CU_ASSERT_TRUE(whole > 0 && miss < 1e-6 * factor * factor * whole + 1e-14);
    }
    free(after[0]), free(after[1]), free(initial);
    s2clr_net_free(net);
}

static void killed_and_resumed(void)
{
    s2clr_net *net = net_of(2);
    float *initial = weights_of(net, 3), *other = weights_of(net, 4);
    const size_t frozen = node_of(net, "layer3");
    train_run whole = tuned("whole", 2, initial, frozen);
    train_run one = tuned("one-thread", 1, initial, frozen);
    train_run cut = tuned("cut", 2, initial, frozen);
    TEST_OK(train_run_start(&whole));
    TEST_OK(train_run_start(&one));
    train_run_same(&whole, &one);
    cut.stop_report = 3; /* in the first epoch: nothing is kept */
    CU_ASSERT_EQUAL(train_run_start(&cut), S2CLR_ERR_CANCELLED);
    cut.settings.common.resume = 1;
    cut.stop_report = 0, cut.stop_epoch = 2;
    CU_ASSERT_EQUAL(train_run_start(&cut), S2CLR_ERR_CANCELLED);
    CU_ASSERT_EQUAL(train_run_lines(&cut), 1);
    cut.settings.initial = other;
    CU_ASSERT_EQUAL(train_run_start(&cut), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("first weights");
    cut.settings.initial = initial;
    cut.settings.frozen = 0;
    CU_ASSERT_EQUAL(train_run_start(&cut), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("frozen nodes");
    cut.settings.frozen = frozen;
    cut.stop_epoch = 0;
    TEST_OK(train_run_start(&cut));
    train_run_same(&whole, &cut);
    free(initial), free(other);
    s2clr_net_free(net);
}

/* Doubling every weight and halving the rate of plain descent is exact in binary. */
static void class_weights_scale_the_loss(void)
{
    static const double twice[] = {2, 2};
    s2clr_net *net = net_of(2);
    const size_t count = s2clr_net_param_count(net);
    float *after[2] = {malloc(count * sizeof(float)), malloc(count * sizeof(float))};
    for (int i = 0; i < 2; i++) {
        train_run r = new_run(i ? "weighted" : "unweighted", 1);
        r.settings.common.optimiser = "sgd";
        r.settings.common.weight_decay = 0;
        r.settings.common.epochs = 1;
        r.settings.common.rate = i ? 0.03125 : 0.0625;
        r.settings.class_weight = i ? twice : NULL;
        TEST_OK(train_run_start(&r));
        train_run_floats(&r, "params", count, after[i]);
    }
    CU_ASSERT_EQUAL(memcmp(after[0], after[1], count * sizeof(float)), 0);
    free(after[0]), free(after[1]);
    s2clr_net_free(net);
}

/* What the model of a run says in its card, and what its last weights, for no epoch is better than
 * another, say of patches that are all alike. */
static void said_by(const train_run *r, double *prevalence, double *p)
{
    static textures set;
    s2clr_samples flat = textures_make(&set, 2, 2, r->size, 2);
    const s2clr_machine m = recipe_rig_machine(NULL, S2CLR_F32, 1);
    s2clr_model *model = NULL;
    double each[2];
    TEST_OK(s2clr_model_open(r->result.model_path, &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    flat.read = read_flat;
    const size_t count = s2clr_net_param_count(s2clr_model_net(model));
    float *last = malloc(count * sizeof *last);
    train_run_floats(r, "params", count, last);
    TEST_OK(s2clr_predict_samples(s2clr_model_net(model), last, s2clr_model_card(model), "NOISE",
                                  &flat, m.backend, m.device, m.pool, NULL, each));
    free(last);
    *prevalence = s2clr_model_card(model)->prevalence;
    *p = each[0];
    s2clr_model_close(model);
    recipe_rig_release(&m);
}

/* A network that sees nothing learns how frequent positives are, as the loss sees them; that is
 * what the card has to say. 22 of the 64 are positive, or 27 of 64 slots at a balance of a half. */
static void class_weights_move_the_prevalence(void)
{
    static const double weights[] = {1, 3};
    for (int i = 0; i < 4; i++) {
        const double positives = i & 1 ? 27 : 22, factor = i & 2 ? 3 : 1;
        const double want = factor * positives / (factor * positives + 64 - positives);
        char folder[32];
        double prevalence, p;
        snprintf(folder, sizeof folder, "prior-%d", i);
        train_run r = new_run(folder, 2);
        r.arch = "pixel";
        r.settings.balance = i & 1 ? 0.5 : 0;
        r.settings.class_weight = i & 2 ? weights : NULL;
        r.settings.patience = 0;
        r.settings.common.epochs = 30;
        r.settings.common.rate = 0.05;
        r.settings.common.augment.flags = 0;
        r.change = see_nothing;
        TEST_OK(train_run_start(&r));
        said_by(&r, &prevalence, &p);
        TEST_NEAR(prevalence, want, 1e-12);
        TEST_NEAR(p, want, 0.02);
    }
}

/* An entry of "val" in the last line of the log. */
static double logged(const train_run *r, const char *metric)
{
    char line[2000], last[2000] = "";
    FILE *file = fopen(train_run_path(r, "log.jsonl"), "r");
    while (file && fgets(line, sizeof line, file)) memcpy(last, line, sizeof last);
    if (file) fclose(file);
    json_t *root = json_loads(last, 0, NULL);
    const double value = json_number_value(json_object_get(json_object_get(root, "val"), metric));
    json_decref(root);
    return value;
}

static void a_class_without_weight_is_not_learned(void)
{
    static const double only[2][2] = {{1, 0}, {0, 1}};
    for (int positive = 0; positive < 2; positive++) {
        train_run r = new_run(positive ? "only-positive" : "only-negative", 2);
        r.settings.class_weight = only[positive];
        r.settings.common.epochs = 3;
        r.settings.common.rate = 0.05;
        TEST_OK(train_run_start(&r));
        CU_ASSERT_EQUAL(logged(&r, "recall"), positive);
        CU_ASSERT_EQUAL(logged(&r, "specificity"), !positive);
    }
}

static void three_classes(void)
{
    train_run r = new_run("three", 2), again = new_run("three-again", 1);
    r.classes = again.classes = 3;
    r.width = again.width = 8;
    TEST_OK(train_run_start(&r));
    CU_ASSERT_TRUE(r.result.best_auc > 0.9);
    CU_ASSERT_EQUAL(train_run_lines(&r), 4);
    CU_ASSERT_TRUE(logged(&r, "accuracy") > 0.5);
    again.stop_epoch = 3;
    CU_ASSERT_EQUAL(train_run_start(&again), S2CLR_ERR_CANCELLED);
    again.stop_epoch = 0, again.settings.common.resume = 1;
    TEST_OK(train_run_start(&again));
    train_run_same(&r, &again);

    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(r.result.model_path, &model));
    if (!model) return;
    CU_ASSERT_EQUAL(s2clr_net_arch(s2clr_model_net(model))->outputs, 3);
    json_t *metrics = json_loads(s2clr_model_card(model)->text[S2CLR_CARD_METRICS], 0, NULL);
    const json_t *val = json_object_get(metrics, "validation");
    TEST_NEAR(json_real_value(json_object_get(val, "auc")), r.result.best_auc, 1e-12);
    const json_t *last = json_array_get(json_object_get(val, "classes"), 2);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(last, "name")), "grain2");
    json_decref(metrics);
    s2clr_model_close(model);
}

/* ---- what goes wrong ---- */

static void one_class_to_validate(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    static const int ones[RIG_VAL] = {[0 ... RIG_VAL - 1] = 1};
    (void)card, (void)train;
    val->labels = ones;
}

static void no_label(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    static int labels[RIG_TRAIN];
    (void)card, (void)val;
    memcpy(labels, train->labels, sizeof labels);
    labels[7] = -1;
    train->labels = labels;
}

static void class_two_is_empty(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    static int labels[RIG_TRAIN];
    (void)card, (void)val;
    for (int i = 0; i < RIG_TRAIN; i++) labels[i] = i % 2;
    train->labels = labels;
}

static void another_band(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    (void)card, (void)val;
    train->channels = 3;
}

static void half_the_statistics(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    (void)train, (void)val;
    card->mean[0] = 120, card->std[0] = 45;
}

static void an_encoder(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    (void)train, (void)val;
    card->arch.outputs = 0;
}

static void bad_data_is_refused(void)
{
    static const struct {
        void (*change)(s2clr_card *, s2clr_samples *, s2clr_samples *);
        int classes, status;
        const char *says;
    } bad[] = {
        {one_class_to_validate, 2, S2CLR_ERR_ARGUMENT, "32 of the 32 validation samples"},
        {one_class_to_validate, 3, S2CLR_ERR_ARGUMENT, "are of class 1 \"grain1\""},
        {no_label, 2, S2CLR_ERR_ARGUMENT, "training sample 1/7 has no label"},
        {class_two_is_empty, 3, S2CLR_ERR_ARGUMENT,
         "none of the 64 training samples is of class 2"},
        {another_band, 2, S2CLR_ERR_MISMATCH, "have 3 bands"},
        {half_the_statistics, 2, S2CLR_ERR_MISMATCH, "band B03 has no mean"},
        {an_encoder, 2, S2CLR_ERR_MISMATCH, "encoder without a classifier"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        train_run r = new_run("bad", 1);
        r.change = bad[i].change;
        r.classes = bad[i].classes;
        CU_ASSERT_EQUAL(train_run_start(&r), bad[i].status);
        TEST_ERROR_SAYS(bad[i].says);
        CU_ASSERT_FALSE(train_run_has(&r, NULL)); /* before anything is made */
    }
}

static void bad_settings_are_refused(void)
{
    static const double negative[] = {1, -1}, nothing[] = {0, 0};
    s2clr_net *net = net_of(2);
    float *initial = weights_of(net, 3);
    train_run r = new_run("bad-settings", 1);
    r.settings.class_weight = negative;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("weight of class 1 is -1");
    r.settings.class_weight = nothing;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("weights of all 2 classes are 0");
    r = new_run("bad-settings", 1);
    r.settings.group_decay = 0;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("decay of the rate");
    r = new_run("bad-settings", 1);
    r.settings.initial = initial; /* without the statistics they were made with */
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("take them from the parent's card");
    r.change = give_statistics;
    r.settings.frozen = s2clr_net_node_count(net);
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("nothing is left to learn");
    CU_ASSERT_FALSE(train_run_has(&r, NULL));
    free(initial);
    s2clr_net_free(net);
}

/* The decay is added to the gradient: weights grow twentyfold per step in the first epoch, and by
 * more in every one after it, until they are no numbers any more. */
static void divergence_keeps_the_last_good_state(void)
{
    train_run r = new_run("diverges", 1);
    r.settings.common.optimiser = "sgd";
    r.settings.common.epochs = 8;
    r.settings.common.rate = 0.16;
    r.settings.common.weight_decay = 1000;
    r.settings.common.warmup = 1;
    char before[65], after[65];
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_BACKEND);
        TEST_ERROR_SAYS("lower rate");
        CU_ASSERT_TRUE(train_run_lines(&r) >= 1 && train_run_lines(&r) < 8);
        CU_ASSERT_FALSE(train_run_has(&r, "model.safetensors"));
        train_run_sha(&r, "checkpoint.safetensors", i ? after : before);
        r.settings.common.resume = 1;
    }
    CU_ASSERT_STRING_EQUAL(before, after);
}

static const test_case cases[] = {
    {"frozen layers stay", frozen_layers_stay},
    {"groups have their rates", groups_have_their_rates},
    {"killed and resumed, on one thread or two", killed_and_resumed},
    {"class weights scale the loss", class_weights_scale_the_loss},
    {"class weights move the prevalence", class_weights_move_the_prevalence},
    {"a class without weight is not learned", a_class_without_weight_is_not_learned},
    {"three classes", three_classes},
    {"bad data is refused", bad_data_is_refused},
    {"bad settings are refused", bad_settings_are_refused},
    {"divergence keeps the last good state", divergence_keeps_the_last_good_state},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("finetune", cases, argc, argv);
}
