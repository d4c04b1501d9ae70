#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "predict/view_pool.h"

#include <cpl_vsi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "predict/connection.h"

#define IDLE_SECONDS 60

/* What tells whether a file is still the one that was opened. */
typedef struct stamp {
    int64_t size, seconds, nanoseconds;
    uint64_t inode;
} stamp;

struct s2clr_pooled_view {
    char *key; /* name and sorted options, one a line */
    s2clr_view *view;
    stamp *stamps; // (files)
    size_t files;
    time_t since; /* monotonic second at which it began to wait */
    struct s2clr_pooled_view *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static s2clr_pooled_view *waiting; /* the one given back last comes first */
static size_t holders;

/* ---- one view ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static s2clr_status make_key(const char *name, const char *const *options, char **out)
{
    size_t count = 0, bytes = strlen(name) + 1;
    const char **sorted;
    for (; options && options[count]; count++) bytes += strlen(options[count]) + 1;
    S2CLR_TRY(s2clr_alloc(count + 1, sizeof *sorted, "open options", (void **)&sorted));
    for (size_t i = 0; i < count; i++) sorted[i] = options[i];
    if (count) qsort(sorted, count, sizeof *sorted, by_text);
    char *key;
    const s2clr_status status = s2clr_alloc(bytes, 1, "name of a view", (void **)&key);
    if (status == S2CLR_OK) {
        char *at = stpcpy(key, name);
        for (size_t i = 0; i < count; i++) at = stpcpy(stpcpy(at, "\n"), sorted[i]);
        *out = key;
    }
    s2clr_free(sorted);
    return status;
}

static stamp stamp_of(const char *path)
{
    VSIStatBufL found;
    if (VSIStatL(path, &found) != 0) return (stamp){.size = -1};
    return (stamp){.size = (int64_t)found.st_size,
                   .seconds = (int64_t)found.st_mtim.tv_sec,
                   .nanoseconds = (int64_t)found.st_mtim.tv_nsec,
                   .inode = (uint64_t)found.st_ino};
}

static bool is_current(const s2clr_pooled_view *pooled)
{
    const char *const *files = s2clr_view_describe(pooled->view)->files;
    for (size_t i = 0; i < pooled->files; i++) {
        const stamp now = stamp_of(files[i]), then = pooled->stamps[i];
        if (now.size != then.size || now.seconds != then.seconds ||
            now.nanoseconds != then.nanoseconds || now.inode != then.inode)
            return false;
    }
    return true;
}

static void close_list(s2clr_pooled_view *list, bool close)
{
    while (list) {
        s2clr_pooled_view *next = list->next;
        if (close) s2clr_view_close(list->view);
        s2clr_free(list->stamps);
        s2clr_free(list->key);
        s2clr_free(list);
        list = next;
    }
}

/* A file that changes between the stamps and the opening is seen as changed at the next use. */
static s2clr_status open_view(const char *name, const char *const *options,
                              s2clr_pooled_view *pooled)
{
    s2clr_connection *connection;
    S2CLR_TRY(s2clr_connection_parse(name, options, &connection));
    const s2clr_status status =
        s2clr_view_open(s2clr_connection_settings(connection), &pooled->view);
    s2clr_connection_free(connection);
    S2CLR_TRY(status);
    const char *const *files = s2clr_view_describe(pooled->view)->files;
    size_t count = 0;
    while (files && files[count]) count++;
    S2CLR_TRY(s2clr_alloc(count, sizeof *pooled->stamps, "file times", (void **)&pooled->stamps));
    for (size_t i = 0; i < count; i++) pooled->stamps[i] = stamp_of(files[i]);
    pooled->files = count;
    return S2CLR_OK;
}

/* ---- the pool ---- */

static time_t now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* With the lock held: unlinks what has waited too long or is one too many. */
static s2clr_pooled_view *unlink_old(void)
{
    const time_t now = now_seconds();
    s2clr_pooled_view *old = NULL;
    size_t kept = 0;
    for (s2clr_pooled_view **at = &waiting; *at;) {
        s2clr_pooled_view *entry = *at;
        if (kept < S2CLR_VIEW_POOL_MAX && now - entry->since < IDLE_SECONDS) {
            kept++;
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        entry->next = old;
        old = entry;
    }
    return old;
}

/* Closing may enter other drivers and take its time: never with the lock held. */
static s2clr_pooled_view *find_waiting(const char *key)
{
    s2clr_pooled_view *found = NULL;
    pthread_mutex_lock(&lock);
    s2clr_pooled_view *old = unlink_old();
    for (s2clr_pooled_view **at = &waiting; *at && !found; at = &(*at)->next) {
        if (strcmp((*at)->key, key) != 0) continue;
        found = *at;
        *at = found->next;
        found->next = NULL;
        break;
    }
    pthread_mutex_unlock(&lock);
    close_list(old, true);
    return found;
}

s2clr_status s2clr_view_pool_take(const char *name, const char *const *options,
                                  s2clr_pooled_view **out)
{
    s2clr_pooled_view *pooled;
    char *key;
    S2CLR_TRY(make_key(name, options, &key));
    while ((pooled = find_waiting(key)) && !is_current(pooled)) close_list(pooled, true);
    if (pooled) {
        s2clr_free(key);
        *out = pooled;
        return S2CLR_OK;
    }
    s2clr_status status = s2clr_alloc(1, sizeof *pooled, "view", (void **)&pooled);
    if (status != S2CLR_OK) {
        s2clr_free(key);
        return status;
    }
    pooled->key = key;
    status = open_view(name, options, pooled);
    if (status != S2CLR_OK) {
        close_list(pooled, pooled->view != NULL);
        return status;
    }
    *out = pooled;
    return S2CLR_OK;
}

void s2clr_view_pool_give(s2clr_pooled_view *pooled)
{
    if (!pooled) return;
    pthread_mutex_lock(&lock);
    pooled->since = now_seconds();
    pooled->next = waiting;
    waiting = pooled;
    s2clr_pooled_view *old = unlink_old();
    pthread_mutex_unlock(&lock);
    close_list(old, true);
}

s2clr_view *s2clr_pooled_view_get(const s2clr_pooled_view *pooled)
{
    return pooled->view;
}

static size_t empty(bool close)
{
    pthread_mutex_lock(&lock);
    s2clr_pooled_view *list = waiting;
    waiting = NULL;
    pthread_mutex_unlock(&lock);
    size_t count = 0;
    for (const s2clr_pooled_view *at = list; at; at = at->next) count++;
    close_list(list, close);
    return count;
}

void s2clr_view_pool_hold(void)
{
    pthread_mutex_lock(&lock);
    holders++;
    pthread_mutex_unlock(&lock);
}

void s2clr_view_pool_release(void)
{
    pthread_mutex_lock(&lock);
    const bool last = --holders == 0;
    pthread_mutex_unlock(&lock);
    if (last) empty(true);
}

size_t s2clr_view_pool_drop(void)
{
    return empty(true);
}

void s2clr_view_pool_forget(void)
{
    empty(false);
}

size_t s2clr_view_pool_count(void)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (const s2clr_pooled_view *at = waiting; at; at = at->next) count++;
    pthread_mutex_unlock(&lock);
    return count;
}
