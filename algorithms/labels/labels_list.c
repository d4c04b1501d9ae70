/* The kinds of label sources: one line each. The first that accepts a source takes it. */
#include "labels/plabels.h"

static const s2clr_label_kind *const kinds[] = {
    &s2clr_labels_points,
    &s2clr_labels_polygons,
    &s2clr_labels_raster,
};

size_t s2clr_label_kinds(const s2clr_label_kind *const **out)
{
    *out = kinds;
    return sizeof kinds / sizeof kinds[0];
}

const s2clr_label_kind *s2clr_label_kind_of(const s2clr_label_source *source)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i]->accepts(source)) return kinds[i];
    return NULL;
}
