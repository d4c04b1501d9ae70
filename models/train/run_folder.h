/*
 * The folder of a training run: its file names, whether it may be used, and log.jsonl.
 */
#ifndef S2CLR_TRAIN_RUN_FOLDER_H
#define S2CLR_TRAIN_RUN_FOLDER_H

#include <stdint.h>

#include "base/status.h"

enum { RUN_PATH_MAX = 4096 };

/* What a run keeps under these names, replaced as a whole: its own files, what teachers said, and
 * what commands tell of it. */
#define S2CLR_RUN_CHECKPOINT "checkpoint.safetensors"
#define S2CLR_RUN_MODEL "model.safetensors"
#define S2CLR_RUN_TEACHER "teacher.safetensors"
#define S2CLR_RUN_TEACHER_VALIDATION "teacher-validation.safetensors"
#define S2CLR_RUN_SETTINGS "settings.json"
#define S2CLR_RUN_CURVES "curves.svg"
#define S2CLR_RUN_TEXT "run.txt"
#define S2CLR_RUN_LOG "log.jsonl" /* grows */

typedef struct s2clr_run_folder {
    char checkpoint[RUN_PATH_MAX], log[RUN_PATH_MAX], model[RUN_PATH_MAX];
    int has_checkpoint;
} s2clr_run_folder;

/* Makes the folder if needed (its parent must exist), and removes what a process that was killed
 * had half-written of the files above: nothing else in the folder is touched. S2CLR_ERR_EXISTS when
 * it holds a run and resume is 0, or a finished model without the checkpoint to resume from. */
s2clr_status s2clr_run_folder_open(const char *path, int resume, s2clr_run_folder *out);

/* What open would refuse, found without making anything: before hours, or images, are spent. */
s2clr_status s2clr_run_folder_check(const char *path, int resume);

/* Keeps at most the first `epochs` lines, and whole ones only: a killed run may have logged one
 * epoch more than its checkpoint knows. */
s2clr_status s2clr_run_folder_cut_log(const s2clr_run_folder *folder, uint64_t epochs);

/* Appends one line and its newline. */
s2clr_status s2clr_run_folder_log(const s2clr_run_folder *folder, const char *line);

#endif
