/*
 * Resuming: a journal cut or damaged anywhere, and runs stopped anywhere, end with the bytes of a
 * run that nobody stopped.
 */
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#include "harness.h"
#include "predict/journal.h"
#include "predict/pjournal.h"
#include "predict_rig.h"

/* ---- files ---- */

static char *slurp(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(*bytes + 1, 1);
    CU_ASSERT_EQUAL(fread(text, 1, *bytes, file), *bytes);
    fclose(file);
    return text;
}

static void spill(const char *path, const char *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 4;
}

/* ---- the file alone ---- */

static const char *const identity[] = {"STRIDE=4", "MODEL_SHA256=ab", "COMMAND_LINE=x", NULL};

typedef struct tally {
    int pieces, last_row;
    bool good;
} tally;

/* Plane p of piece (column, row) holds 1000 p + 10 row + column. */
static s2clr_status count_piece(void *context, int column, int row, int columns, int rows,
                                float *values)
{
    tally *t = context;
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < columns * rows; i++)
            t->good =
                t->good && values[p * columns * rows + i] == (float)(1000 * p + 10 * row + column);
    t->pieces++;
    t->last_row = row;
    return S2CLR_OK;
}

static void append(s2clr_journal *journal, int column, int row, int columns, int rows)
{
    float first[64], second[64];
    const float *const plane[2] = {first, second};
    for (int i = 0; i < columns * rows; i++) {
        first[i] = (float)(10 * row + column);
        second[i] = first[i] + 1000;
    }
    TEST_OK(s2clr_journal_append(journal, column, row, columns, rows, plane));
}

/* Rows 0, 2, 4 ... of two pieces each, 4 and 3 columns wide. */
static void write_pieces(const char *path, int strips)
{
    s2clr_journal *journal = NULL;
    unlink(path);
    TEST_OK(s2clr_journal_open(path, identity, 2, NULL, &journal));
    for (int i = 0; i < strips; i++) {
        append(journal, 0, 2 * i, 4, 2);
        append(journal, 4, 2 * i, 3, 2);
    }
    s2clr_journal_close(journal);
}

static tally read_pieces(const char *path, int *next)
{
    s2clr_journal *journal = NULL;
    tally t = {.good = true, .last_row = -2};
    TEST_OK(s2clr_journal_open(path, identity, 2, NULL, &journal));
    *next = s2clr_journal_next_row(journal, 7, 0);
    TEST_OK(s2clr_journal_replay(journal, count_piece, &t));
    s2clr_journal_close(journal);
    return t;
}

static void cut_anywhere(void)
{
    char path[600];
    size_t bytes;
    int next, most = 0;
    snprintf(path, sizeof path, "%s", predict_rig_path("cut.journal"));
    write_pieces(path, 3);
    char *whole = slurp(path, &bytes);
    for (size_t length = 0; length <= bytes; length++) {
        spill(path, whole, length);
        const tally t = read_pieces(path, &next);
        CU_ASSERT(t.good);
        CU_ASSERT_EQUAL(t.pieces, next);          /* two pieces for two rows */
        CU_ASSERT(next >= most && next % 2 == 0); /* never less from more */
        most = next;
    }
    CU_ASSERT_EQUAL(most, 6);
    free(whole);
}

/* A damaged byte ends what counts, or refuses the file; it never gives other values. */
static void damaged_anywhere(void)
{
    char path[600];
    size_t bytes;
    int refused = 0;
    snprintf(path, sizeof path, "%s", predict_rig_path("damage.journal"));
    write_pieces(path, 3);
    char *whole = slurp(path, &bytes);
    for (size_t at = 0; at < bytes; at++) {
        s2clr_journal *journal = NULL;
        tally t = {.good = true};
        whole[at] ^= 0x21;
        spill(path, whole, bytes);
        whole[at] ^= 0x21;
        if (s2clr_journal_open(path, identity, 2, NULL, &journal) != S2CLR_OK) {
            refused++;
            continue;
        }
        s2clr_journal_next_row(journal, 7, 0);
        TEST_OK(s2clr_journal_replay(journal, count_piece, &t));
        CU_ASSERT(t.good && t.pieces < 6);
        s2clr_journal_close(journal);
    }
    CU_ASSERT(refused > 40 && refused < 200); /* the identity's bytes */
    free(whole);
}

