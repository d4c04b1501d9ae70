/* A raster of classes: the share of its pixels in a patch that are positive. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "labels/plabels.h"
#include "sentinel2/gdal_watch.h"

/* Below this share of known pixels a patch's class is unknown. */
#define KNOWN_MIN 0.5
enum { WINDOW_MAX = 16384, CLASSES_MAX = 256 };

typedef struct value_list {
    double value[CLASSES_MAX];
    int count;
} value_list;

typedef struct label_raster {
    GDALRasterBandH band;
    int width, height;
    double transform[6], inverse[6];
    bool degrees;
    s2clr_days days;
    value_list positive, negative;
} label_raster;

/* A window of label pixels, and what was found in it. */
typedef struct tally {
    size_t all, known, positive, negative;
} tally;

static bool accepts(const s2clr_label_source *source)
{
    return !source->layer && GDALGetRasterCount(source->dataset) > 0;
}

/* ---- opening ---- */

static s2clr_status read_values(const s2clr_labels *labels, char **list, value_list *out)
{
    out->count = 0;
    for (; list && *list; list++) {
        char *end;
        const double value = CPLStrtod(*list, &end);
        if (end == *list || *end || out->count == CLASSES_MAX)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s: the class value '%.80s' is not a number; wanted: at most "
                                   "%d pixel values such as 12,13",
                                   labels->path, *list, CLASSES_MAX);
        out->value[out->count++] = value;
    }
    return S2CLR_OK;
}

static s2clr_status refuse_fields(const s2clr_labels *labels, const s2clr_labels_options *options)
{
    const char *field = options->field ? options->field : options->country_field;
    if (!field) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "%s: a raster has no field '%.80s'; wanted: positive values alone, which "
        "are those of its pixels",
        labels->path, field);
}

static s2clr_status find_band(const s2clr_labels *labels, GDALDatasetH dataset, const char *layer,
                              GDALRasterBandH *out)
{
    const int bands = GDALGetRasterCount(dataset), number = layer ? atoi(layer) : 1;
    if (!layer && bands > 1)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%s: has %d bands; wanted: the one of the classes as layer, a number "
            "or a description",
            labels->path, bands);
    for (int b = 1; b <= bands; b++) {
        GDALRasterBandH band = GDALGetRasterBand(dataset, b);
        if (b == number || (layer && strcmp(GDALGetDescription(band), layer) == 0)) {
            *out = band;
            return S2CLR_OK;
        }
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: has no band '%.80s'; wanted: a number from 1 to %d or a band's "
                           "description",
                           labels->path, layer, bands);
}

static s2clr_status find_place(s2clr_labels *labels, GDALDatasetH dataset, label_raster *raster)
{
    OGRSpatialReferenceH crs = GDALGetSpatialRef(dataset);
    if (!crs || GDALGetGeoTransform(dataset, raster->transform) != CE_None ||
        !GDALInvGeoTransform(raster->transform, raster->inverse))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: the label raster has no %s; give it one: gdal_edit.py -a_srs "
                               "EPSG:NUMBER -a_ullr LEFT TOP RIGHT BOTTOM, or gdalwarp if it has "
                               "control points",
                               labels->path, crs ? "geotransform" : "CRS");
    labels->ways.target = OSRClone(crs);
    if (!labels->ways.target)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for a CRS", labels->path);
    OSRSetAxisMappingStrategy(labels->ways.target, OAMS_TRADITIONAL_GIS_ORDER);
    raster->degrees = OSRIsGeographic(crs) != 0;
    raster->width = GDALGetRasterXSize(dataset);
    raster->height = GDALGetRasterYSize(dataset);
    return S2CLR_OK;
}

/* The date of a raster stands in a metadata item. */
static s2clr_status find_date(const s2clr_labels *labels, GDALDatasetH dataset, const char *item,
                              label_raster *raster)
{
    const char *text = item ? GDALGetMetadataItem(dataset, item, NULL) : NULL;
    if (!item || (text && s2clr_days_parse(text, &raster->days))) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: its metadata item '%.80s' is '%.80s'; wanted: a date such as "
                           "2019-06-13 or 2019",
                           labels->path, item, text ? text : "absent");
}

static s2clr_status open_raster(s2clr_labels *labels, const s2clr_label_source *source,
                                const s2clr_labels_options *options)
{
    label_raster *raster;
    S2CLR_TRY(s2clr_alloc(1, sizeof *raster, "label raster", (void **)&raster));
    labels->raster = raster;
    S2CLR_TRY(refuse_fields(labels, options));
    S2CLR_TRY(
        s2clr_classes_make(labels->path, options->positive, options->negative, &labels->classes));
    S2CLR_TRY(read_values(labels, labels->classes.positive, &raster->positive));
    S2CLR_TRY(read_values(labels, labels->classes.negative, &raster->negative));
    labels->negatives_listed = options->negative != NULL;
    S2CLR_TRY(find_band(labels, source->dataset, options->layer, &raster->band));
    S2CLR_TRY(find_date(labels, source->dataset, options->date_field, raster));
    return find_place(labels, source->dataset, raster);
}

