/*
 * What a resumable run has computed so far, in one file beside the output that survives any kill.
 *
 *     S2CLR_TRY(s2clr_journal_open("map.tif.part.journal", identity, planes, NULL, &journal));
 *     S2CLR_TRY(s2clr_journal_replay(journal, take, context));   // what an earlier run left
 *     from = s2clr_journal_next_row(journal, right, first_row);
 *     ... s2clr_journal_append(journal, column, row, columns, rows, plane) ... // row by row
 *     s2clr_journal_remove(journal);                             // when the output is published
 *     s2clr_journal_close(journal);
 *
 * The file: identity (the lines everything depends on) and records, each a piece of the map as raw
 * floats with a SHA-256 of its own. A record that is not whole, and what is behind it, does not
 * count. One process at a time (flock). GTiff itself promises nothing after a kill: its directory
 * and tile offsets are written late.
 */
#ifndef S2CLR_PREDICT_JOURNAL_H
#define S2CLR_PREDICT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct s2clr_journal s2clr_journal;

/* A piece that was recorded. values: (planes, rows, columns). */
typedef s2clr_status (*s2clr_journal_take)(void *context, int column, int row, int columns,
                                           int rows, float *values);

enum { S2CLR_JOURNAL_TOLD_MAX = 5000 };

/* Opens or begins the file. identity: NULL-terminated K=V; planes: floats per pixel. One that
 * belongs to a run with another identity is refused where `told` is NULL; else it is begun anew,
 * and told, of S2CLR_JOURNAL_TOLD_MAX bytes, says so ("" when nothing was thrown away). Either
 * message names the first key that differs. S2CLR_ERR_MISMATCH when it is refused, S2CLR_ERR_EXISTS
 * while another process writes it, S2CLR_ERR_FORMAT when it is no journal. */
s2clr_status s2clr_journal_open(const char *path, const char *const *identity, int planes,
                                char *told, s2clr_journal **out);

/* Drops the records of the last, incomplete row of pieces: those that do not reach column `right`.
 * Returns the first row that is not recorded, at least `first`. */
int s2clr_journal_next_row(s2clr_journal *journal, int right, int first);

/* Hands out all records in the order in which they came. */
s2clr_status s2clr_journal_replay(s2clr_journal *journal, s2clr_journal_take take, void *context);

/* plane: (planes) pointers to (rows, columns). Pieces come row by row, each row from left to right.
 * Brought to disk every few seconds. */
s2clr_status s2clr_journal_append(s2clr_journal *journal, int column, int row, int columns,
                                  int rows, const float *const *plane);

/* Notes that the finished file is about to get the output's name; afterwards
 * s2clr_journal_published() tells that the file under that name is this one. */
s2clr_status s2clr_journal_finish(s2clr_journal *journal, const char *finished);
bool s2clr_journal_published(const s2clr_journal *journal, const char *output);

/* Deletes the file; the handle stays to be closed. */
void s2clr_journal_remove(s2clr_journal *journal);
/* A journal without a record is deleted; NULL is allowed. */
void s2clr_journal_close(s2clr_journal *journal);

#endif
