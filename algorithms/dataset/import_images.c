#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/images.h"
#include "dataset/name_lists.h"
#include "dataset/pimages.h"
#include "dataset/pimport.h"
#include "sentinel2/gdal_watch.h"

/* What the bands of an image are, by their number and type. */
typedef struct image_bands {
    int count, depth; /* bytes of a value */
    const char *level;
    double metres;
    const char *name[S2CLR_PATCH_BANDS_MAX];
} image_bands;

/* EuroSAT (Helber et al., 2019): colour pictures in 8 bits, and TIFFs of all 13 bands of L1C
 * brought to 10 m, B8A at the end. */
static const image_bands kinds[] = {
    {3, 1, "EUROSAT8", 10, {"B04", "B03", "B02"}},
    {13,
     2,
     "L1C",
     10,
     {"B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11", "B12", "B8A"}},
};

/* One folder or zip. */
typedef struct archive {
    char *path;
    s2clr_image_list list;
    s2clr_image_layout layout;
    s2clr_image_source *source;
} archive;

struct s2clr_import {
    s2clr_import_options options;
    s2clr_name_lists *lists;
    archive *archives;           // (count)
    size_t count, current, next; /* next image of the current archive */
    size_t total, seen;
    const image_bands *bands; /* of all images */
    s2clr_image_shape shape;
    unsigned char *pixels; // (bands, size, size) of shape.depth bytes
    char *crs;
};

static void import_close(s2clr_import *self)
{
    if (!self) return;
    for (size_t i = 0; i < self->count; i++) {
        archive *item = &self->archives[i];
        s2clr_image_source_free(item->source);
        s2clr_image_layout_free(&item->layout);
        s2clr_image_list_free(&item->list);
        s2clr_free(item->path);
    }
    s2clr_free(self->archives);
    s2clr_name_lists_free(self->lists);
    s2clr_free(self->pixels);
    s2clr_free(self->crs);
    s2clr_free(self);
}

static s2clr_status open_archive(s2clr_import *self, const char *path)
{
    archive *item = &self->archives[self->count++];
    S2CLR_TRY(s2clr_strdup(path, &item->path));
    S2CLR_TRY(s2clr_image_list_read(path, &item->list));
    S2CLR_TRY(s2clr_image_layout_new(&item->list, path, self->options.positive, &item->layout));
    self->total += item->layout.count;
    return s2clr_image_source_new(path, item->list.zip, 1, &item->source);
}

static s2clr_status prepare(s2clr_import *self, const char *const *inputs, size_t count)
{
    S2CLR_TRY(s2clr_name_lists_open(&self->options, &self->lists));
    S2CLR_TRY(s2clr_alloc(count, sizeof *self->archives, "inputs", (void **)&self->archives));
    for (size_t i = 0; i < count; i++) S2CLR_TRY(open_archive(self, inputs[i]));
    return S2CLR_OK;
}

static s2clr_status import_open(const char *const *inputs, size_t count,
                                const s2clr_import_options *options, s2clr_import **out)
{
    s2clr_import *self;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *self, "reader", (void **)&self));
    self->options = *options;
    const s2clr_status status = prepare(self, inputs, count);
    if (status == S2CLR_OK)
        *out = self;
    else
        import_close(self);
    return status;
}

/* The first readable image says what all are. */
static s2clr_status choose_kind(s2clr_import *self, const char *path, const char *name,
                                const s2clr_image_shape *shape)
{
    const image_bands *bands = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].count == shape->bands && kinds[i].depth == shape->depth) bands = &kinds[i];
    if (!bands)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: %s has %d bands of %d bits, whose names are not known; wanted: "
                               "3 of 8 bits (red, green, blue) or 13 of 16 bits (B01 to B12, B8A)",
                               path, name, shape->bands, 8 * shape->depth);
    const size_t pixels = (size_t)shape->size * (size_t)shape->size; /* at most 4096 squared */
    size_t bytes;
    S2CLR_TRY(s2clr_size_mul(pixels, (size_t)(shape->bands * shape->depth), &bytes));
    S2CLR_TRY(s2clr_alloc(bytes, 1, "image", (void **)&self->pixels));
    self->shape = *shape;
    self->bands = bands;
    return S2CLR_OK;
}

/* Where a TIFF lies; pictures of other formats lie nowhere. */
static s2clr_status take_place(s2clr_import *self, unsigned char *bytes, size_t size,
                               s2clr_patch_record *record)
{
    static const char *const drivers[] = {"GTiff", NULL}, *const no_siblings[] = {NULL};
    char memory[64];
    s2clr_gdal_watch watch;
    s2clr_status status = S2CLR_OK;
    snprintf(memory, sizeof memory, "/vsimem/s2clr-place-%p", (void *)bytes);
    VSILFILE *file = VSIFileFromMemBuffer(memory, bytes, size, FALSE);
    if (!file) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for %s", record->name);
    VSIFCloseL(file);
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset = GDALOpenEx(memory, GDAL_OF_RASTER, drivers, NULL, no_siblings);
    const char *wkt = dataset ? GDALGetProjectionRef(dataset) : NULL;
    if (wkt && *wkt && GDALGetGeoTransform(dataset, record->transform) == CE_None) {
        s2clr_free(self->crs);
        self->crs = NULL;
        status = s2clr_strdup(wkt, &self->crs);
        record->has_footprint = status == S2CLR_OK;
    }
    if (dataset) GDALClose(dataset);
    s2clr_gdal_watch_end(&watch);
    VSIUnlink(memory);
    return status;
}

