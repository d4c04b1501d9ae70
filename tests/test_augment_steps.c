/* Steps of views against slow references: moves that are joined into one step, one after the other;
 * values by the formulas of backend/view_steps.h in double. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "train/paugment.h"

enum { SIZE = 11, PIXELS = SIZE * SIZE, BANDS = 2, VALUES = BANDS * PIXELS, TRIALS = 300 };

static const float mean[BANDS] = {1, 2}, deviation[BANDS] = {0.5f, 0.25f};
static float x[VALUES], y[VALUES], other[VALUES], scratch[3 * PIXELS];

static void fill(void)
{
    for (size_t i = 0; i < VALUES; i++) x[i] = s2clr_random_normal(9, 2, i);
}

/* ---- moves ---- */

/* Each step of a view as a view of its own, the next made of what the one before made. */
static void one_by_one(const s2clr_view_list *list, float *result)
{
    static float from[VALUES];
    s2clr_view single = list->view[0];
    s2clr_view_list piece = *list;
    piece.view = &single;
    memcpy(result, x, sizeof x);
    for (size_t k = 0; k < list->view[0].steps; k++) {
        single = (s2clr_view){.first = k, .steps = 1};
        memcpy(from, result, sizeof from);
        s2clr_view_run(&piece, 0, from, scratch, result);
    }
}

/* Pixel (i, j) of a patch after a move whose tables are rows and columns, straight from the text.
 */
static float moved(const float *from, const s2clr_view_position *rows, bool transposed, int i,
                   int j)
{
    const s2clr_view_position r = rows[i], c = rows[SIZE + j];
#define AT(row, column) (transposed ? from[(column)*SIZE + (row)] : from[(row)*SIZE + (column)])
    const float low = AT(r.low, c.low) + c.share * (AT(r.low, c.high) - AT(r.low, c.low));
    const float high = AT(r.high, c.low) + c.share * (AT(r.high, c.high) - AT(r.high, c.low));
#undef AT
    return low + r.share * (high - low);
}

static s2clr_view_position random_position(uint64_t at, bool blends)
{
    const int low = (int)s2clr_random_below(1, 5, 3 * at, SIZE);
    const float share = blends ? s2clr_random_uniform(1, 5, 3 * at + 1) : 0;
    const int high = share > 0 && low + 1 < SIZE ? low + 1 : low;
    return (s2clr_view_position){.low = low, .high = high, .share = high > low ? share : 0};
}

typedef struct move {
    s2clr_view_position rows[2 * SIZE];
    bool transposed, blends;
} move;

static move random_move(uint64_t number)
{
    move m = {.transposed = s2clr_random_below(1, 6, 2 * number, 2) == 1,
              .blends = s2clr_random_below(1, 6, 2 * number + 1, 2) == 1};
    for (uint64_t i = 0; i < 2 * SIZE; i++)
        m.rows[i] = random_position(number * 2 * SIZE + i, m.blends);
    return m;
}

static void add_move(const augment_plan *plan, const move *m)
{
    s2clr_view_position *const rows = s2clr_augment_axes(plan);
    memcpy(rows, m->rows, sizeof m->rows);
    s2clr_augment_axes_end(plan, m->transposed, m->blends);
}

static void apply_move(const move *m, const float *from, float *to)
{
    for (int c = 0; c < BANDS; c++)
        for (int n = 0; n < PIXELS; n++)
            to[c * PIXELS + n] =
                moved(from + c * PIXELS, m->rows, m->transposed, n / SIZE, n % SIZE);
}

/* Four random moves: few steps, and the bits of one after the other. */
static void moves_are_joined(void)
{
    s2clr_view_list *list;
    size_t steps = 0;
    fill();
    TEST_OK(s2clr_view_list_new(BANDS, SIZE, 1, 4, &list));
    const augment_plan plan = {BANDS, SIZE, mean, deviation, list};
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        static float before[VALUES];
        s2clr_view_list_clear(list);
        s2clr_view_list_begin(list, 0);
        memcpy(other, x, sizeof x);
        for (uint64_t k = 0; k < 4; k++) {
            const move m = random_move(4 * trial + k);
            add_move(&plan, &m);
            memcpy(before, other, sizeof other);
            apply_move(&m, before, other);
        }
        s2clr_view_run(list, 0, x, scratch, y);
        CU_ASSERT_EQUAL(memcmp(y, other, sizeof y), 0);
        CU_ASSERT_EQUAL(list->positions, 2 * SIZE * list->steps);
        CU_ASSERT_EQUAL(list->view[0].steps, list->steps);
        steps += list->steps;
    }
    CU_ASSERT_TRUE(steps < 3 * TRIALS && steps > TRIALS);
    s2clr_view_list_free(list);
}

