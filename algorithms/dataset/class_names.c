/* Class names as rows of a store have them: "a|b|c". */
#include <stdio.h>
#include <string.h>

#include "dataset/pstore.h"

const char *s2clr_class_name_next(const char *labels, char *name, size_t room)
{
    const size_t length = strcspn(labels, "|");
    snprintf(name, room, "%.*s", (int)length, labels);
    return labels[length] ? labels + length + 1 : NULL;
}

s2clr_status s2clr_class_names_collect(const s2clr_store *store, s2clr_strings *out)
{
    char name[1024];
    const char *kept, *before = NULL;
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const char *labels = s2clr_store_row_at(store, i)->labels;
        if (labels == before || !*labels) continue; /* equal texts are one text */
        before = labels;
        while (labels) {
            labels = s2clr_class_name_next(labels, name, sizeof name);
            S2CLR_TRY(s2clr_strings_put(out, name, &kept));
        }
    }
    return S2CLR_OK;
}
