#include "harness.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "card_rig.h"
#include "file/pcard.h"

/* Written by hand after s2clr-model(5). */
static const char example[] =
    "{\n"
    "  \"version\": 1,\n"
    "  \"id\": \"dense-test\",\n"
    "  \"architecture\": {\"name\": \"dense\", \"channels\": 2, \"outputs\": 1, \"width\": 8},\n"
    "  \"bands\": [\"B04\", \"B8A\"],\n"
    "  \"mean\": [87.25, 0.1],\n"
    "  \"std\": [20.5, 3],\n"
    "  \"levels\": [\n"
    "    {\"name\": \"L1C\", \"gain\": [0.1, 2], \"bias\": [-1, 0], \"low\": 0, \"high\": 255,\n"
    "     \"nodata\": 0, \"source\": \"a guess\"},\n"
    "    {\"name\": \"L2A\", \"gain\": [1e-4, 1e-4], \"bias\": [0, 0], \"low\": -0.5, \"high\": "
    "2}\n"
    "  ],\n"
    "  \"patch\": 64, \"metres\": 10, \"stride\": 4,\n"
    "  \"positive\": \"permanent crop\",\n"
    "  \"metrics\": {\"auc\": 0.987, \"n\": [1, 2]},\n"
    "  \"seed\": 42,\n"
    "  \"an unknown key\": {\"of\": \"a later program\"}\n"
    "}\n";

static s2clr_card *parse_example(void)
{
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_parse(example, "m.safetensors", &card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    return card;
}

static void the_example_is_read(void)
{
    s2clr_card *card = parse_example();
    CU_ASSERT_EQUAL(card->version, 1);
    CU_ASSERT_STRING_EQUAL(card->id, "dense-test");
    CU_ASSERT_STRING_EQUAL(card->arch.name, "dense");
    CU_ASSERT_EQUAL(card->arch.channels, 2);
    CU_ASSERT_EQUAL(card->arch.width, 8);
    CU_ASSERT_EQUAL(card->arch.depth, 0);
    CU_ASSERT_EQUAL(card->bands, 2);
    CU_ASSERT_STRING_EQUAL(card->band[1], "B8A");
    CU_ASSERT_EQUAL(card->mean[1], 0.1f);
    CU_ASSERT_EQUAL(card->std[1], 3.0f);
    CU_ASSERT_EQUAL(card->levels, 2);
    const s2clr_card_level *l1c = s2clr_card_find_level(card, "L1C");
    CU_ASSERT_PTR_EQUAL_FATAL(l1c, &card->level[0]);
    CU_ASSERT_EQUAL(l1c->gain[0], 0.1);
    CU_ASSERT_EQUAL(l1c->bias[0], -1);
    CU_ASSERT_EQUAL(l1c->high, 255);
    CU_ASSERT_TRUE(l1c->has_nodata);
    CU_ASSERT_EQUAL(l1c->nodata, 0);
    CU_ASSERT_STRING_EQUAL(l1c->source, "a guess");
    CU_ASSERT_FALSE(card->level[1].has_nodata);
    CU_ASSERT_PTR_NULL(s2clr_card_find_level(card, "L3"));
    CU_ASSERT_EQUAL(card->patch, 64);
    CU_ASSERT_EQUAL(card->stride, 4);
    CU_ASSERT_STRING_EQUAL(card->positive, "permanent crop");
    CU_ASSERT_EQUAL(card->seed, 42);
    CU_ASSERT_STRING_EQUAL(card->text[S2CLR_CARD_METRICS], "{\"auc\":0.987,\"n\":[1,2]}");
    /* What is absent has the defaults of s2clr_card_new(). */
    CU_ASSERT_STRING_EQUAL(card->resampling, "bilinear");
    CU_ASSERT_EQUAL(card->threshold, 0.5);
    CU_ASSERT_EQUAL(card->temperature, 1);
    CU_ASSERT_STRING_EQUAL(card->negative, "");
    CU_ASSERT_STRING_EQUAL(card->text[S2CLR_CARD_WARNING], "");
    s2clr_card_free(card);
}

static double any_double(uint64_t *at)
{
    const double sign = s2clr_random_u32(5, 5, (*at)++) & 1 ? 1 : -1;
    const double fraction = 1 + (double)s2clr_random_u32(5, 5, (*at)++) * 0x1p-32;
    return sign * ldexp(fraction, (int)s2clr_random_below(5, 5, (*at)++, 60) - 30);
}

static void every_field_survives_format_and_parse(void)
{
    s2clr_card *card = parse_example(), *again = NULL;
    uint64_t at = 0;
    for (int b = 0; b < card->bands; b++) {
        card->mean[b] = (float)any_double(&at);
        card->std[b] = (float)fabs(any_double(&at));
        card->level[1].gain[b] = any_double(&at);
        card->level[1].bias[b] = any_double(&at);
    }
    card->level[0].nodata = -9999.25;
    card->arch.depth = 5;
    card->metres = 20.000001;
    card->stride = 7;
    strcpy(card->resampling, "cubic");
    memset(card->positive, 0, sizeof card->positive);
    strcpy(card->positive, "Vi\xc3\xb1"
                           "edo \"x\"");
    strcpy(card->negative, "rest");
    strcpy(card->trained_level, card->level[1].name);
    card->threshold = 1.0 / 3;
    card->temperature = 1.7;
    card->prevalence = 0.0925;
    card->calibration = (s2clr_calibration){.knots = 3,
                                            .knot_logit = {-1.0 / 3, 0.7, 12},
                                            .knot_p = {1e-5, 0.2, 1 - 1e-9},
                                            .part = "validation",
                                            .samples = 2700,
                                            .ece_before = 0.1 / 3,
                                            .ece_after = 0.01};
    card->seed = UINT64_MAX;
    for (int i = 0; i < S2CLR_CARD_TEXTS; i++) {
        char text[64];
        snprintf(text, sizeof text, "text %d,\n\t\"quoted\" \\ \xe2\x82\xac", i);
        if (i == S2CLR_CARD_PARENT || i == S2CLR_CARD_METRICS) continue;
        TEST_OK(s2clr_card_set_text(card, (s2clr_card_text)i, text));
    }
    TEST_OK(
        s2clr_card_set_text(card, S2CLR_CARD_PARENT,
                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
    char *json = NULL, *json_again = NULL;
    TEST_OK(s2clr_card_format(card, &json));
    TEST_OK(s2clr_card_parse(json, "again", &again));
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    card_rig_same(card, again);
    TEST_OK(s2clr_card_format(again, &json_again));
    CU_ASSERT_STRING_EQUAL(json, json_again);
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"seed\": \"18446744073709551615\""));
    s2clr_free(json), s2clr_free(json_again);
    s2clr_card_free(again), s2clr_card_free(card);
}

static void numbers_are_written_short(void)
{
    s2clr_card *card = parse_example();
    char *json = NULL;
    TEST_OK(s2clr_card_format(card, &json));
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"threshold\": 0.5,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(json, " 0.1"));
    CU_ASSERT_PTR_NULL(strstr(json, "0.1000000"));
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"auc\": 0.987,"));
    s2clr_free(json);
    s2clr_card_free(card);
}

