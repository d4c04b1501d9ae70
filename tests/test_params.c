/* The parameter tables and everything made from them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/help.h"
#include "commands/man_options.h"
#include "commands/number.h"
#include "commands/params.h"
#include "base/suggest.h"
#include "harness.h"

static int run_nothing(const s2clr_args *args)
{
    (void)args;
    return 0;
}

static const s2clr_param_row toy_rows[] = {
    {"input", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .repeat = true,
     .group = "Input", .help = "Inputs."},
    {"output", NULL, S2CLR_TYPE_OUTPUT_RASTER, .positional = true, .required = true,
     .group = "Output", .help = "Output."},
    {"stride", "s", S2CLR_TYPE_INT, .meta = "PX", .standard = "4", .minimum = 1, .maximum = 64,
     .group = "Output", .help = "Stride."},
    {"share", NULL, S2CLR_TYPE_REAL, .meta = "F", .standard = "0.5", .minimum = 0, .maximum = 1,
     .group = "Output", .help = "Share."},
    {"free", NULL, S2CLR_TYPE_REAL, .meta = "F", .group = "Output", .help = "Any number."},
    {"of", NULL, S2CLR_TYPE_CHOICE, .choices = "GTiff,COG", .standard = "GTiff", .group = "Output",
     .help = "Format."},
    {"co", NULL, S2CLR_TYPE_KEY_VALUE, .repeat = true, .meta = "KEY=VALUE", .group = "Output",
     .help = "Option."},
    {"srcwin", NULL, S2CLR_TYPE_WINDOW_INT, .meta = "X Y W H", .group = "Output",
     .help = "Window."},
    {"projwin", NULL, S2CLR_TYPE_WINDOW_REAL, .meta = "A B C D", .group = "Output",
     .help = "Window."},
    {"name", NULL, S2CLR_TYPE_TEXT, .meta = "TEXT", .group = "Output", .help = "Name."},
};

static const s2clr_command toy = {
    .name = "toy",
    .summary = "a toy",
    .description = "Nothing.",
    .example = "s2clr toy a b",
    .rows = toy_rows,
    .row_count = sizeof toy_rows / sizeof toy_rows[0],
    .global = "quiet,threads,config",
    .run = run_nothing,
};

/* Parses blank-separated words; NULL when refused. */
static s2clr_args *parse(const char *line)
{
    static char buffer[1024];
    char *words[64];
    int count = 0;
    s2clr_args *args;
    snprintf(buffer, sizeof buffer, "%s", line);
    for (char *word = strtok(buffer, " "); word; word = strtok(NULL, " ")) words[count++] = word;
    s2clr_error_clear();
    return s2clr_args_parse(&toy, count, words, &args) == S2CLR_OK ? args : NULL;
}

static void refused(const char *line, const char *says)
{
    s2clr_args *args = parse(line);
    if (args) {
        printf("accepted: %s\n", line);
        CU_FAIL("a bad command line was accepted");
        s2clr_args_free(args);
        return;
    }
    TEST_ERROR_SAYS(says);
}

static void numbers(void)
{
    static const char *const bad[] = {"",    " 1",  "1 ",  "0.5x", "1e",  "e1",    ".",   "-",
                                      "+-1", "0x1", "nan", "inf",  "1,5", "1e999", "--1", "1.2.3"};
    double real;
    long whole;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_FALSE(s2clr_number_real(bad[i], &real));
        CU_ASSERT_FALSE(s2clr_number_int(bad[i], &whole));
    }
    CU_ASSERT_TRUE(s2clr_number_real("-1.25e-3", &real));
    TEST_NEAR(real, -0.00125, 1e-18);
    CU_ASSERT_TRUE(s2clr_number_real("+.5", &real) && real == 0.5);
    CU_ASSERT_TRUE(s2clr_number_real("5.", &real) && real == 5);
    CU_ASSERT_TRUE(s2clr_number_int("-9223372036854775808", &whole));
    CU_ASSERT_FALSE(s2clr_number_int("9223372036854775808", &whole));
    CU_ASSERT_FALSE(s2clr_number_int("1.0", &whole));
}

static void defaults_and_positionals(void)
{
    const char *const *list;
    s2clr_args *args = parse("a b c out.tif");
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    CU_ASSERT_EQUAL(s2clr_args_list(args, "input", &list), 3);
    CU_ASSERT_STRING_EQUAL(list[2], "c");
    CU_ASSERT_STRING_EQUAL(s2clr_args_text(args, "output"), "out.tif");
    CU_ASSERT_EQUAL(s2clr_args_int(args, "stride"), 4);
    CU_ASSERT_EQUAL(s2clr_args_real(args, "share"), 0.5);
    CU_ASSERT_STRING_EQUAL(s2clr_args_text(args, "of"), "GTiff");
    CU_ASSERT_FALSE(s2clr_args_given(args, "stride"));
    CU_ASSERT_FALSE(s2clr_args_flag(args, "quiet"));
    CU_ASSERT_PTR_NULL(s2clr_args_window(args, "srcwin"));
    CU_ASSERT_PTR_NULL(s2clr_args_text(args, "name"));
    CU_ASSERT_PTR_NULL(s2clr_args_text(args, "no such row"));
    s2clr_args_free(args);
    refused("out.tif", "output is missing");
    refused("", "input is missing");
}

