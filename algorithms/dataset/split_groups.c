#include "dataset/split_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "dataset/psplit.h"

static const char *country_of(const s2clr_store_row *row)
{
    return row->country;
}

static const char *tile_of(const s2clr_store_row *row)
{
    return row->tile;
}

static const char *date_of(const s2clr_store_row *row)
{
    return row->date;
}

static const struct {
    const char *name;
    const char *(*text)(const s2clr_store_row *row);
    int bytes; /* of the text that say the group */
} groupings[] = {
    {"country", country_of, 63},
    {"tile", tile_of, 63},
    {"year", date_of, 4},
};
enum { GROUPINGS = sizeof groupings / sizeof groupings[0] };

static s2clr_status find_grouping(const char *by, int *out)
{
    const char *names[GROUPINGS];
    for (int i = 0; i < GROUPINGS; i++) {
        names[i] = groupings[i].name;
        if (strcmp(by, names[i]) == 0) {
            *out = i;
            return S2CLR_OK;
        }
    }
    const char *near = s2clr_suggest(by, names, GROUPINGS);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "groups: '%.40s' is unknown%s%s%s; wanted: country, tile or year", by,
                           near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

typedef struct member {
    const char *text;
    int bytes;
    s2clr_part part;
    s2clr_label label;
} member;

static int by_text(const void *a, const void *b)
{
    const member *x = a, *y = b;
    return strncmp(x->text, y->text, (size_t)x->bytes);
}

static void add(s2clr_split_group *group, const member *m)
{
    snprintf(group->name, sizeof group->name, "%.*s", m->bytes, m->text);
    group->patches[m->part]++;
    group->positives[m->part] += m->label == S2CLR_LABEL_POSITIVE;
    group->negatives[m->part] += m->label == S2CLR_LABEL_NEGATIVE;
}

static s2clr_status count_members(const member *members, size_t count, s2clr_split_group **out,
                                  size_t *groups)
{
    s2clr_split_group *list;
    size_t different = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        different += i == 0 || by_text(&members[i - 1], &members[i]) != 0;
    S2CLR_TRY(s2clr_alloc(different, sizeof *list, "groups", (void **)&list));
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_text(&members[i - 1], &members[i]) != 0) at++;
        add(&list[at], &members[i]);
    }
    *out = list;
    *groups = different;
    return S2CLR_OK;
}

s2clr_status s2clr_split_groups(const s2clr_store *store, const char *const *split, const char *by,
                                s2clr_split_group **out, size_t *count)
{
    const size_t patches = s2clr_store_count(store);
    member *members;
    int grouping = 0;
    S2CLR_TRY(find_grouping(by, &grouping));
    S2CLR_TRY(s2clr_alloc(patches, sizeof *members, "groups", (void **)&members));
    for (size_t i = 0; i < patches; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        members[i] = (member){.text = groupings[grouping].text(row),
                              .bytes = groupings[grouping].bytes,
                              .part = s2clr_part_of_name(split ? split[i] : row->split),
                              .label = row->label};
    }
    if (patches > 1) qsort(members, patches, sizeof *members, by_text);
    const s2clr_status status = count_members(members, patches, out, count);
    s2clr_free(members);
    return status;
}
