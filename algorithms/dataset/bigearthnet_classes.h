/*
 * THE table of BigEarthNet's 43 classes (CORINE Land Cover, level 3), in the order of the archive's
 * label_indices.json, which is the order of the multi-hot vectors in the training records.
 *
 *     s2clr_bigearthnet_class_find("Permanently irrigated land") == 12
 */
#ifndef S2CLR_DATASET_BIGEARTHNET_CLASSES_H
#define S2CLR_DATASET_BIGEARTHNET_CLASSES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define S2CLR_BIGEARTHNET_CLASSES 43

extern const char *const s2clr_bigearthnet_classes[S2CLR_BIGEARTHNET_CLASSES];

/* Index of a class name, or -1. */
int s2clr_bigearthnet_class_find(const char *name);

/* True for the names that only the nomenclature of 19 classes has ("Arable land"). */
bool s2clr_bigearthnet_class_merged(const char *name);

/* What "regular", "expanded" or class names with commas between mean; names that hold commas
 * themselves are understood. */
s2clr_status s2clr_bigearthnet_positive(const char *text, bool positive[S2CLR_BIGEARTHNET_CLASSES]);

#endif
