#include "train/contrast.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/ntxent.h"

/* Letters: B patches of a batch, Q of a chunk, D numbers of an embedding. */
struct s2clr_contrast {
    s2clr_contrast_options options;
    s2clr_ntxent_loss *loss;
    s2clr_learner *learner; /* its step is of 2Q views */
    size_t batch, chunk, d;
    size_t slice;  /* patches of a chunk that one device has: P */
    size_t patch;  /* floats */
    float *x;      // (Q / P, 2P, C, H, W) of every slice its first views, then its second ones
    float *out;    // (Q / P, 2P, D) embeddings of a chunk, or their gradient, in that order
    float *z, *dz; // (2B, D) views of a patch side by side
};

s2clr_status s2clr_contrast_check(const s2clr_contrast_options *o)
{
    if (o->batch < 2)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "a contrastive batch of %d patches: at least 2 are needed, because "
                               "each is told apart from the others",
                               o->batch);
    if (o->chunk < 1 || o->batch % o->chunk != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "a contrastive batch of %d patches in chunks of %d: the batch must "
                               "be a multiple of the chunk",
                               o->batch, o->chunk);
    if (o->slices > 1 && o->chunk % o->slices != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "chunks of %d patches cannot be shared out equally over %d devices: "
                               "chunk and batch must be multiples of their number",
                               o->chunk, o->slices);
    if (o->micro < 1 || o->chunk % o->micro != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "chunks of %d patches in micro-batches of %d: the chunk must be a "
                               "multiple of the micro-batch",
                               o->chunk, o->micro);
    if (s2clr_net_output(o->net, S2CLR_OUTPUT_PROJECTION) >= 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "the network %s has no projection head; contrastive training needs one, "
                           "such as 1024,512,128",
                           s2clr_net_arch(o->net)->name);
}

s2clr_step_options s2clr_contrast_step(const s2clr_contrast_options *o)
{
    return (s2clr_step_options){.output = S2CLR_OUTPUT_PROJECTION,
                                .batch = 2 * o->chunk,
                                .micro = o->micro,
                                .h = o->size,
                                .w = o->size};
}

size_t s2clr_contrast_parts(const s2clr_contrast_options *o)
{
    return (size_t)o->batch / (size_t)o->chunk;
}

static s2clr_status measure(s2clr_contrast *c, size_t *input, size_t *views)
{
    const s2clr_contrast_options *o = &c->options;
    const int node = s2clr_net_output(o->net, S2CLR_OUTPUT_PROJECTION);
    c->batch = (size_t)o->batch;
    c->chunk = (size_t)o->chunk;
    c->slice = c->chunk / (size_t)(o->slices > 1 ? o->slices : 1);
    c->d = (size_t)s2clr_net_node(o->net, (size_t)node)->channels;
    S2CLR_TRY(s2clr_size_mul(2 * c->chunk, (size_t)s2clr_net_arch(o->net)->channels, input));
    S2CLR_TRY(s2clr_size_mul(*input, (size_t)o->size, input));
    S2CLR_TRY(s2clr_size_mul(*input, (size_t)o->size, input));
    c->patch = *input / (2 * c->chunk);
    return s2clr_size_mul(2 * c->batch, c->d, views);
}

static s2clr_status floats(size_t count, const char *what, float **out)
{
    return s2clr_alloc(count, sizeof(float), what, (void **)out);
}

static s2clr_status allocate(s2clr_contrast *c)
{
    size_t input, views;
    S2CLR_TRY(measure(c, &input, &views));
    c->x = c->options.views;
    if (!c->x) S2CLR_TRY(floats(input, "views", &c->x));
    S2CLR_TRY(floats(2 * c->chunk * c->d, "embeddings", &c->out));
    S2CLR_TRY(floats(views, "embeddings", &c->z));
    return floats(views, "gradient of the embeddings", &c->dz);
}

s2clr_status s2clr_contrast_new(const s2clr_contrast_options *options, s2clr_learner *learner,
                                const s2clr_machine *on, s2clr_contrast **out)
{
    s2clr_contrast *c;
    S2CLR_TRY(s2clr_contrast_check(options));
    S2CLR_TRY(s2clr_alloc(1, sizeof *c, "contrastive batch", (void **)&c));
    c->options = *options;
    c->learner = learner;
    s2clr_status status = allocate(c);
    if (status == S2CLR_OK) status = s2clr_ntxent_new(on, c->batch, c->d, &c->loss);
    if (status != S2CLR_OK) {
        s2clr_contrast_free(c);
        return status;
    }
    *out = c;
    return S2CLR_OK;
}

s2clr_status s2clr_contrast_needs(const s2clr_contrast_options *options, size_t *bytes)
{
    s2clr_contrast c = {.options = *options};
    size_t input, views, sum;
    S2CLR_TRY(s2clr_contrast_check(options));
    S2CLR_TRY(measure(&c, &input, &views));
    if (options->views) input = 0;
    S2CLR_TRY(s2clr_size_mul(views, 2, &sum));
    S2CLR_TRY(s2clr_size_add(sum, input, &sum));
    return s2clr_size_mul(sum, sizeof(float), bytes);
}

s2clr_status s2clr_contrast_device_needs(const s2clr_contrast_options *options,
                                         const s2clr_machine *on, size_t *bytes)
{
    s2clr_contrast c = {.options = *options};
    size_t input, views;
    S2CLR_TRY(s2clr_contrast_check(options));
    S2CLR_TRY(measure(&c, &input, &views));
    return s2clr_ntxent_device_needs(on, c.batch, c.d, bytes);
}

