/*
 * The parameter tables as JSON, for QGIS, the gdal CLI and shells.
 *
 *     json_t *json = s2clr_describe(NULL);     // all commands
 */
#ifndef S2CLR_COMMANDS_DESCRIBE_H
#define S2CLR_COMMANDS_DESCRIBE_H

#include <jansson.h>

#include "commands/params.h"

/* Counts changes after which a front end that reads this JSON would misunderstand it. */
#define S2CLR_DESCRIBE_PROTOCOL 1

/* name: of a command or a family; NULL: all. NULL when memory is short; the caller owns the
 * reference. */
json_t *s2clr_describe(const char *name);

/* Is a command meant by the name of a command or a family, NULL: by all? */
bool s2clr_describe_wants(const char *name, const s2clr_command *command);

/* Word for a type in that JSON: "integer", "output-raster". */
const char *s2clr_type_name(s2clr_type type);

/* Comma-separated endings of the files that are a value of the row, or NULL: any. */
const char *s2clr_row_suffixes(const s2clr_param_row *row);

#endif
