/*
 * The engine that predict and the GDAL driver share: a model over a stack, any block of the output
 * grid on request.
 *
 *     s2clr_engine *engine;
 *     S2CLR_TRY(s2clr_engine_new(runtime, &grid, &options, &engine));
 *     S2CLR_TRY(s2clr_engine_compute(engine, &block, &values));
 *
 * Values are computed in anchored units of one fixed shape: neighbouring patches of a grid row
 * (patch models; 4, or what the backend wants), or a square tile of local logits with its halo
 * (dense), laid out from the raster's origin and always computed whole by one thread. So a pixel
 * never depends on the block, the thread or the order that asked for it.
 */
#ifndef S2CLR_PREDICT_ENGINE_H
#define S2CLR_PREDICT_ENGINE_H

#include "base/progress.h"
#include "patch/grid.h"
#include "predict/runtime.h"
#include "sentinel2/stack.h"

typedef struct s2clr_engine s2clr_engine;

typedef struct s2clr_engine_options {
    double min_valid;  /* share of a patch that must be valid, 0..1; a patch without any valid
                          pixel is nodata even at 0 */
    double prevalence; /* share of positives to tell the probability for, in (0, 1); 0: the one
                          the model was trained to expect, that is, no shift */
    s2clr_progress progress; /* share of the block done; asked between units, from the thread that
                                called the engine; false gives S2CLR_ERR_CANCELLED */
} s2clr_engine_options;

/* The runtime must outlive the engine. One caller at a time; engines of one runtime take turns. */
s2clr_status s2clr_engine_new(s2clr_runtime *runtime, const s2clr_grid *grid,
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

/* What is known of the output pixels of a block; NULL: not asked for. */
typedef struct s2clr_values {
    float *probability; // (rows, columns), NaN = nodata; (K, rows, columns) when the aim are the
                        // classes; NULL when it is the embedding
    float *valid;       // (rows, columns) share of valid pixels in the patch, 0..1; NaN where
                        // nothing is wanted
    float *evidence;    // (rows, columns) dense: mean of the local logits whose centres lie inside
                        // the output pixel (divided by the card's temperature, with its bias;
                        // knots are not applied), NaN = nodata
    float *embedding;   // (F, rows, columns), NaN = nodata; NULL when the aim is the probability
} s2clr_values;

/* Input window of an output block (units completed); allocates nothing. */
void s2clr_engine_window(const s2clr_engine *engine, int column, int row, int columns, int rows,
                         s2clr_block *block);

/* Bytes that reading and computing a block of that size needs. */
size_t s2clr_engine_block_bytes(const s2clr_engine *engine, int columns, int rows);

/* Output pixels along an axis that a unit serves: blocks that are multiples of it waste nothing. */
int s2clr_engine_unit_columns(const s2clr_engine *engine);
int s2clr_engine_unit_rows(const s2clr_engine *engine);

/* Units that a block needs, those that a cache may hold included. */
uint64_t s2clr_engine_units_of(const s2clr_engine *engine, int columns, int rows);

/* Computes a read block. Asking for evidence of a model that has none is S2CLR_ERR_UNSUPPORTED. */
s2clr_status s2clr_engine_compute(s2clr_engine *engine, const s2clr_block *block,
                                  const s2clr_values *values);

/* Units computed so far (not taken from the cache of its own); for tests and bench. */
uint64_t s2clr_engine_units(const s2clr_engine *engine);

#endif
