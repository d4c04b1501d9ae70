/*
 * Where the program s2clr is, for those who run it from a library: the gdal command line, QGIS.
 *
 *     char *path;
 *     S2CLR_TRY(s2clr_program_find(NULL, &path));
 *
 * In this order: $S2CLR_PROGRAM (nothing else then), ../s2clr beside the library that asks (a build
 * folder), the folder of installed programs, $PATH.
 */
#ifndef S2CLR_PROGRAM_FIND_H
#define S2CLR_PROGRAM_FIND_H

#include "base/status.h"

/* module: file of the library that asks, NULL for the one that holds this function. The caller
 * frees *out with s2clr_free(). */
s2clr_status s2clr_program_find(const char *module, char **out);

#endif
