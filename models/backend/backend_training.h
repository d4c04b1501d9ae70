/*
 * The optional half of a backend: float32 arrays that live on the device, and what training does
 * with them, so that neither weights nor gradients cross the border in every step.
 *
 *     const s2clr_backend_training *on = backend->training;    // NULL: this backend has none
 *     S2CLR_TRY(backend->buffer_new(device, count * sizeof(float), (void **)&params));
 *     S2CLR_TRY(on->copy_in(stream, weights, count * sizeof(float), params));
 *     S2CLR_TRY(on->pack(op, stream, params + at, NULL, packed));
 *     ... ops with s2clr_op_args.resident, norms ...
 *     S2CLR_TRY(on->update(stream, &update));
 *     S2CLR_TRY(on->copy_out(stream, params, count * sizeof(float), weights));
 *
 * `portable` (portable_training.c) is the specification here as well; tests/test_backend_training.c
 * checks every other backend that has the table against it.
 *
 * Arrays are plain: element i of a parameter at its own place, aligned to its own size and to
 * nothing more. They come from buffer_new(). Everything is queued on the stream, in order; copy_out
 * ends with the values there. The same calls on the same values give the same bits.
 */
#ifndef S2CLR_BACKEND_BACKEND_TRAINING_H
#define S2CLR_BACKEND_BACKEND_TRAINING_H

#include "backend/backend.h"
#include "backend/update.h"

/* A batch norm over `count` values of each of C channels. All arrays are on the device. */
typedef struct s2clr_norm {
    size_t channels;
    double count;
    float epsilon;
    const double *sums; // (2, C) of op_reduce (forward) or op_reduce_backward
    const float *gamma, *beta;
    double *moment;     // (2, C) mean, 1/sqrt(variance + epsilon); forward writes it
    float *coefficient; // (5, C) scale, shift; a, b, d of dx = a g + b x + d
    const float *running_mean, *running_variance; // (C) that norm_frozen reads
    float *moved_mean, *moved_variance; // (C) running statistics for norm_forward; NULL: none move
    float *dgamma, *dbeta;              // (C) backward writes them
} s2clr_norm;

typedef struct s2clr_group s2clr_group; /* opaque: one device's membership */
struct s2clr_stop;                      /* base/stop.h */

#define S2CLR_GROUP_NAME 128 /* bytes, not text */

/* Devices that work together, each held by a thread or process of its own: the calls of one group
 * are made by all of its ranks, in the same order, and a rank that is in one waits for the others.
 * It does so until `stop` is set, by whoever knows that one of them will not come: ranks of one
 * process share theirs. A call that fails sets it; one that was stopped is S2CLR_ERR_CANCELLED, by
 * which the failure is known from what came of it; later ones fail as well. train/collective.h. */
typedef struct s2clr_backend_group {
    s2clr_status (*name)(char name[S2CLR_GROUP_NAME]); /* of a new group */
    /* Returns when all ranks have joined. The device must outlive the membership. */
    s2clr_status (*join)(s2clr_device *device, const char *name, int rank, int ranks,
                         struct s2clr_stop *stop, s2clr_group **out);
    void (*leave)(s2clr_group *group);
    /* values = their sum over all ranks; rank 0's bytes for all. What is queued on the stream comes
     * first; they are there on return. */
    s2clr_status (*sum)(s2clr_group *group, s2clr_stream *stream, size_t count, float *values);
    s2clr_status (*share)(s2clr_group *group, s2clr_stream *stream, size_t bytes, void *values);
} s2clr_backend_group;

typedef struct s2clr_contrast_loss s2clr_contrast_loss; /* opaque: for batches of one size */

/* The contrastive loss (NT-Xent: train/ntxent.h has the formulas) of 2n embeddings of d numbers,
 * rows 2i and 2i + 1 being the views of patch i. */
typedef struct s2clr_backend_contrast {
    /* Memory of the device that one holds; what 2n x 2n cosines would take does not bound n. */
    s2clr_status (*bytes)(const s2clr_device *device, size_t n, size_t d, size_t *out);
    s2clr_status (*open)(s2clr_device *device, size_t n, size_t d, s2clr_contrast_loss **out);
    void (*close)(s2clr_contrast_loss *loss);
    /* Arrays of the host, done on return. z: (2n, d) none of which is zero; place: (n) or NULL,
     * patches with equal numbers are no negatives of each other; dz: (2n, d), NULL: the loss alone.
     * Cosines are float32 or better, whatever the device's precision; their sums are double. */
    s2clr_status (*run)(s2clr_contrast_loss *loss, s2clr_stream *stream, const float *z,
                        const int *place, double temperature, double *value, float *dz);
} s2clr_backend_contrast;

typedef struct s2clr_backend_training {
    /* The device's memory is not the machine's: a training keeps its arrays there. Where both are
     * one, nothing is won by it. */
    bool apart;

    s2clr_status (*copy_in)(s2clr_stream *stream, const void *host, size_t bytes, void *to);
    s2clr_status (*copy_out)(s2clr_stream *stream, const void *from, size_t bytes, void *host);
    s2clr_status (*copy)(s2clr_stream *stream, const void *from, size_t bytes, void *to);
    s2clr_status (*zero)(s2clr_stream *stream, size_t bytes, void *values);
    s2clr_status (*add)(s2clr_stream *stream, size_t count, const float *x, float *sum);
    /* mean[i] of x: (rows, count), added up in double in the order of the rows */
    s2clr_status (*mean)(s2clr_stream *stream, size_t rows, size_t count, const float *x,
                         float *mean);

    /* op_pack of a weight and a bias that are on the device. */
    s2clr_status (*pack)(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                         const float *bias, void *packed);
    /* upload() of values that are on the device. */
    s2clr_status (*upload)(s2clr_stream *stream, s2clr_shape shape, const float *nchw,
                           void *native);

    /* Formulas: net/step_norm.c and net/fold.c; in double, rounded once where it is stored.
     * forward: moment, scale and shift, moves the running statistics; backward: dgamma, dbeta and
     * the last three coefficients; frozen: scale and shift of the running statistics. */
    s2clr_status (*norm_forward)(s2clr_stream *stream, const s2clr_norm *norm);
    s2clr_status (*norm_backward)(s2clr_stream *stream, const s2clr_norm *norm);
    s2clr_status (*norm_frozen)(s2clr_stream *stream, const s2clr_norm *norm);

    /* update.h: update->gradient, moments and params are on the device, and so is scratch, of as
     * many bytes as the first says. */
    size_t (*update_bytes)(const s2clr_update *update);
    s2clr_status (*update)(s2clr_stream *stream, const s2clr_update *update, void *scratch);

    const s2clr_backend_group *group;        /* NULL: its devices do not know of each other */
    const s2clr_backend_contrast *contrast;  /* NULL: the loss is the host's */
    const struct s2clr_backend_views *views; /* view_steps.h; NULL: views are made on the host */
} s2clr_backend_training;

#endif
