/*
 * Several devices as one, through NCCL. The library is loaded when a group is joined and by nothing
 * else: a machine with one device needs none. Its functions are declared here, as nccl.h of NCCL
 * 2.14 and later does: the header comes with a package of its own.
 *
 * The order in which NCCL adds up is its own, and the same for the same devices, links and size.
 *
 * A rank that fails never comes to where the others wait for it. So communicators do not block:
 * what is under way is asked about, together with the flag that says that somebody failed, and
 * whoever sees that ends its own communicator, as NCCL wants it done. There is no time limit: a
 * slow rank is no failed one.
 */
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "backend/backend_training.h"
#include "backend/cudap.h"
#include "base/memory.h"
#include "base/stop.h"

#define LIBRARY "libnccl.so.2"

enum { NCCL_SUCCESS = 0, NCCL_IN_PROGRESS = 7, NCCL_UINT8 = 1, NCCL_FLOAT32 = 7, NCCL_SUM = 0 };

typedef struct nccl_name {
    char bytes[S2CLR_GROUP_NAME];
} nccl_name;

/* ncclConfig_t as 2.14 has it, which later versions understand. */
typedef struct nccl_config {
    size_t size;
    unsigned magic, version;
    int blocking;
    int unused; /* fills the struct up */
} nccl_config;

#define NCCL_CONFIG_MAGIC 0xcafebeefu
#define NCCL_CONFIG_VERSION 21400u

/* The functions used, by their names in the library. */
typedef struct nccl {
    void *library;
    int (*GetUniqueId)(nccl_name *out);
    int (*CommInitRankConfig)(void **out, int ranks, nccl_name name, int rank, nccl_config *config);
    int (*CommGetAsyncError)(void *comm, int *out);
    int (*CommFinalize)(void *comm);
    int (*CommDestroy)(void *comm);
    int (*CommAbort)(void *comm);
    int (*AllReduce)(const void *from, void *to, size_t count, int type, int op, void *comm,
                     cudaStream_t stream);
    int (*Broadcast)(const void *from, void *to, size_t count, int type, int root, void *comm,
                     cudaStream_t stream);
    const char *(*GetErrorString)(int code);
} nccl;

struct s2clr_group {
    nccl call;
    s2clr_device *device;
    s2clr_stop *stop;
    void *comm; /* NULL: not joined, or ended */
};

/* ---- the library ---- */

static s2clr_status load(nccl *call)
{
    const struct {
        const char *name;
        void *to;
    } wanted[] = {{"ncclGetUniqueId", &call->GetUniqueId},
                  {"ncclCommInitRankConfig", &call->CommInitRankConfig},
                  {"ncclCommGetAsyncError", &call->CommGetAsyncError},
                  {"ncclCommFinalize", &call->CommFinalize},
                  {"ncclCommDestroy", &call->CommDestroy},
                  {"ncclCommAbort", &call->CommAbort},
                  {"ncclAllReduce", &call->AllReduce},
                  {"ncclBroadcast", &call->Broadcast},
                  {"ncclGetErrorString", &call->GetErrorString}};
    /* Never unmapped once it ran: threads of its own outlive the calls that began them. */
    call->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!call->library)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "training on several devices needs NCCL, and %s is not here; "
                               "install it (libnccl2), or train on one device",
                               LIBRARY);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        void *const found = dlsym(call->library, wanted[i].name);
        if (found) {
            memcpy(wanted[i].to, &found, sizeof found);
            continue;
        }
        dlclose(call->library);
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s has no function %s: NCCL 2.14 or later is needed", LIBRARY,
                               wanted[i].name);
    }
    return S2CLR_OK;
}

static s2clr_status failed(const nccl *call, int code, const char *who, const char *what)
{
    return s2clr_error_set(S2CLR_ERR_BACKEND,
                           "%s: %s failed: NCCL says %s (NCCL_DEBUG=WARN tells more)", who, what,
                           call->GetErrorString(code));
}

/* ---- waiting ---- */

/* Tells the others, and ends what this rank waits in. */
static s2clr_status give_up(s2clr_group *group, s2clr_status status)
{
    s2clr_stop_set(group->stop);
    if (group->comm) group->call.CommAbort(group->comm);
    group->comm = NULL;
    return status;
}

static s2clr_status check(s2clr_group *group, int code, const char *what)
{
    if (code == NCCL_SUCCESS || code == NCCL_IN_PROGRESS) return S2CLR_OK;
    return failed(&group->call, code, group->device->name, what);
}

static s2clr_status look(s2clr_group *group, cudaStream_t stream, const char *what, bool *done)
{
    int state = NCCL_SUCCESS;
    *done = false;
    if (s2clr_stop_is_set(group->stop))
        return s2clr_error_set(S2CLR_ERR_CANCELLED,
                               "%s: %s was given up, because another device of the group failed",
                               group->device->name, what);
    S2CLR_TRY(check(group, group->call.CommGetAsyncError(group->comm, &state), what));
    S2CLR_TRY(check(group, state, what));
    if (state == NCCL_IN_PROGRESS) return S2CLR_OK;
    const cudaError_t code = stream ? cudaStreamQuery(stream) : cudaSuccess;
    *done = code == cudaSuccess;
    if (code != cudaErrorNotReady) return s2clr_cuda_check(code, group->device, what);
    cudaGetLastError();
    return S2CLR_OK;
}

