/*
 * Several devices as one, through NCCL. The library is loaded when a group is joined and by nothing
 * else: a machine with one device needs none. Its functions are declared here, as nccl.h of NCCL
 * 2.x does: the header comes with a package of its own, and these have not changed since 2.0.
 *
 * The order in which NCCL adds up is its own, and the same for the same devices, links and size.
 */
#include <dlfcn.h>
#include <string.h>

#include "backend/backend_training.h"
#include "backend/cudap.h"
#include "base/memory.h"

#define LIBRARY "libnccl.so.2"

enum { NCCL_SUCCESS = 0, NCCL_UINT8 = 1, NCCL_FLOAT32 = 7, NCCL_SUM = 0 };

typedef struct nccl_name {
    char bytes[S2CLR_GROUP_NAME];
} nccl_name;

/* The functions used, by their names in the library. */
typedef struct nccl {
    void *library;
    int (*GetUniqueId)(nccl_name *out);
    int (*CommInitRank)(void **out, int ranks, nccl_name name, int rank);
    int (*CommDestroy)(void *comm);
    int (*AllReduce)(const void *from, void *to, size_t count, int type, int op, void *comm,
                     cudaStream_t stream);
    int (*Broadcast)(const void *from, void *to, size_t count, int type, int root, void *comm,
                     cudaStream_t stream);
    const char *(*GetErrorString)(int code);
} nccl;

struct s2clr_group {
    nccl call;
    s2clr_device *device;
    void *comm;
};

/* ---- the library ---- */

static s2clr_status load(nccl *call)
{
    const struct {
        const char *name;
        void *to;
    } wanted[] = {
        {"ncclGetUniqueId", &call->GetUniqueId}, {"ncclCommInitRank", &call->CommInitRank},
        {"ncclCommDestroy", &call->CommDestroy}, {"ncclAllReduce", &call->AllReduce},
        {"ncclBroadcast", &call->Broadcast},     {"ncclGetErrorString", &call->GetErrorString}};
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
                               "%s has no function %s: NCCL 2.2 or later is needed", LIBRARY,
                               wanted[i].name);
    }
    return S2CLR_OK;
}

static s2clr_status check(const nccl *call, int code, const char *who, const char *what)
{
    if (code == NCCL_SUCCESS) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND,
                           "%s: %s failed: NCCL says %s (NCCL_DEBUG=WARN tells "
                           "more)",
                           who, what, call->GetErrorString(code));
}

/* ---- the table ---- */

static s2clr_status name(char name[S2CLR_GROUP_NAME])
{
    nccl call;
    nccl_name made;
    S2CLR_TRY(load(&call));
    const s2clr_status status =
        check(&call, call.GetUniqueId(&made), "cuda", "naming a group of devices");
    if (status == S2CLR_OK) memcpy(name, made.bytes, sizeof made.bytes);
    return status;
}

static s2clr_status open_group(s2clr_group *group, const char *of, int rank, int ranks)
{
    nccl_name given;
    memcpy(given.bytes, of, sizeof given.bytes);
    return check(&group->call, group->call.CommInitRank(&group->comm, ranks, given, rank),
                 group->device->name, "joining a group of devices");
}

static s2clr_status join(s2clr_device *device, const char *of, int rank, int ranks,
                         s2clr_group **out)
{
    s2clr_group *group;
    S2CLR_TRY(s2clr_cuda_device_use(device));
    S2CLR_TRY(s2clr_alloc(1, sizeof *group, "group of devices", (void **)&group));
    group->device = device;
    s2clr_status status = load(&group->call);
    if (status == S2CLR_OK) status = open_group(group, of, rank, ranks);
    if (status != S2CLR_OK) {
        s2clr_free(group);
        return status;
    }
    *out = group;
    return S2CLR_OK;
}

static void leave(s2clr_group *group)
{
    cudaSetDevice(group->device->index);
    group->call.CommDestroy(group->comm);
    s2clr_free(group);
}

static s2clr_status sum(s2clr_group *group, s2clr_stream *stream, size_t count, float *values)
{
    S2CLR_TRY(s2clr_cuda_device_use(group->device));
    return check(&group->call,
                 group->call.AllReduce(values, values, count, NCCL_FLOAT32, NCCL_SUM, group->comm,
                                       stream->stream),
                 group->device->name, "adding up the gradients of all devices");
}

static s2clr_status share(s2clr_group *group, s2clr_stream *stream, size_t bytes, void *values)
{
    S2CLR_TRY(s2clr_cuda_device_use(group->device));
    return check(
        &group->call,
        group->call.Broadcast(values, values, bytes, NCCL_UINT8, 0, group->comm, stream->stream),
        group->device->name, "sharing the weights with all devices");
}

const s2clr_backend_group s2clr_cuda_group = {
    .name = name,
    .join = join,
    .leave = leave,
    .sum = sum,
    .share = share,
};
