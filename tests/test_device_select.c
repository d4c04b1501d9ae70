/*
 * Which device the word "auto" comes to when the best one does not work, what the user is told of
 * it, and processes that fork. As in test_backend_registry.c every case looks in a process of its
 * own; the module is tests/fake_backend.c in the place of the CUDA module.
 */
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/device_select.h"
#include "module_rig.h"

static const char *ask(const char *fake, const char *mode, const char *word)
{
    static int folders;
    char name[32];
    snprintf(name, sizeof name, "%s-%d", fake, folders++);
    return module_answer(module_folder_with(name, "s2clr_cuda.so"), fake, true, mode, word);
}

/* "cuda" where the module outranks oneDNN and portable; behind it what the user is told, twice. */
static void auto_takes_what_works(void)
{
    CU_ASSERT_STRING_EQUAL(ask("good", "--select", "auto f32"), "fake||");
    CU_ASSERT_STRING_EQUAL(ask("good", "--select", "auto bf16"), "fake||");
    CU_ASSERT_STRING_EQUAL(ask("f32", "--select", "auto f32"), "fake||");
}

static void auto_falls_back_and_says_why_once(void)
{
    static const struct {
        const char *fake, *word, *says;
    } rows[] = {
        {"device", "auto f32", "of the backend cuda cannot be used: device '': 3 fans are missing"},
        {"abi", "auto f32", "install the module of the same release"},
        {"f32", "auto bf16", "of the backend fake cannot be used: the fans turn in f32 only"},
        {"busy", "auto f32", "of the backend fake cannot be used: no room for 3 fans"},
        {"full", "auto f32", "of the backend fake cannot be used: no room for 3 fans"},
        {"wrong", "auto f32", "conv op, (2, 11, 9, 13) to (2, 21, 9, 13), is off by "},
        {"wrong", "auto f32", " are allowed; do its driver and libraries go together"},
        {"nan", "auto f32", "is off by inf of its norm"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const text = ask(rows[i].fake, "--select", rows[i].word);
        CU_ASSERT_EQUAL(strncmp(text, "portable|computing on the CPU (portable), ", 42), 0);
        module_says(text, rows[i].says);
        const char *const last = strrchr(text, '|');
        CU_ASSERT(last && !last[1]); /* nothing the second time */
        CU_ASSERT_PTR_NULL(strchr(text, '\n'));
    }
}

/* Its user wants to see what it does. */
static void who_asks_by_name_gets_wrong_answers_too(void)
{
    CU_ASSERT_STRING_EQUAL(ask("wrong", "--select", "cuda f32"), "fake||");
}

/* Asked again when it has changed its mind: in the same precision it has its name already. */
static void a_verdict_is_remembered(void)
{
    CU_ASSERT_STRING_EQUAL(ask("good", "--again", "wrong"), "fake fake portable child portable ");
    CU_ASSERT_STRING_EQUAL(ask("wrong", "--again", "good"), "portable portable fake child fake ");
    CU_ASSERT_STRING_EQUAL(ask("full", "--again", "good"), "portable fake fake child fake ");
}

/* No CPU backend computes in tf32: the reason is that of the device. */
static void what_the_cpu_cannot_do_either_fails(void)
{
    module_says(ask("f32", "--select", "auto tf32"), "error: the fans turn in f32 only|");
}

static void who_asks_by_name_gets_that_or_an_error(void)
{
    module_says(ask("f32", "--select", "cuda bf16"), "error: the fans turn in f32 only||");
    module_says(ask("device", "--select", "cuda f32"), "3 fans are missing||");
    CU_ASSERT_STRING_EQUAL(ask("device", "--select", "cpu f32"), "portable||");
}

/* ---- forks ---- */

/* The parent's device does not work in the child, which finds that out and goes on without. */
static void a_child_looks_for_itself(void)
{
    const char *const text = ask("good", "--fork", "device");
    module_says(text, "parent fake, child portable, ");
    module_says(text, "3 fans are missing");
    CU_ASSERT_STRING_EQUAL(ask("good", "--fork", "good"), "parent fake, child fake, ");
}

/* A thread is inside the registry while another forks. */
static void a_child_does_not_wait_for_threads_of_its_parent(void)
{
    CU_ASSERT_STRING_EQUAL(ask("stuck", "--stuck", "good"), "parent fake, child fake, ");
}

/* ---- the program that is asked ---- */

static int print_selected(const char *word)
{
    char wanted[16], precision_name[16], text[S2CLR_BACKEND_TEXT];
    s2clr_precision precision;
    const s2clr_backend *backend = NULL;
    s2clr_device *device;
    if (sscanf(word, "%15s %15s", wanted, precision_name) != 2 ||
        s2clr_precision_parse(precision_name, &precision) != S2CLR_OK)
        return 1;
    if (s2clr_device_select(wanted, precision, &backend, &device) == S2CLR_OK) {
        fputs(backend->name, stdout);
        backend->device_close(device);
    } else
        printf("error: %s", s2clr_error_text());
    for (int i = 0; i < 2; i++) printf("|%s", s2clr_backend_passed_over(text) ? text : "");
    return 0;
}

static const char *name_of_device(s2clr_precision precision)
{
    const s2clr_backend *backend;
    s2clr_device *device;
    if (s2clr_device_select("auto", precision, &backend, &device) != S2CLR_OK) return "none";
    backend->device_close(device);
    return backend->name;
}

/* In f32, after a change of mind, then in bf16, and by a child in f32. */
static int print_again(const char *fake)
{
    int status = -1;
    printf("%s ", name_of_device(S2CLR_F32));
    setenv("S2CLR_FAKE", fake, 1);
    printf("%s ", name_of_device(S2CLR_F32));
    printf("%s ", name_of_device(S2CLR_BF16));
    const pid_t process = test_fork();
    if (process == 0) {
        alarm(20);
        printf("child %s ", name_of_device(S2CLR_F32));
        fflush(stdout);
        _exit(0);
    }
    return waitpid(process, &status, 0) == process && status == 0 ? 0 : 1;
}

static const char *name_of_auto(void)
{
    const s2clr_backend *backend;
    return s2clr_backend_find("auto", &backend) == S2CLR_OK ? backend->name : "none";
}

static int child(const char *fake)
{
    char text[S2CLR_BACKEND_TEXT];
    alarm(20);
    setenv("S2CLR_FAKE", fake, 1);
    printf("child %s, ", name_of_auto());
    fputs(s2clr_backend_passed_over(text) ? text : "", stdout);
    fflush(stdout);
    _exit(0);
}

static int print_forked(const char *fake)
{
    int status = -1;
    printf("parent %s, ", name_of_auto());
    const pid_t process = test_fork();
    if (process == 0) return child(fake);
    return waitpid(process, &status, 0) == process && status == 0 ? 0 : 1;
}

static void *look(void *name)
{
    *(const char **)name = name_of_auto();
    return NULL;
}

static int print_stuck(const char *fake)
{
    int there[2], on[2], status = -1;
    char text[32], byte = 0;
    const char *name = NULL;
    pthread_t thread;
    if (pipe(there) != 0 || pipe(on) != 0) return 1;
    snprintf(text, sizeof text, "%d %d", there[1], on[0]);
    setenv("S2CLR_FAKE_STUCK", text, 1);
    if (pthread_create(&thread, NULL, look, &name) != 0 || read(there[0], &byte, 1) != 1) return 1;
    const pid_t process = test_fork();
    if (process == 0) {
        dup2(there[1], 1);
        return child(fake);
    }
    const bool ended = waitpid(process, &status, 0) == process && status == 0;
    const ssize_t got = ended ? read(there[0], text, sizeof text - 1) : 0;
    text[got < 0 ? 0 : got] = '\0';
    if (write(on[1], &byte, 1) != 1) return 1;
    pthread_join(thread, NULL);
    printf("parent %s, %s", name, ended ? text : "the child waits");
    return 0;
}

static const test_case cases[] = {
    {"auto_takes_what_works", auto_takes_what_works},
    {"auto_falls_back_and_says_why_once", auto_falls_back_and_says_why_once},
    {"who_asks_by_name_gets_wrong_answers_too", who_asks_by_name_gets_wrong_answers_too},
    {"a_verdict_is_remembered", a_verdict_is_remembered},
    {"what_the_cpu_cannot_do_either_fails", what_the_cpu_cannot_do_either_fails},
    {"who_asks_by_name_gets_that_or_an_error", who_asks_by_name_gets_that_or_an_error},
    {"a_child_looks_for_itself", a_child_looks_for_itself},
    {"a_child_does_not_wait_for_threads_of_its_parent",
     a_child_does_not_wait_for_threads_of_its_parent},
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--select") == 0) return print_selected(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--again") == 0) return print_again(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--fork") == 0) return print_forked(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--stuck") == 0) return print_stuck(argv[2]);
    return TEST_MAIN("device_select", cases, argc, argv);
}