static void a_copy_is_equal_and_its_own(void)
{
    s2clr_card *card = parse_example(), *copy = NULL;
    TEST_OK(s2clr_card_copy(card, &copy));
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    card_rig_same(card, copy);
    TEST_OK(s2clr_card_set_text(copy, S2CLR_CARD_TITLE, copy->text[S2CLR_CARD_METRICS]));
    CU_ASSERT_STRING_EQUAL(card->text[S2CLR_CARD_TITLE], "");
    s2clr_card_free(card);
    CU_ASSERT_STRING_EQUAL(copy->text[S2CLR_CARD_TITLE], copy->text[S2CLR_CARD_METRICS]);
    s2clr_card_free(copy);
    s2clr_card_free(NULL);
}

static void a_new_card_lacks_what_only_its_maker_knows(void)
{
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_new(&card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    CU_ASSERT_EQUAL(s2clr_card_check(card, "new"), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("new: card: 'id'");
    char *json = NULL;
    CU_ASSERT_EQUAL(s2clr_card_format(card, &json), S2CLR_ERR_FORMAT);
    CU_ASSERT_PTR_NULL(json);
    s2clr_card_free(card);
}

/* The example with one piece of text replaced. */
static s2clr_status parse_changed(const char *from, const char *to)
{
    char json[sizeof example + 2048];
    const char *at = strstr(example, from);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(json, sizeof json, "%.*s%s%s", (int)(at - example), example, to, at + strlen(from));
    s2clr_card *card = NULL;
    s2clr_error_clear();
    const s2clr_status status = s2clr_card_parse(json, "m.safetensors", &card);
    CU_ASSERT_EQUAL(card == NULL, status != S2CLR_OK);
    s2clr_card_free(card);
    return status;
}

#define LONG_WORD "1234567890123456789012345678901234567890123456789012345678901234"

static const struct {
    const char *from, *to, *says;
} wrong[] = {
    {"\"version\": 1", "\"version\": 2", "card version 2, this program reads version 1"},
    {"\"version\": 1,", "", "'version' is missing"},
    {"\"version\": 1,", "\"version\": 1, \"trained_level\": \"L9\",",
     "'trained_level' is \"L9\", wanted the name of one of its levels"},
    {"\"version\": 1", "\"version\": \"1\"", "'version' must be a whole number"},
    {"\"id\": \"dense-test\",", "", "'id' is missing"},
    {"\"dense-test\"", "\"\"", "'id' is \"\", wanted a word"},
    {"\"dense-test\"", "\"../x\"", "'id' is \"../x\", wanted a word"},
    {"\"dense-test\"", "\"" LONG_WORD "\"", "'id' has 64 bytes, at most 63 fit"},
    {"\"dense-test\"", "7", "'id' must be a string"},
    {"{\"name\": \"dense\"", "[{\"name\": \"dense\"", "not valid JSON"},
    {"\"name\": \"dense\", ", "", "'architecture.name' is missing"},
    {"\"channels\": 2", "\"channels\": 3", "takes 3 channels, but 2 bands"},
    {"\"channels\": 2", "\"channels\": 2.0", "'architecture.channels' must be a whole number"},
    {"\"channels\": 2", "\"channels\": -1", "'architecture.channels' is -1"},
    {"\"outputs\": 1", "\"outputs\": -1", "'architecture.outputs' is -1, wanted 0 to"},
    {"\"outputs\": 1", "\"outputs\": 3", "'classes' has 0 names for 3 outputs"},
    {"\"outputs\": 1", "\"outputs\": 1, \"projection\": 128", "an array of at most 4 whole"},
    {"\"outputs\": 1", "\"outputs\": 1, \"projection\": [1,2,3,4,5]", "at most 4 whole numbers"},
    {"\"outputs\": 1", "\"outputs\": 1, \"hidden\": [64, 0]", "'architecture.hidden' is 0"},
    {"\"outputs\": 1", "\"outputs\": 1, \"hidden\": [6.5]", "must be a whole number"},
    {"\"outputs\": 1", "\"outputs\": 1, \"tap\": 1", "'architecture.tap' is 1, but the projection"},
    {"\"outputs\": 1", "\"outputs\": 1, \"tap\": -1", "'architecture.tap' is -1"},
    {"\"width\": 8", "\"width\": 99999999999", "'architecture.width' must be a whole number"},
    {"[\"B04\", \"B8A\"]", "[]", "'bands' must be an array of 1 to 16"},
    {"[\"B04\", \"B8A\"]", "\"B04\"", "'bands' must be an array of 1 to 16"},
    {"[\"B04\", \"B8A\"]", "[\"B04\", 8]", "'bands' must be a string"},
    {"[\"B04\", \"B8A\"]", "[\"B04\", \"B04\"]", "band 'B04' is named twice"},
    {"[\"B04\", \"B8A\"]", "[\"B04\", \"B 8\"]", "'bands' is \"B 8\", wanted a word"},
    {"[\"B04\", \"B8A\"]", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]", "1 to 16"},
    {"[87.25, 0.1]", "[87.25]", "'mean' must be an array of 2 numbers, one per band; it has 1"},
    {"[87.25, 0.1]", "[87.25, \"0.1\"]", "'mean' must be a number"},
    {"[87.25, 0.1]", "[87.25, 1e300]", "'mean' is inf"},
    {"[87.25, 0.1]", "[87.25, 1e999]", "not valid JSON"},
    {"[87.25, 0.1]", "[87.25, NaN]", "not valid JSON"},
    {"[20.5, 3]", "[20.5, 0]", "'std' is 0, wanted 1e-30 to"},
    {"[20.5, 3]", "[20.5, -3]", "'std' is -3"},
    {"\"name\": \"L2A\"", "\"name\": \"L1C\"", "level 'L1C' is given twice"},
    {"\"name\": \"L2A\"", "\"name\": \"\"", "'levels[1].name' is \"\""},
    {"\"gain\": [0.1, 2], ", "", "'levels[0].gain' is missing"},
    {"\"gain\": [0.1, 2]", "\"gain\": [0.1, 0]", "the gain of band 'B8A' is 0"},
    {"\"gain\": [0.1, 2]", "\"gain\": [0.1]", "'levels[0].gain' must be an array of 2"},
    {"\"high\": 255", "\"high\": 0", "level 'L1C': low 0 must be below high 0"},
    {"\"nodata\": 0", "\"nodata\": \"0\"", "'levels[0].nodata' must be a number"},
    {"\"a guess\"", "\"a\\nguess\"", "'levels[0].source' must be one line of text"},
    {"\"patch\": 64", "\"patch\": 0", "'patch' is 0, wanted 1 to 16384"},
    {"\"patch\": 64", "\"patch\": 1e3", "'patch' must be a whole number"},
    {"\"metres\": 10", "\"metres\": 0", "'metres' is 0"},
    {"\"stride\": 4", "\"stride\": -4", "'stride' is -4"},
    {"\"permanent crop\"", "\"\"", "'positive' is missing or empty"},
    {"\"positive\": \"permanent crop\",", "", "'positive' is missing or empty"},
    {"\"seed\": 42", "\"classes\": [\"a\", \"b\"]", "'classes' has 2 names for 1 outputs"},
    {"\"seed\": 42", "\"classes\": []", "'classes' must be an array of 1 to 128 names"},
    {"\"permanent crop\"", "\"a\\u001b\"", "'positive' must be one line of text"},
    {"\"seed\": 42", "\"seed\": -1", "'seed' must be a whole number below 2^64"},
    {"\"seed\": 42", "\"seed\": \"0x10\"", "'seed' must be a whole number below 2^64"},
    {"\"seed\": 42", "\"seed\": \"18446744073709551616\"", "'seed' must be a whole number"},
    {"\"seed\": 42", "\"seed\": 42, \"seed\": 43", "duplicate"},
    {"\"seed\": 42", "\"threshold\": 1.5", "'threshold' is 1.5, wanted 0 to 1"},
    {"\"seed\": 42", "\"temperature\": 0", "'temperature' is 0"},
    {"\"seed\": 42", "\"prevalence\": -0.1", "'prevalence' is -0.1"},
    {"\"seed\": 42", "\"resampling\": \"lanczos\"", "wanted nearest, bilinear or cubic"},
    {"\"seed\": 42", "\"parent\": \"abc\"", "wanted a SHA-256"},
    {"\"seed\": 42", "\"title\": 3", "'title' must be a string"},
    {"{\"auc\": 0.987, \"n\": [1, 2]}", "[]", "'metrics' must be a JSON object"},
    {"{\"auc\": 0.987, \"n\": [1, 2]}", "\"{}\"", "'metrics' must be a JSON object"},
};

static void wrong_cards_are_refused(void)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const s2clr_status status = parse_changed(wrong[i].from, wrong[i].to);
        CU_ASSERT_TRUE(status == S2CLR_ERR_FORMAT || status == S2CLR_ERR_UNSUPPORTED);
        TEST_ERROR_SAYS("m.safetensors: ");
        TEST_ERROR_SAYS(wrong[i].says);
    }
    static const char *const roots[] = {"", "[]", "3", "null", "{", "{}"};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        s2clr_card *card = NULL;
        s2clr_error_clear();
        CU_ASSERT_EQUAL(s2clr_card_parse(roots[i], "m.safetensors", &card), S2CLR_ERR_FORMAT);
        CU_ASSERT_PTR_NULL(card);
        TEST_ERROR_SAYS("m.safetensors: ");
    }
}

