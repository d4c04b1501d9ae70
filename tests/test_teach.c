/* What teachers say. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/philox.h"
#include "train/metrics.h"
#include "train/teach.h"
#include "train_rig.h"

/* ---- networks of single pixels with drawn weights, cheap enough for many samples ---- */

static s2clr_model *teacher_new(const char *name, uint64_t seed, int classes, bool swapped)
{
    s2clr_card *card = textures_card("pixel", 4, 16, classes);
    card->temperature = classes == 2 && seed == 1 ? 2 : 1;
    for (int b = 0; b < RECIPE_BANDS; b++) {
        card->mean[b] = 100 + 20 * (float)b, card->std[b] = 30 + 10 * (float)b;
        if (swapped) snprintf(card->band[b], S2CLR_CARD_WORD, "%s", b ? "B04" : "B03");
    }
    return recipe_rig_model(name, card, seed);
}

typedef struct lesson {
    const s2clr_model *models[3];
    size_t count, samples;
    int classes, threads;
    s2clr_precision precision;
    const char *cache;
    int stop_after; /* reports; 0: never */
    int reports;
} lesson;

static bool note(void *context, double fraction, const char *message)
{
    lesson *l = context;
    CU_ASSERT_TRUE(fraction >= 0 && fraction <= 1 && strstr(message, "teacher") != NULL);
    l->reports++;
    return l->stop_after == 0 || l->reports < l->stop_after;
}

static s2clr_status ask(lesson *l, float *logits)
{
    static textures set;
    const s2clr_samples samples = textures_make(&set, 1, l->samples, 16, l->classes);
    const s2clr_progress progress = {.call = note, .context = l};
    const s2clr_machine m = recipe_rig_machine(NULL, l->precision, l->threads);
    s2clr_card *card = textures_card("resnet18", 8, 16, l->classes);
    l->reports = 0;
    const s2clr_status status =
        s2clr_teach(l->models, l->count, card, "NOISE", &samples, l->cache, &m, &progress, logits);
    recipe_rig_release(&m);
    s2clr_card_free(card);
    return status;
}

/* The probabilities that a model gives the samples itself, its bands in its own order. */
static void own_probabilities(const s2clr_model *model, size_t count, int classes, double *p)
{
    static textures set;
    const s2clr_samples samples = textures_make(&set, 1, count, 16, classes);
    const s2clr_machine m = recipe_rig_machine(NULL, S2CLR_F32, 1);
    TEST_OK(s2clr_predict_classes(s2clr_model_net(model), s2clr_model_params(model),
                                  s2clr_model_card(model), "NOISE", &samples, m.backend, m.device,
                                  m.pool, NULL, p));
    recipe_rig_release(&m);
}

enum { FEW = 21 };

static double sigmoid(float z)
{
    return 1 / (1 + exp(-(double)z));
}

static void teachers_agree_with_their_predictions(void)
{
    s2clr_model *a = teacher_new("a", 1, 2, false), *b = teacher_new("b", 2, 2, false);
    lesson one = {.models = {a}, .count = 1, .samples = FEW, .classes = 2, .threads = 2};
    lesson two = {.models = {a, b}, .count = 2, .samples = FEW, .classes = 2, .threads = 1};
    float single[FEW], both[FEW];
    double of_a[FEW], of_b[FEW], spread = 0;
    own_probabilities(a, FEW, 2, of_a);
    own_probabilities(b, FEW, 2, of_b);
    TEST_OK(ask(&one, single));
    TEST_OK(ask(&two, both));
    for (int i = 0; i < FEW; i++) {
        TEST_NEAR(sigmoid(single[i]), of_a[i], 1e-7);
        TEST_NEAR(sigmoid(both[i]), (of_a[i] + of_b[i]) / 2, 1e-7);
        spread += fabs(of_a[i] - of_b[i]);
    }
    CU_ASSERT_TRUE(spread > 0.1); /* two teachers of one opinion would prove nothing */
    s2clr_model_close(a), s2clr_model_close(b);
}

/* Bayes' rule, written out. */
static double where_frequent(double p, double from, double to)
{
    const double yes = p * to / from, no = (1 - p) * (1 - to) / (1 - from);
    return yes / (yes + no);
}

