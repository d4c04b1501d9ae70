#include "alone_rig.h"

#include <stdlib.h>

#include "backend/device_select.h"
#include "harness.h"

void rig_alone_open(const rig_bench *b, s2clr_output output, rig_alone *a)
{
    const int patch = b->grid.patch;
    const size_t pixels = (size_t)patch * (size_t)patch;
    TEST_OK(s2clr_device_select("portable", S2CLR_F32, &a->backend, &a->device));
    TEST_OK(s2clr_plan_new(s2clr_model_net(b->model), s2clr_model_params(b->model), a->backend,
                           a->device, output, 1, patch, patch, &a->plan));
    TEST_OK(s2clr_session_new(a->plan, &a->session));
    a->shape = s2clr_plan_output(a->plan);
    a->input = calloc(pixels * RIG_BANDS, sizeof *a->input);
    a->valid = calloc(pixels, 1);
    a->output =
        calloc((size_t)a->shape.c * (size_t)a->shape.h * (size_t)a->shape.w, sizeof *a->output);
}

void rig_alone_run(rig_alone *a, const rig_bench *b, int column, int row)
{
    const int patch = b->grid.patch;
    TEST_OK(s2clr_stack_read(b->stack, s2clr_grid_start(&b->grid, column),
                             s2clr_grid_start(&b->grid, row), patch, patch, a->input, a->valid));
    TEST_OK(s2clr_session_run(a->session, a->input, a->output));
}

void rig_alone_close(rig_alone *a)
{
    s2clr_session_free(a->session);
    s2clr_plan_free(a->plan);
    a->backend->device_close(a->device);
    free(a->input);
    free(a->valid);
    free(a->output);
}
