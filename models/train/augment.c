#include "train/augment.h"

#include <string.h>

#include "base/memory.h"
#include "train/paugment.h"
#include "train/pstreams.h"

enum { VIEWS_MAX = 200, CHOICE_NUMBERS = 8 };

/* Streams of view 0 are those of the time when there was only one. */
static augment_draws draws_of(unsigned purpose, uint64_t numbers, uint64_t seed, uint64_t epoch,
                              uint64_t sample, int view)
{
    const unsigned own = purpose + STREAM_VIEW * (unsigned)view;
    return (augment_draws){
        .seed = seed, .stream = stream_of(own, epoch), .first = sample * numbers};
}

static s2clr_status check(const s2clr_augment_recipe *recipe, int view)
{
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    if (view < 0 || view >= VIEWS_MAX || recipe->flags >> count != 0 || recipe->draw < 0 ||
        recipe->draw > S2CLR_AUGMENT_DRAW_MAX)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "augmentation of view %d with flags %#x, %d drawn: must be view 0 to "
            "%d, %zu known flags, at most %d drawn",
            view, recipe->flags, recipe->draw, VIEWS_MAX - 1, count, S2CLR_AUGMENT_DRAW_MAX);
    return S2CLR_OK;
}

/* Scratch planes, and behind them the axes. */
static s2clr_status scratch_new(int size, augment_view *view)
{
    size_t planes, axes, bytes;
    S2CLR_TRY(s2clr_size_mul((size_t)size, (size_t)size, &planes));
    S2CLR_TRY(s2clr_size_mul(planes, 3 * sizeof(float), &planes));
    S2CLR_TRY(s2clr_size_mul((size_t)size, 2 * sizeof *view->axis, &axes));
    S2CLR_TRY(s2clr_size_add(planes, axes, &bytes));
    void *memory;
    S2CLR_TRY(s2clr_alloc(bytes, 1, "augmentation scratch", &memory));
    view->scratch = memory;
    view->axis = (augment_position *)(void *)((char *)memory + planes);
    return S2CLR_OK;
}

s2clr_status s2clr_augment(const s2clr_augment_recipe *recipe, uint64_t seed, uint64_t epoch,
                           uint64_t sample, int view, const float *mean, const float *std,
                           int channels, int size, const float *x, float *y)
{
    const s2clr_augment_entry *table;
    int line[S2CLR_AUGMENT_MAX];
    augment_view work = {.channels = channels, .size = size, .mean = mean, .std = std, .x = y};
    S2CLR_TRY(check(recipe, view));
    const augment_draws choice =
        draws_of(STREAM_AUGMENT_CHOICE, CHOICE_NUMBERS, seed, epoch, sample, view);
    const int lines = s2clr_augment_choose(recipe, &choice, line);
    if (lines == 0 && recipe->draw > 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "no %d of the augmentations go together: the banned pairs leave "
                               "nothing; ban fewer, or draw fewer",
                               recipe->draw);
    memcpy(y, x, (size_t)channels * augment_pixels(&work) * sizeof *y);
    if (lines == 0) return S2CLR_OK;
    S2CLR_TRY(scratch_new(size, &work));
    s2clr_augment_list(&table);
    for (int i = 0; i < lines; i++) {
        const s2clr_augment_entry *entry = &table[line[i]];
        const augment_draws draws =
            draws_of(STREAM_AUGMENT + (unsigned)line[i], entry->numbers, seed, epoch, sample, view);
        entry->run(&draws, &work);
    }
    s2clr_free(work.scratch);
    return S2CLR_OK;
}
