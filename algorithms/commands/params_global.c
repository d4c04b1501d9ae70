/*
 * The options that commands share, described once. A command names in its `global` field those
 * that do something for it; nothing else is listed.
 */
#include <string.h>

#include "commands/params.h"

static const s2clr_param_row rows[] = {
    {"help", "h", S2CLR_TYPE_FLAG, .alone = true, .group = "General", .help = "Shows this text."},
    {"version", NULL, S2CLR_TYPE_FLAG, .alone = true, .group = "General",
     .help = "Shows the version."},
    {"quiet", "q", S2CLR_TYPE_FLAG, .caller = true, .group = "General",
     .help = "Prints no progress, no summary and no warnings: errors and what was asked for only."},
    {"json", NULL, S2CLR_TYPE_FLAG, .caller = true, .group = "General",
     .help = "Prints the result as one JSON object on standard output."},
    {"results", NULL, S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .suffixes = "json", .advanced = true,
     .caller = true, .group = "General",
     .help = "Writes what --json prints to this new file as well; what is said stays as it is. A "
             "dry run, which has no results, writes none."},
    {"progress", NULL, S2CLR_TYPE_CHOICE, .standard = "auto", .choices = "auto,lines,none",
     .caller = true, .group = "General",
     .help = "How progress is shown: auto draws a bar on a terminal and nothing elsewhere, lines "
             "prints lines like \"progress 12.5\" (per cent) on standard output."},
    {"threads", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "0", .minimum = 0, .maximum = 1024,
     .advanced = true, .group = "Speed",
     .help = "Worker threads; 0 means one per CPU this process may use. The result does not depend "
             "on it."},
    {"memory", NULL, S2CLR_TYPE_INT, .meta = "MB", .standard = "0", .minimum = 0,
     .maximum = 16777216, .advanced = true, .label = "Memory in MB", .group = "Speed",
     .help =
         "Memory to stay within, GDAL's cache included, and likewise that of a GPU; 0 means a "
         "quarter of what is available, and all that a GPU has free. The result does not depend "
         "on it."},
    {"device", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "auto", .advanced = true,
     .group = "Speed",
     .help =
         "Where to compute: auto (a GPU, if one is there and gives the right answers in a "
         "short trial, else the CPU), cpu, cuda (an NVIDIA GPU, without a trial; cuda:N is the "
         "N-th, from 0), or a backend named by \"s2clr info\" (portable, onednn). cuda,fast and "
         "cuda:N,fast let results differ in their last digits from run to run, for speed. "
         "Training takes several, as cuda:0+1 or cuda:all: each computes an equal share of "
         "every batch, of which its batch norm sees no more."},
    {"seed", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "1", .minimum = 0,
     .maximum = 2147483647, .advanced = true, .group = "General",
     .help = "Seed of all random numbers: the same seed gives the same result."},
    {"config", NULL, S2CLR_TYPE_KEY_VALUE, .repeat = true, .advanced = true, .meta = "KEY=VALUE",
     .label = "GDAL configuration options", .group = "General",
     .help = "Sets a GDAL configuration option, as KEY=VALUE or as two words KEY VALUE."},
};

size_t s2clr_global_rows(const s2clr_param_row **out)
{
    *out = rows;
    return sizeof rows / sizeof rows[0];
}

/* Is `name` a word of the comma-separated `list`? */
static bool in_list(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; at && *at;) {
        const size_t word = strcspn(at, ",");
        if (word == length && strncmp(at, name, length) == 0) return true;
        at += word;
        if (*at == ',') at++;
    }
    return false;
}

static bool takes(const s2clr_command *command, const s2clr_param_row *row)
{
    return strcmp(row->name, "help") == 0 || strcmp(row->name, "version") == 0 ||
           in_list(command->global, row->name);
}

const s2clr_param_row *s2clr_command_row(const s2clr_command *command, size_t index)
{
    if (index < command->row_count) return &command->rows[index];
    index -= command->row_count;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (takes(command, &rows[i]) && index-- == 0) return &rows[i];
    return NULL;
}
