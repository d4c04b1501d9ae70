/* From argv and a table of rows to checked values. */
#define _GNU_SOURCE /* strsep */
#include "commands/params.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/number.h"
#include "commands/pargs.h"
#include "base/suggest.h"

#define NAMES_MAX 128

typedef struct parser {
    s2clr_args *args;
    int argc, at; /* at: next token */
    char **argv;
    bool options_over; /* "--" was seen */
    char **positional; // (argc)
    size_t positionals;
} parser;

/* "-x", "--xyz": but "-" is a name and "-5" a number. */
static bool looks_like_option(const char *token)
{
    return token[0] == '-' && token[1] && !isdigit((unsigned char)token[1]) && token[1] != '.';
}

static const char *without_dashes(const char *token)
{
    return token + (token[1] == '-' ? 2 : 1);
}

/* Row of the option called `name` (length bytes), -1 if there is none. */
static int find_option(const s2clr_command *command, const char *name, size_t length)
{
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(command, i)); i++) {
        if (row->positional) continue;
        if (strlen(row->name) == length && strncmp(row->name, name, length) == 0) return (int)i;
        if (row->short_name && length == 1 && row->short_name[0] == name[0]) return (int)i;
    }
    return -1;
}

static s2clr_status unknown_option(const s2clr_command *command, const char *token, size_t length)
{
    const char *names[NAMES_MAX];
    char word[NAMES_MAX] = "";
    size_t count = 0;
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(command, i)) && count < NAMES_MAX; i++)
        if (!row->positional) names[count++] = row->name;
    if (length < sizeof word) memcpy(word, without_dashes(token), length);
    const char *near = s2clr_suggest(word, names, count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "unknown option %.80s%s%s; \"s2clr %s --help\" lists the options", token,
                           near ? ": did you mean --" : "", near ? near : "", command->name);
}

static s2clr_status refuse(const s2clr_param_row *row, const char *found, const char *wanted)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s%s: found \"%.200s\", wanted %s",
                           row->positional ? "" : "--", row->name, found, wanted);
}

static s2clr_status check_number(const s2clr_param_row *row, const char *text)
{
    char wanted[160];
    double value = 0;
    long integer = 0;
    const bool whole = row->type == S2CLR_TYPE_INT;
    const bool good = whole ? s2clr_number_int(text, &integer) : s2clr_number_real(text, &value);
    if (whole) value = (double)integer;
    const bool ranged = row->minimum < row->maximum;
    if (good && (!ranged || (value >= row->minimum && value <= row->maximum))) return S2CLR_OK;
    int length = snprintf(wanted, sizeof wanted, "%s", whole ? "a whole number" : "a number");
    if (ranged)
        snprintf(wanted + length, sizeof wanted - (size_t)length, " from %.12g to %.12g",
                 row->minimum, row->maximum);
    return refuse(row, text, wanted);
}

static s2clr_status check_choice(const s2clr_param_row *row, const char *text)
{
    char wanted[400], words[320];
    const char *word[NAMES_MAX];
    size_t count = 0;
    snprintf(words, sizeof words, "%s", row->choices);
    for (char *at = words; at && count < NAMES_MAX;) {
        word[count++] = strsep(&at, ",");
        if (strcmp(word[count - 1], text) == 0) return S2CLR_OK;
    }
    const char *near = s2clr_suggest(text, word, count);
    snprintf(wanted, sizeof wanted, "one of %s%s%s%s", row->choices, near ? ": did you mean " : "",
             near ? near : "", near ? "?" : "");
    return refuse(row, text, wanted);
}

