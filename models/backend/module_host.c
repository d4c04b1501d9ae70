/* Stands in for base/status.c inside a backend module: error texts go to the host's thread-local
 * store. See S2CLR_BACKEND_HOST_SYMBOL. */
#include <stdarg.h>
#include <stdio.h>

#include "backend/backend.h"

/* Written once, before the registry calls anything else of the module. */
static s2clr_backend_error_fn host_error_set;

__attribute__((visibility("default"))) void
s2clr_backend_module_host(s2clr_backend_error_fn error_set);

void s2clr_backend_module_host(s2clr_backend_error_fn error_set)
{
    host_error_set = error_set;
}

s2clr_status (s2clr_error_set)(s2clr_status code, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return host_error_set(code, "%s", length < 0 ? "" : text);
}
