#include "commands/completion.h"

#include <string.h>

#include "commands/describe.h"
#include "commands/params.h"

/* "auto,lines,none" as words. */
static void print_words(FILE *to, const char *list)
{
    for (; *list; list++) putc(*list == ',' ? ' ' : *list, to);
}

static void print_options(FILE *to, const s2clr_command *command)
{
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(command, i)); i++) {
        if (row->positional) continue;
        fprintf(to, " --%s", row->name);
        if (row->short_name) fprintf(to, " -%s", row->short_name);
    }
}

static bool is_number(const s2clr_param_row *row)
{
    return row->type == S2CLR_TYPE_INT || row->type == S2CLR_TYPE_REAL ||
           row->type == S2CLR_TYPE_WINDOW_INT || row->type == S2CLR_TYPE_WINDOW_REAL;
}

/* What completes the value of a row: the end of a function's name and its argument. */
static void print_value(FILE *to, const s2clr_param_row *row)
{
    const bool is_file = row->meta && strcmp(row->meta, "FILE") == 0; /* or a word, as auto */
    const char *words = row->choices ? row->choices : row->words,
               *endings = s2clr_row_suffixes(row);
    if (words) {
        fputs("words '", to);
        print_words(to, words);
        fputs("'", to);
    } else if (row->type == S2CLR_TYPE_MODEL) {
        fputs("models", to);
    } else if (row->type == S2CLR_TYPE_OUTPUT_FOLDER) {
        fputs("folders", to);
    } else if (is_number(row) || (row->type == S2CLR_TYPE_TEXT && !is_file)) {
        fputs("nothing", to);
    } else {
        fputs("files '", to);
        print_words(to, endings ? endings : "");
        fputs("'", to);
    }
}

/* What completes an argument that is no option: the first one may be a word of its own. */
static void print_arguments(FILE *to, const s2clr_command *command)
{
    const s2clr_param_row *first = NULL, *rest = NULL;
    bool model = false;
    for (size_t i = 0; i < command->row_count; i++) {
        const s2clr_param_row *row = &command->rows[i];
        if (!row->positional) continue;
        if (!first) first = row;
        if (!rest && row->type != S2CLR_TYPE_CHOICE && row->type != S2CLR_TYPE_TEXT) rest = row;
        model = model || row->type == S2CLR_TYPE_MODEL;
    }
    const bool has_words = first && (first->choices || first->words);
    if (has_words) {
        fputs("        first='", to);
        print_words(to, first->choices ? first->choices : first->words);
        fputs("'\n", to);
    }
    if (!rest) return;
    fputs("        rest=\"_s2clr_", to);
    print_value(to, model ? &(s2clr_param_row){.type = S2CLR_TYPE_MODEL} : rest);
    fputs("\"\n", to);
}

static void print_command(FILE *to, const s2clr_command *command)
{
    const s2clr_param_row *row;
    fprintf(to, "    '%s')\n        case $prev in\n", command->name);
    for (size_t i = 0; (row = s2clr_command_row(command, i)); i++) {
        if (row->positional || row->type == S2CLR_TYPE_FLAG) continue;
        fprintf(to, "        -%s|--%s", row->name, row->name);
        if (row->short_name) fprintf(to, "|-%s|--%s", row->short_name, row->short_name);
        fputs(") _s2clr_", to);
        print_value(to, row);
        fputs("; return ;;\n", to);
    }
    fputs("        esac\n        options='", to);
    print_options(to, command);
    fputs("'\n", to);
    print_arguments(to, command);
    fputs("        ;;\n", to);
}

/* Is this the first command with its first word? */
static bool leads(const s2clr_command *const *list, size_t at)
{
    const size_t length = strcspn(list[at]->name, " ");
    for (size_t i = 0; i < at; i++)
        if (strncmp(list[i]->name, list[at]->name, length) == 0 &&
            (list[i]->name[length] == ' ' || !list[i]->name[length]))
            return false;
    return true;
}

