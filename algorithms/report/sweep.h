/*
 * A sweep: many short trainings, their scores kept one by one, a page that compares them.
 *
 *     s2clr_sweep *sweep;
 *     S2CLR_TRY(s2clr_sweep_new(trials, &sweep));
 *     ... snprintf(sweep->result[i].name, ...) for every trial ...
 *     S2CLR_TRY(s2clr_sweep_load(sweep, folder, settings, resume));
 *     ... for each that is not done: train, fill sweep->result[i] ...
 *     S2CLR_TRY(s2clr_sweep_save(sweep));           // after each
 *     S2CLR_TRY(s2clr_sweep_pairs_page(sweep, names, count, ...));
 *     s2clr_sweep_free(sweep);
 *
 * FOLDER/results.jsonl: the settings in the first line, then a line per trial that is done.
 */
#ifndef S2CLR_REPORT_SWEEP_H
#define S2CLR_REPORT_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define S2CLR_SWEEP_NAME 160
#define S2CLR_SWEEP_PATH 4096

typedef struct s2clr_sweep_result {
    char name[S2CLR_SWEEP_NAME]; /* unique in the sweep: "crop+flip" */
    bool done, collapsed;
    double score, accuracy, loss; /* AUC and accuracy of the probe, last loss; NaN: none */
    double seconds;
    size_t epochs;
    double *curve;     // (epochs, 2) loss, score
    char trouble[400]; /* why there is no score, "" */
} s2clr_sweep_result;

typedef struct s2clr_sweep {
    char folder[S2CLR_SWEEP_PATH];
    char *settings; /* JSON object in one line */
    size_t count;
    s2clr_sweep_result *result; // (count)
} s2clr_sweep;

s2clr_status s2clr_sweep_new(size_t count, s2clr_sweep **out);
void s2clr_sweep_free(s2clr_sweep *sweep);

/* Makes the folder, or reads what is in it. S2CLR_ERR_EXISTS when it holds a sweep and resume is
 * false, S2CLR_ERR_MISMATCH when it is one with other settings or trials. */
s2clr_status s2clr_sweep_load(s2clr_sweep *sweep, const char *folder, const char *settings,
                              bool resume);

/* What load would refuse, found without making anything. */
s2clr_status s2clr_sweep_check(const char *folder, bool resume);

/* All results, in the order of the trials; replaces the file at once. */
s2clr_status s2clr_sweep_save(const s2clr_sweep *sweep);

/* FOLDER/trials/003; the folder above is made. */
s2clr_status s2clr_sweep_trial_folder(const s2clr_sweep *sweep, size_t trial,
                                      char out[S2CLR_SWEEP_PATH]);

/* Loss and score per epoch from the trial's log.jsonl; none when there is no log. */
s2clr_status s2clr_sweep_read_curve(const s2clr_sweep *sweep, size_t trial);

size_t s2clr_sweep_done(const s2clr_sweep *sweep);

/* The highest score of those that did not collapse, the first of equal ones; NULL: none yet. */
const s2clr_sweep_result *s2clr_sweep_best(const s2clr_sweep *sweep);

/* Indices of the `most` lowest scores of trials first .. count - 1, collapsed and failed ones
 * before all others, ties in the order of the trials; how many there are. */
size_t s2clr_sweep_worst(const s2clr_sweep *sweep, size_t first, size_t most, size_t *out);

/* ---- FOLDER/report.html ---- */

/* Trials: names[0] .. names[count-1] alone, then the pairs 0+1, 0+2 ... 1+2 ... words: what a
 * training takes to leave the worst out, NULL while trials are missing. */
s2clr_status s2clr_sweep_pairs_page(const s2clr_sweep *sweep, const char *const *names,
                                    size_t count, const char *words);

/* Curves of loss and score of all trials, and a table from the best on. */
s2clr_status s2clr_sweep_curves_page(const s2clr_sweep *sweep);

#endif
