#define _GNU_SOURCE
#include "predict/model_share.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

typedef struct entry {
    struct entry *next;
    char *path;
    struct stat file;   /* when it was opened */
    s2clr_model *model; /* NULL while it is being opened */
    size_t holds;
} entry;

/* Guards the list and all of its entries; never held while a file is read. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static entry *entries;

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static entry *find(const char *path, const struct stat *file)
{
    entry *e = entries;
    while (e && !(strcmp(e->path, path) == 0 && same_file(&e->file, file))) e = e->next;
    return e;
}

static entry *find_model(const s2clr_model *model)
{
    entry *e = entries;
    while (e && e->model != model) e = e->next;
    return e;
}

static void unlink_entry(entry *gone)
{
    entry **link = &entries;
    while (*link != gone) link = &(*link)->next;
    *link = gone->next;
}

static void free_entry(entry *e)
{
    s2clr_model_close(e->model);
    s2clr_free(e->path);
    s2clr_free(e);
}

/* ---- opening ---- */

/* Lock held. Puts an entry without a model on the list: who comes now waits for it. */
static s2clr_status add(const char *path, const struct stat *file, entry **out)
{
    entry *e;
    S2CLR_TRY(s2clr_alloc(1, sizeof *e, path, (void **)&e));
    const s2clr_status status = s2clr_strdup(path, &e->path);
    if (status != S2CLR_OK) {
        s2clr_free(e);
        return status;
    }
    e->file = *file;
    e->holds = 1;
    e->next = entries;
    entries = e;
    *out = e;
    return S2CLR_OK;
}

/* Lock held at entry and exit, not meanwhile. */
static s2clr_status open_entry(entry *e)
{
    s2clr_model *model = NULL;
    pthread_mutex_unlock(&lock);
    const s2clr_status status = s2clr_model_open(e->path, &model);
    pthread_mutex_lock(&lock);
    e->model = model;
    if (status != S2CLR_OK) {
        unlink_entry(e);
        free_entry(e);
    }
    pthread_cond_broadcast(&changed);
    return status;
}

/* Lock held. Waiters look again after a failure: each then gets a message of its own. */
static s2clr_status take(const char *path, const struct stat *file, const s2clr_model **out)
{
    entry *e = find(path, file);
    while (e && !e->model) {
        pthread_cond_wait(&changed, &lock);
        e = find(path, file);
    }
    if (e) {
        e->holds++;
    } else {
        S2CLR_TRY(add(path, file, &e));
        S2CLR_TRY(open_entry(e));
    }
    *out = e->model;
    return S2CLR_OK;
}

s2clr_status s2clr_model_acquire(const char *path, const s2clr_model **out)
{
    struct stat file = {0}; /* stays so when there is none: opening says why */
    (void)stat(path, &file);
    pthread_mutex_lock(&lock);
    const s2clr_status status = take(path, &file, out);
    pthread_mutex_unlock(&lock);
    return status;
}

s2clr_status s2clr_model_hold(const s2clr_model *model)
{
    pthread_mutex_lock(&lock);
    entry *e = find_model(model);
    if (e) e->holds++;
    pthread_mutex_unlock(&lock);
    if (e) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: not a shared model: acquire it",
                           s2clr_model_path(model));
}

void s2clr_model_release(const s2clr_model *model)
{
    if (!model) return;
    pthread_mutex_lock(&lock);
    entry *e = find_model(model);
    const bool last = e && --e->holds == 0;
    if (last) unlink_entry(e);
    pthread_mutex_unlock(&lock);
    if (last) free_entry(e);
}

size_t s2clr_model_share_count(void)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (const entry *e = entries; e; e = e->next) count += e->model != NULL;
    pthread_mutex_unlock(&lock);
    return count;
}
