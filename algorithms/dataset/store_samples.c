#include "dataset/store_samples.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "dataset/ppixels.h"
#include "dataset/pstore.h"

#define GROUND_MAX 1.5 /* ground size over card size, either way: as for rasters */

typedef struct store_samples {
    s2clr_store *store;
    s2clr_pixels_wish wish;
    char level[S2CLR_CARD_WORD];
    size_t count;
    size_t *row;        // (count) of the store
    const char **names; // (count) borrowed from the store
    int *labels;        // (count)
    int *groups;        // (count) or NULL
    s2clr_strings group_names;
    pthread_mutex_t mutex; /* of `idle` */
    s2clr_pixels *idle;
} store_samples;

static void samples_free(void *context)
{
    store_samples *self = context;
    if (!self) return;
    while (self->idle) {
        s2clr_pixels *one = self->idle;
        self->idle = *s2clr_pixels_next(one);
        s2clr_pixels_free(one);
    }
    pthread_mutex_destroy(&self->mutex);
    s2clr_strings_clear(&self->group_names);
    s2clr_free(self->row);
    s2clr_free(self->names);
    s2clr_free(self->labels);
    s2clr_free(self->groups);
    s2clr_store_close(self->store);
    s2clr_free(self);
}

/* ---- reading ---- */

static s2clr_status take(store_samples *self, s2clr_pixels **out)
{
    pthread_mutex_lock(&self->mutex);
    s2clr_pixels *one = self->idle;
    if (one) self->idle = *s2clr_pixels_next(one);
    pthread_mutex_unlock(&self->mutex);
    if (!one) return s2clr_pixels_new(&self->wish, out);
    *out = one;
    return S2CLR_OK;
}

static void put_back(store_samples *self, s2clr_pixels *one)
{
    pthread_mutex_lock(&self->mutex);
    *s2clr_pixels_next(one) = self->idle;
    self->idle = one;
    pthread_mutex_unlock(&self->mutex);
}

static s2clr_status samples_read(void *context, size_t index, float *dn)
{
    store_samples *self = context;
    s2clr_pixels *pixels;
    if (index >= self->count)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "sample %zu of %zu was asked for", index,
                               self->count);
    S2CLR_TRY(take(self, &pixels));
    const s2clr_status status = s2clr_pixels_read(pixels, self->row[index], dn);
    put_back(self, pixels);
    return status;
}

/* ---- class names ---- */

static s2clr_status unknown_class(const char *path, const char *list, const s2clr_strings *classes)
{
    char word[256];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(list, ","), list);
    const char *near = s2clr_suggest(word, classes->text, classes->count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: no patch has the class '%s'; wanted: one of the %zu class names of "
                           "the store%s%s%s",
                           path, word, classes->count, near ? ", such as '" : "", near ? near : "",
                           near ? "'" : "");
}

/* Class names have commas in them ("Beaches, dunes, sands"), so the longest known one counts. */
static s2clr_status mark_positive(const char *path, const char *list, const s2clr_strings *classes,
                                  bool *positive)
{
    while (*list) {
        size_t longest = 0, found = 0;
        for (size_t i = 0; i < classes->count; i++) {
            const size_t length = strlen(classes->text[i]);
            if (length <= longest || strncmp(list, classes->text[i], length) != 0) continue;
            if (list[length] && list[length] != ',') continue;
            longest = length;
            found = i;
        }
        if (!longest) return unknown_class(path, list, classes);
        positive[found] = true;
        list += longest;
        if (*list == ',') list += 1 + strspn(list + 1, " ");
    }
    return S2CLR_OK;
}

static s2clr_label label_by_class(const char *labels, const s2clr_strings *classes,
                                  const bool *positive)
{
    char name[1024];
    if (!*labels) return S2CLR_LABEL_UNKNOWN;
    while (labels) {
        labels = s2clr_class_name_next(labels, name, sizeof name);
        const int64_t number = s2clr_strings_find(classes, name);
        if (number >= 0 && positive[number]) return S2CLR_LABEL_POSITIVE;
    }
    return S2CLR_LABEL_NEGATIVE;
}

