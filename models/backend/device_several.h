/*
 * Several devices by one word: "cuda:0+1", "cuda:all", and ",fast" behind it as for one.
 *
 *     S2CLR_TRY(s2clr_device_select_several("cuda:all", S2CLR_F32, &backend, &devices, &count));
 *     ...
 *     s2clr_device_close_several(backend, devices, count);
 */
#ifndef S2CLR_BACKEND_DEVICE_SEVERAL_H
#define S2CLR_BACKEND_DEVICE_SEVERAL_H

#include <stdbool.h>

#include "backend/backend.h"

/* Whether it is such a word. */
bool s2clr_device_names_several(const char *wanted);

/* Those devices, in the order of the word, all of one backend; any other word is one device, as in
 * s2clr_device_select(). "all": those that the backend has, which may be one. */
s2clr_status s2clr_device_select_several(const char *wanted, s2clr_precision precision,
                                         const s2clr_backend **backend, s2clr_device ***devices,
                                         int *count);
void s2clr_device_close_several(const s2clr_backend *backend, s2clr_device **devices, int count);

#endif
