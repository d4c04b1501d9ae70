/* s2clr_pixel: from DN to a probability, a row of pixels at a time. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "file/card_probability.h"
#include "file/probability.h"
#include "pointwise/ppointwise.h"
#include "pointwise/student.h"

typedef struct job {
    const s2clr_pointwise_call *call;
    const s2clr_student *student;
    const s2clr_card *card;
    float nodata; /* of the level; NaN: none */
    s2clr_card_fold fold[S2CLR_CARD_BANDS_MAX];
} job;

static s2clr_status find_level(const s2clr_pointwise_call *call, const s2clr_student *student,
                               const s2clr_card_level **out)
{
    const s2clr_card *card = s2clr_model_card(student->model);
    const char *name = call->value[PIXEL_LEVEL].text;
    const s2clr_card_level *level = name                ? s2clr_card_find_level(card, name)
                                    : card->levels == 1 ? &card->level[0]
                                                        : NULL;
    char known[S2CLR_CARD_LEVELS_MAX * (S2CLR_CARD_WORD + 2)] = "";
    if (level) {
        *out = level;
        return S2CLR_OK;
    }
    for (int i = 0; i < card->levels; i++) {
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", card->level[i].name);
    }
    return s2clr_error_set(S2CLR_ERR_MISMATCH, "argument level is %.100s, wanted a level of %s: %s",
                           name ? name : "not given", s2clr_model_path(student->model), known);
}

static s2clr_status check_bands(const s2clr_pointwise_call *call, const s2clr_student *student)
{
    const s2clr_card *card = s2clr_model_card(student->model);
    char names[S2CLR_CARD_BANDS_MAX * (S2CLR_CARD_WORD + 2)] = "";
    if (call->sources == card->bands) return S2CLR_OK;
    for (int i = 0; i < card->bands; i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? "," : "", card->band[i]);
    }
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "the number of sources is %d, %s wants %d, in this order: %s",
                           call->sources, s2clr_model_path(student->model), card->bands, names);
}

static s2clr_status prepare(const s2clr_pointwise_call *call, const s2clr_student *student,
                            job *out)
{
    const s2clr_card_level *level;
    const s2clr_card *card = s2clr_model_card(student->model);
    S2CLR_TRY(check_bands(call, student));
    S2CLR_TRY(find_level(call, student, &level));
    if (!isnan(call->value[PIXEL_PREVALENCE].number))
        S2CLR_TRY(s2clr_model_check_prevalence(student->model));
    *out = (job){.call = call, .student = student, .card = card};
    /* As in prediction: the sources' own value for no data goes before the level's. */
    out->nodata = level->has_nodata && isnan(call->nodata) ? (float)level->nodata : NAN;
    for (int b = 0; b < card->bands; b++)
        out->fold[b] = s2clr_card_fold_band(card, level, call->value[PIXEL_OFFSET].number, b);
    return S2CLR_OK;
}

/* Normalises the n <= S2CLR_STUDENT_PIXELS pixels from `first` on; valid[i] = 0 for those that lack
 * a band, which enter the network as 0, as does what is missing of the row. */
static void fill(const job *j, const float *const *source, size_t first, size_t n,
                 unsigned char *valid)
{
    float *x = j->student->x;
    memset(valid, 1, n);
    for (int b = 0; b < j->card->bands; b++)
        for (size_t i = 0; i < n; i++) {
            const float v = source[b][first + i];
            if (!isfinite(v) || v == j->nodata) valid[i] = 0;
        }
    memset(x, 0, (size_t)j->card->bands * S2CLR_STUDENT_PIXELS * sizeof *x);
    for (int b = 0; b < j->card->bands; b++, x += S2CLR_STUDENT_PIXELS) {
        const s2clr_card_fold fold = j->fold[b];
        for (size_t i = 0; i < n; i++) {
            if (!valid[i]) continue;
            const double v = fold.scale * (double)source[b][first + i] + fold.bias;
            x[i] = (float)(v < fold.low ? fold.low : v > fold.high ? fold.high : v);
        }
    }
}

static float probability(const job *j, float logit)
{
    const double to = j->call->value[PIXEL_PREVALENCE].number;
    const double p = s2clr_card_probability(j->card, (double)logit);
    return (float)(isnan(to) ? p : s2clr_probability_shift(p, j->card->prevalence, to));
}

static s2clr_status compute(const job *j, const float *const *source, size_t count, float *out)
{
    unsigned char valid[S2CLR_STUDENT_PIXELS];
    for (size_t first = 0; first < count; first += S2CLR_STUDENT_PIXELS) {
        const size_t n =
            count - first < S2CLR_STUDENT_PIXELS ? count - first : S2CLR_STUDENT_PIXELS;
        fill(j, source, first, n, valid);
        if (memchr(valid, 1, n))
            S2CLR_TRY(s2clr_session_run(j->student->session, j->student->x, j->student->y));
        for (size_t i = 0; i < n; i++)
            out[first + i] = valid[i] ? probability(j, j->student->y[i]) : NAN;
    }
    return S2CLR_OK;
}

S2CLR_POINTWISE_RUN(s2clr_pointwise_pixel)
{
    s2clr_student *student;
    job j;
    S2CLR_TRY(s2clr_student_take(call->value[PIXEL_MODEL].text, call->value[PIXEL_DEVICE].text,
                                 &student));
    s2clr_status status = prepare(call, student, &j);
    if (status == S2CLR_OK) status = compute(&j, source, count, out);
    s2clr_student_return(student);
    return status;
}
