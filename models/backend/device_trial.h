/*
 * A device is believed when it gives the portable backend's answers.
 *
 *     S2CLR_TRY(backend->device_open("", precision, &device));
 *     S2CLR_TRY(s2clr_device_trial(backend, device)); // or a CPU computes
 */
#ifndef S2CLR_BACKEND_DEVICE_TRIAL_H
#define S2CLR_BACKEND_DEVICE_TRIAL_H

#include "backend/backend.h"

/* Every kind of op forward, small and of odd sizes, on the device and on the portable backend in
 * f32. S2CLR_ERR_BACKEND names the first that is further from it than s2clr_op_tolerance() says;
 * what fails, fails as it is. Frees all that it took. */
s2clr_status s2clr_device_trial(const s2clr_backend *backend, s2clr_device *device);

/* The same, once in the life of a process for a backend, a precision and the device's description:
 * from then on the answer of that time. Want of memory is no answer: the next one tries again. A
 * forked child asks the device itself. Thread-safe; others wait for the first. */
s2clr_status s2clr_device_trial_once(const s2clr_backend *backend, s2clr_device *device);

#endif
