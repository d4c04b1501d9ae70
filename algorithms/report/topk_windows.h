/*
 * Chosen patches of a raster as they go on a sheet: names, coordinates in WGS 84, pixels.
 *
 *     const s2clr_topk_look look = {.inputs = inputs, .count = 1, .stack = &options, .card = card};
 *     S2CLR_TRY(s2clr_topk_windows_read(&look, &raster, item, count, progress, &sheet, &pixels));
 *
 * The bands shown are those pictures are made of, whether or not the model looks at them; where the
 * input does not name its bands (--input-bands), those of the model.
 */
#ifndef S2CLR_REPORT_TOPK_WINDOWS_H
#define S2CLR_REPORT_TOPK_WINDOWS_H

#include "base/progress.h"
#include "report/topk_pictures.h"
#include "report/topk_scene.h"

typedef struct s2clr_topk_look {
    const char *const *inputs;
    size_t count;
    const s2clr_stack_options *stack;
    const s2clr_card *card; /* the model's; NULL: none is known */
} s2clr_topk_look;

/* The raster as its pictures will see it, when there is no model that opened it: side of a patch
 * in pixels of its finest band. */
s2clr_status s2clr_topk_windows_raster(const s2clr_topk_look *look, int patch,
                                       s2clr_topk_raster *out);

/* Fills names and places of sheet->patch (count) and *pixels, which the caller frees. */
s2clr_status s2clr_topk_windows_read(const s2clr_topk_look *look, const s2clr_topk_raster *raster,
                                     const s2clr_topk_item *item, size_t count,
                                     const s2clr_progress *progress, s2clr_sheet *sheet,
                                     s2clr_topk_pixels *pixels);

#endif
