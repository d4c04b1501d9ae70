#include "report.h"

static CPLErrorNum number_of(s2clr_status status, CPLErrorNum io)
{
    switch (status) {
    case S2CLR_ERR_ARGUMENT:
        return CPLE_IllegalArg;
    case S2CLR_ERR_MEMORY:
        return CPLE_OutOfMemory;
    case S2CLR_ERR_IO:
    case S2CLR_ERR_EXISTS:
        return io;
    case S2CLR_ERR_UNSUPPORTED:
        return CPLE_NotSupported;
    case S2CLR_ERR_CANCELLED:
        return CPLE_UserInterrupt;
    default:
        return CPLE_AppDefined;
    }
}

CPLErr report_failure(s2clr_status status, CPLErrorNum io)
{
    CPLError(CE_Failure, number_of(status, io), "%s", s2clr_error_text());
    return CE_Failure;
}
