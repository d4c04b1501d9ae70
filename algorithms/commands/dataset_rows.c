#include "commands/dataset_rows.h"

#include "commands/params.h"

static void release(s2clr_samples *samples)
{
    if (samples->free) samples->free(samples->self);
    *samples = (s2clr_samples){0};
}

static s2clr_status open_parts(const s2clr_args *args, unsigned needed, double fraction,
                               s2clr_parts *parts)
{
    const double test = s2clr_args_real(args, "test-share");
    const double validation = s2clr_args_real(args, "validation-share");
    s2clr_samples *const part[] = {[S2CLR_SPLIT_TRAIN] = &parts->train,
                                   [S2CLR_SPLIT_VALIDATION] = &parts->validation,
                                   [S2CLR_SPLIT_TEST] = &parts->test};
    if (test + validation > 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--test-share %g and --validation-share %g are more than everything",
                               test, validation);
    for (int i = 0; i < 3; i++) {
        const s2clr_status status =
            s2clr_samples_part(&parts->all, (s2clr_split_part)i, test, validation,
                               i == S2CLR_SPLIT_TRAIN ? fraction : 1, part[i]);
        /* With the shares checked, the argument it complains about is that there is no sample. */
        if (status != S2CLR_OK && (status != S2CLR_ERR_ARGUMENT || (needed >> i & 1)))
            return status;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_parts_open(const s2clr_args *args, const char *positive, unsigned needed,
                              double fraction, s2clr_pool *pool, const s2clr_progress *progress,
                              s2clr_parts *out)
{
    const s2clr_images_options options = {.positive = positive,
                                          .bands = s2clr_args_text(args, "image-bands")};
    *out = (s2clr_parts){0};
    S2CLR_TRY(
        s2clr_images_open(s2clr_args_text(args, "dataset"), &options, pool, progress, &out->all));
    const s2clr_status status = open_parts(args, needed, fraction, out);
    if (status != S2CLR_OK) s2clr_parts_close(out);
    return status;
}

void s2clr_parts_close(s2clr_parts *parts)
{
    release(&parts->test);
    release(&parts->validation);
    release(&parts->train);
    release(&parts->all);
}

size_t s2clr_samples_positives(const s2clr_samples *samples)
{
    size_t positives = 0;
    for (size_t i = 0; i < samples->count; i++) positives += samples->labels[i] == 1;
    return positives;
}