static void close_raster(s2clr_labels *labels)
{
    s2clr_free(labels->raster);
}

/* ---- counting ---- */

static bool listed(const value_list *list, double value)
{
    for (int i = 0; i < list->count; i++)
        if (list->value[i] == value) return true;
    return false;
}

/* Without a list of positives everything but 0 is positive; without one of negatives all others
 * are negative. */
static s2clr_label class_of(const label_raster *raster, double value)
{
    const bool positive = raster->positive.count ? listed(&raster->positive, value) : value != 0;
    if (positive) return S2CLR_LABEL_POSITIVE;
    if (raster->negative.count == 0 || listed(&raster->negative, value))
        return S2CLR_LABEL_NEGATIVE;
    return S2CLR_LABEL_UNKNOWN;
}

static void count_value(const label_raster *raster, double value, tally *found)
{
    const s2clr_label label = class_of(raster, value);
    found->known++;
    found->positive += label == S2CLR_LABEL_POSITIVE;
    found->negative += label == S2CLR_LABEL_NEGATIVE;
}

static s2clr_status read_row(const s2clr_labels *labels, const label_raster *raster, int column,
                             int row, int columns, double *values, GByte *mask)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const bool good = GDALRasterIO(raster->band, GF_Read, column, row, columns, 1, values, columns,
                                   1, GDT_Float64, 0, 0) == CE_None &&
                      GDALRasterIO(GDALGetMaskBand(raster->band), GF_Read, column, row, columns, 1,
                                   mask, columns, 1, GDT_Byte, 0, 0) == CE_None;
    s2clr_gdal_watch_end(&watch);
    return good ? S2CLR_OK
                : s2clr_error_set(S2CLR_ERR_IO, "%s: row %d cannot be read: %s", labels->path, row,
                                  watch.text);
}

/* Label pixels (column, row, columns, rows) that the box, shifted by x, may meet; not clipped. */
static bool window_of(const label_raster *raster, const double box[4], double shift, double out[4])
{
    const double *inverse = raster->inverse;
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int corner = 0; corner < 4; corner++) {
        const double x = box[corner & 1 ? 2 : 0] + shift, y = box[corner & 2 ? 3 : 1];
        for (int axis = 0; axis < 2; axis++) {
            const double *t = inverse + 3 * axis, at = t[0] + t[1] * x + t[2] * y;
            low[axis] = fmin(low[axis], at);
            high[axis] = fmax(high[axis], at);
        }
    }
    for (int axis = 0; axis < 2; axis++) {
        out[axis] = floor(low[axis]);
        out[axis + 2] = ceil(high[axis]) - out[axis];
    }
    return out[0] < raster->width && out[0] + out[2] > 0 && out[1] < raster->height &&
           out[1] + out[3] > 0;
}

typedef struct row_room {
    double *x, *y, *value; // (WINDOW_MAX)
    GByte *mask;           // (WINDOW_MAX)
} row_room;

/* Centres of one row of a window that lie in the patch. */
static s2clr_status count_row(const s2clr_labels *labels, const s2clr_frame *frame,
                              const double window[4], int row, row_room *room, tally *found)
{
    const label_raster *raster = labels->raster;
    const double *t = raster->transform, r = window[1] + row + 0.5;
    const int columns = (int)window[2];
    const int first = (int)fmax(window[0], 0);
    const int end = (int)fmin(window[0] + window[2], raster->width);
    const bool stored = r > 0 && r < raster->height && first < end;
    for (int i = 0; i < columns; i++) {
        const double c = window[0] + i + 0.5;
        room->x[i] = t[0] + t[1] * c + t[2] * r;
        room->y[i] = t[3] + t[4] * c + t[5] * r;
    }
    if (!s2clr_frame_to_pixels(frame, columns, room->x, room->y))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: pixels near a patch have no place in its CRS; bring the labels "
                               "to it: gdalwarp -t_srs",
                               labels->path);
    if (stored)
        S2CLR_TRY(read_row(labels, raster, first, (int)(window[1] + row), end - first, room->value,
                           room->mask));
    for (int i = 0; i < columns; i++) {
        const double at = window[0] + i - first;
        if (!s2clr_frame_holds(frame, room->x[i], room->y[i])) continue;
        found->all++;
        if (stored && at >= 0 && at < end - first && room->mask[(int)at])
            count_value(raster, room->value[(int)at], found);
    }
    return S2CLR_OK;
}

static void free_room(row_room *room)
{
    s2clr_free(room->x);
    s2clr_free(room->y);
    s2clr_free(room->value);
    s2clr_free(room->mask);
}