static void dashes_and_equals(void)
{
    static const char *const same[] = {"-stride 8 a b", "--stride 8 a b", "a --stride=8 b",
                                       "a b -s 8",      "a b --s=8",      "-stride=8 -- a b"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        s2clr_args *args = parse(same[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(args);
        CU_ASSERT_EQUAL(s2clr_args_int(args, "stride"), 8);
        CU_ASSERT_STRING_EQUAL(s2clr_args_text(args, "output"), "b");
        s2clr_args_free(args);
    }
    s2clr_args *args = parse("-- -stride b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    CU_ASSERT_STRING_EQUAL(s2clr_args_text(args, "input"), "-stride");
    s2clr_args_free(args);
    args = parse("a ./-");
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    CU_ASSERT_STRING_EQUAL(s2clr_args_text(args, "output"), "./-");
    s2clr_args_free(args);
}

static void values_refused(void)
{
    refused("a b --share 0.5x", "--share: found \"0.5x\"");
    refused("a b --share 1.5", "from 0 to 1");
    refused("a b --stride 0", "from 1 to 64");
    refused("a b --stride 8.0", "whole number");
    refused("a b --stride", "wants a value");
    refused("a b --stride --quiet", "wants a value");
    refused("a b --of PNG", "one of GTiff,COG");
    refused("a b --of GTif", "one of GTiff,COG: did you mean GTiff?");
    refused("a b --of cog", "did you mean COG?");
    refused("a -", "written to standard output");
    refused("- b", "read from standard input");
    refused("a b --co TILED", "KEY=VALUE");
    refused("a b --co =YES", "KEY=VALUE");
    refused("a b --quiet=1", "switch");
    refused("a b --stride 4 --stride 4", "given twice");
    refused("a b --srcwin 1 2 3", "wants a value");
    refused("a b --srcwin 1 2 3 4.5", "whole number");
    refused("a b --srcwin=1,2,3,4,5", "four numbers");
    refused("a b --name=", "empty");
    refused("a b --config KEY", "wants a value");
}

static void unknown_options(void)
{
    refused("a b --strid 3", "did you mean --stride");
    refused("a b --tsride 3", "did you mean --stride");
    refused("a b -srcwn 1 2 3 4", "did you mean --srcwin");
    refused("a b --qqqqqqqqqqqq", "unknown option --qqqqqqqqqqqq");
    CU_ASSERT_PTR_NULL(strstr(s2clr_error_text(), "did you mean"));
    refused("a b --device cpu", "unknown option"); /* a global row this command does not take */
    CU_ASSERT_EQUAL(s2clr_edit_distance("kitten", "sitting"), 3);
    CU_ASSERT_EQUAL(s2clr_edit_distance("ab", "ba"), 1);
    CU_ASSERT_EQUAL(s2clr_edit_distance("", "abc"), 3);
}

static void windows_lists_pairs(void)
{
    const char *const *list;
    s2clr_args *args = parse("a -srcwin -5 0 10 20 b -projwin=1.5,2e3,-3,4 --co A=1 --co B=x=y "
                             "--config GDAL_CACHEMAX 64 --config=K=V --free -2.5");
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    const double *window = s2clr_args_window(args, "srcwin");
    CU_ASSERT_TRUE(window && window[0] == -5 && window[3] == 20);
    window = s2clr_args_window(args, "projwin");
    CU_ASSERT_TRUE(window && window[0] == 1.5 && window[1] == 2000 && window[2] == -3);
    CU_ASSERT_EQUAL(s2clr_args_list(args, "co", &list), 2);
    CU_ASSERT_STRING_EQUAL(list[1], "B=x=y");
    CU_ASSERT_EQUAL(s2clr_args_list(args, "config", &list), 2);
    CU_ASSERT_STRING_EQUAL(list[0], "GDAL_CACHEMAX=64");
    CU_ASSERT_EQUAL(s2clr_args_real(args, "free"), -2.5);
    s2clr_args_free(args);
}

/* What cannot change a result is left out, the rest can be pasted into a shell. */
static void command_line_for_provenance(void)
{
    char a[] = "it's here", b[] = "o.tif", t[] = "--threads", n[] = "7", s[] = "-s=8",
         w[] = "--srcwin=1,2,3,4";
    char *words[] = {a, t, n, s, b, w};
    s2clr_args *args;
    CU_ASSERT_EQUAL_FATAL(s2clr_args_parse(&toy, 6, words, &args), S2CLR_OK);
    CU_ASSERT_STRING_EQUAL(s2clr_args_line(args),
                           "s2clr toy --stride 8 --srcwin 1 2 3 4 'it'\\''s here' o.tif");
    s2clr_args_free(args);
}

static void help_needs_nothing_else(void)
{
    s2clr_args *args = parse("--help");
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    CU_ASSERT_TRUE(s2clr_args_flag(args, "help"));
    s2clr_args_free(args);
}

/* ---- the real tables ---- */

static void check_default(const s2clr_command *command, const s2clr_param_row *row)
{
    double value = 0;
    bool good = true;
    if (!row->standard) return;
    if (row->type == S2CLR_TYPE_INT || row->type == S2CLR_TYPE_REAL)
        good = s2clr_number_real(row->standard, &value) &&
               (row->minimum >= row->maximum || (value >= row->minimum && value <= row->maximum));
    if (row->type == S2CLR_TYPE_CHOICE) {
        char list[200], word[100];
        snprintf(list, sizeof list, ",%s,", row->choices);
        snprintf(word, sizeof word, ",%s,", row->standard);
        good = strstr(list, word) != NULL;
    }
    if (!good) printf("%s --%s: bad default %s\n", command->name, row->name, row->standard);
    CU_ASSERT_TRUE(good);
}

static void check_row(const s2clr_command *command, size_t index)
{
    const s2clr_param_row *row = s2clr_command_row(command, index), *other;
    const size_t length = row->help ? strlen(row->help) : 0;
    const bool good =
        length > 5 && row->help[length - 1] == '.' && row->group &&
        (row->type != S2CLR_TYPE_CHOICE) == !row->choices &&
        (!row->short_name || strlen(row->short_name) == 1) &&
        (row->positional || row->type == S2CLR_TYPE_FLAG || row->meta || row->choices);
    if (!good) printf("%s: row %s is incomplete\n", command->name, row->name);
    CU_ASSERT_TRUE(good);
    check_default(command, row);
    for (size_t i = 0; i < index; i++) {
        other = s2clr_command_row(command, i);
        CU_ASSERT_STRING_NOT_EQUAL(row->name, other->name);
        if (row->short_name && other->short_name)
            CU_ASSERT_STRING_NOT_EQUAL(row->short_name, other->short_name);
    }
}

static void every_row_is_complete(void)
{
    const s2clr_command *const *list;
    const s2clr_param_row *global;
    const size_t count = s2clr_command_list(&list), globals = s2clr_global_rows(&global);
    CU_ASSERT_TRUE_FATAL(count >= 8);
    for (size_t c = 0; c < count; c++) {
        const s2clr_command *command = list[c];
        char names[300];
        CU_ASSERT_PTR_EQUAL(s2clr_command_find(command->name), command);
        CU_ASSERT_TRUE(command->summary[strlen(command->summary) - 1] != '.');
        CU_ASSERT_TRUE(strstr(command->example, "s2clr") && command->run);
        CU_ASSERT_TRUE_FATAL(command->title && command->section);
        CU_ASSERT_TRUE(strlen(command->title) < 60);
        for (size_t i = 0; s2clr_command_row(command, i); i++) check_row(command, i);
        snprintf(names, sizeof names, "%s", command->global);
        for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
            size_t g = 0;
            while (g < globals && strcmp(global[g].name, name) != 0) g++;
            if (g == globals) printf("%s: no global row %s\n", command->name, name);
            CU_ASSERT_TRUE(g < globals);
        }
    }
}

static char *printed(void (*print)(FILE *, const s2clr_command *, int), const s2clr_command *c,
                     int width)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    print(to, c, width);
    fclose(to);
    return text;
}

static void print_man(FILE *to, const s2clr_command *command, int width)
{
    (void)width;
    s2clr_man_options(to, command);
}

/* Every row is in the help and in the manual page, and no help line is wider than asked for. */
static void help_and_man_show_every_row(void)
{
    const s2clr_command *const *list;
    const size_t count = s2clr_command_list(&list);
    for (size_t c = 0; c < count; c++) {
        char *help = printed(s2clr_help_command, list[c], 80);
        char *man = printed(print_man, list[c], 0);
        const s2clr_param_row *row;
        for (size_t i = 0; (row = s2clr_command_row(list[c], i)); i++) {
            char label[120], item[120];
            s2clr_row_label(row, label, sizeof label);
            snprintf(item, sizeof item, row->positional ? ".It Ar %s" : "Fl -%s",
                     row->positional ? label : row->name);
            CU_ASSERT_PTR_NOT_NULL(strstr(help, label));
            CU_ASSERT_PTR_NOT_NULL(strstr(man, item));
        }
        for (const char *line = help; *line;) {
            const size_t length = strcspn(line, "\n");
            /* An example is one line: it has to work when pasted. */
            if (length > 80 && !strstr(line, list[c]->example)) CU_ASSERT_TRUE(length <= 80);
            line += length + (line[length] == '\n');
        }
        free(help);
        free(man);
    }
}

static const test_case cases[] = {
    {"numbers are complete or refused", numbers},
    {"defaults and positional arguments", defaults_and_positionals},
    {"one or two dashes, equals sign", dashes_and_equals},
    {"bad values are refused by name", values_refused},
    {"unknown options and suggestions", unknown_options},
    {"windows, lists, pairs", windows_lists_pairs},
    {"command line for provenance", command_line_for_provenance},
    {"help needs no other argument", help_needs_nothing_else},
    {"every row of every command is complete", every_row_is_complete},
    {"help and manual pages show every row", help_and_man_show_every_row},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("params", cases, argc, argv);
}
