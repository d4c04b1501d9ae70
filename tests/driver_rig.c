#include "driver_rig.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

const char *driver_rig_folder(void)
{
    static char file[PATH_MAX];
    const char *given = getenv("S2CLR_PLUGINS");
    if (!given || !given[0]) given = "gdalplugins";
    snprintf(file, sizeof file, "%s/gdal_S2CLR.so", given);
    return access(file, R_OK) == 0 ? given : NULL;
}

bool driver_rig_load(void)
{
    const char *folder = driver_rig_folder();
    CU_ASSERT_PTR_NOT_NULL(folder);
    if (!folder) return false;
    CPLSetConfigOption("GDAL_DRIVER_PATH", folder);
    GDALAllRegister();
    CU_ASSERT_PTR_NOT_NULL(GDALGetDriverByName("S2CLR"));
    return GDALGetDriverByName("S2CLR") != NULL;
}

const char *driver_rig_name(const char *model, const char *scene)
{
    static char ring[8][2 * PATH_MAX];
    static int next;
    char *name = ring[next++ % 8];
    snprintf(name, sizeof ring[0], "S2CLR:\"%.3000s\":\"%.3000s\"", model, scene);
    return name;
}
