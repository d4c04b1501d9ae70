/*
 * A pretended NCCL, whose ranks are threads of one process. It is found as a library libnccl.so.2
 * that is a link to the module itself, so its functions are the only visible ones. Communicators do
 * not block: what was begun is done when the last rank has begun it, and until then whoever asks is
 * told that it is in progress. A rank that ended its communicator never comes.
 */
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"

#define VISIBLE __attribute__((visibility("default")))

enum { GROUPS = 16, RANKS = 8, NAME = 128, CONFIG_BYTES = 24 };
enum {
    SUCCESS,
    UNHANDLED_CUDA_ERROR,
    SYSTEM_ERROR,
    INTERNAL_ERROR,
    INVALID_ARGUMENT,
    INVALID_USAGE,
    REMOTE_ERROR,
    IN_PROGRESS
};

typedef struct fake_name {
    char bytes[NAME];
} fake_name;

typedef struct fake_config {
    size_t size;
    unsigned magic, version;
    int blocking, unused;
} fake_config;

typedef void (*fake_meeting)(void *const *part, int ranks, size_t bytes);

typedef struct fake_group {
    char name[NAME];
    int ranks, members, finished;
    bool whole; /* all have joined */
    /* the collective under way: who has come, for what */
    int arrived;
    void *part[RANKS];
    size_t bytes;
    fake_meeting work;
} fake_group;

typedef struct fake_comm {
    struct fake_comm *next; /* of all */
    fake_group *group;
    int rank;
    bool finished;
    cudaStream_t stream; /* of the collective that this rank waits in; NULL: none */
} fake_comm;

/* All guarded by fake_lock(). */
static fake_group group[GROUPS];
static fake_comm *comms;
static int names;

static const char kind[] = "NCCL communicator";

/* The functions' prototypes are those that cuda_nccl.c has. */
int ncclGetUniqueId(fake_name *out);
int ncclCommInitRankConfig(fake_comm **out, int ranks, fake_name name, int rank,
                           fake_config *config);
int ncclCommGetAsyncError(fake_comm *comm, int *out);
int ncclCommFinalize(fake_comm *comm);
int ncclCommDestroy(fake_comm *comm);
int ncclCommAbort(fake_comm *comm);
int ncclAllReduce(const void *from, void *to, size_t count, int type, int op, fake_comm *comm,
                  cudaStream_t stream);
int ncclBroadcast(const void *from, void *to, size_t count, int type, int root, fake_comm *comm,
                  cudaStream_t stream);
const char *ncclGetErrorString(int code);

VISIBLE const char *ncclGetErrorString(int code)
{
    return code == SYSTEM_ERROR   ? "unhandled system error"
           : code == REMOTE_ERROR ? "remote process exited or there was a network error"
                                  : "invalid argument";
}

VISIBLE int ncclGetUniqueId(fake_name *out)
{
    FAKE_ENTRY(SYSTEM_ERROR)
    memset(out, 0, sizeof *out);
    names++;
    memcpy(out->bytes, &names, sizeof names);
    FAKE_RETURN(SUCCESS);
}

/* ---- members ---- */

static fake_group *group_of(const fake_name *name, int ranks)
{
    fake_group *free_place = NULL;
    for (int i = 0; i < GROUPS; i++) {
        if (group[i].members > 0 && memcmp(group[i].name, name->bytes, NAME) == 0) return &group[i];
        if (group[i].members == 0) free_place = &group[i];
    }
    if (!free_place) abort();
    *free_place = (fake_group){.ranks = ranks};
    memcpy(free_place->name, name->bytes, NAME);
    return free_place;
}

VISIBLE int ncclCommInitRankConfig(fake_comm **out, int ranks, fake_name name, int rank,
                                   fake_config *config)
{
    FAKE_ENTRY(SYSTEM_ERROR)
    if (config->magic != 0xcafebeefu || config->version != 21400 || config->size != CONFIG_BYTES ||
        config->blocking != 0) {
        fake_misuse("ncclCommInitRankConfig: not the configuration of a communicator of 2.14 that "
                    "does not block");
        FAKE_RETURN(INVALID_ARGUMENT);
    }
    if (ranks > RANKS || rank < 0 || rank >= ranks) FAKE_RETURN(INVALID_ARGUMENT);
    fake_comm *const comm = fake_calloc(1, sizeof *comm);
    fake_group *const g = group_of(&name, ranks);
    *comm = (fake_comm){.next = comms, .group = g, .rank = rank};
    comms = comm;
    g->whole = ++g->members == g->ranks;
    fake_object_add(comm, kind);
    *out = comm;
    FAKE_RETURN(IN_PROGRESS);
}

