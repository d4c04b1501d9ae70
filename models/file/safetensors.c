#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/psafetensors.h"

static s2clr_status map_descriptor(int descriptor, s2clr_tensors *file)
{
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot read: %s", file->path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return s2clr_error_set(S2CLR_ERR_IO, "%s: not a regular file", file->path);
    if (info.st_size == 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: the file is empty, wanted a safetensors file",
                               file->path);
    if ((uint64_t)info.st_size > SIZE_MAX)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: too large to be mapped", file->path);
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot map the file: %s", file->path,
                               strerror(errno));
    file->bytes = bytes;
    file->size = (size_t)info.st_size;
    file->mapped = true;
    return S2CLR_OK;
}

static s2clr_status map_file(s2clr_tensors *file)
{
    /* O_NONBLOCK: opening a pipe by mistake must not hang. */
    const int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot open: %s", file->path, strerror(errno));
    const s2clr_status status = map_descriptor(descriptor, file);
    close(descriptor);
    return status;
}

static s2clr_status finish(s2clr_tensors *file, s2clr_status status, s2clr_tensors **out)
{
    if (status == S2CLR_OK) status = s2clr_tensors_read_header(file);
    if (status != S2CLR_OK) {
        s2clr_tensors_close(file);
        return status;
    }
    *out = file;
    return S2CLR_OK;
}

s2clr_status s2clr_tensors_open(const char *path, s2clr_tensors **out)
{
    s2clr_tensors *file;
    S2CLR_TRY(s2clr_alloc(1, sizeof *file, path, (void **)&file));
    s2clr_status status = s2clr_strdup(path, &file->path);
    if (status == S2CLR_OK) status = map_file(file);
    return finish(file, status, out);
}

s2clr_status s2clr_tensors_parse(const void *bytes, size_t size, const char *name,
                                 s2clr_tensors **out)
{
    s2clr_tensors *file;
    S2CLR_TRY(s2clr_alloc(1, sizeof *file, name, (void **)&file));
    file->bytes = bytes;
    file->size = size;
    return finish(file, s2clr_strdup(name, &file->path), out);
}

void s2clr_tensors_close(s2clr_tensors *file)
{
    if (!file) return;
    if (file->mapped) munmap((void *)(uintptr_t)file->bytes, file->size);
    json_decref(file->header);
    s2clr_free(file->tensors);
    s2clr_free(file->by_name);
    s2clr_free(file->path);
    s2clr_free(file);
}

size_t s2clr_tensors_list(const s2clr_tensors *file, const s2clr_tensor **out)
{
    *out = file->tensors;
    return file->count;
}

static int compare_key(const void *key, const void *element)
{
    return strcmp(key, (*(const s2clr_tensor *const *)element)->name);
}

const s2clr_tensor *s2clr_tensors_find(const s2clr_tensors *file, const char *name)
{
    const s2clr_tensor **found =
        bsearch(name, file->by_name, file->count, sizeof *file->by_name, compare_key);
    return found ? *found : NULL;
}

const char *s2clr_tensors_metadata(const s2clr_tensors *file, const char *key)
{
    return json_string_value(
        json_object_get(json_object_get(file->header, S2CLR_TENSORS_METADATA), key));
}

void s2clr_tensors_sha256(const s2clr_tensors *file, char hex[65])
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, file->size, file->bytes);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
