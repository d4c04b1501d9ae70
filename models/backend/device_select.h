/*
 * From the word of a user ("auto", "cpu", "cuda:1,fast", "portable") to an open device.
 *
 *     S2CLR_TRY(s2clr_device_select("auto", S2CLR_F32, &backend, &device));
 *     ...
 *     backend->device_close(device);
 */
#ifndef S2CLR_BACKEND_DEVICE_SELECT_H
#define S2CLR_BACKEND_DEVICE_SELECT_H

#include "backend/backend.h"

/* "auto": the usable backend of the highest score; where its device does not open, or not in this
 * precision, or does not pass device_trial.h, the CPU, and s2clr_backend_passed_over() says why.
 * "cpu": the best of those that compute on the CPU. Otherwise a backend's name, with ":N" for its
 * N-th device and ",fast" where results may differ from run to run: asking for one that cannot be
 * used, or not in this precision, is an error, never a quiet change to another one. Such a device
 * is not put on trial: whoever names it wants to see what it does, wrong answers among it. */
s2clr_status s2clr_device_select(const char *wanted, s2clr_precision precision,
                                 const s2clr_backend **backend, s2clr_device **device);

#endif
