#include "sentinel2/bands.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "sentinel2/pnames.h"

/* Wavelengths: Sentinel-2A, Sentinel-2 Products Specification Document. Aliases: the BANDNAME of
 * GDAL's SENTINEL2 driver, STAC eo:common_name, and what people write. Codes ("b4") come first. */
static const s2clr_band table[] = {
    {"B01", "b1,coastal,coastal aerosol,aerosol", 0, 442.7, 60},
    {"B02", "b2,blue", 1, 492.4, 10},
    {"B03", "b3,green", 2, 559.8, 10},
    {"B04", "b4,red", 3, 664.6, 10},
    {"B05", "b5,rededge1,red edge 1,rededge071,re1", 4, 704.1, 20},
    {"B06", "b6,rededge2,red edge 2,rededge075,re2", 5, 740.5, 20},
    {"B07", "b7,rededge3,red edge 3,rededge078,re3", 6, 782.8, 20},
    {"B08", "b8,nir", 7, 832.8, 10},
    {"B8A", "b08a,nir08,narrow nir,nir narrow,rededge4,red edge 4,re4", 8, 864.7, 20},
    {"B09", "b9,nir09,water vapour,water vapor", 9, 945.1, 60},
    {"B10", "cirrus", 10, 1373.5, 60},
    {"B11", "swir16,swir1,swir 1", 11, 1613.7, 20},
    {"B12", "swir22,swir2,swir 2", 12, 2202.4, 20},
};
enum { ROWS = sizeof table / sizeof table[0] };

size_t s2clr_band_list(const s2clr_band **out)
{
    *out = table;
    return ROWS;
}

static bool is_code(const char *alias)
{
    return tolower((unsigned char)alias[0]) == 'b' && isdigit((unsigned char)alias[1]);
}

/* Length of `text` that equals the alias (blank, '-' and '_' are the same), 0 if it does not. */
static size_t match_length(const char *text, const char *alias, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const int c = tolower((unsigned char)text[i]), a = tolower((unsigned char)alias[i]);
        const bool blank = c == ' ' || c == '-' || c == '_';
        if (c == '\0' || (a == ' ' ? !blank : c != a)) return 0;
    }
    return length;
}

/* What may follow a name: anything but a letter or digit after a code ("B4_10m"), but only
 * punctuation after a word, since "red edge" is not "red". */
static bool ends_name(const char *rest, bool code)
{
    if (code) return !isalnum((unsigned char)rest[0]);
    rest += strspn(rest, " \t");
    return rest[0] == '\0' || strchr(",;:(/", rest[0]) != NULL;
}

static size_t match_alias(const char *text, const char *alias, size_t length, bool words)
{
    const bool code = is_code(alias);
    if (!code && !words) return 0;
    const size_t n = match_length(text, alias, length);
    return n && ends_name(text + n, code) ? n : 0;
}

static size_t match_row(const char *text, const s2clr_band *row, bool words)
{
    size_t best = match_alias(text, row->name, strlen(row->name), words);
    for (const char *alias = row->aliases; *alias;) {
        const size_t length = strcspn(alias, ",");
        const size_t n = match_alias(text, alias, length, words);
        if (n > best) best = n;
        alias += length + (alias[length] == ',');
    }
    return best;
}

static const s2clr_band *find(const char *text, bool words)
{
    const s2clr_band *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < ROWS; i++) {
        const size_t n = match_row(text, &table[i], words);
        if (n > longest) longest = n, found = &table[i];
    }
    return found;
}

const s2clr_band *s2clr_band_find(const char *name)
{
    return name ? find(name + strspn(name, " \t"), true) : NULL;
}

const s2clr_band *s2clr_band_in_filename(const char *path)
{
    char name[256];
    if (!path) return NULL;
    s2clr_name_last(path, name, sizeof name);
    char *dot = strrchr(name, '.');
    if (dot) *dot = '\0';
    const s2clr_band *found = NULL, *whole = s2clr_band_find(name);
    bool inside = false;
    for (const char *p = name; *p; p++) {
        const s2clr_band *here = inside ? NULL : find(p, false);
        if (here && found && here != found) return NULL; /* "B04_minus_B03" is no band */
        if (here) found = here;
        inside = isalnum((unsigned char)*p) != 0;
    }
    return found ? found : whole;
}
