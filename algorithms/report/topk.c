#include "report/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"

enum { STREAM = 0x746f706b }; /* "topk": draws of its own, whatever else the seed is used for */

/* ---- the list ---- */

void s2clr_topk_list_start(s2clr_topk_list *list, double above)
{
    *list = (s2clr_topk_list){.above = above, .highest = NAN};
}

void s2clr_topk_list_clear(s2clr_topk_list *list)
{
    s2clr_free(list->item);
    *list = (s2clr_topk_list){.highest = NAN};
}

static s2clr_status grow(s2clr_topk_list *list)
{
    s2clr_topk_item *more;
    size_t room;
    S2CLR_TRY(s2clr_size_mul(list->room ? list->room : 256, 2, &room));
    S2CLR_TRY(s2clr_alloc(room, sizeof *more, "candidates", (void **)&more));
    if (list->count) memcpy(more, list->item, list->count * sizeof *more);
    s2clr_free(list->item);
    list->item = more;
    list->room = room;
    return S2CLR_OK;
}

s2clr_status s2clr_topk_list_add(s2clr_topk_list *list, const s2clr_topk_item *item)
{
    const double p = item->p;
    const bool taken = p >= list->above;
    if (taken && list->count == list->room) S2CLR_TRY(grow(list));
    if (taken) list->item[list->count++] = *item;
    list->seen++;
    if (isnan(p)) list->undefined++;
    if (!(list->highest >= p) && !isnan(p)) list->highest = p;
    return S2CLR_OK;
}

/* ---- the choice ---- */

static int compare_orders(uint64_t left, uint64_t right)
{
    return left < right ? -1 : left > right;
}

static int compare_certain(const void *a, const void *b)
{
    const s2clr_topk_item *left = a, *right = b;
    if (left->p != right->p) return left->p > right->p ? -1 : 1;
    return compare_orders(left->order, right->order);
}

typedef struct draw {
    uint32_t number;
    s2clr_topk_item item;
} draw;

static int compare_draws(const void *a, const void *b)
{
    const draw *left = a, *right = b;
    if (left->number != right->number) return left->number < right->number ? -1 : 1;
    return compare_orders(left->item.order, right->item.order);
}

/* Numbers belong to items, not to places in the list: in whatever order these were added, the same
 * are drawn. */
static s2clr_status shuffle(s2clr_topk_list *list, uint64_t seed)
{
    draw *draws;
    S2CLR_TRY(s2clr_alloc(list->count, sizeof *draws, "draws", (void **)&draws));
    for (size_t i = 0; i < list->count; i++)
        draws[i] = (draw){.number = s2clr_random_u32(seed, STREAM, list->item[i].order),
                          .item = list->item[i]};
    if (list->count) qsort(draws, list->count, sizeof *draws, compare_draws);
    for (size_t i = 0; i < list->count; i++) list->item[i] = draws[i].item;
    s2clr_free(draws);
    return S2CLR_OK;
}

static bool is_crowded(const s2clr_topk_item *chosen, size_t count, const s2clr_topk_item *item,
                       double distance)
{
    for (size_t i = 0; i < count; i++)
        if (fabs(chosen[i].x - item->x) < distance && fabs(chosen[i].y - item->y) < distance)
            return true;
    return false;
}

s2clr_status s2clr_topk_choose(s2clr_topk_list *list, const s2clr_topk_rule *rule,
                               s2clr_topk_item *chosen, s2clr_topk_counts *out)
{
    s2clr_topk_counts counts = {0};
    if (rule->count < 1 || rule->count > S2CLR_TOPK_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%zu patches on a sheet; wanted: 1 to %d",
                               rule->count, S2CLR_TOPK_MAX);
    if (rule->random && rule->distance > 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "draws at a distance of %g: what lies alone would be drawn more "
                               "often than what lies among others; wanted: no distance",
                               rule->distance);
    if (rule->random)
        S2CLR_TRY(shuffle(list, rule->seed));
    else if (list->count)
        qsort(list->item, list->count, sizeof *list->item, compare_certain);
    for (size_t i = 0; i < list->count && counts.chosen < rule->count; i++) {
        const s2clr_topk_item *item = &list->item[i];
        if (rule->distance > 0 && is_crowded(chosen, counts.chosen, item, rule->distance))
            counts.crowded++;
        else
            chosen[counts.chosen++] = *item;
    }
    *out = counts;
    return S2CLR_OK;
}

/* ---- names ---- */

typedef struct named {
    const char *name;
    size_t index;
} named;

static int compare_names(const void *a, const void *b)
{
    const named *left = a, *right = b;
    const int way = strcmp(left->name, right->name);
    return way ? way : compare_orders(left->index, right->index);
}

s2clr_status s2clr_topk_order_names(const char *const *names, size_t count, uint64_t *order)
{
    named *sorted;
    S2CLR_TRY(s2clr_alloc(count, sizeof *sorted, "order of names", (void **)&sorted));
    for (size_t i = 0; i < count; i++) sorted[i] = (named){.name = names[i], .index = i};
    if (count) qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < count; i++) order[sorted[i].index] = i;
    s2clr_free(sorted);
    return S2CLR_OK;
}