static s2clr_status check_value(const s2clr_param_row *row, const char *text)
{
    switch (row->type) {
    case S2CLR_TYPE_INT:
    case S2CLR_TYPE_REAL:
        return check_number(row, text);
    case S2CLR_TYPE_CHOICE:
        return check_choice(row, text);
    case S2CLR_TYPE_KEY_VALUE:
        return strchr(text, '=') > text ? S2CLR_OK : refuse(row, text, "KEY=VALUE");
    case S2CLR_TYPE_FLAG:
    case S2CLR_TYPE_WINDOW_INT:
    case S2CLR_TYPE_WINDOW_REAL:
        return S2CLR_OK;
    case S2CLR_TYPE_TEXT:
        break;
    case S2CLR_TYPE_INPUT:
    case S2CLR_TYPE_OUTPUT_RASTER:
    case S2CLR_TYPE_OUTPUT_FOLDER:
    case S2CLR_TYPE_OUTPUT_FILE:
    case S2CLR_TYPE_MODEL:
    case S2CLR_TYPE_VECTOR:
        if (strcmp(text, "-") == 0)
            return refuse(row, text,
                          "the name of a file: nothing is read from standard input or "
                          "written to standard output (a file of that name is ./-)");
        break;
    }
    return text[0] ? S2CLR_OK : refuse(row, text, "a name, not an empty word");
}

static s2clr_status store(s2clr_args *args, size_t index, const char *text)
{
    const s2clr_param_row *row = s2clr_command_row(args->command, index);
    S2CLR_TRY(check_value(row, text));
    if (args->value[index].count && !row->repeat)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--%s is given twice: \"%.100s\" and \"%.100s\"",
                               row->name, args->value[index].text[0], text);
    return s2clr_arg_append(&args->value[index], text);
}

/* The next token as value of `row`; a known option there means that the value was forgotten. */
static s2clr_status next_value(parser *p, const s2clr_param_row *row, const char **out)
{
    const char *token = p->at < p->argc ? p->argv[p->at] : NULL;
    if (token && looks_like_option(token)) {
        const char *name = without_dashes(token);
        if (find_option(p->args->command, name, strcspn(name, "=")) >= 0) token = NULL;
    }
    if (!token) {
        const bool last = p->at >= p->argc;
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--%s wants a value (%s), but %s%.80s follows",
                               row->name, row->meta ? row->meta : "a value", last ? "nothing" : "",
                               last ? "" : p->argv[p->at]);
    }
    p->at++;
    *out = token;
    return S2CLR_OK;
}

/* Four numbers: four tokens as GDAL takes them, or one word "a,b,c,d". */
static s2clr_status take_window(parser *p, size_t index, const char *attached)
{
    const s2clr_param_row *row = s2clr_command_row(p->args->command, index);
    s2clr_param_row part = *row; /* checks one number under the window's name */
    part.type = row->type == S2CLR_TYPE_WINDOW_INT ? S2CLR_TYPE_INT : S2CLR_TYPE_REAL;
    part.minimum = part.maximum = 0;
    char word[4][64] = {""};
    double window[4] = {0};
    const char *at = attached;
    if (!at && p->at < p->argc && strchr(p->argv[p->at], ',')) S2CLR_TRY(next_value(p, row, &at));
    for (int i = 0; i < 4; i++) {
        const char *token = at;
        size_t length = at ? strcspn(at, ",") : 0;
        if (!at) {
            S2CLR_TRY(next_value(p, row, &token));
            length = strlen(token);
        } else {
            at += length + (at[length] == ',');
        }
        if (length >= sizeof word[i]) return refuse(row, token, "four numbers");
        memcpy(word[i], token, length);
        S2CLR_TRY(check_number(&part, word[i]));
        s2clr_number_real(word[i], &window[i]);
    }
    if (at && *at) return refuse(row, at, "four numbers, not more");
    char text[280];
    snprintf(text, sizeof text, "%s %s %s %s", word[0], word[1], word[2], word[3]);
    S2CLR_TRY(store(p->args, index, text));
    memcpy(p->args->value[index].window, window, sizeof window);
    return S2CLR_OK;
}

/* KEY=VALUE; --config takes KEY VALUE as well, because every GDAL program does. */
static s2clr_status take_pair(parser *p, size_t index, const char *text)
{
    const s2clr_param_row *row = s2clr_command_row(p->args->command, index);
    char pair[1024];
    const char *second;
    if (strchr(text, '=') || strcmp(row->name, "config") != 0) return store(p->args, index, text);
    S2CLR_TRY(next_value(p, row, &second));
    if ((size_t)snprintf(pair, sizeof pair, "%s=%s", text, second) >= sizeof pair)
        return refuse(row, text, "less than 1024 bytes");
    return store(p->args, index, pair);
}

