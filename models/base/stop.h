/*
 * A flag that several threads share: once one of them has set it, the others end what they are at.
 *
 *     s2clr_stop stop = {false};
 *     ... while (!there() && !s2clr_stop_is_set(&stop)) wait_a_little(); ...   // one thread
 *     s2clr_stop_set(&stop);                                                   // another
 */
#ifndef S2CLR_BASE_STOP_H
#define S2CLR_BASE_STOP_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct s2clr_stop {
    atomic_bool set;
} s2clr_stop;

static inline void s2clr_stop_set(s2clr_stop *stop)
{
    atomic_store(&stop->set, true);
}

static inline bool s2clr_stop_is_set(s2clr_stop *stop)
{
    return atomic_load(&stop->set);
}

#endif
