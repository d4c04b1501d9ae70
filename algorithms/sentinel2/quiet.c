#include "sentinel2/pquiet.h"

#include <cpl_error.h>
#include <stdio.h>

static void CPL_STDCALL keep_first(CPLErr level, CPLErrorNum number, const char *text)
{
    s2clr_quiet *quiet = CPLGetErrorHandlerUserData();
    (void)number;
    if (level < CE_Failure || !quiet || quiet->text[0]) return;
    snprintf(quiet->text, sizeof quiet->text, "%s", text);
}

void s2clr_quiet_begin(s2clr_quiet *quiet)
{
    quiet->text[0] = '\0';
    CPLPushErrorHandlerEx(keep_first, quiet);
}

void s2clr_quiet_end(s2clr_quiet *quiet)
{
    (void)quiet;
    CPLPopErrorHandler();
    CPLErrorReset();
}
