/*
 * A pretended NCCL, whose ranks are threads of one process. It is found as a library libnccl.so.2
 * that is a link to the module itself, so its functions are the only visible ones. A rank waits
 * here for all others, and everything is done on return.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"

#define VISIBLE __attribute__((visibility("default")))

enum { GROUPS = 16, RANKS = 8, NAME = 128 };
enum { SUCCESS, UNHANDLED_CUDA_ERROR, SYSTEM_ERROR, INTERNAL_ERROR, INVALID_ARGUMENT };

typedef struct fake_name {
    char bytes[NAME];
} fake_name;

typedef struct fake_group {
    char name[NAME];
    int ranks, joined, arrived;
    long round;
    void *part[RANKS];
} fake_group;

typedef struct fake_comm {
    fake_group *group;
    int rank;
} fake_comm;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_there = PTHREAD_COND_INITIALIZER;
static fake_group group[GROUPS];
static int names;

/* The functions' prototypes are those that cuda_nccl.c has. */
int ncclGetUniqueId(fake_name *out);
int ncclCommInitRank(fake_comm **out, int ranks, fake_name name, int rank);
int ncclCommDestroy(fake_comm *comm);
int ncclAllReduce(const void *from, void *to, size_t count, int type, int op, fake_comm *comm,
                  cudaStream_t stream);
int ncclBroadcast(const void *from, void *to, size_t count, int type, int root, fake_comm *comm,
                  cudaStream_t stream);
const char *ncclGetErrorString(int code);

static bool told_to_fail(const char *entry)
{
    fake_lock();
    const bool fails = fake_fails(entry);
    fake_unlock();
    return fails;
}

VISIBLE const char *ncclGetErrorString(int code)
{
    return code == SYSTEM_ERROR ? "unhandled system error" : "invalid argument";
}

VISIBLE int ncclGetUniqueId(fake_name *out)
{
    if (told_to_fail(__func__)) return SYSTEM_ERROR;
    pthread_mutex_lock(&lock);
    memset(out, 0, sizeof *out);
    out->bytes[0] = (char)++names;
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

/* With the lock held: the last rank to come does the work of all. */
static void meet(fake_group *g, int rank, void *part, void (*work)(fake_group *g, size_t bytes),
                 size_t bytes)
{
    const long round = g->round;
    g->part[rank] = part;
    if (++g->arrived < g->ranks) {
        while (g->round == round) pthread_cond_wait(&all_there, &lock);
        return;
    }
    work(g, bytes);
    g->arrived = 0;
    g->round++;
    pthread_cond_broadcast(&all_there);
}

static void nothing(fake_group *g, size_t bytes)
{
    (void)g, (void)bytes;
}

VISIBLE int ncclCommInitRank(fake_comm **out, int ranks, fake_name name, int rank)
{
    if (told_to_fail(__func__)) return SYSTEM_ERROR;
    if (ranks > RANKS || rank < 0 || rank >= ranks) return INVALID_ARGUMENT;
    fake_comm *const comm = fake_calloc(1, sizeof *comm);
    fake_lock();
    fake_object_add(comm, "NCCL communicator");
    fake_unlock();
    pthread_mutex_lock(&lock);
    fake_group *const g = &group[(unsigned char)name.bytes[0] % GROUPS];
    if (g->joined == 0) {
        *g = (fake_group){.ranks = ranks};
        memcpy(g->name, name.bytes, NAME);
    }
    g->joined++;
    *comm = (fake_comm){g, rank};
    meet(g, rank, NULL, nothing, 0);
    pthread_mutex_unlock(&lock);
    *out = comm;
    return SUCCESS;
}

VISIBLE int ncclCommDestroy(fake_comm *comm)
{
    fake_lock();
    fake_object_remove(comm);
    fake_unlock();
    pthread_mutex_lock(&lock);
    comm->group->joined--;
    pthread_mutex_unlock(&lock);
    free(comm);
    return SUCCESS;
}

static void add_up(fake_group *g, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        float sum = 0;
        for (int r = 0; r < g->ranks; r++) sum += ((const float *)g->part[r])[i];
        for (int r = 0; r < g->ranks; r++) ((float *)g->part[r])[i] = sum;
    }
}

static void hand_out(fake_group *g, size_t bytes)
{
    for (int r = 1; r < g->ranks; r++) memcpy(g->part[r], g->part[0], bytes);
}

/* What is queued before it comes first. */
static int meet_on(fake_comm *comm, cudaStream_t stream, void *values, size_t bytes,
                   void (*work)(fake_group *g, size_t bytes))
{
    fake_lock();
    fake_object_is(stream, "stream");
    fake_run_all();
    void *const part = fake_at(values, bytes, "NCCL");
    fake_unlock();
    if (!part && bytes > 0) return UNHANDLED_CUDA_ERROR;
    pthread_mutex_lock(&lock);
    meet(comm->group, comm->rank, part, work, bytes);
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

VISIBLE int ncclAllReduce(const void *from, void *to, size_t count, int type, int op,
                          fake_comm *comm, cudaStream_t stream)
{
    if (told_to_fail(__func__)) return SYSTEM_ERROR;
    if (from != to || type != 7 || op != 0) return INVALID_ARGUMENT;
    return meet_on(comm, stream, to, count * sizeof(float), add_up);
}

VISIBLE int ncclBroadcast(const void *from, void *to, size_t count, int type, int root,
                          fake_comm *comm, cudaStream_t stream)
{
    if (told_to_fail(__func__)) return SYSTEM_ERROR;
    if (from != to || type != 1 || root != 0) return INVALID_ARGUMENT;
    return meet_on(comm, stream, to, count, hand_out);
}
