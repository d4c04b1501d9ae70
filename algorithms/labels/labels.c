#include "labels/labels.h"

#include <cpl_conv.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "labels/plabels.h"
#include "sentinel2/gdal_watch.h"

/* ---- opening ---- */

static s2clr_status check_options(const s2clr_labels_options *options)
{
    if (!options->path || !*options->path)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "labels: no path; wanted: a dataset");
    if (!(options->drop >= 0 && options->drop <= options->keep && options->keep <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: keep is %g and drop is %g; wanted: shares of the patch from 0 "
                               "to 1, drop not above keep",
                               options->path, options->keep, options->drop);
    return S2CLR_OK;
}

static s2clr_status refuse(const s2clr_labels_options *options, const s2clr_label_source *source)
{
    if (!source->layer)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: has neither layers nor bands; wanted: points, polygons or a "
                               "raster of classes",
                               options->path);
    if (source->dimension == 1)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: layer %s holds lines; wanted: points or polygons. Widen them: "
                               "ogr2ogr -dialect sqlite -sql 'SELECT ST_Buffer(geometry, WIDTH), * "
                               "FROM %s'",
                               options->path, OGR_L_GetName(source->layer),
                               OGR_L_GetName(source->layer));
    return s2clr_error_set(
        S2CLR_ERR_FORMAT,
        "%s: layer %s has neither geometries nor columns of coordinates; wanted: "
        "points, polygons, or columns lon and lat (or x and y)",
        options->path, OGR_L_GetName(source->layer));
}

static s2clr_status open_source(s2clr_labels *labels, const s2clr_labels_options *options)
{
    s2clr_label_source source = {.dataset = labels->dataset, .dimension = -1};
    if (GDALDatasetGetLayerCount(labels->dataset) > 0) {
        S2CLR_TRY(
            s2clr_layer_choose(options->path, options->layer, labels->dataset, &source.layer));
        source.dimension = s2clr_layer_dimension(source.layer);
        source.columns = source.dimension < 0 && s2clr_layer_has_coordinates(source.layer);
    }
    const s2clr_label_kind *kind = s2clr_label_kind_of(&source);
    if (!kind) return refuse(options, &source);
    labels->kind = kind;
    return kind->open(labels, &source, options);
}

/* As layers first: GDAL also takes tables of x, y and anything for gridded rasters. */
static GDALDatasetH open_either(const char *path, char reason[512])
{
    const unsigned how[] = {GDAL_OF_VECTOR, GDAL_OF_RASTER};
    for (int i = 0; i < 2; i++) {
        s2clr_gdal_watch watch;
        s2clr_gdal_watch_begin(&watch);
        GDALDatasetH dataset = GDALOpenEx(path, how[i], NULL, NULL, NULL);
        s2clr_gdal_watch_end(&watch);
        if (dataset && (how[i] == GDAL_OF_RASTER || GDALDatasetGetLayerCount(dataset) > 0))
            return dataset;
        if (dataset) GDALClose(dataset);
        if (i == 0) snprintf(reason, 512, "%s", watch.text);
    }
    return NULL;
}

static s2clr_status open_dataset(s2clr_labels *labels, const s2clr_labels_options *options)
{
    char reason[512];
    s2clr_gdal_watch watch;
    labels->dataset = open_either(options->path, reason);
    if (!labels->dataset)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot be opened (%s); wanted: points or polygons that OGR "
                               "reads, a CSV file, or a raster of classes",
                               options->path, reason);
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = open_source(labels, options);
    s2clr_gdal_watch_end(&watch);
    /* A source that breaks off half-way must not pass for a short one. */
    if (status == S2CLR_OK && watch.failed)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: is damaged: %s", options->path, watch.text);
    return status;
}

s2clr_status s2clr_labels_open(const s2clr_labels_options *options, s2clr_labels **out)
{
    s2clr_labels *labels;
    S2CLR_TRY(check_options(options));
    S2CLR_TRY(s2clr_alloc(1, sizeof *labels, "labels", (void **)&labels));
    labels->keep = options->keep;
    labels->drop = options->drop;
    labels->window_days = options->window_days;
    s2clr_status status = s2clr_strdup(options->path, &labels->path);
    if (status == S2CLR_OK) status = open_dataset(labels, options);
    if (status != S2CLR_OK) {
        s2clr_labels_close(labels);
        return status;
    }
    if (labels->kind != &s2clr_labels_raster) {
        GDALClose(labels->dataset);
        labels->dataset = NULL;
    }
    *out = labels;
    return S2CLR_OK;
}

void s2clr_labels_close(s2clr_labels *labels)
{
    if (!labels) return;
    if (labels->kind && labels->kind->close) labels->kind->close(labels);
    s2clr_label_set_clear(&labels->set);
    s2clr_ways_clear(&labels->ways);
    s2clr_classes_clear(&labels->classes);
    if (labels->dataset) GDALClose(labels->dataset);
    s2clr_free(labels->path);
    s2clr_free(labels);
}

/* ---- asking ---- */

s2clr_status s2clr_labels_judge(s2clr_labels *labels, const char *crs, const double transform[6],
                                int width, int height, const char *date, s2clr_verdict *out)
{
    s2clr_frame frame;
    s2clr_days days = {0};
    s2clr_gdal_watch watch;
    if (date && *date && !s2clr_days_parse(date, &days))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the patch's date is '%.40s'; wanted: a day such as 2017-06-13, or "
                               "none",
                               date);
    S2CLR_TRY(s2clr_frame_make(&labels->ways, crs, transform, width, height, &frame));
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = labels->kind->judge(labels, &frame, &days, out);
    s2clr_gdal_watch_end(&watch);
    return status;
}

bool s2clr_labels_point(const s2clr_labels *labels, size_t index, double *longitude,
                        double *latitude, s2clr_verdict *verdict)
{
    if (labels->kind != &s2clr_labels_points || index >= labels->set.count) return false;
    const s2clr_label_entry *entry = &labels->set.entry[index];
    *longitude = entry->box[0];
    *latitude = entry->box[1];
    *verdict = (s2clr_verdict){.label = entry->label,
                               .cover = entry->label == S2CLR_LABEL_UNKNOWN ? -1 : entry->label};
    snprintf(verdict->country, sizeof verdict->country, "%s", entry->country);
    return true;
}

size_t s2clr_labels_unused(const s2clr_labels *labels)
{
    size_t unused = 0;
    for (size_t i = 0; i < labels->set.count; i++) unused += !labels->set.entry[i].touched;
    return unused;
}

const char *s2clr_labels_kind(const s2clr_labels *labels)
{
    return labels->kind->name;
}

s2clr_labels_counts s2clr_labels_count(const s2clr_labels *labels)
{
    return labels->counts;
}
