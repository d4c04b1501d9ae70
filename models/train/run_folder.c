#include "train/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static s2clr_status join(const char *folder, const char *name, char *out)
{
    const int length = snprintf(out, RUN_PATH_MAX, "%s/%s", folder, name);
    if (length > 0 && length < RUN_PATH_MAX) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "run folder %.200s...: the path is longer than %d",
                           folder, RUN_PATH_MAX - 1);
}

static int exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static s2clr_status cannot_make(const char *path, int error)
{
    return s2clr_error_set(S2CLR_ERR_IO, "run folder %s: cannot be made: %s", path,
                           strerror(error));
}

/* The folder above must be one. */
static s2clr_status check_parent(const char *path)
{
    char parent[RUN_PATH_MAX];
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    while (length > 0 && path[length - 1] != '/') length--;
    snprintf(parent, sizeof parent, "%.*s", length ? (int)length : 1, length ? path : ".");
    return access(parent, W_OK | X_OK) == 0 ? S2CLR_OK : cannot_make(path, errno);
}

static s2clr_status check_folder(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return s2clr_error_set(S2CLR_ERR_EXISTS, "run folder %s: is a file, must be a folder",
                               path);
    if (access(path, W_OK | X_OK) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "run folder %s: cannot be written: %s", path,
                               strerror(errno));
    return S2CLR_OK;
}

static s2clr_status look(const char *path, int resume, s2clr_run_folder *out)
{
    s2clr_run_folder folder;
    if (!path || !path[0])
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no run folder was given; use -o RUN_DIR");
    S2CLR_TRY(join(path, S2CLR_RUN_CHECKPOINT, folder.checkpoint));
    S2CLR_TRY(join(path, S2CLR_RUN_LOG, folder.log));
    S2CLR_TRY(join(path, S2CLR_RUN_MODEL, folder.model));
    S2CLR_TRY(exists(path) ? check_folder(path) : check_parent(path));
    folder.has_checkpoint = exists(folder.checkpoint);
    const char *found = folder.has_checkpoint  ? folder.checkpoint
                        : exists(folder.model) ? folder.model
                        : exists(folder.log)   ? folder.log
                                               : NULL;
    if (found && !resume)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "run folder %s already holds a run (%s); resume it or take another "
                               "folder",
                               path, found);
    if (found == folder.model)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "run folder %s holds a finished model but no checkpoint to resume "
                               "from; take another folder",
                               path);
    *out = folder;
    return S2CLR_OK;
}

s2clr_status s2clr_run_folder_check(const char *path, int resume)
{
    s2clr_run_folder folder;
    return look(path, resume, &folder);
}

/* The number in "checkpoint.safetensors.part-1234", 0: not the name of a file half-written here.
 * The folder may be somebody's own, with files of any name. */
static long writer_of(const char *name)
{
    static const char *const replaced[] = {
        S2CLR_RUN_CHECKPOINT, S2CLR_RUN_MODEL,  S2CLR_RUN_TEACHER, S2CLR_RUN_TEACHER_VALIDATION,
        S2CLR_RUN_SETTINGS,   S2CLR_RUN_CURVES, S2CLR_RUN_TEXT};
    for (size_t i = 0; i < sizeof replaced / sizeof replaced[0]; i++) {
        const size_t length = strlen(replaced[i]);
        char again[32];
        if (strncmp(name, replaced[i], length) != 0) continue;
        if (strncmp(name + length, ".part-", strlen(".part-")) != 0) continue;
        const char *digits = name + length + strlen(".part-");
        const long process = strtol(digits, NULL, 10);
        snprintf(again, sizeof again, "%ld", process);
        return process > 0 && process <= INT_MAX && strcmp(digits, again) == 0 ? process : 0;
    }
    return 0;
}

static bool is_left_over(const char *name)
{
    const long process = writer_of(name);
    return process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

static void clear_left_overs(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (is_left_over(entry->d_name)) unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder) closedir(folder);
}

s2clr_status s2clr_run_folder_open(const char *path, int resume, s2clr_run_folder *out)
{
    s2clr_run_folder folder;
    S2CLR_TRY(look(path, resume, &folder));
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return cannot_make(path, errno);
    clear_left_overs(path);
    *out = folder;
    return S2CLR_OK;
}

s2clr_status s2clr_run_folder_cut_log(const s2clr_run_folder *folder, uint64_t epochs)
{
    FILE *file = fopen(folder->log, "r+");
    if (!file && errno == ENOENT) return S2CLR_OK;
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened: %s", folder->log,
                               strerror(errno));
    uint64_t lines = 0;
    long end = 0;
    for (int c; lines < epochs && (c = getc(file)) != EOF;)
        if (c == '\n') lines++, end = ftell(file);
    const int failed = end < 0 || fflush(file) != 0 || ftruncate(fileno(file), end) != 0;
    const int error = errno;
    fclose(file);
    if (failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be shortened: %s", folder->log,
                               strerror(error));
    return S2CLR_OK;
}

s2clr_status s2clr_run_folder_log(const s2clr_run_folder *folder, const char *line)
{
    FILE *file = fopen(folder->log, "a");
    int failed = !file;
    if (file) {
        failed = fprintf(file, "%s\n", line) < 0;
        failed |= fclose(file) != 0;
    }
    if (!failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", folder->log, strerror(errno));
}
