/*
 * One compiled oneDNN primitive: make, run, free.
 *
 * oneDNN shares its work out with OpenMP. We have one worker per core already, and run inside other
 * people's processes: OpenMP is held at one thread while a primitive is made (its scratch is sized
 * for the threads seen then) and while it runs, and the caller's value is put back.
 */
#include "backend/onednnp.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

static int threads_hold(void)
{
    const int threads = omp_get_max_threads();
    if (threads != 1) omp_set_num_threads(1);
    return threads;
}

static void threads_restore(int threads)
{
    if (threads != 1) omp_set_num_threads(threads);
}

static const char *status_text(dnnl_status_t status)
{
    switch (status) {
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "not offered by this build of the library";
    case dnnl_runtime_error:
        return "runtime error";
    default:
        return "failure";
    }
}

s2clr_status s2clr_dnnl_check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return S2CLR_OK;
    return s2clr_error_set(status == dnnl_out_of_memory   ? S2CLR_ERR_MEMORY
                           : status == dnnl_unimplemented ? S2CLR_ERR_UNSUPPORTED
                                                          : S2CLR_ERR_BACKEND,
                           "oneDNN, %s: %s (status %d)", what, status_text(status), (int)status);
}

void s2clr_dnnl_prim_free(s2clr_dnnl_prim *prim)
{
    if (prim->primitive != NULL) dnnl_primitive_destroy(prim->primitive);
    for (int slot = 0; slot < SLOTS; slot++)
        if (prim->bytes[slot] > 0) s2clr_dnnl_md_free(&prim->md[slot]);
    memset(prim, 0, sizeof *prim);
}

/* Fills in descriptors, sizes, name and primitive from `desc`; prim->arg is set. */
static dnnl_status_t finish(dnnl_primitive_desc_t desc, s2clr_dnnl_prim *prim)
{
    const char *kernel = NULL;
    dnnl_status_t status =
        dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, (void *)&kernel);
    if (status != dnnl_success) return status;
    snprintf(prim->kernel, sizeof prim->kernel, "%s", kernel);
    for (int slot = 0; slot < SLOTS; slot++) {
        dnnl_memory_desc_t md;
        if (prim->arg[slot] == 0) continue;
        status = s2clr_dnnl_md_query(desc, prim->arg[slot], &md);
        if (status != dnnl_success) return status;
        prim->bytes[slot] = s2clr_dnnl_md_bytes(&md);
        if (prim->bytes[slot] > 0)
            prim->md[slot] = md;
        else
            s2clr_dnnl_md_free(&md);
    }
    return dnnl_primitive_create(&prim->primitive, desc);
}

s2clr_status s2clr_dnnl_prim_conv(dnnl_engine_t engine, const s2clr_dnnl_conv *conv,
                                  s2clr_dnnl_prim *out)
{
    static const int args[3][SLOTS] = {
        {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, 0, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD},
        {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, 0, DNNL_ARG_DIFF_DST, DNNL_ARG_SCRATCHPAD},
        {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, 0, DNNL_ARG_DIFF_DST, DNNL_ARG_SCRATCHPAD}};
    s2clr_dnnl_prim prim = {.primitive = NULL};
    dnnl_primitive_desc_t desc;
    memcpy(prim.arg, args[conv->direction], sizeof prim.arg);
    if (conv->bias) prim.arg[SLOT_BIAS] = DNNL_ARG_BIAS;
    const int threads = threads_hold();
    dnnl_status_t status = s2clr_dnnl_conv_desc(engine, conv, &desc);
    if (status == dnnl_success) {
        status = finish(desc, &prim);
        dnnl_primitive_desc_destroy(desc);
    }
    threads_restore(threads);
    if (status != dnnl_success) {
        s2clr_dnnl_prim_free(&prim);
        return s2clr_dnnl_check(status, "making a convolution");
    }
    *out = prim;
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_prim_reorder(dnnl_engine_t engine, const s2clr_dnnl_conv *shape,
                                     const s2clr_dnnl_prim *conv, bool pack, s2clr_dnnl_prim *out)
{
    s2clr_dnnl_prim prim = {.arg = {[SLOT_X] = DNNL_ARG_FROM,
                                    [SLOT_Y] = DNNL_ARG_TO,
                                    [SLOT_SCRATCH] = DNNL_ARG_SCRATCHPAD}};
    dnnl_memory_desc_t plain;
    dnnl_primitive_desc_t desc;
    const dnnl_memory_desc_t *own = &conv->md[SLOT_WEIGHTS];
    S2CLR_TRY(s2clr_dnnl_check(s2clr_dnnl_md_weights(shape, &plain), "describing weights"));
    const int threads = threads_hold();
    dnnl_status_t status =
        s2clr_dnnl_reorder_desc(engine, pack ? &plain : own, pack ? own : &plain, &desc);
    s2clr_dnnl_md_free(&plain);
    if (status == dnnl_success) {
        status = finish(desc, &prim);
        dnnl_primitive_desc_destroy(desc);
    }
    threads_restore(threads);
    if (status != dnnl_success) {
        s2clr_dnnl_prim_free(&prim);
        return s2clr_dnnl_check(status, "making a reorder of weights");
    }
    *out = prim;
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_prim_run(const s2clr_dnnl_prim *prim, const s2clr_stream *stream,
                                 void *const handles[SLOTS])
{
    dnnl_exec_arg_t args[SLOTS];
    int count = 0;
    dnnl_status_t status = dnnl_success;
    for (int slot = 0; slot < SLOTS && status == dnnl_success; slot++) {
        if (prim->bytes[slot] == 0) continue;
        args[count].arg = prim->arg[slot];
        status = s2clr_dnnl_memory(&prim->md[slot], stream->device->engine, handles[slot],
                                   &args[count].memory);
        if (status == dnnl_success) count++;
    }
    if (status == dnnl_success) {
        const int threads = threads_hold();
        status = dnnl_primitive_execute(prim->primitive, stream->stream, count, args);
        threads_restore(threads);
    }
    for (int i = 0; i < count; i++) dnnl_memory_destroy(args[i].memory);
    return s2clr_dnnl_check(status, prim->kernel);
}
