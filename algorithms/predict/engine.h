/*
 * The engine that predict and the GDAL driver share: a model over a stack, any block of the output
 * grid on request.
 *
 *     s2clr_engine *engine;
 *     S2CLR_TRY(s2clr_engine_new(model, backend, device, pool, &grid, &options, &engine));
 *     S2CLR_TRY(s2clr_engine_run(engine, stack, 0, 0, 64, 64, probability, valid_fraction));
 *
 * Values are computed in anchored units of one fixed shape: 4 neighbouring patches of a grid row
 * (patch models), or a square tile of local logits with its halo (dense), laid out from the
 * raster's origin and always computed whole by one thread. So a pixel never depends on the block,
 * the thread or the order that asked for it.
 */
#ifndef S2CLR_PREDICT_ENGINE_H
#define S2CLR_PREDICT_ENGINE_H

#include "base/pool.h"
#include "base/progress.h"
#include "file/model.h"
#include "patch/grid.h"
#include "sentinel2/stack.h"

typedef struct s2clr_engine s2clr_engine;

typedef struct s2clr_engine_options {
    double min_valid;        /* share of a patch that must be valid, 0..1; a patch without any valid
                                pixel is nodata even at 0 */
    s2clr_progress progress; /* share of the block done; asked between units, from the thread that
                                called the engine; false gives S2CLR_ERR_CANCELLED */
} s2clr_engine_options;

/* model, device, pool must outlive the engine. One caller at a time. */
s2clr_status s2clr_engine_new(const s2clr_model *model, const s2clr_backend *backend,
                              s2clr_device *device, s2clr_pool *pool, const s2clr_grid *grid,
                              const s2clr_engine_options *options, s2clr_engine **out);
void s2clr_engine_free(s2clr_engine *engine);

/* A block read for the engine: what the reader thread makes and the compute side consumes. */
typedef struct s2clr_block {
    int column, row, columns, rows; /* output pixels wanted */
    int64_t x0, y0;                 /* input window that covers their units */
    int w, h;
    bool empty;            /* no valid pixel: values and valid are not filled */
    float *values;         // (bands, h, w) normalised
    uint8_t *valid;        // (h, w)
    const uint8_t *wanted; // (rows, columns), 0 = leave it NaN; NULL: all are wanted
} s2clr_block;

/* Input window of an output block (units completed); allocates nothing. */
void s2clr_engine_window(const s2clr_engine *engine, int column, int row, int columns, int rows,
                         s2clr_block *block);

/* Bytes that reading and computing a block of that size needs. */
size_t s2clr_engine_block_bytes(const s2clr_engine *engine, int columns, int rows);

/* Computes a read block. probability: (rows, columns), NaN = nodata. valid_fraction may be NULL. */
s2clr_status s2clr_engine_compute(s2clr_engine *engine, const s2clr_block *block,
                                  float *probability, float *valid_fraction);

/* Reads and computes in one call. */
s2clr_status s2clr_engine_run(s2clr_engine *engine, s2clr_stack *stack, int column, int row,
                              int columns, int rows, float *probability, float *valid_fraction);

#endif
