/*
 * Models and runtimes that a process shares: how many there are, after whatever happened.
 */
#include <gdal.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "predict/model_share.h"
#include "predict/nesting.h"
#include "predict_rig.h"

#define THREADS 8

static s2clr_status take(const s2clr_model *model, int threads, s2clr_aim aim, s2clr_runtime **out)
{
    return s2clr_runtime_acquire(model, "portable", S2CLR_F32, threads, aim, out);
}

static const s2clr_model *acquire(const char *path)
{
    const s2clr_model *model = NULL;
    TEST_OK(s2clr_model_acquire(path, &model));
    return model;
}

/* ---- models ---- */

static void models_are_shared(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s", rig_model_make("shared.safetensors", &rig_dense));
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
    const s2clr_model *a = acquire(path), *b = acquire(path);
    CU_ASSERT_PTR_EQUAL(a, b);
    TEST_OK(s2clr_model_hold(a));
    const s2clr_model *other = acquire(rig_model_make("other.safetensors", &rig_resnet));
    CU_ASSERT_PTR_NOT_EQUAL(a, other);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 2);
    s2clr_model_release(a);
    s2clr_model_release(b);
    s2clr_model_release(other);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 1);
    CU_ASSERT_STRING_EQUAL(s2clr_model_path(a), path);
    s2clr_model_release(a);
    s2clr_model_release(NULL);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
}

/* A file replaced under its name is another model; who has the old one keeps it. */
static void replaced_file(void)
{
    char path[600];
    rig_model second = rig_dense;
    second.temperature = 2.5;
    snprintf(path, sizeof path, "%s", rig_model_make("replaced.safetensors", &rig_dense));
    const s2clr_model *old = acquire(path);
    char next[600];
    snprintf(next, sizeof next, "%s", rig_model_make("replaced-next.safetensors", &second));
    CU_ASSERT_EQUAL(rename(next, path), 0);
    const s2clr_model *new = acquire(path);
    CU_ASSERT_PTR_NOT_EQUAL(old, new);
    CU_ASSERT_EQUAL(s2clr_model_card(old)->temperature, 1);
    CU_ASSERT_EQUAL(s2clr_model_card(new)->temperature, 2.5);
    s2clr_model_release(old);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 1);
    s2clr_model_release(new);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static void failures_leave_nothing(void)
{
    const s2clr_model *model = NULL;
    s2clr_runtime *runtime = NULL;
    char path[600];
    snprintf(path, sizeof path, "%s", predict_rig_path("broken.safetensors"));
    CU_ASSERT_EQUAL(s2clr_model_acquire(path, &model), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("broken.safetensors");
    write_text(path, "not a model at all");
    CU_ASSERT_EQUAL(s2clr_model_acquire(path, &model), S2CLR_ERR_FORMAT);
    CU_ASSERT_PTR_NULL(model);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
    model = acquire(rig_model_make("whole.safetensors", &rig_dense));
    CU_ASSERT_NOT_EQUAL(
        s2clr_runtime_acquire(model, "warp9", S2CLR_F32, 1, S2CLR_AIM_PROBABILITY, &runtime),
        S2CLR_OK);
    TEST_ERROR_SAYS("warp9");
    CU_ASSERT_EQUAL(take(model, -3, S2CLR_AIM_PROBABILITY, &runtime), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_PTR_NULL(runtime);
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 0);
    s2clr_model_release(model);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
}

/* ---- runtimes ---- */

static void precisions_do_not_share(void)
{
    const s2clr_model *model = acquire(rig_model_make("runtime.safetensors", &rig_dense));
    s2clr_runtime *r[3] = {NULL};
    for (int i = 0; i < 3; i++)
        TEST_OK(s2clr_runtime_acquire(model, "portable", i == 1 ? S2CLR_BF16 : S2CLR_F32, 1,
                                      S2CLR_AIM_PROBABILITY, &r[i]));
    CU_ASSERT_PTR_EQUAL(r[0], r[2]);
    CU_ASSERT_PTR_NOT_EQUAL(r[0], r[1]);
    CU_ASSERT_PTR_NULL(strstr(s2clr_runtime_device(r[0]), "bf16"));
    CU_ASSERT_PTR_NOT_NULL(strstr(s2clr_runtime_device(r[1]), "bf16"));
    for (int i = 0; i < 3; i++) s2clr_runtime_release(r[i]);
    s2clr_model_release(model);
    s2clr_runtime_drop_idle();
}

static void runtimes_are_shared(void)
{
    const s2clr_model *model = acquire(rig_model_make("runtime.safetensors", &rig_dense));
    s2clr_runtime *a = NULL, *b = NULL, *more = NULL, *features = NULL;
    TEST_OK(take(model, 2, S2CLR_AIM_PROBABILITY, &a));
    TEST_OK(take(model, 2, S2CLR_AIM_PROBABILITY, &b));
    CU_ASSERT_PTR_EQUAL(a, b);
    TEST_OK(take(model, 3, S2CLR_AIM_PROBABILITY, &more));
    TEST_OK(take(model, 2, S2CLR_AIM_EMBEDDING, &features));
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 3);
    CU_ASSERT_EQUAL(s2clr_runtime_threads(more), 3);
    CU_ASSERT_EQUAL(s2clr_runtime_planes(a), 1);
    CU_ASSERT_EQUAL(s2clr_runtime_planes(features), 8);
    CU_ASSERT_PTR_EQUAL(s2clr_runtime_model(a), model);
    CU_ASSERT_EQUAL(strncmp(s2clr_runtime_device(a), "portable: ", 10), 0);
    s2clr_model_release(model); /* the runtimes have holds of their own */
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 1);
    s2clr_runtime_release(a);
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 3);
    s2clr_runtime_release(features); /* now idle */
    s2clr_runtime_release(b);        /* takes its place */
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 2);
    s2clr_runtime_release(more);
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 1);
    TEST_OK(take(model, 3, S2CLR_AIM_PROBABILITY, &a));
    CU_ASSERT_PTR_EQUAL(a, more); /* the idle one has waited for this */
    s2clr_runtime_drop_idle();
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 1);
    s2clr_runtime_release(a);
    s2clr_runtime_release(NULL);
    s2clr_runtime_drop_idle();
    s2clr_runtime_drop_idle();
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 0);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
}

