/*
 * One self-contained page of HTML: no script, no file beside it, light and dark, printable.
 *
 *     static s2clr_status body(FILE *to, void *context) { s2clr_html_section(to, "Bands"); ... }
 *     S2CLR_TRY(s2clr_html_write("report.html", "Statistics of store", body, &context));
 *
 * Texts go through s2clr_html_text(): names come from archives and are not to be trusted.
 */
#ifndef S2CLR_REPORT_HTML_PAGE_H
#define S2CLR_REPORT_HTML_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"

/* Writes beside `path` and renames; a full disk is an error and leaves nothing. */
s2clr_status s2clr_html_write(const char *path, const char *title,
                              s2clr_status (*body)(FILE *to, void *context), void *context);

/* For the head: nothing from outside and no script, whatever a name in the page says. */
extern const char s2clr_html_policy[];

/* The same with more in the head, after the style: HTML that is trusted, the policy or another one
 * among it. head ends with NULL. */
s2clr_status s2clr_html_write_with(const char *path, const char *title, const char *const *head,
                                   s2clr_status (*body)(FILE *to, void *context), void *context);

/* Does the name end with .html or .htm? */
bool s2clr_html_named(const char *path);

/* Escaped; control characters become blanks, bytes that are no UTF-8 question marks. */
void s2clr_html_text(FILE *to, const char *text);

/* A heading, and the section that lasts until the next one. */
void s2clr_html_section(FILE *to, const char *title);
/* A paragraph of plain text. */
void s2clr_html_paragraph(FILE *to, const char *text);
/* What must not be overlooked, such as a model's warning; "" writes nothing. */
void s2clr_html_mind(FILE *to, const char *text);

/* Tables: the first cell of a row is its heading. columns ends with NULL. */
void s2clr_html_table_begin(FILE *to, const char *caption, const char *const *columns);
void s2clr_html_row_begin(FILE *to, const char *heading);
void s2clr_html_cell(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void s2clr_html_row_end(FILE *to);
void s2clr_html_table_end(FILE *to);

/* A table of names and texts; a fact without text is left out. Ends with s2clr_html_table_end(). */
void s2clr_html_facts_begin(FILE *to, const char *caption);
void s2clr_html_fact(FILE *to, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