static void other_settings(void)
{
    const char *const stride[] = {"STRIDE=8", "MODEL_SHA256=ab", "COMMAND_LINE=x", NULL};
    const char *const more[] = {"STRIDE=4", "MODEL_SHA256=ab", "COMMAND_LINE=x", "AOI=a", NULL};
    const char *const less[] = {"STRIDE=4", "COMMAND_LINE=x", NULL};
    const struct {
        const char *const *identity;
        const char *says;
    } rows[] = {{stride, "STRIDE was 4 and is 8 now"},
                {more, "AOI was none and is a now"},
                {less, "MODEL_SHA256 was ab and is none now"}};
    const char *path = predict_rig_path("settings.journal");
    write_pieces(path, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_journal *journal = NULL;
        CU_ASSERT_EQUAL(s2clr_journal_open(path, rows[i].identity, 2, NULL, &journal),
                        S2CLR_ERR_MISMATCH);
        TEST_ERROR_SAYS(rows[i].says);
    }
    spill(path, "II*\0something else", 18);
    char told[S2CLR_JOURNAL_TOLD_MAX];
    s2clr_journal *journal = NULL;
    CU_ASSERT_EQUAL(s2clr_journal_open(path, identity, 2, NULL, &journal), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("no journal");
    CU_ASSERT_EQUAL(s2clr_journal_open(path, identity, 2, told, &journal), S2CLR_ERR_FORMAT);
}

/* Where it may be thrown away it is begun anew, and only then. */
static void begun_anew(void)
{
    const char *const stride[] = {"STRIDE=8", "MODEL_SHA256=ab", "COMMAND_LINE=x", NULL};
    const char *path = predict_rig_path("anew.journal");
    char told[S2CLR_JOURNAL_TOLD_MAX] = "something";
    s2clr_journal *journal = NULL;
    write_pieces(path, 1);
    TEST_OK(s2clr_journal_open(path, identity, 2, told, &journal));
    CU_ASSERT_STRING_EQUAL(told, "");
    CU_ASSERT_EQUAL(s2clr_journal_next_row(journal, 7, 0), 2);
    s2clr_journal_close(journal);
    TEST_OK(s2clr_journal_open(path, stride, 2, told, &journal));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "STRIDE was 4 and is 8 now"));
    CU_ASSERT_EQUAL(s2clr_journal_next_row(journal, 7, 0), 0);
    append(journal, 0, 0, 7, 2);
    s2clr_journal_close(journal);
    CU_ASSERT_EQUAL(s2clr_journal_open(path, identity, 2, NULL, &journal), S2CLR_ERR_MISMATCH);
}

static void one_at_a_time(void)
{
    char path[600];
    s2clr_journal *first = NULL, *second = NULL;
    snprintf(path, sizeof path, "%s", predict_rig_path("lock.journal"));
    TEST_OK(s2clr_journal_open(path, identity, 2, NULL, &first));
    CU_ASSERT_EQUAL(s2clr_journal_open(path, identity, 2, NULL, &second), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("another process");
    s2clr_journal_close(first);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0); /* without a record it goes */
}

/* ---- whole runs ---- */

static const rig_scene scene = {.width = 181, .height = 150};

typedef struct stop {
    double at;
} stop;

static bool stop_at(void *context, double fraction, const char *message)
{
    (void)message;
    return fraction < ((const stop *)context)->at;
}

static s2clr_status run_until(rig_job *j, double at)
{
    stop when = {at};
    const s2clr_progress progress = {.call = stop_at, .context = &when};
    j->settings.inputs = &j->input;
    return s2clr_predict_run(&j->settings, &progress, &j->result);
}

/* A job that resumes, its expected map, and the name of its journal. */
typedef struct rig {
    rig_job job;
    char model[600], input[600], output[600], journal[640];
    float *expected;
    int columns, rows;
} rig;

