/* Reads a layer of labels: which column says what, and every feature's place, class, date. */
#include <cpl_conv.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "labels/plabels.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"

enum { FIELDS_SHOWN = 64 };

typedef struct reading {
    s2clr_labels *labels;
    OGRLayerH layer;
    OGRFeatureDefnH columns;
    int class_column, country, date, year, month, day; /* -1 none */
    s2clr_classes classes;
    bool has_classes, positive_asked, negative_asked; /* asked: by name, so they must exist */
    s2clr_layer_place place;
    OGRCoordinateTransformationH way;
    double metres_per_unit; /* of a projected CRS, else 0 */
    s2clr_layer_add add;
} reading;

/* ---- columns ---- */

static void list_columns(OGRFeatureDefnH columns, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; i < OGR_FD_GetFieldCount(columns); i++) {
        const size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                 OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(columns, i)));
    }
}

static s2clr_status find_column(const reading *r, const char *name, int *out)
{
    const char *names[FIELDS_SHOWN];
    char all[400];
    const int index = OGR_FD_GetFieldIndex(r->columns, name);
    if (index >= 0) {
        *out = index;
        return S2CLR_OK;
    }
    const int fields = OGR_FD_GetFieldCount(r->columns);
    size_t count = 0;
    for (int i = 0; i < fields && count < FIELDS_SHOWN; i++)
        names[count++] = OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(r->columns, i));
    const char *near = s2clr_suggest(name, names, count);
    list_columns(r->columns, all, sizeof all);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: layer %s has no field '%.80s'%s%s%s; it has: %s", r->labels->path,
                           OGR_L_GetName(r->layer), name, near ? " (did you mean '" : "",
                           near ? near : "", near ? "'?)" : "", all[0] ? all : "none");
}

/* The schema of croplands.org: `water` is 1 for rainfed and 2 for irrigated land. */
static s2clr_status find_classes(reading *r, const s2clr_labels_options *options, bool required)
{
    const char *field = options->field, *positive = options->positive;
    const char *negative = options->negative;
    if (!field && required && OGR_FD_GetFieldIndex(r->columns, "water") >= 0) field = "water";
    if (!field) {
        char all[400];
        list_columns(r->columns, all, sizeof all);
        if (!required && !positive && !negative) return S2CLR_OK;
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: %s; wanted: the field that says the class, one of: %s",
                               r->labels->path,
                               required ? "points need a class each"
                                        : "class values are given, and no field that holds them",
                               all[0] ? all : "none (there are no fields)");
    }
    S2CLR_TRY(find_column(r, field, &r->class_column));
    if (!positive && !negative && EQUAL(field, "water")) positive = "2", negative = "1";
    if (!positive)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: the field '%.80s' says the class, and nothing which of its "
                               "values are positive; wanted: a list such as 2 or rice,vineyard",
                               r->labels->path, field);
    r->has_classes = true;
    r->positive_asked = options->positive != NULL;
    r->negative_asked = options->negative != NULL;
    return s2clr_classes_make(r->labels->path, positive, negative, &r->classes);
}

static s2clr_status find_columns(reading *r, const s2clr_labels_options *options, bool required)
{
    r->class_column = r->date = r->year = r->month = r->day = -1;
    S2CLR_TRY(find_classes(r, options, required));
    r->labels->negatives_listed = r->classes.negative != NULL;
    r->country = OGR_FD_GetFieldIndex(r->columns, "country");
    if (options->country_field) S2CLR_TRY(find_column(r, options->country_field, &r->country));
    if (options->date_field) return find_column(r, options->date_field, &r->date);
    r->date = OGR_FD_GetFieldIndex(r->columns, "date");
    r->year = OGR_FD_GetFieldIndex(r->columns, "year");
    r->month = OGR_FD_GetFieldIndex(r->columns, "month");
    r->day = OGR_FD_GetFieldIndex(r->columns, "day");
    return S2CLR_OK;
}

static s2clr_status find_way(reading *r, const s2clr_label_source *source)
{
    S2CLR_TRY(s2clr_layer_place_find(r->labels->path, r->layer, source->columns, &r->place));
    r->way = OCTNewCoordinateTransformation(r->place.crs, r->labels->ways.target);
    if (!OSRIsGeographic(r->place.crs)) r->metres_per_unit = OSRGetLinearUnits(r->place.crs, NULL);
    if (r->way) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH, "%s: layer %s cannot be brought to WGS 84: %s",
                           r->labels->path, OGR_L_GetName(r->layer), CPLGetLastErrorMsg());
}

/* ---- features ---- */

static const char *text_of(OGRFeatureH feature, int column)
{
    return column >= 0 && OGR_F_IsFieldSetAndNotNull(feature, column)
               ? OGR_F_GetFieldAsString(feature, column)
               : "";
}

static s2clr_days days_of(const reading *r, OGRFeatureH feature)
{
    s2clr_days days = {0};
    const char *date = text_of(feature, r->date);
    bool said = *date != '\0', good = said && s2clr_days_parse(date, &days);
    if (!said && r->year >= 0 && *text_of(feature, r->year)) {
        int part[3] = {0};
        const int column[3] = {r->year, r->month, r->day};
        for (int i = 0; i < 3 && column[i] >= 0; i++)
            part[i] = OGR_F_GetFieldAsInteger(feature, column[i]);
        said = part[0] != 0;
        good = said && s2clr_days_of(part[0], part[1], part[1] ? part[2] : 0, &days);
    }
    if (said && !good) r->labels->counts.undated++;
    return good ? days : (s2clr_days){0};
}

