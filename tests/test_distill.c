/* Students: what they learn from teachers' opinions, and what they say of it. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/teach.h"
#include "train_rig.h"

static double sigmoid(float z)
{
    return 1 / (1 + exp(-(double)z));
}

static void without_labels(s2clr_card *card, s2clr_samples *train, s2clr_samples *val)
{
    (void)card, (void)val;
    train->labels = NULL;
}

/* A teacher who knows: sure of most, in doubt about every fifth. */
static const float *opinions(int classes)
{
    static float soft[2][RIG_TRAIN * 3];
    float *out = soft[classes == 3];
    for (int i = 0; i < RIG_TRAIN; i++) {
        const float sure = i % 5 == 0 ? 0.25f : 4;
        if (classes == 2) out[i] = i % 3 == 0 ? sure : -sure;
        for (int j = 0; classes == 3 && j < 3; j++) out[i * 3 + j] = i % 3 == j ? sure : 0;
    }
    return out;
}

static train_run student(const char *folder, int threads, int classes)
{
    train_run r = train_run_new(folder, threads);
    r.classes = classes;
    r.width = 4;
    r.settings.soft = opinions(classes);
    r.settings.common.epochs = 3;
    return r;
}

static void learns_from_the_teacher_alone(void)
{
    for (int classes = 2; classes <= 3; classes++) {
        train_run r = student(classes == 2 ? "soft" : "soft3", 2, classes);
        train_run one = student(classes == 2 ? "soft-one" : "soft3-one", 1, classes);
        r.change = one.change = without_labels;
        r.width = one.width = 8;
        r.settings.common.epochs = one.settings.common.epochs = classes;
        TEST_OK(train_run_start(&r));
        CU_ASSERT_TRUE(r.result.best_auc > 0.9);
        one.stop_epoch = 2;
        CU_ASSERT_EQUAL(train_run_start(&one), S2CLR_ERR_CANCELLED);
        one.stop_epoch = 0, one.settings.common.resume = 1;
        one.settings.distill_temperature = 3;
        CU_ASSERT_EQUAL(train_run_start(&one), S2CLR_ERR_MISMATCH);
        TEST_ERROR_SAYS("temperature");
        one.settings.distill_temperature = 2;
        TEST_OK(train_run_start(&one));
        train_run_same(&r, &one);
    }
}

/* Weights after a run, without keeping its files apart. */
static float *after(train_run r, size_t *count)
{
    s2clr_card *card = textures_card(r.arch, r.width, r.size, r.classes);
    s2clr_net *net = NULL;
    TEST_OK(s2clr_net_new(&card->arch, &net));
    *count = s2clr_net_param_count(net);
    float *w = malloc(*count * sizeof *w);
    TEST_OK(train_run_start(&r));
    train_run_floats(&r, "params", *count, w);
    s2clr_net_free(net);
    s2clr_card_free(card);
    return w;
}

/* The same opinions of one who was calibrated to another share, and the threshold with them. */
static const float *moved_opinions(float by)
{
    static float soft[RIG_TRAIN];
    for (int i = 0; i < RIG_TRAIN; i++) soft[i] = opinions(2)[i] + by;
    return soft;
}

