/*
 * Private to import_weights/.
 */
#ifndef S2CLR_IMPORT_PKERAS_H
#define S2CLR_IMPORT_PKERAS_H

#include <stdbool.h>
#include <stdint.h>

#include "import_weights/keras_file.h"
#include "net/net.h"

#define S2CLR_KERAS_ARRAYS_MAX 16384

struct s2clr_keras_file {
    char *path;
    int64_t handle;           /* hid_t */
    s2clr_keras_array *array; // (arrays)
    size_t arrays, room;
};

bool s2clr_keras_role_find(const char *name, s2clr_keras_role *out);

/* Gives the arrays from `first` on, all of one layer of Keras 3, their roles. */
s2clr_status s2clr_keras_name_numbered(s2clr_keras_file *file, size_t first);

/* keras_names.c: which layer holds the weights of `node`, number `index` of the network: a
 * convolution, a linear layer or a batch norm. S2CLR_ERR_UNSUPPORTED for architectures that Keras
 * has not. */
typedef struct s2clr_keras_names s2clr_keras_names;
s2clr_status s2clr_keras_names_new(const s2clr_net *net, const s2clr_keras_file *file,
                                   s2clr_keras_names **out);
void s2clr_keras_names_free(s2clr_keras_names *names);
s2clr_status s2clr_keras_names_of(const s2clr_keras_names *names, const s2clr_node *node, int index,
                                  char layer[S2CLR_KERAS_NAME]);

#endif
