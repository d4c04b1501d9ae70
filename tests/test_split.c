/* Split by hash: expected values from tests/golden/split.py (Python's hashlib). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dataset/images.h"
#include "harness.h"

enum { MANY = 20000, FEW = 200 };

static char names_store[MANY][24];
static const char *names[MANY];
static int labels[MANY];
static const int groups[MANY];

static s2clr_status number(void *self, size_t index, float *dn)
{
    (void)self;
    *dn = (float)index;
    return S2CLR_OK;
}

/* Names c/n000 ..., every third one positive; the patch is its own index. */
static s2clr_samples samples_of(size_t count, int with_groups)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(names_store[i], sizeof names_store[i], "c/n%03zu", i);
        names[i] = names_store[i];
        labels[i] = i % 3 == 0;
    }
    return (s2clr_samples){.count = count,
                           .channels = 1,
                           .size = 1,
                           .names = names,
                           .labels = labels,
                           .groups = with_groups ? groups : NULL,
                           .read = number};
}

static void parts_match_hashlib(void)
{
    static const struct {
        const char *name;
        s2clr_split_part part;
    } expected[] = {
        {"PermanentCrop/PermanentCrop_1.jpg", S2CLR_SPLIT_TEST},
        {"PermanentCrop/PermanentCrop_2.jpg", S2CLR_SPLIT_TEST},
        {"PermanentCrop/PermanentCrop_3.jpg", S2CLR_SPLIT_VALIDATION},
        {"PermanentCrop/PermanentCrop_5.jpg", S2CLR_SPLIT_TRAIN},
        {"PermanentCrop/PermanentCrop_8.jpg", S2CLR_SPLIT_TRAIN},
        {"PermanentCrop/PermanentCrop_13.jpg", S2CLR_SPLIT_TEST},
        {"PermanentCrop/PermanentCrop_21.jpg", S2CLR_SPLIT_TRAIN},
        {"PermanentCrop/PermanentCrop_34.jpg", S2CLR_SPLIT_TEST},
        {"PermanentCrop/PermanentCrop_55.jpg", S2CLR_SPLIT_VALIDATION},
        {"PermanentCrop/PermanentCrop_89.jpg", S2CLR_SPLIT_TRAIN},
        {"a/x.tif", S2CLR_SPLIT_TRAIN},
        {"b/x.tif", S2CLR_SPLIT_TRAIN},
        {"x.tif", S2CLR_SPLIT_TRAIN},
        {"Öl/größe.png", S2CLR_SPLIT_TRAIN},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        CU_ASSERT_EQUAL(s2clr_split_of(expected[i].name, 0.2, 0.1), expected[i].part);
    /* u of "x.tif" is 0.343719: the shares around it decide, the folder does not. */
    CU_ASSERT_EQUAL(s2clr_split_of("a/x.tif", 0.3438, 0), S2CLR_SPLIT_TEST);
    CU_ASSERT_EQUAL(s2clr_split_of("b/x.tif", 0.3437, 0), S2CLR_SPLIT_TRAIN);
    CU_ASSERT_EQUAL(s2clr_split_of("x.tif", 0.2, 0.1438), S2CLR_SPLIT_VALIDATION);
    CU_ASSERT_EQUAL(s2clr_split_of("x.tif", 0, 0), S2CLR_SPLIT_TRAIN);
    CU_ASSERT_EQUAL(s2clr_split_of("x.tif", 1, 0), S2CLR_SPLIT_TEST);
}

static void shares_are_binomial(void)
{
    const double wanted[] = {0.7, 0.1, 0.2};
    size_t found[3] = {0};
    samples_of(MANY, 0);
    for (size_t i = 0; i < MANY; i++) found[s2clr_split_of(names[i], 0.2, 0.1)]++;
    for (int part = 0; part < 3; part++)
        TEST_NEAR(found[part], MANY * wanted[part],
                  5 * sqrt(MANY * wanted[part] * (1 - wanted[part])));
}

static void parts_cover_everything_once(void)
{
    static const size_t expected[] = {149, 20, 31};
    const s2clr_samples all = samples_of(FEW, 1);
    int seen[FEW] = {0};
    for (int part = 0; part < 3; part++) {
        s2clr_samples view;
        TEST_OK(s2clr_samples_part(&all, (s2clr_split_part)part, 0.2, 0.1, 1, 0, &view));
        CU_ASSERT_EQUAL_FATAL(view.count, expected[part]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(view.groups);
        for (size_t i = 0; i < view.count; i++) {
            float index = -1;
            TEST_OK(view.read(view.self, i, &index));
            CU_ASSERT_FATAL(index >= 0 && index < FEW);
            seen[(size_t)index]++;
            CU_ASSERT_STRING_EQUAL(view.names[i], names[(size_t)index]);
            CU_ASSERT_EQUAL(view.labels[i], labels[(size_t)index]);
            if (i) CU_ASSERT(strcmp(view.names[i - 1], view.names[i]) < 0);
        }
        view.free(view.self);
    }
    for (size_t i = 0; i < FEW; i++) CU_ASSERT_EQUAL(seen[i], 1);
}

static void fraction_matches_hashlib(void)
{
    static const char *const expected[] = {"c/n007", "c/n018", "c/n034", "c/n095",
                                           "c/n113", "c/n117", "c/n195", "c/n197"};
    const s2clr_samples all = samples_of(FEW, 0);
    s2clr_samples view;
    TEST_OK(s2clr_samples_part(&all, S2CLR_SPLIT_TRAIN, 0.2, 0.1, 0.05, 0, &view));
    CU_ASSERT_EQUAL_FATAL(view.count, sizeof expected / sizeof *expected);
    CU_ASSERT_PTR_NULL(view.groups);
    for (size_t i = 0; i < view.count; i++) CU_ASSERT_STRING_EQUAL(view.names[i], expected[i]);
    view.free(view.self);
}

/* Every fraction holds the smaller ones, and has ceil(fraction * n) of each label. */
static void nested_fractions(uint64_t choice)
{
    static const double fractions[] = {0.01, 0.02, 0.1, 0.29, 0.5, 0.58, 1};
    const s2clr_samples all = samples_of(FEW, 0);
    int inside[FEW] = {0};
    for (size_t f = 0; f < sizeof fractions / sizeof *fractions; f++) {
        int now[FEW] = {0};
        size_t count[2] = {0};
        s2clr_samples view;
        TEST_OK(s2clr_samples_part(&all, S2CLR_SPLIT_TRAIN, 0.2, 0.1, fractions[f], choice, &view));
        for (size_t i = 0; i < view.count; i++) {
            float index = 0;
            TEST_OK(view.read(view.self, i, &index));
            now[(size_t)index] = 1;
            count[view.labels[i]]++;
        }
        CU_ASSERT_EQUAL(count[0], (size_t)ceil(fractions[f] * 99 - 1e-9));
        CU_ASSERT_EQUAL(count[1], (size_t)ceil(fractions[f] * 50 - 1e-9));
        for (size_t i = 0; i < FEW; i++) CU_ASSERT(now[i] >= inside[i]);
        memcpy(inside, now, sizeof now);
        view.free(view.self);
    }
}

static void fractions_are_nested(void)
{
    for (uint64_t choice = 0; choice < 4; choice++) nested_fractions(choice);
}

/* Half of the samples twice: a quarter is expected in both, with a deviation of 3 of 149. */
static void choices_are_independent(void)
{
    const s2clr_samples all = samples_of(FEW, 0);
    for (uint64_t choice = 1; choice < 6; choice++) {
        size_t taken[FEW] = {0}, common = 0;
        for (int turn = 0; turn < 2; turn++) {
            s2clr_samples view;
            TEST_OK(s2clr_samples_part(&all, S2CLR_SPLIT_TRAIN, 0.2, 0.1, 0.5, turn ? choice : 0,
                                       &view));
            for (size_t i = 0; i < view.count; i++) {
                float index = 0;
                TEST_OK(view.read(view.self, i, &index));
                common += taken[(size_t)index]++;
            }
            view.free(view.self);
        }
        CU_ASSERT(common > 25 && common < 50);
    }
}

static void nonsense_is_refused(void)
{
    const s2clr_samples all = samples_of(4, 0);
    s2clr_samples view = {.count = 7};
    CU_ASSERT_EQUAL(s2clr_samples_part(&all, S2CLR_SPLIT_TRAIN, 0.8, 0.3, 1, 0, &view),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("together at most 1");
    CU_ASSERT_EQUAL(s2clr_samples_part(&all, S2CLR_SPLIT_TRAIN, NAN, 0, 1, 0, &view),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_samples_part(&all, S2CLR_SPLIT_TRAIN, 0.2, 0.1, 0, 0, &view),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("fraction");
    CU_ASSERT_EQUAL(s2clr_samples_part(&all, S2CLR_SPLIT_VALIDATION, 0.2, 0, 1, 0, &view),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("validation part");
    CU_ASSERT_EQUAL(view.count, 7);
}

static const test_case cases[] = {
    {"parts_match_hashlib", parts_match_hashlib},
    {"shares_are_binomial", shares_are_binomial},
    {"parts_cover_everything_once", parts_cover_everything_once},
    {"fraction_matches_hashlib", fraction_matches_hashlib},
    {"fractions_are_nested", fractions_are_nested},
    {"choices_are_independent", choices_are_independent},
    {"nonsense_is_refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("split", cases, argc, argv);
}
