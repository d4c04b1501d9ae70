#include "train/machine.h"

#include <stdio.h>

#include "backend/device_several.h"

s2clr_status s2clr_machine_open(const char *wanted, s2clr_precision precision, s2clr_machine *on)
{
    s2clr_device **devices;
    S2CLR_TRY(
        s2clr_device_select_several(wanted, precision, &on->backend, &devices, &on->device_count));
    on->devices = devices;
    on->device = devices[0];
    return S2CLR_OK;
}

void s2clr_machine_close(s2clr_machine *on)
{
    if (!on->devices) return;
    s2clr_device_close_several(on->backend, (s2clr_device **)on->devices, on->device_count);
    on->devices = NULL;
    on->device = NULL;
    on->device_count = 0;
}

void s2clr_machine_text(const s2clr_machine *on, char *text, size_t size)
{
    const char *const one = on->backend->device_describe(on->device);
    if (on->device_count > 1)
        snprintf(text, size, "%d devices: %s", on->device_count, one);
    else
        snprintf(text, size, "%s", one);
}

bool s2clr_machine_room(const s2clr_machine *on, size_t *available, size_t *total)
{
    const int count = on->device_count > 1 ? on->device_count : 1;
    *available = *total = SIZE_MAX;
    for (int i = 0; i < count; i++) {
        s2clr_device *const device = i > 0 ? on->devices[i] : on->device;
        size_t own, whole;
        if (!on->backend->memory || on->backend->memory(device, &own, &whole) != S2CLR_OK) {
            s2clr_error_clear();
            return false;
        }
        if (own >= *available) continue;
        *available = own;
        *total = whole;
    }
    return true;
}
