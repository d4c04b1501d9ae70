/*
 * One op on every backend that loads here, against the portable one: what the tests of ops share.
 *
 *     op_check_everywhere(&desc); // fails the running test with the backend, the op and the tensor
 */
#ifndef S2CLR_TESTS_OP_COMPARE_H
#define S2CLR_TESTS_OP_COMPARE_H

#include "op_rig.h"

/* Runs on two threads at once (one op, two streams), which must give the same bits; compares every
 * output; refuses slow reference kernels. */
void op_check_everywhere(const s2clr_op_desc *d);

/* The op on every backend that loads here: check() gets it open. */
void op_everywhere(const s2clr_op_desc *d, void (*check)(const op_rig *rig, const op_data *wanted),
                   const op_data *wanted);

/* Fills the outputs of `data`. */
void op_run_portable(const s2clr_op_desc *d, op_data *data);

void op_fail(const char *backend, const s2clr_op_desc *d, const char *what);

#endif
