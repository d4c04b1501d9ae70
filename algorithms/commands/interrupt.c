#define _GNU_SOURCE
#include "commands/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* A handler has nowhere else to leave its news. */
static volatile sig_atomic_t came;

static void on_signal(int signal_number)
{
    if (came) _exit(128 + signal_number);
    came = signal_number;
}

void s2clr_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int s2clr_interrupt_signal(void)
{
    return came;
}
