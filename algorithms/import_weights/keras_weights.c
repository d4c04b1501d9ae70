#include "import_weights/keras_weights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "import_weights/pkeras.h"

typedef struct loading {
    const s2clr_keras_file *file;
    const s2clr_keras_names *names;
    const s2clr_net *net;
    float *params;
} loading;

static s2clr_keras_role role_of(const s2clr_node *node, const s2clr_param *param)
{
    switch (param->role) {
    case S2CLR_PARAM_BIAS:
        return S2CLR_KERAS_BIAS;
    case S2CLR_PARAM_GAMMA:
        return S2CLR_KERAS_GAMMA;
    case S2CLR_PARAM_BETA:
        return S2CLR_KERAS_BETA;
    case S2CLR_PARAM_RUNNING_MEAN:
        return S2CLR_KERAS_MEAN;
    case S2CLR_PARAM_RUNNING_VAR:
        return S2CLR_KERAS_VARIANCE;
    case S2CLR_PARAM_WEIGHT:
        break;
    }
    if (node->groups > 1) return S2CLR_KERAS_DEPTHWISE;
    return strstr(node->name, ".pointwise") ? S2CLR_KERAS_POINTWISE : S2CLR_KERAS_KERNEL;
}

/* Dimensions as Keras has them: (rows, columns, in, out), depthwise (rows, columns, out, 1), dense
 * (in, out), vectors as they are. */
static void wanted_dims(const s2clr_param *param, s2clr_keras_role role, int dims[4])
{
    const int *d = param->dims;
    const bool depthwise = role == S2CLR_KERAS_DEPTHWISE;
    dims[0] = param->rank == 4 ? d[2] : param->rank == 2 ? d[1] : d[0];
    dims[1] = param->rank == 4 ? d[3] : d[0];
    dims[2] = depthwise ? d[0] : d[1];
    dims[3] = depthwise ? d[1] : d[0];
}

static void show_dims(const int *dims, int rank, char text[64])
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < rank; i++)
        at += (size_t)snprintf(text + at, 64 - at, "%s%d", i ? ", " : "", dims[i]);
}

static s2clr_status check_shape(const loading *l, const s2clr_param *param,
                                const s2clr_keras_array *array, s2clr_keras_role role)
{
    int dims[4] = {0};
    char found[64], wanted[64];
    bool same = array->rank == param->rank;
    wanted_dims(param, role, dims);
    for (int i = 0; same && i < param->rank; i++) same = array->dims[i] == dims[i];
    if (same) return S2CLR_OK;
    show_dims(array->dims, array->rank, found);
    show_dims(dims, param->rank, wanted);
    const s2clr_arch *arch = s2clr_net_arch(l->net);
    const bool colours = role == S2CLR_KERAS_KERNEL && array->rank == 4 && array->dims[2] == 3 &&
                         dims[2] == arch->channels;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: '%.200s' has shape (%s), %s with %d channels and %d outputs wants "
                           "(%s)%s",
                           s2clr_keras_path(l->file), array->path, found, arch->name,
                           arch->channels, arch->outputs, wanted,
                           colours ? ": --inflate makes weights for colours fit" : "");
}

/* (rows, columns, in, out) to (out, in, rows, columns); depthwise kernels have in and out swapped.
 */
static void turn(const s2clr_param *param, s2clr_keras_role role, const float *from, float *to)
{
    const bool depthwise = role == S2CLR_KERAS_DEPTHWISE;
    const size_t outs = (size_t)param->dims[0], ins = (size_t)param->dims[1];
    const size_t area = param->rank == 4 ? (size_t)param->dims[2] * (size_t)param->dims[3] : 1;
    for (size_t o = 0; o < outs; o++)
        for (size_t i = 0; i < ins; i++)
            for (size_t k = 0; k < area; k++)
                to[(o * ins + i) * area + k] =
                    from[k * ins * outs + (depthwise ? o * ins + i : i * outs + o)];
}

