/*
 * A whole run that cannot end well: the message names what is wrong, and nothing is left behind.
 */
#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "predict_rig.h"

static void leaves_nothing(rig_job *j, int expected, const char *text)
{
    const char *name = strrchr(j->settings.output, '/') + 1;
    CU_ASSERT_EQUAL((int)rig_job_run(j), expected);
    TEST_ERROR_SAYS(text);
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), name), 0);
}

static void refusals(void)
{
    const int far_window[4] = {5000, 0, 10, 10}, window[4] = {0, 0, 9, 9};
    const double projwin[4] = {0, 0, 1, 1};
    static const char *const bad[] = {"COMPRESS=MAGIC", NULL};
    static const char *const shapeless[] = {"COMPRESS", NULL};
    rig_job good, j;
    rig_job_make(rig_model_make("r.safetensors", &rig_dense),
                 rig_scene_make("r.tif", &rig_scene_small), predict_rig_path("r-out.tif"), &good);
    j = good, j.settings.srcwin = far_window;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "612 x 349");
    j = good, j.settings.srcwin = window, j.settings.projwin = projwin;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "one only");
    j = good, j.settings.stride = 6;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "multiple of 4");
    j = good, j.settings.min_valid = -1;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "between 0 and 1");
    j = good, j.settings.format = "JPEG";
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "GTiff and COG");
    j = good, j.settings.creation = bad;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "MAGIC");
    j = good, j.settings.creation = shapeless;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "NAME=VALUE");
    j = good, j.settings.memory_mb = 1;
    leaves_nothing(&j, S2CLR_ERR_MEMORY, "needs about");
    j = good, j.settings.aoi = "/nowhere/at.all";
    leaves_nothing(&j, S2CLR_ERR_IO, "at.all");
    j = good, j.input = "/nowhere/scene.tif";
    leaves_nothing(&j, S2CLR_ERR_IO, "scene.tif");
    j = good, j.settings.output = "/nowhere/folder/out.tif";
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("/nowhere/folder/out.tif");
    j = good, j.settings.output = test_folder();
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_EXISTS);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static bool holds_text(const char *path, const char *text)
{
    char found[64] = "";
    FILE *file = fopen(path, "r");
    if (!file) return false;
    const size_t size = fread(found, 1, sizeof found - 1, file);
    fclose(file);
    return size == strlen(text) && strcmp(found, text) == 0;
}

/* A link to an older map stays a link, the file it points to is replaced. */
static void overwrites_behind_link(rig_job *j)
{
    struct stat info;
    int columns, rows;
    const char *real = j->settings.output, *name = predict_rig_path("e-name.tif");
    write_text(real, "older");
    CU_ASSERT_EQUAL(symlink(real, name), 0);
    j->settings.output = name;
    TEST_OK(rig_job_run(j));
    CU_ASSERT(lstat(name, &info) == 0 && S_ISLNK(info.st_mode));
    free(rig_raster_read(real, &columns, &rows));
    CU_ASSERT_EQUAL(columns, (rig_scene_small.width + 3) / 4);
}

static void existing(void)
{
    rig_job j;
    rig_job_make(rig_model_make("e.safetensors", &rig_dense),
                 rig_scene_make("e.tif", &rig_scene_small), predict_rig_path("e-out.tif"), &j);
    write_text(j.settings.output, "precious");
    j.settings.overwrite = false;
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("exists already");
    CU_ASSERT(holds_text(j.settings.output, "precious"));
    j.settings.overwrite = true;
    j.settings.stride = 5; /* fails later: what was there stays */
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_ARGUMENT);
    CU_ASSERT(holds_text(j.settings.output, "precious"));
    j.settings.stride = 0;
    write_text(CPLSPrintf("%s.aux.xml", j.settings.output), "<PAMDataset/>");
    TEST_OK(rig_job_run(&j));
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "e-out.tif"), 1); /* stale sidecar gone */
    overwrites_behind_link(&j);
}

