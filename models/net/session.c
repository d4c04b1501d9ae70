/* Running a plan: one stream and one arena per thread. */
#include "base/memory.h"
#include "net/pplan.h"

struct s2clr_session {
    const s2clr_plan *plan;
    s2clr_stream *stream;
    char *arena; /* native: only offsets are computed on it */
};

s2clr_status s2clr_session_new(const s2clr_plan *plan, s2clr_session **out)
{
    s2clr_session *session;
    S2CLR_TRY(s2clr_alloc(1, sizeof *session, "session", (void **)&session));
    session->plan = plan;
    s2clr_status status =
        plan->backend->stream_new(plan->device, plan->scratch_bytes, &session->stream);
    if (status == S2CLR_OK)
        status =
            plan->backend->buffer_new(plan->device, plan->arena_bytes, (void **)&session->arena);
    if (status != S2CLR_OK) {
        s2clr_session_free(session);
        return status;
    }
    *out = session;
    return S2CLR_OK;
}

void s2clr_session_free(s2clr_session *session)
{
    if (!session) return;
    if (session->stream) session->plan->backend->stream_free(session->stream);
    if (session->arena) session->plan->backend->buffer_free(session->plan->device, session->arena);
    s2clr_free(session);
}

static s2clr_status run_op(s2clr_session *session, size_t i)
{
    const s2clr_plan *plan = session->plan;
    const s2clr_plan_op *op = &plan->op[i];
    const s2clr_op_args args = {
        .x = session->arena + plan->offset[op->x],
        .residual = op->residual >= 0 ? session->arena + plan->offset[op->residual] : NULL,
        .y = session->arena + plan->offset[i + 1],
        .packed = (const char *)plan->weights + op->packed,
        .scale = op->scale,
        .shift = op->scale ? op->scale + plan->fused[i].desc.y.c : NULL,
    };
    return plan->backend->op_forward(op->op, session->stream, &args);
}

s2clr_status s2clr_session_run(s2clr_session *session, const float *x, float *y)
{
    const s2clr_plan *plan = session->plan;
    S2CLR_TRY(
        plan->backend->upload(session->stream, plan->input, x, session->arena + plan->offset[0]));
    for (size_t i = 0; i < plan->ops; i++) S2CLR_TRY(run_op(session, i));
    return plan->backend->download(session->stream, plan->output,
                                   session->arena + plan->offset[plan->ops], y);
}
