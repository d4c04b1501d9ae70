/*
 * The contrastive loss: normalised temperature-scaled cross entropy (Chen, Kornblith, Norouzi and
 * Hinton: "A simple framework for contrastive learning of visual representations", ICML 2020).
 *
 *     S2CLR_TRY(s2clr_ntxent(z, NULL, n, 128, 0.1, pool, &loss, dz));
 *
 * With u = z / |z| and s_ij = u_i . u_j / temperature, view i whose other view is p costs
 *     l_i = log(sum over j != i of exp(s_ij)) - s_ip,
 * and the loss is the mean of l_i over all 2n views.
 */
#ifndef S2CLR_TRAIN_NTXENT_H
#define S2CLR_TRAIN_NTXENT_H

#include <stddef.h>

#include "train/machine.h"

/* z: (2n, d), rows 2i and 2i + 1 are the views of patch i. place: (n) or NULL; patches with equal
 * numbers show the same place and are no negatives of each other. dz: (2n, d) gradient of *loss,
 * through both views of every pair and through the normalisation; NULL: only the loss.
 *
 * Arithmetic is double, every sum in the order of the views: threads do not matter. Memory: about
 * 32 n d bytes and 64 n for each thread. pool may be NULL.
 *
 * S2CLR_ERR_ARGUMENT: n < 2, or a temperature that is not above 0. S2CLR_ERR_BACKEND names the view
 * whose embedding is zero or not finite. */
s2clr_status s2clr_ntxent(const float *z, const int *place, size_t n, size_t d, double temperature,
                          s2clr_pool *pool, double *loss, float *dz);

/* What it refuses. */
s2clr_status s2clr_ntxent_check(const float *z, size_t n, size_t d, double temperature);

/*
 * The same loss of batch after batch of one size, on the device where that has it and a memory of
 * its own; there the cosines are float32, and no more of them are kept than a block of rows.
 *
 *     s2clr_ntxent_loss *loss;
 *     S2CLR_TRY(s2clr_ntxent_new(&machine, n, d, &loss));
 *     S2CLR_TRY(s2clr_ntxent_run(loss, z, NULL, 0.1, &value, dz));
 */
typedef struct s2clr_ntxent_loss s2clr_ntxent_loss;

/* What the machine is made of must outlive it. Free with s2clr_ntxent_free(). */
s2clr_status s2clr_ntxent_new(const s2clr_machine *on, size_t n, size_t d, s2clr_ntxent_loss **out);
void s2clr_ntxent_free(s2clr_ntxent_loss *loss);
s2clr_status s2clr_ntxent_run(s2clr_ntxent_loss *loss, const float *z, const int *place,
                              double temperature, double *value, float *dz);
/* Memory of the device that one holds; 0 where the host computes. */
s2clr_status s2clr_ntxent_device_needs(const s2clr_machine *on, size_t n, size_t d, size_t *bytes);

#endif
