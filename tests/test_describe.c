/* "s2clr describe --json" against the tables it is made from, and what the dialogs made from it ask
 * of those tables. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/describe.h"
#include "commands/params.h"
#include "dataset/export.h"
#include "dataset/import.h"
#include "harness.h"
#include "vrt/vrt.h"

static size_t words_in(const char *list)
{
    size_t words = list ? 1 : 0;
    for (const char *at = list; at && *at; at++) words += *at == ',';
    return words;
}

/* Places in the order that front ends know. */
static bool known_places(const char *takes)
{
    static const char *const known[] = {"file,folder,layer", "folder,file", "folder",  "file",
                                        "layer,file",        "list,file",   "zoo,file"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], takes) == 0) return true;
    return false;
}

static void check_for_dialogs(const s2clr_param_row *row, const json_t *json)
{
    const char *label = json_string_value(json_object_get(json, "label"));
    CU_ASSERT_TRUE(label && label[0] >= 'A' && label[0] <= 'Z');
    CU_ASSERT_TRUE(label && (row->label || !strchr(label, '-')));
    if (label && row->label) CU_ASSERT_STRING_EQUAL(label, row->label);
    CU_ASSERT_EQUAL(json_is_true(json_object_get(json, "alone")), row->alone);
    CU_ASSERT_EQUAL(json_is_true(json_object_get(json, "caller")), row->caller);
    CU_ASSERT_EQUAL(json_is_true(json_object_get(json, "dialog_on")), row->dialog_on);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "words")), words_in(row->words));
    const json_t *takes = json_object_get(json, "takes"), *suffixes;
    const bool picked = row->type == S2CLR_TYPE_INPUT || row->type == S2CLR_TYPE_MODEL ||
                        row->type == S2CLR_TYPE_VECTOR || row->takes;
    CU_ASSERT_EQUAL(json_array_size(takes) > 0, picked);
    if (row->takes) CU_ASSERT_TRUE(known_places(row->takes));
    CU_ASSERT_EQUAL(row->takes && strncmp(row->takes, "list", 4) == 0, row->takes && row->words);
    CU_ASSERT_TRUE(!row->words || row->type == S2CLR_TYPE_TEXT);
    CU_ASSERT_TRUE(!row->dialog_on || row->type == S2CLR_TYPE_FLAG);
    suffixes = json_object_get(json, "suffixes");
    CU_ASSERT_TRUE(row->type != S2CLR_TYPE_OUTPUT_FILE || json_array_size(suffixes) > 0);
}

/* Results are asked for with an option, and their names are those of nothing else. */
static void check_results(const s2clr_command *command, const json_t *json)
{
    const s2clr_param_row *row;
    bool asked = false;
    CU_ASSERT_EQUAL(json_array_size(json), command->result_count);
    for (size_t i = 0; (row = s2clr_command_row(command, i)); i++)
        asked = asked || strcmp(row->name, "results") == 0;
    CU_ASSERT_EQUAL(asked, command->result_count > 0);
    for (size_t r = 0; r < command->result_count; r++) {
        const s2clr_result_row *result = &command->results[r];
        const json_t *one = json_array_get(json, r);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one, "name")), result->name);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one, "place")), result->place);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one, "label")), result->label);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one, "type")),
                               result->text ? "text" : "real");
        for (size_t i = 0; (row = s2clr_command_row(command, i)); i++)
            CU_ASSERT_STRING_NOT_EQUAL(row->name, result->name);
        for (size_t i = 0; i < r; i++)
            CU_ASSERT_STRING_NOT_EQUAL(command->results[i].name, result->name);
    }
}

static void check_described(const s2clr_param_row *row, const json_t *json)
{
    const char *text = json_string_value(json_object_get(json, "default"));
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "name")), row->name);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "help")), row->help);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "type")),
                           s2clr_type_name(row->type));
    CU_ASSERT_EQUAL(json_boolean_value(json_object_get(json, "required")), row->required);
    CU_ASSERT_EQUAL(json_boolean_value(json_object_get(json, "repeat")), row->repeat);
    CU_ASSERT_EQUAL(text == NULL, row->standard == NULL);
    if (text && row->standard) CU_ASSERT_STRING_EQUAL(text, row->standard);
    CU_ASSERT_EQUAL(json_object_get(json, "minimum") != NULL, row->minimum < row->maximum);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "choices")), words_in(row->choices));
    check_for_dialogs(row, json);
}

static void describe_agrees_with_the_tables(void)
{
    const s2clr_command *const *list;
    const size_t count = s2clr_command_list(&list);
    json_t *made = s2clr_describe(NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    char *text = json_dumps(made, 0);
    json_decref(made);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const json_t *commands = json_object_get(root, "commands");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "protocol")), S2CLR_DESCRIBE_PROTOCOL);
    CU_ASSERT_EQUAL_FATAL(json_array_size(commands), count);
    for (size_t c = 0; c < count; c++) {
        const json_t *json = json_array_get(commands, c);
        const json_t *rows = json_object_get(json, "parameters");
        size_t i = 0;
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "name")), list[c]->name);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "title")), list[c]->title);
        CU_ASSERT_EQUAL(json_object_get(json, "no_dialog") != NULL, list[c]->no_dialog != NULL);
        for (; s2clr_command_row(list[c], i); i++)
            check_described(s2clr_command_row(list[c], i), json_array_get(rows, i));
        CU_ASSERT_EQUAL(json_array_size(rows), i);
        check_results(list[c], json_object_get(json, "results"));
    }
    json_decref(root);
}

static void words_are(const char *command, const char *name, const char *wanted)
{
    const s2clr_command *found = s2clr_command_find(command);
    const s2clr_param_row *row;
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    for (size_t i = 0; (row = s2clr_command_row(found, i)); i++)
        if (strcmp(row->name, name) == 0) CU_ASSERT_STRING_EQUAL(row->words, wanted);
}

/* Words that dialogs offer are those of the registry that the command looks them up in. */
static void offered_words_exist(void)
{
    char words[300] = "auto";
    const s2clr_import_kind *const *in;
    const s2clr_export_kind *const *out;
    const size_t readers = s2clr_import_list(&in), writers = s2clr_export_list(&out);
    for (size_t i = 0; i < readers; i++) strcat(strcat(words, ","), in[i]->name);
    words_are("dataset import", "from", words);
    words[0] = '\0';
    for (size_t i = 0; i < writers; i++) strcat(strcat(words, i ? "," : ""), out[i]->name);
    words_are("dataset export", "to", words);
    s2clr_vrt_template *list;
    size_t count, offered = 0;
    TEST_OK(s2clr_vrt_templates_list(&list, &count));
    const s2clr_param_row *row = s2clr_command_row(s2clr_command_find("vrt"), 0);
    for (size_t i = 0; i < count; i++) offered += strstr(row->words, list[i].name) != NULL;
    CU_ASSERT_TRUE(count > 5 && offered == count && words_in(row->words) == count);
    s2clr_free(list);
}

static const test_case cases[] = {
    {"describe agrees with the tables", describe_agrees_with_the_tables},
    {"words offered in dialogs exist", offered_words_exist},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("describe", cases, argc, argv);
}
