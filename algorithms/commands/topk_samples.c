/* Patches of a data set for a contact sheet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "commands/edge.h"
#include "commands/store_parts.h"
#include "commands/topk_job.h"
#include "dataset/store_samples.h"
#include "train/supervised.h"

/* ---- opening ---- */

static bool asks_all(const s2clr_topk_job *job)
{
    return strcmp(s2clr_args_text(job->args, "part"), "all") == 0;
}

static s2clr_status part_by_hash(s2clr_topk_job *job)
{
    static const char *const names[] = {[S2CLR_SPLIT_TRAIN] = "train",
                                        [S2CLR_SPLIT_VALIDATION] = "validation",
                                        [S2CLR_SPLIT_TEST] = "test"};
    const char *part = s2clr_args_text(job->args, "part");
    const double test = s2clr_args_real(job->args, "test-share");
    const double validation = s2clr_args_real(job->args, "validation-share");
    int i = 0;
    if (asks_all(job)) return S2CLR_OK;
    while (strcmp(names[i], part) != 0) i++;
    return s2clr_samples_part(&job->parts.all, (s2clr_split_part)i, test, validation, 1, 0,
                              &job->parts.test);
}

static s2clr_status has_parts(const char *path, bool *out)
{
    s2clr_store *store;
    S2CLR_TRY(s2clr_store_open(path, &store));
    *out = s2clr_store_has_parts(store);
    s2clr_store_close(store);
    return S2CLR_OK;
}

/* Labels do not matter: nobody has to have looked at a patch before. */
static s2clr_status open_store(s2clr_topk_job *job)
{
    s2clr_parts *parts = &job->parts;
    const char *path = job->inputs[0];
    s2clr_store_samples_options wish = {.unlabelled = true};
    if (s2clr_args_given(job->args, "image-bands"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--image-bands: the model's card says which bands of a store it "
                               "takes");
    parts->store = true;
    S2CLR_TRY(has_parts(path, &parts->as_recorded));
    if (parts->as_recorded && !asks_all(job)) wish.split = s2clr_args_text(job->args, "part");
    S2CLR_TRY(s2clr_store_samples_open(path, s2clr_model_card(job->model), &wish, &parts->all));
    snprintf(parts->level, sizeof parts->level, "%s", s2clr_store_samples_level(&parts->all));
    if (parts->as_recorded) return S2CLR_OK;
    if (!asks_all(job)) s2clr_parts_note(job->args, parts);
    return part_by_hash(job);
}

static s2clr_status open_samples(s2clr_topk_job *job)
{
    const s2clr_images_options images = {.bands = s2clr_args_text(job->args, "image-bands")};
    if (s2clr_store_identify(job->inputs[0])) return open_store(job);
    S2CLR_TRY(
        s2clr_images_open(job->inputs[0], &images, job->pool, &job->progress, &job->parts.all));
    return part_by_hash(job);
}

static const s2clr_samples *samples_of(const s2clr_topk_job *job)
{
    return job->parts.test.count ? &job->parts.test : &job->parts.all;
}

/* ---- probabilities ---- */

static s2clr_status predict(s2clr_topk_job *job, double *p)
{
    const s2clr_card *card = s2clr_model_card(job->model);
    const s2clr_backend *backend;
    const char *level;
    s2clr_device *device;
    S2CLR_TRY(s2clr_parts_level(&job->parts, card, s2clr_args_text(job->args, "level"),
                                card->trained_level[0] ? card->trained_level : card->level[0].name,
                                &level));
    snprintf(job->raster.level, sizeof job->raster.level, "%s", level);
    S2CLR_TRY(
        s2clr_device_select(s2clr_args_text(job->args, "device"), S2CLR_F32, &backend, &device));
    const s2clr_status status = s2clr_predict_samples(
        s2clr_model_net(job->model), s2clr_model_params(job->model), card, level, samples_of(job),
        backend, device, job->pool, &job->progress, p);
    backend->device_close(device);
    return status;
}

static s2clr_status list_samples(s2clr_topk_job *job, const double *p, const uint64_t *order)
{
    for (size_t i = 0; i < samples_of(job)->count; i++) {
        const s2clr_topk_item item = {.p = p[i], .order = order[i], .index = i};
        S2CLR_TRY(s2clr_topk_list_add(&job->list, &item));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_topk_samples_find(s2clr_topk_job *job)
{
    double *p;
    uint64_t *order = NULL;
    S2CLR_TRY(open_samples(job));
    const s2clr_samples *samples = samples_of(job);
    S2CLR_TRY(s2clr_alloc(samples->count, sizeof *p, "probabilities", (void **)&p));
    s2clr_status status =
        s2clr_alloc(samples->count, sizeof *order, "order of names", (void **)&order);
    if (status == S2CLR_OK) status = s2clr_topk_order_names(samples->names, samples->count, order);
    if (status == S2CLR_OK) status = predict(job, p);
    if (status == S2CLR_OK) status = list_samples(job, p, order);
    s2clr_free(order);
    s2clr_free(p);
    return status;
}

/* ---- what is shown ---- */

/* The model's own bands, in the order in which the images' were bound to them. */
static s2clr_status show_images(s2clr_topk_job *job)
{
    const s2clr_samples *samples = samples_of(job);
    const s2clr_card *card = s2clr_model_card(job->model);
    S2CLR_TRY(
        s2clr_topk_pixels_new(job->counts.chosen, samples->channels, samples->size, &job->pixels));
    job->pixels.image = true;
    for (int b = 0; b < samples->channels; b++)
        snprintf(job->pixels.band[b], sizeof job->pixels.band[b], "%s", card->band[b]);
    for (size_t i = 0; i < job->counts.chosen; i++)
        S2CLR_TRY(samples->read(samples->self, job->chosen[i].index,
                                s2clr_topk_pixels_of(&job->pixels, i)));
    return S2CLR_OK;
}

static const s2clr_store_band *store_band(const s2clr_store_about *about, const char *name)
{
    for (int b = 0; b < about->bands; b++)
        if (strcmp(about->band[b].name, name) == 0) return &about->band[b];
    return NULL;
}

/* A store made of pictures holds bytes. */
static bool all_bytes(const s2clr_store_about *about, const s2clr_card *card)
{
    for (int b = 0; b < card->bands; b++) {
        const s2clr_store_band *band = store_band(about, card->band[b]);
        if (!band || band->dtypes != 1u << S2CLR_DTYPE_U8) return false;
    }
    return true;
}

/* Bands of pictures that the store has, else those of the model. */
static s2clr_status store_card(const s2clr_topk_job *job, s2clr_card *out, bool *bytes)
{
    const char *const *wanted = s2clr_topk_picture_bands();
    s2clr_store *store;
    s2clr_card card = *s2clr_model_card(job->model); /* its texts stay the model's */
    S2CLR_TRY(s2clr_store_open(job->inputs[0], &store));
    const s2clr_store_about *about = s2clr_store_describe(store);
    card.bands = 0;
    for (; *wanted; wanted++)
        if (store_band(about, *wanted))
            snprintf(card.band[card.bands++], sizeof card.band[0], "%s", *wanted);
    if (card.bands == 0) card = *s2clr_model_card(job->model);
    *bytes = all_bytes(about, &card);
    s2clr_store_close(store);
    *out = card;
    return S2CLR_OK;
}

typedef struct wanted_name {
    const char *name;
    size_t place; /* on the sheet */
} wanted_name;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const wanted_name *)a)->name, ((const wanted_name *)b)->name);
}

