/* The augmentations of pretraining: against PyTorch and NumPy, and what must hold for all draws. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "golden/golden_augment.h"
#include "train/augment.h"

enum { CHANNELS = 3, SIZE = GOLDEN_SIZE, PIXELS = SIZE * SIZE, VALUES = CHANNELS * PIXELS };

static const float mean[CHANNELS] = {0.2f, 0.3f, 0.4f}, deviation[CHANNELS] = {0.1f, 0.15f, 0.2f};
static float x[VALUES], y[VALUES];

static void fill(void)
{
    for (size_t i = 0; i < VALUES; i++)
        x[i] = 0.05f * (float)(i / PIXELS + 1) + 0.3f * s2clr_random_uniform(5, 5, i);
}

static void see(const char *words, uint64_t sample, int view)
{
    s2clr_augment_recipe recipe;
    TEST_OK(s2clr_augment_parse(words, &recipe));
    TEST_OK(s2clr_augment(&recipe, GOLDEN_SEED, GOLDEN_EPOCH, sample, view, mean, deviation,
                          CHANNELS, SIZE, x, y));
}

/* ---- against other programs ---- */

static void golden_pixels(void)
{
    fill();
    for (size_t v = 0; v < sizeof golden_views / sizeof golden_views[0]; v++) {
        const struct golden_view *golden = &golden_views[v];
        see(golden->name, (uint64_t)golden->sample, golden->view);
        for (int i = 0; i < GOLDEN_VALUES; i++)
            TEST_NEAR(y[i * GOLDEN_STEP], golden->value[i], 2e-6);
    }
}

/* Which lines a view drew cannot be asked, but each alone, in the golden order, must give it. */
static void golden_choices(void)
{
    static float one[VALUES], both[VALUES];
    const s2clr_augment_entry *table;
    s2clr_augment_list(&table);
    fill();
    for (int i = 0; i < 40; i++) {
        const uint64_t sample = (uint64_t)i % 20;
        s2clr_augment_recipe single = {.flags = table[golden_choice[i][0]].flag};
        TEST_OK(s2clr_augment(&single, GOLDEN_SEED, GOLDEN_EPOCH, sample, i / 20, mean, deviation,
                              CHANNELS, SIZE, x, one));
        single.flags = table[golden_choice[i][1]].flag;
        TEST_OK(s2clr_augment(&single, GOLDEN_SEED, GOLDEN_EPOCH, sample, i / 20, mean, deviation,
                              CHANNELS, SIZE, one, both));
        see("simclr-s2", sample, i / 20);
        CU_ASSERT_EQUAL(memcmp(both, y, sizeof y), 0);
    }
}

/* ---- for all draws ---- */

static int by_value(const void *a, const void *b)
{
    const float p = *(const float *)a, q = *(const float *)b;
    return (p > q) - (p < q);
}

static void movements_keep_all_pixels(void)
{
    static const char *const words[] = {"flip", "rot90", "roll", "rotate"};
    static float before[PIXELS];
    fill();
    memcpy(before, x, sizeof before);
    qsort(before, PIXELS, sizeof *before, by_value);
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        int moved = 0;
        for (uint64_t sample = 0; sample < 12; sample++) {
            see(words[w], sample, 1);
            moved += memcmp(x, y, sizeof x) != 0;
            qsort(y, PIXELS, sizeof *y, by_value);
            CU_ASSERT_EQUAL(memcmp(before, y, sizeof before), 0);
        }
        CU_ASSERT_TRUE(moved > 0);
    }
}

static void roll_comes_back(void)
{
    int seen[SIZE / 10][SIZE / 10] = {{0}};
    fill();
    for (uint64_t sample = 0; sample < 200; sample++) {
        int found = 0;
        see("roll", sample, 0);
        for (int down = 0; down < SIZE / 10; down++)
            for (int right = 0; right < SIZE / 10; right++) {
                bool same = true;
                for (int n = 0; n < PIXELS && same; n++)
                    same = y[n] == x[(n / SIZE - down + SIZE) % SIZE * SIZE +
                                     (n % SIZE - right + SIZE) % SIZE];
                if (same) found++, seen[down][right]++;
            }
        CU_ASSERT_EQUAL(found, 1);
    }
    for (int i = 0; i < SIZE / 10; i++)
        for (int j = 0; j < SIZE / 10; j++) CU_ASSERT_TRUE(seen[i][j] > 0);
}

static void set_plane(float value)
{
    for (size_t i = 0; i < VALUES; i++) x[i] = value;
}

