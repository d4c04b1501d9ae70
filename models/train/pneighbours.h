/* What searches by distance share: rows of distances, and tasks over groups of rows. */
#ifndef S2CLR_TRAIN_PNEIGHBOURS_H
#define S2CLR_TRAIN_PNEIGHBOURS_H

#include "train/neighbours.h"

/* Rows whose distances are made at once: they and one other vector stay in the cache. */
enum { S2CLR_DISTANCE_ROWS = 8 };

/* out: (rows, n) squares of the distances of rows first .. first + rows - 1 to all. */
void s2clr_distance_rows(const double *x, size_t n, size_t d, size_t first, size_t rows,
                         double *out);

/* Runs a task for every group of S2CLR_DISTANCE_ROWS of n rows; pool may be NULL. */
s2clr_status s2clr_distance_run(s2clr_pool *pool, s2clr_task task, void *context, size_t n);

/* (threads, S2CLR_DISTANCE_ROWS, n) doubles for such tasks. */
s2clr_status s2clr_distance_scratch(const s2clr_pool *pool, size_t n, double **out);

#endif
