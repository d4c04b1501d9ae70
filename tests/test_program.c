/* The program s2clr as somebody else's child: shell scripts play its part. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "commands/describe.h"
#include "harness.h"
#include "program/child.h"
#include "program/program_call.h"
#include "program/program_find.h"

#define DEMO                                                                                       \
    "{\"commands\": [{\"name\": \"demo\", \"summary\": \"s\", \"description\": \"d\", "            \
    "\"parameters\": [%s]}]}"
#define ROW(name, type, more)                                                                      \
    "{\"name\": \"" name "\", \"type\": \"" type "\", \"group\": \"g\", \"help\": \"h\"" more "}"

static const char *in_folder(const char *name)
{
    static char path[4][512];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", test_folder(), name);
    return path[at];
}

static const char *script(const char *name, const char *body)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "w");
    fprintf(file, "#!/bin/sh\n%s\n", body);
    fclose(file);
    chmod(path, 0755);
    return path;
}

static s2clr_program_table *demo(void)
{
    static char json[2048];
    s2clr_program_table *table = NULL;
    snprintf(json, sizeof json, DEMO,
             ROW("input", "input", ", \"positional\": true, \"repeat\": true") "," //
             ROW("output", "output-raster", ", \"positional\": true") ","          //
             ROW("offset", "text", "") "," ROW("quick", "flag", "") ","            //
             ROW("progress", "choice", ", \"choices\": [\"auto\", \"lines\"]"));
    TEST_OK(s2clr_program_table_read(json, strlen(json), "demo", &table));
    return table;
}

static void add(s2clr_program_call *call, const s2clr_program_table *table, const char *row,
                const char *value)
{
    TEST_OK(s2clr_program_call_add(call, s2clr_program_table_find(table, row), value));
}

/* Runs `body` as the command demo. */
static s2clr_status run(const char *body, const s2clr_progress *progress,
                        s2clr_program_result *result)
{
    s2clr_program_table *table = demo();
    s2clr_program_call *call = NULL;
    TEST_OK(s2clr_program_call_new(table, &call));
    const s2clr_status status =
        s2clr_program_call_run(call, script("demo.sh", body), progress, result);
    s2clr_program_call_free(call);
    s2clr_program_table_free(table);
    return status;
}

static void words(void)
{
    s2clr_program_table *table = demo();
    s2clr_program_call *call;
    s2clr_program_result result;
    TEST_OK(s2clr_program_call_new(table, &call));
    add(call, table, "output", "-out.tif");
    add(call, table, "input", "a b.tif");
    add(call, table, "offset", "-1000");
    add(call, table, "input", "$(false) `x` \"q\" 'r' *\nend");
    add(call, table, "quick", NULL);
    TEST_OK(s2clr_program_call_set(call, "S2CLR_TEST_WORD=from the call"));
    setenv("S2CLR_TEST_WORD", "from outside", 1);
    TEST_OK(s2clr_program_call_run(
        call,
        script("words.sh", "for word; do echo \"[$word]\"; done; echo \"$S2CLR_TEST_WORD\"; cat"),
        NULL, &result));
    unsetenv("S2CLR_TEST_WORD");
    CU_ASSERT_STRING_EQUAL(result.text, "[demo]\n[--progress=lines]\n[--offset=-1000]\n[--quick]\n"
                                        "[--]\n[a b.tif]\n[$(false) `x` \"q\" 'r' *\nend]\n"
                                        "[-out.tif]\nfrom the call\n");
    CU_ASSERT_STRING_EQUAL(result.warnings, "");
    s2clr_program_result_free(&result);
    s2clr_program_call_free(call);
    s2clr_program_table_free(table);
}

typedef struct heard {
    double largest;
    int calls, backwards;
    bool saw_eighth;
} heard;

static bool hear(void *context, double fraction, const char *message)
{
    heard *h = context;
    (void)message;
    h->calls++;
    h->backwards += fraction < h->largest;
    h->saw_eighth = h->saw_eighth || fraction == 0.125;
    h->largest = fraction;
    return true;
}

