#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "train/augment.h"

enum { CHANNELS = 3, SIZE = 20, REACH = SIZE / 10, PIXELS = SIZE * SIZE, VIEWS = 400 };

static float x[CHANNELS * PIXELS], y[CHANNELS * PIXELS];

static void fill(void)
{
    for (size_t i = 0; i < PIXELS; i++)
        for (size_t c = 0; c < CHANNELS; c++)
            x[c * PIXELS + i] = 50 + s2clr_random_uniform(1, 1, i) + 100 * (float)c;
}

static const float mean[CHANNELS] = {50, 150, 250}, deviation[CHANNELS] = {1, 2, 3};

static void view(uint32_t flags, uint64_t sample)
{
    const s2clr_augment_recipe recipe = {.flags = flags};
    TEST_OK(s2clr_augment(&recipe, 11, 2, sample, 0, mean, deviation, CHANNELS, SIZE, x, y));
}

/* Pixel (i, j) of x after symmetry k: bit 0 mirrors columns, bit 1 rows, bit 2 transposes. */
static float symmetric(int k, int c, int i, int j)
{
    const int row = k & 2 ? SIZE - 1 - i : i, column = k & 1 ? SIZE - 1 - j : j;
    return k & 4 ? x[c * PIXELS + column * SIZE + row] : x[c * PIXELS + row * SIZE + column];
}

static int matching_symmetry(void)
{
    for (int k = 0; k < 8; k++) {
        bool same = true;
        for (int n = 0; n < CHANNELS * PIXELS && same; n++)
            same = y[n] == symmetric(k, n / PIXELS, n % PIXELS / SIZE, n % SIZE);
        if (same) return k;
    }
    return -1;
}

/* How often each symmetry comes up; every view must be one. */
static void count_symmetries(uint32_t flags, int seen[8])
{
    fill();
    memset(seen, 0, 8 * sizeof *seen);
    for (uint64_t sample = 0; sample < VIEWS; sample++) {
        view(flags, sample);
        const int k = matching_symmetry();
        CU_ASSERT_NOT_EQUAL_FATAL(k, -1);
        seen[k]++;
    }
}

static void flips_reach_four(void)
{
    int seen[8];
    count_symmetries(S2CLR_AUGMENT_FLIP, seen);
    for (int k = 0; k < 4; k++) CU_ASSERT_TRUE(seen[k] > 60 && seen[k] < 140);
    for (int k = 4; k < 8; k++) CU_ASSERT_EQUAL(seen[k], 0);
}

static void quarter_turn(void)
{
    int seen[8];
    count_symmetries(S2CLR_AUGMENT_ROT90, seen);
    CU_ASSERT_TRUE(seen[0] > 150 && seen[0] < 250);
    CU_ASSERT_EQUAL(seen[0] + seen[5] + seen[6], VIEWS); /* 5 and 6 turn, 4 and 7 mirror */
    CU_ASSERT_TRUE(seen[5] == 0 || seen[6] == 0);
}

static void flips_and_turns_reach_all_eight(void)
{
    int seen[8];
    count_symmetries(S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_ROT90, seen);
    for (int k = 0; k < 8; k++) CU_ASSERT_TRUE(seen[k] > 25 && seen[k] < 80);
}

/* Walks back and forth over 0 .. SIZE-1: 0 1 2 ... 19 18 ... 1 0 1 ... */
static int bounce(int i)
{
    const int period = 2 * (SIZE - 1), at = ((i % period) + period) % period;
    return at < SIZE ? at : period - at;
}

static bool is_shift(int down, int right)
{
    for (int c = 0; c < CHANNELS; c++)
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                if (y[c * PIXELS + i * SIZE + j] !=
                    x[c * PIXELS + bounce(i - down) * SIZE + bounce(j - right)])
                    return false;
    return true;
}

