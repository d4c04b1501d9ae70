#include "report/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

s2clr_status s2clr_sweep_new(size_t count, s2clr_sweep **out)
{
    s2clr_sweep *sweep;
    S2CLR_TRY(s2clr_alloc(1, sizeof *sweep, "sweep", (void **)&sweep));
    *sweep = (s2clr_sweep){.count = count};
    const s2clr_status status =
        s2clr_alloc(count, sizeof *sweep->result, "results of a sweep", (void **)&sweep->result);
    if (status != S2CLR_OK) {
        s2clr_free(sweep);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        sweep->result[i] = (s2clr_sweep_result){.score = NAN, .accuracy = NAN, .loss = NAN};
    *out = sweep;
    return S2CLR_OK;
}

void s2clr_sweep_free(s2clr_sweep *sweep)
{
    if (!sweep) return;
    for (size_t i = 0; i < sweep->count; i++) s2clr_free(sweep->result[i].curve);
    s2clr_free(sweep->result);
    s2clr_free(sweep->settings);
    s2clr_free(sweep);
}

size_t s2clr_sweep_done(const s2clr_sweep *sweep)
{
    size_t done = 0;
    for (size_t i = 0; i < sweep->count; i++) done += sweep->result[i].done;
    return done;
}

/* -1: worse than any score. */
static double standing(const s2clr_sweep_result *r)
{
    return r->collapsed || isnan(r->score) ? -1 : r->score;
}

const s2clr_sweep_result *s2clr_sweep_best(const s2clr_sweep *sweep)
{
    const s2clr_sweep_result *best = NULL;
    for (size_t i = 0; i < sweep->count; i++) {
        const s2clr_sweep_result *r = &sweep->result[i];
        if (r->done && standing(r) >= 0 && (!best || r->score > best->score)) best = r;
    }
    return best;
}

size_t s2clr_sweep_worst(const s2clr_sweep *sweep, size_t first, size_t most, size_t *out)
{
    size_t count = 0;
    for (size_t i = first; i < sweep->count; i++) {
        size_t at = count;
        if (!sweep->result[i].done) continue;
        while (at > 0 && standing(&sweep->result[i]) < standing(&sweep->result[out[at - 1]])) at--;
        if (at >= most) continue;
        if (count < most) count++;
        for (size_t k = count - 1; k > at; k--) out[k] = out[k - 1];
        out[at] = i;
    }
    return count;
}

static s2clr_status make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "folder %s: cannot be made: %s", path, strerror(errno));
}

s2clr_status s2clr_sweep_trial_folder(const s2clr_sweep *sweep, size_t trial,
                                      char out[S2CLR_SWEEP_PATH])
{
    if ((size_t)snprintf(out, S2CLR_SWEEP_PATH, "%s/trials", sweep->folder) + 24 >=
        S2CLR_SWEEP_PATH)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "folder %.200s...: the path is too long",
                               sweep->folder);
    S2CLR_TRY(make_folder(out));
    const size_t used = strlen(out);
    snprintf(out + used, S2CLR_SWEEP_PATH - used, "/%03zu", trial);
    return S2CLR_OK;
}
