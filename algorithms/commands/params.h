/*
 * One parameter table per command drives everything a user sees: parsing, --help, the OPTIONS
 * section of the man page, shell completion, and through `s2clr describe --json` the dialogs of
 * QGIS and the gdal CLI.
 *
 *     static const s2clr_param_row rows[] = {
 *         {"model", "m", S2CLR_TYPE_MODEL, .meta = "FILE", .help = "Model file ..."},
 *         {"stride", NULL, S2CLR_TYPE_INT, .meta = "PX", .minimum = 1, .maximum = 4096, ...},
 *     };
 *
 * Options take one or two dashes. Numbers are parsed completely or refused ("0.5x").
 */
#ifndef S2CLR_COMMANDS_PARAMS_H
#define S2CLR_COMMANDS_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef enum s2clr_type {
    S2CLR_TYPE_FLAG, /* no value */
    S2CLR_TYPE_INT,
    S2CLR_TYPE_REAL,
    S2CLR_TYPE_TEXT,
    S2CLR_TYPE_CHOICE, /* one of .choices, comma-separated */
    S2CLR_TYPE_INPUT,  /* an existing raster, product or data set */
    S2CLR_TYPE_OUTPUT_RASTER,
    S2CLR_TYPE_OUTPUT_FOLDER,
    S2CLR_TYPE_OUTPUT_FILE,
    S2CLR_TYPE_MODEL,       /* a model file or a name in the zoo */
    S2CLR_TYPE_VECTOR,      /* any OGR dataset */
    S2CLR_TYPE_WINDOW_INT,  /* four integers */
    S2CLR_TYPE_WINDOW_REAL, /* four numbers */
    S2CLR_TYPE_KEY_VALUE    /* K=V */
} s2clr_type;

typedef struct s2clr_param_row {
    const char *name;       /* long name, without dashes; positional arguments: shown in capitals */
    const char *short_name; /* one letter or NULL */
    s2clr_type type;
    bool positional, required, repeat; /* repeat: may be given several times */
    bool advanced;                     /* folded away in dialogs and at the end of --help */
    bool alone;                        /* a flag with which nothing else is required */
    const char *meta;                  /* placeholder: "PX" */
    const char *standard;              /* default as text, NULL if none */
    double minimum, maximum;           /* for INT and REAL, when minimum < maximum */
    const char *choices;
    const char *group; /* heading in --help and dialogs: "Input", "Output", "Speed" */
    const char *help;  /* one or two sentences */

    /* For dialogs; NULL and false are good for most rows. */
    const char *label;    /* what it is called there; NULL: its name, "min-valid" as "Min valid" */
    const char *takes;    /* comma-separated, where its value is picked, the usual place first: list
                             (of .words), zoo, file, folder, layer; NULL: what describe.c says for
                             the type */
    const char *suffixes; /* comma-separated endings of the file to read or write, the usual one
                             first: "html"; NULL: likewise */
    const char *words;    /* comma-separated values of a TEXT that are worth offering */
    bool caller;          /* the business of whoever runs the command: no dialog shows it, nor what
                             is `alone` */
    bool dialog_on;       /* a flag that is set there unless a person takes it away */
} s2clr_param_row;

/* A number or text of a result, for models made of dialogs. */
typedef struct s2clr_result_row {
    const char *name;  /* of the output, in capitals there; none of the parameters' names */
    const char *place; /* in what --json prints: keys and numbers of list entries with dots
                          between, "rows.0.metrics.auc.value"; absent or null: no such output */
    const char *label;
    bool text;
} s2clr_result_row;

typedef struct s2clr_args s2clr_args; /* parsed values */

typedef struct s2clr_command {
    const char *name;        /* "predict"; of a family two words: "dataset import" */
    const char *summary;     /* one line, no full stop */
    const char *description; /* paragraph for man pages and dialogs */
    const char *example;     /* works when pasted */
    const char *title;       /* in a list of dialogs: "Map a scene" */
    const char *section;     /* the heading there: "Map", "Train" */
    const char *no_dialog;   /* why a dialog makes no sense; NULL: it does */
    const s2clr_param_row *rows;
    size_t row_count;
    const s2clr_result_row *results; /* NULL: none; else `global` has "results" */
    size_t result_count;
    const char *global; /* comma-separated names of the global rows that do something here, besides
                           --help and --version, which every command has */
    int (*run)(const s2clr_args *args); /* returns the exit code */
} s2clr_command;

/* The table of commands (command_list.c): pointers, one line each. */
size_t s2clr_command_list(const s2clr_command *const **out);
const s2clr_command *s2clr_command_find(const char *name); /* or NULL */

/* The command whose name argv[0..argc) begins with, in one word or two; *words says how many. NULL
 * when there is none. */
const s2clr_command *s2clr_command_match(int argc, char **argv, int *words);

/* Is the command's name `family`, a blank, and a word? */
bool s2clr_command_in_family(const s2clr_command *command, const char *family);

/* Is any? */
bool s2clr_command_is_family(const char *name);

/* The options commands share (--help, --version, --quiet, --json, --results, --threads, --memory,
 * --device,
 * --progress, --seed, --config), described once in params_global.c. */
size_t s2clr_global_rows(const s2clr_param_row **out);

/* All rows of a command: its own, then its global ones. NULL past the end. */
const s2clr_param_row *s2clr_command_row(const s2clr_command *command, size_t index);

/* Parses argv[0..argc) (without program and command name). On failure the error text names the
 * option, and suggests the nearest known one. */
s2clr_status s2clr_args_parse(const s2clr_command *command, int argc, char **argv,
                              s2clr_args **out);
void s2clr_args_free(s2clr_args *args);

/* Values; unset options give their default. Asking for a name that is not in the table is a
 * programming error caught by tests/test_params.c, and gives NULL/0/false here. */
bool s2clr_args_given(const s2clr_args *args, const char *name);
bool s2clr_args_flag(const s2clr_args *args, const char *name);
const char *s2clr_args_text(const s2clr_args *args, const char *name);
long s2clr_args_int(const s2clr_args *args, const char *name);
double s2clr_args_real(const s2clr_args *args, const char *name);
size_t s2clr_args_list(const s2clr_args *args, const char *name, const char *const **out);
const double *s2clr_args_window(const s2clr_args *args, const char *name); // (4) or NULL

/* The command line as understood, quoted for a shell, for provenance: without what cannot change a
 * result (--threads, --memory, --progress, --quiet, --json, --resume, --shard, --overwrite).
 * Borrowed. */
const char *s2clr_args_line(const s2clr_args *args);

#endif
