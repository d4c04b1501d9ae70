/*
 * The parameter table of one command, read back from `s2clr describe --json`: what a front end
 * outside this program needs to make its own dialogs or arguments.
 *
 *     s2clr_program_table *table;
 *     S2CLR_TRY(s2clr_program_table_read(json, strlen(json), "predict", &table));
 *     for (size_t i = 0; i < s2clr_program_table_count(table); i++) {
 *         const s2clr_program_row *row = s2clr_program_table_row(table, i);
 *         ...
 *     }
 *     s2clr_program_table_free(table);
 */
#ifndef S2CLR_PROGRAM_TABLE_H
#define S2CLR_PROGRAM_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef enum s2clr_program_type {
    S2CLR_PROGRAM_FLAG,
    S2CLR_PROGRAM_INT,
    S2CLR_PROGRAM_REAL,
    S2CLR_PROGRAM_CHOICE,
    S2CLR_PROGRAM_TEXT,       /* text and names of files, models and layers */
    S2CLR_PROGRAM_WINDOW_INT, /* four integers */
    S2CLR_PROGRAM_WINDOW_REAL /* four numbers */
} s2clr_program_type;

typedef struct s2clr_program_row {
    const char *name, *short_name; /* short_name: one letter, or NULL */
    s2clr_program_type type;
    bool positional, required, repeat, advanced;
    bool own;             /* --help, --version, --quiet, --progress, --config: every front end has
                             its own and does not show these */
    const char *meta;     /* placeholder, or NULL */
    const char *standard; /* default as text, or NULL */
    bool ranged;
    double minimum, maximum;    /* when ranged */
    const char *const *choices; // (choice_count)
    size_t choice_count;
    const char *group, *help;
} s2clr_program_row;

typedef struct s2clr_program_table s2clr_program_table;

/* json: what `s2clr describe --json` printed. */
s2clr_status s2clr_program_table_read(const char *json, size_t bytes, const char *command,
                                      s2clr_program_table **out);
void s2clr_program_table_free(s2clr_program_table *table);

/* Borrowed texts. The summary is one line, the description a paragraph. */
const char *s2clr_program_table_name(const s2clr_program_table *table);
const char *s2clr_program_table_summary(const s2clr_program_table *table);
const char *s2clr_program_table_description(const s2clr_program_table *table);

size_t s2clr_program_table_count(const s2clr_program_table *table);
const s2clr_program_row *s2clr_program_table_row(const s2clr_program_table *table, size_t index);

/* The row of that name, or NULL. */
const s2clr_program_row *s2clr_program_table_find(const s2clr_program_table *table,
                                                  const char *name);

#endif
