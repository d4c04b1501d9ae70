/*
 * What a card says of the data that a model was trained on.
 */
#ifndef S2CLR_COMMANDS_DATASET_TEXT_H
#define S2CLR_COMMANDS_DATASET_TEXT_H

#include <stddef.h>

#include "train/samples.h"

/* "eurosat_rgb.zip, 27000 patches, SHA-256 of names and labels 1f0c...". */
void s2clr_dataset_text(const char *path, const s2clr_samples *all, char *out, size_t size);

#endif
