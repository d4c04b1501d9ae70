#include "predict/map_sides.h"

#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "predict/output_file.h"

static bool is_turned(const s2clr_map_sides *s)
{
    OGRSpatialReferenceH crs = OSRNewSpatialReference(s->wkt);
    const bool geographic = crs && OSRIsGeographic(crs);
    if (crs) OSRDestroySpatialReference(crs);
    return geographic && (s->transform[2] != 0 || s->transform[4] != 0);
}

/* The one band of probabilities. */
static s2clr_status find_band(s2clr_map_sides *s)
{
    int found = 0, told = 0;
    for (int i = 0; i < s->bands; i++) {
        const char *quantity = s->band[i].quantity;
        told += quantity != NULL;
        if (!quantity || strcmp(quantity, "probability") != 0) continue;
        found++;
        s->polygon_band = i + 1;
    }
    if (found == 1) return S2CLR_OK;
    if (told == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: the map does not say what its bands hold, as those of an older "
                               "s2clr do not; make it again, or leave the polygons out",
                               s->polygons);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           found ? "%s: areas are those of one class, and the map holds the "
                                   "probabilities of %d; name one as --bands"
                                 : "%s: areas are those of high probability, and the map has %d "
                                   "bands of it; add it with --bands",
                           s->polygons, found);
}

s2clr_status s2clr_map_sides_check(s2clr_map_sides *s)
{
    if (!s->polygons) return S2CLR_OK;
    S2CLR_TRY(s2clr_polygons_check(s->polygons, s->overwrite));
    if (s2clr_output_same(s->polygons, s->map))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: is the name of the map already; give the polygons another one",
                               s->polygons);
    if (!s->transform || !s->wkt || !s->wkt[0])
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: the input does not say where it lies, so areas would have no "
                               "place and no size; give it a georeference (gdal_edit.py -a_ullr "
                               "-a_srs), or leave the polygons out",
                               s->polygons);
    if (is_turned(s))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: the input is turned against the meridians of its geographic "
                               "CRS, so its areas cannot be measured; turn it first (gdalwarp), or "
                               "leave the polygons out",
                               s->polygons);
    return find_band(s);
}

s2clr_status s2clr_map_sides_make(s2clr_map_sides *s, const char *finished,
                                  const s2clr_progress *progress, double from, double to)
{
    s->made = s->polygons != NULL;
    if (s->made)
        S2CLR_TRY(s2clr_polygons_make(finished, s->polygon_band, s->polygons, progress, from, to,
                                      &s->told));
    if (s->no_style) {
        s2clr_map_styles_remove(s->map);
        return S2CLR_OK;
    }
    return s2clr_map_styles_write(s->map, s->band, s->bands, &s->style);
}

s2clr_status s2clr_map_sides_publish(const s2clr_map_sides *s)
{
    return s->polygons ? s2clr_polygons_publish(s->polygons) : S2CLR_OK;
}

void s2clr_map_sides_discard(const s2clr_map_sides *s)
{
    if (s->made) s2clr_polygons_discard(s->polygons);
}

s2clr_status s2clr_map_sides_blame(const s2clr_map_sides *s, s2clr_status status)
{
    char why[1200];
    snprintf(why, sizeof why, "%s", s2clr_error_text());
    return s2clr_error_set(status, "%s; the map %.400s itself is complete", why, s->map);
}
