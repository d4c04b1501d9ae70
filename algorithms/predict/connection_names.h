/*
 * File names that stay right when the file that holds them is opened from another folder.
 *
 *     S2CLR_TRY(s2clr_connection_name_to("maps/a.s2clr", "maps/b.tif", false, &name)); // "b.tif"
 *     S2CLR_TRY(s2clr_connection_name_from("maps/a.s2clr", "b.tif", false, &name));    //
 * "maps/b.tif"
 *
 * Names that are no paths (a driver's prefix, https://, a model of the zoo) stay as they are.
 */
#ifndef S2CLR_PREDICT_CONNECTION_NAMES_H
#define S2CLR_PREDICT_CONNECTION_NAMES_H

#include <stdbool.h>

#include "base/status.h"

/* A name that begins like NETCDF:"x.nc":B04: two or more capitals, digits or _, then a colon. */
bool s2clr_connection_has_driver(const char *name);

/* As it is to be opened, when `name` stands in the file `path`. is_model: a word that is no file
 * beside `path` means a model of the zoo. Free with s2clr_free(). */
s2clr_status s2clr_connection_name_from(const char *path, const char *name, bool is_model,
                                        char **out);

/* As it is to be written into the file `path`: relative to its folder when it lies below, else
 * independent of the current folder. Free with s2clr_free(). */
s2clr_status s2clr_connection_name_to(const char *path, const char *name, bool is_model,
                                      char **out);

#endif
