/* Classes that occur together, as sentences. */
#include <stdio.h>
#include <string.h>

#include "report/stats_report.h"

typedef struct pair {
    size_t a, b, patches;
} pair;

/* The pair that follows `last` in the order by patches (most first), then place. */
static bool next_pair(const s2clr_label_stats *labels, const char *only, const pair *last,
                      pair *out)
{
    const size_t n = labels->paired;
    bool found = false;
    for (size_t a = 0; a < n; a++) {
        for (size_t b = a + 1; b < n; b++) {
            const size_t patches = labels->pair[a * n + b];
            const bool wanted = !only || strcmp(labels->class_[a].name, only) == 0 ||
                                strcmp(labels->class_[b].name, only) == 0;
            const bool after =
                patches < last->patches ||
                (patches == last->patches && (a > last->a || (a == last->a && b > last->b)));
            if (!patches || !wanted || !after || (found && patches <= out->patches)) continue;
            *out = (pair){a, b, patches};
            found = true;
        }
    }
    return found;
}

void s2clr_stats_pairs(const s2clr_stats *stats, const char *only, size_t most,
                       void (*each)(void *context, const char *text), void *context)
{
    pair last = {.patches = SIZE_MAX};
    for (size_t i = 0; i < most; i++) {
        char text[2400];
        pair next = {0};
        if (!next_pair(&stats->labels, only, &last, &next)) return;
        /* The rarer class first: "rice fields that are also irrigated land". */
        snprintf(text, sizeof text, "%zu image%s with %s that %s also %s", next.patches,
                 next.patches == 1 ? "" : "s", stats->labels.class_[next.b].name,
                 next.patches == 1 ? "is" : "are", stats->labels.class_[next.a].name);
        each(context, text);
        last = next;
    }
}