static s2clr_status take_option(parser *p, const char *token)
{
    const char *name = without_dashes(token);
    const size_t length = strcspn(name, "=");
    const int index = find_option(p->args->command, name, length);
    if (index < 0) return unknown_option(p->args->command, token, length);
    const s2clr_param_row *row = s2clr_command_row(p->args->command, (size_t)index);
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    if (row->type == S2CLR_TYPE_FLAG) {
        if (value) return refuse(row, value, "no value: it is a switch");
        return p->args->value[index].count ? S2CLR_OK : store(p->args, (size_t)index, "");
    }
    if (row->type == S2CLR_TYPE_WINDOW_INT || row->type == S2CLR_TYPE_WINDOW_REAL)
        return take_window(p, (size_t)index, value);
    if (!value) S2CLR_TRY(next_value(p, row, &value));
    if (row->type == S2CLR_TYPE_KEY_VALUE) return take_pair(p, (size_t)index, value);
    return store(p->args, (size_t)index, value);
}

/* How many positional arguments the rows from `index` on cannot do without. */
static size_t needed_from(const s2clr_command *command, size_t index)
{
    size_t needed = 0;
    for (; index < command->row_count; index++)
        needed += command->rows[index].positional && command->rows[index].required;
    return needed;
}

/* Deals the positional arguments out: in order, a repeated one takes what later ones leave. */
static s2clr_status deal_positionals(parser *p)
{
    const s2clr_command *command = p->args->command;
    size_t at = 0;
    for (size_t i = 0; i < command->row_count; i++) {
        if (!command->rows[i].positional) continue;
        const size_t later = needed_from(command, i + 1);
        size_t take = p->positionals - at;
        take = take > later ? take - later : (command->rows[i].required && take ? 1 : 0);
        if (!command->rows[i].repeat && take > 1) take = 1;
        for (; take; take--) S2CLR_TRY(store(p->args, i, p->positional[at++]));
    }
    if (at < p->positionals)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "\"%.200s\" is one argument too many; \"s2clr %s --help\" shows what "
            "the command takes",
            p->positional[at], command->name);
    return S2CLR_OK;
}

static bool stands_alone(const s2clr_args *args)
{
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(args->command, i)); i++)
        if (row->alone && args->value[i].count) return true;
    return false;
}

static s2clr_status check_required(const s2clr_args *args)
{
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(args->command, i)); i++)
        if (row->required && !args->value[i].count)
            return s2clr_error_set(
                S2CLR_ERR_ARGUMENT, "%s%s is missing: %s See \"s2clr %s --help\"",
                row->positional ? "" : "--", row->name, row->help, args->command->name);
    return S2CLR_OK;
}

static s2clr_status parse(parser *p)
{
    while (p->at < p->argc) {
        char *token = p->argv[p->at++];
        if (!p->options_over && strcmp(token, "--") == 0)
            p->options_over = true;
        else if (!p->options_over && looks_like_option(token))
            S2CLR_TRY(take_option(p, token));
        else
            p->positional[p->positionals++] = token;
    }
    S2CLR_TRY(deal_positionals(p));
    return stands_alone(p->args) ? S2CLR_OK : check_required(p->args);
}

s2clr_status s2clr_args_parse(const s2clr_command *command, int argc, char **argv, s2clr_args **out)
{
    parser p = {.argc = argc, .argv = argv};
    S2CLR_TRY(s2clr_alloc(1, sizeof *p.args, "arguments", (void **)&p.args));
    p.args->command = command;
    while (s2clr_command_row(command, p.args->rows)) p.args->rows++;
    s2clr_status status =
        s2clr_alloc(p.args->rows, sizeof *p.args->value, "arguments", (void **)&p.args->value);
    if (status == S2CLR_OK)
        status =
            s2clr_alloc((size_t)argc, sizeof *p.positional, "arguments", (void **)&p.positional);
    if (status == S2CLR_OK) status = parse(&p);
    if (status == S2CLR_OK) status = s2clr_line_make(p.args);
    s2clr_free(p.positional);
    if (status == S2CLR_OK)
        *out = p.args;
    else
        s2clr_args_free(p.args);
    return status;
}
