#include "commands/man_options.h"

#include <ctype.h>
#include <string.h>

#include "commands/help.h"

#define LINE_COLUMNS 76 /* manual pages are linted for lines beyond 80 */

/* One word of plain text: nothing in it is taken for a request or an escape. */
static void put_word(FILE *to, const char *word, int length, bool line_start)
{
    if (line_start && (word[0] == '.' || word[0] == '\'')) fputs("\\&", to);
    for (int i = 0; i < length; i++) {
        if (word[i] == '\\')
            fputs("\\e", to);
        else
            putc(word[i], to);
    }
}

/* Plain text to roff: short lines, a new sentence on a new one. */
static void text(FILE *to, const char *at)
{
    int column = 0;
    bool ended = false; /* the word before ended a sentence */
    while (*at) {
        const int length = (int)strcspn(at, " ");
        const bool sentence = ended && (isupper((unsigned char)*at) || *at == '(');
        if (column && (sentence || column + 1 + length > LINE_COLUMNS)) {
            putc('\n', to);
            column = 0;
        } else if (column) {
            putc(' ', to);
            column++;
        }
        put_word(to, at, length, column == 0);
        ended = length && strchr(".?!", at[length - 1]) != NULL;
        column += length;
        at += length;
        while (*at == ' ') at++;
    }
    putc('\n', to);
}

static void item(FILE *to, const s2clr_param_row *row)
{
    char label[120], limits[300], line[2048];
    const char *meta = row->meta ? row->meta : row->choices ? "WORD" : "VALUE";
    s2clr_row_label(row, label, sizeof label);
    s2clr_row_limits(row, limits, sizeof limits);
    if (row->positional) {
        fprintf(to, ".It Ar %s\n", label);
    } else {
        fputs(".It", to);
        if (row->short_name) fprintf(to, " Fl %s ,", row->short_name);
        fprintf(to, " Fl -%s", row->name);
        if (row->type != S2CLR_TYPE_FLAG) fprintf(to, " Ar %s", meta);
        putc('\n', to);
    }
    snprintf(line, sizeof line, "%s%s%s", row->help, limits[0] ? " " : "", limits);
    text(to, line);
}

void s2clr_man_options(FILE *to, const s2clr_command *command)
{
    const char *group;
    for (size_t g = 0; (group = s2clr_command_group(command, g)); g++) {
        const s2clr_param_row *row;
        fprintf(to, ".Ss %s\n.Bl -tag -width Ds\n", group);
        for (size_t i = 0; (row = s2clr_command_row(command, i)); i++)
            if (strcmp(s2clr_row_group(row), group) == 0) item(to, row);
        fputs(".El\n", to);
    }
}
