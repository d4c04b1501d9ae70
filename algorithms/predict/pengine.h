/*
 * What the files of the engine share; nobody else includes this but tasks.c, which has to know
 * where units end and what they cost, and stream.c, which has progress of its own.
 */
#ifndef S2CLR_PREDICT_PENGINE_H
#define S2CLR_PREDICT_PENGINE_H

#include "predict/engine.h"
#include "predict/pruntime.h"
#include "predict/unit_cache.h"

/* The two ways to get a value for an output pixel: engine_patch.c and engine_dense.c. */
typedef struct s2clr_engine_kind {
    const char *name;
    bool has_evidence;

    /* Checks model against grid and sets what is private to the kind. */
    s2clr_status (*prepare)(s2clr_engine *engine, const s2clr_model *model);

    /* Input pixels [box[0], box[2]) x [box[1], box[3]) that the units of a block see. */
    void (*reach)(const s2clr_engine *engine, int column, int row, int columns, int rows,
                  int64_t box[4]);

    /* Largest output index <= end at which no unit is left half used, 0 if there is none. */
    int (*column_end)(const s2clr_engine *engine, int end);
    int (*row_end)(const s2clr_engine *engine, int end);

    /* Output pixels along one axis that a unit serves. */
    int (*unit_columns)(const s2clr_engine *engine);
    int (*unit_rows)(const s2clr_engine *engine);

    /* Units of a block of that size whose first output is the first of a unit. */
    uint64_t (*units)(const s2clr_engine *engine, int columns, int rows);

    /* Bytes of scratch that compute() allocates for a block. */
    size_t (*scratch)(const s2clr_engine *engine, int columns, int rows);

    /* Writes probability, evidence and embedding, as far as they are asked for, where pending is
     * not 0. pending: (rows, columns) of the block. */
    s2clr_status (*compute)(s2clr_engine *engine, const s2clr_block *block, const uint8_t *pending,
                            const s2clr_values *values);
} s2clr_engine_kind;

extern const s2clr_engine_kind s2clr_engine_patch, s2clr_engine_dense;

struct s2clr_engine {
    const s2clr_engine_kind *kind;
    s2clr_runtime *runtime;
    s2clr_grid grid;
    s2clr_engine_options options;
    const s2clr_card *card; /* of the runtime's model */
    int bands, threads, planes;
    int step, span, ratio, field; /* dense: f, local logits per patch and per stride, R */
    s2clr_unit_cache *cache;      /* dense */
    uint64_t units;               /* computed so far */
};

/* Bytes of the machine's memory held whatever the block: sessions, cached units, packed weights. A
 * device with memory of its own has the last, and a session's layers, there. */
size_t s2clr_engine_fixed_bytes(const s2clr_engine *engine);

/* Bytes of the pixels of a block of that size, wherever it starts. */
size_t s2clr_engine_read_bytes(const s2clr_engine *engine, int columns, int rows);

/* Bytes of what of them lies on the device, 0 where nothing is cut there. */
size_t s2clr_engine_strip_bytes(const s2clr_engine *engine, int columns, int rows);

/* A device with memory of its own: bytes it holds whatever the block, and how many are left for a
 * block's pixels. allowed: in all; 0: what the device has. Elsewhere 0 and SIZE_MAX. */
s2clr_status s2clr_engine_device_bytes(const s2clr_engine *engine, size_t allowed, size_t *held,
                                       size_t *left);

/* Where no pixel is: a patch that is not there. */
#define S2CLR_NOWHERE (INT64_MIN / 2)

/* Runs a task for every unit of a block that is to be computed, and counts them. */
s2clr_status s2clr_engine_run_units(s2clr_engine *engine, const s2clr_block *block, s2clr_task task,
                                    void *context, size_t items);

/* Inside such a task: a unit whose patches have their left upper pixels at `at`, column and row of
 * the raster; what the block lacks is 0. *out: of the plan's shape, until the worker's next unit.
 * at: (runtime->unit) */
s2clr_status s2clr_engine_run_unit(const s2clr_engine *engine, const s2clr_block *block,
                                   const int64_t (*at)[2], int worker, const float **out);

/* Between units: S2CLR_ERR_CANCELLED when the caller's progress says stop. */
s2clr_status s2clr_engine_tick(const s2clr_engine *engine, int worker, size_t item, size_t items);

/* Probability from a logit, as the card calibrates it and at the prevalence asked for. */
float s2clr_engine_calibrate(const s2clr_engine *engine, double logit);

/* Probabilities of K classes. logit: (K), p: K floats, `gap` apart. */
void s2clr_engine_classify(const s2clr_engine *engine, const float *logit, size_t gap, float *p);

/* Valid input pixels of every patch of a block (coverage.c). count: (rows, columns). */
s2clr_status s2clr_coverage_count(s2clr_pool *pool, const s2clr_grid *grid,
                                  const s2clr_block *block, uint32_t *count);

#endif
