/*
 * Parts of the image-class reader: listing -> layout (classes, labels, names) -> bytes -> pixels.
 */
#ifndef S2CLR_DATASET_PIMAGES_H
#define S2CLR_DATASET_PIMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* ---- listing: images_list.c ---- */

typedef struct s2clr_image_entry {
    char *path;     /* inside the folder or zip, '/' between parts */
    uint64_t index; /* of the member in the zip */
    bool folder;    /* a folder of its own, to notice empty classes */
} s2clr_image_entry;

typedef struct s2clr_image_list {
    s2clr_image_entry *entries;
    size_t count, room;
    bool zip;     /* read from a zip, not a folder */
    bool product; /* holds files of a satellite product or of BigEarthNet: not class folders */
} s2clr_image_list;

/* Lists the images and folders below `path`, sorted bytewise. On failure the list is empty. */
s2clr_status s2clr_image_list_read(const char *path, s2clr_image_list *list);
void s2clr_image_list_free(s2clr_image_list *list);

/* ---- layout: images_layout.c ---- */

typedef struct s2clr_image_layout {
    size_t count;
    const s2clr_image_entry **entries; // (count) borrowed from the list
    const char **names;                // (count) CLASS/NAME, borrowed from the list
    int *labels, *groups;              // (count)
    char **classes;                    // (class_count) owned
    int class_count;
} s2clr_image_layout;

/* Fails when images lie at different depths or outside class folders, when a class is empty, when
 * two have one name, or when `positive` (NULL: labels stay 0) names an unknown class. */
s2clr_status s2clr_image_layout_new(const s2clr_image_list *list, const char *path,
                                    const char *positive, s2clr_image_layout *out);
void s2clr_image_layout_free(s2clr_image_layout *layout);
/* Whether there are images in two class folders or more, whatever else may be wrong. */
bool s2clr_image_layout_recognise(const s2clr_image_list *list, const char *path);

/* ---- bytes: images_source.c ---- */

typedef struct s2clr_image_source s2clr_image_source;

/* One handle and one buffer for each of `workers` threads. */
s2clr_status s2clr_image_source_new(const char *path, bool zip, int workers,
                                    s2clr_image_source **out);
void s2clr_image_source_free(s2clr_image_source *source);

/* The file's bytes, borrowed until the worker's next read. */
s2clr_status s2clr_image_source_read(s2clr_image_source *source, const s2clr_image_entry *entry,
                                     int worker, unsigned char **bytes, size_t *size);

/* ---- pixels: images_decode.c ---- */

typedef struct s2clr_image_shape {
    int bands, size; /* bands as stored in the file; size x size pixels */
    int depth;       /* bytes of a value: 1 (Byte) or 2 (UInt16) */
} s2clr_image_shape;

/* Decodes JPEG, PNG or TIFF bytes. `wanted`: shape every image must have; NULL: only find it out
 * (then pixels may be NULL). pixels: (channels, size, size) of `depth` bytes; bands: (channels)
 * numbers from 1. `path` and `name` are for messages. */
s2clr_status s2clr_image_decode(unsigned char *bytes, size_t size, const char *path,
                                const char *name, const s2clr_image_shape *wanted, const int *bands,
                                int channels, void *pixels, s2clr_image_shape *found);

#endif
