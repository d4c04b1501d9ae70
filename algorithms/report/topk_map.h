/*
 * The patches under the pixels of a probability map that was made before.
 *
 *     s2clr_topk_list_start(&list, 0.99);
 *     S2CLR_TRY(s2clr_topk_map_find("map.tif", &raster, progress, &list, &counts));
 *
 * Every pixel stands for the patch that is centred on it, as in the maps of s2clr-predict(1).
 */
#ifndef S2CLR_REPORT_TOPK_MAP_H
#define S2CLR_REPORT_TOPK_MAP_H

#include "base/progress.h"
#include "report/topk_scene.h"

typedef struct s2clr_topk_map {
    int patch;                                              /* 0: the map does not say */
    char model[S2CLR_CARD_WORD], positive[S2CLR_CARD_WORD]; /* "" unknown */
    char warning[1024];                                     /* the model's, "" none */
} s2clr_topk_map;

/* What a map says of itself: the tags of s2clr-predict(1). */
s2clr_status s2clr_topk_map_describe(const char *path, s2clr_topk_map *out);

/* Adds the pixels of the map's first band, which has to hold probabilities: centres in pixels of
 * the raster, through both reference systems. *outside: pixels at or above the list's limit whose
 * centre is not on the raster; they are not added. */
s2clr_status s2clr_topk_map_find(const char *path, const s2clr_topk_raster *raster,
                                 const s2clr_progress *progress, s2clr_topk_list *list,
                                 size_t *outside);

#endif