static void constants_stay(void)
{
    static const char *const words[] = {"blur5", "gaussian", "crop", "zoom", "contrast"};
    set_plane(0.7f);
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
        for (uint64_t sample = 0; sample < 12; sample++) {
            see(words[w], sample, 0);
            for (int n = 0; n < VALUES; n++) TEST_NEAR(y[n], 0.7, 1e-6);
        }
}

/* Coordinates as pixels: what is read back tells where a pixel came from. */
static void crops_are_crops(void)
{
    double smallest = 1, largest = 0, widest = 0, highest = 0;
    for (int n = 0; n < PIXELS; n++) {
        x[n] = (float)(n / SIZE);
        x[PIXELS + n] = (float)(n % SIZE);
        x[2 * PIXELS + n] = 1;
    }
    for (uint64_t sample = 0; sample < 400; sample++) {
        see("crop", sample, 0);
        for (int n = 0; n < PIXELS; n++) {
            CU_ASSERT_TRUE(y[n] >= 0 && y[n] <= SIZE - 1);
            if (n % SIZE > 0) CU_ASSERT_EQUAL(y[n], y[n - 1]);  /* a row comes from one row */
            if (n >= SIZE) CU_ASSERT_TRUE(y[n] >= y[n - SIZE]); /* and never mirrored */
        }
        /* the middle is not clamped: half a patch of output covers half the crop */
        const double height = 2 * (double)(y[3 * PIXELS / 4] - y[PIXELS / 4]);
        const double width = 2 * (double)(y[PIXELS + 3 * SIZE / 4] - y[PIXELS + SIZE / 4]);
        const double area = height * width / PIXELS, ratio = width / height;
        smallest = fmin(smallest, area), largest = fmax(largest, area);
        widest = fmax(widest, ratio), highest = fmax(highest, 1 / ratio);
    }
    CU_ASSERT_TRUE(smallest > 0.18 && smallest < 0.24 && largest > 0.9 && largest <= 1);
    CU_ASSERT_TRUE(widest > 1.25 && widest < 1.42 && highest > 1.25 && highest < 1.42);
}

/* One invalid pixel, in all bands. */
static void punch(int n)
{
    for (int c = 0; c < CHANNELS; c++) x[c * PIXELS + n] = NAN;
}

static void holes_travel(void)
{
    const int hole = 20 * SIZE + 17;
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    fill();
    punch(hole);
    for (size_t line = 0; line < count; line++) {
        const uint32_t mixing = S2CLR_AUGMENT_BLUR | S2CLR_AUGMENT_ZOOM | S2CLR_AUGMENT_CROP;
        const uint32_t moving = S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_ROT90 | S2CLR_AUGMENT_SHIFT |
                                S2CLR_AUGMENT_ROLL | S2CLR_AUGMENT_ROTATE;
        for (uint64_t sample = 0; sample < 12; sample++) {
            int lost = 0;
            see(table[line].name, sample, 0);
            for (int n = 0; n < PIXELS; n++) {
                lost += isnan(y[n]);
                CU_ASSERT_EQUAL(isnan(y[n]), isnan(y[n + PIXELS]));
                CU_ASSERT_EQUAL(isnan(y[n]), isnan(y[n + 2 * PIXELS]));
            }
            if (!(table[line].flag & mixing)) CU_ASSERT_EQUAL(lost, 1);
            if (!(table[line].flag & (mixing | moving))) CU_ASSERT_TRUE(isnan(y[hole]));
        }
    }
}

/* A Gaussian beside a hole takes the mean of what is left: of a constant, the constant. */
static void holes_do_not_darken(void)
{
    set_plane(0.7f);
    punch(20 * SIZE + 17);
    punch(0);
    for (uint64_t sample = 0; sample < 12; sample++) {
        see("gaussian,blur5", sample, 0);
        for (int n = 0; n < VALUES; n++)
            if (!isnan(x[n])) TEST_NEAR(y[n], 0.7, 1e-6);
    }
}

typedef struct range {
    double low, high;
} range;

static void widen(range *r, double value)
{
    r->low = fmin(r->low, value);
    r->high = fmax(r->high, value);
}

/* Factor and offset of band c, from two of its pixels. */
static void line_of(int c, double *factor, double *offset)
{
    const int a = c * PIXELS, b = a + 1;
    *factor = ((double)y[a] - (double)y[b]) / ((double)x[a] - (double)x[b]);
    *offset = ((double)y[a] - *factor * (double)x[a]) / (double)deviation[c];
}

