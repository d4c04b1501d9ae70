/* The built-in backend; callers reach it through s2clr_backend_find("portable", ...). */
#ifndef S2CLR_BACKEND_PORTABLE_H
#define S2CLR_BACKEND_PORTABLE_H

#include "backend/backend_training.h"

extern const s2clr_backend s2clr_backend_portable;
extern const s2clr_backend_training s2clr_portable_training;
extern const s2clr_backend_contrast s2clr_portable_contrast;
extern const s2clr_backend_cutting s2clr_portable_cutting;
extern const struct s2clr_backend_views s2clr_portable_views;

#endif