static void shift_reflects(void)
{
    int seen[2 * REACH + 1][2 * REACH + 1] = {{0}};
    fill();
    for (uint64_t sample = 0; sample < VIEWS; sample++) {
        int found = 0;
        view(S2CLR_AUGMENT_SHIFT, sample);
        for (int down = -REACH; down <= REACH; down++)
            for (int right = -REACH; right <= REACH; right++)
                if (is_shift(down, right)) found++, seen[down + REACH][right + REACH]++;
        CU_ASSERT_EQUAL(found, 1);
    }
    for (int i = 0; i <= 2 * REACH; i++)
        for (int j = 0; j <= 2 * REACH; j++) CU_ASSERT_TRUE(seen[i][j] > 0);
}

static double binomial(int c, int i, int j)
{
    static const double kernel[3] = {0.25, 0.5, 0.25};
    double sum = 0;
    for (int a = -1; a <= 1; a++)
        for (int b = -1; b <= 1; b++)
            sum += kernel[a + 1] * kernel[b + 1] *
                   (double)x[c * PIXELS + bounce(i + a) * SIZE + bounce(j + b)];
    return sum;
}

static void blur_against_nine_taps(void)
{
    int sharp = 0;
    double weakest = 1, strongest = 0;
    fill();
    for (uint64_t sample = 0; sample < VIEWS; sample++) {
        view(S2CLR_AUGMENT_BLUR, sample);
        if (memcmp(x, y, sizeof x) == 0) {
            sharp++;
            continue;
        }
        double moved = 0, full = 0; /* least squares: y - x = strength * (binomial - x) */
        for (int n = 0; n < PIXELS; n++) {
            const double d = binomial(0, n / SIZE, n % SIZE) - (double)x[n];
            moved += d * (double)(y[n] - x[n]), full += d * d;
        }
        const double strength = moved / full;
        weakest = fmin(weakest, strength), strongest = fmax(strongest, strength);
        for (int n = 0; n < CHANNELS * PIXELS; n++) {
            const double b = binomial(n / PIXELS, n % PIXELS / SIZE, n % SIZE);
            TEST_NEAR(y[n], (double)x[n] + strength * (b - (double)x[n]), 1e-4);
        }
    }
    CU_ASSERT_TRUE(sharp > 150 && sharp < 250);
    CU_ASSERT_TRUE(weakest >= 0 && weakest < 0.1 && strongest > 0.9 && strongest <= 1);
}

static void gain_is_one_factor(void)
{
    double least = 2, most = 0, logs = 0;
    fill();
    for (uint64_t sample = 0; sample < VIEWS; sample++) {
        view(S2CLR_AUGMENT_GAIN, sample);
        const double factor = (double)y[0] / (double)x[0];
        least = fmin(least, factor), most = fmax(most, factor), logs += log(factor);
        for (int n = 0; n < CHANNELS * PIXELS; n++) TEST_NEAR(y[n], factor * (double)x[n], 1e-4);
    }
    CU_ASSERT_TRUE(least >= 0.8 - 1e-6 && least < 0.82 && most > 1.22 && most <= 1.25 + 1e-6);
    TEST_NEAR(logs / VIEWS, 0, 0.03);
}

static void views_depend_on_counters_only(void)
{
    const s2clr_augment_entry *list;
    const size_t count = s2clr_augment_list(&list);
    s2clr_augment_recipe all = {0};
    static float again[CHANNELS * PIXELS];
    for (size_t i = 0; i < count; i++) all.flags |= list[i].flag;
    fill();
    view(all.flags, 5);
    const uint64_t others[5][4] = {
        {11, 2, 5, 0}, {12, 2, 5, 0}, {11, 3, 5, 0}, {11, 2, 6, 0}, {11, 2, 5, 1}};
    for (int i = 0; i < 5; i++) {
        TEST_OK(s2clr_augment(&all, others[i][0], others[i][1], others[i][2], (int)others[i][3],
                              mean, deviation, CHANNELS, SIZE, x, again));
        CU_ASSERT_EQUAL(memcmp(y, again, sizeof y) == 0, i == 0);
    }
    view(0, 5);
    CU_ASSERT_EQUAL(memcmp(x, y, sizeof x), 0);
}

