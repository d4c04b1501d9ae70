#include "train/contrast.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/step.h"
#include "train/ntxent.h"

/* Letters: B patches of a batch, Q of a chunk, D numbers of an embedding. */
struct s2clr_contrast {
    s2clr_contrast_options options;
    s2clr_pool *pool;
    s2clr_step *step; /* of 2Q views */
    size_t batch, chunk, d;
    size_t trainable, running; /* floats of params: weights, then running statistics */
    float *x;                  // (2Q, C, H, W)
    float *out;    // (2Q, D) embeddings of a chunk, or their gradient: first views first
    float *z, *dz; // (2B, D) views of a patch side by side
    float *part;   // (trainable) gradient of one chunk
    float *kept;   // (running) running statistics before the batch
    double *sum;   // (running)
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

static s2clr_step_options step_options(const s2clr_contrast_options *o)
{
    return (s2clr_step_options){.output = S2CLR_OUTPUT_PROJECTION,
                                .batch = 2 * o->chunk,
                                .micro = o->micro,
                                .h = o->size,
                                .w = o->size};
}

/* Sizes of everything but the step. */
static s2clr_status measure(s2clr_contrast *c, size_t *input, size_t *views)
{
    const s2clr_contrast_options *o = &c->options;
    const int node = s2clr_net_output(o->net, S2CLR_OUTPUT_PROJECTION);
    c->batch = (size_t)o->batch;
    c->chunk = (size_t)o->chunk;
    c->d = (size_t)s2clr_net_node(o->net, (size_t)node)->channels;
    c->trainable = s2clr_net_trainable_count(o->net);
    c->running = s2clr_net_param_count(o->net) - c->trainable;
    S2CLR_TRY(s2clr_size_mul(2 * c->chunk, (size_t)s2clr_net_arch(o->net)->channels, input));
    S2CLR_TRY(s2clr_size_mul(*input, (size_t)o->size, input));
    S2CLR_TRY(s2clr_size_mul(*input, (size_t)o->size, input));
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
    S2CLR_TRY(floats(input, "views", &c->x));
    S2CLR_TRY(floats(2 * c->chunk * c->d, "embeddings", &c->out));
    S2CLR_TRY(floats(views, "embeddings", &c->z));
    S2CLR_TRY(floats(views, "gradient of the embeddings", &c->dz));
    if (c->batch == c->chunk) return S2CLR_OK;
    S2CLR_TRY(floats(c->trainable, "gradient of a chunk", &c->part));
    S2CLR_TRY(floats(c->running, "running statistics", &c->kept));
    return s2clr_alloc(c->running, sizeof(double), "running statistics", (void **)&c->sum);
}

s2clr_status s2clr_contrast_new(const s2clr_contrast_options *options, const s2clr_backend *backend,
                                s2clr_device *device, s2clr_pool *pool, s2clr_contrast **out)
{
    s2clr_contrast *c;
    S2CLR_TRY(s2clr_contrast_check(options));
    S2CLR_TRY(s2clr_alloc(1, sizeof *c, "contrastive batch", (void **)&c));
    c->options = *options;
    c->pool = pool;
    const s2clr_step_options steps = step_options(options);
    s2clr_status status = allocate(c);
    if (status == S2CLR_OK)
        status = s2clr_step_new(options->net, backend, device, pool, &steps, &c->step);
    if (status != S2CLR_OK) {
        s2clr_contrast_free(c);
        return status;
    }
    *out = c;
    return S2CLR_OK;
}

s2clr_status s2clr_contrast_needs(const s2clr_contrast_options *options,
                                  const s2clr_backend *backend, s2clr_device *device,
                                  s2clr_pool *pool, size_t *bytes)
{
    s2clr_contrast c = {.options = *options};
    const s2clr_step_options steps = step_options(options);
    size_t input, views, step, sum;
    S2CLR_TRY(s2clr_contrast_check(options));
    S2CLR_TRY(measure(&c, &input, &views));
    S2CLR_TRY(
        s2clr_step_needs(options->net, backend, device, s2clr_pool_threads(pool), &steps, &step));
    S2CLR_TRY(s2clr_size_mul(views, 2, &sum));
    S2CLR_TRY(s2clr_size_add(sum, input, &sum));
    if (c.batch > c.chunk) S2CLR_TRY(s2clr_size_add(sum, c.trainable + 3 * c.running, &sum));
    S2CLR_TRY(s2clr_size_mul(sum, sizeof(float), &sum));
    return s2clr_size_add(sum, step, bytes);
}

void s2clr_contrast_free(s2clr_contrast *c)
{
    if (!c) return;
    s2clr_step_free(c->step);
    s2clr_free(c->x);
    s2clr_free(c->out);
    s2clr_free(c->z);
    s2clr_free(c->dz);
    s2clr_free(c->part);
    s2clr_free(c->kept);
    s2clr_free(c->sum);
    s2clr_free(c);
}

/* Between the order of a chunk (first views, second views) and that of the loss. */
static void interleave(const s2clr_contrast *c, size_t first, const float *chunk, float *views)
{
    for (size_t i = 0; i < 2 * c->chunk; i++)
        memcpy(views + (2 * (first + i % c->chunk) + i / c->chunk) * c->d, chunk + i * c->d,
               c->d * sizeof *views);
}

static void separate(const s2clr_contrast *c, size_t first, const float *views, float *chunk)
{
    for (size_t i = 0; i < 2 * c->chunk; i++)
        memcpy(chunk + i * c->d, views + (2 * (first + i % c->chunk) + i / c->chunk) * c->d,
               c->d * sizeof *chunk);
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
    return s2clr_ntxent(c->z, place, c->batch, c->d, c->options.temperature, c->pool, loss, c->dz);
}

static s2clr_status run_once(s2clr_contrast *c, float *params, const int *place,
                             const s2clr_contrast_source *source, double *loss, float *gradient)
{
    S2CLR_TRY(source->fill(source->context, 0, c->batch, c->x));
    S2CLR_TRY(s2clr_step_forward(c->step, params, c->x, c->out));
    interleave(c, 0, c->out, c->z);
    S2CLR_TRY(loss_of(c, place, source, loss));
    separate(c, 0, c->dz, c->out);
    return s2clr_step_backward(c->step, params, c->out, gradient);
}

/* Forward again, as the first time, and backward from this chunk's share of the loss. */
static s2clr_status second_pass(s2clr_contrast *c, float *params, size_t first,
                                const s2clr_contrast_source *source, float *gradient)
{
    float *running = params + c->trainable;
    memcpy(running, c->kept, c->running * sizeof *running);
    S2CLR_TRY(source->fill(source->context, first, c->chunk, c->x));
    S2CLR_TRY(s2clr_step_forward(c->step, params, c->x, c->out));
    for (size_t i = 0; i < c->running; i++) c->sum[i] += (double)running[i];
    separate(c, first, c->dz, c->out);
    S2CLR_TRY(s2clr_step_backward(c->step, params, c->out, c->part));
    for (size_t i = 0; i < c->trainable; i++) gradient[i] += c->part[i];
    return S2CLR_OK;
}

static s2clr_status run_chunks(s2clr_contrast *c, float *params, const int *place,
                               const s2clr_contrast_source *source, double *loss, float *gradient)
{
    float *running = params + c->trainable;
    for (size_t first = 0; first < c->batch; first += c->chunk) {
        S2CLR_TRY(source->fill(source->context, first, c->chunk, c->x));
        S2CLR_TRY(s2clr_step_replay(c->step, params, c->x, c->out));
        interleave(c, first, c->out, c->z);
    }
    S2CLR_TRY(loss_of(c, place, source, loss));
    memcpy(c->kept, running, c->running * sizeof *running);
    memset(c->sum, 0, c->running * sizeof *c->sum);
    memset(gradient, 0, c->trainable * sizeof *gradient);
    for (size_t first = 0; first < c->batch; first += c->chunk)
        S2CLR_TRY(second_pass(c, params, first, source, gradient));
    const double chunks = (double)(c->batch / c->chunk);
    for (size_t i = 0; i < c->running; i++) running[i] = (float)(c->sum[i] / chunks);
    return S2CLR_OK;
}

s2clr_status s2clr_contrast_run(s2clr_contrast *c, float *params, const int *place,
                                const s2clr_contrast_source *source, double *loss, float *gradient)
{
    double value;
    if (c->batch == c->chunk)
        S2CLR_TRY(run_once(c, params, place, source, &value, gradient));
    else
        S2CLR_TRY(run_chunks(c, params, place, source, &value, gradient));
    *loss = value;
    return S2CLR_OK;
}

const float *s2clr_contrast_embeddings(const s2clr_contrast *c, size_t *d)
{
    *d = c->d;
    return c->z;
}