/* Whatever name the input hides behind. */
static void output_is_input(void)
{
    rig_job j;
    char input[600], link_path[600], hard[600];
    snprintf(input, sizeof input, "%s", rig_scene_make("i.tif", &rig_scene_small));
    snprintf(link_path, sizeof link_path, "%s", predict_rig_path("i-link.tif"));
    snprintf(hard, sizeof hard, "%s", predict_rig_path("i-hard.tif"));
    CU_ASSERT_EQUAL(symlink(input, link_path), 0);
    CU_ASSERT_EQUAL(link(input, hard), 0);
    rig_job_make(rig_model_make("i.safetensors", &rig_dense), input, input, &j);
    const char *const outputs[] = {input, link_path, hard, j.settings.model_path};
    for (int i = 0; i < 4; i++) {
        j.settings.output = outputs[i];
        CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS("cannot be its output");
    }
    j.input = rig_sparse_vrt(input, 2000, 5, 5);
    j.settings.output = hard;
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("cannot be its output");
    int columns, rows;
    float *values = rig_raster_read(input, &columns, &rows);
    CU_ASSERT_EQUAL(columns, rig_scene_small.width);
    free(values);
}

/* A disk that fills up: writes beyond a file size fail, at different moments. */
static void disk_full(void)
{
    struct rlimit old, small;
    rig_job j;
    const char *const formats[] = {"GTiff", "COG"};
    rig_job_make(rig_model_make("d.safetensors", &rig_dense),
                 rig_scene_make("d.tif", &rig_scene_wide), predict_rig_path("d-out.tif"), &j);
    TEST_OK(rig_job_run(&j));
    VSIStatBufL info;
    CU_ASSERT_EQUAL(VSIStatL(j.settings.output, &info), 0);
    VSIUnlink(j.settings.output);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    for (int i = 0; i < 6; i++) {
        small = old;
        small.rlim_cur = i % 3 == 0 ? 100 : (rlim_t)info.st_size * (rlim_t)(i % 3) / 3;
        j.settings.format = formats[i / 3];
        setrlimit(RLIMIT_FSIZE, &small);
        const s2clr_status status = rig_job_run(&j);
        setrlimit(RLIMIT_FSIZE, &old);
        CU_ASSERT_EQUAL(status, S2CLR_ERR_IO);
        TEST_ERROR_SAYS("d-out.tif");
        CU_ASSERT_EQUAL(rig_count_files(test_folder(), "d-out.tif"), 0);
    }
    signal(SIGXFSZ, SIG_DFL);
}

typedef struct stopper {
    double at, last;
    bool went_back;
} stopper;

static bool stop_at(void *context, double fraction, const char *message)
{
    stopper *s = context;
    (void)message;
    s->went_back = s->went_back || fraction < s->last - 1e-12;
    s->last = fraction;
    return fraction < s->at;
}

static void cancelled(void)
{
    rig_job j;
    rig_job_make(rig_model_make("c.safetensors", &rig_dense),
                 rig_scene_make("c.tif", &rig_scene_wide), predict_rig_path("c-out.tif"), &j);
    static const double when[] = {0, 0.3, 0.9, 0.97, 0.98};
    for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
        stopper s = {.at = when[i]};
        const s2clr_progress progress = {.call = stop_at, .context = &s};
        j.settings.format = i == 4 ? "COG" : "GTiff";
        CU_ASSERT_EQUAL(s2clr_predict_run(&j.settings, &progress, &j.result), S2CLR_ERR_CANCELLED);
        CU_ASSERT_EQUAL(rig_count_files(test_folder(), "c-out.tif"), 0);
    }
    stopper s = {.at = 2};
    const s2clr_progress progress = {.call = stop_at, .context = &s};
    TEST_OK(s2clr_predict_run(&j.settings, &progress, &j.result));
    CU_ASSERT_EQUAL(s.last, 1.0);
    CU_ASSERT(!s.went_back);
}

/* GDAL 3.6 takes a VRT's missing source for an empty one after its first complaint: every run must
 * see for itself that the file is not there. Later GDAL says it while the stack is opened. */
static void source_is_missing(void)
{
    rig_job j;
    rig_job_make(rig_model_make("m.safetensors", &rig_dense),
                 rig_sparse_vrt(predict_rig_path("m.tif"), 700, 5, 5),
                 predict_rig_path("m-out.tif"), &j);
    for (int i = 0; i < 3; i++) leaves_nothing(&j, S2CLR_ERR_IO, "m.tif");
    rig_scene_make("m.tif", &rig_scene_small);
    TEST_OK(rig_job_run(&j));
    CU_ASSERT(j.result.valid_pixels > 0);
}

static const test_case cases[] = {
    {"refusals", refusals},
    {"existing", existing},
    {"output_is_input", output_is_input},
    {"disk_full", disk_full},
    {"cancelled", cancelled},
    {"a source that is not there", source_is_missing},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("predict_failures", cases, argc, argv);
}
