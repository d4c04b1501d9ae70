/*
 * A model on exactly one patch of a rig's scene: what maps are compared with.
 *
 *     rig_alone a;
 *     rig_alone_open(&bench, S2CLR_OUTPUT_LOGITS, &a);
 *     rig_alone_run(&a, &bench, column, row);         // a.output: a.shape.c * h * w floats
 *     rig_alone_close(&a);
 */
#ifndef S2CLR_TESTS_ALONE_RIG_H
#define S2CLR_TESTS_ALONE_RIG_H

#include "net/infer.h"
#include "predict_rig.h"

/* A plan for one patch, on a portable device of its own. */
typedef struct rig_alone {
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_plan *plan;
    s2clr_session *session;
    float *input;
    uint8_t *valid;
    float *output;
    s2clr_shape shape;
} rig_alone;

void rig_alone_open(const rig_bench *b, s2clr_output output, rig_alone *a);
void rig_alone_run(rig_alone *a, const rig_bench *b, int column, int row);
void rig_alone_close(rig_alone *a);

#endif
