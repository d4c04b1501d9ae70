/*
 * Finding, loading and refusing backend modules. The registry is filled once per process, so every
 * case looks at it in a child process with an environment of its own. The module that is loaded is
 * tests/fake_backend.c, put in a folder under the name of a real one.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/device_select.h"
#include "module_rig.h"

/* What a child saw. */
typedef struct view {
    bool onednn, portable; /* usable */
    char why[1024];        /* of onednn */
    char best[32];         /* name of what "auto" gives */
    int find;              /* status of finding "onednn" */
    char find_text[1024];  /* its error text */
    bool threads_agree;    /* two threads got the same table */
} view;

static void *list_in_thread(void *out)
{
    s2clr_backend_list(out);
    return NULL;
}

static void look(view *seen)
{
    const s2clr_backend_entry *entries, *from_thread = NULL;
    pthread_t thread;
    const bool started = pthread_create(&thread, NULL, list_in_thread, &from_thread) == 0;
    const size_t count = s2clr_backend_list(&entries);
    if (started) pthread_join(thread, NULL);
    seen->threads_agree = from_thread == entries;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].name, "portable") == 0)
            seen->portable = entries[i].backend && !entries[i].why[0];
        if (strcmp(entries[i].name, "onednn") == 0) {
            seen->onednn = entries[i].backend != NULL;
            snprintf(seen->why, sizeof seen->why, "%s", entries[i].why);
        }
    }
    const s2clr_backend *backend = NULL;
    if (s2clr_backend_find("auto", &backend) == S2CLR_OK)
        snprintf(seen->best, sizeof seen->best, "%s", backend->name);
    seen->find = (int)s2clr_backend_find("onednn", &backend);
    snprintf(seen->find_text, sizeof seen->find_text, "%s", s2clr_error_text());
}

static view look_in_child(const char *path, const char *fake)
{
    view seen = {0};
    int ends[2];
    CU_ASSERT_FATAL(pipe(ends) == 0);
    const pid_t child = test_fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        setenv("S2CLR_BACKEND_PATH", path, 1);
        setenv("S2CLR_FAKE", fake, 1);
        look(&seen);
        _exit(write(ends[1], &seen, sizeof seen) == (ssize_t)sizeof seen ? 0 : 1);
    }
    close(ends[1]);
    size_t got = 0;
    ssize_t n;
    while (got < sizeof seen && (n = read(ends[0], (char *)&seen + got, sizeof seen - got)) > 0)
        got += (size_t)n;
    close(ends[0]);
    int status;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT_EQUAL(got, sizeof seen);
    return seen;
}

static const char *folder_with_fake(const char *name)
{
    return module_folder_with(name, "s2clr_onednn.so");
}

static void module_of_another_version_is_refused(void)
{
    const view seen = look_in_child(folder_with_fake("abi"), "abi");
    char found[32], wanted[32];
    snprintf(found, sizeof found, "version %u", S2CLR_BACKEND_ABI + 41);
    snprintf(wanted, sizeof wanted, "wants %u", S2CLR_BACKEND_ABI);
    CU_ASSERT_FALSE(seen.onednn);
    module_says(seen.why, "abi/s2clr_onednn.so");
    module_says(seen.why, found);
    module_says(seen.why, wanted);
    CU_ASSERT_EQUAL(seen.find, S2CLR_ERR_UNSUPPORTED);
    module_says(seen.find_text, "'onednn'");
    module_says(seen.find_text, found);
    CU_ASSERT_STRING_EQUAL(seen.best, "portable");
}

static void absent_module_gives_the_folders_searched(void)
{
    const char *const folder = module_folder("empty");
    const view seen = look_in_child(folder, "");
    CU_ASSERT_FALSE(seen.onednn);
    CU_ASSERT(seen.portable);
    CU_ASSERT(seen.threads_agree);
    module_says(seen.why, "s2clr_onednn.so was not found");
    module_says(seen.why, folder);
    CU_ASSERT_PTR_NULL(strchr(seen.why, '\n'));
    CU_ASSERT_STRING_EQUAL(seen.best, "portable");
}

static void file_that_is_no_module_is_reported(void)
{
    char path[PATH_MAX + 32];
    const char *const folder = module_folder("text");
    snprintf(path, sizeof path, "%s/s2clr_onednn.so", folder);
    FILE *const file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs("not a module\n", file);
    fclose(file);
    const view seen = look_in_child(folder, "");
    CU_ASSERT_FALSE(seen.onednn);
    module_says(seen.why, "cannot load");
    module_says(seen.why, path);
}

static void reason_of_the_module_reaches_the_user(void)
{
    const view seen = look_in_child(folder_with_fake("device"), "device");
    CU_ASSERT_FALSE(seen.onednn);
    CU_ASSERT_STRING_EQUAL(seen.why, "device '': 3 fans are missing");
    module_says(seen.find_text, "3 fans are missing");
}

