#define _GNU_SOURCE
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define THREADS_MAX 4096

typedef struct worker {
    s2clr_pool *pool;
    int number; /* 1 .. threads-1; worker 0 is the caller */
    pthread_t thread;
} worker;

/* Everything below the mutex is guarded by it. */
struct s2clr_pool {
    int threads;
    int started; /* extra threads that exist: workers[1 .. started] */
    worker *workers;
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* a new run, or stop */
    pthread_cond_t idle; /* busy became 0 */
    bool stop, running;
    unsigned long run; /* number of the current run */
    int busy;          /* extra threads that have not finished the current run */
    s2clr_task task;
    void *context;
    size_t items, next;
    s2clr_status failure; /* of failed_item, the lowest one that failed so far */
    size_t failed_item;
    char failure_text[1024];
};

static void note_failure(s2clr_pool *pool, size_t item, s2clr_status status)
{
    if (pool->failure != S2CLR_OK && item > pool->failed_item) return;
    pool->failure = status;
    pool->failed_item = item;
    snprintf(pool->failure_text, sizeof pool->failure_text, "%s", s2clr_error_text());
}

/* Items are claimed in ascending order, so everything below a failed item has been started and
 * will report: the lowest failure is the same for any number of threads. Mutex held at entry and
 * exit. */
static void work(s2clr_pool *pool, int number)
{
    while (pool->failure == S2CLR_OK && pool->next < pool->items) {
        const size_t item = pool->next++;
        pthread_mutex_unlock(&pool->mutex);
        const s2clr_status status = pool->task(pool->context, item, number);
        pthread_mutex_lock(&pool->mutex);
        if (status != S2CLR_OK) note_failure(pool, item, status);
    }
}

static void *worker_main(void *argument)
{
    const worker *self = argument;
    s2clr_pool *pool = self->pool;
    unsigned long done = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (!pool->stop && pool->run == done) pthread_cond_wait(&pool->wake, &pool->mutex);
        if (pool->stop) break;
        done = pool->run;
        work(pool, self->number);
        if (--pool->busy == 0) pthread_cond_signal(&pool->idle);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

static s2clr_status start_workers(s2clr_pool *pool)
{
    /* Signals belong to the host's own threads. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    for (int i = 1; i < pool->threads && !failed; i++) {
        pool->workers[i] = (worker){.pool = pool, .number = i};
        failed = pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]);
        if (!failed) pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MEMORY,
                           "cannot start thread %d of %d: %s; use fewer threads (--threads)",
                           pool->started + 2, pool->threads, strerror(failed));
}

s2clr_status s2clr_pool_new(int threads, s2clr_pool **out)
{
    if (threads < 0 || threads > THREADS_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%d threads: 1 to %d are possible, 0 means one per CPU", threads,
                               THREADS_MAX);
    s2clr_pool *pool;
    S2CLR_TRY(s2clr_alloc(1, sizeof *pool, "worker pool", (void **)&pool));
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->threads = threads > 0 ? threads : s2clr_cpu_count();
    s2clr_status status = s2clr_alloc((size_t)pool->threads, sizeof *pool->workers, "worker pool",
                                      (void **)&pool->workers);
    if (status == S2CLR_OK) status = start_workers(pool);
    if (status != S2CLR_OK) {
        s2clr_pool_free(pool);
        return status;
    }
    *out = pool;
    return S2CLR_OK;
}

void s2clr_pool_free(s2clr_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 1; i <= pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    s2clr_free(pool->workers);
    s2clr_free(pool);
}

int s2clr_pool_threads(const s2clr_pool *pool)
{
    return pool->threads;
}

/* Mutex held at entry and exit. */
static void run_all(s2clr_pool *pool, s2clr_task task, void *context, size_t items)
{
    pool->running = true;
    pool->task = task;
    pool->context = context;
    pool->items = items;
    pool->next = 0;
    pool->failure = S2CLR_OK;
    if (pool->started > 0 && items > 1) {
        pool->busy = pool->started;
        pool->run++;
        pthread_cond_broadcast(&pool->wake);
    }
    work(pool, 0);
    while (pool->busy > 0) pthread_cond_wait(&pool->idle, &pool->mutex);
    pool->running = false;
}

s2clr_status s2clr_pool_run(s2clr_pool *pool, s2clr_task task, void *context, size_t items)
{
    pthread_mutex_lock(&pool->mutex);
    if (pool->running) {
        pthread_mutex_unlock(&pool->mutex);
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "this worker pool is already running: use one pool per caller");
    }
    run_all(pool, task, context, items);
    const s2clr_status failure = pool->failure;
    if (failure != S2CLR_OK) (void)s2clr_error_set(failure, "%s", pool->failure_text);
    pthread_mutex_unlock(&pool->mutex);
    return failure;
}
