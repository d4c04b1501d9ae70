#include "backend/device_select.h"

#include <stdio.h>
#include <string.h>

s2clr_status s2clr_device_select(const char *wanted, s2clr_precision precision,
                                 const s2clr_backend **backend, s2clr_device **device)
{
    char name[64];
    const s2clr_backend *found;
    s2clr_device *opened;
    const size_t length = strcspn(wanted, ":,");
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), wanted);
    S2CLR_TRY(s2clr_backend_find(name, &found));
    /* A word behind the name is for the backend itself. */
    const bool more = wanted[length] != '\0' || strcmp(name, "cpu") == 0;
    S2CLR_TRY(found->device_open(more ? wanted : "", precision, &opened));
    *backend = found;
    *device = opened;
    return S2CLR_OK;
}
