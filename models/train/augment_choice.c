#include "train/paugment.h"

/* Which lines to pick: all sets of `count` lines from `line` on, without a banned pair, in order.
 */
typedef struct search {
    const s2clr_augment_recipe *recipe;
    uint32_t wanted; /* number of the set to find */
    uint32_t passed;
    uint32_t found; /* lines of set `wanted` */
} search;

/* Goes on with the lines in `allowed`, all above those in `taken`; true once the set is found. */
static bool visit(search *s, uint32_t allowed, uint32_t taken, int count)
{
    if (count == 0) {
        s->found = taken;
        return s->passed++ == s->wanted;
    }
    for (int i = 0; i < S2CLR_AUGMENT_MAX; i++) {
        const uint32_t bit = (uint32_t)1 << i;
        if (!(allowed & bit)) continue;
        const uint32_t above = ~(bit | (bit - 1));
        if (visit(s, allowed & above & ~s->recipe->banned[i], taken | bit, count - 1)) return true;
    }
    return false;
}

uint32_t s2clr_augment_choices(const s2clr_augment_recipe *recipe)
{
    search s = {.recipe = recipe, .wanted = UINT32_MAX};
    if (recipe->draw == 0) return 1;
    visit(&s, recipe->flags, 0, recipe->draw);
    return s.passed;
}

static int lines_of(uint32_t flags, int line[S2CLR_AUGMENT_MAX])
{
    int count = 0;
    for (int i = 0; i < S2CLR_AUGMENT_MAX; i++)
        if (flags & (uint32_t)1 << i) line[count++] = i;
    return count;
}

static uint32_t below(const augment_draws *draws, uint64_t which, uint32_t bound)
{
    return s2clr_random_below(draws->seed, draws->stream, draws->first + which, bound);
}

int s2clr_augment_choose(const s2clr_augment_recipe *recipe, const augment_draws *draws,
                         int line[S2CLR_AUGMENT_MAX])
{
    if (recipe->draw == 0) return lines_of(recipe->flags, line);
    const uint32_t choices = s2clr_augment_choices(recipe);
    if (choices == 0) return 0;
    search s = {.recipe = recipe, .wanted = below(draws, 0, choices)};
    visit(&s, recipe->flags, 0, recipe->draw);
    const int count = lines_of(s.found, line);
    for (int i = count - 1; i > 0; i--) {
        const int other = (int)below(draws, (uint64_t)i, (uint32_t)i + 1);
        const int kept = line[i];
        line[i] = line[other];
        line[other] = kept;
    }
    return count;
}
