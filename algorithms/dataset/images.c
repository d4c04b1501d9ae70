#include "dataset/images.h"

#include <errno.h>
#include <gdal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pimages.h"

enum { CHANNELS_MAX = 256, SLICES = 50 /* progress reports */ };

typedef struct images {
    s2clr_image_list list;
    s2clr_image_layout layout;
    s2clr_image_shape shape;
    int channels, bands[CHANNELS_MAX]; // (channels) band numbers from 1
    size_t image_bytes;                /* channels * size * size * depth */
    unsigned char *pixels;             // (count, channels, size, size) of shape.depth bytes
} images;

typedef struct decode_job {
    images *self;
    s2clr_image_source *source;
    const char *path;
    size_t first;
} decode_job;

static void images_free(void *context)
{
    images *self = context;
    if (!self) return;
    s2clr_image_layout_free(&self->layout);
    s2clr_image_list_free(&self->list);
    s2clr_free(self->pixels);
    s2clr_free(self);
}

static s2clr_status images_read(void *context, size_t index, float *dn)
{
    const images *self = context;
    if (index >= self->layout.count)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "sample %zu of %zu was asked for", index,
                               self->layout.count);
    const unsigned char *from = self->pixels + index * self->image_bytes;
    const size_t count = self->image_bytes / (size_t)self->shape.depth;
    if (self->shape.depth == 1)
        for (size_t i = 0; i < count; i++) dn[i] = from[i];
    else
        for (size_t i = 0; i < count; i++) dn[i] = ((const uint16_t *)(const void *)from)[i];
    return S2CLR_OK;
}

/* "1,2,3", numbers of bands; NULL: all. */
static s2clr_status choose_bands(const char *text, const char *path, images *self)
{
    if (!text) {
        self->channels = self->shape.bands;
        for (int i = 0; i < self->channels; i++) self->bands[i] = i + 1;
        return S2CLR_OK;
    }
    self->channels = 0;
    for (const char *p = text;; p++) {
        char *end;
        errno = 0;
        const long number = strtol(p, &end, 10);
        if (*p < '0' || *p > '9' || errno || (*end && *end != ',') || number < 1 ||
            number > self->shape.bands || self->channels == CHANNELS_MAX)
            return s2clr_error_set(
                S2CLR_ERR_ARGUMENT,
                "%s: bands \"%s\"; wanted: numbers from 1 to %d (the images have "
                "that many bands), with commas between",
                path, text, self->shape.bands);
        self->bands[self->channels++] = (int)number;
        p = end;
        if (!*p) return S2CLR_OK;
    }
}

static s2clr_status reserve(const char *path, images *self)
{
    size_t pixels, total;
    S2CLR_TRY(s2clr_size_mul((size_t)self->shape.size, (size_t)self->shape.size, &pixels));
    S2CLR_TRY(
        s2clr_size_mul(pixels, (size_t)(self->channels * self->shape.depth), &self->image_bytes));
    S2CLR_TRY(s2clr_size_mul(self->image_bytes, self->layout.count, &total));
    const size_t available = s2clr_memory_available();
    if (available && total > available)
        return s2clr_error_set(S2CLR_ERR_MEMORY,
                               "%s: %zu images need %zu MiB of memory, %zu MiB are free; use fewer "
                               "bands or images",
                               path, self->layout.count, total >> 20, available >> 20);
    return s2clr_alloc(total, 1, "images", (void **)&self->pixels);
}

/* The first image says what all must be. */
static s2clr_status inspect_first(s2clr_image_source *source, const char *path, const char *bands,
                                  images *self)
{
    unsigned char *bytes;
    size_t size;
    const s2clr_image_entry *entry = self->layout.entries[0];
    S2CLR_TRY(s2clr_image_source_read(source, entry, 0, &bytes, &size));
    S2CLR_TRY(
        s2clr_image_decode(bytes, size, path, entry->path, NULL, NULL, 0, NULL, &self->shape));
    S2CLR_TRY(choose_bands(bands, path, self));
    return reserve(path, self);
}

static s2clr_status decode_one(void *context, size_t item, int worker)
{
    const decode_job *job = context;
    images *self = job->self;
    const size_t index = job->first + item;
    const s2clr_image_entry *entry = self->layout.entries[index];
    unsigned char *bytes;
    size_t size;
    s2clr_image_shape found;
    S2CLR_TRY(s2clr_image_source_read(job->source, entry, worker, &bytes, &size));
    return s2clr_image_decode(bytes, size, job->path, entry->path, &self->shape, self->bands,
                              self->channels, self->pixels + index * self->image_bytes, &found);
}

static s2clr_status decode_all(s2clr_image_source *source, const char *path, s2clr_pool *pool,
                               const s2clr_progress *progress, images *self)
{
    const size_t count = self->layout.count, slice = count / SLICES + 1;
    decode_job job = {.self = self, .source = source, .path = path};
    for (job.first = 0; job.first < count; job.first += slice) {
        const size_t left = count - job.first;
        if (!s2clr_progress_report(progress, (double)job.first / (double)count, "reading images"))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "%s: reading was cancelled", path);
        S2CLR_TRY(s2clr_pool_run(pool, decode_one, &job, left < slice ? left : slice));
    }
    s2clr_progress_report(progress, 1, "reading images");
    return S2CLR_OK;
}

static s2clr_status load(const char *path, const s2clr_images_options *options, s2clr_pool *pool,
                         const s2clr_progress *progress, images *self)
{
    s2clr_image_source *source;
    S2CLR_TRY(s2clr_image_list_read(path, &self->list));
    S2CLR_TRY(s2clr_image_layout_new(&self->list, path, options->positive, &self->layout));
    S2CLR_TRY(s2clr_image_source_new(path, self->list.zip, s2clr_pool_threads(pool), &source));
    s2clr_status status = inspect_first(source, path, options->bands, self);
    if (status == S2CLR_OK) status = decode_all(source, path, pool, progress, self);
    s2clr_image_source_free(source);
    return status;
}

s2clr_status s2clr_images_open(const char *path, const s2clr_images_options *options,
                               s2clr_pool *pool, const s2clr_progress *progress, s2clr_samples *out)
{
    images *self;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *self, "images", (void **)&self));
    const s2clr_status status = load(path, options, pool, progress, self);
    if (status != S2CLR_OK) {
        images_free(self);
        return status;
    }
    *out = (s2clr_samples){.self = self,
                           .count = self->layout.count,
                           .channels = self->channels,
                           .size = self->shape.size,
                           .names = self->layout.names,
                           .labels = self->layout.labels,
                           .groups = self->layout.groups,
                           .group_names = (const char *const *)self->layout.classes,
                           .group_count = self->layout.class_count,
                           .read = images_read,
                           .free = images_free};
    return S2CLR_OK;
}

bool s2clr_images_identify(const char *path)
{
    s2clr_image_list list;
    bool found = false;
    if (s2clr_image_list_read(path, &list) == S2CLR_OK) {
        found = !list.product && s2clr_image_layout_recognise(&list, path);
        s2clr_image_list_free(&list);
    }
    s2clr_error_clear(); /* "no" is an answer, not an error */
    return found;
}
