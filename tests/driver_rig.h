/*
 * The built plug-in in a test program: loaded by GDAL as in any program.
 *
 *     if (!driver_rig_load()) return;     // has skipped or failed the case
 *     const char *name = driver_rig_name(model, scene);
 */
#ifndef S2CLR_TESTS_DRIVER_RIG_H
#define S2CLR_TESTS_DRIVER_RIG_H

#include <stdbool.h>

/* Registers GDAL's drivers and the plug-in of $S2CLR_PLUGINS (or ./gdalplugins); once. */
bool driver_rig_load(void);

/* The plug-in's folder, or NULL when it was not built. */
const char *driver_rig_folder(void);

/* S2CLR:"model":"scene"; borrowed from a ring of 8. */
const char *driver_rig_name(const char *model, const char *scene);

#endif
