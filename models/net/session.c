/* Running a plan: one stream and one arena per thread. */
#include "base/memory.h"
#include "net/pplan.h"

struct s2clr_session {
    const s2clr_plan *plan;
    s2clr_stream *stream;
    char *arena; /* native: only offsets are computed on it */
    s2clr_repeat ops;
};

s2clr_status s2clr_session_new(const s2clr_plan *plan, s2clr_session **out)
{
    s2clr_session *session;
    S2CLR_TRY(s2clr_alloc(1, sizeof *session, "session", (void **)&session));
    session->plan = plan;
    session->ops.backend = plan->backend;
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
    s2clr_repeat_end(&session->ops);
    if (session->stream) session->plan->backend->stream_free(session->stream);
    if (session->arena) session->plan->backend->buffer_free(session->plan->device, session->arena);
    s2clr_free(session);
}

static s2clr_status run_op(const s2clr_session *session, size_t i)
{
    const s2clr_plan *plan = session->plan;
    const s2clr_plan_op *op = &plan->op[i];
    const s2clr_op_args args = {
        .x = session->arena + plan->offset[op->x],
        .residual = op->residual >= 0 ? session->arena + plan->offset[op->residual] : NULL,
        .y = session->arena + plan->offset[i + 1],
        .packed = (const char *)plan->weights + op->packed,
        .scale = op->scale,
        .shift = op->shift,
        .resident = plan->resident,
    };
    return plan->backend->op_forward(op->op, session->stream, &args);
}

static s2clr_status queue_ops(void *context)
{
    const s2clr_session *session = context;
    for (size_t i = 0; i < session->plan->ops; i++) S2CLR_TRY(run_op(session, i));
    return S2CLR_OK;
}

/* From the input, in its place of the arena, to the caller's y. */
static s2clr_status run_ops(s2clr_session *session, float *y)
{
    static const void *const same[S2CLR_REPEAT_KEYS] = {NULL};
    const s2clr_plan *plan = session->plan;
    S2CLR_TRY(s2clr_repeat_run(&session->ops, session->stream, same, queue_ops, session));
    return plan->backend->download(session->stream, plan->output,
                                   session->arena + plan->offset[plan->ops], y);
}

s2clr_status s2clr_session_run(s2clr_session *session, const float *x, float *y)
{
    const s2clr_plan *plan = session->plan;
    S2CLR_TRY(
        plan->backend->upload(session->stream, plan->input, x, session->arena + plan->offset[0]));
    return run_ops(session, y);
}

s2clr_status s2clr_session_run_cut(s2clr_session *session, const s2clr_strip *strip,
                                   const int64_t (*at)[2], float *y)
{
    const s2clr_plan *plan = session->plan;
    const s2clr_backend_cut cut = {
        .columns = strip->columns, .rows = strip->rows, .at = at, .to = plan->input};
    S2CLR_TRY(plan->backend->cutting->cut(session->stream, &cut, strip->planes,
                                          session->arena + plan->offset[0]));
    return run_ops(session, y);
}

const char *s2clr_session_way(const s2clr_session *session)
{
    return s2clr_repeat_way(&session->ops);
}