static s2clr_status count_window(const s2clr_labels *labels, const s2clr_frame *frame,
                                 const double window[4], tally *out)
{
    row_room room = {0};
    tally found = {0};
    if (window[2] > WINDOW_MAX || window[3] > WINDOW_MAX)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: a patch holds %.0f x %.0f label pixels, more than %d a side; "
                               "make them larger: gdalwarp -tr -r mode",
                               labels->path, window[2], window[3], WINDOW_MAX);
    const size_t columns = (size_t)window[2];
    s2clr_status status = s2clr_alloc(columns, sizeof *room.x, "labels", (void **)&room.x);
    if (status == S2CLR_OK)
        status = s2clr_alloc(columns, sizeof *room.y, "labels", (void **)&room.y);
    if (status == S2CLR_OK)
        status = s2clr_alloc(columns, sizeof *room.value, "labels", (void **)&room.value);
    if (status == S2CLR_OK) status = s2clr_alloc(columns, 1, "labels", (void **)&room.mask);
    for (int row = 0; row < window[3] && status == S2CLR_OK; row++)
        status = count_row(labels, frame, window, row, &room, &found);
    free_room(&room);
    if (status == S2CLR_OK) *out = found;
    return status;
}

/* A label pixel may be larger than a patch: then the one under the patch's centre speaks for it. */
static s2clr_status count_centre(const s2clr_labels *labels, const s2clr_frame *frame, tally *found)
{
    const label_raster *raster = labels->raster;
    const double *t = frame->transform, *inverse = raster->inverse;
    double x = t[0] + frame->width / 2.0 * t[1] + frame->height / 2.0 * t[2];
    double y = t[3] + frame->width / 2.0 * t[4] + frame->height / 2.0 * t[5];
    if (!OCTTransform(frame->there, 1, &x, &y, NULL)) return S2CLR_OK;
    for (int image = raster->degrees ? -1 : 0; image <= (raster->degrees ? 1 : 0); image++) {
        const double shifted = x + 360.0 * image;
        const double column = floor(inverse[0] + inverse[1] * shifted + inverse[2] * y);
        const double row = floor(inverse[3] + inverse[4] * shifted + inverse[5] * y);
        double value;
        GByte mask;
        if (!(column >= 0 && column < raster->width && row >= 0 && row < raster->height)) continue;
        S2CLR_TRY(read_row(labels, raster, (int)column, (int)row, 1, &value, &mask));
        *found = (tally){.all = 1};
        if (mask) count_value(raster, value, found);
        return S2CLR_OK;
    }
    return S2CLR_OK;
}

/* In degrees the raster may lie 360 degrees away, or a patch on both of its edges. */
static s2clr_status count_all(const s2clr_labels *labels, const s2clr_frame *frame, tally *out)
{
    const label_raster *raster = labels->raster;
    const int images = raster->degrees ? 1 : 0;
    tally found = {0};
    bool reached = false;
    for (int image = -images; image <= images; image++) {
        double window[4];
        tally part;
        if (!window_of(raster, frame->box, 360.0 * image, window)) continue;
        reached = true;
        S2CLR_TRY(count_window(labels, frame, window, &part));
        found.all = part.all;
        found.known += part.known;
        found.positive += part.positive;
        found.negative += part.negative;
    }
    if (reached && found.all == 0) S2CLR_TRY(count_centre(labels, frame, &found));
    *out = found;
    return S2CLR_OK;
}

static s2clr_status judge(s2clr_labels *labels, const s2clr_frame *frame, const s2clr_days *date,
                          s2clr_verdict *out)
{
    s2clr_verdict verdict = {.label = S2CLR_LABEL_UNKNOWN, .cover = -1};
    const label_raster *raster = labels->raster;
    tally found = {0};
    if (s2clr_days_count(&raster->days, date, labels->window_days))
        S2CLR_TRY(count_all(labels, frame, &found));
    if (found.known > 0) {
        const double known = (double)found.known;
        verdict.cover = (double)found.positive / known;
        if (known < KNOWN_MIN * (double)found.all)
            verdict.ambiguous = true;
        else if (verdict.cover >= labels->keep && verdict.cover > 0)
            verdict.label = S2CLR_LABEL_POSITIVE;
        else if (verdict.cover <= labels->drop &&
                 (!labels->negatives_listed || (double)found.negative >= labels->keep * known))
            verdict.label = S2CLR_LABEL_NEGATIVE;
        else
            verdict.ambiguous = true;
    }
    *out = verdict;
    return S2CLR_OK;
}

const s2clr_label_kind s2clr_labels_raster = {
    .name = "raster",
    .summary = "a raster of classes: the share of its pixels in the patch that are positive",
    .accepts = accepts,
    .open = open_raster,
    .judge = judge,
    .close = close_raster,
};