/* A preset's moves, which come first and blend once, are one step. */
static void moves_of_a_preset_are_one_step(void)
{
    s2clr_augment_recipe recipe;
    s2clr_view_list *list;
    TEST_OK(s2clr_augment_parse("multispectral", &recipe));
    CU_ASSERT_EQUAL(s2clr_augment_steps(&recipe), 7);
    TEST_OK(s2clr_view_list_new(BANDS, SIZE, 1, s2clr_augment_steps(&recipe), &list));
    fill();
    for (uint64_t sample = 0; sample < 100; sample++) {
        int moves = 0;
        s2clr_view_list_clear(list);
        s2clr_view_list_begin(list, 0);
        TEST_OK(s2clr_augment_plan(&recipe, 3, 0, sample, 0, mean, deviation, list));
        for (size_t k = 0; k < list->steps; k++) moves += list->step[k].act == S2CLR_VIEW_GATHER;
        CU_ASSERT_EQUAL(moves, 1);
        one_by_one(list, other);
        s2clr_view_run(list, 0, x, scratch, y);
        CU_ASSERT_EQUAL(memcmp(y, other, sizeof y), 0);
    }
    s2clr_view_list_free(list);
}

/* ---- values ---- */

static void begin(s2clr_view_list *list)
{
    s2clr_view_list_clear(list);
    s2clr_view_list_begin(list, 0);
}

static void values_by_the_formulas(void)
{
    s2clr_view_list *list;
    fill();
    x[5] = NAN;
    TEST_OK(s2clr_view_list_new(BANDS, SIZE, 1, 2, &list));
    begin(list);
    s2clr_view_list_add(list, S2CLR_VIEW_AFFINE);
    memcpy(s2clr_view_list_numbers(list, 4), (float[]){2, 3, -1, 0.5f}, 4 * sizeof(float));
    s2clr_view_run(list, 0, x, scratch, y);
    for (int n = 0; n < VALUES; n++)
        if (n != 5) TEST_NEAR(y[n], n < PIXELS ? 2 * x[n] - 1 : 3 * x[n] + 0.5f, 1e-5);
    CU_ASSERT_TRUE(isnan(y[5]));
    begin(list);
    s2clr_view_list_add(list, S2CLR_VIEW_CONTRAST)->number = 0.5f;
    s2clr_view_run(list, 0, x, scratch, y);
    double sum = 0;
    for (int n = 0; n < PIXELS; n++) sum += n == 5 ? 0 : (double)x[n];
    for (int n = 0; n < PIXELS; n++)
        if (n != 5) TEST_NEAR(y[n], 0.5 * (double)x[n] + 0.5 * sum / (PIXELS - 1), 1e-5);
    begin(list);
    s2clr_view_list_add(list, S2CLR_VIEW_STANDARD);
    memcpy(s2clr_view_list_numbers(list, 4), (float[]){1, 2, 0.5f, 0.25f}, 4 * sizeof(float));
    s2clr_view_run(list, 0, x, scratch, y);
    for (int n = 0; n < VALUES; n++)
        TEST_NEAR(y[n], n == 5 ? 0 : n < PIXELS ? (x[n] - 1) / 0.5f : (x[n] - 2) / 0.25f, 1e-5);
    s2clr_view_list_free(list);
}

/* Which values are hit is said by the generator's numbers, one for each. */
static void speckle_by_its_numbers(void)
{
    s2clr_view_list *list;
    int low = 0, high = 0;
    fill();
    x[7] = NAN;
    TEST_OK(s2clr_view_list_new(BANDS, SIZE, 1, 1, &list));
    begin(list);
    s2clr_view_step *const step = s2clr_view_list_add(list, S2CLR_VIEW_SPECKLE);
    step->number = 0.1f, step->seed = 12, step->stream = 34, step->first = 1001;
    memcpy(s2clr_view_list_numbers(list, 4), (float[]){-10, -20, 10, 20}, 4 * sizeof(float));
    s2clr_view_run(list, 0, x, scratch, y);
    for (int n = 0; n < VALUES; n++) {
        const double u = (double)s2clr_random_uniform(12, 34, 1001 + (uint64_t)n);
        const float far = n < PIXELS ? 10 : 20;
        if (n == 7) continue;
        CU_ASSERT_EQUAL(y[n], u < 0.1 ? -far : u > 0.9 ? far : x[n]);
        low += y[n] == -far, high += y[n] == far;
    }
    CU_ASSERT_TRUE(isnan(y[7]) && low > 8 && high > 8);
    s2clr_view_list_free(list);
}

static const test_case cases[] = {
    {"moves are joined", moves_are_joined},
    {"moves of a preset are one step", moves_of_a_preset_are_one_step},
    {"values by the formulas", values_by_the_formulas},
    {"speckle by its numbers", speckle_by_its_numbers},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("augment_steps", cases, argc, argv);
}
