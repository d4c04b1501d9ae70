/*
 * Worker pool: a fixed number of threads that share out numbered items.
 *
 *     s2clr_pool *pool;
 *     S2CLR_TRY(s2clr_pool_new(2, &pool));
 *     status = s2clr_pool_run(pool, convolve_one, &job, micro_batches);
 *     s2clr_pool_free(pool);
 *
 * Which worker gets which item is not defined, so results must not depend on it: an item writes its
 * own output, and reductions over items are done afterwards in item order.
 */
#ifndef S2CLR_BASE_POOL_H
#define S2CLR_BASE_POOL_H

#include <stddef.h>

#include "base/status.h"

typedef struct s2clr_pool s2clr_pool;

/* One item. `worker` is in [0, threads): index per-thread state with it. */
typedef s2clr_status (*s2clr_task)(void *context, size_t item, int worker);

/* threads >= 1; the thread that calls s2clr_pool_run() works as worker 0, so one thread means no
 * extra thread is ever made. threads == 0: one per CPU this process may run on. */
s2clr_status s2clr_pool_new(int threads, s2clr_pool **out);
void s2clr_pool_free(s2clr_pool *pool);

int s2clr_pool_threads(const s2clr_pool *pool);

/* Runs task(context, 0 .. items-1), returns when all are done. After a failure no further item is
 * started; the failure of the lowest failed item is returned and its text becomes the caller's.
 * One run at a time per pool. */
s2clr_status s2clr_pool_run(s2clr_pool *pool, s2clr_task task, void *context, size_t items);

/* CPUs this process may use (affinity mask, cgroup v1/v2 quota rounded up), at least 1. */
int s2clr_cpu_count(void);

/* Bytes of memory this process may still use (MemAvailable, cgroup limit), 0 if unknown. */
size_t s2clr_memory_available(void);

#endif
