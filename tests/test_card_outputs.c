/* What a card says of the network's outputs: encoders, heads, classes. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "card_rig.h"

#define OUTPUTS "\"outputs\": 1"
#define POSITIVE "\"positive\": \"permanent crop\""

static const char example[] =
    "{\"version\": 1, \"id\": \"test\",\n"
    " \"architecture\": {\"name\": \"dense\", \"channels\": 1, " OUTPUTS "},\n"
    " \"bands\": [\"B04\"], \"mean\": [1], \"std\": [2],\n"
    " \"levels\": [{\"name\": \"L2A\", \"gain\": [1], \"bias\": [0], \"low\": 0, \"high\": 2}],\n"
    " \"patch\": 64, \"metres\": 10, \"stride\": 4, \"metrics\": {\"auc\": 0.5},\n"
    " " POSITIVE "}\n";

/* The example with other outputs and another line instead of "positive". */
static s2clr_status parse_with(const char *outputs, const char *line, s2clr_card **out)
{
    char json[sizeof example + 2048];
    const char *o = strstr(example, OUTPUTS), *p = strstr(example, POSITIVE);
    CU_ASSERT_FATAL(o && p && o < p);
    const char *behind = o + strlen(OUTPUTS);
    snprintf(json, sizeof json, "%.*s%s%.*s%s%s", (int)(o - example), example, outputs,
             (int)(p - behind), behind, line, p + strlen(POSITIVE));
    return s2clr_card_parse(json, "m.safetensors", out);
}

static char *format_with(const char *outputs, const char *line)
{
    s2clr_card *card = NULL, *again = NULL;
    char *json = NULL;
    TEST_OK(parse_with(outputs, line, &card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    TEST_OK(s2clr_card_format(card, &json));
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    TEST_OK(s2clr_card_parse(json, "again", &again));
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    card_rig_same(card, again);
    s2clr_card_free(card), s2clr_card_free(again);
    return json;
}

static void an_encoder_has_no_classes(void)
{
    char *json = format_with("\"outputs\": 0, \"projection\": [1024, 512, 128]", "\"unit\": \"\"");
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"outputs\": 0"));
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "512"));
    static const char *const absent[] = {"positive",    "negative",   "threshold", "classes",
                                         "temperature", "prevalence", "\"tap\"",   "hidden"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        CU_ASSERT_PTR_NULL(strstr(json, absent[i]));
    s2clr_free(json);
}

