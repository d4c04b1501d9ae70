/*
 * The folder of a training run: its file names, whether it may be used, and log.jsonl.
 */
#ifndef S2CLR_TRAIN_RUN_FOLDER_H
#define S2CLR_TRAIN_RUN_FOLDER_H

#include <stdint.h>

#include "base/status.h"

enum { RUN_PATH_MAX = 4096 };

typedef struct s2clr_run_folder {
    char checkpoint[RUN_PATH_MAX], log[RUN_PATH_MAX], model[RUN_PATH_MAX];
    int has_checkpoint;
} s2clr_run_folder;

/* Makes the folder if needed (its parent must exist), and removes what a process that was killed
 * had half-written. S2CLR_ERR_EXISTS when it holds a run and
 * resume is 0, or a finished model without the checkpoint to resume from. */
s2clr_status s2clr_run_folder_open(const char *path, int resume, s2clr_run_folder *out);

/* What open would refuse, found without making anything: before hours, or images, are spent. */
s2clr_status s2clr_run_folder_check(const char *path, int resume);

/* Keeps at most the first `epochs` lines, and whole ones only: a killed run may have logged one
 * epoch more than its checkpoint knows. */
s2clr_status s2clr_run_folder_cut_log(const s2clr_run_folder *folder, uint64_t epochs);

/* Appends one line and its newline. */
s2clr_status s2clr_run_folder_log(const s2clr_run_folder *folder, const char *line);

#endif
