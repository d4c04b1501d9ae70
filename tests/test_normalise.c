#include "harness.h"

#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "train/normalise.h"

enum { BANDS = 3, PIXELS = 2500, MANY = 5000, SIDE = 3 };

static float dn[BANDS * PIXELS], v[BANDS * PIXELS], x[BANDS * PIXELS];
static const double offset[BANDS] = {-1000, 0, 500};

static void make_card(s2clr_card *card)
{
    *card = (s2clr_card){.bands = BANDS, .levels = 1, .patch = SIDE};
    s2clr_card_level *level = &card->level[0];
    strcpy(level->name, "L2A");
    level->low = -0.05, level->high = 1.2, level->has_nodata = true, level->nodata = 0;
    for (int b = 0; b < BANDS; b++) {
        level->gain[b] = 1e-4 * (1 + b), level->bias[b] = -0.01 * b;
        card->mean[b] = 0.1f * (float)(b + 1), card->std[b] = 0.05f * (float)(b + 2);
        strcpy(card->band[b], b == 1 ? "B03" : "B04");
    }
}

static void fill(void)
{
    for (size_t i = 0; i < BANDS * PIXELS; i++)
        dn[i] = 1 + floorf(20000 * s2clr_random_uniform(3, 0, i));
}

static double expected(const s2clr_card *card, int b, float stored, double shift)
{
    const s2clr_card_level *level = &card->level[0];
    const double value = level->gain[b] * ((double)stored + shift) + level->bias[b];
    return fmin(fmax(value, level->low), level->high);
}

static void against_the_formula(void)
{
    s2clr_card card;
    make_card(&card), fill();
    s2clr_normalise_unit(&card, &card.level[0], offset, NULL, PIXELS, dn, v);
    s2clr_normalise_standard(&card, PIXELS, v, x);
    int clamped = 0;
    for (int n = 0; n < BANDS * PIXELS; n++) {
        const int b = n / PIXELS;
        const double want = expected(&card, b, dn[n], offset[b]);
        clamped += want == card.level[0].low || want == card.level[0].high;
        TEST_NEAR(v[n], want, 1e-6);
        TEST_NEAR(x[n], (want - (double)card.mean[b]) / (double)card.std[b], 2e-5);
    }
    CU_ASSERT_TRUE(clamped > 100 && clamped < PIXELS * BANDS - 100);
    memcpy(v, dn, sizeof v);
    s2clr_normalise_unit(&card, &card.level[0], offset, NULL, PIXELS, v, v);
    s2clr_normalise_standard(&card, PIXELS, v, v);
    CU_ASSERT_EQUAL(memcmp(v, x, sizeof x), 0); /* in place gives the same bits */
}

/* A pixel is invalid in all bands as soon as one band is. */
static void invalid_pixels_become_zero(void)
{
    uint8_t valid[PIXELS];
    s2clr_card card;
    make_card(&card), fill();
    memset(valid, 1, sizeof valid);
    dn[PIXELS + 7] = NAN, dn[1030] = INFINITY, dn[2 * PIXELS + 2499] = 0;
    valid[40] = 0;
    for (int masked = 0; masked < 2; masked++) {
        s2clr_normalise_unit(&card, &card.level[0], NULL, masked ? valid : NULL, PIXELS, dn, v);
        s2clr_normalise_standard(&card, PIXELS, v, x);
        for (int n = 0; n < BANDS * PIXELS; n++) {
            const int pixel = n % PIXELS;
            /* the level's nodata counts only when the caller brings no mask of its own */
            const bool lost = pixel == 7 || pixel == 1030 || (masked ? pixel == 40 : pixel == 2499);
            CU_ASSERT_EQUAL(isnan(v[n]) != 0, lost);
            if (lost) CU_ASSERT_EQUAL(x[n], 0);
        }
    }
}

static s2clr_status read_patch(void *self, size_t index, float *out)
{
    const bool constant = self != NULL;
    for (size_t i = 0; i < BANDS * SIDE * SIDE; i++)
        out[i] = 3000 + 1000 * s2clr_random_normal(4, index, i);
    if (constant)
        for (size_t i = SIDE * SIDE; i < 2 * SIDE * SIDE; i++) out[i] = 42;
    if (index == 3) out[2] = 0; /* nodata */
    return S2CLR_OK;
}

static void measure(size_t count, int threads, s2clr_card *card)
{
    const s2clr_samples samples = {
        .count = count, .channels = BANDS, .size = SIDE, .read = read_patch};
    s2clr_pool *pool = NULL;
    make_card(card);
    TEST_OK(s2clr_pool_new(threads, &pool));
    TEST_OK(s2clr_normalise_measure(card, &card->level[0], &samples, 5, pool));
    s2clr_pool_free(pool);
}

static void mean_and_std_of_few_samples(void)
{
    enum { FEW = 40 };
    s2clr_card card, plain;
    float patch[BANDS * SIDE * SIDE];
    make_card(&plain);
    measure(FEW, 1, &card);
    for (int b = 0; b < BANDS; b++) {
        double n = 0, sum = 0, squares = 0;
        for (size_t s = 0; s < FEW; s++) {
            CU_ASSERT_EQUAL(read_patch(NULL, s, patch), S2CLR_OK);
            for (int i = 0; i < SIDE * SIDE; i++) {
                if (s == 3 && i == 2) continue;
                const double value = expected(&plain, b, patch[b * SIDE * SIDE + i], 0);
                n++, sum += value, squares += value * value;
            }
        }
        TEST_NEAR(card.mean[b], sum / n, 1e-6);
        TEST_NEAR(card.std[b], sqrt(squares / n - sum / n * sum / n), 1e-6);
    }
}

static void threads_do_not_matter(void)
{
    s2clr_card one, two;
    measure(MANY, 1, &one), measure(MANY, 2, &two);
    CU_ASSERT_EQUAL(memcmp(one.mean, two.mean, sizeof one.mean), 0);
    CU_ASSERT_EQUAL(memcmp(one.std, two.std, sizeof one.std), 0);
    TEST_NEAR(one.mean[0], 0.3, 0.002);
    TEST_NEAR(one.std[0], 0.1, 0.002);
}

static void constant_band_is_refused(void)
{
    int constant = 1;
    const s2clr_samples samples = {
        .self = &constant, .count = 9, .channels = BANDS, .size = SIDE, .read = read_patch};
    s2clr_card card;
    s2clr_pool *pool = NULL;
    make_card(&card);
    TEST_OK(s2clr_pool_new(1, &pool));
    CU_ASSERT_EQUAL(s2clr_normalise_measure(&card, &card.level[0], &samples, 5, pool),
                    S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("B03");
    CU_ASSERT_EQUAL(card.std[0], 0.1f);
    s2clr_pool_free(pool);
}

static const test_case cases[] = {
    {"against the card's formula", against_the_formula},
    {"invalid pixels become zero", invalid_pixels_become_zero},
    {"mean and std of few samples", mean_and_std_of_few_samples},
    {"mean and std of a subset, whatever the threads", threads_do_not_matter},
    {"constant band is refused", constant_band_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("normalise", cases, argc, argv);
}