/* Decisions are cut at the teacher's threshold, those that are dealt from as well. */
static void decisions_are_at_the_threshold(void)
{
    size_t count;
    train_run labels = student("uncut", 1, 2), hard = student("cut", 1, 2);
    labels.settings.soft = NULL;
    labels.settings.common.epochs = hard.settings.common.epochs = 1;
    hard.settings.soft = moved_opinions(-3);
    hard.settings.distill_least = -3;
    hard.settings.distill_hard = true;
    hard.change = without_labels;
    float *a = after(labels, &count), *b = after(hard, &count);
    CU_ASSERT_EQUAL(memcmp(a, b, count * sizeof *a), 0);
    hard.settings.common.resume = 1;
    hard.settings.distill_least = -2.9; /* takes other patches for positive */
    CU_ASSERT_EQUAL(train_run_start(&hard), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("teacher's least logit (run: -3");
    free(a), free(b);
}

/* A hard teacher who is right is the labels. */
static void hard_decisions_are_labels(void)
{
    for (int classes = 2; classes <= 3; classes++) {
        size_t count;
        train_run labels = student(classes == 2 ? "labels" : "labels3", 1, classes);
        train_run hard = student(classes == 2 ? "hard" : "hard3", 1, classes);
        labels.settings.soft = NULL;
        labels.settings.common.epochs = hard.settings.common.epochs = 1;
        hard.settings.distill_hard = true;
        hard.change = without_labels; /* balanced by the teacher's decisions */
        float *a = after(labels, &count), *b = after(hard, &count);
        CU_ASSERT_EQUAL(memcmp(a, b, count * sizeof *a), 0);
        free(a), free(b);
    }
}

/* Nothing of the loss is the teacher's: the labels alone, whatever it says. */
static void no_share_is_no_teacher(void)
{
    size_t count;
    train_run labels = student("plain", 1, 2), none = student("no-share", 1, 2);
    labels.settings.soft = NULL;
    none.settings.distill_share = 0;
    labels.settings.common.epochs = none.settings.common.epochs = 1;
    float *a = after(labels, &count), *b = after(none, &count);
    CU_ASSERT_EQUAL(memcmp(a, b, count * sizeof *a), 0);
    none = student("half-share", 2, 2);
    none.settings.distill_share = 0.5;
    none.settings.common.epochs = 1;
    float *c = after(none, &count);
    CU_ASSERT_NOT_EQUAL(memcmp(a, c, count * sizeof *a), 0);
    free(a), free(b), free(c);
}

static double prevalence_after(train_run *r)
{
    s2clr_model *model = NULL;
    r->settings.common.epochs = 1;
    r->arch = "pixel";
    TEST_OK(train_run_start(r));
    TEST_OK(s2clr_model_open(r->result.model_path, &model));
    const double prevalence = model ? s2clr_model_card(model)->prevalence : (double)NAN;
    s2clr_model_close(model);
    return prevalence;
}

/* A student that copies probabilities says what share they hold for: the teacher's, whatever is in
 * the pool or drawn from it. Labels and decisions are what they are in the draw. */
static void students_know_their_share(void)
{
    static const double weights[] = {1, 3};
    double mean = 0, mix = 0, all = 0;
    train_run copy = student("copy", 1, 2), unknown = student("unknown", 1, 2);
    train_run hard = student("hard-share", 1, 2), mixed = student("mixed", 1, 2);
    copy.settings.distill_prevalence = mixed.settings.distill_prevalence = 0.02;
    hard.settings.distill_prevalence = 0.02;
    hard.settings.distill_hard = true;
    mixed.settings.distill_share = 0.25;
    mixed.settings.class_weight = weights;
    unknown.change = without_labels;
    unknown.settings.balance = hard.settings.balance = mixed.settings.balance = 0;
    for (int i = 0; i < RIG_TRAIN; i++) {
        const double p = sigmoid(opinions(2)[i]), weight = i % 3 == 0 ? 3 : 1;
        mean += p / RIG_TRAIN;
        mix += weight * (0.25 * p + 0.75 * (i % 3 == 0));
        all += weight;
    }
    TEST_NEAR(prevalence_after(&copy), 0.02, 1e-12);
    TEST_NEAR(prevalence_after(&unknown), mean, 1e-9);
    TEST_NEAR(prevalence_after(&hard), 22.0 / 64, 1e-12);
    TEST_NEAR(prevalence_after(&mixed), mix / all, 1e-9);
}

/* A ResNet teaches a network of single pixels, and that one a ResNet. */
static void any_architecture_teaches_any(void)
{
    static textures set;
    float soft[RIG_TRAIN];
    const s2clr_samples train = textures_make(&set, 1, RIG_TRAIN, 16, 2);
    const s2clr_machine m = recipe_rig_machine(NULL, S2CLR_F32, 2);
    train_run teacher = student("generation0", 2, 2);
    teacher.settings.soft = NULL;
    teacher.width = 8;
    TEST_OK(train_run_start(&teacher));
    for (int generation = 1; generation <= 2; generation++) {
        char folder[32];
        s2clr_model *model = NULL;
        TEST_OK(s2clr_model_open(teacher.result.model_path, &model));
        if (!model) break;
        const s2clr_model *const models[] = {model};
        const char *arch = generation == 1 ? "pixel" : "resnet18";
        s2clr_card *card = textures_card(arch, 4, 16, 2);
        TEST_OK(s2clr_teach(models, 1, card, "NOISE", &train, NULL, &m, NULL, soft));
        snprintf(folder, sizeof folder, "generation%d", generation);
        train_run r = student(folder, 2, 2);
        r.arch = arch;
        r.change = without_labels;
        r.settings.soft = soft;
        r.width = 8;
        r.settings.balance = 0;
        r.settings.common.epochs = 4;
        r.settings.common.rate = 0.02;
        TEST_OK(train_run_start(&r));
        CU_ASSERT_TRUE(r.result.best_auc > 0.9);
        teacher = r;
        s2clr_card_free(card);
        s2clr_model_close(model);
    }
    recipe_rig_release(&m);
}

static void student_mistakes_are_refused(void)
{
    static float one_sided[RIG_TRAIN];
    train_run r = student("mistakes", 1, 2);
    r.change = without_labels;
    r.settings.distill_share = 0.5;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("has no label");
    r.settings.distill_share = 1;
    r.settings.distill_temperature = 0;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("distillation temperature is 0");
    r.settings.distill_temperature = 2;
    CU_ASSERT_FALSE(train_run_has(&r, NULL));
    for (int i = 0; i < RIG_TRAIN; i++) one_sided[i] = -3;
    r.settings.soft = one_sided;
    CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("0 of the 64 training samples for \"fine\"");
    r.settings.balance = 0;
    r.settings.common.epochs = 1;
    TEST_OK(train_run_start(&r));
    r = student("alike", 1, 2);
    r.settings.soft = one_sided;
    r.settings.distill_hard = true;
    for (int i = 0; i < 4; i++) { /* with labels or without, dealt from or not, mixed or not */
        r.change = i & 1 ? without_labels : NULL;
        r.settings.balance = 0;
        r.settings.distill_share = i & 1 ? 1 : 0.5;
        r.settings.distill_least = i & 2 ? -4 : 0;
        CU_ASSERT_EQUAL(train_run_start(&r), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(i & 2 ? "takes 64 of the 64 training samples for \"fine\": its decisions"
                              : "takes 0 of the 64 training samples for \"fine\": its decisions");
        CU_ASSERT_FALSE(train_run_has(&r, "model.safetensors"));
    }
    r.settings.distill_share = 0; /* whoever is not asked may say what they like */
    r.change = NULL;
    r.settings.common.epochs = 1;
    TEST_OK(train_run_start(&r));
}

static const test_case cases[] = {
    {"learns from the teacher alone", learns_from_the_teacher_alone},
    {"hard decisions are labels", hard_decisions_are_labels},
    {"decisions are at the threshold", decisions_are_at_the_threshold},
    {"students know their share", students_know_their_share},
    {"no share is no teacher", no_share_is_no_teacher},
    {"any architecture teaches any", any_architecture_teaches_any},
    {"a student's mistakes are refused", student_mistakes_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("distill", cases, argc, argv);
}
