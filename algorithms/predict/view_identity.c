/*
 * When two views give the same values: the key of the results they share. Whatever cannot be looked
 * at, or may still change unseen, makes a key of its own.
 */
#define _POSIX_C_SOURCE 200809L
#include <nettle/sha2.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "predict/pview.h"

/* Times of change advance in ticks of up to 10 ms: a file that changed that lately can change again
 * without showing it. */
#define TICK_SECONDS 0.02

static double seconds(struct timespec time)
{
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double s2clr_view_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return seconds(now);
}

/* ---- what goes into a hash ---- */

static void put_number(struct sha256_ctx *hash, double value)
{
    uint8_t bytes[sizeof value];
    memcpy(bytes, &value, sizeof value);
    sha256_update(hash, sizeof bytes, bytes);
}

static void put_whole(struct sha256_ctx *hash, int64_t value)
{
    uint8_t bytes[sizeof value];
    memcpy(bytes, &value, sizeof value);
    sha256_update(hash, sizeof bytes, bytes);
}

/* With its length, so that no two lists of texts look alike; NULL differs from "". */
static void put_text(struct sha256_ctx *hash, const char *text)
{
    const size_t length = text ? strlen(text) : 0;
    put_whole(hash, text ? (int64_t)length : -1);
    sha256_update(hash, length, (const uint8_t *)(text ? text : ""));
}

/* ---- files ---- */

/* *latest: the last time any of them changed. */
static bool hash_files(const s2clr_stack_files *files, uint8_t state[32], double *latest)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    *latest = 0;
    for (char **file = files->local; *file; file++) {
        struct stat info;
        if (stat(*file, &info) != 0) return false;
        put_text(&hash, *file);
        put_whole(&hash, (int64_t)info.st_dev);
        put_whole(&hash, (int64_t)info.st_ino);
        put_whole(&hash, (int64_t)info.st_size);
        const struct timespec times[] = {info.st_mtim, info.st_ctim};
        for (int i = 0; i < 2; i++) {
            put_whole(&hash, (int64_t)times[i].tv_sec);
            put_whole(&hash, (int64_t)times[i].tv_nsec);
            if (seconds(times[i]) > *latest) *latest = seconds(times[i]);
        }
    }
    sha256_digest(&hash, 32, state);
    return true;
}

void s2clr_view_note_state(s2clr_view *view, double began)
{
    double latest;
    view->known = view->files.complete && hash_files(&view->files, view->state, &latest) &&
                  latest < began - TICK_SECONDS;
}

bool s2clr_view_is_unchanged(const s2clr_view *view)
{
    uint8_t now[32];
    double latest;
    if (!view->known) return true; /* nobody else has this key */
    return hash_files(&view->files, now, &latest) && memcmp(now, view->state, sizeof now) == 0;
}

/* ---- the key ---- */

static void put_settings(struct sha256_ctx *hash, const s2clr_view *view)
{
    const s2clr_view_settings *settings = &view->settings;
    const s2clr_stack_options *stack = &settings->stack;
    const char *const texts[] = {stack->bands, stack->level, stack->boa_offset, stack->scl,
                                 stack->scl_classes};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) put_text(hash, texts[i]);
    put_number(hash, settings->min_valid);
    put_number(hash, settings->prevalence);
    put_whole(hash, view->grid.width);
    put_whole(hash, view->grid.height);
    put_whole(hash, view->grid.stride);
    put_whole(hash, view->bands.count);
    for (int i = 0; i < view->bands.count; i++) {
        put_text(hash, view->bands.band[i].row->name);
        put_whole(hash, view->bands.band[i].feature);
    }
}

static void put_stack(struct sha256_ctx *hash, const s2clr_stack_info *info)
{
    put_text(hash, info->level);
    for (int i = 0; i < info->bands; i++) {
        const s2clr_stack_band *band = &info->band[i];
        put_text(hash, band->source);
        put_whole(hash, band->number);
        put_number(hash, band->offset);
        put_whole(hash, band->has_nodata);
        put_number(hash, band->has_nodata ? band->nodata : 0);
    }
}

void s2clr_view_make_key(s2clr_view *view)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    put_text(&hash, s2clr_model_sha256(view->model));
    put_text(&hash, s2clr_runtime_device(view->runtime));
    put_settings(&hash, view);
    put_stack(&hash, &view->stack_info);
    put_whole(&hash, view->known);
    if (view->known)
        sha256_update(&hash, sizeof view->state, view->state);
    else
        put_whole(&hash, (int64_t)s2clr_result_cache_ticket());
    sha256_digest(&hash, sizeof view->key, view->key);
    view->has_key = true;
}