/* Trained models and their tests depend on these: FNV-1a of 50 views each, made before there were
 * second views. */
static void first_five_keep_their_bits(void)
{
    static const uint64_t known[6] = {0x6868dec96038e735u, 0xd3e337e7e5f4f701u,
                                      0xa8b8a45196946e7fu, 0xd2b70f0c46023577u,
                                      0xee75b4e25a6648cfu, 0xb09fbd8fd47cba6cu};
    fill();
    for (int f = 0; f < 6; f++) {
        uint64_t hash = 14695981039346656037u;
        for (uint64_t sample = 0; sample < 50; sample++) {
            view(f < 5 ? 1u << f : 31u, sample);
            const uint8_t *bytes = (const uint8_t *)y;
            for (size_t i = 0; i < sizeof y; i++) hash = (hash ^ bytes[i]) * 1099511628211u;
        }
        CU_ASSERT_EQUAL(hash, known[f]);
    }
}

/* Were two augmentations to share a stream, whether they act would always agree (or never). */
static void augmentations_are_independent(void)
{
    int agree = 0;
    fill();
    for (uint64_t sample = 0; sample < VIEWS; sample++) {
        view(S2CLR_AUGMENT_ROT90, sample);
        const bool turned = memcmp(x, y, sizeof x) != 0;
        view(S2CLR_AUGMENT_BLUR, sample);
        agree += turned == (memcmp(x, y, sizeof x) != 0);
    }
    CU_ASSERT_TRUE(agree > 150 && agree < 250);
}

static void invalid_pixels_travel(void)
{
    fill();
    x[10 * SIZE + 10] = NAN;
    for (uint64_t sample = 0; sample < 50; sample++) {
        int lost = 0;
        view(S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_SHIFT | S2CLR_AUGMENT_GAIN, sample);
        for (int n = 0; n < CHANNELS * PIXELS; n++) lost += isnan(y[n]);
        CU_ASSERT_EQUAL(lost, 1);
        view(S2CLR_AUGMENT_BLUR, sample);
        for (int n = 0; n < PIXELS; n++)
            if (isnan(y[n])) CU_ASSERT_TRUE(abs(n / SIZE - 10) <= 1 && abs(n % SIZE - 10) <= 1);
    }
}

static void tiny_patches(void)
{
    const s2clr_augment_recipe recipe = {.flags = S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_ROT90 |
                                                  S2CLR_AUGMENT_SHIFT | S2CLR_AUGMENT_BLUR |
                                                  S2CLR_AUGMENT_ROLL | S2CLR_AUGMENT_ZOOM |
                                                  S2CLR_AUGMENT_ROTATE | S2CLR_AUGMENT_BLUR5 |
                                                  S2CLR_AUGMENT_CROP | S2CLR_AUGMENT_GAUSSIAN};
    const float one = 3;
    float out = 0;
    for (uint64_t sample = 0; sample < 20; sample++) {
        TEST_OK(s2clr_augment(&recipe, 1, 0, sample, 0, &one, &one, 1, 1, &one, &out));
        TEST_NEAR(out, one, 1e-6);
    }
}

static const test_case cases[] = {
    {"flips reach four symmetries", flips_reach_four},
    {"quarter turn", quarter_turn},
    {"flips and turns reach all eight", flips_and_turns_reach_all_eight},
    {"shift reflects at the border", shift_reflects},
    {"blur against nine taps", blur_against_nine_taps},
    {"gain is one factor", gain_is_one_factor},
    {"views depend on counters only", views_depend_on_counters_only},
    {"augmentations are independent", augmentations_are_independent},
    {"invalid pixels travel", invalid_pixels_travel},
    {"the first five keep their bits", first_five_keep_their_bits},
    {"patches of one pixel", tiny_patches},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("augment", cases, argc, argv);
}