static double mean_of(const double value[4])
{
    return (value[0] + value[1] + value[2] + value[3]) / 4;
}

static s2clr_status show_row(s2clr_topk_job *job, const s2clr_samples *shown, size_t index,
                             size_t place)
{
    const s2clr_store_row *row = s2clr_store_samples_row(shown, index);
    s2clr_sheet_patch *patch = &job->sheet.patch[place];
    if (row->has_footprint) {
        const double longitude = mean_of(row->longitude);
        patch->longitude = longitude > 180    ? longitude - 360
                           : longitude < -180 ? longitude + 360
                                              : longitude;
        patch->latitude = mean_of(row->latitude);
    }
    return shown->read(shown->self, index, s2clr_topk_pixels_of(&job->pixels, place));
}

static s2clr_status show_rows(s2clr_topk_job *job, const s2clr_samples *shown, wanted_name *wanted)
{
    const s2clr_samples *samples = samples_of(job);
    for (size_t i = 0; i < job->counts.chosen; i++)
        wanted[i] = (wanted_name){samples->names[job->chosen[i].index], i};
    qsort(wanted, job->counts.chosen, sizeof *wanted, compare_names);
    for (size_t i = 0; i < shown->count; i++) {
        const wanted_name key = {.name = shown->names[i]};
        const wanted_name *found =
            bsearch(&key, wanted, job->counts.chosen, sizeof *wanted, compare_names);
        if (found) S2CLR_TRY(show_row(job, shown, i, found->place));
    }
    return S2CLR_OK;
}

static s2clr_status show_store(s2clr_topk_job *job)
{
    const s2clr_store_samples_options wish = {.unlabelled = true, .level = job->parts.level};
    s2clr_samples shown;
    s2clr_card card;
    bool bytes;
    wanted_name *wanted = NULL;
    S2CLR_TRY(store_card(job, &card, &bytes));
    S2CLR_TRY(s2clr_store_samples_open(job->inputs[0], &card, &wish, &shown));
    s2clr_status status =
        s2clr_topk_pixels_new(job->counts.chosen, card.bands, card.patch, &job->pixels);
    memcpy(job->pixels.band, card.band, sizeof card.band);
    job->pixels.image = bytes;
    if (status == S2CLR_OK)
        status = s2clr_alloc(job->counts.chosen, sizeof *wanted, "names", (void **)&wanted);
    if (status == S2CLR_OK) status = show_rows(job, &shown, wanted);
    s2clr_free(wanted);
    shown.free(shown.self);
    return status;
}

s2clr_status s2clr_topk_samples_show(s2clr_topk_job *job)
{
    const s2clr_samples *samples = samples_of(job);
    for (size_t i = 0; i < job->counts.chosen; i++)
        S2CLR_TRY(s2clr_strdup(samples->names[job->chosen[i].index], &job->sheet.patch[i].name));
    return job->parts.store ? show_store(job) : show_images(job);
}
