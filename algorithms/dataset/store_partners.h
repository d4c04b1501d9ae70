/*
 * Natural positives: which samples of a store show the same place on another date.
 *
 *     int *partner;
 *     S2CLR_TRY(s2clr_store_partners(&samples, &partner, &pairs));
 *     s2clr_feed_pair(feed, partner, 0.5);
 *     s2clr_free(partner);
 *
 * Which patches share a place is written down when they are cut (the column `place` of the index).
 */
#ifndef S2CLR_DATASET_STORE_PARTNERS_H
#define S2CLR_DATASET_STORE_PARTNERS_H

#include "dataset/store_samples.h"

/* partner[i]: the next sample of the same place, after the last one the first; -1 when there is no
 * other. The samples of a place thus form one circle, in the order of dates, then names, however the
 * store was filled. samples: of s2clr_store_samples_open(); other patches of the store do not
 * count. *with: samples that have a partner. Free *partner, (samples->count), with s2clr_free(). */
s2clr_status s2clr_store_partners(const s2clr_samples *samples, int **partner, size_t *with);

#endif
