/*
 * What a layer of a network says of samples: the vectors that are mapped.
 *
 *     s2clr_tsne_rows rows;
 *     S2CLR_TRY(s2clr_tsne_layer_run(&source, "projection.1", pool, progress, &rows));
 *     ... rows.x[i * rows.width + j] ...
 *     s2clr_tsne_rows_free(&rows);
 */
#ifndef S2CLR_REPORT_TSNE_LAYER_H
#define S2CLR_REPORT_TSNE_LAYER_H

#include "base/pool.h"
#include "base/progress.h"
#include "file/model.h"
#include "train/samples.h"

typedef struct s2clr_tsne_source {
    const s2clr_model *model;
    const char *level; /* of the samples; one of the card's */
    const s2clr_samples *samples;
    const char *device; /* as --device */
} s2clr_tsne_source;

typedef struct s2clr_tsne_rows {
    size_t count, width;
    double *x; // (count, width)
} s2clr_tsne_rows;

/* layer: "features", the end of the trunk; "projection.N", a layer of the projection head behind
 * its ReLU, or its last one, which has none; "projection": the last one. */
s2clr_status s2clr_tsne_layer_run(const s2clr_tsne_source *source, const char *layer,
                                  s2clr_pool *pool, const s2clr_progress *progress,
                                  s2clr_tsne_rows *out);
void s2clr_tsne_rows_free(s2clr_tsne_rows *rows);

#endif
