/*
 * What an output raster says about how it was made: metadata domain S2CLR. Nothing that differs
 * between two runs on the same input goes in: no threads, memory, times.
 */
#ifndef S2CLR_PREDICT_PROVENANCE_H
#define S2CLR_PREDICT_PROVENANCE_H

#include "file/model.h"
#include "patch/grid.h"
#include "predict/predict.h"

/* backend: name and description. window: of the output grid. A CSL of K=V; free with
 * CSLDestroy(). */
char **s2clr_provenance_tags(const s2clr_predict_settings *settings, const s2clr_model *model,
                             const char *backend, const s2clr_stack_info *stack,
                             const s2clr_grid *grid, const int window[4]);

#endif
