#include "train/augment.h"

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

size_t s2clr_augment_steps(const s2clr_augment_recipe *recipe)
{
    size_t lines = 0;
    for (uint32_t flags = recipe->flags; flags; flags &= flags - 1) lines++;
    return recipe->draw > 0 ? (size_t)recipe->draw : lines;
}

s2clr_status s2clr_augment_plan(const s2clr_augment_recipe *recipe, uint64_t seed, uint64_t epoch,
                                uint64_t sample, int view, const float *mean, const float *std,
                                s2clr_view_list *list)
{
    const s2clr_augment_entry *table;
    int line[S2CLR_AUGMENT_MAX];
    const augment_plan plan = {
        .channels = list->channels, .size = list->size, .mean = mean, .std = std, .list = list};
    S2CLR_TRY(check(recipe, view));
    const augment_draws choice =
        draws_of(STREAM_AUGMENT_CHOICE, CHOICE_NUMBERS, seed, epoch, sample, view);
    const int lines = s2clr_augment_choose(recipe, &choice, line);
    if (lines == 0 && recipe->draw > 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "no %d of the augmentations go together: the banned pairs leave "
                               "nothing; ban fewer, or draw fewer",
                               recipe->draw);
    s2clr_augment_list(&table);
    for (int i = 0; i < lines; i++) {
        const s2clr_augment_entry *entry = &table[line[i]];
        const augment_draws draws =
            draws_of(STREAM_AUGMENT + (unsigned)line[i], entry->numbers, seed, epoch, sample, view);
        entry->add(&draws, &plan);
    }
    return S2CLR_OK;
}

static s2clr_status make_one(const s2clr_view_list *list, const float *x, float *y)
{
    float *scratch;
    S2CLR_TRY(s2clr_alloc(s2clr_view_scratch(list), sizeof *scratch, "augmentation scratch",
                          (void **)&scratch));
    s2clr_view_run(list, 0, x, scratch, y);
    s2clr_free(scratch);
    return S2CLR_OK;
}

s2clr_status s2clr_augment(const s2clr_augment_recipe *recipe, uint64_t seed, uint64_t epoch,
                           uint64_t sample, int view, const float *mean, const float *std,
                           int channels, int size, const float *x, float *y)
{
    s2clr_view_list *list;
    S2CLR_TRY(s2clr_view_list_new(channels, size, 1, s2clr_augment_steps(recipe), &list));
    s2clr_view_list_begin(list, 0);
    s2clr_status status = s2clr_augment_plan(recipe, seed, epoch, sample, view, mean, std, list);
    if (status == S2CLR_OK) status = make_one(list, x, y);
    s2clr_view_list_free(list);
    return status;
}