/* NULL when the row's coordinates are not numbers. */
static OGRGeometryH point_of(const reading *r, OGRFeatureH feature)
{
    double at[2];
    if (!s2clr_layer_place_at(&r->place, feature, at)) return NULL;
    OGRGeometryH point = OGR_G_CreateGeometry(wkbPoint);
    if (point) OGR_G_SetPoint_2D(point, 0, at[0], at[1]);
    return point;
}

static OGRGeometryH place_of(const reading *r, OGRFeatureH feature)
{
    OGRGeometryH geometry = NULL;
    s2clr_gdal_watch watch; /* one bad geometry is counted, and no damage of the file */
    if (r->place.x >= 0) {
        geometry = point_of(r, feature);
    } else {
        OGRGeometryH own = OGR_F_GetGeometryRef(feature);
        if (own && !OGR_G_IsEmpty(own)) geometry = OGR_G_GetLinearGeometry(own, 0, NULL);
    }
    if (!geometry) return NULL;
    OGR_G_FlattenTo2D(geometry);
    s2clr_gdal_watch_begin(&watch);
    const bool good = s2clr_geometry_to_world(geometry, r->way, r->metres_per_unit);
    s2clr_gdal_watch_end(&watch);
    if (good) return geometry;
    OGR_G_DestroyGeometry(geometry);
    return NULL;
}

static s2clr_status take(void *context, OGRFeatureH feature)
{
    reading *r = context;
    s2clr_labels_counts *counts = &r->labels->counts;
    s2clr_label_entry entry = {.label = S2CLR_LABEL_POSITIVE, .days = days_of(r, feature)};
    char country[64] = "";
    counts->features++;
    if (r->has_classes) {
        const char *value = text_of(feature, r->class_column);
        entry.label = *value ? s2clr_classes_meet(&r->classes, value) : S2CLR_LABEL_UNKNOWN;
    }
    /* A field's width may cut a letter of several bytes. */
    snprintf(country, sizeof country, "%s", text_of(feature, r->country));
    size_t end = strlen(country);
    if (end == sizeof country - 1)
        while (end > 0 && ((unsigned char)country[end - 1] & 0x80)) country[--end] = '\0';
    entry.country = country;
    OGRGeometryH geometry = place_of(r, feature);
    if (!geometry) {
        counts->placeless++;
        return S2CLR_OK;
    }
    const s2clr_status status = r->add(r->labels, geometry, &entry);
    OGR_G_DestroyGeometry(geometry);
    return status;
}

/* ---- all of it ---- */

static s2clr_status check_found(const reading *r)
{
    const s2clr_labels_counts *counts = &r->labels->counts;
    const char *seen = r->classes.seen[0] ? r->classes.seen : "nothing";
    if (counts->features == 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: layer %s has no features; wanted: labels",
                               r->labels->path, OGR_L_GetName(r->layer));
    if (counts->placeless == counts->features)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: none of the %zu features of layer %s has a place on the globe; "
                               "check the CRS and the coordinates",
                               r->labels->path, counts->features, OGR_L_GetName(r->layer));
    if (counts->positive == 0 && (r->positive_asked || counts->negative == 0))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: no label is positive; the field holds %s; wanted: a list of "
                               "positive values that has some of them",
                               r->labels->path, seen);
    if (counts->negative == 0 && r->negative_asked)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: no label is negative; the field holds %s; wanted: a list of "
                               "negative values that has some of them, or none (all others)",
                               r->labels->path, seen);
    return S2CLR_OK;
}

static s2clr_status read_features(reading *r)
{
    S2CLR_TRY(s2clr_ogr_each(r->layer, take, r));
    return check_found(r);
}

s2clr_status s2clr_layer_read(s2clr_labels *labels, const s2clr_label_source *source,
                              const s2clr_labels_options *options, bool classes_required,
                              s2clr_layer_add add)
{
    reading r = {.labels = labels,
                 .layer = source->layer,
                 .columns = OGR_L_GetLayerDefn(source->layer),
                 .add = add};
    labels->ways.target = s2clr_world_new();
    s2clr_status status = s2clr_label_set_start(&labels->set);
    if (status == S2CLR_OK && !labels->ways.target)
        status = s2clr_error_set(S2CLR_ERR_IO,
                                 "%s: PROJ does not know EPSG:4326; is its data "
                                 "(proj.db) installed?",
                                 labels->path);
    if (status == S2CLR_OK) status = find_columns(&r, options, classes_required);
    if (status == S2CLR_OK) status = find_way(&r, source);
    if (status == S2CLR_OK) status = read_features(&r);
    if (status == S2CLR_OK) status = s2clr_label_set_index(&labels->set);
    if (r.way) OCTDestroyCoordinateTransformation(r.way);
    s2clr_layer_place_clear(&r.place);
    s2clr_classes_clear(&r.classes);
    return status;
}
