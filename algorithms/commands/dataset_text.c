#include "commands/dataset_text.h"

#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* "eurosat_rgb.zip, 27000 patches, names and labels SHA-256 1f0c...". */
void s2clr_dataset_text(const char *path, const s2clr_samples *all, char *out, size_t size)
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    sha256_init(&context);
    for (size_t i = 0; i < all->count; i++) {
        const uint8_t label = (uint8_t)all->labels[i];
        sha256_update(&context, strlen(all->names[i]) + 1, (const uint8_t *)all->names[i]);
        sha256_update(&context, 1, &label);
    }
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') start--;
    char name[300], shown[500];
    snprintf(name, sizeof name, "%.*s", (int)(length - start), path + start);
    s2clr_utf8_show(name, shown, sizeof shown);
    snprintf(out, size, "%s, %zu patches, SHA-256 of names and labels %s", shown, all->count, hex);
}
