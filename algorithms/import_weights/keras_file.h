/*
 * Weights that Keras saved in HDF5: named arrays by layer and role.
 *
 *     s2clr_keras_file *file;
 *     S2CLR_TRY(s2clr_keras_open("resnet50.weights.h5", &file));
 *     const s2clr_keras_array *kernel = s2clr_keras_find(file, "conv1_conv", S2CLR_KERAS_KERNEL);
 *     S2CLR_TRY(s2clr_keras_read(file, kernel, values)); // kernel->count floats
 *     s2clr_keras_close(file);
 *
 * Read are Keras 2's files (a group per layer, arrays "kernel:0"), alone or in a whole saved model
 * ("model_weights"), and Keras 3's "*.weights.h5" (a group "vars" per layer, whose attribute tells
 * the layer's name). Shapes are checked before anything is allocated; libhdf5 itself judges whether
 * the file is sound. One thread at a time: the library has a state of its own.
 */
#ifndef S2CLR_IMPORT_KERAS_FILE_H
#define S2CLR_IMPORT_KERAS_FILE_H

#include <stddef.h>

#include "base/status.h"

#define S2CLR_KERAS_NAME 96

typedef enum s2clr_keras_role {
    S2CLR_KERAS_KERNEL, /* (rows, columns, in, out), or (in, out) of a dense layer */
    S2CLR_KERAS_BIAS,
    S2CLR_KERAS_DEPTHWISE, /* (rows, columns, in, 1) */
    S2CLR_KERAS_POINTWISE, /* (1, 1, in, out) */
    S2CLR_KERAS_GAMMA,
    S2CLR_KERAS_BETA,
    S2CLR_KERAS_MEAN,
    S2CLR_KERAS_VARIANCE,
    S2CLR_KERAS_ROLES
} s2clr_keras_role;

typedef struct s2clr_keras_array {
    char layer[S2CLR_KERAS_NAME];
    char path[512]; /* in the file */
    s2clr_keras_role role;
    int rank;
    int dims[4];
    size_t count;
} s2clr_keras_array;

typedef struct s2clr_keras_file s2clr_keras_file;

/* S2CLR_ERR_UNSUPPORTED when the program was built without libhdf5. */
s2clr_status s2clr_keras_open(const char *path, s2clr_keras_file **out);
void s2clr_keras_close(s2clr_keras_file *file);

const char *s2clr_keras_path(const s2clr_keras_file *file);
size_t s2clr_keras_list(const s2clr_keras_file *file, const s2clr_keras_array **out);

/* Borrowed, or NULL. */
const s2clr_keras_array *s2clr_keras_find(const s2clr_keras_file *file, const char *layer,
                                          s2clr_keras_role role);

s2clr_status s2clr_keras_read(const s2clr_keras_file *file, const s2clr_keras_array *array,
                              float *out);

/* "kernel", "moving_mean": as Keras calls it. */
const char *s2clr_keras_role_name(s2clr_keras_role role);

#endif