static void make_rig(const char *name, const rig_scene *of, rig *r)
{
    char file[64];
    memset(r, 0, sizeof *r);
    snprintf(r->model, sizeof r->model, "%s", rig_model_make("resume.safetensors", &rig_dense));
    snprintf(file, sizeof file, "%s-in.tif", name);
    snprintf(r->input, sizeof r->input, "%s", rig_scene_make(file, of));
    snprintf(file, sizeof file, "%s.tif", name);
    snprintf(r->output, sizeof r->output, "%s", predict_rig_path(file));
    snprintf(r->journal, sizeof r->journal, "%s.part.journal", r->output);
    rig_job_make(r->model, r->input, r->output, &r->job);
    r->job.settings.bands = "probability,valid,evidence";
    TEST_OK(rig_job_run(&r->job));
    r->expected = rig_raster_read(r->output, &r->columns, &r->rows);
    unlink(r->output);
    r->job.settings.overwrite = false;
    r->job.settings.resume = true;
}

/* Runs to the end and compares; nothing but the map is left. */
static void finish(rig *r)
{
    int columns, rows;
    TEST_OK(rig_job_run(&r->job));
    float *values = rig_raster_read(r->output, &columns, &rows);
    CU_ASSERT_FATAL(columns == r->columns && rows == r->rows);
    rig_same_bytes(r->expected, columns, 0, 0, values, columns, rows);
    free(values);
    CU_ASSERT_NOT_EQUAL(access(r->journal, F_OK), 0);
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), strrchr(r->output, '/') + 1), 1);
    unlink(r->output);
}

/* Opens the journal at `path` as the run that wrote the bytes `of` would; changes them. */
static s2clr_journal *open_as(const char *path, char *of)
{
    const char *lines[128];
    size_t count = 0;
    s2clr_journal_head head;
    s2clr_journal *journal = NULL;
    memcpy(&head, of, sizeof head);
    char *text = of + sizeof head;
    text[head.text_bytes - 1] = '\0';
    for (char *line = strtok(text, "\n"); line && count < 127; line = strtok(NULL, "\n"))
        lines[count++] = line;
    lines[count] = NULL;
    TEST_OK(s2clr_journal_open(path, lines, 3, NULL, &journal));
    return journal;
}

/* The journal of a run stopped at the very end, cut into single rows of two pieces. */
static char *fine_journal(rig *r, size_t *bytes)
{
    size_t whole_bytes;
    s2clr_journal_head head;
    CU_ASSERT_EQUAL(run_until(&r->job, 0.97), S2CLR_ERR_CANCELLED);
    CU_ASSERT_NOT_EQUAL(access(r->output, F_OK), 0);
    char *whole = slurp(r->journal, &whole_bytes);
    memcpy(&head, whole, sizeof head);
    const char *record = whole + sizeof head + head.text_bytes + SHA256_DIGEST_SIZE;
    s2clr_journal_entry entry;
    memcpy(&entry, record, sizeof entry);
    CU_ASSERT(entry.columns == r->columns && entry.rows == r->rows); /* one block */
    float *values = malloc((size_t)entry.bytes);
    memcpy(values, record + sizeof entry, (size_t)entry.bytes);
    const size_t pixels = (size_t)r->columns * (size_t)r->rows;
    unlink(r->journal);
    s2clr_journal *journal = open_as(r->journal, whole);
    for (int row = 0; row < r->rows; row++)
        for (int half = 0; half < 2; half++) {
            const int column = half ? 13 : 0, columns = half ? r->columns - 13 : 13;
            const float *plane[3];
            for (size_t p = 0; p < 3; p++)
                plane[p] = values + p * pixels + (size_t)row * (size_t)r->columns + column;
            TEST_OK(s2clr_journal_append(journal, column, row, columns, 1, plane));
        }
    s2clr_journal_close(journal);
    free(values);
    free(whole);
    return slurp(r->journal, bytes);
}

/* Cut at random bytes; every fourth time a block of zeros besides, as after a power cut. */
static void killed_anywhere(void)
{
    rig r;
    size_t bytes, head_bytes;
    unsigned seed = 20;
    int resumed = 0;
    s2clr_journal_head head;
    make_rig("killed", &scene, &r);
    char *whole = fine_journal(&r, &bytes);
    memcpy(&head, whole, sizeof head);
    head_bytes = sizeof head + head.text_bytes + SHA256_DIGEST_SIZE;
    for (int i = 0; i < 100; i++) {
        const size_t length = next_random(&seed) % (bytes + 1);
        spill(r.journal, whole, length);
        if (i % 4 == 3 && length > head_bytes + 64) {
            char *part = slurp(r.journal, &(size_t){0});
            memset(part + head_bytes + next_random(&seed) % (length - head_bytes - 64), 0, 64);
            spill(r.journal, part, length);
            free(part);
        }
        finish(&r);
        resumed += r.job.result.resumed_rows > 0;
    }
    CU_ASSERT(resumed > 50);
    free(whole);
    free(r.expected);
}

