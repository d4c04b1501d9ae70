/*
 * Names of views: the connection string S2CLR:"MODEL":"RASTER"[:"RASTER"...], the sidecar file
 * (.s2clr, told by its content), and the table of open options.
 *
 *     if (s2clr_connection_identify(name, header, header_bytes)) ...
 *     s2clr_connection *connection;
 *     S2CLR_TRY(s2clr_connection_parse(name, options, &connection));
 *     S2CLR_TRY(s2clr_view_open(s2clr_connection_settings(connection), &view));
 *     s2clr_connection_free(connection);
 *
 * Tokens are separated by colons and may stand in double quotes, inside which a backslash escapes a
 * quote or a backslash. An empty model is the default one. A token without quotes ends at the next
 * colon, except that the last one may be a GDAL name with colons of its own when it is the only
 * raster (S2CLR::SENTINEL2_L2A:/vsizip/x.zip/MTD.xml:10m:EPSG_32633).
 *
 * Sidecar: JSON, first key "s2clr": 1, then "model", "inputs": [...], "options": {"STRIDE": 20}.
 * Relative names in it are relative to the file. Options given at opening win over the file's.
 */
#ifndef S2CLR_PREDICT_CONNECTION_H
#define S2CLR_PREDICT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "predict/view.h"

/* A row of the table of open options (connection_options.c); what the driver's
 * GDAL_DMD_OPENOPTIONLIST and s2clr-driver(7) are made from. */
typedef struct s2clr_open_option {
    const char *name;        /* "STRIDE" */
    const char *type;        /* GDAL's: "int", "float", "string", "string-select" */
    const char *standard;    /* default, NULL if none */
    double minimum, maximum; /* for int and float, when minimum < maximum */
    const char *help;
} s2clr_open_option;

size_t s2clr_open_option_list(const s2clr_open_option **out);

typedef struct s2clr_connection s2clr_connection;

/* Looks at the name and the first bytes of the file only; opens nothing. */
bool s2clr_connection_identify(const char *name, const void *header, size_t bytes);

/* options: NULL-terminated K=V list or NULL; unknown keys are errors that name the nearest one. */
s2clr_status s2clr_connection_parse(const char *name, const char *const *options,
                                    s2clr_connection **out);
void s2clr_connection_free(s2clr_connection *connection);
const s2clr_view_settings *s2clr_connection_settings(const s2clr_connection *connection);
bool s2clr_connection_is_sidecar(const s2clr_connection *connection);

/* Writes a sidecar (temporary name, then rename); names below its folder become relative. */
s2clr_status s2clr_connection_write(const char *path, const char *model, const char *const *inputs,
                                    size_t input_count, const char *const *options, bool overwrite);

/* S2CLR:"MODEL":"RASTER", quoted as needed; *out is freed with s2clr_free(). */
s2clr_status s2clr_connection_format(const char *model, const char *const *inputs,
                                     size_t input_count, char **out);

#endif
