/* The values behind s2clr_args: access, defaults, and the command line for provenance. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "commands/number.h"
#include "commands/pargs.h"

void s2clr_args_free(s2clr_args *args)
{
    if (!args) return;
    for (size_t i = 0; args->value && i < args->rows; i++) {
        for (size_t k = 0; k < args->value[i].count; k++) s2clr_free(args->value[i].text[k]);
        s2clr_free(args->value[i].text);
    }
    s2clr_free(args->value);
    s2clr_free(args->line);
    s2clr_free(args);
}

s2clr_status s2clr_arg_append(s2clr_arg *arg, const char *text)
{
    char **more, *copy;
    size_t count;
    S2CLR_TRY(s2clr_size_add(arg->count, 1, &count));
    S2CLR_TRY(s2clr_strdup(text, &copy));
    const s2clr_status status = s2clr_alloc(count, sizeof *more, "arguments", (void **)&more);
    if (status != S2CLR_OK) {
        s2clr_free(copy);
        return status;
    }
    if (arg->count) memcpy(more, arg->text, arg->count * sizeof *more);
    more[arg->count] = copy;
    s2clr_free(arg->text);
    arg->text = more;
    arg->count = count;
    return S2CLR_OK;
}

static size_t row_of(const s2clr_args *args, const char *name)
{
    size_t i = 0;
    while (i < args->rows && strcmp(s2clr_command_row(args->command, i)->name, name) != 0) i++;
    return i;
}

bool s2clr_args_given(const s2clr_args *args, const char *name)
{
    const size_t i = row_of(args, name);
    return i < args->rows && args->value[i].count > 0;
}

bool s2clr_args_flag(const s2clr_args *args, const char *name)
{
    return s2clr_args_given(args, name);
}

const char *s2clr_args_text(const s2clr_args *args, const char *name)
{
    const size_t i = row_of(args, name);
    if (i >= args->rows) return NULL;
    return args->value[i].count ? args->value[i].text[0]
                                : s2clr_command_row(args->command, i)->standard;
}

long s2clr_args_int(const s2clr_args *args, const char *name)
{
    const char *text = s2clr_args_text(args, name);
    long value = 0;
    if (text) s2clr_number_int(text, &value);
    return value;
}

double s2clr_args_real(const s2clr_args *args, const char *name)
{
    const char *text = s2clr_args_text(args, name);
    double value = 0;
    if (text) s2clr_number_real(text, &value);
    return value;
}

size_t s2clr_args_list(const s2clr_args *args, const char *name, const char *const **out)
{
    const size_t i = row_of(args, name);
    if (i >= args->rows) return 0;
    *out = (const char *const *)args->value[i].text;
    return args->value[i].count;
}

const double *s2clr_args_window(const s2clr_args *args, const char *name)
{
    const size_t i = row_of(args, name);
    return i < args->rows && args->value[i].count ? args->value[i].window : NULL;
}

const char *s2clr_args_line(const s2clr_args *args)
{
    return args->line;
}

static bool needs_quotes(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,+@%";
    return !word[0] || word[strspn(word, plain)] != '\0';
}

/* $'caf\xe9': the line is kept in texts that have to be UTF-8. */
static char *quote_bytes(char *to, const char *word)
{
    to = stpcpy(to, "$'");
    for (; *word; word++) {
        const unsigned char byte = (unsigned char)*word;
        if (byte == '\'' || byte == '\\') *to++ = '\\';
        if (byte < 0x80)
            *to++ = *word;
        else
            to += sprintf(to, "\\x%02x", byte);
    }
    return stpcpy(to, "'");
}

/* Appends one word; an apostrophe inside quotes becomes '\''. */
static char *quote(char *to, const char *word)
{
    *to++ = ' ';
    if (!needs_quotes(word)) return stpcpy(to, word);
    if (!s2clr_utf8_valid(word)) return quote_bytes(to, word);
    *to++ = '\'';
    for (; *word; word++) {
        if (*word == '\'') to = stpcpy(to, "'\\'");
        *to++ = *word;
    }
    *to++ = '\'';
    *to = '\0';
    return to;
}

/* What cannot change a result has no place in its provenance. */
static bool is_provenance(const s2clr_param_row *row)
{
    static const char *const passing[] = {"threads", "memory", "progress", "quiet",     "json",
                                          "results", "resume", "shard",    "overwrite", "append",
                                          "skips",   "report", "polygons", "no-style"};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (strcmp(row->name, passing[i]) == 0) return false;
    return true;
}

/* One argument with all its values: "--name value" each, or the bare values of a positional one. */
static char *quote_arg(char *to, const s2clr_param_row *row, const s2clr_arg *arg)
{
    for (size_t k = 0; k < arg->count; k++) {
        if (!row->positional) to = stpcpy(stpcpy(to, " --"), row->name);
        if (row->type == S2CLR_TYPE_WINDOW_INT || row->type == S2CLR_TYPE_WINDOW_REAL)
            to = stpcpy(stpcpy(to, " "), arg->text[k]);
        else if (row->type != S2CLR_TYPE_FLAG)
            to = quote(to, arg->text[k]);
    }
    return to;
}

s2clr_status s2clr_line_make(s2clr_args *args)
{
    size_t bytes = strlen(args->command->name) + sizeof "s2clr ";
    for (size_t i = 0; i < args->rows; i++) {
        for (size_t k = 0; k < args->value[i].count; k++) {
            size_t word; /* worst case: all \xHH, quotes, a blank and the name */
            S2CLR_TRY(s2clr_size_mul(strlen(args->value[i].text[k]), 4, &word));
            S2CLR_TRY(s2clr_size_add(bytes, word + 8, &bytes));
            bytes += strlen(s2clr_command_row(args->command, i)->name);
        }
    }
    S2CLR_TRY(s2clr_alloc(bytes, 1, "command line", (void **)&args->line));
    char *at = stpcpy(stpcpy(args->line, "s2clr "), args->command->name);
    for (int positional = 0; positional < 2; positional++) {
        for (size_t i = 0; i < args->rows; i++) {
            const s2clr_param_row *row = s2clr_command_row(args->command, i);
            if (row->positional == (positional == 1) && is_provenance(row))
                at = quote_arg(at, row, &args->value[i]);
        }
    }
    return S2CLR_OK;
}
