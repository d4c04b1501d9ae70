/*
 * Names of files are bytes, what is written as JSON has to be UTF-8.
 *
 *     char text[300];
 *     if (!s2clr_utf8_valid(name)) ...
 *     s2clr_utf8_show(name, text, sizeof text); // "caf\xe9" for a Latin-1 name
 */
#ifndef S2CLR_BASE_UTF8_H
#define S2CLR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at `text`, 0 when it is none: cut off, overlong, a surrogate, beyond
 * U+10FFFF, or the end of the text. */
size_t s2clr_utf8_step(const char *text);

bool s2clr_utf8_valid(const char *text);

/* The text with \xHH for every byte that is no UTF-8; cut between characters when there is no room.
 */
void s2clr_utf8_show(const char *text, char *out, size_t size);

#endif
