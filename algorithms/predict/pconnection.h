/*
 * What the files behind connection.h share. Private.
 */
#ifndef S2CLR_PREDICT_PCONNECTION_H
#define S2CLR_PREDICT_PCONNECTION_H

#include "predict/connection.h"

#define S2CLR_CONNECTION_TEXT 4096 /* bytes of one name or value */
#define S2CLR_CONNECTION_INPUTS 1024
#define S2CLR_CONNECTION_OPTIONS 32 /* room for rows of the table */

struct s2clr_connection {
    s2clr_view_settings settings; /* its texts and inputs are the ones below */
    bool sidecar;
    char *model;
    char **input;                         // (settings.input_count)
    char *text[S2CLR_CONNECTION_OPTIONS]; /* values of text options, by row of the table */
    bool given[S2CLR_CONNECTION_OPTIONS]; /* in the list being read */
};

/* Refuses control characters, before a text stands in any other message. */
s2clr_status s2clr_connection_printable(const char *what, const char *text);

/* Refuses a name or value that is too long, or empty when that is not allowed. `where` and `item`
 * are for the message. */
s2clr_status s2clr_connection_check(const char *where, const char *item, const char *text,
                                    bool may_be_empty);

/* Takes a copy of one more raster. */
s2clr_status s2clr_connection_add_input(s2clr_connection *connection, const char *where,
                                        const char *input);

/* connection_options.c: one option of a list; `where` names the list for the message. */
s2clr_status s2clr_connection_option(s2clr_connection *connection, const char *where,
                                     const char *key, const char *value);
/* A whole NULL-terminated K=V list (NULL: none), each option at most once. */
s2clr_status s2clr_connection_options(s2clr_connection *connection, const char *where,
                                      const char *const *options);

/* connection_sidecar.c: fills an empty connection from a file. */
s2clr_status s2clr_connection_read(const char *path, s2clr_connection *connection);

#endif
