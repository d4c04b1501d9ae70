#include "import_weights/keras_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "import_weights/pkeras.h"

static const char *const role_names[S2CLR_KERAS_ROLES] = {
    "kernel", "bias", "depthwise_kernel", "pointwise_kernel",
    "gamma",  "beta", "moving_mean",      "moving_variance"};

const char *s2clr_keras_role_name(s2clr_keras_role role)
{
    return role_names[role];
}

const char *s2clr_keras_path(const s2clr_keras_file *file)
{
    return file->path;
}

size_t s2clr_keras_list(const s2clr_keras_file *file, const s2clr_keras_array **out)
{
    *out = file->array;
    return file->arrays;
}

const s2clr_keras_array *s2clr_keras_find(const s2clr_keras_file *file, const char *layer,
                                          s2clr_keras_role role)
{
    for (size_t i = 0; i < file->arrays; i++)
        if (file->array[i].role == role && strcmp(file->array[i].layer, layer) == 0)
            return &file->array[i];
    return NULL;
}

/* ---- what an array is ---- */

/* "kernel:0" or "kernel". */
bool s2clr_keras_role_find(const char *name, s2clr_keras_role *out)
{
    const size_t length = strcspn(name, ":");
    for (int i = 0; i < S2CLR_KERAS_ROLES; i++) {
        if (strlen(role_names[i]) == length && strncmp(role_names[i], name, length) == 0) {
            *out = (s2clr_keras_role)i;
            return true;
        }
    }
    return false;
}

/* Keras 3 numbers a layer's arrays: those of a batch norm are vectors, three of them when it was
 * made with scale=False; a separable convolution has two kernels. */
static s2clr_keras_role numbered_role(int number, int count, int rank, int second_rank)
{
    static const s2clr_keras_role norm[] = {S2CLR_KERAS_GAMMA, S2CLR_KERAS_BETA, S2CLR_KERAS_MEAN,
                                            S2CLR_KERAS_VARIANCE};
    if (rank == 1) return norm[count == 4 ? number : number + 1];
    if (number == 0) return second_rank == 4 ? S2CLR_KERAS_DEPTHWISE : S2CLR_KERAS_KERNEL;
    return number == 1 && second_rank == 4 ? S2CLR_KERAS_POINTWISE : S2CLR_KERAS_BIAS;
}

/* Arrays of one layer, from `first` on, in the order of their numbers. */
s2clr_status s2clr_keras_name_numbered(s2clr_keras_file *file, size_t first)
{
    s2clr_keras_array *array = file->array + first;
    const int count = (int)(file->arrays - first);
    const int rank = count ? array[0].rank : 0, second = count > 1 ? array[1].rank : 0;
    if (count > 4 || (rank == 1 && count < 3))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: layer '%.80s' has %d arrays, no layer that is known here has",
                               file->path, array[0].layer, count);
    for (int i = 0; i < count; i++) array[i].role = numbered_role(i, count, rank, second);
    return S2CLR_OK;
}
