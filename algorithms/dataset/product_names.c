#include "dataset/product_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "dataset/patch_record.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "20221005" or "2022-10-05" at `text`: the day as a text, and how long it is. */
static size_t day_at(const char *text, char date[11])
{
    const size_t digits = strspn(text, "0123456789");
    int ymd[3];
    if (digits == 8)
        snprintf(date, 11, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    else if (digits == 4 && strnlen(text, 10) == 10)
        snprintf(date, 11, "%.10s", text);
    else
        return 0;
    return s2clr_date_parse(date, ymd) && ymd[0] >= 1970 ? (digits == 8 ? 8 : 10) : 0;
}

bool s2clr_product_date(const char *text, char date[11])
{
    for (const char *p = text; *p; p++) {
        char day[11];
        const size_t length = !is_digit(*p) || (p > text && is_digit(p[-1])) ? 0 : day_at(p, day);
        if (!length || is_digit(p[length])) continue;
        memcpy(date, day, sizeof day);
        return true;
    }
    return false;
}

bool s2clr_product_tile(const char *text, char tile[8])
{
    for (const char *p = text; *p; p++) {
        if (*p != 'T' || (p > text && isalnum((unsigned char)p[-1]))) continue;
        if (strspn(p + 1, "0123456789") != 2) continue;
        if (strspn(p + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || isalnum((unsigned char)p[6]))
            continue;
        memcpy(tile, p, 6);
        tile[6] = '\0';
        return true;
    }
    return false;
}

/* SENTINEL2_L2A:/a/b/MTD_MSIL2A.xml:10m:EPSG_32629 -> the path between the colons. */
static void strip_subdataset(const char **path, size_t *length)
{
    if (strncmp(*path, "SENTINEL2_L", 11) != 0) return;
    const char *start = strchr(*path, ':');
    const char *end = start ? strstr(start, ".xml:") : NULL;
    if (!end) return;
    *path = start + 1;
    *length = (size_t)(end + 4 - *path);
}

bool s2clr_path_component(const char *path, int back, char *out, size_t size)
{
    size_t length = strlen(path);
    strip_subdataset(&path, &length);
    for (;; back--) {
        while (length && path[length - 1] == '/') length--;
        size_t start = length;
        while (start && path[start - 1] != '/') start--;
        const size_t n = length - start;
        if (n == 0 || (back == 0 && n >= size)) return false;
        if (back == 0) {
            memcpy(out, path + start, n);
            out[n] = '\0';
            return true;
        }
        length = start;
    }
}