/* Until what was begun with `code` is done, on the stream as well where there is one. */
static s2clr_status wait(s2clr_group *group, int code, cudaStream_t stream, const char *what)
{
    const struct timespec moment = {.tv_nsec = 20000};
    s2clr_status status = check(group, code, what);
    bool done = false;
    while (status == S2CLR_OK) {
        status = look(group, stream, what, &done);
        if (done) return S2CLR_OK;
        nanosleep(&moment, NULL);
    }
    return give_up(group, status);
}

/* ---- the table ---- */

static s2clr_status name(char name[S2CLR_GROUP_NAME])
{
    nccl call;
    nccl_name made;
    S2CLR_TRY(load(&call));
    const int code = call.GetUniqueId(&made);
    if (code != NCCL_SUCCESS) return failed(&call, code, "cuda", "naming a group of devices");
    memcpy(name, made.bytes, sizeof made.bytes);
    return S2CLR_OK;
}

static s2clr_status open_group(s2clr_group *group, const char *of, int rank, int ranks)
{
    nccl_name given;
    nccl_config config = {.size = sizeof config,
                          .magic = NCCL_CONFIG_MAGIC,
                          .version = NCCL_CONFIG_VERSION,
                          .unused = INT_MIN};
    S2CLR_TRY(load(&group->call));
    memcpy(given.bytes, of, sizeof given.bytes);
    return wait(group, group->call.CommInitRankConfig(&group->comm, ranks, given, rank, &config),
                NULL, "joining a group of devices");
}

static s2clr_status make_group(s2clr_device *device, const char *of, int rank, int ranks,
                               s2clr_stop *stop, s2clr_group **out)
{
    s2clr_group *group;
    CUDA_USE(device);
    S2CLR_TRY(s2clr_alloc(1, sizeof *group, "group of devices", (void **)&group));
    group->device = device;
    group->stop = stop;
    const s2clr_status status = open_group(group, of, rank, ranks);
    if (status != S2CLR_OK) {
        s2clr_free(group);
        return status;
    }
    *out = group;
    return S2CLR_OK;
}

/* What failed before it came to where the others wait ends them too. */
static s2clr_status tell(s2clr_stop *stop, s2clr_status status)
{
    if (status != S2CLR_OK) s2clr_stop_set(stop);
    return status;
}

static s2clr_status join(s2clr_device *device, const char *of, int rank, int ranks,
                         s2clr_stop *stop, s2clr_group **out)
{
    return tell(stop, make_group(device, of, rank, ranks, stop, out));
}

/* All ranks do so together, or one of them has failed. */
static void leave(s2clr_group *group)
{
    const char *const what = "leaving a group of devices";
    CUDA_USE_QUIETLY(group->device);
    if (group->comm && s2clr_stop_is_set(group->stop)) (void)give_up(group, S2CLR_OK);
    if (group->comm && wait(group, group->call.CommFinalize(group->comm), NULL, what) == S2CLR_OK)
        group->call.CommDestroy(group->comm);
    s2clr_free(group);
}

static s2clr_status check_joined(const s2clr_group *group, const char *what)
{
    if (group->comm) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND, "%s: %s: the group of devices has failed before",
                           group->device->name, what);
}

static s2clr_status reduce(s2clr_group *group, s2clr_stream *stream, size_t count, float *values)
{
    const char *const what = "adding up the gradients of all devices";
    CUDA_USE(group->device);
    S2CLR_TRY(check_joined(group, what));
    const int code = group->call.AllReduce(values, values, count, NCCL_FLOAT32, NCCL_SUM,
                                           group->comm, stream->stream);
    return wait(group, code, stream->stream, what);
}

static s2clr_status sum(s2clr_group *group, s2clr_stream *stream, size_t count, float *values)
{
    return tell(group->stop, reduce(group, stream, count, values));
}

static s2clr_status broadcast(s2clr_group *group, s2clr_stream *stream, size_t bytes, void *values)
{
    const char *const what = "sharing the weights with all devices";
    CUDA_USE(group->device);
    S2CLR_TRY(check_joined(group, what));
    const int code =
        group->call.Broadcast(values, values, bytes, NCCL_UINT8, 0, group->comm, stream->stream);
    return wait(group, code, stream->stream, what);
}

static s2clr_status share(s2clr_group *group, s2clr_stream *stream, size_t bytes, void *values)
{
    return tell(group->stop, broadcast(group, stream, bytes, values));
}

const s2clr_backend_group s2clr_cuda_group = {
    .name = name,
    .join = join,
    .leave = leave,
    .sum = sum,
    .share = share,
};
