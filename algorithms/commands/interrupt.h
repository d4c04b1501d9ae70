/*
 * SIGINT and SIGTERM: the first one sets a flag that progress callbacks look at, so that work stops
 * and cleans up; the second one ends the process at once.
 */
#ifndef S2CLR_COMMANDS_INTERRUPT_H
#define S2CLR_COMMANDS_INTERRUPT_H

void s2clr_interrupt_install(void);

/* The signal that came, 0 if none. */
int s2clr_interrupt_signal(void);

#endif
