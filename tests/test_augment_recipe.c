/* Words, presets, banned pairs and the choice of augmentations. */
#include "harness.h"

#include <string.h>

#include "base/memory.h"
#include "golden/golden_augment.h"
#include "train/augment.h"
#include "train/paugment.h"

static int line_of(const char *name)
{
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0) return (int)i;
    CU_FAIL("no such augmentation");
    return 0;
}

static void words(void)
{
    s2clr_augment_recipe recipe;
    TEST_OK(s2clr_augment_parse("flip,shift", &recipe));
    CU_ASSERT_EQUAL(recipe.flags, S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_SHIFT);
    CU_ASSERT_EQUAL(recipe.draw, 0);
    const s2clr_augment_entry *list;
    const size_t count = s2clr_augment_list(&list);
    for (size_t i = 0; i < count; i++) {
        TEST_OK(s2clr_augment_parse(list[i].name, &recipe));
        CU_ASSERT_EQUAL(recipe.flags, list[i].flag);
        CU_ASSERT_EQUAL(list[i].flag, 1u << i);
    }
    TEST_OK(s2clr_augment_parse("none", &recipe));
    CU_ASSERT_EQUAL(recipe.flags, 0);
    TEST_OK(s2clr_augment_parse("2:crop,flip,gain/flip+gain", &recipe));
    CU_ASSERT_EQUAL(recipe.draw, 2);
    CU_ASSERT_EQUAL(recipe.banned[line_of("flip")], S2CLR_AUGMENT_GAIN);
    CU_ASSERT_EQUAL(recipe.banned[line_of("gain")], S2CLR_AUGMENT_FLIP);
    CU_ASSERT_EQUAL(recipe.banned[line_of("crop")], 0);
}

