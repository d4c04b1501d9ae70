/*
 * Views on every backend that makes them: the bits that the host makes of the same steps. See
 * backend/view_steps.h; what the steps themselves have to be is checked by test_augment*.c.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "resident_rig.h"
#include "train/augment.h"

enum { PATCHES = 5, VIEWS = 12, BANDS_MAX = 10, SIDE_MAX = 21 };
enum { VALUES_MAX = BANDS_MAX * SIDE_MAX * SIDE_MAX };

static float patches[PATCHES * VALUES_MAX], wanted_y[VIEWS * VALUES_MAX], y[VIEWS * VALUES_MAX];
static float mean[BANDS_MAX], deviation[BANDS_MAX], scratch[3 * SIDE_MAX * SIDE_MAX];

/* The second of three has no hole, one band of the last patch nothing but holes. */
static void fill(int bands, int side)
{
    const size_t pixels = (size_t)side * (size_t)side;
    for (size_t c = 0; c < (size_t)bands; c++) {
        mean[c] = 0.2f + 0.05f * (float)c;
        deviation[c] = 0.04f + 0.01f * (float)c;
        for (size_t p = 0; p < PATCHES; p++)
            for (size_t i = 0; i < pixels; i++) {
                const size_t at = (p * (size_t)bands + c) * pixels + i;
                const bool hole = (p % 3 != 1 && i % 19 == p) || (p + 1 == PATCHES && c == 0);
                patches[at] = hole ? NAN : mean[c] + deviation[c] * s2clr_random_normal(3, p, at);
            }
    }
}

static void standardise(s2clr_view_list *list)
{
    const size_t bands = (size_t)list->channels;
    s2clr_view_list_add(list, S2CLR_VIEW_STANDARD);
    float *const numbers = s2clr_view_list_numbers(list, 2 * bands);
    memcpy(numbers, mean, bands * sizeof *numbers);
    memcpy(numbers + bands, deviation, bands * sizeof *numbers);
}

/* Every second view is normalised at its end, as those for training are; patches are seen in no
 * particular order. */
static void make_views(const s2clr_augment_recipe *recipe, s2clr_view_list *list)
{
    s2clr_view_list_clear(list);
    for (size_t v = 0; v < VIEWS; v++) {
        s2clr_view_list_begin(list, v * 3 % PATCHES);
        TEST_OK(s2clr_augment_plan(recipe, 7, 1, v, (int)(v % 2), mean, deviation, list));
        if (v % 2) standardise(list);
    }
}

static bool same_values(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i]))) return false;
    return true;
}

static void check_list(resident_place *p, const s2clr_view_list *list, const char *words)
{
    const size_t values = (size_t)list->channels * (size_t)list->size * (size_t)list->size;
    float *const from = resident_put_floats(p, patches, PATCHES * values);
    float *const to = resident_put_floats(p, NULL, VIEWS * values);
    void *const work = resident_put(p, NULL, p->on->views->work_bytes(p->device, list), 0);
    TEST_OK(p->on->views->run(p->stream, list, from, work, to));
    resident_get(p, to, VIEWS * values * sizeof *y, y);
    for (size_t v = 0; v < VIEWS; v++)
        s2clr_view_run(list, v, patches + list->view[v].patch * values, scratch,
                       wanted_y + v * values);
    const bool same = same_values(y, wanted_y, VIEWS * values);
    if (!same)
        printf("  %s: %s, %d bands, %d pixels\n", p->be->name, words, list->channels, list->size);
    CU_ASSERT_TRUE(same);
}

static void check_recipe(resident_place *p, const char *words, int bands, int side)
{
    s2clr_augment_recipe recipe;
    s2clr_view_list *list;
    const int before = p->arrays;
    TEST_OK(s2clr_augment_parse(words, &recipe));
    TEST_OK(s2clr_view_list_new(bands, side, VIEWS, s2clr_augment_steps(&recipe) + 1, &list));
    fill(bands, side);
    make_views(&recipe, list);
    check_list(p, list, words);
    s2clr_view_list_free(list);
    while (p->arrays > before) p->be->buffer_free(p->device, p->array[--p->arrays]);
}

static void check_all_recipes(resident_place *p, resident_place *wanted)
{
    static const int shapes[][2] = {{1, 1}, {3, 2}, {2, 7}, {10, SIDE_MAX}};
    const s2clr_augment_entry *table;
    const s2clr_augment_preset *preset;
    const size_t lines = s2clr_augment_list(&table), presets = s2clr_augment_preset_list(&preset);
    (void)wanted;
    if (!p->on->views) return;
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (size_t i = 0; i < lines; i++)
            check_recipe(p, table[i].name, shapes[s][0], shapes[s][1]);
        for (size_t i = 0; i < presets; i++)
            check_recipe(p, preset[i].name, shapes[s][0], shapes[s][1]);
        check_recipe(p, "none", shapes[s][0], shapes[s][1]);
        check_recipe(p, "blur,zoom,rotate,contrast,blur5,speckle,crop,gaussian", shapes[s][0],
                     shapes[s][1]);
    }
}

static void bits_of_the_host(void)
{
    resident_everywhere(check_all_recipes);
}

/* A turn after a zoom, and a zoom after a turn: what may be one step, and what may not. */
static void check_moves(resident_place *p, resident_place *wanted)
{
    static const char *const words[] = {"2:zoom,rotate", "2:crop,flip", "3:zoom,rot90,roll",
                                        "2:zoom,crop", "4:flip,shift,rotate,crop"};
    (void)wanted;
    if (!p->on->views) return;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) check_recipe(p, words[i], 2, 9);
}

static void moves_that_are_joined(void)
{
    resident_everywhere(check_moves);
}

/* The portable table is the host's function: it is what others are held against. */
static void one_host_makes_them(void)
{
    resident_place p = resident_open(resident_portable(), S2CLR_F32, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p.on->views);
    CU_ASSERT_FALSE(p.on->apart);
    resident_close(&p);
}

static const test_case cases[] = {
    {"bits of the host", bits_of_the_host},
    {"moves that are joined", moves_that_are_joined},
    {"one host makes them", one_host_makes_them},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("backend_views", cases, argc, argv);
}
