/*
 * Which patches a contact sheet shows: the most certain ones, or some at random, of those at or
 * above a probability.
 *
 *     s2clr_topk_list list;
 *     s2clr_topk_list_start(&list, 0.99);
 *     ... S2CLR_TRY(s2clr_topk_list_add(&list, &item)) ...
 *     const s2clr_topk_rule rule = {.count = 100, .distance = 64};
 *     S2CLR_TRY(s2clr_topk_choose(&list, &rule, chosen, &counts));    // chosen[counts.chosen]
 *     s2clr_topk_list_clear(&list);
 *
 * Equal probabilities come in the order of their names, so that a sheet is the same every time.
 * What has no probability (NaN) is left out and counted. With a distance, a patch that lies nearer
 * than that, along both axes, to one chosen before is passed over (non-maximum suppression): at the
 * side of a patch, no two of a sheet show the same ground. Draws know no distance: every patch has
 * the same chance, so that the precision of those drawn is that of all.
 */
#ifndef S2CLR_REPORT_TOPK_H
#define S2CLR_REPORT_TOPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define S2CLR_TOPK_MAX 1000 /* more is no sheet that somebody looks through */

typedef struct s2clr_topk_item {
    double p;       /* NaN: none */
    double x, y;    /* of the centre, in the unit of the distance */
    uint64_t order; /* among equal probabilities the lower one comes first; unique */
    size_t index;   /* the caller's */
} s2clr_topk_item;

/* Those at or above the limit, and how many others there were. */
typedef struct s2clr_topk_list {
    double above;
    s2clr_topk_item *item; // (count) owned
    size_t count, room;
    size_t seen, undefined; /* all that were added; those without a probability */
    double highest;         /* NaN when there is none */
} s2clr_topk_list;

void s2clr_topk_list_start(s2clr_topk_list *list, double above);
s2clr_status s2clr_topk_list_add(s2clr_topk_list *list, const s2clr_topk_item *item);
void s2clr_topk_list_clear(s2clr_topk_list *list);

typedef struct s2clr_topk_rule {
    size_t count;    /* at most so many, 1 to S2CLR_TOPK_MAX */
    double distance; /* 0: places do not matter; of draws always */
    bool random;     /* drawn, not ranked: Philox of the seed and the item's order */
    uint64_t seed;
} s2clr_topk_rule;

typedef struct s2clr_topk_counts {
    size_t chosen;
    size_t crowded; /* passed over because too near to a chosen one */
} s2clr_topk_counts;

/* Sorts the list. chosen: (rule->count), in the order of the sheet. */
s2clr_status s2clr_topk_choose(s2clr_topk_list *list, const s2clr_topk_rule *rule,
                               s2clr_topk_item *chosen, s2clr_topk_counts *out);

/* order: (count) the place of each name when all are sorted bytewise; equal names keep their
 * order. */
s2clr_status s2clr_topk_order_names(const char *const *names, size_t count, uint64_t *order);

#endif
