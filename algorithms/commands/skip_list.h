/*
 * Patches that were left out: counted, the first ones shown, all of them in a file.
 *
 *     s2clr_skip_list skips;
 *     S2CLR_TRY(s2clr_skip_list_open(args, &skips));               // --skips FILE
 *     options.skipped = s2clr_skip_list_add, options.context = &skips;
 *     ...
 *     S2CLR_TRY(s2clr_skip_list_close(&skips, status));            // prints them
 */
#ifndef S2CLR_COMMANDS_SKIP_LIST_H
#define S2CLR_COMMANDS_SKIP_LIST_H

#include <jansson.h>
#include <stdio.h>

#include "commands/params.h"

#define S2CLR_SKIPS_SHOWN 20

#define S2CLR_ROW_STRICT                                                                           \
    {                                                                                              \
        "strict", NULL, S2CLR_TYPE_FLAG,                                                           \
            .group = "What is taken",                                                              \
            .help = "Stops at the first patch that would be left out for a fault of its own."      \
    }
#define S2CLR_ROW_SKIPS                                                                            \
    {                                                                                              \
        "skips", NULL, S2CLR_TYPE_OUTPUT_FILE,                                                     \
            .meta = "FILE", .label = "List of what was left out", .suffixes = "txt",               \
            .group = "Output",                                                                     \
            .help = "Writes the names of all patches that were left out, and why, to this file, "  \
                    "separated by tabs; the first 20 are shown anyway."                            \
    }

typedef struct s2clr_skip_list {
    const s2clr_args *args;
    const char *path;
    FILE *to;
    size_t count;
    char *text[S2CLR_SKIPS_SHOWN]; /* "name: reason" */
} s2clr_skip_list;

s2clr_status s2clr_skip_list_open(const s2clr_args *args, s2clr_skip_list *out);
/* What the readers call; `list` is the context. */
void s2clr_skip_list_add(void *list, const char *name, const char *reason);
/* Shows what is shown to standard error unless --quiet, and frees. An error of the file is told
 * only when `status` is S2CLR_OK; else `status` comes back. */
s2clr_status s2clr_skip_list_close(s2clr_skip_list *list, s2clr_status status);

#endif
