/* Starting a child with posix_spawn: safe from any thread of a host with any signal settings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "program/pchild.h"

extern char **environ;

/* A pipe that no other child inherits, with ends above 2: a host may have closed its standard
 * streams, and an end at their numbers would be overwritten on the way into the child. */
static int make_pipe(int ends[2])
{
    int raw[2];
    if (pipe2(raw, O_CLOEXEC)) return errno;
    int error = 0;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 3);
        if (ends[i] < 0) error = errno;
    }
    close(raw[0]);
    close(raw[1]);
    if (!error) return 0;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0) close(ends[i]);
    return error;
}

/* Empty standard input, our pipes as the other two, and nothing else that the host has open. */
static int describe_files(posix_spawn_file_actions_t *files, int out, int err)
{
    int error = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(files, out, 1);
    if (!error) error = posix_spawn_file_actions_adddup2(files, err, 2);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(files, 3);
#endif
    return error;
}

/* A host may block or ignore signals; the child has to hear that it should stop. What nohup(1) says
 * of SIGHUP holds for it as well. */
static int describe_signals(posix_spawnattr_t *attributes)
{
    static const int heard[] = {SIGINT, SIGTERM, SIGPIPE, SIGCHLD};
    sigset_t none, standard;
    sigemptyset(&none);
    sigemptyset(&standard);
    for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++) sigaddset(&standard, heard[i]);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(attributes, &standard);
    if (!error)
        error =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return error;
}

static bool is_replaced(const char *variable, const char *const *settings)
{
    const size_t name = strcspn(variable, "=");
    for (size_t i = 0; settings && settings[i]; i++)
        if (strncmp(settings[i], variable, name) == 0 && settings[i][name] == '=') return true;
    return false;
}

static s2clr_status make_environment(const char *const *settings, const char ***out)
{
    size_t count = 1, at = 0;
    for (size_t i = 0; settings && settings[i]; i++) count++;
    for (size_t i = 0; environ && environ[i]; i++) count++;
    const char **list;
    S2CLR_TRY(s2clr_alloc(count, sizeof *list, "environment", (void **)&list));
    for (size_t i = 0; settings && settings[i]; i++) list[at++] = settings[i];
    for (size_t i = 0; environ && environ[i]; i++)
        if (!is_replaced(environ[i], settings)) list[at++] = environ[i];
    *out = list;
    return S2CLR_OK;
}

static int spawn_with(const char *const *words, const char *const *environment, int out, int err,
                      pid_t *process)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = describe_files(&files, out, err);
        if (!error) error = describe_signals(&attributes);
        /* posix_spawn() wants char **, but changes nothing. */
        if (!error)
            error = posix_spawn(process, words[0], &files, &attributes, (char *const *)words,
                                (char *const *)environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* 0, or the errno of what failed. */
static int spawn(const char *const *words, const char *const *environment, s2clr_spawned *spawned)
{
    int text[2], errors[2];
    int error = make_pipe(text);
    if (error) return error;
    error = make_pipe(errors);
    if (!error) {
        error = spawn_with(words, environment, text[1], errors[1], &spawned->process);
        close(errors[1]);
        if (error) close(errors[0]);
    }
    close(text[1]);
    if (error) {
        close(text[0]);
        return error;
    }
    spawned->out = text[0];
    spawned->err = errors[0];
    return 0;
}

s2clr_status s2clr_spawn(const char *const *words, const char *const *settings, s2clr_spawned *out)
{
    const char **environment;
    s2clr_spawned spawned = {0};
    S2CLR_TRY(make_environment(settings, &environment));
    const int error = spawn(words, environment, &spawned);
    s2clr_free((void *)environment);
    if (error)
        return s2clr_error_set(S2CLR_ERR_IO, "%.300s: cannot be started: %s", words[0],
                               strerror(error));
    *out = spawned;
    return S2CLR_OK;
}
