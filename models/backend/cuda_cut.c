/* The CUDA module's s2clr_backend.cutting. */
#include <string.h>

#include "backend/cudap.h"

/* So many patches fill the device at every layer of a network; one session computes while the
 * answers of the other are on their way. */
enum { UNIT_PATCHES = 128, SESSIONS = 2 };

static s2clr_status raw_upload(s2clr_stream *stream, const void *host, size_t bytes, void *device)
{
    CUDA_USE(stream->device);
    return s2clr_cuda_to_device(stream, host, bytes, device);
}

/* Windows [first, first + view.n). */
static s2clr_status launch(s2clr_stream *stream, const s2clr_backend_cut *cut, size_t first,
                           cuda_view view, const float *planes, void *native)
{
    const s2clr_device *const device = stream->device;
    const size_t window = view.h * view.w * view.lanes * device->element_bytes;
    cuda_cut_args args = {.element = device->element,
                          .view = view,
                          .columns = cut->columns,
                          .rows = cut->rows,
                          .planes = planes,
                          .native = (char *)native + first * window};
    memcpy(args.at, cut->at + first, view.n * sizeof *args.at);
    return s2clr_cuda_check_launch(s2clr_cuda_launch_cut(stream->stream, args), device, "cut");
}

static s2clr_status cut(s2clr_stream *stream, const s2clr_backend_cut *cut, const float *planes,
                        void *native)
{
    S2CLR_TRY(s2clr_backend_cut_check(cut, planes, native));
    const cuda_view all = s2clr_cuda_view_of(cut->to);
    CUDA_USE(stream->device);
    for (size_t first = 0; first < all.n; first += CUDA_CUTS) {
        cuda_view part = all;
        part.n = all.n - first < CUDA_CUTS ? all.n - first : CUDA_CUTS;
        S2CLR_TRY(launch(stream, cut, first, part, planes, native));
    }
    return S2CLR_OK;
}

const s2clr_backend_cutting s2clr_cuda_cutting = {
    .unit_patches = UNIT_PATCHES,
    .sessions = SESSIONS,
    .raw_upload = raw_upload,
    .cut = cut,
};
