#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char error_text[1024];

s2clr_status (s2clr_error_set)(s2clr_status code, const char *format, ...)
{
    /* Formatted aside first: an argument may be the old error text itself. */
    char text[sizeof error_text];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) text[0] = '\0';
    memcpy(error_text, text, strlen(text) + 1);
    return code;
}

const char *s2clr_error_text(void)
{
    return error_text;
}

void s2clr_error_clear(void)
{
    error_text[0] = '\0';
}

const char *s2clr_status_name(s2clr_status code)
{
    switch (code) {
    case S2CLR_OK:
        return "ok";
    case S2CLR_ERR_ARGUMENT:
        return "argument";
    case S2CLR_ERR_MEMORY:
        return "memory";
    case S2CLR_ERR_IO:
        return "io";
    case S2CLR_ERR_FORMAT:
        return "format";
    case S2CLR_ERR_MISMATCH:
        return "mismatch";
    case S2CLR_ERR_UNSUPPORTED:
        return "unsupported";
    case S2CLR_ERR_CANCELLED:
        return "cancelled";
    case S2CLR_ERR_EXISTS:
        return "exists";
    case S2CLR_ERR_BACKEND:
        return "backend";
    }
    return "unknown";
}
