#include "sentinel2/gdal_watch.h"

#include <cpl_error.h>
#include <stdio.h>

static void CPL_STDCALL note(CPLErr kind, CPLErrorNum number, const char *message)
{
    s2clr_gdal_watch *watch = CPLGetErrorHandlerUserData();
    const bool failure = kind >= CE_Failure;
    (void)number;
    if (kind != CE_Warning && !failure) return;
    const bool first = failure ? !watch->failed : !watch->failed && !watch->warned;
    if (first) {
        snprintf(watch->text, sizeof watch->text, "%s", message);
        for (char *c = watch->text; *c; c++)
            if (*c == '\n') *c = ' ';
    }
    if (failure)
        watch->failed = true;
    else
        watch->warned = true;
}

void s2clr_gdal_watch_begin(s2clr_gdal_watch *watch)
{
    *watch = (s2clr_gdal_watch){.text = "no reason given"};
    CPLErrorReset();
    CPLPushErrorHandlerEx(note, watch);
}

void s2clr_gdal_watch_end(s2clr_gdal_watch *watch)
{
    (void)watch;
    CPLPopErrorHandler();
    CPLErrorReset();
}
