#include "backend/device_select.h"

#include <stdio.h>
#include <string.h>

#include "backend/device_several.h"
#include "backend/device_trial.h"

/* What `auto` chose cannot be used: the CPU, and a line for the user. The error stands when the CPU
 * is what was chosen, or cannot help. */
static s2clr_status on_cpu(s2clr_precision precision, s2clr_status failed,
                           const s2clr_backend **backend, s2clr_device **device)
{
    const char *const name = (*backend)->name;
    char why[1024];
    const s2clr_backend *cpu;
    snprintf(why, sizeof why, "%s", s2clr_error_text());
    S2CLR_TRY(s2clr_backend_find("cpu", &cpu));
    if (cpu == *backend || cpu->device_open("cpu", precision, device) != S2CLR_OK)
        return s2clr_error_set(failed, "%s", why);
    s2clr_backend_pass_over(name, why, cpu->name);
    s2clr_error_clear();
    *backend = cpu;
    return S2CLR_OK;
}

/* A CPU backend is held to the portable one by the tests of every build, on such a machine. */
static bool on_trial(const s2clr_backend *backend)
{
    const s2clr_backend *cpu;
    return s2clr_backend_find("cpu", &cpu) == S2CLR_OK && cpu != backend;
}

/* What `auto` comes to. */
static s2clr_status open_best(s2clr_precision precision, const s2clr_backend **backend,
                              s2clr_device **device)
{
    s2clr_status status = (*backend)->device_open("", precision, device);
    if (status == S2CLR_OK && on_trial(*backend)) {
        status = s2clr_device_trial_once(*backend, *device);
        if (status != S2CLR_OK) (*backend)->device_close(*device);
    }
    return status == S2CLR_OK ? S2CLR_OK : on_cpu(precision, status, backend, device);
}

s2clr_status s2clr_device_select(const char *wanted, s2clr_precision precision,
                                 const s2clr_backend **backend, s2clr_device **device)
{
    char name[64];
    const s2clr_backend *found;
    s2clr_device *opened;
    const size_t length = strcspn(wanted, ":,");
    if (s2clr_device_names_several(wanted))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "'%s' names several devices, on which only supervised, pretrain, "
                               "finetune, distill and sweep compute: name one here, as in cuda:0",
                               wanted);
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), wanted);
    S2CLR_TRY(s2clr_backend_find(name, &found));
    /* A word behind the name is for the backend itself. */
    const bool more = wanted[length] != '\0' || strcmp(name, "cpu") == 0;
    if (strcmp(wanted, "auto") == 0)
        S2CLR_TRY(open_best(precision, &found, &opened));
    else
        S2CLR_TRY(found->device_open(more ? wanted : "", precision, &opened));
    *backend = found;
    *device = opened;
    return S2CLR_OK;
}