static void fill_record(const s2clr_import *self, const archive *item, size_t index,
                        s2clr_patch_record *record)
{
    const int size = self->shape.size, group = item->layout.groups[index];
    const size_t plane = (size_t)size * (size_t)size * (size_t)self->shape.depth;
    record->bands = self->bands->count;
    for (int i = 0; i < record->bands; i++) {
        s2clr_patch_band *band = &record->band[i];
        snprintf(band->name, sizeof band->name, "%s", self->bands->name[i]);
        band->dtype = self->shape.depth == 1 ? S2CLR_DTYPE_U8 : S2CLR_DTYPE_U16;
        band->height = band->width = size;
        band->data = self->pixels + (size_t)i * plane;
    }
    record->width = record->height = size;
    record->crs = record->has_footprint ? self->crs : "";
    record->level = self->bands->level;
    record->metres = self->bands->metres;
    record->source = item->path;
    record->labels[0] = item->layout.classes[group];
    record->label_count = 1;
    record->cover = -1;
    record->label = S2CLR_LABEL_UNKNOWN;
    if (self->options.positive)
        record->label = item->layout.labels[index] ? S2CLR_LABEL_POSITIVE : S2CLR_LABEL_NEGATIVE;
}

/* One image; *refused is set when not the image but the archive is at fault. */
static s2clr_status read_image(s2clr_import *self, const archive *item, size_t index,
                               s2clr_patch_record *record, bool *refused)
{
    static const int numbers[S2CLR_PATCH_BANDS_MAX] = {1, 2,  3,  4,  5,  6,  7,  8,
                                                       9, 10, 11, 12, 13, 14, 15, 16};
    const s2clr_image_entry *entry = item->layout.entries[index];
    s2clr_image_shape found;
    unsigned char *bytes;
    size_t size;
    S2CLR_TRY(s2clr_image_source_read(item->source, entry, 0, &bytes, &size));
    if (!self->bands) {
        S2CLR_TRY(
            s2clr_image_decode(bytes, size, item->path, entry->path, NULL, NULL, 0, NULL, &found));
        const s2clr_status status = choose_kind(self, item->path, entry->path, &found);
        *refused = status != S2CLR_OK;
        S2CLR_TRY(status);
    }
    S2CLR_TRY(s2clr_image_decode(bytes, size, item->path, entry->path, &self->shape, numbers,
                                 self->bands->count, self->pixels, &found));
    if (self->shape.depth == 2) S2CLR_TRY(take_place(self, bytes, size, record));
    fill_record(self, item, index, record);
    return s2clr_patch_record_check(record);
}

static int by_name(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

/* An earlier archive with an image of that name, or NULL. */
static const char *seen_in(const s2clr_import *self, const char *name)
{
    for (size_t i = 0; i < self->current; i++) {
        const s2clr_image_layout *layout = &self->archives[i].layout;
        if (bsearch(name, (const void *)layout->names, layout->count, sizeof *layout->names,
                    by_name))
            return self->archives[i].path;
    }
    return NULL;
}

/* The next image that the lists want; false at the end. */
static bool next_wanted(s2clr_import *self, size_t *index, const char **split)
{
    while (self->current < self->count) {
        const s2clr_image_layout *layout = &self->archives[self->current].layout;
        while (self->next < layout->count) {
            *index = self->next++;
            self->seen++;
            if (s2clr_name_lists_take(self->lists, layout->names[*index], split)) return true;
        }
        self->current++;
        self->next = 0;
    }
    return false;
}

static s2clr_status import_next(s2clr_import *self, s2clr_patch_record *record, bool *end)
{
    size_t index;
    const char *split;
    while (next_wanted(self, &index, &split)) {
        const archive *item = &self->archives[self->current];
        const char *name = item->layout.names[index];
        const char *earlier = seen_in(self, name);
        bool refused = false;
        *end = false;
        *record = (s2clr_patch_record){.name = name, .split = split};
        if (earlier) {
            S2CLR_TRY(s2clr_import_skip(&self->options, name, "there twice: in %s and %s", earlier,
                                        item->path));
            continue;
        }
        const s2clr_status status = read_image(self, item, index, record, &refused);
        if (status == S2CLR_OK || refused) return status;
        S2CLR_TRY(s2clr_import_skip_failure(&self->options, name, status));
    }
    *end = true;
    return s2clr_name_lists_missing(self->lists, &self->options);
}

static double import_done(const s2clr_import *self)
{
    return self->total ? (double)self->seen / (double)self->total : 1;
}

const s2clr_import_kind s2clr_import_images = {
    .name = "images",
    .summary = "a folder or zip with a folder of images per class (EuroSAT, RGB or 13 bands)",
    .identify = s2clr_images_identify,
    .open = import_open,
    .next = import_next,
    .done = import_done,
    .close = import_close,
};
