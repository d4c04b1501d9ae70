/*
 * Writing a file whole or not at all: pieces go to PATH.part-PID, are flushed to the disk and
 * renamed. Under the final name there is always a whole file, the old one or the new one.
 */
#ifndef S2CLR_FILE_FILE_REPLACE_H
#define S2CLR_FILE_FILE_REPLACE_H

#include <stddef.h>

#include "base/status.h"

typedef struct s2clr_piece {
    const void *at;
    size_t size;
} s2clr_piece;

s2clr_status s2clr_file_replace(const char *path, const s2clr_piece *pieces, size_t count);

#endif
