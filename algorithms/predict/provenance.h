/*
 * What an output raster says about how it was made: metadata domain S2CLR. Nothing that differs
 * between two runs on the same input goes in: no threads, memory, times.
 */
#ifndef S2CLR_PREDICT_PROVENANCE_H
#define S2CLR_PREDICT_PROVENANCE_H

#include "file/model.h"
#include "patch/grid.h"
#include "predict/predict.h"

typedef struct s2clr_provenance {
    const s2clr_model *model;
    const char *backend; /* name and description; NULL: not known yet */
    const s2clr_stack_info *stack;
    const s2clr_grid *grid;
    const int *window; /* of the output grid */
    const char *const *inputs;
    size_t input_count;
    double min_valid;
    double prevalence;                    /* that the probabilities are told for; 0: the model's */
    const char *scl, *aoi, *command_line; /* NULL: left out */
} s2clr_provenance;

/* The names of what a reader of the map wants to know. Programs show the default domain and carry
 * it over to what they make of the map, so these stand there too, with S2CLR_ before. Ends with
 * NULL. */
const char *const *s2clr_provenance_shown(void);

/* A CSL of K=V; free with CSLDestroy(). */
char **s2clr_provenance_list(const s2clr_provenance *facts);

/* The same for a run of prediction. */
char **s2clr_provenance_tags(const s2clr_predict_settings *settings, const s2clr_model *model,
                             const char *backend, const s2clr_stack_info *stack,
                             const s2clr_grid *grid, const int window[4]);

#endif
