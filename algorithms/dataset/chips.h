/*
 * Chips: patches of rasters around label points, instead of a grid.
 *
 *     S2CLR_TRY(s2clr_chips_open(inputs, count, labels, &options, &import));
 *     ... s2clr_chips_kind.next(import, &record, &end) ...
 *     s2clr_chips_kind.close(import);
 *
 * Pixels are never resampled: a chip begins where a pixel of every band begins, so that its centre
 * is up to half a pixel of the coarsest band away from the point. In the order of scenes, then of
 * points; points that a scene does not reach are left to others.
 */
#ifndef S2CLR_DATASET_CHIPS_H
#define S2CLR_DATASET_CHIPS_H

#include "dataset/import.h"
#include "labels/labels.h"

/* The labels, which must be points, are borrowed. */
s2clr_status s2clr_chips_open(const char *const *inputs, size_t count, const s2clr_labels *labels,
                              const s2clr_import_options *options, s2clr_import **out);

/* Not in the table of archives: it has no `identify`, and `open` is above. */
extern const s2clr_import_kind s2clr_chips_kind;

#endif
