#include "base/fork_lock.h"

#include <sched.h>
#include <unistd.h>

void s2clr_fork_lock_take(s2clr_fork_lock *lock)
{
    const long self = (long)getpid();
    long found = atomic_load(&lock->owner);
    while (found != self) {
        if (found == -self) {
            sched_yield();
            found = atomic_load(&lock->owner);
        } else if (atomic_compare_exchange_strong(&lock->owner, &found, found ? -self : self)) {
            if (found) {
                lock->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
                lock->start_anew();
            }
            atomic_store(&lock->owner, self);
            found = self;
        }
    }
    pthread_mutex_lock(&lock->mutex);
}

void s2clr_fork_lock_give(s2clr_fork_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}
