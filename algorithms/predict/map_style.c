#include "predict/map_style.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/file_replace.h"
#include "predict/colour_ramp.h"
#include "predict/pmap_style.h"

enum { LOOKED_AT = 512 };

/* map.tif, "entropy" -> map.entropy.qml: the name QGIS looks for has the last ending exchanged. */
static s2clr_status name_style(const char *map, const char *quantity,
                               char out[S2CLR_OUTPUT_PATH_MAX])
{
    const char *slash = strrchr(map, '/'), *base = slash ? slash + 1 : map;
    const char *dot = strrchr(base, '.');
    const int stem = (int)(dot && dot > base ? (size_t)(dot - map) : strlen(map));
    const int wrote = snprintf(out, S2CLR_OUTPUT_PATH_MAX, "%.*s%s%s.qml", stem, map,
                               quantity ? "." : "", quantity ? quantity : "");
    if (wrote > 0 && wrote < S2CLR_OUTPUT_PATH_MAX) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.80s...: the name is too long", map);
}

/* Nothing is there, or what this suite has written. */
static bool may_write(const char *path)
{
    char start[LOOKED_AT + 1];
    FILE *from = fopen(path, "r");
    if (!from) return access(path, F_OK) != 0;
    start[fread(start, 1, LOOKED_AT, from)] = '\0';
    fclose(from);
    return strstr(start, S2CLR_STYLE_MARK) != NULL;
}

static s2clr_status write_one(const char *path, const s2clr_writer_band *band, int number)
{
    char *qml;
    S2CLR_TRY(s2clr_style_band(band, number, &qml));
    const s2clr_piece piece = {.at = qml, .size = strlen(qml)};
    const s2clr_status status = s2clr_file_replace(path, &piece, 1);
    s2clr_free(qml);
    return status;
}

static bool is_new(const char *quantity, const s2clr_writer_band *band, int number)
{
    for (int i = 0; i < number; i++)
        if (band[i].quantity && strcmp(band[i].quantity, quantity) == 0) return false;
    return true;
}

static void remove_one(const char *map, const char *quantity)
{
    char path[S2CLR_OUTPUT_PATH_MAX];
    if (name_style(map, quantity, path) == S2CLR_OK && may_write(path)) unlink(path);
}

void s2clr_map_styles_remove(const char *map)
{
    const s2clr_ramp *ramp;
    if (strncmp(map, "/vsi", 4) == 0) return;
    remove_one(map, NULL);
    for (size_t i = 0; (ramp = s2clr_ramp_at(i)); i++) remove_one(map, ramp->quantity);
}

s2clr_status s2clr_map_styles_write(const char *map, const s2clr_writer_band *band, int bands,
                                    s2clr_style_told *told)
{
    s2clr_style_told own = {.file = ""};
    const bool local = strncmp(map, "/vsi", 4) != 0;
    s2clr_map_styles_remove(map); /* those of an earlier map may speak of other bands */
    for (int i = 0; local && i < bands; i++) {
        char path[S2CLR_OUTPUT_PATH_MAX];
        const char *quantity = band[i].quantity;
        if (!quantity || !s2clr_ramp_of(quantity) || !is_new(quantity, band, i)) continue;
        S2CLR_TRY(name_style(map, i ? quantity : NULL, path));
        const bool free_name = may_write(path);
        if (free_name) S2CLR_TRY(write_one(path, &band[i], i + 1));
        if (i > 0) continue;
        memcpy(own.file, path, sizeof own.file);
        own.kept = !free_name;
    }
    *told = own;
    return S2CLR_OK;
}