static void a_card_in_memory_is_checked_too(void)
{
    s2clr_card *card = parse_example();
    card->mean[0] = NAN;
    CU_ASSERT_EQUAL(s2clr_card_check(card, "x"), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("'mean' is nan");
    card->mean[0] = 1;
    card->level[1].bias[1] = INFINITY;
    CU_ASSERT_EQUAL(s2clr_card_check(card, "x"), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("'levels[1].bias' is inf");
    card->level[1].bias[1] = 0;
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_METRICS, "{\"auc\": nan}"));
    CU_ASSERT_EQUAL(s2clr_card_check(card, "x"), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("'metrics' is not a JSON object");
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_METRICS, ""));
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_COMMAND, "s2clr supervised caf\xe9"));
    CU_ASSERT_EQUAL(s2clr_card_check(card, "x"), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("'command' is not UTF-8");
    char *big = calloc(70001, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    memset(big, 'x', 70000);
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_COMMAND, big));
    free(big);
    CU_ASSERT_EQUAL(s2clr_card_check(card, "x"), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("'command' has 70000 bytes, at most 65536 fit");
    TEST_OK(s2clr_card_set_text(card, S2CLR_CARD_COMMAND, "s2clr supervised"));
    card->bands = 17;
    CU_ASSERT_EQUAL(s2clr_card_check(card, "x"), S2CLR_ERR_FORMAT);
    card->bands = 2, card->levels = 9;
    CU_ASSERT_EQUAL(s2clr_card_check(card, "x"), S2CLR_ERR_FORMAT);
    card->levels = 2;
    TEST_OK(s2clr_card_check(card, "x"));
    s2clr_card_free(card);
}

