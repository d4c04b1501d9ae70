/*
 * A backend module for tests/test_backend_registry.c and test_device_select.c: the portable one
 * under another name. S2CLR_FAKE says how it behaves: "abi" claims a foreign interface version,
 * "device" fails to open a device, "spec" any but the default one, "f32" any that is not f32,
 * "busy" fails the second time, "full" has no memory, "wrong" adds a little to the first value of
 * whatever it computes, "nan" makes it no number, "stuck" does not come back from opening one
 * before it reads something: S2CLR_FAKE_STUCK has two file descriptors, where it says that it is
 * there, and where it reads. Anything else works. It outranks every real backend.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/portable.h"

static bool mode_is(const char *mode)
{
    const char *const given = getenv("S2CLR_FAKE");
    return given && strcmp(given, mode) == 0;
}

static void wait_for_it(void)
{
    int say, listen;
    char byte = 0;
    const char *const given = getenv("S2CLR_FAKE_STUCK");
    if (!given || sscanf(given, "%d %d", &say, &listen) != 2 || write(say, &byte, 1) != 1 ||
        read(listen, &byte, 1) != 1)
        abort();
}

static s2clr_status device_open(const char *spec, s2clr_precision precision, s2clr_device **out)
{
    static int times;
    if (mode_is("f32") && precision != S2CLR_F32)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "the fans turn in f32 only");
    if (mode_is("busy") && times++ > 0)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "no room for %d fans", 3);
    if (mode_is("stuck")) wait_for_it();
    if (mode_is("device") || (mode_is("spec") && spec[0]))
        return s2clr_error_set(S2CLR_ERR_BACKEND, "device '%s': %d fans are missing", spec, 3);
    return s2clr_backend_portable.device_open("", precision, out);
}

static s2clr_status buffer_new(s2clr_device *device, size_t bytes, void **out)
{
    if (mode_is("full")) return s2clr_error_set(S2CLR_ERR_MEMORY, "no room for %d fans", 3);
    return s2clr_backend_portable.buffer_new(device, bytes, out);
}

static s2clr_status op_forward(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args)
{
    float *const y = args->y;
    S2CLR_TRY(s2clr_backend_portable.op_forward(op, stream, args));
    if (mode_is("wrong")) y[0] += 0.25f;
    if (mode_is("nan")) y[0] = NAN;
    return S2CLR_OK;
}

__attribute__((visibility("default"))) const s2clr_backend *s2clr_backend_module(void);

const s2clr_backend *s2clr_backend_module(void)
{
    static const s2clr_backend foreign = {.abi = S2CLR_BACKEND_ABI + 41, .name = "fake"};
    static s2clr_backend fake;
    fake = s2clr_backend_portable;
    fake.name = "fake";
    fake.score = 1000000;
    fake.device_open = device_open;
    fake.buffer_new = buffer_new;
    fake.op_forward = op_forward;
    return mode_is("abi") ? &foreign : &fake;
}
