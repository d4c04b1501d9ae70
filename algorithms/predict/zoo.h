/*
 * The model zoo: where the shipped models are found, and what a name on the command line means.
 *
 *     char path[S2CLR_ZOO_PATH];
 *     S2CLR_TRY(s2clr_zoo_resolve(NULL, path));       // the default model
 */
#ifndef S2CLR_PREDICT_ZOO_H
#define S2CLR_PREDICT_ZOO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The model taken when none is named. */
#define S2CLR_DEFAULT_MODEL "dense-l2a-permanentcrop"

#define S2CLR_ZOO_PATH 4096

/* The i-th folder searched ($S2CLR_ZOO, models/zoo of the source tree that the program or plug-in
 * was built in, the installed one), or false past the end. */
bool s2clr_zoo_folder(size_t index, char path[S2CLR_ZOO_PATH]);

/* A model named by the user: a file, or a name without slash in the zoo; NULL: the default. */
s2clr_status s2clr_zoo_resolve(const char *name, char path[S2CLR_ZOO_PATH]);

/* The same without looking at files of the current folder. */
s2clr_status s2clr_zoo_find(const char *name, char path[S2CLR_ZOO_PATH]);

typedef struct s2clr_zoo_names {
    char **name; // (count) without ".safetensors", sorted, no doubles; owned
    size_t count;
} s2clr_zoo_names;

s2clr_status s2clr_zoo_list(s2clr_zoo_names *out);
void s2clr_zoo_names_free(s2clr_zoo_names *names);

#endif
