/*
 * Loss and gradient of one contrastive batch that may be larger than the memory for activations:
 * the batch is computed in chunks, and computed twice (gradient caching: Gao, Zhang, Han and
 * Callan, "Scaling deep contrastive learning batch size under memory limited setup", RepL4NLP
 * 2021).
 *
 *     s2clr_contrast *contrast;
 *     ... a learner whose step is s2clr_contrast_step(&options), of s2clr_contrast_parts() ...
 *     S2CLR_TRY(s2clr_contrast_new(&options, learner, &machine, &contrast));
 *     S2CLR_TRY(s2clr_contrast_run(contrast, place, &source, &loss));
 *     ... s2clr_learner_update(learner, ...) ...
 *
 * First every chunk runs forward and only its embeddings are kept; one loss over all of them gives
 * the gradient of every embedding; then every chunk runs forward again, and backward from its own
 * share. The chunks are the parts of the learner's batch. A batch of one chunk runs once.
 *
 * Batch norm sees the two views of one chunk together, or of a device's slice of it.
 */
#ifndef S2CLR_TRAIN_CONTRAST_H
#define S2CLR_TRAIN_CONTRAST_H

#include "train/learner.h"

typedef struct s2clr_contrast s2clr_contrast;

typedef struct s2clr_contrast_options {
    const s2clr_net *net; /* with a projection head */
    int batch;            /* patches, >= 2; a multiple of chunk */
    int chunk;            /* patches; a multiple of micro */
    int micro;            /* views computed at once by one thread */
    int size;             /* of a patch, pixels */
    double temperature;
    float *views; /* where the source puts a chunk's x and the learner reads it, if it is not an
                   * array of the contrast's own: one of the device. Borrowed */
    int slices;   /* devices that the learner shares a chunk out over, each its patches with both
                   * views; divides the chunk. 0: 1 */
} s2clr_contrast_options;

/* Where views come from. Asked twice for every chunk of a batch that has several, and has to answer
 * the same. */
typedef struct s2clr_contrast_source {
    void *context;
    /* x: (2 count, C, H, W), the first views of patches [first, first + count) of the batch, then
     * their second views. */
    s2clr_status (*fill)(void *context, size_t first, size_t count, float *x);
    const char *(*name)(void *context, size_t patch); /* of a patch of the batch, for messages */
} s2clr_contrast_source;

/* What new would refuse, found without allocating anything. */
s2clr_status s2clr_contrast_check(const s2clr_contrast_options *options);

/* What the learner of such batches is made with. */
s2clr_step_options s2clr_contrast_step(const s2clr_contrast_options *options);
size_t s2clr_contrast_parts(const s2clr_contrast_options *options);

/* Everything borrowed must outlive it. Free with s2clr_contrast_free(). */
s2clr_status s2clr_contrast_new(const s2clr_contrast_options *options, s2clr_learner *learner,
                                const s2clr_machine *on, s2clr_contrast **out);
void s2clr_contrast_free(s2clr_contrast *contrast);

/* Bytes such a contrast holds beside its learner, found without allocating it: memory of the
 * machine, and of the device. */
s2clr_status s2clr_contrast_needs(const s2clr_contrast_options *options, size_t *bytes);
s2clr_status s2clr_contrast_device_needs(const s2clr_contrast_options *options,
                                         const s2clr_machine *on, size_t *bytes);

/* place: (batch) as for s2clr_ntxent(), or NULL. The learner has the gradient then, and its running
 * statistics have moved. S2CLR_ERR_BACKEND names a patch whose embedding is zero or not finite. */
s2clr_status s2clr_contrast_run(s2clr_contrast *contrast, const int *place,
                                const s2clr_contrast_source *source, double *loss);

/* The same embeddings and loss, and the learner is as it was. */
s2clr_status s2clr_contrast_look(s2clr_contrast *contrast, const int *place,
                                 const s2clr_contrast_source *source, double *loss);

/* (2 batch, D) of the last run, rows 2i and 2i + 1 being the views of patch i. Borrowed. */
const float *s2clr_contrast_embeddings(const s2clr_contrast *contrast, size_t *d);

#endif
