/*
 * The patches of a scene and their probabilities: the engine of predictions on a grid of patches
 * that do not overlap, or overlap as much as the stride says.
 *
 *     s2clr_topk_list_start(&list, 0.99);
 *     S2CLR_TRY(s2clr_topk_scene_find(&options, progress, &list, &raster));
 *     ... items of the list are centres of patches in pixels of the raster ...
 *     s2clr_topk_raster_clear(&raster);
 */
#ifndef S2CLR_REPORT_TOPK_SCENE_H
#define S2CLR_REPORT_TOPK_SCENE_H

#include "base/progress.h"
#include "file/model.h"
#include "report/topk.h"
#include "sentinel2/stack.h"

/* The raster that patches lie in. */
typedef struct s2clr_topk_raster {
    int width, height; /* pixels */
    int patch;         /* of the side of a patch */
    bool has_transform;
    double transform[6];
    char *wkt;                   /* "" none; owned */
    char level[S2CLR_CARD_WORD]; /* as opened */
    char opened_as[64];
    int warnings;
    char warning[8][512];
} s2clr_topk_raster;

s2clr_status s2clr_topk_raster_set(const s2clr_stack_info *info, int patch, s2clr_topk_raster *out);
void s2clr_topk_raster_clear(s2clr_topk_raster *raster);

typedef struct s2clr_topk_scene_options {
    const s2clr_model *model; /* from s2clr_model_acquire(); one output */
    const char *const *inputs;
    size_t count;
    s2clr_stack_options stack;
    const char *device;
    int threads;      /* 0: all CPUs */
    size_t memory_mb; /* 0: a quarter of what is available */
    int stride;       /* 0: the side of a patch */
    double min_valid; /* share of a patch that must be valid */
} s2clr_topk_scene_options;

/* Adds every patch of the grid; those that are not valid enough have no probability. */
s2clr_status s2clr_topk_scene_find(const s2clr_topk_scene_options *options,
                                   const s2clr_progress *progress, s2clr_topk_list *list,
                                   s2clr_topk_raster *raster);

#endif