/* Trained for a tenth of positives and for a half: the mean is taken where the first one holds. */
static void teachers_are_moved_to_one_share(void)
{
    s2clr_card *card = NULL;
    s2clr_model *a = teacher_new("half", 1, 2, false), *drawn = teacher_new("drawn", 2, 2, false);
    TEST_OK(s2clr_card_copy(s2clr_model_card(drawn), &card));
    card->prevalence = 0.1, card->threshold = 0.2;
    s2clr_model *b = recipe_rig_model("tenth", card, 2);
    lesson two = {.models = {a, b}, .count = 2, .samples = FEW, .classes = 2, .threads = 1};
    lesson back = {.models = {b, a}, .count = 2, .samples = FEW, .classes = 2, .threads = 2};
    float at_half[FEW], at_tenth[FEW];
    double of_a[FEW], of_b[FEW];
    own_probabilities(a, FEW, 2, of_a);
    own_probabilities(b, FEW, 2, of_b);
    TEST_OK(ask(&two, at_half));
    TEST_OK(ask(&back, at_tenth));
    for (int i = 0; i < FEW; i++) {
        TEST_NEAR(sigmoid(at_half[i]), (of_a[i] + where_frequent(of_b[i], 0.1, 0.5)) / 2, 1e-6);
        TEST_NEAR(sigmoid(at_tenth[i]), (of_b[i] + where_frequent(of_a[i], 0.5, 0.1)) / 2, 1e-6);
    }
    const double least = (0.5 + where_frequent(0.2, 0.1, 0.5)) / 2;
    TEST_NEAR(s2clr_teach_least(two.models, 2), log(least / (1 - least)), 1e-12);
    TEST_NEAR(s2clr_teach_least(back.models, 1), log(0.2 / 0.8), 1e-12);
    s2clr_model_close(a), s2clr_model_close(b), s2clr_model_close(drawn);
}

static void classes_are_averaged(void)
{
    enum { K = 3 };
    s2clr_model *a = teacher_new("a3", 1, K, false), *b = teacher_new("b3", 2, K, false);
    lesson two = {.models = {a, b}, .count = 2, .samples = FEW, .classes = K, .threads = 2};
    float logits[FEW * K];
    double of_a[FEW * K], of_b[FEW * K];
    own_probabilities(a, FEW, K, of_a);
    own_probabilities(b, FEW, K, of_b);
    TEST_OK(ask(&two, logits));
    for (int i = 0; i < FEW; i++) {
        double sum = 0;
        for (int j = 0; j < K; j++) sum += exp((double)logits[i * K + j]);
        TEST_NEAR(sum, 1, 1e-6);
        for (int j = 0; j < K; j++)
            TEST_NEAR(exp((double)logits[i * K + j]) / sum, (of_a[i * K + j] + of_b[i * K + j]) / 2,
                      1e-7);
    }
    s2clr_model_close(a), s2clr_model_close(b);
}

/* A teacher with the bands the other way round is given them so, with its own statistics: it is the
 * same as one whose first layer and statistics are swapped instead. */
