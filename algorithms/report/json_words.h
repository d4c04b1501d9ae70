/*
 * Names and paths as JSON: they come from files and need not be UTF-8, which JSON is.
 *
 *     json_object_set_new(out, "name", s2clr_json_words(name)); // "caf\xe9" for a Latin-1 name
 */
#ifndef S2CLR_REPORT_JSON_WORDS_H
#define S2CLR_REPORT_JSON_WORDS_H

#include <jansson.h>

/* Bytes that are no UTF-8 are told as s2clr_utf8_show() does. The caller owns the reference; NULL
 * when memory is short. */
json_t *s2clr_json_words(const char *text);

#endif