VISIBLE int ncclCommGetAsyncError(fake_comm *comm, int *out)
{
    FAKE_ENTRY((*out = REMOTE_ERROR, SUCCESS))
    if (!fake_object_is(comm, kind)) FAKE_RETURN(INVALID_ARGUMENT);
    const fake_group *const g = comm->group;
    const bool leaving = comm->finished && g->finished < g->ranks;
    *out = !g->whole || leaving ? IN_PROGRESS : SUCCESS;
    FAKE_RETURN(SUCCESS);
}

VISIBLE int ncclCommFinalize(fake_comm *comm)
{
    FAKE_ENTRY(SYSTEM_ERROR)
    if (!fake_object_is(comm, kind)) FAKE_RETURN(INVALID_ARGUMENT);
    if (comm->stream) fake_misuse("a communicator is finalised while its rank waits in it");
    comm->finished = true;
    comm->group->finished++;
    FAKE_RETURN(IN_PROGRESS);
}

static void forget(fake_comm *comm)
{
    fake_group *const g = comm->group;
    if (comm->stream) {
        g->part[comm->rank] = NULL;
        g->arrived--;
    }
    g->members--;
    for (fake_comm **at = &comms; *at; at = &(*at)->next)
        if (*at == comm) {
            *at = comm->next;
            break;
        }
    fake_object_remove(comm);
    free(comm);
}

VISIBLE int ncclCommDestroy(fake_comm *comm)
{
    FAKE_RELEASE();
    if (!fake_object_is(comm, kind)) FAKE_RETURN(INVALID_ARGUMENT);
    if (!comm->finished || comm->group->finished < comm->group->ranks)
        fake_misuse("a communicator is destroyed before all of its group were finalised");
    forget(comm);
    FAKE_RETURN(fails ? SYSTEM_ERROR : SUCCESS);
}

VISIBLE int ncclCommAbort(fake_comm *comm)
{
    FAKE_RELEASE();
    if (!fake_object_is(comm, kind)) FAKE_RETURN(INVALID_ARGUMENT);
    forget(comm);
    FAKE_RETURN(fails ? SYSTEM_ERROR : SUCCESS);
}

/* ---- collectives ---- */

bool fake_collective_pending(cudaStream_t stream)
{
    for (const fake_comm *c = comms; c; c = c->next)
        if (c->stream == stream && stream) return true;
    return false;
}

static void add_up(void *const *part, int ranks, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        float sum = 0;
        for (int r = 0; r < ranks; r++) sum += ((const float *)part[r])[i];
        for (int r = 0; r < ranks; r++) ((float *)part[r])[i] = sum;
    }
}

static void hand_out(void *const *part, int ranks, size_t bytes)
{
    for (int r = 1; r < ranks; r++) memcpy(part[r], part[0], bytes);
}

/* The last rank to come does the work of all. */
static void meet(fake_comm *comm, cudaStream_t stream, void *part, size_t bytes, fake_meeting work)
{
    fake_group *const g = comm->group;
    if (g->arrived > 0 && (g->bytes != bytes || g->work != work))
        fake_misuse("ranks of one group do different things: %zu and %zu bytes", g->bytes, bytes);
    g->part[comm->rank] = part;
    g->bytes = bytes;
    g->work = work;
    comm->stream = stream;
    if (++g->arrived < g->ranks) return;
    work(g->part, g->ranks, bytes);
    g->arrived = 0;
    for (fake_comm *c = comms; c; c = c->next)
        if (c->group == g) c->stream = NULL;
}

/* What is queued before it comes first. */
static int begin(fake_comm *comm, cudaStream_t stream, void *values, size_t bytes,
                 fake_meeting work)
{
    if (!fake_object_is(comm, kind) || !fake_object_is(stream, "stream")) return INVALID_ARGUMENT;
    if (!comm->group->whole || comm->stream) {
        fake_misuse("a collective of a rank that is still waiting for the others");
        return INVALID_USAGE;
    }
    fake_run_all();
    void *const part = fake_at(values, bytes, "NCCL");
    if (!part && bytes > 0) return UNHANDLED_CUDA_ERROR;
    meet(comm, stream, part, bytes, work);
    return SUCCESS;
}

VISIBLE int ncclAllReduce(const void *from, void *to, size_t count, int type, int op,
                          fake_comm *comm, cudaStream_t stream)
{
    FAKE_ENTRY(SYSTEM_ERROR)
    if (from != to || type != 7 || op != 0) FAKE_RETURN(INVALID_ARGUMENT);
    FAKE_RETURN(begin(comm, stream, to, count * sizeof(float), add_up));
}

VISIBLE int ncclBroadcast(const void *from, void *to, size_t count, int type, int root,
                          fake_comm *comm, cudaStream_t stream)
{
    FAKE_ENTRY(SYSTEM_ERROR)
    if (from != to || type != 1 || root != 0) FAKE_RETURN(INVALID_ARGUMENT);
    FAKE_RETURN(begin(comm, stream, to, count, hand_out));
}