/* labels: (rows of the store) */
static s2clr_status judge_by_class(const char *path, const s2clr_store *store, const char *list,
                                   s2clr_label *labels)
{
    s2clr_strings classes = {0};
    bool *positive = NULL;
    s2clr_status status = s2clr_class_names_collect(store, &classes);
    if (status == S2CLR_OK)
        status = s2clr_alloc(classes.count, sizeof *positive, "classes", (void **)&positive);
    if (status == S2CLR_OK) status = mark_positive(path, list, &classes, positive);
    for (size_t i = 0; status == S2CLR_OK && i < s2clr_store_count(store); i++)
        labels[i] = label_by_class(s2clr_store_row_at(store, i)->labels, &classes, positive);
    s2clr_free(positive);
    s2clr_strings_clear(&classes);
    return status;
}

/* ---- which patches ---- */

static s2clr_status check_size(const char *path, const s2clr_store_row *row, const s2clr_card *card)
{
    const double metres = row->metres * row->width / card->patch;
    const double ratio = metres / card->metres;
    if (row->width != row->height)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: patch '%s' has %d rows and %d columns; wanted: square patches",
                               path, row->name, row->height, row->width);
    if (row->metres > 0 && card->metres > 0 && !(ratio <= GROUND_MAX && ratio >= 1 / GROUND_MAX))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: patch '%s' is %d pixels of %g m wide, the model wants %d of "
                               "%g m; make a store of patches of that size, or take another model",
                               path, row->name, row->width, row->metres, card->patch, card->metres);
    if (!(row->metres > 0 && card->metres > 0) && row->width != card->patch)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: patch '%s' is %d pixels wide and its ground size is not known; "
                               "the model wants %d pixels",
                               path, row->name, row->width, card->patch);
    return S2CLR_OK;
}

static s2clr_status check_level(const char *path, const char *level, const s2clr_store_row *row)
{
    if (strcmp(level, row->level) == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: patch '%s' is of level '%s', others are of level '%s'; choose one "
                           "level",
                           path, row->name, row->level, level);
}

static const char *group_of(const s2clr_store_row *row, const char *column)
{
    if (strcmp(column, "labels") == 0) return row->labels;
    if (strcmp(column, "country") == 0) return row->country;
    return strcmp(column, "tile") == 0 ? row->tile : NULL;
}

static s2clr_status add_group(store_samples *self, const s2clr_store_row *row, const char *column)
{
    const char *name = group_of(row, column), *kept;
    if (!name)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "groups by '%.60s' are not there; wanted: labels, country or tile",
                               column);
    S2CLR_TRY(s2clr_strings_put(&self->group_names, *name ? name : "unknown", &kept));
    if (self->group_names.count > INT_MAX)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "more groups than can be numbered");
    self->groups[self->count] =
        (int)s2clr_strings_find(&self->group_names, *name ? name : "unknown");
    return S2CLR_OK;
}

static bool is_wanted(const s2clr_store_row *row, s2clr_label label,
                      const s2clr_store_samples_options *options)
{
    const bool undecided = options->undecided && !row->split[0];
    return (!options->split || undecided || strcmp(options->split, row->split) == 0) &&
           (!options->level || strcmp(options->level, row->level) == 0) &&
           (options->unlabelled || label != S2CLR_LABEL_UNKNOWN);
}

static s2clr_status choose(const char *path, const s2clr_card *card, const s2clr_label *labels,
                           const s2clr_store_samples_options *options, store_samples *self)
{
    const char *level = NULL;
    for (size_t i = 0; i < s2clr_store_count(self->store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(self->store, i);
        const s2clr_label label = labels ? labels[i] : row->label;
        if (!is_wanted(row, label, options)) continue;
        S2CLR_TRY(check_size(path, row, card));
        if (!level) level = row->level;
        S2CLR_TRY(check_level(path, level, row));
        if (self->groups) S2CLR_TRY(add_group(self, row, options->group));
        self->row[self->count] = i;
        self->names[self->count] = row->name;
        self->labels[self->count++] = label == S2CLR_LABEL_UNKNOWN    ? -1
                                      : label == S2CLR_LABEL_POSITIVE ? 1
                                                                      : 0;
    }
    if (self->count == 0)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%s: none of the %zu patches has split '%s', level '%s'%s; see s2clr dataset info",
            path, s2clr_store_count(self->store), options->split ? options->split : "(any)",
            options->level ? options->level : "(any)",
            options->unlabelled ? "" : " and a known label");
    snprintf(self->level, sizeof self->level, "%s", level);
    return S2CLR_OK;
}

