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

/* "auto": the usable backend of the highest score. "cpu": likewise among those that compute on the
 * CPU. Otherwise a backend's name, with ":N" for its N-th device and ",fast" where results may
 * differ from run to run. Asking for a backend that cannot be used, or not in this precision, is an
 * error, never a quiet change to another one. */
s2clr_status s2clr_device_select(const char *wanted, s2clr_precision precision,
                                 const s2clr_backend **backend, s2clr_device **device);

#endif