static void bands_go_by_name(void)
{
    s2clr_model *plain = teacher_new("plain", 3, 2, false);
    s2clr_model *swapped = teacher_new("swapped", 3, 2, true);
    lesson one = {.models = {swapped}, .count = 1, .samples = FEW, .classes = 2, .threads = 1};
    float logits[FEW];
    TEST_OK(ask(&one, logits));

    s2clr_card *card = NULL; /* the plain names, but everything per band exchanged */
    TEST_OK(s2clr_card_copy(s2clr_model_card(plain), &card));
    card->mean[0] = s2clr_model_card(plain)->mean[1],
    card->mean[1] = s2clr_model_card(plain)->mean[0];
    card->std[0] = s2clr_model_card(plain)->std[1], card->std[1] = s2clr_model_card(plain)->std[0];
    const s2clr_net *net = s2clr_model_net(plain);
    float *w = malloc(s2clr_net_param_count(net) * sizeof *w);
    memcpy(w, s2clr_model_params(plain), s2clr_net_param_count(net) * sizeof *w);
    for (int k = 0; k < 4; k++) { // hidden.0.conv.weight (4, 2, 1, 1)
        const float kept = w[2 * k];
        w[2 * k] = w[2 * k + 1], w[2 * k + 1] = kept;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/exchanged.safetensors", test_folder());
    TEST_OK(s2clr_model_save(path, card, net, w));
    s2clr_model *exchanged = NULL;
    TEST_OK(s2clr_model_open(path, &exchanged));
    double p[FEW];
    own_probabilities(exchanged, FEW, 2, p);
    for (int i = 0; i < FEW; i++) TEST_NEAR(sigmoid(logits[i]), p[i], 1e-6);
    free(w);
    s2clr_card_free(card);
    s2clr_model_close(plain), s2clr_model_close(swapped), s2clr_model_close(exchanged);
}

static void killed_lessons_go_on(void)
{
    s2clr_model *a = teacher_new("a", 1, 2, false), *b = teacher_new("b", 2, 2, false);
    char cache[4096];
    float *whole = malloc(RIG_MANY * sizeof *whole), *logits = malloc(RIG_MANY * sizeof *logits);
    snprintf(cache, sizeof cache, "%s/teacher.safetensors", test_folder());
    lesson l = {.models = {a, b}, .count = 2, .samples = RIG_MANY, .classes = 2, .threads = 2};
    TEST_OK(ask(&l, whole));
    const int all = l.reports;
    l.cache = cache;
    l.threads = 1;
    l.stop_after = 1;
    CU_ASSERT_EQUAL(ask(&l, logits), S2CLR_ERR_CANCELLED);
    CU_ASSERT_NOT_EQUAL(access(cache, F_OK), 0); /* no part was done */
    l.threads = 2;
    l.stop_after = all; /* in the second part */
    CU_ASSERT_EQUAL(ask(&l, logits), S2CLR_ERR_CANCELLED);
    CU_ASSERT_EQUAL(access(cache, F_OK), 0);
    l.stop_after = 0;
    memset(logits, 0xff, RIG_MANY * sizeof *logits);
    TEST_OK(ask(&l, logits));
    CU_ASSERT_TRUE(l.reports < all);
    CU_ASSERT_EQUAL(memcmp(whole, logits, RIG_MANY * sizeof *whole), 0);
    memset(logits, 0xff, RIG_MANY * sizeof *logits);
    TEST_OK(ask(&l, logits));
    CU_ASSERT_EQUAL(l.reports, 0); /* all was known */
    CU_ASSERT_EQUAL(memcmp(whole, logits, RIG_MANY * sizeof *whole), 0);
    /* Of another run, it goes; a file that only has the name stays. */
    CU_ASSERT_EQUAL(s2clr_teach_forget(s2clr_model_path(a)), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("is not what teachers said");
    CU_ASSERT_EQUAL(access(s2clr_model_path(a), F_OK), 0);
    TEST_OK(s2clr_teach_forget(cache));
    CU_ASSERT_NOT_EQUAL(access(cache, F_OK), 0);
    TEST_OK(s2clr_teach_forget(cache));
    TEST_OK(ask(&l, logits));
    l.count = 1;
    CU_ASSERT_EQUAL(ask(&l, logits), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("teachers");
    l.count = 2, l.samples = FEW;
    CU_ASSERT_EQUAL(ask(&l, logits), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("samples");
    l.samples = RIG_MANY, l.precision = S2CLR_BF16;
    CU_ASSERT_EQUAL(ask(&l, logits), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("precision (run: \"f32\", now: \"bf16\")");
    free(whole), free(logits);
    s2clr_model_close(a), s2clr_model_close(b);
}

static void wrong_teachers_are_refused(void)
{
    s2clr_model *a = teacher_new("a", 1, 2, false);
    s2clr_card *card = textures_card("resnet18", 8, 16, 3);
    const s2clr_model *const models[] = {a};
    CU_ASSERT_EQUAL(s2clr_teach_check(models, 0, card, "NOISE"), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_teach_check(models, 1, card, "NOISE"), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("has 1 outputs, the student 3");
    card->arch.outputs = 1;
    CU_ASSERT_EQUAL(s2clr_teach_check(models, 1, card, "L2A"), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("no level \"L2A\"");
    card->patch = 32;
    CU_ASSERT_EQUAL(s2clr_teach_check(models, 1, card, "NOISE"), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("patches of 16 pixels, the samples have 32");
    card->patch = 16;
    snprintf(card->band[1], S2CLR_CARD_WORD, "B08");
    CU_ASSERT_EQUAL(s2clr_teach_check(models, 1, card, "NOISE"), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("needs band B03");
    s2clr_card_free(card);
    s2clr_model_close(a);
}

static const test_case cases[] = {
    {"teachers agree with their predictions", teachers_agree_with_their_predictions},
    {"teachers are moved to one share", teachers_are_moved_to_one_share},
    {"classes are averaged", classes_are_averaged},
    {"bands go by name", bands_go_by_name},
    {"killed lessons go on", killed_lessons_go_on},
    {"wrong teachers are refused", wrong_teachers_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("teach", cases, argc, argv);
}
