/* Points: a patch is what the points in it say, if they agree. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "labels/plabels.h"

static bool accepts(const s2clr_label_source *source)
{
    return source->layer && (source->dimension == 0 || source->columns);
}

static s2clr_status add_point(s2clr_labels *labels, double x, double y,
                              const s2clr_label_entry *like)
{
    s2clr_labels_counts *counts = &labels->counts;
    s2clr_label_entry entry = *like;
    entry.box[0] = entry.box[2] = remainder(x, 360);
    entry.box[1] = entry.box[3] = y;
    if (entry.label == S2CLR_LABEL_POSITIVE)
        counts->positive++;
    else if (entry.label == S2CLR_LABEL_NEGATIVE)
        counts->negative++;
    else
        counts->other++;
    return s2clr_label_set_add(&labels->set, &entry);
}

/* Every point of a multipoint is a label of its own. */
static s2clr_status add(s2clr_labels *labels, OGRGeometryH geometry, s2clr_label_entry *entry)
{
    const int parts = OGR_G_GetGeometryCount(geometry);
    if (OGR_G_GetDimension(geometry) != 0) {
        labels->counts.placeless++;
        return S2CLR_OK;
    }
    if (parts == 0)
        return add_point(labels, OGR_G_GetX(geometry, 0), OGR_G_GetY(geometry, 0), entry);
    for (int i = 0; i < parts; i++) {
        OGRGeometryH part = OGR_G_GetGeometryRef(geometry, i);
        if (!OGR_G_IsEmpty(part))
            S2CLR_TRY(add_point(labels, OGR_G_GetX(part, 0), OGR_G_GetY(part, 0), entry));
    }
    return S2CLR_OK;
}

static s2clr_status open_points(s2clr_labels *labels, const s2clr_label_source *source,
                                const s2clr_labels_options *options)
{
    return s2clr_layer_read(labels, source, options, true, add);
}

static s2clr_status judge(s2clr_labels *labels, const s2clr_frame *frame, const s2clr_days *date,
                          s2clr_verdict *out)
{
    s2clr_verdict verdict = {.label = S2CLR_LABEL_UNKNOWN, .cover = -1};
    s2clr_label_set *set = &labels->set;
    size_t positive = 0, negative = 0;
    S2CLR_TRY(s2clr_label_set_find(set, frame->box));
    for (size_t i = 0; i < set->hits; i++) {
        s2clr_label_entry *entry = &set->entry[set->hit[i]];
        double x = entry->box[0], y = entry->box[1];
        if (!s2clr_frame_to_pixels(frame, 1, &x, &y) || !s2clr_frame_holds(frame, x, y)) continue;
        entry->touched = true;
        if (!s2clr_days_count(&entry->days, date, labels->window_days)) continue;
        positive += entry->label == S2CLR_LABEL_POSITIVE;
        negative += entry->label == S2CLR_LABEL_NEGATIVE;
        if (!verdict.country[0])
            snprintf(verdict.country, sizeof verdict.country, "%s", entry->country);
    }
    if (positive + negative > 0) {
        verdict.cover = (double)positive / (double)(positive + negative);
        verdict.ambiguous = positive > 0 && negative > 0;
        if (!verdict.ambiguous)
            verdict.label = positive > 0 ? S2CLR_LABEL_POSITIVE : S2CLR_LABEL_NEGATIVE;
    }
    *out = verdict;
    return S2CLR_OK;
}

const s2clr_label_kind s2clr_labels_points = {
    .name = "points",
    .summary = "points of an OGR layer, or rows of a table with columns of coordinates",
    .accepts = accepts,
    .open = open_points,
    .judge = judge,
};
