/*
 * From Keras' arrays to the parameters of our networks.
 *
 *     S2CLR_TRY(s2clr_keras_load("resnet50.weights.h5", net, params));
 *
 * Architectures with an entry in the table of keras_names.c only: keras.applications' ResNet50,
 * ResNet152, ResNet101V2, Xception and InceptionV3. Kernels (rows, columns, in, out) become (out,
 * in, rows, columns), depthwise ones (channels, 1, rows, columns), dense ones (out, in); a batch
 * norm that was made with scale=False has gamma 1.
 */
#ifndef S2CLR_IMPORT_KERAS_WEIGHTS_H
#define S2CLR_IMPORT_KERAS_WEIGHTS_H

#include "net/net.h"

/* Is this an HDF5 file, by its first bytes? False also when it cannot be read. */
bool s2clr_keras_identify(const char *path);

/* params: (param_count). Every parameter must be in the file in the right shape; what the file has
 * besides is left alone (the 1000 classes of a network that is imported as an encoder). */
s2clr_status s2clr_keras_load(const char *path, const s2clr_net *net, float *params);

#endif
