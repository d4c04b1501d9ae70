#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "dataset/pexport.h"

static const s2clr_export_kind *const table[] = {
    &s2clr_export_tfrecord,
    &s2clr_export_geotiff,
    &s2clr_export_csv,
};
enum { ROWS = sizeof table / sizeof table[0] };

size_t s2clr_export_list(const s2clr_export_kind *const **out)
{
    *out = table;
    return ROWS;
}

s2clr_status s2clr_export_find(const char *name, const s2clr_export_kind **out)
{
    const char *names[ROWS];
    char known[100];
    size_t at = 0;
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = table[i]->name;
        if (strcmp(name, names[i]) == 0) {
            *out = table[i];
            return S2CLR_OK;
        }
        if (at < sizeof known)
            at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = s2clr_suggest(name, names, ROWS);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no export of kind '%.60s'%s%s%s; there are %s",
                           name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "",
                           known);
}
