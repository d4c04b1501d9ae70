/*
 * The files a stack's pixels come from: for lists of files, and to tell whether they changed.
 *
 *     s2clr_stack_files files;
 *     S2CLR_TRY(s2clr_stack_files_list(stack, &files));
 *     S2CLR_TRY(s2clr_stack_files_check(&files, name));
 *     ... files.name[i] ... if (files.complete) ... stat(files.local[i], ...) ...
 *     s2clr_stack_files_free(&files);
 *
 * Sources of VRT files are followed. What cannot be followed for certain (memory, the network,
 * pixel functions, rasters that are computed) makes the list incomplete, never wrong.
 */
#ifndef S2CLR_SENTINEL2_STACK_FILES_H
#define S2CLR_SENTINEL2_STACK_FILES_H

#include "sentinel2/stack.h"

typedef struct s2clr_stack_files {
    char **name;   /* NULL-terminated, as GDAL lists them: /vsizip/... included */
    char **local;  /* NULL-terminated: the files on disk that hold them, each once */
    bool complete; /* every pixel comes from `local` */
    char *missing; /* a VRT's source that is not there, or NULL */
} s2clr_stack_files;

s2clr_status s2clr_stack_files_list(const s2clr_stack *stack, s2clr_stack_files *out);

/* Every file is still there: to be asked before pixels are computed, for after its first complaint
 * GDAL may read a VRT's missing source as empty, without a word. `name`: the input, for messages.
 */
s2clr_status s2clr_stack_files_check(const s2clr_stack_files *files, const char *name);

void s2clr_stack_files_free(s2clr_stack_files *files);

#endif