/* A first word whose second one belongs to the command's name. */
static void print_family(FILE *to, const s2clr_command *const *list, size_t count, size_t at)
{
    char family[80];
    snprintf(family, sizeof family, "%.*s", (int)strcspn(list[at]->name, " "), list[at]->name);
    fprintf(to, "    %s)\n        if [ \"$COMP_CWORD\" -eq 2 ]; then\n            _s2clr_words '",
            family);
    for (size_t i = 0; i < count; i++)
        if (s2clr_command_in_family(list[i], family))
            fprintf(to, "%s ", list[i]->name + strlen(family) + 1);
    fputs("--help'\n            return\n        fi\n"
          "        command=\"$command ${COMP_WORDS[2]}\" words=3 ;;\n",
          to);
}

static const char head[] =
    "# bash completion for s2clr, made by \"s2clr completion bash\"\n"
    "_s2clr_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$cur\")); }\n"
    "_s2clr_paths() {\n"
    "    local IFS=$'\\n'\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    COMPREPLY=($(compgen \"$1\" -- \"$cur\"))\n"
    "}\n"
    /* Folders and the files with one of the endings; all files where there is none of those. */
    "_s2clr_files() {\n"
    "    local name ending kept=() found=0\n"
    "    _s2clr_paths -f\n"
    "    for name in \"${COMPREPLY[@]}\"; do\n"
    "        [ -d \"${name/#\\~\\//$HOME/}\" ] && kept+=(\"$name\") && continue\n"
    "        for ending in $1; do\n"
    "            case ${name,,} in *.$ending) kept+=(\"$name\") found=1 ;; esac\n"
    "        done\n"
    "    done\n"
    "    [ $found -eq 0 ] || COMPREPLY=(\"${kept[@]}\")\n"
    "}\n"
    "_s2clr_folders() { _s2clr_paths -d; }\n"
    "_s2clr_models() {\n"
    "    _s2clr_files safetensors\n"
    "    COMPREPLY+=($(compgen -W \"$(\"${COMP_WORDS[0]}\" model list --quiet 2>/dev/null)\""
    " -- \"$cur\"))\n"
    "}\n"
    "_s2clr_nothing() { COMPREPLY=(); }\n"
    "_s2clr() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}"
    " options= first= rest=_s2clr_files\n"
    "    local IFS=$' \\t\\n'\n"
    "    if [ \"$cur\" = = ]; then cur=\n" /* bash splits --of=COG into three words */
    "    elif [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
    "    COMPREPLY=()\n";

void s2clr_completion_bash(FILE *to)
{
    const s2clr_command *const *list;
    const size_t count = s2clr_command_list(&list);
    fputs(head, to);
    fputs("    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        _s2clr_words '", to);
    for (size_t i = 0; i < count; i++)
        if (leads(list, i)) fprintf(to, "%.*s ", (int)strcspn(list[i]->name, " "), list[i]->name);
    fputs("--help --version'\n        return\n    fi\n", to);
    fputs("    local command=${COMP_WORDS[1]} words=2\n    case $command in\n", to);
    for (size_t i = 0; i < count; i++)
        if (leads(list, i) && strchr(list[i]->name, ' ')) print_family(to, list, count, i);
    fputs("    esac\n    case $command in\n", to);
    for (size_t i = 0; i < count; i++) print_command(to, list[i]);
    fputs("    esac\n"
          "    case $cur in\n"
          "    -|--*) _s2clr_words \"$options\" ;;\n"
          "    -*) _s2clr_words \"$options ${options// --/ -}\" ;;\n" /* one dash will do */
          "    *) if [ \"$COMP_CWORD\" -eq \"$words\" ] && [ -n \"$first\" ]; then"
          " _s2clr_words \"$first\"\n"
          "       else eval \"$rest\"; fi ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _s2clr s2clr\n",
          to);
}