static void radiometry_keeps_its_ranges(void)
{
    range joint = {9, -9}, joint_offset = {9, -9}, own = {9, -9}, own_offset = {9, -9};
    int still = 0;
    fill();
    for (uint64_t sample = 0; sample < 1000; sample++) {
        double factor[CHANNELS], offset[CHANNELS];
        see("jitter", sample, 0);
        for (int c = 0; c < CHANNELS; c++) line_of(c, &factor[c], &offset[c]);
        for (int c = 1; c < CHANNELS; c++) {
            TEST_NEAR(factor[c], factor[0], 1e-4);
            TEST_NEAR(offset[c], offset[0], 1e-3);
        }
        widen(&joint, factor[0]), widen(&joint_offset, offset[0]);
        still += memcmp(x, y, sizeof x) == 0;
        see("band-gain", sample, 0);
        for (int c = 0; c < CHANNELS; c++) {
            line_of(c, &factor[c], &offset[c]);
            widen(&own, factor[c]), widen(&own_offset, offset[c]);
        }
        if (memcmp(x, y, sizeof x) != 0) CU_ASSERT_TRUE(fabs(factor[0] - factor[1]) > 1e-7);
    }
    CU_ASSERT_TRUE(still > 150 && still < 250);
    const range found[] = {joint, joint_offset, own, own_offset};
    const range wanted[] = {{0.8, 1.25}, {-0.2, 0.2}, {1 / 1.1, 1.1}, {-0.1, 0.1}};
    for (int i = 0; i < 4; i++) {
        const double slack = 0.02 * (wanted[i].high - wanted[i].low);
        TEST_NEAR(found[i].low, wanted[i].low, slack);
        TEST_NEAR(found[i].high, wanted[i].high, slack);
    }
}

static void bands_are_dropped_one_in_ten(void)
{
    int dropped = 0, all = 0;
    fill();
    for (uint64_t sample = 0; sample < 3000; sample++) {
        int here = 0;
        see("band-drop", sample, 0);
        for (int c = 0; c < CHANNELS; c++) {
            const bool gone = y[c * PIXELS] == mean[c] && y[c * PIXELS + 1] == mean[c];
            CU_ASSERT_TRUE(gone || memcmp(x + c * PIXELS, y + c * PIXELS, PIXELS * sizeof *x) == 0);
            here += gone;
        }
        dropped += here;
        all += here == CHANNELS;
    }
    CU_ASSERT_TRUE(dropped > 800 && dropped < 1000);
    CU_ASSERT_EQUAL(all, 0);
}

static void speckle_is_rare(void)
{
    int low = 0, high = 0, kept = 0;
    fill();
    for (uint64_t sample = 0; sample < 200; sample++) {
        see("speckle", sample, 0);
        for (int n = 0; n < VALUES; n++) {
            const int c = n / PIXELS;
            low += y[n] == mean[c] - 5 * deviation[c];
            high += y[n] == mean[c] + 5 * deviation[c];
            kept += y[n] == x[n];
        }
    }
    CU_ASSERT_EQUAL(low + high + kept, 200 * VALUES);
    TEST_NEAR((double)low / (200.0 * VALUES), 0.01, 0.001);
    TEST_NEAR((double)high / (200.0 * VALUES), 0.01, 0.001);
}

static void two_views_are_independent(void)
{
    int agree = 0;
    fill();
    for (uint64_t sample = 0; sample < 400; sample++) {
        see("rot90", sample, 0);
        const bool turned = memcmp(x, y, sizeof x) != 0;
        see("rot90", sample, 1);
        agree += turned == (memcmp(x, y, sizeof x) != 0);
    }
    CU_ASSERT_TRUE(agree > 150 && agree < 250);
}

static const test_case cases[] = {
    {"pixels are PyTorch's and NumPy's", golden_pixels},
    {"two per view, in NumPy's order", golden_choices},
    {"movements keep all pixels", movements_keep_all_pixels},
    {"roll comes back at the other border", roll_comes_back},
    {"constants stay", constants_stay},
    {"crops are crops", crops_are_crops},
    {"holes travel", holes_travel},
    {"holes do not darken their neighbours", holes_do_not_darken},
    {"radiometry keeps its ranges", radiometry_keeps_its_ranges},
    {"bands are dropped one time in ten", bands_are_dropped_one_in_ten},
    {"speckle is rare", speckle_is_rare},
    {"two views are independent", two_views_are_independent},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("augment_views", cases, argc, argv);
}