/* A classifier of rank 4 in our files (timm's) is a dense layer in Keras'. */
static s2clr_param as_stored(const s2clr_param *param, const s2clr_keras_array *array)
{
    s2clr_param out = *param;
    if (array->rank == 2 && param->rank == 4 && param->dims[2] == 1 && param->dims[3] == 1)
        out.rank = 2;
    return out;
}

static s2clr_status load_array(const loading *l, const s2clr_param *own,
                               const s2clr_keras_array *array, s2clr_keras_role role)
{
    const s2clr_param stored = as_stored(own, array), *param = &stored;
    float *to = l->params + param->offset, *values;
    S2CLR_TRY(check_shape(l, param, array, role));
    if (param->rank == 1) return s2clr_keras_read(l->file, array, to);
    S2CLR_TRY(s2clr_alloc(array->count, sizeof *values, "weights", (void **)&values));
    const s2clr_status status = s2clr_keras_read(l->file, array, values);
    if (status == S2CLR_OK) turn(param, role, values, to);
    s2clr_free(values);
    return status;
}

static s2clr_status load_param(const loading *l, const s2clr_param *param)
{
    const s2clr_node *node = s2clr_net_node(l->net, (size_t)param->node);
    const s2clr_keras_role role = role_of(node, param);
    char layer[S2CLR_KERAS_NAME];
    S2CLR_TRY(s2clr_keras_names_of(l->names, node, param->node, layer));
    const s2clr_keras_array *array = s2clr_keras_find(l->file, layer, role);
    if (array) return load_array(l, param, array, role);
    /* scale=False: the factors are 1. The layer itself has to be there. */
    if (role == S2CLR_KERAS_GAMMA && s2clr_keras_find(l->file, layer, S2CLR_KERAS_BETA)) {
        for (size_t i = 0; i < param->count; i++) l->params[param->offset + i] = 1;
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_MISMATCH, "%s: layer '%s' has no array '%s', which %s needs%s",
                           s2clr_keras_path(l->file), layer, s2clr_keras_role_name(role),
                           s2clr_net_arch(l->net)->name,
                           strcmp(layer, "predictions") == 0
                               ? ": saved without its top? Import it as an encoder, with "
                                 "\"outputs\": 0 in the card's architecture"
                               : "");
}

static s2clr_status load(const s2clr_keras_file *file, const s2clr_net *net, float *params)
{
    const s2clr_param *list;
    const size_t count = s2clr_net_param_list(net, &list);
    s2clr_keras_names *names;
    S2CLR_TRY(s2clr_keras_names_new(net, file, &names));
    const loading l = {file, names, net, params};
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; i < count && status == S2CLR_OK; i++) status = load_param(&l, &list[i]);
    s2clr_keras_names_free(names);
    return status;
}

static s2clr_status load_file(const char *path, const s2clr_net *net, float *params)
{
    s2clr_keras_file *file;
    S2CLR_TRY(s2clr_keras_open(path, &file));
    const s2clr_status status = load(file, net, params);
    s2clr_keras_close(file);
    return status;
}

/* libhdf5 can be brought down by a damaged file. A child goes first, so that this process does not
 * fall with it; what the child read is thrown away. */
static s2clr_status try_in_child(const char *path, const s2clr_net *net, float *params)
{
    int how = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        const int silence = open("/dev/null", O_WRONLY);
        if (silence >= 0) dup2(silence, STDERR_FILENO);
        load_file(path, net, params);
        _exit(0);
    }
    if (child < 0) return S2CLR_OK; /* no room for a child: go without */
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR) return S2CLR_OK;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_FORMAT, "%s: reading it made libhdf5 fail: the file is damaged; get it once more",
        path);
}

s2clr_status s2clr_keras_load(const char *path, const s2clr_net *net, float *params)
{
    S2CLR_TRY(try_in_child(path, net, params));
    return load_file(path, net, params);
}