static void every_folder_of_the_path_is_searched(void)
{
    char path[3 * PATH_MAX];
    const char *const fake = folder_with_fake("good");
    snprintf(path, sizeof path, "/nonexistent::%s/", fake);
    const view seen = look_in_child(path, "good");
    CU_ASSERT(seen.onednn);
    CU_ASSERT_STRING_EQUAL(seen.why, "");
    CU_ASSERT_EQUAL(seen.find, S2CLR_OK);
    CU_ASSERT_STRING_EQUAL(seen.best, "fake"); /* the highest score */
    CU_ASSERT(seen.threads_agree);
}

static void copy_file(const char *from, const char *to)
{
    FILE *const in = fopen(from, "rb"), *const out = fopen(to, "wb");
    CU_ASSERT_FATAL(in && out);
    char block[65536];
    size_t n;
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        CU_ASSERT_EQUAL(fwrite(block, 1, n, out), n);
    fclose(in);
    CU_ASSERT_EQUAL(fclose(out), 0);
    CU_ASSERT_EQUAL(chmod(to, 0700), 0);
}

/* A copy of this program, with a module beside it and without S2CLR_BACKEND_PATH. */
static void folder_of_the_executable_is_the_default(void)
{
    char program[PATH_MAX + 32], line[PATH_MAX + 96], best[32] = "";
    snprintf(program, sizeof program, "%s/program", folder_with_fake("beside"));
    copy_file("/proc/self/exe", program);
    snprintf(line, sizeof line, "S2CLR_BACKEND_PATH= S2CLR_FAKE=good '%s' --best", program);
    FILE *const pipe_end = popen(line, "r");
    CU_ASSERT_FATAL(pipe_end != NULL);
    CU_ASSERT_PTR_NOT_NULL(fgets(best, sizeof best, pipe_end));
    CU_ASSERT_EQUAL(pclose(pipe_end), 0);
    CU_ASSERT_STRING_EQUAL(best, "fake");
}

static int print_best(void)
{
    const s2clr_backend *backend;
    if (s2clr_backend_find("auto", &backend) != S2CLR_OK) return 1;
    fputs(backend->name, stdout);
    return 0;
}

static void unknown_name_lists_the_known(void)
{
    const s2clr_backend *backend = NULL;
    CU_ASSERT_EQUAL(s2clr_backend_find("abacus", &backend), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("'abacus'");
    TEST_ERROR_SAYS("auto, cpu, cuda, onednn, portable");
    CU_ASSERT_PTR_NULL(backend);
}

/* ---- a module that needs a driver ---- */

static bool has_driver(void)
{
    return dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != NULL;
}

static void module_whose_driver_is_absent_is_not_loaded(void)
{
    if (has_driver()) {
        test_skip("this machine has an NVIDIA driver");
        return;
    }
    const char *const folder = module_folder_with("driverless", "s2clr_cuda.so");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", false, "--find", "auto"), "portable");
    module_says(module_answer(folder, "good", false, "--why", "cuda"), "no driver");
    module_says(module_answer(folder, "good", false, "--why", "cuda"), "libcuda.so.1");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", false, "--mapped", "auto"), "no");
}

static void module_whose_driver_is_there_is_offered(void)
{
    const char *const folder = module_folder_with("driven", "s2clr_cuda.so");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", true, "--find", "auto"), "fake");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", true, "--why", "cuda"), "");
    module_says(module_answer(folder, "device", true, "--why", "cuda"), "3 fans are missing");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "device", true, "--find", "auto"), "portable");
}

static void asked_by_name_the_module_speaks_for_itself(void)
{
    const char *const folder = module_folder_with("named", "s2clr_cuda.so");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", false, "--find", "cuda"), "fake");
    module_says(module_answer(folder, "device", false, "--find", "cuda"), "3 fans are missing");
    module_says(module_answer(folder, "abi", false, "--find", "cuda"),
                "install the module of the same release");
    module_says(module_answer(folder, "abi", false, "--find", "cuda"), "named/s2clr_cuda.so");
    module_says(module_answer(module_folder("nothing"), "good", false, "--find", "cuda"),
                "s2clr_cuda.so was not found");
}

static void cpu_never_loads_it(void)
{
    const char *const folder = module_folder_with("cpu", "s2clr_cuda.so");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", true, "--find", "cpu"), "portable");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", true, "--mapped", "cpu"), "no");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", true, "--mapped", "auto"), "yes");
}

static void words_behind_the_name_reach_the_backend(void)
{
    const char *const folder = module_folder_with("spec", "s2clr_cuda.so");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "spec", false, "--select", "cuda"), "fake");
    module_says(module_answer(folder, "spec", false, "--select", "cuda:1"), "device 'cuda:1':");
    module_says(module_answer(folder, "spec", false, "--select", "cuda,fast"),
                "device 'cuda,fast':");
    module_says(module_answer(folder, "spec", false, "--select", "cuda:1,fast"),
                "device 'cuda:1,fast':");
    module_says(module_answer(folder, "spec", false, "--select", "cpu,fast"), "'cpu,fast'");
    module_says(module_answer(folder, "spec", false, "--select", "cudas"), "did you mean cuda");
}

