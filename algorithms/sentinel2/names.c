#include "sentinel2/pnames.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool s2clr_name_starts(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

bool s2clr_name_ends(const char *text, const char *suffix)
{
    const size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcasecmp(text + n - m, suffix) == 0;
}

/* Start and length of the component that ends before `end`. */
static const char *component_before(const char *path, const char *end, size_t *length)
{
    while (end > path && end[-1] == '/') end--;
    const char *start = end;
    while (start > path && start[-1] != '/') start--;
    *length = (size_t)(end - start);
    return start;
}

static void copy_part(const char *start, size_t length, char *out, size_t size)
{
    const size_t n = length < size - 1 ? length : size - 1;
    memcpy(out, start, n);
    out[n] = '\0';
}

void s2clr_name_last(const char *path, char *out, size_t size)
{
    size_t length;
    const char *start = component_before(path, path + strlen(path), &length);
    copy_part(start, length, out, size);
}

bool s2clr_name_has_word(const char *text, const char *word)
{
    const size_t n = strlen(word);
    bool inside = false; /* the character before `text` belongs to a word */
    for (; *text; text++) {
        if (!inside && strncasecmp(text, word, n) == 0 && !isalnum((unsigned char)text[n]))
            return true;
        inside = isalnum((unsigned char)*text) != 0;
    }
    return false;
}

static bool says_level(const char *component, const char *level)
{
    char product[8] = "MSI";
    strcat(product, level);
    return s2clr_name_has_word(component, product) || s2clr_name_has_word(component, level);
}

const char *s2clr_name_level(const char *path, char *component, size_t size)
{
    const char *end = path + strlen(path);
    while (end > path) {
        size_t length;
        char part[256];
        const char *start = component_before(path, end, &length);
        copy_part(start, length, part, sizeof part);
        const bool l1c = says_level(part, "L1C"), l2a = says_level(part, "L2A");
        if (l1c != l2a) {
            copy_part(part, strlen(part), component, size);
            return l1c ? "L1C" : "L2A";
        }
        end = start;
    }
    return NULL;
}

bool s2clr_name_baseline(const char *path, char out[16])
{
    const char *p = strstr(path, "_MSIL");
    while (p && *p) {
        const char *slash = strchr(p, '/');
        const char *end = slash ? slash : p + strlen(p);
        for (; p < end; p++) {
            if (strncmp(p, "_N", 2) != 0 || strspn(p + 2, "0123456789") != 4) continue;
            if (p[6] != '_') continue;
            if (strncmp(p + 2, "9999", 4) == 0) continue; /* somebody's own processing */
            const char text[] = {p[2], p[3], '.', p[4], p[5], '\0'};
            memcpy(out, text, sizeof text);
            return true;
        }
        p = strstr(end, "_MSIL");
    }
    return false;
}

int s2clr_name_metres(const char *path)
{
    static const int metres[] = {10, 20, 60};
    const bool subdataset = s2clr_name_starts(path, "SENTINEL2_L");
    char name[256], suffix[16], part[16];
    s2clr_name_last(path, name, sizeof name);
    char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof metres / sizeof metres[0]; i++) {
        snprintf(part, sizeof part, ":%dm:", metres[i]);
        if (subdataset && strstr(name, part)) return metres[i];
    }
    if (dot) *dot = '\0';
    for (size_t i = 0; i < sizeof metres / sizeof metres[0]; i++) {
        snprintf(suffix, sizeof suffix, "_%dm", metres[i]);
        if (s2clr_name_ends(name, suffix)) return metres[i];
    }
    return 0;
}
