#define _GNU_SOURCE
#include "program/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "program/pchild.h"

#define START_SECONDS 0.5 /* who fails at once needs no progress bar before the message */
#define TICK_MS 100       /* how long a wish to stop may go unnoticed */
#define CLOSED_MS 5       /* both ends are closed: it is about to end */
#define LISTEN_BYTES 8192

typedef struct watcher {
    s2clr_spawned spawned;
    s2clr_gathered out, err;
    const s2clr_progress *progress;
    double fraction, grace;
    struct timespec started, asked; /* asked: when it was asked to stop */
    bool cancelled, killed, ended;
    int code;
} watcher;

static double seconds_since(const struct timespec *then)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

static void ask_to_stop(watcher *w)
{
    w->cancelled = true;
    clock_gettime(CLOCK_MONOTONIC, &w->asked);
    kill(w->spawned.process, SIGTERM);
}

/* Lets the caller see where it stands, and look whether it should go on at all. */
static void tick(watcher *w)
{
    if (w->ended) return;
    if (!w->cancelled) {
        if (!w->out.progressed && seconds_since(&w->started) < START_SECONDS) return;
        if (!s2clr_progress_report(w->progress, w->fraction, NULL)) ask_to_stop(w);
    } else if (!w->killed && seconds_since(&w->asked) > w->grace) {
        w->killed = true;
        kill(w->spawned.process, SIGKILL);
    }
}

/* Reads what is there. The end of a stream closes it and makes *fd -1. */
static s2clr_status listen_to(int *fd, s2clr_gathered *to)
{
    char bytes[LISTEN_BYTES];
    const ssize_t got = read(*fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return S2CLR_OK;
    if (got > 0) return s2clr_gathered_add(to, bytes, (size_t)got);
    close(*fd);
    *fd = -1;
    return S2CLR_OK;
}

static s2clr_status listen_once(watcher *w, int wait_ms, bool *heard)
{
    struct pollfd polled[2] = {{.fd = w->spawned.out, .events = POLLIN},
                               {.fd = w->spawned.err, .events = POLLIN}};
    *heard = poll(polled, 2, wait_ms) > 0;
    if (!*heard) return S2CLR_OK;
    if (polled[0].revents) S2CLR_TRY(listen_to(&w->spawned.out, &w->out));
    if (polled[1].revents) S2CLR_TRY(listen_to(&w->spawned.err, &w->err));
    w->fraction = w->out.fraction;
    return S2CLR_OK;
}

static void look_for_end(watcher *w)
{
    int status;
    const pid_t got = waitpid(w->spawned.process, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return;
    w->ended = true;
    /* A host that ignores SIGCHLD or waits for everybody's children has taken the exit code. */
    if (got < 0)
        w->code = -1;
    else
        w->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Until it has ended, and then for what still stands in the pipes: a grandchild may hold them open
 * for ever. */
static s2clr_status watch(watcher *w)
{
    bool heard = true;
    while (!w->ended) {
        const bool closed = w->spawned.out < 0 && w->spawned.err < 0;
        S2CLR_TRY(listen_once(w, closed ? CLOSED_MS : TICK_MS, &heard));
        look_for_end(w);
        tick(w);
    }
    while (heard && (w->spawned.out >= 0 || w->spawned.err >= 0))
        S2CLR_TRY(listen_once(w, 0, &heard));
    return S2CLR_OK;
}

/* Something failed on our side: nobody would read on, so it has no reason to go on. */
static void abandon(watcher *w)
{
    int status;
    kill(w->spawned.process, SIGKILL);
    while (waitpid(w->spawned.process, &status, 0) < 0 && errno == EINTR) continue;
}

static s2clr_status finish(watcher *w, const char *program, s2clr_child_end *out)
{
    s2clr_child_end end = {.code = w->code, .cancelled = w->cancelled};
    if (w->code < 0)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%.200s: its exit code was taken by somebody else in this process "
                               "(is SIGCHLD ignored?), so nobody knows whether it worked",
                               program);
    S2CLR_TRY(s2clr_gathered_text(&w->out, &end.text));
    const s2clr_status status = s2clr_gathered_text(&w->err, &end.errors);
    if (status == S2CLR_OK)
        *out = end;
    else
        s2clr_free(end.text);
    return status;
}

s2clr_status s2clr_child_run(const char *const *words, const char *const *settings,
                             const s2clr_progress *progress, double grace_seconds,
                             s2clr_child_end *out)
{
    watcher w = {.progress = progress,
                 .grace = grace_seconds,
                 .out = {.lines = true, .what = words[0]},
                 .err = {.lines = false, .what = words[0]}};
    S2CLR_TRY(s2clr_spawn(words, settings, &w.spawned));
    clock_gettime(CLOCK_MONOTONIC, &w.started);
    s2clr_status status = watch(&w);
    if (!w.ended) abandon(&w);
    if (w.spawned.out >= 0) close(w.spawned.out);
    if (w.spawned.err >= 0) close(w.spawned.err);
    if (status == S2CLR_OK) status = finish(&w, words[0], out);
    s2clr_gathered_free(&w.out);
    s2clr_gathered_free(&w.err);
    return status;
}

void s2clr_child_end_free(s2clr_child_end *end)
{
    s2clr_free(end->text);
    s2clr_free(end->errors);
    *end = (s2clr_child_end){0};
}
