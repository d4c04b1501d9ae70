#define _GNU_SOURCE
#include "commands/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* A handler has nowhere else to leave its news. */
static volatile sig_atomic_t came, came_at;

static void on_signal(int signal_number)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int second = (int)(now.tv_sec & 0xffffff);
    if (!came) {
        came_at = second;
        came = signal_number;
    } else if (signal_number != SIGPIPE && second - came_at >= 2) { /* at least one has passed */
        _exit(128 + signal_number);
    }
}

void s2clr_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGPIPE, &action, NULL); /* nobody reads on: no reason to leave things half-written */
    struct sigaction old;
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

int s2clr_interrupt_signal(void)
{
    return came;
}

s2clr_status s2clr_interrupt_check(void)
{
    return came ? s2clr_error_set(S2CLR_ERR_CANCELLED, "interrupted") : S2CLR_OK;
}
