/*
 * Every op in double precision, one output element at a time, straight from the definition: what
 * the portable backend itself is compared with.
 */
#ifndef S2CLR_TESTS_OP_REFERENCE_H
#define S2CLR_TESTS_OP_REFERENCE_H

#include "op_rig.h"

#define OP_EPSILON 1e-5 /* of batch norm */

/* Double copies of the inputs, and batch norm's own parameters. */
typedef struct op_reference {
    s2clr_op_desc d;
    double *in[OP_FIELDS]; /* OP_X, OP_RESIDUAL, OP_WEIGHT, OP_BIAS, OP_SCALE, OP_SHIFT */
    bool normalise;        /* AFFINE: scale and shift are gamma and beta of a batch norm */
} op_reference;

op_reference op_reference_new(const s2clr_op_desc *d, const op_data *data, bool normalise);
void op_reference_free(op_reference *f);

/* y (may be NULL) and sum(dy * y) (dy may be NULL). */
double op_evaluate(const op_reference *f, const float *dy, double *y);

#endif