static void heads_are_kept(void)
{
    s2clr_card *card = NULL;
    char *json = format_with(
        "\"outputs\": 1, \"projection\": [64, 32], \"tap\": 2, \"hidden\": [7]", POSITIVE);
    TEST_OK(s2clr_card_parse(json, "m", &card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    const s2clr_arch *arch = &card->arch;
    CU_ASSERT_TRUE(arch->projections == 2 && arch->projection[0] == 64);
    CU_ASSERT_TRUE(arch->projection[1] == 32 && arch->tap == 2);
    CU_ASSERT_TRUE(arch->hiddens == 1 && arch->hidden[0] == 7);
    s2clr_card_free(card);
    s2clr_free(json);
}

static void classes_have_names(void)
{
    s2clr_card *card = NULL;
    char *json = format_with("\"outputs\": 3", "\"classes\": [\"rice\", \"olives\", \"rain fed\"]");
    TEST_OK(s2clr_card_parse(json, "m", &card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    CU_ASSERT_EQUAL(card->classes, 3);
    CU_ASSERT_STRING_EQUAL(card->class_name[2], "rain fed");
    CU_ASSERT_STRING_EQUAL(card->positive, "");
    CU_ASSERT_PTR_NULL(strstr(json, "threshold"));
    CU_ASSERT_PTR_NOT_NULL(strstr(json, "temperature"));
    s2clr_card_free(card);
    s2clr_free(json);
    static const char *const bad[][2] = {
        {"\"classes\": [\"a\", \"b\"]", "'classes' has 2 names for 3 outputs"},
        {"\"classes\": [\"a\", \"b\", \"a\"]", "class 'a' is named twice"},
        {"\"classes\": [\"a\", \"b\", \"\"]", "'classes' must be one line of text, not empty"},
        {"\"classes\": [\"a\", \"b\", 3]", "'classes' must be a string"},
        {"\"classes\": [\"a\", \"b\", \"c\"], \"positive\": \"d\"",
         "'positive' is \"d\", wanted one of its 'classes'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        card = NULL;
        CU_ASSERT_EQUAL(parse_with("\"outputs\": 3", bad[i][0], &card), S2CLR_ERR_FORMAT);
        CU_ASSERT_PTR_NULL(card);
        TEST_ERROR_SAYS(bad[i][1]);
    }
}

#define PART "\"part\": \"test\", \"samples\": 9, \"ece_before\": 0.5, \"ece_after\": 0"
#define CALIBRATION(object) POSITIVE ", \"calibration\": " object

static void a_calibration_is_kept(void)
{
    s2clr_card *card = NULL;
    char *plain = format_with(OUTPUTS, POSITIVE);
    CU_ASSERT_PTR_NULL(strstr(plain, "calibration")); /* a card without one stays as it was */
    s2clr_free(plain);
    char *json = format_with(
        OUTPUTS, CALIBRATION("{\"bias\": -0.5, \"network_prevalence\": 0.25, " PART "}"));
    TEST_OK(s2clr_card_parse(json, "m", &card));
    CU_ASSERT_PTR_NOT_NULL_FATAL(card);
    CU_ASSERT_EQUAL(card->calibration.bias, -0.5);
    CU_ASSERT_EQUAL(card->calibration.network_prevalence, 0.25);
    CU_ASSERT_EQUAL(card->calibration.knots, 0);
    CU_ASSERT_STRING_EQUAL(card->calibration.part, "test");
    CU_ASSERT_EQUAL(card->calibration.samples, 9);
    CU_ASSERT_EQUAL(card->calibration.ece_before, 0.5);
    CU_ASSERT_PTR_NULL(strstr(json, "knots"));
    s2clr_card_free(card);
    s2clr_free(json);
    json =
        format_with(OUTPUTS, CALIBRATION("{\"knots\": [[-1, 0.1], [2, 0.1], [3, 0.9]], " PART "}"));
    TEST_OK(s2clr_card_parse(json, "m", &card));
    CU_ASSERT_EQUAL(card->calibration.network_prevalence, 0);
    CU_ASSERT_PTR_NULL(strstr(json, "network_prevalence"));
    CU_ASSERT_EQUAL(card->calibration.knots, 3);
    CU_ASSERT_EQUAL(card->calibration.knot_logit[1], 2);
    CU_ASSERT_EQUAL(card->calibration.knot_p[2], 0.9);
    s2clr_card_free(card);
    s2clr_free(json);
}

static void wrong_calibrations_are_refused(void)
{
    static const char *const bad[][2] = {
        {"3", "'calibration.' must be a JSON object"},
        {"{}", "'calibration.part' is missing"},
        {"{\"part\": \"\", \"samples\": 1, \"ece_before\": 0, \"ece_after\": 0}",
         "'calibration.part' must be a name, not empty"},
        {"{\"part\": \"x\", \"samples\": 1, \"ece_before\": 0, \"ece_after\": 2}",
         "'calibration.ece_after' is 2, wanted 0 to 1"},
        {"{" PART ", \"bias\": 1e9}", "'calibration.bias' is 1e+09"},
        {"{" PART ", \"knots\": []}", "'calibration.knots' must be an array of 2 to 64 pairs"},
        {"{" PART ", \"knots\": [[0, 0.5]]}", "an array of 2 to 64 pairs"},
        {"{" PART ", \"knots\": [[0, 0.5], [1]]}", "an array of pairs"},
        {"{" PART ", \"knots\": [[0, 0.5], [1, null]]}", "'calibration.knots' must be a number"},
        {"{" PART ", \"knots\": [[0, 0.5], [0, 0.6]]}", "wanted a larger logit"},
        {"{" PART ", \"knots\": [[0, 0.5], [1, 0.4]]}", "wanted no smaller a probability"},
        {"{" PART ", \"knots\": [[0, 0], [1, 0.4]]}", "between 0 and 1, both excluded"},
        {"{" PART ", \"knots\": [[0, 0.1], [1e40, 0.4]]}", "wanted a finite logit"},
        {"{" PART ", \"bias\": 1, \"knots\": [[0, 0.1], [1, 0.4]]}", "wanted one of the two"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[400];
        s2clr_card *card = NULL;
        snprintf(line, sizeof line, CALIBRATION("%s"), bad[i][0]);
        CU_ASSERT_EQUAL(parse_with(OUTPUTS, line, &card), S2CLR_ERR_FORMAT);
        CU_ASSERT_PTR_NULL(card);
        TEST_ERROR_SAYS(bad[i][1]);
    }
    s2clr_card *card = NULL;
    CU_ASSERT_EQUAL(parse_with("\"outputs\": 0", CALIBRATION("{\"bias\": 1, " PART "}"), &card),
                    S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("the network 0 outputs");
}

static const test_case cases[] = {
    {"an encoder has no classes", an_encoder_has_no_classes},
    {"heads are kept", heads_are_kept},
    {"classes have names", classes_have_names},
    {"a calibration is kept", a_calibration_is_kept},
    {"wrong calibrations are refused", wrong_calibrations_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("card_outputs", cases, argc, argv);
}
