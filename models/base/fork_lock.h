/*
 * A lock around what a process remembers and its forked child must not.
 *
 *     static s2clr_fork_lock lock = {.mutex = PTHREAD_MUTEX_INITIALIZER, .start_anew = forget};
 *     s2clr_fork_lock_take(&lock);
 *     ...
 *     s2clr_fork_lock_give(&lock);
 *
 * A thread that held the lock while another forked does not exist in the child, which must not wait
 * for it: the first there to take it makes it a new one, and calls start_anew() before.
 */
#ifndef S2CLR_BASE_FORK_LOCK_H
#define S2CLR_BASE_FORK_LOCK_H

#include <pthread.h>
#include <stdatomic.h>

typedef struct s2clr_fork_lock {
    pthread_mutex_t mutex;
    void (*start_anew)(void);
    atomic_long owner; /* process, negative while it starts anew; 0: none yet */
} s2clr_fork_lock;

void s2clr_fork_lock_take(s2clr_fork_lock *lock);
void s2clr_fork_lock_give(s2clr_fork_lock *lock);

#endif
