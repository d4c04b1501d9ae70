#include "commands/help.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands/exit_codes.h"
#include "commands/number.h"

#define LABEL_COLUMNS 24
#define TEXT_MAX 2048
#define GROUPS_MAX 16

int s2clr_help_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long width = 80;
    if (columns && s2clr_number_int(columns, &width)) {
    } else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        width = size.ws_col;
    }
    return width < 80 ? 80 : width > 100 ? 100 : (int)width;
}

/* Writes `text` with lines broken at blanks; the first line starts in column `at`, later ones are
 * indented by `indent`. */
static void wrap(FILE *to, const char *text, int at, int indent, int width)
{
    bool first = true;
    while (*text) {
        const int word = (int)strcspn(text, " ");
        if (!first && at + 1 + word > width) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            putc(' ', to);
            at++;
        }
        fwrite(text, 1, (size_t)word, to);
        at += word;
        text += word;
        while (*text == ' ') text++;
        first = false;
    }
    putc('\n', to);
}

static const char *meta_of(const s2clr_param_row *row)
{
    if (row->type == S2CLR_TYPE_FLAG) return "";
    return row->meta ? row->meta : row->choices ? "WORD" : "VALUE";
}

static void upper(const char *name, char *out, size_t size)
{
    size_t i = 0;
    for (; name[i] && i + 1 < size; i++)
        out[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
    out[i] = '\0';
}

void s2clr_row_label(const s2clr_param_row *row, char *out, size_t size)
{
    const char *meta = meta_of(row);
    if (row->positional) {
        char name[64];
        upper(row->name, name, sizeof name);
        snprintf(out, size, "%s%s", name, row->repeat ? "..." : "");
        return;
    }
    char brief[8] = "";
    if (row->short_name) snprintf(brief, sizeof brief, "-%s, ", row->short_name);
    snprintf(out, size, "%s--%s%s%s", brief, row->name, meta[0] ? " " : "", meta);
}

void s2clr_row_limits(const s2clr_param_row *row, char *out, size_t size)
{
    char standard[160] = "", range[80] = "";
    if (row->standard) snprintf(standard, sizeof standard, "default %s", row->standard);
    if (row->choices)
        snprintf(range, sizeof range, "one of %s", row->choices);
    else if (row->minimum < row->maximum)
        snprintf(range, sizeof range, "%.10g to %.10g", row->minimum, row->maximum);
    if (!standard[0] && !range[0]) {
        snprintf(out, size, "%s", row->repeat && !row->positional ? "(may be repeated)" : "");
        return;
    }
    snprintf(out, size, "(%s%s%s)", range, range[0] && standard[0] ? "; " : "", standard);
}

const char *s2clr_row_group(const s2clr_param_row *row)
{
    return row->advanced ? "Advanced" : row->group;
}

const char *s2clr_command_group(const s2clr_command *command, size_t g)
{
    const char *seen[GROUPS_MAX];
    size_t count = 0;
    const s2clr_param_row *row;
    for (int advanced = 0; advanced < 2; advanced++) {
        for (size_t i = 0; (row = s2clr_command_row(command, i)); i++) {
            if (row->advanced != (advanced == 1)) continue;
            size_t k = 0;
            while (k < count && strcmp(seen[k], s2clr_row_group(row)) != 0) k++;
            if (k == count && count < GROUPS_MAX) seen[count++] = s2clr_row_group(row);
        }
    }
    return g < count ? seen[g] : NULL;
}

static void help_row(FILE *to, const s2clr_param_row *row, int width)
{
    char label[120], limits[300], text[TEXT_MAX];
    s2clr_row_label(row, label, sizeof label);
    s2clr_row_limits(row, limits, sizeof limits);
    snprintf(text, sizeof text, "%s%s%s", row->help, limits[0] ? " " : "", limits);
    const int length = fprintf(to, "  %s", label);
    if (length + 2 > LABEL_COLUMNS)
        fprintf(to, "\n%*s", LABEL_COLUMNS, "");
    else
        fprintf(to, "%*s", LABEL_COLUMNS - length, "");
    wrap(to, text, LABEL_COLUMNS, LABEL_COLUMNS, width);
}

static void usage_line(FILE *to, const s2clr_command *command)
{
    fprintf(to, "Usage: s2clr %s [OPTION]...", command->name);
    for (size_t i = 0; i < command->row_count; i++) {
        const s2clr_param_row *row = &command->rows[i];
        char label[80];
        if (!row->positional && !row->required) continue;
        s2clr_row_label(row, label, sizeof label);
        fprintf(to, row->required ? " %s" : " [%s]", label);
    }
    putc('\n', to);
}

void s2clr_help_command(FILE *to, const s2clr_command *command, int width)
{
    usage_line(to, command);
    putc('\n', to);
    wrap(to, command->description, 0, 0, width);
    const char *group;
    for (size_t g = 0; (group = s2clr_command_group(command, g)); g++) {
        const s2clr_param_row *row;
        fprintf(to, "\n%s:\n", group);
        for (size_t i = 0; (row = s2clr_command_row(command, i)); i++)
            if (strcmp(s2clr_row_group(row), group) == 0) help_row(to, row, width);
    }
    fprintf(to, "\nExample:\n  %s\n", command->example);
}

/* The commands of a family, or all. */
static void help_commands(FILE *to, const char *family, int width)
{
    const s2clr_command *const *list;
    const size_t count = s2clr_command_list(&list);
    fprintf(to, "Commands:\n");
    for (size_t i = 0; i < count; i++) {
        if (family && !s2clr_command_in_family(list[i], family)) continue;
        fprintf(to, "  %-15s ", list[i]->name);
        wrap(to, list[i]->summary, 18, 18, width);
    }
}

void s2clr_help_family(FILE *to, const char *family, int width)
{
    fprintf(to, "Usage: s2clr %s COMMAND [OPTION]... [ARGUMENT]...\n\n", family);
    help_commands(to, family, width);
    fprintf(to, "\n\"s2clr %s COMMAND --help\" tells more about each.\n", family);
}

void s2clr_help_overview(FILE *to, int width)
{
    fprintf(to, "Usage: s2clr COMMAND [OPTION]... [ARGUMENT]...\n\n");
    wrap(to,
         "Maps irrigation and other land cover from Sentinel-2 with small neural networks, and "
         "trains them.",
         0, 0, width);
    putc('\n', to);
    help_commands(to, NULL, width);
    const s2clr_exit_code *codes;
    const size_t count = s2clr_exit_codes(&codes);
    fprintf(to, "\nExit status:\n");
    for (size_t i = 0; i < count; i++) fprintf(to, "  %-5d%s\n", codes[i].code, codes[i].what);
    fprintf(to, "\n\"s2clr COMMAND --help\" tells more about each, \"man s2clr\" about all.\n");
}

void s2clr_help_first_steps(FILE *to)
{
    static const char *const steps[][2] = {
        {"s2clr info PRODUCT", "what an input is and how its bands would be read"},
        {"s2clr predict PRODUCT map.tif", "a probability map of a Sentinel-2 product"},
        {"s2clr --help", "all commands"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        fprintf(to, "%-32s%s\n", steps[i][0], steps[i][1]);
}