/* A copy of the module that needs libX.so.6 where it needed libc.so.6. */
static void library_that_is_absent_is_named(void)
{
    static char bytes[1 << 22];
    static const char needed[] = "libc.so.6";
    char path[PATH_MAX + 32];
    const char *const folder = module_folder("crippled");
    FILE *const in = fopen(module_fake(), "rb");
    CU_ASSERT_FATAL(in != NULL);
    const size_t size = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    CU_ASSERT_FATAL(size > 0 && size < sizeof bytes);
    int found = 0;
    for (char *at = bytes; (at = memmem(at, size - (size_t)(at - bytes), needed, sizeof needed));)
        at[3] = 'X', found++;
    CU_ASSERT_FATAL(found > 0);
    snprintf(path, sizeof path, "%s/s2clr_cuda.so", folder);
    FILE *const out = fopen(path, "wb");
    CU_ASSERT_FATAL(out != NULL);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, out), size);
    CU_ASSERT_EQUAL(fclose(out), 0);
    const char *const text = module_answer(folder, "good", false, "--find", "cuda");
    module_says(text, "cannot load");
    module_says(text, "crippled/s2clr_cuda.so");
    module_says(text, "libX.so.6");
    CU_ASSERT_STRING_EQUAL(module_answer(folder, "good", true, "--find", "auto"), "portable");
}

/* The module of this build, on a machine without a driver. */
static void real_module_without_driver_says_so(void)
{
    char folder[PATH_MAX], module[PATH_MAX + 32];
    snprintf(folder, sizeof folder, "%s", module_fake());
    for (int i = 0; i < 3; i++) *strrchr(folder, '/') = '\0';
    strcat(folder, "/.libs");
    snprintf(module, sizeof module, "%s/s2clr_cuda.so", folder);
    if (has_driver() || access(module, R_OK) != 0) {
        test_skip(has_driver() ? "this machine has an NVIDIA driver"
                               : "the CUDA module was not built");
        return;
    }
    const char *const text = module_answer(folder, "", false, "--find", "cuda");
    module_says(text, "backend 'cuda' cannot be used here: no NVIDIA driver");
    module_says(text, "--device cpu");
    CU_ASSERT_PTR_NULL(strchr(text, '\n'));
}

/* ---- the program that `answer` calls ---- */

static const char *why_not(const char *name)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0) return entries[i].why;
    return "no such line";
}

static int print_answer(const char *mode, const char *word)
{
    const s2clr_backend *backend = NULL;
    s2clr_device *device = NULL;
    if (strcmp(mode, "--why") == 0) {
        fputs(why_not(word), stdout);
        return 0;
    }
    const s2clr_status status = strcmp(mode, "--select") == 0
                                    ? s2clr_device_select(word, S2CLR_F32, &backend, &device)
                                    : s2clr_backend_find(word, &backend);
    if (strcmp(mode, "--mapped") == 0)
        fputs(strstr(test_text("/proc/self/maps"), "fake_backend.so") ? "yes" : "no", stdout);
    else
        fputs(status == S2CLR_OK ? backend->name : s2clr_error_text(), stdout);
    if (device) backend->device_close(device);
    return 0;
}

static const test_case cases[] = {
    {"module_of_another_version_is_refused", module_of_another_version_is_refused},
    {"absent_module_gives_the_folders_searched", absent_module_gives_the_folders_searched},
    {"file_that_is_no_module_is_reported", file_that_is_no_module_is_reported},
    {"reason_of_the_module_reaches_the_user", reason_of_the_module_reaches_the_user},
    {"every_folder_of_the_path_is_searched", every_folder_of_the_path_is_searched},
    {"folder_of_the_executable_is_the_default", folder_of_the_executable_is_the_default},
    {"unknown_name_lists_the_known", unknown_name_lists_the_known},
    {"module_whose_driver_is_absent_is_not_loaded", module_whose_driver_is_absent_is_not_loaded},
    {"module_whose_driver_is_there_is_offered", module_whose_driver_is_there_is_offered},
    {"asked_by_name_the_module_speaks_for_itself", asked_by_name_the_module_speaks_for_itself},
    {"cpu_never_loads_it", cpu_never_loads_it},
    {"words_behind_the_name_reach_the_backend", words_behind_the_name_reach_the_backend},
    {"library_that_is_absent_is_named", library_that_is_absent_is_named},
    {"real_module_without_driver_says_so", real_module_without_driver_says_so},
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--best") == 0) return print_best();
    if (argc == 3) return print_answer(argv[1], argv[2]);
    return TEST_MAIN("backend_registry", cases, argc, argv);
}
