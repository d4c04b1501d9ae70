/*
 * Which values of a column are positive, and which negative.
 *
 *     s2clr_classes classes;
 *     S2CLR_TRY(s2clr_classes_make("fields.gpkg", "irrigated,paddy", NULL, &classes));
 *     ... s2clr_classes_of(&classes, "paddy") == S2CLR_LABEL_POSITIVE ...
 *     s2clr_classes_clear(&classes);
 */
#ifndef S2CLR_LABELS_LABELS_CLASSES_H
#define S2CLR_LABELS_LABELS_CLASSES_H

#include "dataset/patch_record.h"

typedef struct s2clr_classes {
    char **positive, **negative; /* GDAL string lists; negative NULL: all others */
    char seen[300];              /* the first values met, for messages */
    int seen_count;
} s2clr_classes;

/* Lists separated by commas; a value with a comma stands in double quotes. */
s2clr_status s2clr_classes_make(const char *path, const char *positive, const char *negative,
                                s2clr_classes *out);
void s2clr_classes_clear(s2clr_classes *classes);
/* UNKNOWN: in neither list. Numbers are compared as numbers ("2" is "2.0"). */
s2clr_label s2clr_classes_of(const s2clr_classes *classes, const char *value);
/* Likewise, and notes the value for messages. */
s2clr_label s2clr_classes_meet(s2clr_classes *classes, const char *value);

#endif