/* ---- threads ---- */

typedef struct visitor {
    const char *path, *scene;
    pthread_barrier_t *barrier;
    const s2clr_model *model;
    s2clr_runtime *runtime;
    rig_bench bench;
    float *map;
    s2clr_status status;
} visitor;

static void *visit(void *argument)
{
    visitor *v = argument;
    pthread_barrier_wait(v->barrier);
    v->status = s2clr_model_acquire(v->path, &v->model);
    if (v->status == S2CLR_OK) v->status = take(v->model, 2, S2CLR_AIM_PROBABILITY, &v->runtime);
    pthread_barrier_wait(v->barrier);
    return NULL;
}

static void *compute(void *argument)
{
    visitor *v = argument;
    pthread_barrier_wait(v->barrier);
    v->status = rig_bench_open(v->path, v->scene, "portable", 2, S2CLR_AIM_PROBABILITY, 0,
                               (s2clr_engine_options){.min_valid = 0.5}, &v->bench);
    const s2clr_grid *grid = &v->bench.grid;
    v->map = calloc((size_t)grid->columns * (size_t)grid->rows, sizeof *v->map);
    const s2clr_values values = {.probability = v->map};
    if (v->status == S2CLR_OK)
        v->status = rig_bench_run(&v->bench, 0, 0, grid->columns, grid->rows, NULL, &values);
    return NULL;
}

static void all_at_once(void *(*work)(void *), visitor *visitors, const char *path,
                        const char *scene)
{
    pthread_t thread[THREADS];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        visitors[i] = (visitor){.path = path, .scene = scene, .barrier = &barrier};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, work, &visitors[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&barrier);
}

static void eight_acquire_at_once(void)
{
    visitor v[THREADS];
    char path[600];
    snprintf(path, sizeof path, "%s", rig_model_make("eight.safetensors", &rig_resnet));
    all_at_once(visit, v, path, NULL);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 1);
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 1);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(v[i].status, S2CLR_OK);
        CU_ASSERT_PTR_EQUAL(v[i].model, v[0].model);
        CU_ASSERT_PTR_EQUAL(v[i].runtime, v[0].runtime);
        s2clr_runtime_release(v[i].runtime);
        s2clr_model_release(v[i].model);
    }
    all_at_once(visit, v, predict_rig_path("absent.safetensors"), NULL);
    for (int i = 0; i < THREADS; i++) CU_ASSERT_EQUAL(v[i].status, S2CLR_ERR_IO);
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 1);
    s2clr_runtime_drop_idle();
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
}

