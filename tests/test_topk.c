/* Which patches a contact sheet shows, against plain loops over all of them. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "report/topk.h"

enum { MANY = 3000 };

static void add(s2clr_topk_list *list, double p, double x, double y, uint64_t order)
{
    const s2clr_topk_item item = {.p = p, .x = x, .y = y, .order = order, .index = (size_t)order};
    TEST_OK(s2clr_topk_list_add(list, &item));
}

/* Items with places, many of equal probability; `from` shifts the order in which they are added. */
static void fill(s2clr_topk_list *list, double above, size_t from)
{
    s2clr_topk_list_start(list, above);
    for (size_t i = 0; i < MANY; i++) {
        const uint64_t k = (i + from) % MANY;
        const uint32_t word = s2clr_random_u32(7, 1, k);
        add(list, word % 11 == 0 ? (double)NAN : word % 101 / 100.0,
            (double)s2clr_random_below(7, 2, k, 400), (double)s2clr_random_below(7, 3, k, 400), k);
    }
}

static void the_most_certain(void)
{
    s2clr_topk_list list;
    s2clr_topk_counts counts;
    s2clr_topk_item chosen[4];
    s2clr_topk_list_start(&list, 0.5);
    CU_ASSERT(isnan(list.highest));
    add(&list, 0.7, 0, 0, 5);
    add(&list, (double)NAN, 0, 0, 1);
    add(&list, 0.9, 0, 0, 4);
    add(&list, 0.4999, 0, 0, 0);
    add(&list, 0.7, 0, 0, 2);
    add(&list, 0.5, 0, 0, 3);
    CU_ASSERT_EQUAL(list.seen, 6);
    CU_ASSERT_EQUAL(list.undefined, 1);
    CU_ASSERT_EQUAL(list.count, 4);
    CU_ASSERT_EQUAL(list.highest, 0.9);
    const s2clr_topk_rule three = {.count = 3}, four = {.count = 4};
    TEST_OK(s2clr_topk_choose(&list, &three, chosen, &counts));
    CU_ASSERT_EQUAL(counts.chosen, 3);
    CU_ASSERT_EQUAL(chosen[0].order, 4);
    CU_ASSERT_EQUAL(chosen[1].order, 2); /* of equal ones the first name */
    CU_ASSERT_EQUAL(chosen[2].order, 5);
    TEST_OK(s2clr_topk_choose(&list, &four, chosen, &counts));
    CU_ASSERT_EQUAL(counts.chosen, 4);
    CU_ASSERT_EQUAL(chosen[3].order, 3); /* the limit itself counts */
    s2clr_topk_list_clear(&list);
}

