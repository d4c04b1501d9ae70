#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "report/sweep.h"

enum { EPOCHS_MAX = 100000 };

static s2clr_status file_path(const char *folder, const char *name, char out[S2CLR_SWEEP_PATH])
{
    if ((size_t)snprintf(out, S2CLR_SWEEP_PATH, "%s/%s", folder, name) < S2CLR_SWEEP_PATH)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "folder %.200s...: the path is too long", folder);
}

s2clr_status s2clr_sweep_check(const char *folder, bool resume)
{
    char path[S2CLR_SWEEP_PATH];
    struct stat about;
    S2CLR_TRY(file_path(folder, "results.jsonl", path));
    if (stat(folder, &about) == 0 && !S_ISDIR(about.st_mode))
        return s2clr_error_set(S2CLR_ERR_EXISTS, "%s: is a file, must be a folder", folder);
    if (!resume && access(path, F_OK) == 0)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%s: holds a sweep already; go on with --resume, or take another "
                               "folder",
                               folder);
    return S2CLR_OK;
}

/* ---- numbers ---- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void copy_text(const json_t *value, char *out, size_t size)
{
    snprintf(out, size, "%s", json_is_string(value) ? json_string_value(value) : "");
}

/* ---- one result ---- */

static json_t *result_json(const s2clr_sweep_result *r)
{
    json_t *curve = json_array();
    for (size_t e = 0; e < r->epochs; e++)
        json_array_append_new(
            curve, json_pack("[o, o]", number(r->curve[2 * e]), number(r->curve[2 * e + 1])));
    return json_pack("{s:s, s:o, s:o, s:o, s:f, s:b, s:s, s:o}", "name", r->name, "score",
                     number(r->score), "accuracy", number(r->accuracy), "loss", number(r->loss),
                     "seconds", r->seconds, "collapsed", r->collapsed, "trouble", r->trouble,
                     "curve", curve);
}

static s2clr_status take_curve(const json_t *rows, s2clr_sweep_result *r)
{
    const size_t epochs = json_array_size(rows);
    double *curve = NULL;
    if (epochs > EPOCHS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "trial %s: %zu epochs, at most %d", r->name,
                               epochs, EPOCHS_MAX);
    if (epochs > 0) S2CLR_TRY(s2clr_alloc(2 * epochs, sizeof *curve, "curve", (void **)&curve));
    for (size_t e = 0; e < epochs; e++)
        for (size_t k = 0; k < 2; k++)
            curve[2 * e + k] = number_of(json_array_get(json_array_get(rows, e), k));
    s2clr_free(r->curve);
    r->curve = curve;
    r->epochs = epochs;
    return S2CLR_OK;
}

static s2clr_status take_result(s2clr_sweep *sweep, const char *path, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "name"));
    for (size_t i = 0; name && i < sweep->count; i++) {
        s2clr_sweep_result *r = &sweep->result[i];
        if (strcmp(r->name, name) != 0) continue;
        r->score = number_of(json_object_get(line, "score"));
        r->accuracy = number_of(json_object_get(line, "accuracy"));
        r->loss = number_of(json_object_get(line, "loss"));
        r->seconds = number_of(json_object_get(line, "seconds"));
        if (!(r->seconds >= 0)) r->seconds = 0;
        r->collapsed = json_is_true(json_object_get(line, "collapsed"));
        copy_text(json_object_get(line, "trouble"), r->trouble, sizeof r->trouble);
        S2CLR_TRY(take_curve(json_object_get(line, "curve"), r));
        r->done = true;
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: trial \"%.100s\" is none of this sweep; take another folder", path,
                           name ? name : "(no name)");
}

/* ---- the file ---- */

static s2clr_status take_settings(const s2clr_sweep *sweep, const char *path, const json_t *line)
{
    json_t *wanted = json_loads(sweep->settings, 0, NULL);
    const int same = json_equal(line, wanted);
    json_decref(wanted);
    if (same) return S2CLR_OK;
    char *found = json_dumps(line, JSON_COMPACT);
    const s2clr_status status =
        s2clr_error_set(S2CLR_ERR_MISMATCH,
                        "%s: was begun with %.300s, now it is %.300s; take the same settings and "
                        "data, or another folder",
                        path, found ? found : "other settings", sweep->settings);
    free(found);
    return status;
}

