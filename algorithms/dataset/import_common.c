#include <stdarg.h>
#include <stdio.h>

#include "dataset/pimport.h"

enum { REASON_MAX = 900 };

static void tell(const s2clr_import_options *options, const char *name, const char *reason)
{
    if (options->skipped) options->skipped(options->context, name, reason);
}

s2clr_status s2clr_import_skip(const s2clr_import_options *options, const char *name,
                               const char *format, ...)
{
    char reason[REASON_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (options->strict)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%.500s: %s; without --strict it is left out",
                               name, reason);
    tell(options, name, reason);
    return S2CLR_OK;
}

s2clr_status s2clr_import_skip_failure(const s2clr_import_options *options, const char *name,
                                       s2clr_status status)
{
    switch (status) {
    case S2CLR_ERR_ARGUMENT:
    case S2CLR_ERR_IO:
    case S2CLR_ERR_FORMAT:
    case S2CLR_ERR_MISMATCH:
    case S2CLR_ERR_UNSUPPORTED:
    case S2CLR_ERR_EXISTS:
        return s2clr_import_skip(options, name, "%s", s2clr_error_text());
    default:
        return status;
    }
}

void s2clr_import_leave_out(const s2clr_import_options *options, const char *name,
                            const char *format, ...)
{
    char reason[REASON_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    tell(options, name, reason);
}