static void stopped_anywhere(void)
{
    static const rig_scene tall = {.width = 150, .height = 2600};
    rig r;
    make_rig("stopped", &tall, &r);
    for (double at = 0.05; at < 1.0; at += 0.18) {
        const s2clr_status status = run_until(&r.job, at);
        CU_ASSERT_EQUAL(status, S2CLR_ERR_CANCELLED);
        CU_ASSERT_NOT_EQUAL(access(r.output, F_OK), 0);
        r.job.settings.threads = 1 + (int)(at * 10) % 3; /* another cut each time */
        r.job.settings.memory_mb = at > 0.5 ? 40 : 0;
    }
    finish(&r);
    free(r.expected);
}

static void what_must_not_change(void)
{
    rig r;
    make_rig("change", &scene, &r);
    CU_ASSERT_EQUAL(run_until(&r.job, 0.97), S2CLR_ERR_CANCELLED);
    r.job.settings.min_valid = 0.25;
    CU_ASSERT_EQUAL(rig_job_run(&r.job), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("MIN_VALID was 0.5 and is 0.25 now");
    r.job.settings.min_valid = 0.5;
    r.job.settings.bands = "probability";
    CU_ASSERT_EQUAL(rig_job_run(&r.job), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("BANDS was probability,valid,evidence");
    r.job.settings.bands = "probability,valid,evidence";
    const struct utimbuf old = {1000000000, 1000000000};
    utime(r.input, &old);
    CU_ASSERT_EQUAL(rig_job_run(&r.job), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("FILE_1 was");
    unlink(r.journal);
    finish(&r);
    free(r.expected);
}

/* Killed between the rename and the end of the journal: the output is there, and it is ours. */
static void killed_after_rename(void)
{
    rig r;
    size_t bytes;
    make_rig("renamed", &scene, &r);
    free(fine_journal(&r, &bytes));
    char copy[700];
    snprintf(copy, sizeof copy, "%s.kept", r.journal);
    CU_ASSERT_EQUAL(rename(r.journal, copy), 0);
    TEST_OK(rig_job_run(&r.job));
    CU_ASSERT_EQUAL(rename(copy, r.journal), 0);
    CU_ASSERT_EQUAL(rig_job_run(&r.job), S2CLR_ERR_EXISTS); /* not told to be ours */
    unlink(r.output);
    CU_ASSERT_EQUAL(run_until(&r.job, 0.97), S2CLR_ERR_CANCELLED);
    char *half = slurp(r.journal, &bytes);
    TEST_OK(rig_job_run(&r.job));
    spill(r.journal, half, bytes);
    s2clr_journal *journal = open_as(r.journal, half);
    TEST_OK(s2clr_journal_finish(journal, r.output));
    s2clr_journal_close(journal);
    free(half);
    finish(&r);
    free(r.expected);
}

static void nothing_kept_without(void)
{
    rig r;
    make_rig("without", &scene, &r);
    r.job.settings.resume = false;
    CU_ASSERT_EQUAL(run_until(&r.job, 0.97), S2CLR_ERR_CANCELLED);
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "without.tif"), 0);
    r.job.settings.resume = true;
    r.job.settings.output = "/vsimem/x.tif";
    CU_ASSERT_EQUAL(rig_job_run(&r.job), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("file on disk");
    free(r.expected);
}

static const test_case cases[] = {
    {"cut anywhere", cut_anywhere},
    {"damaged anywhere", damaged_anywhere},
    {"other settings", other_settings},
    {"with leave, one of other settings is begun anew", begun_anew},
    {"one at a time", one_at_a_time},
    {"killed anywhere", killed_anywhere},
    {"stopped anywhere", stopped_anywhere},
    {"what must not change", what_must_not_change},
    {"killed after the rename", killed_after_rename},
    {"nothing kept without", nothing_kept_without},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("journal", cases, argc, argv);
}
