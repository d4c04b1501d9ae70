#include "backend/device_select.h"

#include <stdio.h>
#include <string.h>

/* The best backend that opens "cpu". That it does not compute in this precision is an error, no
 * reason to take a slower one. */
static s2clr_status select_cpu(s2clr_precision precision, const s2clr_backend **backend,
                               s2clr_device **device)
{
    const s2clr_backend_entry *entry;
    const size_t count = s2clr_backend_list(&entry);
    const s2clr_backend *found = NULL;
    s2clr_device *probe;
    for (size_t i = 0; i < count; i++) {
        const s2clr_backend *candidate = entry[i].backend;
        if (!candidate || (found && candidate->score <= found->score)) continue;
        if (candidate->device_open("cpu", S2CLR_F32, &probe) != S2CLR_OK) continue;
        candidate->device_close(probe);
        found = candidate;
    }
    if (!found)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "no backend computes on the CPU here");
    S2CLR_TRY(found->device_open("cpu", precision, device));
    *backend = found;
    return S2CLR_OK;
}

s2clr_status s2clr_device_select(const char *wanted, s2clr_precision precision,
                                 const s2clr_backend **backend, s2clr_device **device)
{
    char name[64];
    const s2clr_backend *found;
    s2clr_device *opened;
    const char *colon = strchr(wanted, ':');
    if (strcmp(wanted, "cpu") == 0) return select_cpu(precision, backend, device);
    snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - wanted) : (int)strlen(wanted),
             wanted);
    S2CLR_TRY(s2clr_backend_find(name, &found));
    S2CLR_TRY(found->device_open(colon ? wanted : "", precision, &opened));
    *backend = found;
    *device = opened;
    return S2CLR_OK;
}
