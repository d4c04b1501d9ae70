/*
 * The lines of a command on standard error: one each, coloured on a terminal that can do that.
 *
 *     s2clr_say_error("predict", s2clr_error_text());   // s2clr predict: map.tif: exists already
 * ...
 */
#ifndef S2CLR_COMMANDS_SAY_H
#define S2CLR_COMMANDS_SAY_H

#include <stdbool.h>
#include <stdio.h>

/* command: NULL before any is known. Bytes that would steer the terminal (texts may quote files)
 * are shown as blanks. */
void s2clr_say_error(const char *command, const char *text);
void s2clr_say_warning(const char *command, const char *text);

/* Is it a terminal that can move the cursor (TERM is set and not "dumb"), ... */
bool s2clr_is_screen(FILE *to);
/* ... and does its user want colours (NO_COLOR is not set, see no-color.org)? */
bool s2clr_has_colours(FILE *to);

#endif
