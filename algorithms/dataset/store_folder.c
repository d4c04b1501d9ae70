/* The folder of a store: names in it, and the lock that keeps a second writer out. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/pstore.h"

s2clr_status s2clr_store_path(const char *folder, const char *name, char **out)
{
    size_t length = strlen(folder);
    char *path;
    while (length > 1 && folder[length - 1] == '/') length--;
    const size_t room = length + strlen(name) + 2;
    S2CLR_TRY(s2clr_alloc(room, 1, "file name", (void **)&path));
    snprintf(path, room, "%.*s/%s", (int)length, folder, name);
    *out = path;
    return S2CLR_OK;
}

/* flock() on the folder itself: nothing is left behind, and the kernel frees it after a kill. */
s2clr_status s2clr_store_lock(const char *folder, int *descriptor)
{
    const int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot open: %s; wanted: the folder of a store",
                               folder, strerror(errno));
    if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
        *descriptor = opened;
        return S2CLR_OK;
    }
    const int error = errno;
    close(opened);
    if (error == EWOULDBLOCK)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: another program is writing to this store; wait until it has "
                               "finished",
                               folder);
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot be locked: %s; make stores on a local disk, and copy them "
                           "when finished",
                           folder, strerror(error));
}