static void mutated_cards_never_hurt(void)
{
    static const char tokens[] = "{}[]\",:0123456789-.eE\\nulltrue \n\x01\xff";
    uint64_t at = 0;
    int accepted = 0, silent = 0;
    for (int i = 0; i < 4000; i++) {
        char *json = malloc(sizeof example);
        CU_ASSERT_PTR_NOT_NULL_FATAL(json);
        memcpy(json, example, sizeof example);
        const uint32_t edits = 1 + s2clr_random_below(3, 3, at++, 3);
        for (uint32_t e = 0; e < edits; e++) {
            const uint32_t where = s2clr_random_below(3, 3, at++, sizeof example - 1);
            json[where] = tokens[s2clr_random_below(3, 3, at++, sizeof tokens - 1)];
        }
        s2clr_card *card = NULL;
        s2clr_error_clear();
        const s2clr_status status = s2clr_card_parse(json, "fuzz", &card);
        if (status == S2CLR_OK) accepted++;
        silent += status != S2CLR_OK && s2clr_error_text()[0] == '\0';
        s2clr_card_free(card);
        free(json);
    }
    CU_ASSERT_TRUE(accepted > 100 && accepted < 3000);
    CU_ASSERT_EQUAL(silent, 0);
}

/* ---- s2clr-model(5) ---- */

