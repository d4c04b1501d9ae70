/*
 * What the build writes into command_tables.c from the freshly built program: the names of the
 * commands, for registration, and `s2clr describe --json`, read when one of them is asked for.
 */
#ifndef S2CLR_GDAL_PLUGIN_COMMAND_TABLES_H
#define S2CLR_GDAL_PLUGIN_COMMAND_TABLES_H

extern const char *const s2clr_command_names[]; // (N + 1), the last one NULL
extern const char s2clr_command_json[];

#endif