static void fewer_than_asked(void)
{
    s2clr_topk_list list;
    s2clr_topk_counts counts = {9, 9};
    s2clr_topk_item chosen[10];
    const s2clr_topk_rule rule = {.count = 10}, none = {.count = 0},
                          many = {.count = S2CLR_TOPK_MAX + 1};
    s2clr_topk_list_start(&list, 0.99);
    TEST_OK(s2clr_topk_choose(&list, &rule, chosen, &counts));
    CU_ASSERT_EQUAL(counts.chosen, 0);
    add(&list, 0.98, 0, 0, 0);
    add(&list, 1, 0, 0, 1);
    TEST_OK(s2clr_topk_choose(&list, &rule, chosen, &counts));
    CU_ASSERT_EQUAL(counts.chosen, 1);
    CU_ASSERT_EQUAL(s2clr_topk_choose(&list, &none, chosen, &counts), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_topk_choose(&list, &many, chosen, &counts), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("1 to 1000");
    s2clr_topk_list_clear(&list);
}

static bool near(const s2clr_topk_item *a, const s2clr_topk_item *b, double distance)
{
    return fabs(a->x - b->x) < distance && fabs(a->y - b->y) < distance;
}

/* The definition, item by item: take the best of what is left, strike out what is near to it. */
static size_t slowly(const s2clr_topk_list *list, const s2clr_topk_rule *rule,
                     s2clr_topk_item *chosen)
{
    char *struck = calloc(list->count, 1);
    size_t count = 0;
    while (count < rule->count) {
        const s2clr_topk_item *best = NULL;
        for (size_t i = 0; i < list->count; i++) {
            const s2clr_topk_item *one = &list->item[i];
            if (struck[i]) continue;
            if (!best || one->p > best->p || (one->p == best->p && one->order < best->order))
                best = one;
        }
        if (!best) break;
        chosen[count++] = *best;
        for (size_t i = 0; i < list->count; i++)
            struck[i] |= near(&list->item[i], &chosen[count - 1], fmax(rule->distance, 1e-9));
    }
    free(struck);
    return count;
}

static void none_overlap(void)
{
    static s2clr_topk_item chosen[S2CLR_TOPK_MAX], wanted[S2CLR_TOPK_MAX];
    static const double distances[] = {1, 20, 64, 500};
    for (size_t d = 0; d < sizeof distances / sizeof distances[0]; d++) {
        s2clr_topk_list list;
        s2clr_topk_counts counts;
        const s2clr_topk_rule rule = {.count = 60, .distance = distances[d]};
        fill(&list, 0.3, d * 17);
        const size_t expected = slowly(&list, &rule, wanted);
        TEST_OK(s2clr_topk_choose(&list, &rule, chosen, &counts));
        CU_ASSERT_EQUAL_FATAL(counts.chosen, expected);
        for (size_t i = 0; i < expected; i++) CU_ASSERT_EQUAL(chosen[i].order, wanted[i].order);
        if (rule.distance == 500) { /* everything lies within 400 */
            CU_ASSERT_EQUAL(counts.chosen, 1);
            CU_ASSERT_EQUAL(counts.crowded, list.count - 1);
        }
        s2clr_topk_list_clear(&list);
    }
}

static void draws_are_of_items(void)
{
    static s2clr_topk_item once[50], again[50], other[50];
    const s2clr_topk_rule rule = {.count = 50, .random = true, .seed = 3};
    const s2clr_topk_rule another = {.count = 50, .random = true, .seed = 4};
    s2clr_topk_list list, turned;
    s2clr_topk_counts counts;
    size_t same = 0;
    fill(&list, 0.3, 0);
    fill(&turned, 0.3, 1234);
    TEST_OK(s2clr_topk_choose(&list, &rule, once, &counts));
    TEST_OK(s2clr_topk_choose(&turned, &rule, again, &counts));
    TEST_OK(s2clr_topk_choose(&turned, &another, other, &counts));
    for (int i = 0; i < 50; i++) {
        CU_ASSERT(once[i].p >= 0.3);
        CU_ASSERT_EQUAL(once[i].order, again[i].order);
        same += once[i].order == other[i].order;
    }
    CU_ASSERT(same < 5);
    s2clr_topk_list_clear(&list);
    s2clr_topk_list_clear(&turned);
}

/* 4 of 10 by 2000 seeds: each is drawn 800 times, give or take six deviations of 22. */
static void draws_are_fair(void)
{
    s2clr_topk_list list;
    s2clr_topk_counts counts;
    s2clr_topk_item chosen[4];
    int drawn[10] = {0};
    s2clr_topk_list_start(&list, 0);
    for (uint64_t i = 0; i < 10; i++) add(&list, 1 - (double)i / 100, 0, 0, i);
    for (uint64_t seed = 0; seed < 2000; seed++) {
        const s2clr_topk_rule rule = {.count = 4, .random = true, .seed = seed};
        TEST_OK(s2clr_topk_choose(&list, &rule, chosen, &counts));
        for (int i = 0; i < 4; i++) drawn[chosen[i].order]++;
    }
    for (int i = 0; i < 10; i++) TEST_NEAR(drawn[i], 800, 132);
    s2clr_topk_list_clear(&list);
}

/* At a distance, what lies alone would be drawn more often than what lies in a field. */
static void draws_know_no_distance(void)
{
    s2clr_topk_list list;
    s2clr_topk_counts counts;
    s2clr_topk_item chosen[4];
    const s2clr_topk_rule rule = {.count = 4, .distance = 1, .random = true};
    s2clr_topk_list_start(&list, 0);
    add(&list, 1, 0, 0, 0);
    CU_ASSERT_EQUAL(s2clr_topk_choose(&list, &rule, chosen, &counts), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("wanted: no distance");
    s2clr_topk_list_clear(&list);
}

static void names_in_order(void)
{
    static const char *const names[] = {"b", "B", "a/2", "a/10", "", "b", "a"};
    static const uint64_t wanted[] = {5, 1, 4, 3, 0, 6, 2};
    uint64_t order[7];
    TEST_OK(s2clr_topk_order_names(names, 7, order));
    for (int i = 0; i < 7; i++) CU_ASSERT_EQUAL(order[i], wanted[i]);
    TEST_OK(s2clr_topk_order_names(names, 0, order));
}

static const test_case cases[] = {
    {"the most certain ones, equal ones by name", the_most_certain},
    {"fewer than asked for", fewer_than_asked},
    {"none overlap: as the definition says", none_overlap},
    {"draws belong to items", draws_are_of_items},
    {"draws are fair", draws_are_fair},
    {"draws know no distance", draws_know_no_distance},
    {"names in order", names_in_order},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("topk", cases, argc, argv);
}