static char *read_manual(void)
{
    FILE *file = fopen(test_source("../man/s2clr-model.5"), "r");
    if (!file) return NULL;
    char *text = calloc(1, 65536);
    if (text) text[fread(text, 1, 65535, file)] = '\0';
    fclose(file);
    return text;
}

static void the_manuals_example_is_a_card(void)
{
    char *manual = read_manual();
    CU_ASSERT_PTR_NOT_NULL_FATAL(manual);
    char *json = strstr(manual, "\n{\n"), *end = json ? strstr(json, "\n.Ed") : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    *end = '\0';
    s2clr_card *card = NULL;
    TEST_OK(s2clr_card_parse(json, "s2clr-model.5", &card));
    s2clr_card_free(card);
    free(manual);
}

static void the_manual_lists_every_field_in_order(void)
{
    char *manual = read_manual();
    CU_ASSERT_PTR_NOT_NULL_FATAL(manual);
    const char *at = strstr(manual, ".Sh THE CARD");
    for (size_t i = 0; i < s2clr_card_fields.count; i++) {
        char tag[64];
        snprintf(tag, sizeof tag, ".It Ql %s\n", s2clr_card_fields.row[i].key);
        if (strcmp(s2clr_card_fields.row[i].key, "mean") == 0) strcpy(tag, ".It Ql mean , std\n");
        if (strcmp(s2clr_card_fields.row[i].key, "std") == 0) continue;
        at = at ? strstr(at, tag) : NULL;
        CU_ASSERT_PTR_NOT_NULL(at);
    }
    free(manual);
}

static const test_case cases[] = {
    {"the example is read", the_example_is_read},
    {"every field survives format and parse", every_field_survives_format_and_parse},
    {"numbers are written short", numbers_are_written_short},
    {"a copy is equal and its own", a_copy_is_equal_and_its_own},
    {"a new card lacks what only its maker knows", a_new_card_lacks_what_only_its_maker_knows},
    {"wrong cards are refused", wrong_cards_are_refused},
    {"a card in memory is checked too", a_card_in_memory_is_checked_too},
    {"mutated cards never hurt", mutated_cards_never_hurt},
    {"the manual's example is a card", the_manuals_example_is_a_card},
    {"the manual lists every field in order", the_manual_lists_every_field_in_order},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("card", cases, argc, argv);
}