static s2clr_status read_lines(s2clr_sweep *sweep, const char *path, FILE *from)
{
    char *text = NULL;
    size_t room = 0, number_of_line = 0;
    s2clr_status status = S2CLR_OK;
    while (status == S2CLR_OK && getline(&text, &room, from) > 0) {
        json_error_t error;
        json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        number_of_line++;
        if (!json_is_object(line))
            status = s2clr_error_set(S2CLR_ERR_FORMAT, "%s: line %zu is no JSON object", path,
                                     number_of_line);
        else if (number_of_line == 1)
            status = take_settings(sweep, path, line);
        else
            status = take_result(sweep, path, line);
        json_decref(line);
    }
    free(text);
    return status;
}

s2clr_status s2clr_sweep_load(s2clr_sweep *sweep, const char *folder, const char *settings,
                              bool resume)
{
    char path[S2CLR_SWEEP_PATH];
    S2CLR_TRY(s2clr_sweep_check(folder, resume));
    S2CLR_TRY(file_path(folder, "results.jsonl", path));
    S2CLR_TRY(s2clr_strdup(settings, &sweep->settings));
    snprintf(sweep->folder, sizeof sweep->folder, "%s", folder);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return s2clr_error_set(S2CLR_ERR_IO, "folder %s: cannot be made: %s", folder,
                               strerror(errno));
    FILE *from = fopen(path, "re");
    if (!from && errno == ENOENT) return s2clr_sweep_save(sweep);
    if (!from)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    const s2clr_status status = read_lines(sweep, path, from);
    fclose(from);
    return status;
}

static int write_line(FILE *to, json_t *line)
{
    const int failed = !line || json_dumpf(line, to, JSON_COMPACT | JSON_REAL_PRECISION(9)) != 0;
    json_decref(line);
    return failed | (putc('\n', to) == EOF);
}

s2clr_status s2clr_sweep_save(const s2clr_sweep *sweep)
{
    char path[S2CLR_SWEEP_PATH], part[S2CLR_SWEEP_PATH];
    S2CLR_TRY(file_path(sweep->folder, "results.jsonl", path));
    S2CLR_TRY(file_path(sweep->folder, "results.jsonl.part", part));
    FILE *to = fopen(part, "we");
    if (!to) return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be made: %s", part, strerror(errno));
    int failed = write_line(to, json_loads(sweep->settings, 0, NULL));
    for (size_t i = 0; i < sweep->count; i++)
        if (sweep->result[i].done) failed |= write_line(to, result_json(&sweep->result[i]));
    failed |= fflush(to) != 0 || fsync(fileno(to)) != 0;
    failed |= fclose(to) != 0;
    if (!failed && rename(part, path) == 0) return S2CLR_OK;
    const int error = errno;
    unlink(part);
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", path, strerror(error));
}

s2clr_status s2clr_sweep_read_curve(const s2clr_sweep *sweep, size_t trial)
{
    char folder[S2CLR_SWEEP_PATH], path[S2CLR_SWEEP_PATH], *text = NULL;
    size_t room = 0;
    S2CLR_TRY(s2clr_sweep_trial_folder(sweep, trial, folder));
    S2CLR_TRY(file_path(folder, "log.jsonl", path));
    FILE *from = fopen(path, "re");
    if (!from) return S2CLR_OK;
    json_t *rows = json_array();
    while (getline(&text, &room, from) > 0) {
        json_t *line = json_loads(text, 0, NULL);
        if (json_is_object(line))
            json_array_append_new(
                rows, json_pack("[o, o]", number(number_of(json_object_get(line, "loss"))),
                                number(number_of(json_object_get(line, "knn_auc")))));
        json_decref(line);
    }
    fclose(from);
    free(text);
    const s2clr_status status = take_curve(rows, &sweep->result[trial]);
    json_decref(rows);
    return status;
}
