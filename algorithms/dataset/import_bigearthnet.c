#include <cpl_vsi.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/bigearthnet_classes.h"
#include "dataset/name_lists.h"
#include "dataset/pbigearthnet.h"
#include "dataset/pimport.h"
#include "dataset/product_names.h"
#include "sentinel2/gdal_watch.h"

enum {
    DEPTH = 2,       /* folders between an input and its patches, at most */
    LOOK_MAX = 2000, /* entries looked at to tell what a folder is */
    PATH_MAX_BYTES = 4096
};

typedef struct patch {
    char *path;        /* of the folder */
    const char *name;  /* its last part */
    const char *split; /* static */
} patch;

struct s2clr_import {
    s2clr_import_options options;
    int version;
    bool labelled, positive[S2CLR_BIGEARTHNET_CLASSES];
    s2clr_name_lists *lists;
    patch *patches; // (count) by name
    size_t count, room, next;
    s2clr_bigearthnet_metadata metadata;
    s2clr_bigearthnet_pixels *pixels;
    char date[11], tile[8];
};

/* Calls `found` with each patch folder of `version` in a folder (or the folder itself). */
typedef struct scan {
    int version;
    int left; /* entries that may still be looked at; < 0: any number */
    s2clr_status (*found)(struct scan *scan, const char *path);
    s2clr_import *import;
    bool hit, stop;
} scan;

static s2clr_status scan_folder(scan *s, const char *path, int depth);

static s2clr_status scan_entry(scan *s, const char *folder, const char *name, int depth)
{
    char path[PATH_MAX_BYTES];
    const int version = s2clr_bigearthnet_version(name);
    if (version && version != s->version) return S2CLR_OK;
    if (!version && depth == 0) return S2CLR_OK;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s...: name too long; move the folder",
                               folder);
    return version ? s->found(s, path) : scan_folder(s, path, depth - 1);
}

static s2clr_status scan_folder(scan *s, const char *path, int depth)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    VSIDIR *folder = VSIOpenDir(path, 0, NULL);
    const VSIDIREntry *entry;
    s2clr_status status = S2CLR_OK;
    while (folder && status == S2CLR_OK && !s->stop && s->left != 0 &&
           (entry = VSIGetNextDirEntry(folder))) {
        if (s->left > 0) s->left--;
        if (VSI_ISDIR(entry->nMode) && entry->pszName[0] != '.')
            status = scan_entry(s, path, entry->pszName, depth);
    }
    if (folder) VSICloseDir(folder);
    s2clr_gdal_watch_end(&watch);
    return status;
}

static s2clr_status scan_input(scan *s, const char *input)
{
    char name[S2CLR_BIGEARTHNET_NAME], path[PATH_MAX_BYTES];
    size_t n = strlen(input);
    if (n >= sizeof path)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s...: name too long", input);
    memcpy(path, input, n + 1);
    while (n > 1 && path[n - 1] == '/') path[--n] = '\0';
    const int version =
        s2clr_path_component(path, 0, name, sizeof name) ? s2clr_bigearthnet_version(name) : 0;
    if (version) return version == s->version ? s->found(s, path) : S2CLR_OK;
    return scan_folder(s, path, DEPTH);
}

static s2clr_status note_hit(scan *s, const char *path)
{
    (void)path;
    s->hit = s->stop = true;
    return S2CLR_OK;
}

static bool identify(const char *path, int version)
{
    scan s = {.version = version, .left = LOOK_MAX, .found = note_hit};
    if (scan_input(&s, path) != S2CLR_OK) s2clr_error_clear(); /* "no" is an answer */
    return s.hit;
}

static bool identify_v1(const char *path)
{
    return identify(path, 1);
}

static bool identify_v2(const char *path)
{
    return identify(path, 2);
}

static s2clr_status add_patch(scan *s, const char *path)
{
    s2clr_import *self = s->import;
    patch item = {.split = ""};
    s->hit = true;
    if (!s2clr_name_lists_take(self->lists, strrchr(path, '/') ? strrchr(path, '/') + 1 : path,
                               &item.split))
        return S2CLR_OK;
    if (self->count == self->room) {
        const size_t room = self->room ? 2 * self->room : 1024;
        patch *bigger;
        S2CLR_TRY(s2clr_alloc(room, sizeof *bigger, "list of patches", (void **)&bigger));
        if (self->count) memcpy(bigger, self->patches, self->count * sizeof *bigger);
        s2clr_free(self->patches);
        self->patches = bigger;
        self->room = room;
    }
    S2CLR_TRY(s2clr_strdup(path, &item.path));
    const char *slash = strrchr(item.path, '/');
    item.name = slash ? slash + 1 : item.path;
    self->patches[self->count++] = item;
    return S2CLR_OK;
}

static int by_name(const void *a, const void *b)
{
    const patch *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->path, y->path);
}

static s2clr_status list_inputs(s2clr_import *self, const char *const *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scan s = {.version = self->version, .left = -1, .found = add_patch, .import = self};
        S2CLR_TRY(scan_input(&s, inputs[i]));
        if (!s.hit)
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: no patch folder of BigEarthNet v%d in it; wanted: folders "
                                   "such as %s",
                                   inputs[i], self->version,
                                   self->version == 1
                                       ? "S2A_MSIL2A_20170613T101031_87_48"
                                       : "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57");
    }
    if (self->count) qsort(self->patches, self->count, sizeof *self->patches, by_name);
    return s2clr_name_lists_missing(self->lists, &self->options);
}

