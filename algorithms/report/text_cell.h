/*
 * A name from a file as a cell of a table at a terminal.
 *
 *     s2clr_text_cell(stdout, name, 24);
 */
#ifndef S2CLR_REPORT_TEXT_CELL_H
#define S2CLR_REPORT_TEXT_CELL_H

#include <stdio.h>

/* `width` characters wide: cut, or filled up with blanks. Nothing of the name moves the cursor or
 * ends the line. */
void s2clr_text_cell(FILE *to, const char *name, int width);

#endif