/* Engines of one runtime take turns, and none sees the others. */
static void eight_compute_at_once(void)
{
    const rig_scene small = {.width = 150, .height = 130};
    visitor v[THREADS];
    char path[600], scene[600];
    snprintf(path, sizeof path, "%s", rig_model_make("turns.safetensors", &rig_dense));
    snprintf(scene, sizeof scene, "%s", rig_scene_make("turns.tif", &small));
    all_at_once(compute, v, path, scene);
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 1);
    for (int i = 0; i < THREADS; i++) {
        const s2clr_grid *grid = &v[i].bench.grid;
        CU_ASSERT_EQUAL(v[i].status, S2CLR_OK);
        const float middle = v[i].map[grid->columns * (grid->rows / 2) + grid->columns / 2];
        CU_ASSERT(middle > 0 && middle < 1);
        rig_same_bytes(v[0].map, grid->columns, 0, 0, v[i].map, grid->columns, grid->rows);
    }
    for (int i = 0; i < THREADS; i++) {
        free(v[i].map);
        rig_bench_close(&v[i].bench);
    }
    s2clr_runtime_drop_idle();
}

/* ---- forks, nesting ---- */

/* Computes pixels of zeros. It reads nothing: a forked process shares the place in its open files,
 * and a read in the child would mislead the parent (GDAL 3.13 does not look). */
static s2clr_status compute_zeros(const rig_bench *b, const s2clr_values *values)
{
    s2clr_block block = {0};
    s2clr_engine_window(b->engine, 7, 7, 1, 1, &block);
    const size_t pixels = (size_t)block.w * (size_t)block.h;
    block.values = calloc(pixels * RIG_BANDS, sizeof *block.values);
    block.valid = calloc(pixels, 1);
    memset(block.valid, 1, pixels);
    const s2clr_status status = s2clr_engine_compute(b->engine, &block, values);
    free(block.values);
    free(block.valid);
    return status;
}

/* A child of a process with an idle runtime has none of its threads: it makes its own. */
static void after_a_fork(void)
{
#ifdef __SANITIZE_THREAD__
    test_skip("ThreadSanitizer cannot start threads behind a fork");
    return;
#endif
    int status = -1;
    const rig_scene small = {.width = 60, .height = 60};
    char path[600];
    snprintf(path, sizeof path, "%s", rig_model_make("fork.safetensors", &rig_dense));
    const s2clr_model *model = acquire(path);
    s2clr_runtime *runtime = NULL, *own = NULL;
    rig_bench b;
    float value;
    const s2clr_values values = {.probability = &value};
    TEST_OK(rig_bench_open(path, rig_scene_make("fork.tif", &small), "portable", 3,
                           S2CLR_AIM_PROBABILITY, 0, (s2clr_engine_options){.min_valid = 0}, &b));
    TEST_OK(take(model, 2, S2CLR_AIM_PROBABILITY, &runtime));
    s2clr_runtime_release(runtime);
    const pid_t child = test_fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        alarm(60);
        const bool refused = compute_zeros(&b, &values) == S2CLR_ERR_UNSUPPORTED;
        const bool made = take(model, 2, S2CLR_AIM_PROBABILITY, &own) == S2CLR_OK;
        s2clr_runtime_release(own);
        s2clr_runtime_drop_idle();
        _exit(made && refused && own != runtime ? 0 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    TEST_OK(compute_zeros(&b, &values));
    TEST_OK(rig_bench_run(&b, 7, 7, 1, 1, NULL, &values));
    rig_bench_close(&b);
    s2clr_model_release(model);
    s2clr_runtime_drop_idle();
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
}

static void nesting(void)
{
    for (int i = 0; i < S2CLR_NESTING_MAX; i++) TEST_OK(s2clr_nesting_enter("cycle.vrt"));
    CU_ASSERT_EQUAL(s2clr_nesting_enter("cycle.vrt"), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("cycle.vrt");
    CU_ASSERT_EQUAL(s2clr_nesting_depth(), S2CLR_NESTING_MAX);
    for (int i = 0; i < S2CLR_NESTING_MAX; i++) s2clr_nesting_leave();
    CU_ASSERT_EQUAL(s2clr_nesting_depth(), 0);
    s2clr_nesting_set(S2CLR_NESTING_MAX);
    CU_ASSERT_EQUAL(s2clr_nesting_enter("cycle.vrt"), S2CLR_ERR_ARGUMENT);
    s2clr_nesting_set(0);
}

static const test_case cases[] = {
    {"models_are_shared", models_are_shared},
    {"replaced_file", replaced_file},
    {"failures_leave_nothing", failures_leave_nothing},
    {"precisions_do_not_share", precisions_do_not_share},
    {"runtimes_are_shared", runtimes_are_shared},
    {"eight_acquire_at_once", eight_acquire_at_once},
    {"eight_compute_at_once", eight_compute_at_once},
    {"after_a_fork", after_a_fork},
    {"nesting", nesting},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("runtime", cases, argc, argv);
}
