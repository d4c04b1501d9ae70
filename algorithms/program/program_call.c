#define _GNU_SOURCE
#include "program/program_call.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "program/child.h"

typedef struct value {
    const s2clr_program_row *row;
    char *word; /* "--name=value", "--name", or the value of a positional row */
} value;

struct s2clr_program_call {
    const s2clr_program_table *table;
    char family[64]; /* first word of a name of two, else "" */
    value *values;   // (count)
    size_t count;
    char **settings; // (setting_count + 1), the last one NULL
    size_t setting_count;
};

/* "import" of "dataset import". */
static const char *last_word(const char *name)
{
    const char *blank = strchr(name, ' ');
    return blank ? blank + 1 : name;
}

s2clr_status s2clr_program_call_new(const s2clr_program_table *table, s2clr_program_call **out)
{
    s2clr_program_call *call;
    S2CLR_TRY(s2clr_alloc(1, sizeof *call, "command line", (void **)&call));
    call->table = table;
    const char *name = s2clr_program_table_name(table);
    const size_t first = (size_t)(last_word(name) - name);
    if (first && first <= sizeof call->family) memcpy(call->family, name, first - 1);
    const s2clr_program_row *progress = s2clr_program_table_find(table, "progress");
    const s2clr_status status =
        progress ? s2clr_program_call_add(call, progress, "lines") : S2CLR_OK;
    if (status == S2CLR_OK)
        *out = call;
    else
        s2clr_program_call_free(call);
    return status;
}

void s2clr_program_call_free(s2clr_program_call *call)
{
    if (!call) return;
    for (size_t i = 0; i < call->count; i++) s2clr_free(call->values[i].word);
    s2clr_free(call->values);
    for (size_t i = 0; i < call->setting_count; i++) s2clr_free(call->settings[i]);
    s2clr_free(call->settings);
    s2clr_free(call);
}

/* "--name=value": a value like "-1000" cannot be taken for an option then. */
static s2clr_status make_word(const s2clr_program_row *row, const char *text, char **out)
{
    size_t bytes;
    char *word;
    if (row->positional) return s2clr_strdup(text, out);
    S2CLR_TRY(s2clr_size_add(strlen(row->name), sizeof "--=", &bytes));
    S2CLR_TRY(s2clr_size_add(bytes, text ? strlen(text) : 0, &bytes));
    S2CLR_TRY(s2clr_alloc(bytes, 1, "command line", (void **)&word));
    snprintf(word, bytes, "--%s%s%s", row->name, text ? "=" : "", text ? text : "");
    *out = word;
    return S2CLR_OK;
}

s2clr_status s2clr_program_call_add(s2clr_program_call *call, const s2clr_program_row *row,
                                    const char *text)
{
    value *more;
    size_t count;
    S2CLR_TRY(s2clr_size_add(call->count, 1, &count));
    S2CLR_TRY(s2clr_alloc(count, sizeof *more, "command line", (void **)&more));
    const s2clr_status status = make_word(row, text, &more[call->count].word);
    if (status != S2CLR_OK) {
        s2clr_free(more);
        return status;
    }
    more[call->count].row = row;
    if (call->count) memcpy(more, call->values, call->count * sizeof *more);
    s2clr_free(call->values);
    call->values = more;
    call->count = count;
    return S2CLR_OK;
}

s2clr_status s2clr_program_call_set(s2clr_program_call *call, const char *setting)
{
    char **more;
    size_t count;
    S2CLR_TRY(s2clr_size_add(call->setting_count, 2, &count));
    S2CLR_TRY(s2clr_alloc(count, sizeof *more, "environment", (void **)&more));
    const s2clr_status status = s2clr_strdup(setting, &more[call->setting_count]);
    if (status != S2CLR_OK) {
        s2clr_free(more);
        return status;
    }
    if (call->setting_count) memcpy(more, call->settings, call->setting_count * sizeof *more);
    s2clr_free(call->settings);
    call->settings = more;
    call->setting_count++;
    return S2CLR_OK;
}

