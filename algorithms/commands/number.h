/*
 * Numbers of a command line: read completely or refused ("0.5x", "1e", "0x10", "nan", " 1"),
 * whatever the locale of the host.
 *
 *     long threads;
 *     if (!s2clr_number_int("8", &threads)) ...
 */
#ifndef S2CLR_COMMANDS_NUMBER_H
#define S2CLR_COMMANDS_NUMBER_H

#include <stdbool.h>

/* A decimal integer with optional sign that fits. *out is written on success only. */
bool s2clr_number_int(const char *text, long *out);

/* A finite decimal number with optional sign, fraction and exponent. */
bool s2clr_number_real(const char *text, double *out);

#endif