static s2clr_status reserve(store_samples *self, bool grouped)
{
    const size_t room = s2clr_store_count(self->store);
    S2CLR_TRY(s2clr_alloc(room, sizeof *self->row, "samples", (void **)&self->row));
    S2CLR_TRY(s2clr_alloc(room, sizeof *self->names, "samples", (void **)&self->names));
    S2CLR_TRY(s2clr_alloc(room, sizeof *self->labels, "samples", (void **)&self->labels));
    if (!grouped) return S2CLR_OK;
    return s2clr_alloc(room, sizeof *self->groups, "samples", (void **)&self->groups);
}

/* ---- the card ---- */

static s2clr_status wish_bands(const char *path, const s2clr_card *card, store_samples *self)
{
    const s2clr_store_about *about = s2clr_store_describe(self->store);
    for (int c = 0; c < card->bands; c++) {
        bool found = false;
        for (int b = 0; b < about->bands && !found; b++)
            found = strcmp(about->band[b].name, card->band[c]) == 0;
        if (!found)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: the store has no band %s, which the model needs; take "
                                   "another model, or import with that band",
                                   path, card->band[c]);
        snprintf(self->wish.band[c], sizeof self->wish.band[c], "%.15s", card->band[c]);
    }
    self->wish.channels = card->bands;
    return S2CLR_OK;
}

static s2clr_status wish_rest(const char *path, const s2clr_card *card, store_samples *self)
{
    const s2clr_card_level *level = s2clr_card_find_level(card, self->level);
    if (!level && card->levels == 1) level = &card->level[0];
    self->wish.store = self->store;
    self->wish.size = card->patch;
    self->wish.has_nodata = level && level->has_nodata;
    self->wish.nodata = self->wish.has_nodata ? (float)level->nodata : 0;
    if (s2clr_resampling_find(card->resampling, &self->wish.method)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: the model's resampling '%s' is unknown; wanted: nearest, bilinear "
                           "or cubic",
                           path, card->resampling);
}

static s2clr_status open_all(const char *path, const s2clr_card *card,
                             const s2clr_store_samples_options *options, store_samples *self)
{
    s2clr_label *labels = NULL;
    S2CLR_TRY(s2clr_store_open(path, &self->store));
    S2CLR_TRY(wish_bands(path, card, self));
    S2CLR_TRY(reserve(self, options->group != NULL));
    s2clr_status status = S2CLR_OK;
    if (options->positive) {
        status =
            s2clr_alloc(s2clr_store_count(self->store), sizeof *labels, "labels", (void **)&labels);
        if (status == S2CLR_OK)
            status = judge_by_class(path, self->store, options->positive, labels);
    }
    if (status == S2CLR_OK) status = choose(path, card, labels, options, self);
    s2clr_free(labels);
    return status == S2CLR_OK ? wish_rest(path, card, self) : status;
}

s2clr_status s2clr_store_samples_open(const char *path, const s2clr_card *card,
                                      const s2clr_store_samples_options *options,
                                      s2clr_samples *out)
{
    store_samples *self;
    S2CLR_TRY(s2clr_alloc(1, sizeof *self, "samples", (void **)&self));
    pthread_mutex_init(&self->mutex, NULL);
    const s2clr_status status = open_all(path, card, options, self);
    if (status != S2CLR_OK) {
        samples_free(self);
        return status;
    }
    *out = (s2clr_samples){.self = self,
                           .count = self->count,
                           .channels = self->wish.channels,
                           .size = self->wish.size,
                           .names = self->names,
                           .labels = self->labels,
                           .groups = self->groups,
                           .group_names = self->groups ? self->group_names.text : NULL,
                           .group_count = self->groups ? (int)self->group_names.count : 0,
                           .read = samples_read,
                           .free = samples_free};
    return S2CLR_OK;
}

const s2clr_store_row *s2clr_store_samples_row(const s2clr_samples *samples, size_t index)
{
    const store_samples *self = samples->self;
    return s2clr_store_row_at(self->store, self->row[index]);
}

const char *s2clr_store_samples_level(const s2clr_samples *samples)
{
    return ((const store_samples *)samples->self)->level;
}
