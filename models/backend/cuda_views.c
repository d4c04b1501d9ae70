/*
 * Views of a batch: every launch takes one step of many views at once. A step's input and output
 * are two arrays, so only so many views are under way at a time as these may hold.
 */
#include "backend/backend_training.h"
#include "backend/cudap.h"
#include "backend/view_steps.h"

enum { BETWEEN_SHARE = 2 }; /* of the device's limit for workspaces: half is between steps */

#define LAUNCH(stream, kernel, args)                                                               \
    s2clr_cuda_check_launch(s2clr_cuda_launch_##kernel((stream)->stream, (args)),                  \
                            (stream)->device, #kernel)

/* ---- where things lie in the work memory ---- */

static size_t values_of(const s2clr_view_list *list)
{
    return (size_t)list->channels * (size_t)list->size * (size_t)list->size;
}

/* Views of one launch. */
static size_t group_of(const s2clr_device *device, const s2clr_view_list *list)
{
    const size_t bytes = 4 * values_of(list) * sizeof(float);
    const size_t most = device->workspace_limit / BETWEEN_SHARE / bytes;
    return most < 1 ? 1 : most < list->views_max ? most : list->views_max;
}

static void *place(char *base, size_t bytes, size_t *at)
{
    char *const here = base ? base + *at : NULL;
    *at += s2clr_cuda_align(bytes);
    return here;
}

/* Bytes of it all; base NULL: they are nowhere. */
static size_t lay_out(const s2clr_view_list *list, size_t group, char *base, cuda_viewing *v)
{
    const size_t planes = group * values_of(list) * sizeof(float);
    size_t at = 0;
    *v = (cuda_viewing){.list = *list};
    v->list.view = place(base, list->views_max * sizeof *list->view, &at);
    v->list.step = place(base, list->steps_max * sizeof *list->step, &at);
    v->list.position = place(base, list->positions_max * sizeof *list->position, &at);
    v->list.number = place(base, list->numbers_max * sizeof *list->number, &at);
    v->measure = place(base, group * (size_t)list->channels * sizeof *v->measure, &at);
    for (int i = 0; i < 2; i++) v->between[i] = place(base, planes, &at);
    for (int i = 0; i < 2; i++) v->across[i] = place(base, planes, &at);
    return at;
}

static size_t work_bytes(const s2clr_device *device, const s2clr_view_list *list)
{
    cuda_viewing nowhere;
    return lay_out(list, group_of(device, list), NULL, &nowhere);
}

static s2clr_status send(s2clr_stream *stream, const s2clr_view_list *list, const cuda_viewing *v)
{
    S2CLR_TRY(
        s2clr_cuda_to_device(stream, list->view, list->views * sizeof *list->view, v->list.view));
    S2CLR_TRY(
        s2clr_cuda_to_device(stream, list->step, list->steps * sizeof *list->step, v->list.step));
    S2CLR_TRY(s2clr_cuda_to_device(stream, list->position, list->positions * sizeof *list->position,
                                   v->list.position));
    return s2clr_cuda_to_device(stream, list->number, list->numbers * sizeof *list->number,
                                v->list.number);
}

/* ---- steps ---- */

/* Acts of the views of a launch in this round, bit by bit; false when they have all ended. A view
 * without steps is copied in round 0. */
static bool acts_of(const s2clr_view_list *list, const cuda_viewing *v, unsigned *acts)
{
    bool some = false;
    *acts = 0;
    for (size_t i = v->first; i < v->first + v->count; i++) {
        const s2clr_view *const view = &list->view[i];
        some |= v->round < view->steps || v->round == 0;
        if (v->round < view->steps) *acts |= 1u << list->step[view->first + v->round].act;
    }
    return some;
}

static s2clr_status run_round(s2clr_stream *stream, const cuda_viewing *v, unsigned acts)
{
    const unsigned across = 1u << S2CLR_VIEW_GAUSSIAN, measure = across | 1u << S2CLR_VIEW_CONTRAST;
    if (acts & measure) S2CLR_TRY(LAUNCH(stream, view_measure, *v));
    if (acts & across) S2CLR_TRY(LAUNCH(stream, view_across, *v));
    return LAUNCH(stream, view_step, *v);
}

static s2clr_status run(s2clr_stream *stream, const s2clr_view_list *list, const float *patches,
                        void *work, float *y)
{
    const size_t group = group_of(stream->device, list);
    cuda_viewing v;
    unsigned acts;
    CUDA_USE(stream->device);
    lay_out(list, group, work, &v);
    v.patches = patches;
    v.y = y;
    S2CLR_TRY(send(stream, list, &v));
    for (v.first = 0; v.first < list->views; v.first += group) {
        v.count = list->views - v.first < group ? list->views - v.first : group;
        for (v.round = 0; acts_of(list, &v, &acts); v.round++)
            S2CLR_TRY(run_round(stream, &v, acts));
    }
    return S2CLR_OK;
}

const s2clr_backend_views s2clr_cuda_views = {.work_bytes = work_bytes, .run = run};
