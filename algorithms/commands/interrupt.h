/*
 * SIGINT, SIGTERM, SIGHUP (unless nohup) and SIGPIPE: the first one sets a flag that progress
 * callbacks look at, so that work stops and cleans up; one that comes a second or more later ends
 * the process at once. Sooner it is the same wish twice: timeout(1) signals the command and then
 * its group, a terminal the whole group.
 */
#ifndef S2CLR_COMMANDS_INTERRUPT_H
#define S2CLR_COMMANDS_INTERRUPT_H

#include "base/status.h"

void s2clr_interrupt_install(void);

/* The signal that came, 0 if none. */
int s2clr_interrupt_signal(void);

/* S2CLR_ERR_CANCELLED when one came: between pieces of work that report no progress. */
s2clr_status s2clr_interrupt_check(void);

#endif
