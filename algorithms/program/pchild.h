/* Private to child.c, child_spawn.c and child_gather.c: one child and what it says. */
#ifndef S2CLR_PROGRAM_PCHILD_H
#define S2CLR_PROGRAM_PCHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

typedef struct s2clr_spawned {
    pid_t process;
    int out, err; /* the ends to read; -1: closed */
} s2clr_spawned;

/* Starts words[0], as s2clr_child_run() says; the caller waits for it and closes out and err. */
s2clr_status s2clr_spawn(const char *const *words, const char *const *settings, s2clr_spawned *out);

/* What one stream has said so far. */
typedef struct s2clr_gathered {
    bool lines;       /* take progress lines out, fail at the limit; else keep the last part */
    const char *what; /* for messages, borrowed */
    bool progressed;  /* there was a progress line */
    double fraction;  /* of the last one */
    char *bytes;
    size_t count, room;
    size_t line; /* where the unfinished line starts */
} s2clr_gathered;

s2clr_status s2clr_gathered_add(s2clr_gathered *to, const char *bytes, size_t count);

/* All of it as text, NUL-terminated; the caller frees it. */
s2clr_status s2clr_gathered_text(const s2clr_gathered *from, char **out);
void s2clr_gathered_free(s2clr_gathered *from);

#endif
