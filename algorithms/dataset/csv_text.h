/*
 * One field of a table of text, as RFC 4180 has it: quoted only where it must be.
 *
 *     s2clr_csv_text(file, row->name);
 *     fputc(',', file);
 */
#ifndef S2CLR_DATASET_CSV_TEXT_H
#define S2CLR_DATASET_CSV_TEXT_H

#include <stdio.h>

/* Whether it could be written, the caller asks the file (ferror). */
void s2clr_csv_text(FILE *to, const char *text);

#endif