static s2clr_status no_irrigation(const char *where)
{
    return s2clr_error_set(
        S2CLR_ERR_UNSUPPORTED,
        "%s: labelled with the 19 classes of BigEarthNet v2, which merge "
        "Permanently irrigated land and Rice fields into Arable land: irrigation "
        "cannot be told from them. Use BigEarthNet v1, or leave out which "
        "classes are positive to import the pixels alone",
        where);
}

static s2clr_status prepare(s2clr_import *self, const char *const *inputs, size_t count)
{
    self->labelled = self->options.positive != NULL;
    if (self->labelled && self->version == 2) return no_irrigation(inputs[0]);
    if (self->labelled)
        S2CLR_TRY(s2clr_bigearthnet_positive(self->options.positive, self->positive));
    S2CLR_TRY(s2clr_name_lists_open(&self->options, &self->lists));
    S2CLR_TRY(s2clr_bigearthnet_pixels_new(&self->pixels));
    return list_inputs(self, inputs, count);
}

static void import_close(s2clr_import *self)
{
    if (!self) return;
    for (size_t i = 0; i < self->count; i++) s2clr_free(self->patches[i].path);
    s2clr_free(self->patches);
    s2clr_name_lists_free(self->lists);
    s2clr_bigearthnet_metadata_clear(&self->metadata);
    s2clr_bigearthnet_pixels_free(self->pixels);
    s2clr_free(self);
}

static s2clr_status import_open(const char *const *inputs, size_t count, int version,
                                const s2clr_import_options *options, s2clr_import **out)
{
    s2clr_import *self;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *self, "reader", (void **)&self));
    self->options = *options;
    self->version = version;
    const s2clr_status status = prepare(self, inputs, count);
    if (status == S2CLR_OK)
        *out = self;
    else
        import_close(self);
    return status;
}

static s2clr_status open_v1(const char *const *inputs, size_t count,
                            const s2clr_import_options *options, s2clr_import **out)
{
    return import_open(inputs, count, 1, options, out);
}

static s2clr_status open_v2(const char *const *inputs, size_t count,
                            const s2clr_import_options *options, s2clr_import **out)
{
    return import_open(inputs, count, 2, options, out);
}

static void take_labels(const s2clr_import *self, s2clr_patch_record *record)
{
    const s2clr_bigearthnet_metadata *metadata = &self->metadata;
    record->label_count = metadata->label_count;
    for (int i = 0; i < metadata->label_count; i++) record->labels[i] = metadata->labels[i];
    if (!self->labelled) return;
    record->label = S2CLR_LABEL_NEGATIVE;
    for (int i = 0; i < metadata->label_count; i++)
        if (self->positive[s2clr_bigearthnet_class_find(metadata->labels[i])])
            record->label = S2CLR_LABEL_POSITIVE;
}

/* One patch; *refused is set when not the patch but the archive is at fault. */
static s2clr_status read_patch(s2clr_import *self, const patch *item, s2clr_patch_record *record,
                               bool *refused)
{
    *record = (s2clr_patch_record){.name = item->name,
                                   .split = item->split,
                                   .label = S2CLR_LABEL_UNKNOWN,
                                   .cover = -1,
                                   .level = "L2A",
                                   .source = item->name};
    s2clr_bigearthnet_metadata *metadata = &self->metadata;
    const char *origin = item->name; /* v2: place and date stand in the patch's own name */
    s2clr_bigearthnet_metadata_clear(metadata);
    if (self->version == 1) {
        S2CLR_TRY(s2clr_bigearthnet_metadata_read(item->path, item->name, metadata));
        *refused = metadata->merged && self->labelled;
        if (*refused) return no_irrigation(item->path);
        take_labels(self, record);
        memcpy(self->date, metadata->date, sizeof self->date);
        record->source = origin = metadata->tile_source;
    } else if (!s2clr_product_date(item->name, self->date)) {
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: its name holds no day of the calendar",
                               item->path);
    }
    if (!s2clr_product_tile(origin, self->tile)) self->tile[0] = '\0';
    record->date = self->date;
    record->tile = self->tile;
    S2CLR_TRY(s2clr_bigearthnet_pixels_read(self->pixels, item->path, item->name,
                                            self->version == 1 ? metadata : NULL, record));
    return s2clr_patch_record_check(record);
}

static s2clr_status import_next(s2clr_import *self, s2clr_patch_record *record, bool *end)
{
    while (self->next < self->count) {
        const patch *item = &self->patches[self->next++];
        const patch *before = self->next > 1 ? item - 1 : NULL;
        bool refused = false;
        *end = false;
        if (before && strcmp(before->name, item->name) == 0) {
            S2CLR_TRY(s2clr_import_skip(&self->options, item->name,
                                        "there twice: %s is taken, %s left out", before->path,
                                        item->path));
            continue;
        }
        const s2clr_status status = read_patch(self, item, record, &refused);
        if (status == S2CLR_OK || refused) return status;
        S2CLR_TRY(s2clr_import_skip_failure(&self->options, item->name, status));
    }
    *end = true;
    return S2CLR_OK;
}

static double import_done(const s2clr_import *self)
{
    return self->count ? (double)self->next / (double)self->count : 1;
}

const s2clr_import_kind s2clr_import_bigearthnet_v1 = {
    .name = "bigearthnet-v1",
    .summary = "BigEarthNet-S2 version 1: a folder of patch folders, or one of them; 43 classes",
    .identify = identify_v1,
    .open = open_v1,
    .next = import_next,
    .done = import_done,
    .close = import_close,
};

const s2clr_import_kind s2clr_import_bigearthnet_v2 = {
    .name = "bigearthnet-v2",
    .summary = "BigEarthNet-S2 version 2: pixels only, its 19 classes do not tell irrigation",
    .identify = identify_v2,
    .open = open_v2,
    .next = import_next,
    .done = import_done,
    .close = import_close,
};
