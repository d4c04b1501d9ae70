#include "report.h"

#include "error_number.h"

CPLErr report_failure(s2clr_status status, CPLErrorNum io)
{
    CPLError(CE_Failure, s2clr_error_number(status, io), "%s", s2clr_error_text());
    return CE_Failure;
}

CPLErr report_done()
{
    char text[S2CLR_BACKEND_TEXT];
    if (s2clr_backend_passed_over(text)) CPLError(CE_Warning, CPLE_AppDefined, "%s", text);
    return CE_None;
}