void s2clr_contrast_free(s2clr_contrast *c)
{
    if (!c) return;
    s2clr_ntxent_free(c->loss);
    if (!c->options.views) s2clr_free(c->x);
    s2clr_free(c->out);
    s2clr_free(c->z);
    s2clr_free(c->dz);
    s2clr_free(c);
}

/* All slices of the chunk that begins with that patch. */
static s2clr_status fill(s2clr_contrast *c, size_t first, const s2clr_contrast_source *source)
{
    for (size_t at = 0; at < c->chunk; at += c->slice)
        S2CLR_TRY(source->fill(source->context, first + at, c->slice, c->x + 2 * at * c->patch));
    return S2CLR_OK;
}

/* Row of the loss, from 0 at the chunk's first, of row i of the chunk. */
static size_t row_of(const s2clr_contrast *c, size_t i)
{
    const size_t slice = i / (2 * c->slice), within = i % (2 * c->slice);
    return 2 * (slice * c->slice + within % c->slice) + within / c->slice;
}

/* Between the order of a chunk and that of the loss. */
static void interleave(const s2clr_contrast *c, size_t first, const float *chunk, float *views)
{
    for (size_t i = 0; i < 2 * c->chunk; i++)
        memcpy(views + (2 * first + row_of(c, i)) * c->d, chunk + i * c->d, c->d * sizeof *views);
}

static void separate(const s2clr_contrast *c, size_t first, const float *views, float *chunk)
{
    for (size_t i = 0; i < 2 * c->chunk; i++)
        memcpy(chunk + i * c->d, views + (2 * first + row_of(c, i)) * c->d, c->d * sizeof *chunk);
}

static s2clr_status check_embeddings(const s2clr_contrast *c, const s2clr_contrast_source *source)
{
    for (size_t i = 0; i < 2 * c->batch; i++) {
        const float *z = c->z + i * c->d;
        double square = 0;
        for (size_t k = 0; k < c->d; k++) square += (double)z[k] * (double)z[k];
        if (!(square > 0) || !isfinite(square))
            return s2clr_error_set(S2CLR_ERR_BACKEND,
                                   "training diverged: the embedding of view %zu of %s is %s; a "
                                   "lower rate may help",
                                   i % 2 + 1, source->name(source->context, i / 2),
                                   square == 0 ? "zero" : "not finite");
    }
    return S2CLR_OK;
}

static s2clr_status loss_of(s2clr_contrast *c, const int *place,
                            const s2clr_contrast_source *source, double *loss)
{
    S2CLR_TRY(check_embeddings(c, source));
    return s2clr_ntxent_run(c->loss, c->z, place, c->options.temperature, loss, c->dz);
}

static s2clr_status run_once(s2clr_contrast *c, const int *place,
                             const s2clr_contrast_source *source, double *loss)
{
    S2CLR_TRY(fill(c, 0, source));
    S2CLR_TRY(s2clr_learner_forward(c->learner, 0, c->x, c->out));
    interleave(c, 0, c->out, c->z);
    S2CLR_TRY(loss_of(c, place, source, loss));
    separate(c, 0, c->dz, c->out);
    return s2clr_learner_backward(c->learner, 0, c->out);
}

/* Embeddings of all chunks and their loss. */
static s2clr_status first_pass(s2clr_contrast *c, const int *place,
                               const s2clr_contrast_source *source, double *loss)
{
    for (size_t first = 0; first < c->batch; first += c->chunk) {
        S2CLR_TRY(fill(c, first, source));
        S2CLR_TRY(s2clr_learner_look(c->learner, c->x, c->out));
        interleave(c, first, c->out, c->z);
    }
    return loss_of(c, place, source, loss);
}

/* Forward again, as the first time, and backward from this chunk's share of the loss. */
static s2clr_status second_pass(s2clr_contrast *c, size_t first,
                                const s2clr_contrast_source *source)
{
    const size_t part = first / c->chunk;
    S2CLR_TRY(fill(c, first, source));
    S2CLR_TRY(s2clr_learner_forward(c->learner, part, c->x, c->out));
    separate(c, first, c->dz, c->out);
    return s2clr_learner_backward(c->learner, part, c->out);
}

static s2clr_status run_chunks(s2clr_contrast *c, const int *place,
                               const s2clr_contrast_source *source, double *loss)
{
    S2CLR_TRY(first_pass(c, place, source, loss));
    for (size_t first = 0; first < c->batch; first += c->chunk)
        S2CLR_TRY(second_pass(c, first, source));
    return S2CLR_OK;
}

s2clr_status s2clr_contrast_run(s2clr_contrast *c, const int *place,
                                const s2clr_contrast_source *source, double *loss)
{
    double value;
    if (c->batch == c->chunk)
        S2CLR_TRY(run_once(c, place, source, &value));
    else
        S2CLR_TRY(run_chunks(c, place, source, &value));
    *loss = value;
    return S2CLR_OK;
}

s2clr_status s2clr_contrast_look(s2clr_contrast *c, const int *place,
                                 const s2clr_contrast_source *source, double *loss)
{
    double value;
    S2CLR_TRY(first_pass(c, place, source, &value));
    *loss = value;
    return S2CLR_OK;
}

const float *s2clr_contrast_embeddings(const s2clr_contrast *c, size_t *d)
{
    *d = c->d;
    return c->z;
}