static void wrong_words(void)
{
    static const char *const wrong[][2] = {
        {"flip,rol", "\"rol\" is not known, did you mean \"roll\"?"},
        {"", "\"\""},
        {"flip,", "\"\""},
        {"flip rot90", "\"flip rot90\""},
        {"fli", "did you mean \"flip\""},
        {"none,flip", "\"none\""},
        {"simclr-s2,flip", "\"simclr-s2\""},
        {"2:flip", "2 of 1 augmentations"},
        {"0:flip", "1 to 4"},
        {"5:flip,rot90,shift,blur,gain", "1 to 4"},
        {"99999999999:flip", "1 to 4"},
        {"2:", "\"\""},
        {"flip,rot90/flip+rot90", "write \"2:\""},
        {"2:flip,rot90/flip+rot90", "leave nothing"},
        {"2:flip,rot90/", "no \"+\""},
        {"2:flip,rot90/flip", "no \"+\""},
        {"2:flip,rot90/flip+flip", "two different"},
        {"2:flip,rot90/flip+rot90+gain", "\"rot90+gain\""},
        {"2:flip,rot90,gain/flip+gain,", "no \"+\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        s2clr_augment_recipe recipe = {.flags = 99};
        CU_ASSERT_EQUAL(s2clr_augment_parse(wrong[i][0], &recipe), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(wrong[i][1]);
        CU_ASSERT_EQUAL(recipe.flags, 99);
    }
}

static void recipes_are_written_as_read(void)
{
    static const char *const texts[] = {"none",          "flip,rot90",
                                        "1:flip,blur5",  "2:flip,gain,crop/flip+gain,gain+crop",
                                        "multispectral", "simclr-s2"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        s2clr_augment_recipe recipe, again;
        char *text;
        TEST_OK(s2clr_augment_parse(texts[i], &recipe));
        TEST_OK(s2clr_augment_format(&recipe, &text));
        if (i < 4) CU_ASSERT_STRING_EQUAL(text, texts[i]);
        TEST_OK(s2clr_augment_parse(text, &again));
        CU_ASSERT_EQUAL(memcmp(&recipe, &again, sizeof recipe), 0);
        s2clr_free(text);
    }
}

static void bans_are_replaced(void)
{
    s2clr_augment_recipe recipe;
    TEST_OK(s2clr_augment_parse("simclr-s2", &recipe));
    TEST_OK(s2clr_augment_ban("roll+zoom,crop+flip", &recipe));
    CU_ASSERT_EQUAL(recipe.banned[line_of("roll")], S2CLR_AUGMENT_ZOOM);
    CU_ASSERT_EQUAL(recipe.banned[line_of("brightness")], 0);
    CU_ASSERT_EQUAL(s2clr_augment_choices(&recipe), 9 * 8 / 2 - 1);
    TEST_OK(s2clr_augment_ban("none", &recipe));
    CU_ASSERT_EQUAL(s2clr_augment_choices(&recipe), 9 * 8 / 2);
    CU_ASSERT_EQUAL(s2clr_augment_ban("roll+", &recipe), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_augment_choices(&recipe), 9 * 8 / 2);
    TEST_OK(s2clr_augment_parse("multispectral", &recipe));
    CU_ASSERT_EQUAL(s2clr_augment_ban("crop+flip", &recipe), S2CLR_ERR_ARGUMENT);
}

/* The study: nine pairs of its nine are out. */
static bool is_banned(const char *a, const char *b)
{
    static const char *const pairs[9][2] = {
        {"brightness", "contrast"}, {"rotate", "brightness"}, {"flip", "blur5"},
        {"zoom", "blur5"},          {"roll", "flip"},         {"rotate", "blur5"},
        {"flip", "scale"},          {"brightness", "scale"},  {"blur5", "brightness"}};
    for (int i = 0; i < 9; i++)
        for (int turned = 0; turned < 2; turned++)
            if (strcmp(a, pairs[i][turned]) == 0 && strcmp(b, pairs[i][!turned]) == 0) return true;
    return false;
}

static void allowed_pairs_are_equally_likely(void)
{
    enum { VIEWS = 108000 };
    static int seen[S2CLR_AUGMENT_MAX][S2CLR_AUGMENT_MAX];
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    s2clr_augment_recipe recipe;
    TEST_OK(s2clr_augment_parse("simclr-s2", &recipe));
    for (uint64_t sample = 0; sample < VIEWS; sample++) {
        const augment_draws draws = {.seed = 3, .stream = 9, .first = sample * 8};
        int line[S2CLR_AUGMENT_MAX];
        CU_ASSERT_EQUAL_FATAL(s2clr_augment_choose(&recipe, &draws, line), 2);
        seen[line[0]][line[1]]++;
    }
    int pairs = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            const bool nine = recipe.flags & table[i].flag && recipe.flags & table[j].flag;
            if (!nine || i == j || is_banned(table[i].name, table[j].name)) {
                CU_ASSERT_EQUAL(seen[i][j], 0);
                continue;
            }
            pairs++;
            /* 54 ordered pairs: 2000 each, six deviations of sqrt(2000) */
            CU_ASSERT_TRUE(seen[i][j] > 2000 - 270 && seen[i][j] < 2000 + 270);
        }
    CU_ASSERT_EQUAL(pairs, 2 * GOLDEN_PAIRS);
}

static void three_of_five(void)
{
    int seen[32] = {0};
    s2clr_augment_recipe recipe;
    TEST_OK(s2clr_augment_parse("3:flip,rot90,shift,blur,gain/flip+rot90", &recipe));
    CU_ASSERT_EQUAL(s2clr_augment_choices(&recipe), 10 - 3);
    for (uint64_t sample = 0; sample < 7000; sample++) {
        const augment_draws draws = {.seed = 3, .stream = 9, .first = sample * 8};
        int line[S2CLR_AUGMENT_MAX], set = 0;
        CU_ASSERT_EQUAL_FATAL(s2clr_augment_choose(&recipe, &draws, line), 3);
        for (int i = 0; i < 3; i++) set |= 1 << line[i];
        seen[set]++;
    }
    int sets = 0;
    for (int set = 0; set < 32; set++) {
        if (!seen[set]) continue;
        sets++;
        CU_ASSERT_TRUE((set & 3) != 3);
        CU_ASSERT_TRUE(seen[set] > 800 && seen[set] < 1200);
    }
    CU_ASSERT_EQUAL(sets, 7);
}

static void impossible_recipes_are_refused(void)
{
    const float one = 1;
    float out = 7;
    s2clr_augment_recipe recipe = {.flags = 3, .draw = 2};
    recipe.banned[0] = 2;
    recipe.banned[1] = 1;
    CU_ASSERT_EQUAL(s2clr_augment(&recipe, 1, 0, 0, 0, &one, &one, 1, 1, &one, &out),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("leave nothing");
    recipe = (s2clr_augment_recipe){.flags = 1u << 31};
    CU_ASSERT_EQUAL(s2clr_augment(&recipe, 1, 0, 0, 0, &one, &one, 1, 1, &one, &out),
                    S2CLR_ERR_ARGUMENT);
    recipe = (s2clr_augment_recipe){.flags = 1};
    CU_ASSERT_EQUAL(s2clr_augment(&recipe, 1, 0, 0, 200, &one, &one, 1, 1, &one, &out),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(out, 7);
}

static const test_case cases[] = {
    {"words of the command line", words},
    {"wrong words", wrong_words},
    {"recipes are written as read", recipes_are_written_as_read},
    {"bans are replaced", bans_are_replaced},
    {"allowed pairs are equally likely", allowed_pairs_are_equally_likely},
    {"three of five", three_of_five},
    {"impossible recipes are refused", impossible_recipes_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("augment_recipe", cases, argc, argv);
}
