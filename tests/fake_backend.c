/*
 * A backend module for tests/test_backend_registry.c. It computes nothing; S2CLR_FAKE says how it
 * behaves: "abi" claims a foreign interface version, "device" fails to open a device, "spec" any
 * but the default one, anything else works and outranks every real backend.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"

struct s2clr_device {
    int unused;
};

static bool mode_is(const char *mode)
{
    const char *const given = getenv("S2CLR_FAKE");
    return given && strcmp(given, mode) == 0;
}

static s2clr_status device_open(const char *spec, s2clr_precision precision, s2clr_device **out)
{
    static s2clr_device device;
    (void)precision;
    if (mode_is("device") || (mode_is("spec") && spec[0]))
        return s2clr_error_set(S2CLR_ERR_BACKEND, "device '%s': %d fans are missing", spec, 3);
    *out = &device;
    return S2CLR_OK;
}

static void device_close(s2clr_device *device)
{
    (void)device;
}

__attribute__((visibility("default"))) const s2clr_backend *s2clr_backend_module(void);

const s2clr_backend *s2clr_backend_module(void)
{
    static const s2clr_backend foreign = {.abi = S2CLR_BACKEND_ABI + 41, .name = "fake"};
    static const s2clr_backend fake = {
        .abi = S2CLR_BACKEND_ABI,
        .name = "fake",
        .score = 1000000,
        .device_open = device_open,
        .device_close = device_close,
    };
    return mode_is("abi") ? &foreign : &fake;
}