static void progress_lines(void)
{
    heard h = {0};
    const s2clr_progress progress = {.call = hear, .context = &h};
    s2clr_program_result result;
    TEST_OK(run("echo progress 0.0; echo 'progress of 12 things'; printf 'prog'; sleep 0.05\n"
                "printf 'ress 12.5\\nprogress 1e3\\nprogress 900\\nprogress \\n'; sleep 0.3\n"
                "echo progress 100.0; echo done; printf 'progress 50'",
                &progress, &result));
    CU_ASSERT_STRING_EQUAL(
        result.text,
        "progress of 12 things\nprogress 1e3\nprogress 900\nprogress \ndone\nprogress 50");
    CU_ASSERT_EQUAL(h.largest, 1.0);
    CU_ASSERT_EQUAL(h.backwards, 0);
    CU_ASSERT_TRUE(h.saw_eighth);
    s2clr_program_result_free(&result);
}

static void failures(void)
{
    static const struct {
        const char *body;
        s2clr_status status;
        const char *text;
    } all[] = {
        {"echo 's2clr demo: warning: old'>&2; echo 's2clr demo: b.tif: no such file' >&2; exit 1",
         S2CLR_ERR_IO, "s2clr demo: b.tif: no such file"},
        {"printf 's2clr demo: --x: found 1\\nwanted 2\\n\\n' >&2; exit 2", S2CLR_ERR_ARGUMENT,
         "s2clr demo: --x: found 1\nwanted 2"},
        {"echo 'sh: something else' >&2; exit 1", S2CLR_ERR_IO, "sh: something else"},
        {"exit 5", S2CLR_ERR_IO, "s2clr demo: ended with exit code 5 and said nothing"},
        {"kill -KILL $$", S2CLR_ERR_IO, "s2clr demo: killed by signal 9"},
        {"kill -TERM $$", S2CLR_ERR_CANCELLED, "s2clr demo: interrupted"},
        {"echo 's2clr demo: interrupted' >&2; exit 130", S2CLR_ERR_CANCELLED,
         "s2clr demo: interrupted"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        s2clr_program_result result;
        CU_ASSERT_EQUAL(run(all[i].body, NULL, &result), all[i].status);
        CU_ASSERT_EQUAL(strncmp(s2clr_error_text(), all[i].text, strlen(all[i].text)), 0);
    }
}

static void warnings(void)
{
    s2clr_program_result result;
    TEST_OK(run("echo 's2clr demo: warning: one' >&2; echo noise >&2\n"
                "printf 's2clr demo: warning: two' >&2",
                NULL, &result));
    CU_ASSERT_STRING_EQUAL(result.warnings, "one\ntwo\n");
    s2clr_program_result_free(&result);
}

static bool stop(void *context, double fraction, const char *message)
{
    (void)message;
    (void)fraction;
    return access(context, F_OK) != 0;
}

/* It is asked to stop when it is ready for it, tidies up, and what it prints meanwhile is read. */
static void cancelled(void)
{
    const char *ready = in_folder("ready"), *tidied = in_folder("tidied");
    char body[2048];
    snprintf(body, sizeof body,
             "trap 'i=0; while [ $i -lt 3000 ]; do echo a line of some length, to fill a pipe; "
             "i=$((i+1)); done; : >%s; exit 143' TERM\n: >%s\nwhile :; do sleep 0.05; done",
             tidied, ready);
    const s2clr_progress progress = {.call = stop, .context = (void *)ready};
    s2clr_program_result result;
    CU_ASSERT_EQUAL(run(body, &progress, &result), S2CLR_ERR_CANCELLED);
    TEST_ERROR_SAYS("s2clr demo: interrupted");
    CU_ASSERT_EQUAL(access(tidied, F_OK), 0);
    unlink(ready);
}

static void stubborn(void)
{
    const char *ready = in_folder("deaf");
    char body[1024];
    snprintf(body, sizeof body, "trap '' TERM; : >%s; exec sleep 100", ready);
    const char *list[] = {script("stubborn.sh", body), NULL};
    const s2clr_progress progress = {.call = stop, .context = (void *)ready};
    s2clr_child_end end;
    TEST_OK(s2clr_child_run(list, NULL, &progress, 0.2, &end));
    CU_ASSERT_TRUE(end.cancelled);
    CU_ASSERT_EQUAL(end.code, 128 + SIGKILL);
    s2clr_child_end_free(&end);
}

/* A grandchild that lives on holds the pipes open; the child is done all the same. */
static void grandchild(void)
{
    const char *list[] = {script("grand.sh", "sleep 100 & echo $!"), NULL};
    s2clr_child_end end;
    TEST_OK(s2clr_child_run(list, NULL, NULL, 1, &end));
    const int pid = atoi(end.text);
    CU_ASSERT_TRUE_FATAL(pid > 1);
    CU_ASSERT_EQUAL(kill(pid, SIGTERM), 0);
    CU_ASSERT_EQUAL(end.code, 0);
    s2clr_child_end_free(&end);
}

static void much_output(void)
{
    const char *list[] = {script("much.sh",
                                 "awk 'BEGIN { for (i = 0; i < 100000; i++) { print \"out\", i; "
                                 "print \"err\", i >\"/dev/stderr\" } }'"),
                          NULL};
    s2clr_child_end end;
    TEST_OK(s2clr_child_run(list, NULL, NULL, 1, &end));
    CU_ASSERT_EQUAL(strlen(end.text), 988890); /* 100,000 lines of 5 bytes and the digits */
    CU_ASSERT_EQUAL(strlen(end.errors), 65536);
    CU_ASSERT_STRING_EQUAL(end.errors + 65536 - 10, "err 99999\n");
    s2clr_child_end_free(&end);
}

/* The mask behind `name` in /proc/self/status, of the signals that a program can block. */
static unsigned long long mask_of(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    return strtoull(line + strlen(name), NULL, 16) & 0x7fffffff;
}

/* Whatever the host does with signals and files, the child hears and has its own. */
static void fresh_start(void)
{
    static const int reset[] = {SIGINT, SIGTERM, SIGPIPE, SIGCHLD};
    void (*action[4])(int);
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int i = 0; i < 3; i++) action[i] = signal(reset[i], SIG_IGN);
    const int leaked = fcntl(STDERR_FILENO, F_DUPFD, 50);
    char body[512];
    snprintf(body, sizeof body,
             "cat /proc/self/status; [ ! -e /proc/$$/fd/%d ] || echo leaked; [ -z \"$(cat)\" ] || "
             "echo fed",
             leaked);
    const char *list[] = {script("fresh.sh", body), NULL};
    s2clr_child_end end;
    TEST_OK(s2clr_child_run(list, NULL, NULL, 1, &end));
    CU_ASSERT_EQUAL(mask_of(end.text, "SigBlk:\t"), 0);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(mask_of(end.text, "SigIgn:\t") & (1ULL << (reset[i] - 1)), 0);
    CU_ASSERT_PTR_NULL(strstr(end.text, "leaked"));
    CU_ASSERT_PTR_NULL(strstr(end.text, "fed"));
    s2clr_child_end_free(&end);
    close(leaked);
    for (int i = 0; i < 3; i++) signal(reset[i], action[i]);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void not_started(void)
{
    const char *list[] = {in_folder("there-is-none"), NULL};
    s2clr_child_end end;
    CU_ASSERT_EQUAL(s2clr_child_run(list, NULL, NULL, 1, &end), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("there-is-none: cannot be started: No such file");
    list[0] = script("no-program", "");
    chmod(list[0], 0644);
    CU_ASSERT_EQUAL(s2clr_child_run(list, NULL, NULL, 1, &end), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("Permission denied");
}

static void exit_code_taken(void)
{
    void (*const action)(int) = signal(SIGCHLD, SIG_IGN);
    const char *list[] = {script("done.sh", "exit 0"), NULL};
    s2clr_child_end end;
    CU_ASSERT_EQUAL(s2clr_child_run(list, NULL, NULL, 1, &end), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("SIGCHLD");
    signal(SIGCHLD, action);
}

static void expect_found(const char *module, const char *wanted)
{
    char *path = NULL;
    TEST_OK(s2clr_program_find(module, &path));
    char *got = path ? realpath(path, NULL) : NULL, *want = realpath(wanted, NULL);
    CU_ASSERT_TRUE(got && want && strcmp(got, want) == 0);
    free(got);
    free(want);
    s2clr_free(path);
}

static void found(void)
{
    char path[1024];
    char *saved_path = strdup(getenv("PATH")), *out = NULL;
    mkdir(in_folder("build"), 0755);
    mkdir(in_folder("build/.libs"), 0755);
    mkdir(in_folder("build/gdalplugins"), 0755);
    mkdir(in_folder("elsewhere"), 0755);
    mkdir(in_folder("bin"), 0755);
    mkdir(in_folder("bin2"), 0755);
    mkdir(in_folder("bin2/s2clr"), 0755); /* a folder of that name is no program */
    script("build/s2clr", "");
    script("bin/s2clr", "");
    script("build/.libs/gdal_S2CLR.so", "");
    CU_ASSERT_EQUAL(symlink("../.libs/gdal_S2CLR.so", in_folder("build/gdalplugins/gdal_S2CLR.so")),
                    0);
    CU_ASSERT_EQUAL(symlink("../build/.libs/gdal_S2CLR.so", in_folder("elsewhere/gdal_S2CLR.so")),
                    0);
    unsetenv("S2CLR_PROGRAM");
    expect_found(in_folder("build/.libs/gdal_S2CLR.so"), in_folder("build/s2clr"));
    expect_found(in_folder("build/gdalplugins/gdal_S2CLR.so"), in_folder("build/s2clr"));
    expect_found(in_folder("elsewhere/gdal_S2CLR.so"), in_folder("build/s2clr"));
    setenv("S2CLR_PROGRAM", in_folder("bin/s2clr"), 1);
    expect_found(in_folder("build/.libs/gdal_S2CLR.so"), in_folder("bin/s2clr"));
    setenv("S2CLR_PROGRAM", in_folder("bin"), 1);
    CU_ASSERT_EQUAL(s2clr_program_find(NULL, &out), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("S2CLR_PROGRAM");
    unsetenv("S2CLR_PROGRAM");
    if (access(S2CLR_BIN_DIR "/s2clr", X_OK) != 0) {
        snprintf(path, sizeof path, "::%s:%s:/nowhere", in_folder("bin2"), in_folder("bin"));
        setenv("PATH", path, 1);
        expect_found("nothing.so", in_folder("bin/s2clr"));
        setenv("PATH", in_folder("bin2"), 1);
        CU_ASSERT_EQUAL(s2clr_program_find("nothing.so", &out), S2CLR_ERR_IO);
        TEST_ERROR_SAYS("set S2CLR_PROGRAM");
    }
    setenv("PATH", saved_path, 1);
    free(saved_path);
}

static void same_row(const s2clr_program_row *got, const s2clr_param_row *row)
{
    CU_ASSERT_STRING_EQUAL(got->name, row->name);
    CU_ASSERT_STRING_EQUAL(got->help, row->help);
    CU_ASSERT_EQUAL(got->positional, row->positional);
    CU_ASSERT_EQUAL(got->required, row->required);
    CU_ASSERT_EQUAL(got->repeat, row->repeat);
    CU_ASSERT_EQUAL(got->advanced, row->advanced);
    CU_ASSERT_EQUAL(got->ranged, row->minimum < row->maximum);
    if (got->ranged) {
        CU_ASSERT_EQUAL(got->minimum, row->minimum);
        CU_ASSERT_EQUAL(got->maximum, row->maximum);
    }
    CU_ASSERT_EQUAL(!got->standard, !row->standard);
    if (row->standard) CU_ASSERT_STRING_EQUAL(got->standard, row->standard);
    CU_ASSERT_EQUAL(got->type == S2CLR_PROGRAM_CHOICE, row->type == S2CLR_TYPE_CHOICE);
    CU_ASSERT_EQUAL(got->type == S2CLR_PROGRAM_INT, row->type == S2CLR_TYPE_INT);
    CU_ASSERT_EQUAL(got->type == S2CLR_PROGRAM_FLAG, row->type == S2CLR_TYPE_FLAG);
    char choices[1024] = "";
    for (size_t i = 0; i < got->choice_count; i++)
        snprintf(choices + strlen(choices), sizeof choices - strlen(choices), "%s%s", i ? "," : "",
                 got->choices[i]);
    CU_ASSERT_STRING_EQUAL(choices, row->choices && got->choice_count ? row->choices : "");
    CU_ASSERT_EQUAL(got->choice_count > 0, row->type == S2CLR_TYPE_CHOICE);
}

/* What the JSON says of every command is what its own table says. */
static void tables(void)
{
    json_t *root = s2clr_describe(NULL);
    char *json = json_dumps(root, 0);
    const s2clr_command *const *list;
    const size_t count = s2clr_command_list(&list);
    for (size_t i = 0; i < count; i++) {
        s2clr_program_table *table = NULL;
        TEST_OK(s2clr_program_table_read(json, strlen(json), list[i]->name, &table));
        size_t rows = 0;
        while (s2clr_command_row(list[i], rows)) rows++;
        CU_ASSERT_EQUAL_FATAL(s2clr_program_table_count(table), rows);
        for (size_t k = 0; k < rows; k++)
            same_row(s2clr_program_table_row(table, k), s2clr_command_row(list[i], k));
        CU_ASSERT_TRUE(s2clr_program_table_find(table, "help")->own);
        CU_ASSERT_PTR_NULL(s2clr_program_table_find(table, "no such row"));
        s2clr_program_table_free(table);
    }
    free(json);
    json_decref(root);
}

static void broken_tables(void)
{
    static const char *const rows[] = {
        ROW("", "text", ""),
        ROW("a", "tecst", ""),
        ROW("a", "choice", ""),
        ROW("a", "choice", ", \"choices\": [1]"),
        "{\"name\": \"a\", \"type\": \"text\"}",
        "3",
    };
    char json[1024];
    s2clr_program_table *table = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(json, sizeof json, DEMO, rows[i]);
        CU_ASSERT_EQUAL(s2clr_program_table_read(json, strlen(json), "demo", &table),
                        S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS("different builds");
    }
    snprintf(json, sizeof json, DEMO, ROW("a", "text", ""));
    for (size_t length = 0; length < strlen(json); length++)
        CU_ASSERT_EQUAL(s2clr_program_table_read(json, length, "demo", &table), S2CLR_ERR_FORMAT);
    CU_ASSERT_EQUAL(s2clr_program_table_read(json, strlen(json), "dem", &table), S2CLR_ERR_FORMAT);
    CU_ASSERT_PTR_NULL(table);
}

static const test_case cases[] = {
    {"every table is read back from its JSON", tables},
    {"a broken description is refused", broken_tables},
    {"words reach the program as they are", words},
    {"progress lines become progress", progress_lines},
    {"a failing program's message is the error", failures},
    {"warnings are told apart", warnings},
    {"stopping asks with SIGTERM and waits", cancelled},
    {"who does not hear is killed", stubborn},
    {"a grandchild holds nobody up", grandchild},
    {"much output on both streams", much_output},
    {"signals and files start fresh", fresh_start},
    {"a program that cannot be started", not_started},
    {"a host that takes the exit code", exit_code_taken},
    {"where the program is looked for", found},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("program", cases, argc, argv);
}
