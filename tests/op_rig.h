/*
 * One op on one backend, with plain host arrays on both sides: what the tests of the backends and
 * of the gradients share.
 *
 *     op_rig rig;
 *     op_data data;
 *     TEST_OK(op_rig_open(backend, device, &desc, &rig));
 *     op_data_new(&desc, 7, &data);
 *     TEST_OK(op_rig_run(&rig, &data)); // forward, and when training backward and the sums
 *     op_data_free(&data);
 *     op_rig_close(&rig);
 */
#ifndef S2CLR_TESTS_OP_RIG_H
#define S2CLR_TESTS_OP_RIG_H

#include "backend/backend.h"

typedef enum op_field {
    OP_X,
    OP_DX,
    OP_RESIDUAL,
    OP_Y,
    OP_DY,
    OP_DRESIDUAL,
    OP_TENSORS, /* native tensors come before, host arrays after */
    OP_WEIGHT = OP_TENSORS,
    OP_BIAS,
    OP_SCALE,
    OP_SHIFT,
    OP_OF_G, /* the three factors of args.affine */
    OP_OF_X,
    OP_CONSTANT,
    OP_DWEIGHT,
    OP_DBIAS,
    OP_FIELDS
} op_field;

typedef struct op_data {
    float *value[OP_FIELDS];
    size_t count[OP_FIELDS]; /* 0: this op has no such thing */
    double *sums[2];         // (2 c) each: op_reduce, op_reduce_backward
    size_t sums_count;       /* 0 unless AFFINE in training */
} op_data;

typedef struct op_rig {
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_op_desc desc;
    s2clr_op *op;
} op_rig;

const char *op_field_name(op_field field);

/* "conv 3x12x31x31 -> 64, 7x7/2 pad 3, bias, training" */
void op_describe(const s2clr_op_desc *desc, char text[160]);

/* Fills in desc->y. */
s2clr_status op_complete(s2clr_op_desc *desc, int channels);

/* Inputs in [-1, 1). Those of ops other than conv are multiples of 1/64, so that their results are
 * exact whatever the order of operations, and maximum pooling meets ties. */
void op_data_new(const s2clr_op_desc *desc, uint64_t seed, op_data *out);
void op_data_free(op_data *data);

s2clr_status op_rig_open(const s2clr_backend *backend, s2clr_device *device,
                         const s2clr_op_desc *desc, op_rig *out);
void op_rig_close(op_rig *rig);

/* Packs, runs on a stream of its own and fills the outputs of `data`. Tensors are placed in buffers
 * full of NaN. Several threads may use one rig. */
s2clr_status op_rig_run(const op_rig *rig, op_data *data);

#endif
