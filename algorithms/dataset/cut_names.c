#include <cpl_vsi.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dataset/cuts.h"
#include "dataset/product_names.h"
#include "sentinel2/bands.h"
#include "sentinel2/gdal_watch.h"

enum { DATES_BYTES_MAX = 1 << 16 };

/* ".SAFE.zip", ".SAFE", ".tif" and the like. */
static void strip_ending(char *name)
{
    static const char *const endings[] = {".zip", ".SAFE", ".tif", ".tiff", ".vrt", ".jp2", ".img"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t n = strlen(name), m = strlen(endings[i]);
        if (n > m && strcasecmp(name + n - m, endings[i]) == 0) name[n - m] = '\0';
    }
}

/* Keeps names of patches free of what only a path or a subdataset has. */
static void make_plain(char *name)
{
    for (char *p = name; *p; p++)
        if (*p == '/' || *p == ':' || *p == '"' || (unsigned char)*p < ' ') *p = '_';
}

/* The part of a path that names the product: not MTD_*.xml, and not a file named after its band
 * when the stack has several. */
static int naming_part(const s2clr_cut *cut)
{
    char last[S2CLR_CUT_TEXT];
    const char *path = cut->inputs[0];
    if (!s2clr_path_component(path, 0, last, sizeof last)) return 0;
    if (strncmp(last, "MTD_", 4) == 0) return 1;
    return cut->count > 1 && s2clr_band_in_filename(last) ? 1 : 0;
}

static size_t put(char *out, size_t at, const char *text)
{
    const int n = snprintf(out + at, S2CLR_CUT_TEXT - at, "%s", text);
    const size_t end = at + (n > 0 ? (size_t)n : 0);
    return end < S2CLR_CUT_TEXT ? end : S2CLR_CUT_TEXT - 1;
}

/* A name without a date ("date1", "B04") says little: the folder's name goes before it. */
static void set_stem(s2clr_cut *cut, int part)
{
    char name[S2CLR_CUT_TEXT], above[S2CLR_CUT_TEXT], date[11];
    if (!s2clr_path_component(cut->inputs[0], part, name, sizeof name))
        snprintf(name, sizeof name, "scene");
    strip_ending(name);
    make_plain(name);
    size_t at = 0;
    cut->stem[0] = '\0';
    if (!s2clr_product_date(name, date) &&
        s2clr_path_component(cut->inputs[0], part + 1, above, sizeof above) &&
        strcmp(above, ".") != 0 && strcmp(above, "..") != 0) {
        strip_ending(above);
        make_plain(above);
        at = put(cut->stem, 0, above);
        at = put(cut->stem, at, "_");
    }
    put(cut->stem, at, name);
}

static bool read_small(const char *path, char text[DATES_BYTES_MAX])
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    VSILFILE *file = VSIFOpenL(path, "rb");
    const size_t n = file ? VSIFReadL(text, 1, DATES_BYTES_MAX - 1, file) : 0;
    if (file) VSIFCloseL(file);
    s2clr_gdal_watch_end(&watch);
    text[n] = '\0';
    return n > 0;
}

/* Equal but for case and everything that is neither letter nor digit; the key ends at a colon. */
static bool same_key(const char *line, const char *key)
{
    for (;; line++, key++) {
        while (*line && *line != ':' && !isalnum((unsigned char)*line)) line++;
        while (*key && !isalnum((unsigned char)*key)) key++;
        if (*line == ':' || !*line || !*key) return *line == ':' && !*key;
        if (tolower((unsigned char)*line) != tolower((unsigned char)*key)) return false;
    }
}

bool s2clr_cut_dates_txt(const char *folder, const char *key, char date[11])
{
    char path[4096], text[DATES_BYTES_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/dates.txt", folder) >= sizeof path) return false;
    if (!read_small(path, text)) return false;
    for (char *line = text; *line;) {
        const size_t n = strcspn(line, "\r\n");
        const bool last = line[n] == '\0';
        line[n] = '\0';
        const char *colon = strchr(line, ':');
        if (colon && same_key(line, key)) return s2clr_product_date(colon, date);
        if (last) return false;
        line += n + 1;
    }
    return false;
}

/* dates.txt beside the folder of the stack, else inside it. */
static void date_from_file(s2clr_cut *cut, int part)
{
    char folder[4096], name[S2CLR_CUT_TEXT];
    if (!s2clr_path_component(cut->inputs[0], part, name, sizeof name)) return;
    snprintf(folder, sizeof folder, "%s", cut->inputs[0]);
    for (int i = 0; i <= part; i++) {
        size_t n = strlen(folder);
        while (n > 1 && folder[n - 1] == '/') folder[--n] = '\0';
        char *slash = strrchr(folder, '/');
        if (!slash) {
            snprintf(folder, sizeof folder, ".");
            break;
        }
        *slash = '\0';
    }
    s2clr_cut_dates_txt(folder, name, cut->date);
}

void s2clr_cut_name(s2clr_cut *cut)
{
    const int part = naming_part(cut);
    set_stem(cut, part);
    for (int back = 0; back <= part + 2 && !cut->date[0]; back++) {
        char name[S2CLR_CUT_TEXT];
        if (!s2clr_path_component(cut->inputs[0], back, name, sizeof name)) continue;
        s2clr_product_date(name, cut->date);
        if (!cut->tile[0]) s2clr_product_tile(name, cut->tile);
    }
    if (!cut->date[0]) date_from_file(cut, part);
}
