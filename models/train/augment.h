/*
 * Augmentations of one patch, drawn from counters: the same (seed, epoch, sample, view) always
 * gives the same pixels, whoever computes them.
 *
 *     s2clr_augment_recipe recipe;
 *     S2CLR_TRY(s2clr_augment_parse("multispectral", &recipe));
 *     S2CLR_TRY(s2clr_augment(&recipe, seed, epoch, slot, view, mean, std, channels, size, x, y));
 *
 * The table (augment_list.c) has one line per augmentation, the files one function each:
 * augment_geometry.c moves pixels, augment_blur.c mixes neighbours, augment_radiometry.c changes
 * values. They draw numbers and say in steps (backend/view_steps.h) what these do to a patch, which
 * the host and devices run alike. Ranges and their reasons stand with the functions.
 *
 * Two presets:
 *   multispectral   random crop, flips and turns, radiometry of all bands and of each, bands left
 *                   out, Gaussian blur
 *   simclr-s2       the nine of the SimCLR-S2 study (arXiv 2108.05484), two per view, without its
 *                   nine banned pairs; with what is weak in them: pixels leave at one border and
 *                   come back at the other, the zoom's box may be a sliver or mirrored, and the
 *                   gain of -0.5 to 0.5 darkens by half at least and may turn the picture negative
 */
#ifndef S2CLR_TRAIN_AUGMENT_H
#define S2CLR_TRAIN_AUGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "backend/view_steps.h"
#include "base/status.h"

/* Bit n is line n of the table: a new one goes at the end. */
typedef enum s2clr_augment_flag {
    S2CLR_AUGMENT_FLIP = 1u << 0,
    S2CLR_AUGMENT_ROT90 = 1u << 1,
    S2CLR_AUGMENT_SHIFT = 1u << 2,
    S2CLR_AUGMENT_BLUR = 1u << 3,
    S2CLR_AUGMENT_GAIN = 1u << 4,
    S2CLR_AUGMENT_ROLL = 1u << 5, /* from here the study's; flip is the same */
    S2CLR_AUGMENT_ZOOM = 1u << 6,
    S2CLR_AUGMENT_ROTATE = 1u << 7,
    S2CLR_AUGMENT_BRIGHTNESS = 1u << 8,
    S2CLR_AUGMENT_CONTRAST = 1u << 9,
    S2CLR_AUGMENT_SCALE = 1u << 10,
    S2CLR_AUGMENT_BLUR5 = 1u << 11,
    S2CLR_AUGMENT_SPECKLE = 1u << 12,
    S2CLR_AUGMENT_CROP = 1u << 13, /* from here those made for multispectral patches */
    S2CLR_AUGMENT_JITTER = 1u << 14,
    S2CLR_AUGMENT_BAND_GAIN = 1u << 15,
    S2CLR_AUGMENT_BAND_DROP = 1u << 16,
    S2CLR_AUGMENT_GAUSSIAN = 1u << 17
} s2clr_augment_flag;

#define S2CLR_AUGMENT_MAX 32     /* lines of the table, at most */
#define S2CLR_AUGMENT_DRAW_MAX 4 /* augmentations drawn per view, at most */

typedef struct s2clr_augment_recipe {
    uint32_t flags; /* s2clr_augment_flag */
    int draw; /* 0: all of them, in the order of the table; k: k of them per view, every allowed
                 choice and every order of it equally likely */
    uint32_t banned[S2CLR_AUGMENT_MAX]; /* bit j of [i]: never i with j; symmetric; for draw > 1 */
} s2clr_augment_recipe;

struct augment_draws; /* paugment.h */
struct augment_plan;

typedef struct s2clr_augment_entry {
    const char *name; /* word on the command line: "flip" */
    uint32_t flag;
    const char *summary;
    uint64_t numbers; /* of its random stream that a view may use */
    void (*add)(const struct augment_draws *draws, const struct augment_plan *plan); /* its steps */
} s2clr_augment_entry;

size_t s2clr_augment_list(const s2clr_augment_entry **out);

typedef struct s2clr_augment_preset {
    const char *name, *summary, *words;
} s2clr_augment_preset;

size_t s2clr_augment_preset_list(const s2clr_augment_preset **out);

/* "none", a preset, or [K:]WORD[,WORD...][/BAN[,BAN...]], where K of the words are drawn per view
 * and BAN is WORD+WORD: "flip,rot90", "2:crop,flip,gain/flip+gain". S2CLR_ERR_ARGUMENT names what
 * is wrong. */
s2clr_status s2clr_augment_parse(const char *words, s2clr_augment_recipe *out);

/* Replaces the banned pairs by "WORD+WORD,WORD+WORD", or by none ("none"). Words that the recipe
 * does not have may stand there: a list can be longer than a recipe. */
s2clr_status s2clr_augment_ban(const char *pairs, s2clr_augment_recipe *recipe);

/* What s2clr_augment_parse() makes the same recipe of; free with s2clr_free(). */
s2clr_status s2clr_augment_format(const s2clr_augment_recipe *recipe, char **out);

/* x, y: (channels, size, size) in the card's unit (before mean/std); x is not changed, x != y.
 * mean, std: (channels) in that unit: what stands for "no information", and what changes of value
 * are measured in. NaN marks invalid pixels and travels with them. sample: what tells views of one
 * epoch apart (training passes the place in the epoch, so a patch that is drawn twice is seen in
 * two ways); view: 0 to 199, the views of one sample. */
s2clr_status s2clr_augment(const s2clr_augment_recipe *recipe, uint64_t seed, uint64_t epoch,
                           uint64_t sample, int view, const float *mean, const float *std,
                           int channels, int size, const float *x, float *y);

/* The same in two halves: its steps, for s2clr_view_run() or a device. Adds them to the view that
 * the list began last, which needs room for s2clr_augment_steps(). */
size_t s2clr_augment_steps(const s2clr_augment_recipe *recipe);
s2clr_status s2clr_augment_plan(const s2clr_augment_recipe *recipe, uint64_t seed, uint64_t epoch,
                                uint64_t sample, int view, const float *mean, const float *std,
                                s2clr_view_list *list);

#endif
