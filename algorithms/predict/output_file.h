/*
 * The name of an output: may it be written, which file is behind it, and how the finished file gets
 * it. Nothing stands under that name before.
 *
 *     S2CLR_TRY(s2clr_output_check(path, overwrite));
 *     S2CLR_TRY(s2clr_output_resolve(path, target));
 *     ... write TARGET.part ...
 *     return s2clr_output_publish(part, target, path);
 */
#ifndef S2CLR_PREDICT_OUTPUT_FILE_H
#define S2CLR_PREDICT_OUTPUT_FILE_H

#include <stdbool.h>

#include "base/status.h"

#define S2CLR_OUTPUT_PATH_MAX 4096
#define S2CLR_OUTPUT_SUFFIX_MAX 40 /* left free behind a resolved name */

/* S2CLR_ERR_EXISTS: a folder, a device, or a file without `overwrite`; S2CLR_ERR_IO: its folder is
 * none. */
s2clr_status s2clr_output_check(const char *path, bool overwrite);

/* A symbolic link stays one: target is the file it points to. */
s2clr_status s2clr_output_resolve(const char *path, char target[S2CLR_OUTPUT_PATH_MAX]);

/* Whether two names are those of one file, which need not exist yet: in whatever way their folders are
 * written, through links. */
bool s2clr_output_same(const char *path, const char *other);

/* fsync, rename, and GDAL's sidecars along; those of an older file go. `shown`: for messages. */
s2clr_status s2clr_output_publish(const char *part, const char *target, const char *shown);

#endif