/* PROGRAM COMMAND OPTION... -- ARGUMENT..., arguments in the order of their rows. */
static s2clr_status make_words(const s2clr_program_call *call, const char *program,
                               const char ***out)
{
    const char **words;
    size_t count, at = 0;
    S2CLR_TRY(s2clr_size_add(call->count, 5, &count));
    S2CLR_TRY(s2clr_alloc(count, sizeof *words, "command line", (void **)&words));
    words[at++] = program;
    if (call->family[0]) words[at++] = call->family;
    words[at++] = last_word(s2clr_program_table_name(call->table));
    for (size_t i = 0; i < call->count; i++)
        if (!call->values[i].row->positional) words[at++] = call->values[i].word;
    words[at++] = "--";
    for (size_t r = 0; r < s2clr_program_table_count(call->table); r++) {
        const s2clr_program_row *row = s2clr_program_table_row(call->table, r);
        for (size_t i = 0; row->positional && i < call->count; i++)
            if (call->values[i].row == row) words[at++] = call->values[i].word;
    }
    words[at] = NULL;
    *out = words;
    return S2CLR_OK;
}

/* The warnings among its lines, as text of their own. */
static s2clr_status take_warnings(const char *errors, char **out)
{
    static const char mark[] = ": warning: ";
    char *warnings, *to;
    S2CLR_TRY(s2clr_alloc(strlen(errors) + 2, 1, "warnings", (void **)&warnings));
    to = warnings;
    for (const char *at = errors; *at;) {
        const size_t length = strcspn(at, "\n");
        const char *found = memmem(at, length, mark, sizeof mark - 1);
        if (found) {
            const char *text = found + sizeof mark - 1;
            const size_t bytes = (size_t)(at + length - text);
            memcpy(to, text, bytes);
            to += bytes;
            *to++ = '\n';
        }
        at += length + (at[length] == '\n');
    }
    *out = warnings;
    return S2CLR_OK;
}

/* The message is the last thing it said: from the last line that starts with "s2clr " on. */
static void last_message(char *errors, const char **out)
{
    size_t length = strlen(errors);
    while (length && (errors[length - 1] == '\n' || errors[length - 1] == ' '))
        errors[--length] = '\0';
    const char *message = errors;
    for (const char *at = errors; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, "s2clr ", 6) == 0) message = at;
    }
    *out = message;
}

static s2clr_status told(const char *command, s2clr_child_end *end)
{
    const char *message;
    last_message(end->errors, &message);
    if (end->cancelled || end->code == 128 + SIGINT || end->code == 128 + SIGTERM ||
        end->code == 128 + SIGHUP)
        return s2clr_error_set(S2CLR_ERR_CANCELLED, "s2clr %.80s: interrupted", command);
    if (*message)
        return s2clr_error_set(end->code == 2 ? S2CLR_ERR_ARGUMENT : S2CLR_ERR_IO, "%s", message);
    if (end->code > 128)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "s2clr %.80s: killed by signal %d (%s); did memory run short? see "
                               "--memory",
                               command, end->code - 128, strsignal(end->code - 128));
    return s2clr_error_set(S2CLR_ERR_IO,
                           "s2clr %.80s: ended with exit code %d and said nothing; is the program "
                           "s2clr that was run the one of this library?",
                           command, end->code);
}

static s2clr_status run(const s2clr_program_call *call, const char *const *words,
                        const s2clr_progress *progress, s2clr_program_result *out)
{
    s2clr_child_end end;
    s2clr_program_result result = {0};
    S2CLR_TRY(s2clr_child_run(words, (const char *const *)call->settings, progress,
                              S2CLR_CHILD_GRACE, &end));
    /* Who said stop too late has a result: it is complete. */
    s2clr_status status = end.code == 0 ? take_warnings(end.errors, &result.warnings)
                                        : told(s2clr_program_table_name(call->table), &end);
    if (status == S2CLR_OK) {
        result.text = end.text;
        end.text = NULL;
        *out = result;
        s2clr_progress_report(progress, 1.0, NULL);
    }
    s2clr_child_end_free(&end);
    return status;
}

s2clr_status s2clr_program_call_run(const s2clr_program_call *call, const char *program,
                                    const s2clr_progress *progress, s2clr_program_result *out)
{
    const char **words;
    S2CLR_TRY(make_words(call, program, &words));
    const s2clr_status status = run(call, words, progress, out);
    s2clr_free((void *)words);
    return status;
}

void s2clr_program_result_free(s2clr_program_result *result)
{
    s2clr_free(result->text);
    s2clr_free(result->warnings);
    *result = (s2clr_program_result){0};
}
