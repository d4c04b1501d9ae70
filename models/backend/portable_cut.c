/* The specification of s2clr_backend.cutting. */
#include <string.h>

#include "backend/portable.h"
#include "backend/pportable.h"

static s2clr_status raw_upload(s2clr_stream *stream, const void *host, size_t bytes, void *device)
{
    (void)stream;
    memcpy(device, host, bytes);
    return S2CLR_OK;
}

static s2clr_status cut(s2clr_stream *stream, const s2clr_backend_cut *c, const float *planes,
                        void *native)
{
    S2CLR_TRY(s2clr_backend_cut_check(c, planes, native));
    float *const values = native;
    float *to = values;
    for (int n = 0; n < c->to.n; n++)
        for (int band = 0; band < c->to.c; band++)
            for (int y = 0; y < c->to.h; y++)
                for (int x = 0; x < c->to.w; x++) {
                    const int64_t column = c->at[n][0] + x, row = c->at[n][1] + y;
                    const bool inside =
                        column >= 0 && column < c->columns && row >= 0 && row < c->rows;
                    *to++ = inside ? planes[(band * c->rows + row) * c->columns + column] : 0.0f;
                }
    portable_store(stream, c->to, values);
    return S2CLR_OK;
}

const s2clr_backend_cutting s2clr_portable_cutting = {
    .raw_upload = raw_upload,
    .cut = cut,
};
